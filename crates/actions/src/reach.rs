//! How a host is reached: whom TLS trusts, how names are resolved, and at which of the steps it failed.
//!
//! Trusted are the system's authorities (on Linux those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, where these are set) and,
//! in addition, those of a file that the user names. Difference from curl and the SDKs, on purpose: the file adds, and
//! replaces nothing. Results are fetched from a cloud's storage, which is reached with a public certificate even where
//! the workspace isn't.

use std::{error::Error as StdError, fmt, io, net::SocketAddr, path::Path};

use reqwest::{
    Certificate, ClientBuilder,
    dns::{Name, Resolve, Resolving},
};

use crate::{Error, Result};

/// Authorities that are trusted beside the system's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Authorities(Vec<Certificate>);

impl Authorities {
    /// Those of a PEM file.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let shown = file.display();
        let bytes = std::fs::read(file).map_err(|e| {
            Error::configuration(format!("the file of certificates can't be read: {shown}")).with_source(e)
        })?;
        let found = Certificate::from_pem_bundle(&bytes).unwrap_or_default();
        if found.is_empty() {
            return Err(Error::configuration(format!("the file holds no certificate: {shown}"))
                .with_hint("it must be PEM: -----BEGIN CERTIFICATE-----"));
        }
        Ok(Self(found))
    }

    /// Makes a client trust them.
    pub(crate) fn apply(&self, builder: ClientBuilder) -> ClientBuilder {
        let all = self.0.iter().cloned().chain(of_the_environment());
        all.fold(builder, ClientBuilder::add_root_certificate)
    }
}

/// What `SSL_CERT_FILE` names, where the system's own verifier doesn't look at it.
fn of_the_environment() -> Vec<Certificate> {
    let file =
        if cfg!(any(windows, target_vendor = "apple")) { std::env::var_os("SSL_CERT_FILE") } else { None };
    let read = file.and_then(|file| Authorities::read(Path::new(&file)).ok());
    read.unwrap_or_default().0
}

/// The system's resolver; unlike the HTTP stack's own, its failure can be told from others.
#[derive(Debug)]
pub(crate) struct Resolver;

/// A name that has no address.
#[derive(Debug)]
struct Unresolved(io::Error);

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Unresolved {}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(Unresolved)?;
            let found: Vec<SocketAddr> = found.collect();
            Ok(Box::new(found.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

/// The step at which a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Dns,
    Refused,
    Tls,
}

impl Step {
    /// Finds it in an error's causes.
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(cause) = next {
            if cause.is::<Unresolved>() {
                return Some(Self::Dns);
            }
            if cause.is::<rustls::Error>() {
                return Some(Self::Tls);
            }
            if let Some(io) = cause.downcast_ref::<io::Error>() {
                if io.kind() == io::ErrorKind::ConnectionRefused {
                    return Some(Self::Refused);
                }
                // What is packed into an I/O error isn't its source, only the source of that is.
                if let Some(step) = io.get_ref().and_then(|packed| Self::of(packed)) {
                    return Some(step);
                }
            }
            next = cause.source();
        }
        None
    }

    /// What stands before the cause.
    pub(crate) fn label(step: Option<Self>) -> &'static str {
        match step {
            Some(Self::Dns) => "DNS: ",
            Some(Self::Tls) => "TLS: ",
            // The cause says so itself.
            Some(Self::Refused) | None => "",
        }
    }

    /// What to do about it.
    pub(crate) fn hint(step: Option<Self>) -> &'static str {
        match step {
            Some(Self::Dns) => {
                "check the host for a typo, and that this network knows its name: some need a VPN or a proxy \
                 (HTTPS_PROXY)"
            }
            Some(Self::Refused) => "nothing listens there: check the host, its port and the proxy settings",
            Some(Self::Tls) => {
                "if your company inspects TLS, trust its certificate authority: --ca-file FILE, or SSL_CERT_FILE; \
                 `brick doctor` shows who issued the certificate"
            }
            None => "check the host, the network and the proxy settings",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(Box<dyn StdError + Send + Sync>);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }
    impl StdError for Outer {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&*self.0)
        }
    }

    #[test]
    fn finds_the_step_however_deep_it_is_packed() {
        let tls = || rustls::Error::General("x".to_owned());
        let packed = Outer(Box::new(io::Error::other(io::Error::other(tls()))));
        assert_eq!(Step::of(&packed), Some(Step::Tls));
        let refused = Outer(Box::new(Outer(Box::new(io::Error::from(io::ErrorKind::ConnectionRefused)))));
        assert_eq!(Step::of(&refused), Some(Step::Refused));
        let unresolved = Outer(Box::new(Unresolved(io::Error::other("no such name"))));
        assert_eq!(Step::of(&unresolved), Some(Step::Dns));
        assert_eq!(Step::of(&io::Error::other("lost")), None);
    }

    #[test]
    fn a_file_without_certificates_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let missing = Authorities::read(&file).unwrap_err().to_string();
        assert!(missing.contains("ca.pem"), "{missing}");
        std::fs::write(&file, "no certificate").unwrap();
        let empty = Authorities::read(&file).unwrap_err();
        assert!(empty.to_string().contains("no certificate") && empty.hint().is_some(), "{empty}");
    }
}
