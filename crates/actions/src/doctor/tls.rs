//! TLS and what comes with the first answer: who vouches for the host, and what time it is there.

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

use super::{Check, certificate::Authority};
use crate::Host;

/// For an answer; a connection that doesn't come about gives up sooner.
const LIMIT: Duration = Duration::from_secs(15);
/// For a second look at the certificate.
const LOOK: Duration = Duration::from_secs(5);
/// Tokens live for minutes to hours; signed links are as strict as five minutes.
const SKEW: Duration = Duration::from_secs(60);

/// The host's time beside this machine's, both in one moment, as far as that can be told.
pub(super) struct Times {
    pub(super) there: SystemTime,
    pub(super) here: SystemTime,
}

/// Sends a request without any credential, over the same kind of client as all others.
pub(super) async fn greet(host: &Host, authorities: &Authorities) -> (Check, Option<Times>) {
    const NAME: &str = "tls";
    let plain = host.as_str().starts_with("http://");
    let client = build_client(options(host, authorities).client_builder().tls_info(true).timeout(LIMIT));
    // Whatever the answer: any workspace and any proxy has one.
    let url = host.join("/.well-known/databricks-config");
    let (client, url) = match (client, url) {
        (Ok(client), Ok(url)) => (client, url),
        (Err(error), _) | (_, Err(error)) => return (Check::fault(NAME, &error), None),
    };
    let begun = SystemTime::now();
    let answer = match client.get(url.clone()).send().await {
        Ok(answer) => answer,
        // The steps that follow say it better.
        Err(_) if plain => return (Check::skipped(NAME, NO_TLS), None),
        Err(failed) => {
            let step = Step::of(&failed);
            let check = Check::fault(NAME, &unreachable(&url, failed));
            if step != Some(Step::Tls) {
                return (check, None);
            }
            let presented = presented(host).await.map(|authority| authority.describe());
            let seen = presented.map(|who| format!("\nthe certificate is {who}")).unwrap_or_default();
            let check = Check { detail: format!("{}{seen}", check.detail), ..check };
            return (check.with_hint(INSPECTED), None);
        }
    };
    let took = begun.elapsed().unwrap_or_default();
    let date = answer.headers().get(http::header::DATE).and_then(|v| v.to_str().ok());
    let times = date.and_then(time::parse_http_date);
    let times = times.map(|there| Times { there, here: begun + took / 2 });
    if plain {
        return (Check::skipped(NAME, NO_TLS), times);
    }
    let leaf = answer.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
    let authority = match leaf {
        Some(leaf) => Authority::of(leaf),
        // Through a proxy the HTTP stack doesn't hand it on.
        None => presented(host).await,
    };
    let check = match authority {
        Some(authority) => Check::ok(NAME, format!("trusted; {}", authority.describe())),
        None => Check::ok(NAME, "trusted; who issued the certificate can't be told"),
    };
    (check, times)
}

fn options(host: &Host, authorities: &Authorities) -> HttpOptions {
    HttpOptions::new(host.clone()).with_authorities(authorities.clone())
}

const INSPECTED: &str = "if this is your company's own authority, trust it: --ca-file FILE, or SSL_CERT_FILE on Linux; else check the host";
const NO_TLS: &str = "plain http, to this machine";

/// Compares the clocks.
pub(super) fn clock(times: Option<Times>) -> Check {
    const NAME: &str = "clock";
    let Some(Times { there, here }) = times else { return Check::skipped(NAME, "the host told no time") };
    let (skew, way) = match there.duration_since(here) {
        Ok(behind) => (behind, "behind"),
        Err(e) => (e.duration(), "ahead of"),
    };
    // The header has whole seconds.
    if skew < Duration::from_secs(2) {
        return Check::ok(NAME, "agrees with the host's");
    }
    let detail = format!("this machine is {} s {way} the host", skew.as_secs());
    match skew > SKEW {
        true => Check::warning(NAME, detail)
            .with_hint("set this machine's clock: tokens and signed links are refused when it is wrong"),
        false => Check::ok(NAME, detail),
    }
}

/// Who issued the certificate that a host presents, trusted or not. The handshake goes no further than that:
/// nothing is sent.
async fn presented(host: &Host) -> Option<Authority> {
    let seen = Arc::new(Recorder::default());
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(seen.clone())
        .with_no_client_auth();
    let builder = options(host, &Authorities::default()).client_builder().tls_backend_preconfigured(config);
    let client = build_client(builder.timeout(LOOK)).ok()?;
    // The recorder refuses every certificate.
    client.get(host.join("/").ok()?).send().await.err()?;
    let leaf = seen.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    leaf.and_then(|leaf| Authority::of(&leaf))
}

/// Keeps the certificate, and refuses it.
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
