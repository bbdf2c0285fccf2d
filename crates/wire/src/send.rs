//! Sends a call: the only loop that sends requests. API calls, token requests, raw requests and downloads all pass here.
//!
//! One round: wait for the host's limiter → a credential that is good now → send, following redirects → read the body →
//! classify → ask the policy → wait and go round again, or return. Buffered bodies are read inside the loop, so that an
//! answer that is cut short is a failed attempt like any other.
//!
//! What holds for every call:
//! - one deadline bounds attempts, waits, credentials and bodies together;
//! - a canceled call sends nothing more, but the attempt under way is seen to its end: its answer may be the only one
//!   that names what was started;
//! - a request that may have been carried out is sent again only if repeating is safe, else the outcome is unknown;
//! - the credential goes to the workspace and its account console, and to no other host;
//! - messages pass the filter that knows the credentials in use;
//! - a read-only wire sends nothing that may change something, not even to get a credential for it.
//!
//! Whether and when to repeat is decided in `retry.rs`, where a redirect may lead in `redirect.rs`, what an error response
//! means in `error/body.rs`.

mod log;

use std::{borrow::Cow, time::Duration};

use ::http::StatusCode;
use reqwest::{Request, Response, Url};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use self::log::{log_body, log_headers, log_request};
use crate::{
    Answer, Authorization, Error, ErrorBody, ErrorKind, Event, Redirects, ResponseValue, Result, RetryPolicy,
    Unanswered, answer,
    call::{Call, Destination},
    error, is_loopback,
    json::{self, Excess},
    receive::{Body, Failed, Receive, read},
    redact, redirect,
    retry::{Decision, Failure, Situation, decide},
    upload::Watch,
};

/// What to do about an answer that is too large.
const LARGER: &str = "if that is right, send a raw request with a larger `response_limit`";

/// The longest body of an error response that is read, in bytes.
const LONGEST_ERROR: u64 = 1 << 20;

impl Call {
    /// Sends it and decodes the answer.
    ///
    /// # Errors
    /// As for [`send_raw`](Self::send_raw); and [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse)
    /// if the answer is not what the type says.
    pub async fn send<T: DeserializeOwned>(self) -> Result<ResponseValue<T>> {
        let (operation, is_harmless) = (self.operation.clone(), self.is_harmless());
        self.send_raw().await?.decode().map_err(|error| {
            let error = error.with_details(|d| d.operation = Some(operation.clone().into_owned()));
            if is_harmless { error } else { error.into_unknown_outcome(&operation) }
        })
    }

    /// Sends it; the body of a success means nothing.
    ///
    /// # Errors
    /// As for [`send_raw`](Self::send_raw).
    pub async fn send_ignoring_body(self) -> Result<ResponseValue<()>> {
        Ok(ResponseValue::new((), self.send_raw().await?))
    }

    /// Sends it and returns the successful answer as it came.
    ///
    /// # Errors
    /// Any kind: for a status other than 2xx the one that belongs to it;
    /// [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if the request may have been carried out and
    /// repeating it would not be safe; [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) for a
    /// page instead of JSON, for an empty answer to an operation that reads, and for a body over the limit; [`ErrorKind::DeadlineExceeded`] when time is up.
    ///
    /// [`ErrorKind::DeadlineExceeded`]: crate::ErrorKind::DeadlineExceeded
    pub async fn send_raw(self) -> Result<Answer> {
        send(&self, Buffered { limit: self.limit }).await
    }
}

/// Reads a body whole, up to a limit.
struct Buffered {
    limit: u64,
}

impl Receive for Buffered {
    type Output = Answer;

    async fn receive(
        &mut self,
        call: &Call,
        mut response: Response,
        attempts: u32,
    ) -> Result<Answer, Failed> {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match read(&mut response, self.limit, call.stall()).await? {
            Body::Whole(body) => body,
            Body::Start(_) => {
                let text = format!("the answer is longer than {} MiB", self.limit >> 20);
                let error = Error::unexpected(text)
                    .with_hint(LARGER)
                    .with_details(|d| d.status = Some(status.as_u16()));
                return Err(Failed::Unreadable(error));
            }
        };
        log_body(call, &body);
        let answer = Answer::new(status, headers, body, attempts);
        match check(call, &answer) {
            Ok(()) => Ok(answer),
            Err(error) => Err(Failed::Unreadable(answer.blame(error))),
        }
    }
}

/// Whether a successful answer can be what the call expects.
fn check(call: &Call, answer: &Answer) -> Result<()> {
    if call.expects_json {
        answer::check_json(call.wire.host(), &answer.headers, &answer.body)?;
        if call.checks_shape
            && let Some(excess) = json::excess(&answer.body)
            && (call.checks_values || excess != Excess::Values)
        {
            let error = Error::unexpected(format!("the answer is {excess}"));
            return Err(match excess {
                Excess::Values => error.with_hint(LARGER),
                _ => error,
            });
        }
    }
    if call.expects_json
        && call.checks_values
        && let Some(error) = error::body::in_success(&answer.body)
    {
        return Err(error);
    }
    if call.expects_content && json::is_empty(&answer.body) {
        return Err(Error::unexpected("the answer is empty"));
    }
    Ok(())
}

/// What to say if a sink has no address to read from in time.
const NO_ADDRESS: &str = "no address to read from";

/// What to say if a body can't be opened in time.
const NOT_OPENED: &str = "no body to upload";

/// Where a call is on its way.
struct Progress {
    began: Instant,
    /// No attempt and no wait lasts longer than this.
    end: Option<Instant>,
    attempts: u32,
    /// Attempts in a row that brought no byte.
    fruitless: u32,
    /// Whether the credential was renewed after a refusal.
    refreshed: bool,
    /// Whether an attempt may have been carried out that leaves something behind.
    may_have_run: bool,
    /// Whether the request was answered, and a redirect led to another one: what fails then is that other request.
    answered: bool,
}

impl Progress {
    fn new(call: &Call) -> Self {
        let began = Instant::now();
        let budget = match call.retry {
            // A budget for retries is none for what takes longer by nature, such as an upload.
            RetryPolicy::Safe { .. } if call.is_patient() => None,
            RetryPolicy::Safe { budget } => began.checked_add(budget),
            _ => None,
        };
        let end = [budget, call.deadline].into_iter().flatten().min();
        Self { began, end, attempts: 0, fruitless: 0, refreshed: false, may_have_run: false, answered: false }
    }

    fn remaining(&self) -> Option<Duration> {
        self.end.map(|end| end.saturating_duration_since(Instant::now()))
    }

    fn finish(&self, call: &Call, error: Error) -> Error {
        let filtered = match call.wire.filter().text(&error.to_string()) {
            Cow::Owned(text) => Some(text),
            Cow::Borrowed(_) => None,
        };
        let error = match filtered {
            Some(text) => error.with_message(text),
            None => error,
        };
        error.with_details(|d| {
            for text in [&mut d.error_code, &mut d.request_id].into_iter().flatten() {
                if let Cow::Owned(filtered) = call.wire.filter().text(text) {
                    *text = filtered;
                }
            }
            d.operation = Some(call.operation.clone().into_owned());
            d.attempts = self.attempts;
            d.elapsed = self.began.elapsed();
        })
    }
}

pub(crate) async fn send<R: Receive>(call: &Call, receive: R) -> Result<R::Output> {
    if let Some(refusal) = call.refusal() {
        return Err(refusal);
    }
    let mut progress = Progress::new(call);
    attempts(call, receive, &mut progress).await.map_err(|error| match progress.may_have_run {
        true if error.is_unknown_outcome() => error,
        // The service would have answered with what an earlier attempt started, had one done so.
        true if call.has_token() && matches!(error.kind(), ErrorKind::Rejected | ErrorKind::NotFound) => {
            error
        }
        // What failed last may be another attempt than the one that was carried out.
        true => error.into_unknown_outcome(&call.operation),
        false => error,
    })
}

async fn attempts<R: Receive>(call: &Call, mut receive: R, progress: &mut Progress) -> Result<R::Output> {
    let first = call.request()?;
    if call.destination != Destination::Presigned {
        call.wire.filter().learn_request(&first);
    }
    loop {
        wait_for_turn(call, progress).await?;
        let authorization = authorize(call, progress).await?;
        let Some(mut request) = first.try_clone() else {
            return Err(Error::usage("a request body that can't be sent again"));
        };
        bounded(call, progress, NO_ADDRESS, receive.prepare(&mut request)).await?;
        let watch = match call.upload() {
            None => None,
            Some(upload) => {
                let opened = bounded(call, progress, NOT_OPENED, upload.open()).await;
                let (body, watch) = opened.map_err(|error| progress.finish(call, error))?;
                *request.body_mut() = Some(body);
                Some(watch)
            }
        };
        if call.cancel.as_ref().is_some_and(|cancel| cancel.is_cancelled()) {
            return Err(progress.finish(call, canceled()));
        }
        if progress.remaining() == Some(Duration::ZERO) {
            let text = format!("no time is left to send it: {}", call.operation);
            return Err(progress.finish(call, Error::new(ErrorKind::DeadlineExceeded, text)));
        }
        progress.attempts += 1;
        let mut under_way = UnderWay { call, may_have_run: !call.is_harmless() };
        let url = request.url().clone();
        let before = receive.progress();
        let sending = attempt(call, request, authorization.as_ref(), watch.as_ref(), &mut receive, progress);
        let failed = match sending.await {
            Ok(output) => {
                under_way.may_have_run = false;
                return Ok(output);
            }
            Err(failed) => failed,
        };
        under_way.may_have_run = false;
        if let Some(error) = watch.and_then(|watch| watch.failure()) {
            return Err(progress.finish(call, error));
        }
        progress.fruitless = if receive.progress() > before { 1 } else { progress.fruitless + 1 };
        if let Failed::Answer(body) = &failed {
            if body.status == StatusCode::TOO_MANY_REQUESTS && call.destination == Destination::Api {
                call.wire.limiter().slow_down(body.retry_after);
            }
            if body.status == StatusCode::UNAUTHORIZED
                && !progress.refreshed
                && call.can_be_sent_again()
                && (call.is_repeatable() || !progress.answered)
                && let (Some(credential), Some(refused)) = (call.wire.credential(), &authorization)
                && credential.refused(refused)
            {
                progress.refreshed = true;
                tracing::debug!(target: "brickwire", operation = &*call.operation, "renewing the refused token");
                continue;
            }
            if is_refusal(body.status)
                && call.can_be_sent_again()
                && bounded(call, progress, NO_ADDRESS, receive.renew(body.status)).await?
            {
                continue;
            }
        }
        progress.may_have_run |= !call.is_harmless() && failed.may_have_run();
        match verdict(call, &failed, &url, progress) {
            Ok(wait) => pause(call, progress, wait).await?,
            Err(error) => return Err(progress.finish(call, error)),
        }
    }
}

/// Says that a request was under way if its caller leaves: only its answer would say whether it was carried out.
struct UnderWay<'a> {
    call: &'a Call,
    may_have_run: bool,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.may_have_run {
            let operation = || self.call.operation.clone().into_owned();
            self.call.wire.events().emit(|| Event::Abandoned { operation: operation() });
        }
    }
}

/// The wait before the next attempt, or the error to end with.
fn verdict(call: &Call, failed: &Failed, url: &Url, progress: &Progress) -> Result<Duration> {
    let (failure, reason, error) = match failed {
        Failed::Final(error) => return Err(error.clone()),
        Failed::Unreadable(error) if call.is_repeatable() => return Err(error.clone()),
        // The service accepted the request, but what it did is unknown.
        Failed::Unreadable(error) => {
            return Err(progress.finish(call, error.clone()).into_unknown_outcome(&call.operation));
        }
        Failed::Answer(body) => {
            let reason = format!("HTTP {}", body.status.as_u16());
            (Failure::Answer(body), reason, ErrorBody::clone(body).into_error(url.path()))
        }
        Failed::Overdue(limit) => {
            let text = format!("no answer within {:?}", rounded(*limit));
            let error = Error::new(ErrorKind::DeadlineExceeded, format!("{text}: {}", call.operation));
            (Failure::TimedOut, text, error)
        }
        Failed::Unanswered(Unanswered::NotSent(error)) => {
            (Failure::NotSent, error.to_string(), error.clone())
        }
        Failed::Unanswered(Unanswered::TimedOut(error)) => {
            (Failure::TimedOut, error.to_string(), error.clone())
        }
        Failed::Unanswered(Unanswered::Lost(error)) => (Failure::Lost, error.to_string(), error.clone()),
    };
    let is_download = matches!(call.retry, RetryPolicy::Resume { .. });
    let situation = Situation {
        attempts: if is_download { progress.fruitless } else { progress.attempts },
        elapsed: progress.began.elapsed(),
        remaining: progress.remaining(),
        repeatable: call.is_repeatable(),
        jitter: fastrand::f64(),
    };
    let policy = if call.can_be_sent_again() { call.retry } else { RetryPolicy::never() };
    let decision = match decide(&policy, &failure, situation) {
        _ if progress.answered && !call.is_repeatable() => Decision::UnknownOutcome,
        decision => decision,
    };
    match decision {
        Decision::Retry(after) => {
            let attempts = progress.attempts;
            let reason = redact::text(&reason);
            tracing::debug!(
                target: "brickwire", operation = &*call.operation, attempts, ?after, %reason, "retrying"
            );
            call.wire.events().emit(|| Event::Retrying {
                operation: call.operation.clone().into_owned(),
                attempts,
                reason: reason.into_owned(),
                after,
            });
            Ok(after)
        }
        Decision::GiveUp => Err(error),
        // Both errors are shown, so both are filtered.
        Decision::UnknownOutcome => {
            Err(progress.finish(call, error).into_unknown_outcome_for(&call.operation, &reason))
        }
    }
}

/// Waits for the host's limiter.
async fn wait_for_turn(call: &Call, progress: &Progress) -> Result<()> {
    if call.destination != Destination::Api {
        return Ok(());
    }
    let wait = call.wire.limiter().take();
    if wait.is_zero() {
        return Ok(());
    }
    if progress.remaining().is_some_and(|left| left < wait) {
        let text =
            format!("the next request to {} may be sent in {wait:.1?}, past the deadline", call.wire.host());
        let error =
            Error::new(ErrorKind::RateLimited, text).with_hint("send fewer requests, or allow more time");
        call.wire.limiter().give_back();
        return Err(progress.finish(call, error.with_details(|d| d.retry_after = Some(wait))));
    }
    tracing::debug!(target: "brickwire", operation = &*call.operation, ?wait, "waiting for the rate limit");
    pause(call, progress, wait).await
}

async fn pause(call: &Call, progress: &Progress, wait: Duration) -> Result<()> {
    let Some(cancel) = &call.cancel else {
        tokio::time::sleep(wait).await;
        return Ok(());
    };
    tokio::select! {
        () = cancel.cancelled() => Err(progress.finish(call, canceled())),
        () = tokio::time::sleep(wait) => Ok(()),
    }
}

/// Bounds work between attempts as the attempts are. `late` is what to say if it takes too long.
async fn bounded<T>(
    call: &Call,
    progress: &Progress,
    late: &str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let canceling = async {
        match &call.cancel {
            Some(cancel) => cancel.cancelled().await,
            None => std::future::pending().await,
        }
    };
    let left = progress.remaining();
    let ending = async {
        match left {
            Some(left) => tokio::time::sleep(left).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        done = work => done,
        () = canceling => Err(progress.finish(call, canceled())),
        () = ending => {
            let text = format!("{late} within {:?}: {}", rounded(left.unwrap_or_default()), call.operation);
            Err(progress.finish(call, Error::new(ErrorKind::DeadlineExceeded, text)))
        }
    }
}

/// The credential's headers, if any go there.
async fn authorize(call: &Call, progress: &Progress) -> Result<Option<Authorization>> {
    let (Destination::Api, Some(credential)) = (call.destination, call.wire.credential()) else {
        return Ok(None);
    };
    let authorization = bounded(call, progress, "no token", credential.authorization()).await?;
    authorization.secrets().for_each(|secret| call.wire.filter().learn(secret));
    Ok(Some(authorization))
}

/// One attempt with its redirects, within the time there is.
async fn attempt<R: Receive>(
    call: &Call,
    mut request: Request,
    authorization: Option<&Authorization>,
    watch: Option<&Watch>,
    receive: &mut R,
    progress: &mut Progress,
) -> Result<R::Output, Failed> {
    if call.destination == Destination::Api && !call.wire.host().may_receive_credential(request.url()) {
        let there = request.url().origin().ascii_serialization();
        return Err(Failed::Final(Error::usage(format!(
            "refused to send the token to another host: {there}"
        ))));
    }
    // An anonymous request may go to a CI system's token service, which is named by the surroundings.
    let goes_anywhere = call.destination == Destination::Anonymous;
    if request.url().scheme() != "https" && !is_loopback(request.url()) && !goes_anywhere {
        let there = request.url().origin().ascii_serialization();
        return Err(Failed::Final(Error::usage(format!("refused to send secrets in the clear: {there}"))));
    }
    if let Some(authorization) = authorization {
        authorization.apply(request.headers_mut()).map_err(Failed::Final)?;
    }
    let limit = [call.timeout, progress.remaining()].into_iter().flatten().min();
    let exchange = exchange(call, request, watch, receive, progress.attempts, &mut progress.answered);
    match limit {
        None => exchange.await,
        Some(limit) => {
            tokio::time::timeout(limit, exchange).await.unwrap_or_else(|_| Err(Failed::Overdue(limit)))
        }
    }
}

async fn exchange<R: Receive>(
    call: &Call,
    mut request: Request,
    watch: Option<&Watch>,
    receive: &mut R,
    attempt: u32,
    answered: &mut bool,
) -> Result<R::Output, Failed> {
    let http = match call.destination {
        Destination::Presigned => call.wire.store().map_err(Failed::Final)?,
        Destination::Api | Destination::Anonymous if call.is_patient() => {
            call.wire.patient().map_err(Failed::Final)?
        }
        Destination::Api | Destination::Anonymous => call.wire.http(),
    };
    for _ in 0..=redirect::LIMIT {
        let sent = Instant::now();
        log_request(call, &request);
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        // Kept for the redirect that may come; a body of bytes is shared, not copied.
        let kept = request.try_clone();
        let exchange = http.exchange(request);
        let answer = match (call.stall(), watch) {
            (None, _) => exchange.await,
            (Some(stall), Some(watch)) => tokio::select! {
                biased;
                answer = exchange => answer,
                () = watch.silence(stall) => return Err(Failed::stalled(stall)),
            },
            (Some(stall), None) => match tokio::time::timeout(stall, exchange).await {
                Ok(answer) => answer,
                Err(_) => return Err(Failed::stalled(stall)),
            },
        };
        let mut response = answer.map_err(Failed::Unanswered)?;
        let (status, headers) = (response.status(), response.headers());
        tracing::debug!(
            target: "brickwire",
            operation = &*call.operation, %method,
            path = if call.destination == Destination::Presigned { "" } else { &*path },
            status = status.as_u16(), attempt,
            elapsed_ms = sent.elapsed().as_millis() as u64,
            request_id = headers.get("x-request-id").and_then(|v| v.to_str().ok()).map(redact::text).as_deref(),
            "request"
        );
        log_headers(call, status, headers);
        if status.is_success() || (call.redirects == Redirects::Return && status.is_redirection()) {
            return receive.receive(call, response, attempt).await;
        }
        let follows = matches!(call.redirects, Redirects::Follow | Redirects::FollowAsBrowsers);
        let next = match kept.filter(|_| follows && call.destination != Destination::Presigned) {
            Some(sent) => {
                let changes_method = call.redirects == Redirects::FollowAsBrowsers;
                redirect::follow(&sent, status, headers, changes_method)?
            }
            None => None,
        };
        match next {
            Some(next) => {
                *answered |= *next.method() != method;
                request = next;
            }
            None => {
                let headers = headers.clone();
                // Read to its end where that is near, so that the connection can be used again.
                let (Body::Whole(body) | Body::Start(body)) =
                    read(&mut response, LONGEST_ERROR, call.stall()).await?;
                log_body(call, &body);
                return Err(Failed::Answer(Box::new(ErrorBody::read(status, &headers, &body))));
            }
        }
    }
    let last = request.url();
    Err(Failed::Final(redirect::too_many(last)))
}

/// Whether another address may be answered differently.
fn is_refusal(status: StatusCode) -> bool {
    status.is_client_error() && !matches!(status.as_u16(), 408 | 416 | 429)
}

/// Without the fractions of a millisecond that have passed of a deadline.
fn rounded(limit: Duration) -> Duration {
    Duration::from_millis((limit.as_micros() + 500) as u64 / 1000)
}

fn canceled() -> Error {
    Error::new(ErrorKind::Local, "canceled: nothing more is sent")
}
