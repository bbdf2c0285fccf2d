//! Asks an OAuth server for tokens: how such requests are sent, what their answers hold, and what a refusal means.
//!
//! `expires_in` may be a number, a text or missing, and `token_type` may be missing. An error's text is repeated without
//! the secrets that were sent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brickwire_wire::{Answer, Call, Redirects, Wire, redact::MASK};
use http::{HeaderValue, Method, header};
use reqwest::Url;
use serde_json::Value;

use super::Token;
use crate::{Error, ErrorKind, Result, RetryPolicy, Secret};

/// For all attempts and waits together.
const BUDGET: Duration = Duration::from_secs(30);
/// For one attempt.
const ATTEMPT: Duration = Duration::from_secs(15);

/// A request to an OAuth server. Redirects are not followed: a credential would travel with them.
pub(crate) fn call(wire: &Wire, method: Method, url: Url, operation: &'static str) -> Call {
    wire.anonymous(method, url)
        .with_operation(operation)
        .with_redirects(Redirects::Refuse)
        .with_retry(RetryPolicy::Safe { budget: BUDGET })
        .with_timeout(Some(ATTEMPT))
        .with_header(header::ACCEPT, HeaderValue::from_static("application/json"))
}

/// What a page says, if it is JSON; asked for once.
pub(crate) async fn look_up(wire: &Wire, url: Url) -> Option<Value> {
    let call = call(wire, Method::GET, url, "oauth_discovery").with_retry(RetryPolicy::never());
    json(&call.send_raw().await.ok()?.body)
}

pub(crate) fn json(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok()
}

/// A request for a token.
pub(crate) struct TokenRequest<'a> {
    pub(crate) url: &'a Url,
    pub(crate) form: &'a [(&'a str, &'a str)],
    /// The value of the `Authorization` header, if there is one.
    pub(crate) basic: Option<HeaderValue>,
    /// The secrets in it, for errors to leave out.
    pub(crate) secrets: &'a [&'a Secret],
    /// Whether a second try would be refused, since what is exchanged is good once.
    pub(crate) once: bool,
}

impl TokenRequest<'_> {
    /// Sends it and reads the answer.
    pub(crate) async fn send(self, wire: &Wire) -> Result<TokenAnswer> {
        self.secrets.iter().for_each(|secret| wire.filter().learn(secret));
        // A second token does no harm, so a lost answer is asked for again.
        let call =
            call(wire, Method::POST, self.url.clone(), "oauth_token").with_repeatable(true).form(self.form);
        let call = if self.once { call.with_retry(RetryPolicy::never()) } else { call };
        let call = match self.basic {
            Some(basic) => call.with_header(header::AUTHORIZATION, basic),
            None => call,
        };
        let host = self.url.host_str().unwrap_or_default();
        match call.send_raw().await {
            Ok(answer) => TokenAnswer::read(&answer, host),
            Err(error) if error.status().is_some() => Err(refused(&error, host, self.secrets)),
            Err(error) => Err(error),
        }
    }
}

/// A token answer's parts.
#[derive(Debug)]
pub(crate) struct TokenAnswer {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) life: Option<Duration>,
}

impl TokenAnswer {
    fn read(answer: &Answer, host: &str) -> Result<Self> {
        let json = json(&answer.body).unwrap_or_default();
        let text = |key: &str| json[key].as_str().filter(|t| !t.is_empty()).map(Secret::new);
        // The body is not kept with the error: it may hold anything.
        let access_token = text("access_token").ok_or_else(|| {
            Error::new(
                ErrorKind::UnexpectedResponse,
                format!("the token endpoint's answer holds no access_token: {host}"),
            )
            .with_hint("check the host and the token URL: it should end in /oidc/v1/token")
            .with_details(|d| d.status = Some(answer.status.as_u16()))
        })?;
        let life = seconds(&json["expires_in"]).or_else(|| until(&json["expires_on"]));
        Ok(Self { access_token, refresh_token: text("refresh_token"), life })
    }

    pub(crate) fn into_token(self) -> Token {
        Token::new(self.access_token, self.life)
    }
}

pub(crate) fn seconds(value: &Value) -> Option<Duration> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The time left until a moment in seconds since 1970; none if it has passed.
pub(crate) fn until(value: &Value) -> Option<Duration> {
    Some(left(UNIX_EPOCH + seconds(value)?))
}

pub(crate) fn left(moment: SystemTime) -> Duration {
    moment.duration_since(SystemTime::now()).unwrap_or_default()
}

/// The error for an endpoint that answered something else than a token.
fn refused(error: &Error, host: &str, sent: &[&Secret]) -> Error {
    let status = error.status().unwrap_or_default();
    let json = error.body().and_then(|body| json(body)).unwrap_or_default();
    let text = |key: &str| json[key].as_str().map(str::to_owned);
    let code = text("error").or_else(|| error.error_code().map(str::to_owned));
    let all = error.to_string();
    let said = all.strip_suffix(&format!(" (HTTP {status})")).unwrap_or(&all);
    let said = text("error_description").unwrap_or_else(|| said.to_owned());
    let mut said: String = match &code {
        Some(code) if !said.contains(code.as_str()) => format!("{code}: {said}"),
        _ => said,
    }
    .chars()
    .map(|c| if c.is_control() { ' ' } else { c })
    .take(500)
    .collect();
    // A shorter one is not recognizable as a secret, and its letters are everywhere.
    for secret in sent.iter().filter(|s| s.expose().len() >= 8) {
        said = said.replace(secret.expose(), MASK);
    }
    let (kind, hint) = match status {
        300..400 => (ErrorKind::Configuration, "the token endpoint moved; check the host"),
        404 => (ErrorKind::Configuration, "check the host: it has no token endpoint at this address"),
        429 => (ErrorKind::RateLimited, "try again later"),
        500.. => (ErrorKind::Unavailable, "try again later"),
        _ => (
            ErrorKind::Unauthenticated,
            "check the client id and the secret or identity behind it, and that it may use this workspace or account",
        ),
    };
    Error::new(kind, format!("no token from {host}: {said} (HTTP {status})")).with_hint(hint).with_details(
        |d| {
            d.operation = Some("oauth_token".to_owned());
            d.status = Some(status);
            d.error_code = code;
            d.attempts = error.attempts();
            d.elapsed = error.elapsed();
        },
    )
}
