//! Sends requests: the only loop, the only sleep and the only request log. Typed and raw calls both pass here.
//!
//! Whether and when to repeat is decided in `retry.rs`, where a redirect may lead in `redirect.rs`, what may be shown
//! in `redact.rs`. Bodies are read inside the loop, so that an answer cut short is a failed attempt like any other.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use brickwire_client::{Body, BoxFuture, OperationInfo, Response, Transport};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use reqwest::{Request, Url};
use tokio::{task::JoinSet, time::Instant};

use crate::{
    Error, ErrorKind, Event, Events, Host, Result, RetryPolicy,
    auth::{Authenticator, Authorization},
    error::ErrorBody,
    reach::{Authorities, Step},
    redact, redirect,
    retry::{Decision, Failure, Situation, decide},
    workspace,
};

tokio::task_local! {
    /// Set once nobody waits for a call that goes on all the same: a request under way is seen out, no other is sent.
    pub(crate) static ABANDONED: Arc<AtomicBool>;
}

fn is_abandoned() -> bool {
    ABANDONED.try_with(|abandoned| abandoned.load(Ordering::SeqCst)).unwrap_or_default()
}

/// What one connection sends through.
#[derive(Debug, Clone)]
pub(crate) struct HttpTransport {
    pub(crate) http: reqwest::Client,
    pub(crate) host: Host,
    pub(crate) authorities: Authorities,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) retry: RetryPolicy,
    pub(crate) events: Events,
    pub(crate) debug: bool,
    /// For presigned links; made when the first is fetched.
    pub(crate) storage: Arc<OnceLock<reqwest::Client>>,
    /// Cancellations that nobody waits for.
    pub(crate) background: Arc<Mutex<JoinSet<()>>>,
}

/// One call, whatever number of attempts it takes.
pub(crate) struct Call<'a> {
    pub(crate) operation: &'a str,
    pub(crate) repeatable: bool,
    pub(crate) retry: RetryPolicy,
    /// For each attempt; the policy's budget and the inactivity limit hold as well.
    pub(crate) timeout: Option<Duration>,
    pub(crate) debug: bool,
    /// Whether an HTML page in a 2xx answer is an error.
    pub(crate) expects_json: bool,
    /// Makes the request, anew for each attempt.
    pub(crate) request: &'a (dyn Fn() -> Result<Request> + Sync),
}

/// A 2xx answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) attempts: u32,
}

/// Why an attempt brought no answer.
enum Failed {
    Http(reqwest::Error),
    TimedOut(Duration),
    Final(Error),
}

impl HttpTransport {
    /// Makes the call.
    pub(crate) async fn execute(&self, call: &Call<'_>) -> Result<Answer> {
        let begun = Instant::now();
        let mut attempts = 0;
        let mut refreshed = false;
        loop {
            let request = (call.request)()?;
            let url = request.url().clone();
            let token = self.authenticator.authorization().await?;
            if is_abandoned() {
                let error = Error::new(ErrorKind::Local, "nobody waits for it any more");
                return Err(self.finish(error, call, attempts, begun));
            }
            attempts += 1;
            let (failure, reason, error) = match self.attempt(call, request, &token, attempts, begun).await {
                Ok((status, headers, body)) if status.is_success() => {
                    if call.expects_json && is_html(&headers, &body) {
                        let page = html_page(&self.host, status).with_details(|d| d.body = Some(body));
                        return Err(self.finish(page, call, attempts, begun));
                    }
                    return Ok(Answer { status, headers, body, attempts });
                }
                Ok((status, headers, body)) => {
                    let read = ErrorBody::read(status, &headers, &body).without(token.token());
                    if status == StatusCode::UNAUTHORIZED && !refreshed && self.authenticator.discard(&token)
                    {
                        refreshed = true;
                        continue;
                    }
                    let error = read.clone().into_error(url.path(), attempts);
                    (Ending::Answer(read), format!("HTTP {}", status.as_u16()), error)
                }
                Err(Failed::Final(error)) => return Err(self.finish(error, call, attempts, begun)),
                Err(Failed::TimedOut(limit)) => {
                    let text = format!("no answer within {limit:?}");
                    let error =
                        Error::new(ErrorKind::DeadlineExceeded, format!("{text}: {}", call.operation));
                    (Ending::TimedOut, text, error)
                }
                Err(Failed::Http(e)) => {
                    let ending = match (e.is_connect(), e.is_timeout()) {
                        (true, _) => Ending::NotSent,
                        (false, true) => Ending::TimedOut,
                        (false, false) => Ending::Lost,
                    };
                    let error = unreachable(&url, e, attempts);
                    (ending, error.to_string(), error)
                }
            };
            let now = Situation {
                attempts,
                elapsed: begun.elapsed(),
                repeatable: call.repeatable,
                jitter: fastrand::f64(),
            };
            match decide(&call.retry, &failure.as_failure(), now) {
                Decision::Retry(after) => {
                    tracing::debug!(target: "brickwire", operation = call.operation, attempts, ?after, reason, "retrying");
                    self.events.emit(|| Event::Retrying {
                        operation: call.operation.to_owned(),
                        attempts,
                        reason,
                        after,
                    });
                    tokio::time::sleep(after).await;
                }
                Decision::GiveUp => return Err(self.finish(error, call, attempts, begun)),
                Decision::UnknownOutcome => {
                    let error = unknown_outcome(call.operation, &reason, error);
                    return Err(self.finish(error, call, attempts, begun));
                }
            }
        }
    }

    /// One attempt with its redirects.
    async fn attempt(
        &self,
        call: &Call<'_>,
        mut request: Request,
        token: &Authorization,
        attempt: u32,
        begun: Instant,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Failed> {
        if !self.may_carry_token(request.url()) {
            let there = request.url().origin().ascii_serialization();
            return Err(Failed::Final(Error::usage(format!(
                "refused to send the token to another host: {there}"
            ))));
        }
        token.apply(request.headers_mut()).map_err(Failed::Final)?;
        let budget = match call.retry {
            RetryPolicy::Safe { budget } => Some(budget.saturating_sub(begun.elapsed())),
            RetryPolicy::Connector { .. } => None,
        };
        let limit = [call.timeout, budget].into_iter().flatten().min();
        let exchange = self.exchange(call, request, token, attempt);
        match limit {
            None => exchange.await,
            Some(limit) => match tokio::time::timeout(limit, exchange).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Failed::TimedOut(limit)),
            },
        }
    }

    async fn exchange(
        &self,
        call: &Call<'_>,
        mut request: Request,
        token: &Authorization,
        attempt: u32,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Failed> {
        for _ in 0..=redirect::LIMIT {
            let sent = Instant::now();
            if call.debug {
                let body = request.body().and_then(|b| b.as_bytes()).unwrap_or_default();
                tracing::debug!(target: "brickwire::debug", "> {} {}", request.method(), redact::url(request.url()));
                tracing::debug!(target: "brickwire::debug", "> {}", redact::headers(request.headers()));
                if !body.is_empty() {
                    tracing::debug!(target: "brickwire::debug", "> {}", redact::body(body, &[token.token().expose()]));
                }
            }
            let (method, url) = (request.method().clone(), request.url().clone());
            // Kept for the redirect that may come; a body of bytes is shared, not copied.
            let kept = request.try_clone();
            let response = self.http.execute(request).await.map_err(Failed::Http)?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = response.bytes().await.map_err(Failed::Http)?;
            tracing::debug!(
                target: "brickwire",
                operation = call.operation, %method, path = url.path(), status = status.as_u16(), attempt,
                elapsed_ms = sent.elapsed().as_millis() as u64,
                request_id = headers.get("x-request-id").and_then(|v| v.to_str().ok()),
                "request"
            );
            if call.debug {
                tracing::debug!(target: "brickwire::debug", "< {status} {}", redact::headers(&headers));
                tracing::debug!(target: "brickwire::debug", "< {}", redact::body(&body, &[token.token().expose()]));
            }
            let next = match &kept {
                Some(sent) => redirect::follow(sent, status, &headers).map_err(Failed::Final)?,
                None => None,
            };
            match next {
                Some(next) => request = next,
                None => return Ok((status, headers, body)),
            }
        }
        Err(Failed::Final(redirect::too_many(&self.host.join("/").map_err(Failed::Final)?)))
    }

    pub(crate) fn storage(&self) -> Result<&reqwest::Client> {
        if let Some(client) = self.storage.get() {
            return Ok(client);
        }
        // The store is asked for the bytes as they are; a header of ours could spoil a link's signature.
        let client = workspace::build(workspace::bare_client(&self.host, &self.authorities).no_gzip())?;
        Ok(self.storage.get_or_init(|| client))
    }

    /// Whether the credential belongs there: the workspace, or the account console of its cloud.
    pub(crate) fn may_carry_token(&self, url: &Url) -> bool {
        self.host.is_origin_of(url)
            || self.host.account_console().is_some_and(|console| console.is_origin_of(url))
    }

    fn finish(&self, error: Error, call: &Call<'_>, attempts: u32, begun: Instant) -> Error {
        error.with_details(|d| {
            d.operation = Some(call.operation.to_owned());
            d.attempts = attempts;
            d.elapsed = begun.elapsed();
        })
    }
}

/// What [`Failure`] borrows from.
enum Ending {
    Answer(ErrorBody),
    NotSent,
    TimedOut,
    Lost,
}

impl Ending {
    fn as_failure(&self) -> Failure<'_> {
        match self {
            Self::Answer(body) => Failure::Answer(body),
            Self::NotSent => Failure::NotSent,
            Self::TimedOut => Failure::TimedOut,
            Self::Lost => Failure::Lost,
        }
    }
}

impl Transport for HttpTransport {
    fn send<'a>(
        &'a self,
        request: Request,
        operation: &'a OperationInfo,
    ) -> BoxFuture<'a, Result<Response, brickwire_client::Error>> {
        Box::pin(async move {
            let again =
                || request.try_clone().ok_or_else(|| Error::usage("a request body that can't be sent again"));
            let call = Call {
                operation: operation.operation_id,
                repeatable: operation.repeatable,
                retry: self.retry,
                timeout: None,
                debug: self.debug,
                expects_json: true,
                request: &again,
            };
            let answer = self.execute(&call).await?;
            Ok(Response { status: answer.status, headers: answer.headers, body: Body::Bytes(answer.body) })
        })
    }
}

/// A 2xx answer that is a page for people.
fn is_html(headers: &HeaderMap, body: &[u8]) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let start = body.trim_ascii_start();
    said.starts_with("text/html") || (start.starts_with(b"<") && !said.contains("xml"))
}

fn html_page(host: &Host, status: StatusCode) -> Error {
    Error::new(ErrorKind::UnexpectedResponse, format!("an HTML page came instead of JSON from {host}"))
        .with_hint(
            "a login page or a proxy answered: check the host, and that this network reaches the workspace",
        )
        .with_details(|d| d.status = Some(status.as_u16()))
}

fn unknown_outcome(operation: &str, reason: &str, error: Error) -> Error {
    let status = error.status();
    Error::new(
        ErrorKind::UnknownOutcome,
        format!("outcome unknown: `{operation}` may have been carried out: {reason}"),
    )
    .with_hint("see whether it took effect before you send it again")
    .with_source(error)
    .with_details(|d| d.status = status)
}

/// The error for a request that got no answer; names the host and the innermost cause.
pub(crate) fn unreachable(url: &Url, error: reqwest::Error, attempts: u32) -> Error {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
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
    Error::new(ErrorKind::Unreachable, text)
        .with_hint(hint)
        .with_details(|d| d.attempts = attempts)
        .with_source(error)
}
