//! Links to result chunks: how they are signed and checked.
//!
//! A link is signed over its path, its moment and its lifetime with a key of this run. As a cloud's storage does, a
//! refusal is XML: 400 for an `Authorization` header (two ways to authenticate at once), 403 for a changed, expired or
//! incomplete link.

use std::collections::HashMap;
use std::net::SocketAddr;

use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    builder::Options,
    clock::{millis, rfc3339},
    secrets::{hex, same},
};

/// The header that a link hands out when it hands out headers.
const LINK_HEADER: &str = "x-sandbox-link-key";

pub(crate) struct Links {
    address: SocketAddr,
    key: String,
}

impl Links {
    pub(crate) fn new(address: SocketAddr, key: String) -> Self {
        Self { address, key }
    }

    /// A link to a file, with what the API says about it.
    pub(crate) fn link(&self, file: &str, now_ms: u64, options: &Options) -> Value {
        let lifetime_ms = millis(options.link_ttl);
        let path = format!("/results/{file}");
        let signature = self.sign(&path, now_ms, lifetime_ms);
        let mut link = json!({
            "external_link": format!(
                "http://{}{path}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={now_ms}&X-Amz-Expires={}\
                 &X-Amz-SignedHeaders=host&X-Amz-Signature={signature}",
                self.address, lifetime_ms / 1000,
            ),
            "expiration": rfc3339(now_ms.saturating_add(lifetime_ms / 1000 * 1000)),
        });
        if options.link_headers {
            link["http_headers"] = json!({ LINK_HEADER: self.sign(&path, 0, 0) });
        }
        link
    }

    fn sign(&self, path: &str, at_ms: u64, lifetime_ms: u64) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.key.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(format!("{path}\n{at_ms}\n{}", lifetime_ms / 1000).as_bytes());
        hex(&mac.finalize().into_bytes())
    }

    /// Whether a request may have its file, in the order storage checks.
    pub(crate) fn check(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        now_ms: u64,
        options: &Options,
    ) -> Result<(), Refusal> {
        if headers.contains_key(header::AUTHORIZATION) {
            return Err(Refusal(
                StatusCode::BAD_REQUEST,
                "InvalidArgument",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
                 parameter or the Authorization header should be specified",
            ));
        }
        let query: HashMap<_, _> =
            form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).collect();
        let number = |name| query.get(name).and_then(|text| text.parse::<u64>().ok());
        let (Some(at_ms), Some(lifetime), Some(signature)) =
            (number("X-Amz-Date"), number("X-Amz-Expires"), query.get("X-Amz-Signature"))
        else {
            return Err(Refusal(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"));
        };
        if !same(&self.sign(uri.path(), at_ms, lifetime.saturating_mul(1000)), signature) {
            return Err(Refusal(
                StatusCode::FORBIDDEN,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and \
                 signing method.",
            ));
        }
        if now_ms >= at_ms.saturating_add(lifetime.saturating_mul(1000)) {
            return Err(Refusal(StatusCode::FORBIDDEN, "AccessDenied", "Request has expired"));
        }
        let shown = headers.get(LINK_HEADER).and_then(|value| value.to_str().ok());
        if options.link_headers && !shown.is_some_and(|shown| same(shown, &self.sign(uri.path(), 0, 0))) {
            return Err(Refusal(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"));
        }
        Ok(())
    }
}

/// An error in the words of a cloud's storage.
pub(crate) struct Refusal(pub(crate) StatusCode, pub(crate) &'static str, pub(crate) &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
    }
}
