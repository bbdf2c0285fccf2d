//! Checks TLS and the first response: who issued the host's certificate, and whether the clocks agree.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use brickwire_wire::{Authorities, HttpOptions, Step, build_client, time, unreachable};
use reqwest::tls::TlsInfo;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring::default_provider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::{certificate::Authority, check::Check};
use crate::Host;

/// The time limit for a response; a connection that can't be made fails sooner.
const LIMIT: Duration = Duration::from_secs(15);
/// The time limit for fetching the certificate again.
const CERTIFICATE_LIMIT: Duration = Duration::from_secs(5);
/// The tolerated difference between the clocks. Tokens live for minutes to hours, and the strictest signed links for
/// five minutes.
const SKEW: Duration = Duration::from_secs(60);

/// The time on the host and on this machine at the same moment, as far as the response shows.
pub(super) struct Times {
    pub(super) there: SystemTime,
    pub(super) here: SystemTime,
}

/// Sends a request without a credential, with a client that is set up as for all other requests.
pub(super) async fn greet(host: &Host, authorities: &Authorities) -> (Check, Option<Times>) {
    const NAME: &str = "tls";
    let plain = host.as_str().starts_with("http://");
    let client = build_client(options(host, authorities).client_builder().tls_info(true).timeout(LIMIT));
    // Any response will do, even one of a proxy.
    let url = host.join("/.well-known/databricks-config");
    let (client, url) = match (client, url) {
        (Ok(client), Ok(url)) => (client, url),
        (Err(error), _) | (_, Err(error)) => return (Check::fault(NAME, &error), None),
    };
    let start = SystemTime::now();
    let answer = match client.get(url.clone()).send().await {
        Ok(answer) => answer,
        // The later checks report this better.
        Err(_) if plain => return (Check::skipped(NAME, NO_TLS), None),
        Err(failed) => {
            let step = Step::of(&failed);
            let check = Check::fault(NAME, &unreachable(&url, failed));
            if step != Some(Step::Tls) {
                return (check, None);
            }
            let presented = presented(host).await.map(|authority| authority.describe());
            let issuer = presented.map(|issuer| format!("\nthe certificate is {issuer}")).unwrap_or_default();
            let check = Check { detail: format!("{}{issuer}", check.detail), ..check };
            return (check.with_hint(UNTRUSTED), None);
        }
    };
    let elapsed = start.elapsed().unwrap_or_default();
    let date = answer.headers().get(http::header::DATE).and_then(|v| v.to_str().ok());
    let times = date.and_then(time::parse_http_date);
    let times = times.map(|there| Times { there, here: start + elapsed / 2 });
    if plain {
        return (Check::skipped(NAME, NO_TLS), times);
    }
    let leaf = answer.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
    let authority = match leaf {
        Some(leaf) => Authority::from_der(leaf),
        // The HTTP client doesn't provide the certificate of a connection through a proxy.
        None => presented(host).await,
    };
    let check = match authority {
        Some(authority) => Check::ok(NAME, format!("trusted; {}", authority.describe())),
        None => Check::ok(NAME, "trusted; the issuer of the certificate is unknown"),
    };
    (check, times)
}

fn options(host: &Host, authorities: &Authorities) -> HttpOptions {
    HttpOptions::new(host.clone()).with_authorities(authorities.clone())
}

const UNTRUSTED: &str = "if this is your company's own authority, trust it: set `ca_file` to its file (on Linux, SSL_CERT_FILE \
                         works, too); otherwise check the host";
const NO_TLS: &str = "plain http, to this machine";

/// Compares the clocks.
pub(super) fn clock(times: Option<Times>) -> Check {
    const NAME: &str = "clock";
    let Some(Times { there, here }) = times else {
        return Check::skipped(NAME, "the host's response has no date");
    };
    let (skew, way) = match there.duration_since(here) {
        Ok(behind) => (behind, "behind"),
        Err(e) => (e.duration(), "ahead of"),
    };
    // The Date header has whole seconds.
    if skew < Duration::from_secs(2) {
        return Check::ok(NAME, "agrees with the host's");
    }
    let detail = format!("this machine is {} s {way} the host", skew.as_secs());
    match skew > SKEW {
        true => Check::warning(NAME, detail)
            .with_hint("set this machine's clock: tokens and signed links are refused if it is wrong"),
        false => Check::ok(NAME, detail),
    }
}

/// The issuer of the certificate that a host presents, trusted or not. The handshake ends there, so no request is sent.
async fn presented(host: &Host) -> Option<Authority> {
    let seen = Arc::new(Recorder::default());
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(seen.clone())
        .with_no_client_auth();
    let builder = options(host, &Authorities::default()).client_builder().tls_backend_preconfigured(config);
    let client = build_client(builder.timeout(CERTIFICATE_LIMIT)).ok()?;
    // The recorder refuses every certificate, so this fails.
    client.get(host.join("/").ok()?).send().await.err()?;
    let leaf = seen.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    leaf.and_then(|leaf| Authority::from_der(&leaf))
}

/// Records the certificate and refuses it.
#[derive(Debug, Default)]
struct Recorder(Mutex<Option<Vec<u8>>>);

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(leaf.to_vec());
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(CertificateError::UnknownIssuer.into())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}
