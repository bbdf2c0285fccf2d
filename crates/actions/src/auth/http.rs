//! The little HTTP that credentials need: send a request, get an answer, again if that is safe. Behind it is the
//! connection's own client, so that proxy, TLS and timeouts are the same; the tests put a fake behind it.

use std::{fmt, time::Duration};

use brickwire_client::BoxFuture;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use reqwest::{Method, Request, Url};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    Error, Result, RetryPolicy,
    error::ErrorBody,
    retry::{Decision, Failure, Situation, decide},
};

/// For all attempts and waits together.
const BUDGET: Duration = Duration::from_secs(30);
/// For one attempt.
const ATTEMPT: Duration = Duration::from_secs(15);

/// Sends requests. Redirects are not followed: a credential would travel with them.
pub(crate) trait Http: Send + Sync + fmt::Debug {
    /// One attempt.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, Unanswered>>;
}

/// What came back, whatever its status.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// No answer came.
#[derive(Debug)]
pub(crate) struct Unanswered {
    /// Whether anything was sent.
    pub(crate) sent: bool,
    pub(crate) error: Error,
}

impl Http for reqwest::Client {
    fn send(&self, mut request: Request) -> BoxFuture<'_, Result<Answer, Unanswered>> {
        let url = request.url().clone();
        request.timeout_mut().get_or_insert(ATTEMPT);
        Box::pin(async move {
            let failed = |e: reqwest::Error| Unanswered {
                sent: !e.is_connect(),
                error: crate::transport::unreachable(&url, e, 1),
            };
            let response = self.execute(request).await.map_err(failed)?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = response.bytes().await.map_err(failed)?;
            Ok(Answer { status, headers, body })
        })
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(crate) fn error_body(&self) -> ErrorBody {
        ErrorBody::read(self.status, &self.headers, &self.body)
    }
}

/// Sends what `request` makes until an answer comes that is worth reading: tokens may be asked for twice.
pub(crate) async fn send(http: &dyn Http, request: impl Fn() -> Request) -> Result<Answer> {
    let begun = Instant::now();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let outcome = http.send(request()).await;
        let body;
        let failure = match &outcome {
            Ok(answer) if answer.status.is_success() => return Ok(answer.clone()),
            Ok(answer) => {
                body = answer.error_body();
                Failure::Answer(&body)
            }
            Err(Unanswered { sent: false, .. }) => Failure::NotSent,
            Err(Unanswered { sent: true, .. }) => Failure::Lost,
        };
        let now = Situation { attempts, elapsed: begun.elapsed(), repeatable: true, jitter: fastrand::f64() };
        match decide(&RetryPolicy::Safe { budget: BUDGET }, &failure, now) {
            Decision::Retry(wait) => tokio::time::sleep(wait).await,
            Decision::GiveUp | Decision::UnknownOutcome => {
                return outcome.map_err(|e| e.error.with_details(|d| d.attempts = attempts));
            }
        }
    }
}

/// A GET that asks for JSON.
pub(crate) fn get(url: Url) -> Request {
    let mut request = Request::new(Method::GET, url);
    request.headers_mut().insert(http::header::ACCEPT, http::HeaderValue::from_static("application/json"));
    request
}

/// A POST of a form that asks for JSON.
pub(crate) fn post_form(url: Url, form: &[(&str, &str)]) -> Request {
    let mut request = get(url);
    *request.method_mut() = Method::POST;
    request.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    let body =
        form.iter().map(|(k, v)| format!("{}={}", form_encoded(k), form_encoded(v))).collect::<Vec<_>>();
    *request.body_mut() = Some(body.join("&").into());
    request
}

/// As application/x-www-form-urlencoded writes it.
pub(crate) fn form_encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, FORM).to_string().replace("%20", "+")
}

/// What application/x-www-form-urlencoded leaves as it is.
const FORM: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');
