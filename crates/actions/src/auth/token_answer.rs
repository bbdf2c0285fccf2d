//! Reads what a token endpoint answers. `expires_in` may be a number, a text or missing, `token_type` may be missing;
//! an error's text is repeated without the secrets that were sent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Url;
use serde_json::Value;

use super::{Token, http::Answer};
use crate::{Error, ErrorKind, Result, Secret, redact::MASK};

/// A token answer's parts.
#[derive(Debug)]
pub(crate) struct TokenAnswer {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) life: Option<Duration>,
}

impl TokenAnswer {
    /// Reads the answer of the endpoint at `url`; `sent` are the secrets that went there.
    pub(crate) fn read(answer: &Answer, url: &Url, sent: &[&Secret]) -> Result<Self> {
        let host = url.host_str().unwrap_or_default();
        if !answer.status.is_success() {
            return Err(refused(answer, host, sent));
        }
        let json = answer.json().unwrap_or_default();
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

fn refused(answer: &Answer, host: &str, sent: &[&Secret]) -> Error {
    let body = answer.error_body();
    let status = answer.status.as_u16();
    let json = answer.json().unwrap_or_default();
    let code = json["error"].as_str().map(str::to_owned).or(body.error_code);
    let said = json["error_description"].as_str().map_or(body.message, str::to_owned);
    let mut said: String = match &code {
        Some(code) if !said.contains(code.as_str()) => format!("{code}: {said}"),
        _ => said,
    }
    .chars()
    .map(|c| if c.is_control() { ' ' } else { c })
    .take(500)
    .collect();
    // A shorter one is no secret, and its letters are everywhere.
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
        },
    )
}
