//! Requests to OAuth servers: how they are sent, what the answers mean, and what a refusal means.
//!
//! Servers differ: `expires_in` may be a number, a text or missing, and `token_type` may be missing. Error messages of
//! the server are repeated without the secrets that were sent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brickwire_wire::{
    Answer, Call, Redirects, Wire,
    redact::{self, Filter},
};
use http::{HeaderValue, Method, header};
use reqwest::Url;
use serde_json::Value;

use super::token::Token;
use crate::{Error, ErrorKind, Result, RetryPolicy, Secret};

/// The limit for all attempts and waits together.
const BUDGET: Duration = Duration::from_secs(30);
/// The limit for one attempt.
const ATTEMPT: Duration = Duration::from_secs(15);

/// A request to an OAuth server. Redirects are not followed, because the credential would travel with them.
pub(crate) fn call(wire: &Wire, method: Method, url: Url, operation: &'static str) -> Call {
    wire.anonymous(method, url)
        .with_operation(operation)
        .with_redirects(Redirects::Refuse)
        .with_retry(RetryPolicy::Safe { budget: BUDGET })
        .with_timeout(Some(ATTEMPT))
        .with_header(header::ACCEPT, HeaderValue::from_static("application/json"))
}

/// Fetches a JSON document in one attempt; `None` for any failure.
pub(crate) async fn look_up(wire: &Wire, url: Url) -> Option<Value> {
    let call = call(wire, Method::GET, url, "oauth_discovery").with_retry(RetryPolicy::never());
    serde_json::from_slice(&call.send_raw().await.ok()?.body).ok()
}

/// Makes a text from outside fit into one line of an error.
pub(crate) fn one_line(text: &str) -> String {
    redact::text(text.trim()).chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}

/// A request for a token.
pub(crate) struct TokenRequest<'a> {
    url: &'a Url,
    form: &'a [(&'a str, &'a str)],
    secrets: &'a [&'a Secret],
    basic: Option<HeaderValue>,
    once: bool,
}

impl<'a> TokenRequest<'a> {
    /// `secrets` are those in the request; errors don't repeat them.
    pub(crate) fn new(url: &'a Url, form: &'a [(&'a str, &'a str)], secrets: &'a [&'a Secret]) -> Self {
        Self { url, form, secrets, basic: None, once: false }
    }

    /// Sets the `Authorization` header.
    pub(crate) fn with_basic(mut self, basic: HeaderValue) -> Self {
        self.basic = Some(basic);
        self
    }

    /// Never sends the request twice, because what it exchanges can be used only once.
    pub(crate) fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// Sends the request.
    pub(crate) async fn send(self, wire: &Wire) -> Result<TokenAnswer> {
        self.secrets.iter().for_each(|secret| wire.filter().learn(secret));
        // An extra token does no harm, so the request is repeatable.
        let mut call =
            call(wire, Method::POST, self.url.clone(), "oauth_token").with_repeatable(true).form(self.form);
        if self.once {
            call = call.with_retry(RetryPolicy::never());
        }
        if let Some(basic) = self.basic {
            call = call.with_header(header::AUTHORIZATION, basic);
        }
        let host = self.url.host_str().unwrap_or_default();
        match call.send_raw().await {
            Ok(answer) => TokenAnswer::read(&answer, host, wire.filter()),
            Err(error) => Err(refused(wire, error, host)),
        }
    }
}

/// The answer to a [`TokenRequest`].
#[derive(Debug)]
pub(crate) struct TokenAnswer {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) life: Option<Duration>,
}

impl TokenAnswer {
    fn read(answer: &Answer, host: &str, filter: &Filter) -> Result<Self> {
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = |key: &str| json[key].as_str().filter(|t| !t.is_empty()).map(Secret::new);
        // The error doesn't keep the body, which may contain secrets.
        let access_token = text("access_token").ok_or_else(|| {
            let said = Refusal::read(&json).line().map(|line| format!(": {}", filter.text(&line)));
            let said = said.unwrap_or_default();
            Error::unexpected(format!("the token endpoint's answer holds no access_token: {host}{said}"))
                .with_hint("check the host and the token URL, which should end in /oidc/v1/token")
                .with_details(|d| d.status = Some(answer.status.as_u16()))
        })?;
        let life = seconds(&json["expires_in"]).or_else(|| until(&json["expires_on"]));
        Ok(Self { access_token, refresh_token: text("refresh_token"), life })
    }

    pub(crate) fn into_token(self) -> Token {
        Token::new(self.access_token, self.life)
    }
}

/// A server's word for "never" may be a number that no clock can reach: a thousand years are enough.
const LONGEST: Duration = Duration::from_secs(1000 * 365 * 24 * 3600);

fn seconds(value: &Value) -> Option<Duration> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    Some(Duration::try_from_secs_f64(seconds).ok()?.min(LONGEST))
}

/// The time left until a moment in seconds since 1970; zero if it has passed.
pub(crate) fn until(value: &Value) -> Option<Duration> {
    Some(left(UNIX_EPOCH + seconds(value)?))
}

/// The time left until a moment; zero if it has passed.
pub(crate) fn left(moment: SystemTime) -> Duration {
    moment.duration_since(SystemTime::now()).unwrap_or_default()
}

/// What an OAuth server says about a refusal.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
}

impl Refusal {
    /// RFC 6749 says `error` and `error_description`; Okta says `errorCode` and `errorSummary`, others `code` and
    /// `message`, and some put either into an object or a list.
    pub(crate) fn read(json: &Value) -> Self {
        const CODES: [&str; 5] = ["error", "errorCode", "error_code", "code", "typeKey"];
        const MESSAGES: [&str; 7] = [
            "error_description",
            "errorSummary",
            "errorDescription",
            "errorMessage",
            "message",
            "detail",
            "title",
        ];
        let inner = match json {
            Value::Array(all) => all.first(),
            Value::Object(map) => ["error", "errors"]
                .iter()
                .find_map(|key| map.get(*key).filter(|value| value.is_object() || value.is_array())),
            _ => None,
        };
        let inner = inner.map(Self::read).unwrap_or_default();
        let text = |keys: &[&str]| {
            keys.iter().find_map(|key| match json.get(*key)? {
                Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            })
        };
        Self { code: text(&CODES).or(inner.code), message: text(&MESSAGES).or(inner.message) }
    }

    /// Both in one line; `None` if it says nothing.
    pub(crate) fn line(&self) -> Option<String> {
        match (&self.code, &self.message) {
            (Some(code), Some(message)) => Some(one_line(&format!("{code}: {message}"))),
            (one, other) => one.as_deref().or(other.as_deref()).map(one_line),
        }
    }
}

/// Turns an error response of a token endpoint into an error that says so; any other error is returned as it is.
fn refused(wire: &Wire, error: Error, host: &str) -> Error {
    let Some(status) = error.status().filter(|status| *status >= 300) else { return error };
    let json: Value = error.body().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    let refusal = Refusal::read(&json);
    let code = refusal.code.or_else(|| error.error_code().map(str::to_owned));
    let message = error.to_string();
    let message = message.strip_suffix(&format!(" (HTTP {status})")).unwrap_or(&message);
    // The wire's words for a shape that it doesn't know add nothing to a code.
    let message = refusal.message.or_else(|| (message != "request failed").then(|| message.to_owned()));
    let message = match (&code, message) {
        (Some(code), Some(message)) if !message.contains(code.as_str()) => format!("{code}: {message}"),
        (Some(code), None) => code.clone(),
        (_, message) => message.unwrap_or_else(|| "request failed".to_owned()),
    };
    let message = wire.filter().text(&message).into_owned();
    let (kind, what, hint) = match status {
        300..400 => (
            ErrorKind::Configuration,
            "refused to follow a redirect of the token endpoint of",
            "check the host; a proxy or a single sign-on page may stand before the token endpoint",
        ),
        404 => (
            ErrorKind::Configuration,
            "no token from",
            "check the host: it has no token endpoint at this URL",
        ),
        429 => (ErrorKind::RateLimited, "no token from", "try again later"),
        500.. => (ErrorKind::Unavailable, "no token from", "try again later"),
        _ => (
            ErrorKind::Unauthenticated,
            "the credential was refused by the token endpoint of",
            "check the client id and its secret or identity, and that it may use this workspace or account",
        ),
    };
    let text = format!("{what} {host}: {} (HTTP {status})", one_line(&message));
    Error::new(kind, text).with_hint(hint).with_details(|d| {
        d.operation = Some("oauth_token".to_owned());
        d.status = Some(status);
        d.error_code = code;
        d.attempts = error.attempts();
        d.elapsed = error.elapsed();
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_any_shape_are_quoted() {
        for (body, line) in [
            (r#"{"error":"invalid_client","error_description":"no"}"#, "invalid_client: no"),
            (
                r#"{"errorCode":"E0000011","errorSummary":"Invalid token","errorCauses":[]}"#,
                "E0000011: Invalid token",
            ),
            (r#"{"error":{"code":401,"message":"Unauthorized"}}"#, "401: Unauthorized"),
            (r#"{"errors":[{"code":"X","message":"first"},{"message":"second"}]}"#, "X: first"),
            (r#"{"message":"only\nthis"}"#, "only this"),
            (r#"{"error":"only_this"}"#, "only_this"),
            (r#"{"title":"Bad","status":400,"detail":"Worse"}"#, "Worse"),
        ] {
            let json = serde_json::from_str(body).unwrap();
            assert_eq!(Refusal::read(&json).line().as_deref(), Some(line), "{body}");
        }
        for nothing in ["{}", "[]", "null", r#""text""#, r#"{"error":null}"#] {
            assert_eq!(
                Refusal::read(&serde_json::from_str(nothing).unwrap()),
                Refusal::default(),
                "{nothing}"
            );
        }
    }

    #[test]
    fn a_life_that_no_clock_can_reach_is_long_and_not_a_panic() {
        for value in ["1e19", "\"9223372036854775808\"", "253402300799"] {
            let value = serde_json::from_str(value).unwrap();
            let (life, left) = (seconds(&value).unwrap(), until(&value).unwrap());
            assert!(life <= LONGEST && left > LONGEST / 2 && left < LONGEST, "{value}");
        }
        for value in ["null", "-1", "\"never\"", "1e300"] {
            assert_eq!(seconds(&serde_json::from_str(value).unwrap()), None, "{value}");
        }
    }
}
