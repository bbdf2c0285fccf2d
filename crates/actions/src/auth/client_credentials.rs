//! OAuth client credentials (RFC 6749, 4.4): a client id and secret for a short-lived token.
//!
//! Id and secret are form-encoded before they go into the Basic header, as the RFC's section 2.3.1 asks and as the Go
//! SDK does (the Python SDK doesn't). Asking twice is harmless, so failures are retried like any repeatable call,
//! within half a minute. `expires_in` may be a number, a text or missing.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use tokio::time::Instant;

use super::cache::Token;
use crate::{
    Error, ErrorKind, Result, RetryPolicy, Secret,
    connection::ServicePrincipal,
    error::ErrorBody,
    retry::{Decision, Failure, Situation, decide},
};

const BUDGET: Duration = Duration::from_secs(30);
const ATTEMPT: Duration = Duration::from_secs(15);

pub(crate) async fn fetch(http: &reqwest::Client, principal: &ServicePrincipal) -> Result<Token> {
    let begun = Instant::now();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let (failure, error) = match attempt(http, principal).await {
            Ok(Answer::Token(token)) => return Ok(token),
            Ok(Answer::Refused(body)) => (Failed::Answer(body.clone()), refused(principal, body, attempts)),
            Err(e) => {
                let failed = if e.is_connect() { Failed::NotSent } else { Failed::Lost };
                (failed, crate::transport::unreachable(&principal.token_url, e, attempts))
            }
        };
        let now = Situation { attempts, elapsed: begun.elapsed(), repeatable: true, jitter: fastrand::f64() };
        let failure = match &failure {
            Failed::Answer(body) => Failure::Answer(body),
            Failed::NotSent => Failure::NotSent,
            Failed::Lost => Failure::Lost,
        };
        match decide(&RetryPolicy::Safe { budget: BUDGET }, &failure, now) {
            Decision::Retry(wait) => tokio::time::sleep(wait).await,
            Decision::GiveUp | Decision::UnknownOutcome => return Err(error),
        }
    }
}

enum Answer {
    Token(Token),
    Refused(ErrorBody),
}

enum Failed {
    Answer(ErrorBody),
    NotSent,
    Lost,
}

async fn attempt(http: &reqwest::Client, principal: &ServicePrincipal) -> Result<Answer, reqwest::Error> {
    let basic = BASE64_STANDARD.encode(format!(
        "{}:{}",
        form_encoded(&principal.client_id),
        form_encoded(principal.client_secret.expose())
    ));
    let mut authorization =
        http::HeaderValue::try_from(format!("Basic {basic}")).unwrap_or(http::HeaderValue::from_static(""));
    authorization.set_sensitive(true);
    let response = http
        .post(principal.token_url.clone())
        .header(http::header::AUTHORIZATION, authorization)
        .header(http::header::ACCEPT, "application/json")
        .form(&[("grant_type", "client_credentials"), ("scope", &principal.scopes.join(" "))])
        .timeout(ATTEMPT)
        .send()
        .await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await?;
    let json: Option<Value> = serde_json::from_slice(&body).ok();
    let token = json.as_ref().and_then(|j| j["access_token"].as_str()).filter(|t| !t.is_empty());
    Ok(match (status.is_success(), token) {
        (true, Some(token)) => {
            let life = json.as_ref().and_then(|j| seconds(&j["expires_in"]));
            Answer::Token(Token { secret: Secret::new(token), life })
        }
        _ => Answer::Refused(ErrorBody::read(status, &headers, &body)),
    })
}

fn seconds(value: &Value) -> Option<Duration> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn form_encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, FORM).to_string().replace("%20", "+")
}

/// What application/x-www-form-urlencoded leaves as it is.
const FORM: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

/// The body is not kept with the error: after a success without a token it may hold anything.
fn refused(principal: &ServicePrincipal, body: ErrorBody, attempts: u32) -> Error {
    let host = principal.token_url.host_str().unwrap_or_default().to_owned();
    let status = body.status;
    let error = if status.is_success() {
        Error::new(
            ErrorKind::UnexpectedResponse,
            format!("the answer of the token endpoint holds no token: {host}"),
        )
        .with_hint("check the token URL: it should end in /oidc/v1/token")
    } else {
        let kind = match status.as_u16() {
            400 | 401 | 403 => ErrorKind::Unauthenticated,
            429 => ErrorKind::RateLimited,
            404 => ErrorKind::Configuration,
            500.. => ErrorKind::Unavailable,
            _ => ErrorKind::Rejected,
        };
        Error::new(kind, format!("no token from {host}: {} (HTTP {})", body.message, status.as_u16())).with_hint(
            "check client id and client secret, and that the service principal may use this workspace or account",
        )
    };
    error.with_details(|d| {
        d.operation = Some("oauth_token".to_owned());
        d.status = Some(status.as_u16());
        d.error_code = body.error_code;
        d.attempts = attempts;
    })
}
