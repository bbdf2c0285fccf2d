//! Why a host was not reached: decides at which step a connection failed, and what the user can do about it.

use std::{error::Error as StdError, fmt, io, net::SocketAddr};

use reqwest::{
    Url,
    dns::{Name, Resolve, Resolving},
};

use crate::{Error, ErrorKind};

/// The system's resolver. Unlike that of the HTTP stack, its failures can be recognized.
#[derive(Debug)]
pub(crate) struct Resolver;

/// A name without an address.
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
#[non_exhaustive]
pub enum Step {
    /// The name could not be resolved.
    Dns,
    /// The connection was refused.
    Refused,
    /// TLS could not be set up.
    Tls,
}

impl Step {
    /// Finds the step in an error's causes.
    pub fn of(error: &(dyn StdError + 'static)) -> Option<Self> {
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
                // The source of an I/O error is the source of what it packs, not what it packs.
                if let Some(step) = io.get_ref().and_then(|packed| Self::of(packed)) {
                    return Some(step);
                }
            }
            next = cause.source();
        }
        None
    }

    /// What an error's text has before the cause.
    fn label(step: Option<Self>) -> &'static str {
        match step {
            Some(Self::Dns) => "DNS: ",
            Some(Self::Tls) => "TLS: ",
            // The cause of a refused connection says so itself.
            Some(Self::Refused) | None => "",
        }
    }

    /// What to do about it.
    pub fn hint(step: Option<Self>) -> &'static str {
        match step {
            Some(Self::Dns) => {
                "check the host for a typo, and that this network knows its name: some need a VPN or a proxy \
                 (HTTPS_PROXY)"
            }
            Some(Self::Refused) => "nothing listens there: check the host, its port and the proxy settings",
            Some(Self::Tls) => {
                "if your company inspects TLS, trust its certificate authority: name its file with ca_file, or with \
                 SSL_CERT_FILE"
            }
            None => "check the host, the network and the proxy settings",
        }
    }
}

/// The error for a request that no answer came to. It names the host and the innermost cause, and never the rest of the
/// URL.
pub fn unreachable(url: &Url, error: reqwest::Error) -> Error {
    let error = error.without_url();
    let mut cause: &dyn StdError = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let host = url.origin().ascii_serialization();
    let step = Step::of(&error);
    let label = Step::label(step);
    let text = match (error.is_connect(), error.is_timeout()) {
        (true, true) => format!("no connection to {host} within the time allowed"),
        (true, false) => format!("cannot connect to {host}: {label}{cause}"),
        (false, true) => format!("no data from {host} for too long"),
        (false, false) => format!("the connection to {host} broke: {cause}"),
    };
    let hint = if error.is_connect() { Step::hint(step) } else { "try again" };
    Error::new(ErrorKind::Unreachable, text).with_hint(hint).with_source(error)
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
    fn the_step_is_found_at_any_depth() {
        let tls = || rustls::Error::General("x".to_owned());
        let packed = Outer(Box::new(io::Error::other(io::Error::other(tls()))));
        assert_eq!(Step::of(&packed), Some(Step::Tls));
        let refused = Outer(Box::new(Outer(Box::new(io::Error::from(io::ErrorKind::ConnectionRefused)))));
        assert_eq!(Step::of(&refused), Some(Step::Refused));
        let unresolved = Outer(Box::new(Unresolved(io::Error::other("no such name"))));
        assert_eq!(Step::of(&unresolved), Some(Step::Dns));
        assert_eq!(Step::of(&io::Error::other("lost")), None);
    }
}
