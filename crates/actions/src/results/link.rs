//! Presigned links: where they may lead, and until when they are used.
//!
//! A presigned link is a secret, because anyone who has it can read the data. It is never printed, logged, or part of
//! an error.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use brickwire_client::types;
use brickwire_wire::{is_loopback, time};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use reqwest::Url;
use tokio::time::Instant;

/// A link that expires sooner than this is renewed before it is used.
const MARGIN: Duration = Duration::from_secs(30);

/// A presigned link to one chunk.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// How many rows the chunk has, if the link says so.
    pub(crate) rows: Option<u64>,
    /// When to ask for another link. `None` for a link that doesn't say when it expires.
    good_until: Option<Instant>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Link {
    /// Reads a link from an answer with these headers. The error says what is wrong with the link and doesn't quote it.
    pub(crate) fn read(link: &types::ExternalLink, answer: &HeaderMap) -> Result<Self, &'static str> {
        let text = link.external_link.as_deref().ok_or("has no address")?;
        let url = Url::parse(text).map_err(|_| "is not an address")?;
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err("is not https");
        }
        let mut headers = HeaderMap::new();
        for (name, value) in link.http_headers.iter().flatten() {
            let name = HeaderName::try_from(name.as_str()).map_err(|_| "has a header that can't be sent")?;
            let mut value =
                HeaderValue::try_from(value.as_str()).map_err(|_| "has a header that can't be sent")?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let lifetime = link.expiration.as_deref().and_then(|at| lifetime(at, answer));
        Ok(Self {
            url,
            headers,
            rows: link.row_count.and_then(|rows| u64::try_from(rows).ok()),
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
        assert!(!Link::read(&link("https://s/x"), &answer).unwrap().is_stale());
        date("Wed, 31 Jan 2024 12:00:01 GMT", &mut answer);
        assert!(Link::read(&link("https://s/x"), &answer).unwrap().is_stale());
    }

    #[test]
    fn a_link_is_not_printed_and_must_be_https() {
        let read = Link::read(&link("https://s.example/x?sig=hush"), &HeaderMap::new()).unwrap();
        assert!(!format!("{read:?}").contains("hush"));
        assert_eq!(Link::read(&link("http://s.example/x"), &HeaderMap::new()).unwrap_err(), "is not https");
        assert!(Link::read(&link("http://127.0.0.1:1/x"), &HeaderMap::new()).is_ok());
    }
}
