//! Presigned links: where they may lead, and until when they are used.
//!
//! A link comes from the workspace, which may be anyone's: it must not make this machine send requests to itself, or to
//! what only this machine reaches. So a link is https, and leads neither to this machine nor to a link-local address,
//! where clouds have the credentials of a machine. Only a workspace on this machine may give links to it, as the tests
//! and the local workspace do. A link's headers may hold keys for the store, and nothing that the HTTP client decides.
//!
//! A presigned link is a secret, because anyone who has it can read the data. It is never printed, logged, or part of
//! an error.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    time::{Duration, SystemTime},
};

use brickwire_client::types;
use brickwire_wire::{Host, time};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use reqwest::Url;
use tokio::time::Instant;

use super::extent::Extent;

/// A link that expires sooner than this is renewed before it is used.
const MARGIN: Duration = Duration::from_secs(30);

/// The headers of a request that a link may not set: they decide to whom the request goes, where its body ends, which
/// bytes are asked for, and in which encoding.
const NOT_A_LINKS: &[HeaderName] = &[
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::PROXY_AUTHORIZATION,
    header::RANGE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Which workspace a link comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// One on this machine, without TLS.
    Local,
    /// One on this machine.
    LocalTls,
    Remote,
}

impl Origin {
    pub(super) fn of(host: &Host) -> Self {
        match host.is_loopback() {
            true if host.as_str().starts_with("http:") => Self::Local,
            true => Self::LocalTls,
            false => Self::Remote,
        }
    }
}

/// A presigned link to one chunk.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// What the link says about the chunk's rows.
    pub(super) extent: Extent,
    /// When to ask for another link. `None` for a link that doesn't say when it expires.
    good_until: Option<Instant>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("extent", &self.extent).finish_non_exhaustive()
    }
}

impl Link {
    /// Reads a link from an answer with these headers. The error says what is wrong with the link and doesn't quote it.
    pub(crate) fn read(
        link: &types::ExternalLink,
        answer: &HeaderMap,
        origin: Origin,
    ) -> Result<Self, &'static str> {
        let text = link.external_link.as_deref().ok_or("has no address")?;
        let url = Url::parse(text).map_err(|_| "is not an address")?;
        check(&url, origin)?;
        let mut headers = HeaderMap::new();
        for (name, value) in link.http_headers.iter().flatten() {
            let name = HeaderName::try_from(name.as_str()).map_err(|_| "has a header that can't be sent")?;
            let mut value =
                HeaderValue::try_from(value.as_str()).map_err(|_| "has a header that can't be sent")?;
            if name == header::HOST && value == url.authority() {
                // The one that is sent anyway.
                continue;
            }
            if NOT_A_LINKS.contains(&name) || name.as_str().starts_with("proxy-") {
                return Err("sets a header that a link may not set");
            }
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let lifetime = link.expiration.as_deref().and_then(|at| lifetime(at, answer));
        Ok(Self {
            url,
            headers,
            extent: Extent::new(link.row_count, link.row_offset),
            // A link that lives shorter than the margin is used for half its life. Otherwise it would be stale at once.
            good_until: lifetime
                .and_then(|left| Instant::now().checked_add(left.saturating_sub(MARGIN).max(left / 2))),
        })
    }

    /// Whether the link is about to expire, so that another should be requested.
    pub(crate) fn is_stale(&self) -> bool {
        self.good_until.is_some_and(|end| Instant::now() >= end)
    }
}

/// Checks where a link leads.
fn check(url: &Url, origin: Origin) -> Result<(), &'static str> {
    let place = place(url);
    match url.scheme() {
        "https" => {}
        "http" if origin == Origin::Local && place == Place::ThisMachine => {}
        _ => return Err("is not https"),
    }
    match place {
        Place::Elsewhere if url.username().is_empty() && url.password().is_none() => Ok(()),
        Place::Elsewhere => Err("has a user name"),
        Place::ThisMachine if origin != Origin::Remote => Ok(()),
        Place::ThisMachine => Err("leads to this machine"),
        Place::LinkLocal => Err("leads to a link-local address"),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    ThisMachine,
    /// Only machines on the same wire have such addresses. Clouds answer there with the credentials of a machine.
    LinkLocal,
    Elsewhere,
}

/// Where a URL leads, as far as its host says so without being looked up. TLS protects the others: a name that leads to
/// this machine has no certificate here.
fn place(url: &Url) -> Place {
    // In lower case, and addresses in their usual form.
    let host = url.host_str().unwrap_or("localhost");
    let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() else {
        let name = host.trim_end_matches('.');
        let is_here = name == "localhost" || name.ends_with(".localhost");
        return if is_here { Place::ThisMachine } else { Place::Elsewhere };
    };
    match address.to_canonical() {
        address if address.is_loopback() || address.is_unspecified() => Place::ThisMachine,
        IpAddr::V4(address) if address.is_link_local() => Place::LinkLocal,
        // AWS answers there, too.
        IpAddr::V6(address) if address.is_unicast_link_local() || address == AWS_METADATA => Place::LinkLocal,
        _ => Place::Elsewhere,
    }
}

const AWS_METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// The remaining lifetime, measured on the service's clock (its Date header).
fn lifetime(expiration: &str, answer: &HeaderMap) -> Option<Duration> {
    let date = answer.get(header::DATE).and_then(|v| v.to_str().ok());
    let now = date.and_then(time::parse_http_date).unwrap_or_else(SystemTime::now);
    Some(time::parse_rfc3339(expiration)?.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(url: &str) -> types::ExternalLink {
        types::ExternalLink {
            external_link: Some(url.to_owned()),
            http_headers: Some([("x-key".to_owned(), "hush".to_owned())].into()),
            expiration: Some("2024-01-31T12:00:00.000Z".to_owned()),
            ..Default::default()
        }
    }

    #[test]
    fn expiry_is_measured_on_the_services_clock() {
        let mut answer = HeaderMap::new();
        let date = |date: &'static str, answer: &mut HeaderMap| {
            answer.insert(header::DATE, HeaderValue::from_static(date));
        };
        date("Wed, 31 Jan 2024 11:45:00 GMT", &mut answer);
        assert!(!Link::read(&link("https://s/x"), &answer, Origin::Remote).unwrap().is_stale());
        date("Wed, 31 Jan 2024 12:00:01 GMT", &mut answer);
        assert!(Link::read(&link("https://s/x"), &answer, Origin::Remote).unwrap().is_stale());
    }

    #[test]
    fn a_link_is_not_printed() {
        let read = Link::read(&link("https://s.example/x?sig=hush"), &HeaderMap::new(), Origin::Remote);
        assert!(!format!("{:?}", read.unwrap()).contains("hush"));
    }

    #[test]
    fn a_link_leads_to_a_store() {
        let outcome = |url: &str, origin| Link::read(&link(url), &HeaderMap::new(), origin).map(drop).err();
        for (url, remote, local) in [
            ("https://s.example/x", None, None),
            ("https://10.0.0.1/x", None, None),
            ("http://s.example/x", Some("is not https"), Some("is not https")),
            ("ftp://127.0.0.1/x", Some("is not https"), Some("is not https")),
            ("file:///etc/passwd", Some("is not https"), Some("is not https")),
            ("http://127.0.0.1:1/x", Some("is not https"), None),
            ("http://localhost:1/x", Some("is not https"), None),
            ("https://127.0.0.1:1/x", Some("leads to this machine"), None),
            ("https://0x7f.1/x", Some("leads to this machine"), None),
            ("https://2130706433/x", Some("leads to this machine"), None),
            ("https://0.0.0.0/x", Some("leads to this machine"), None),
            ("https://[::1]/x", Some("leads to this machine"), None),
            ("https://[::]/x", Some("leads to this machine"), None),
            ("https://[::ffff:127.0.0.1]/x", Some("leads to this machine"), None),
            ("https://LOCALHOST./x", Some("leads to this machine"), None),
            ("https://a.localhost/x", Some("leads to this machine"), None),
            (
                "https://169.254.169.254/x",
                Some("leads to a link-local address"),
                Some("leads to a link-local address"),
            ),
            ("http://169.254.169.254/x", Some("is not https"), Some("is not https")),
            (
                "https://[fe80::1]/x",
                Some("leads to a link-local address"),
                Some("leads to a link-local address"),
            ),
            (
                "https://[fd00:ec2::254]/x",
                Some("leads to a link-local address"),
                Some("leads to a link-local address"),
            ),
            ("https://me:hush@s.example/x", Some("has a user name"), Some("has a user name")),
        ] {
            assert_eq!(outcome(url, Origin::Remote), remote, "{url}");
            assert_eq!(outcome(url, Origin::Local), local, "{url}");
            let with_tls = if url.starts_with("http:") { remote } else { local };
            assert_eq!(outcome(url, Origin::LocalTls), with_tls, "{url}");
        }
    }

    #[test]
    fn a_workspace_is_local_or_remote() {
        for (host, origin) in [
            ("http://127.0.0.1:1", Origin::Local),
            ("http://localhost:1", Origin::Local),
            ("https://127.0.0.1:1", Origin::LocalTls),
            ("https://a.cloud.databricks.com", Origin::Remote),
        ] {
            assert_eq!(Origin::of(&Host::parse(host).unwrap()), origin, "{host}");
        }
    }

    #[test]
    fn a_links_headers_are_for_the_store() {
        let read = |name: &str, value: &str| {
            let http_headers = Some([(name.to_owned(), value.to_owned())].into());
            let link = types::ExternalLink { http_headers, ..link("https://s.example:1/x") };
            Link::read(&link, &HeaderMap::new(), Origin::Remote).map(|link| link.headers.len())
        };
        for name in
            ["x-amz-server-side-encryption-customer-key", "x-ms-version", "Authorization", "X-Goog-Key"]
        {
            assert_eq!(read(name, "v"), Ok(1), "{name}");
        }
        for name in ["Host", "range", "Transfer-Encoding", "content-length", "Proxy-X", "if-range"] {
            assert_eq!(read(name, "v"), Err("sets a header that a link may not set"), "{name}");
        }
        assert_eq!(read("host", "s.example:1"), Ok(0));
        assert_eq!(read("a b", "v"), Err("has a header that can't be sent"));
        assert_eq!(read("a", "v\r\nb: c"), Err("has a header that can't be sent"));
    }
}
