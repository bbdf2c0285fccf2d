//! Injecting a fault into an answer or into the connection below it.

use std::convert::Infallible;
use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::json;
use socket2::{SockRef, Socket};

use super::{
    edit::Edit,
    gate::GatedListener,
    kind::{Answer, At, Effect, RetryAfter},
};
use crate::{
    clock::{http_date, millis},
    error::html,
};

/// A pause that lets the server send what it holds before the connection is cut; without it nothing goes out.
const FLUSH: Duration = Duration::from_millis(20);
const SLOW_PIECES: usize = 16;

/// A second handle on the connection's socket, for faults below HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Connection(Option<Arc<Socket>>);

impl Connection {
    /// With no time to linger, closing sends RST instead of FIN.
    fn reset_when_closed(&self) {
        if let Some(socket) = &self.0 {
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
    }
}

impl Connected<IncomingStream<'_, GatedListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, GatedListener>) -> Self {
        Self(SockRef::from(stream.io()).try_clone().ok().map(Arc::new))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Connection {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let info = ConnectInfo::<Connection>::from_request_parts(parts, state).await;
        Ok(info.map_or(Self(None), |ConnectInfo(connection)| connection))
    }
}

pub(super) async fn play(
    effect: &Effect,
    response: Response,
    connection: Connection,
    now_ms: u64,
) -> Response {
    match effect {
        Effect::Answer(answer) => answered(answer, now_ms),
        Effect::Login => login_page(),
        Effect::Hang => std::future::pending().await,
        Effect::Reset(None) => {
            connection.reset_when_closed();
            dropped()
        }
        Effect::Reset(Some(at)) => {
            with_body(response, |body| {
                let length = body.len().max(2);
                broken_off(body.slice(..At(Some(*at)).within(body.len())), Some(length), Some(connection))
            })
            .await
        }
        Effect::Close | Effect::Refuse(_) => {
            if let Some(socket) = connection.0 {
                let _ = socket.shutdown(Shutdown::Both);
            }
            dropped()
        }
        Effect::Truncate(at) => with_body(response, |body| broken_off(first(&body, *at), None, None)).await,
        Effect::Short(at) => {
            with_body(response, |body| broken_off(first(&body, *at), Some(body.len().max(2)), None)).await
        }
        Effect::Half(at) => with_body(response, |body| first(&body, *at).into_response()).await,
        Effect::Corrupt(at) => with_body(response, |body| corrupted(&body, *at).into_response()).await,
        Effect::Stall(at, pause) => with_body(response, |body| stalled(&body, *at, *pause)).await,
        Effect::Edit(edits) => with_body(response, |body| edited(&body, edits)).await,
        Effect::Slow(pause) => with_body(response, |body| slowly(&body, *pause)).await,
        Effect::Late(_) | Effect::Page(_) | Effect::Swap(_) | Effect::Nothing => response,
    }
}

fn answered(answer: &Answer, now_ms: u64) -> Response {
    let status = answer.status;
    let reason = status.canonical_reason().unwrap_or("Unknown");
    let message = answer.message.as_deref().unwrap_or(reason);
    let mut response = match (&answer.body, answer.html) {
        (Some(body), _) => {
            let kind =
                if body.starts_with(['{', '[']) { "application/json" } else { "text/plain; charset=utf-8" };
            (status, [(header::CONTENT_TYPE, kind)], body.clone()).into_response()
        }
        (None, true) => html(status, message),
        (None, false) => {
            let code = answer.code.as_deref().unwrap_or(match status {
                StatusCode::TOO_MANY_REQUESTS => "REQUEST_LIMIT_EXCEEDED",
                StatusCode::SERVICE_UNAVAILABLE => "TEMPORARILY_UNAVAILABLE",
                StatusCode::INTERNAL_SERVER_ERROR => "INTERNAL_ERROR",
                _ => "SANDBOX_FAULT",
            });
            let body = json!({ "error_code": code, "message": message });
            (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
        }
    };
    if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        // These have no body, so they must not announce one.
        response = status.into_response();
    }
    match &answer.retry_after {
        Some(RetryAfter::Text(text)) => {
            response.headers_mut().insert(header::RETRY_AFTER, text.clone());
        }
        Some(RetryAfter::DateIn(ahead)) => {
            if let Ok(date) = HeaderValue::from_str(&http_date(now_ms.saturating_add(millis(*ahead)))) {
                response.headers_mut().insert(header::RETRY_AFTER, date);
            }
        }
        None => {}
    }
    for (at, (name, value)) in answer.headers.iter().enumerate() {
        // The first of a name replaces the sandbox's own.
        match answer.headers[..at].iter().any(|(earlier, _)| earlier == name) {
            true => drop(response.headers_mut().append(name.clone(), value.clone())),
            false => drop(response.headers_mut().insert(name.clone(), value.clone())),
        }
    }
    response
}

/// What a workspace answers to a browser that isn't signed in, and to API calls whose path is wrong.
fn login_page() -> Response {
    let page = "<!doctype html><html><head><meta charset=\"utf-8\"/><title>Databricks - Sign In</title></head>\
                <body class=\"light-mode\"><uses-legacy-bootstrap><div id=\"login-page\"></div></uses-legacy-bootstrap>\
                </body></html>";
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// Leaves a body that isn't JSON unchanged.
fn edited(body: &Bytes, edits: &[Edit]) -> Response {
    let Ok(mut value) = serde_json::from_slice(body) else { return body.clone().into_response() };
    edits.iter().for_each(|edit| edit.apply(&mut value));
    value.to_string().into_response()
}

fn first(body: &Bytes, at: At) -> Bytes {
    body.slice(..at.within(body.len()))
}

fn corrupted(body: &Bytes, at: At) -> Vec<u8> {
    let mut body = body.to_vec();
    let place = at.within(body.len()).min(body.len().saturating_sub(1));
    if let Some(byte) = body.get_mut(place) {
        *byte ^= 1;
    }
    body
}

async fn with_body(response: Response, change: impl FnOnce(Bytes) -> Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
        return StatusCode::OK.into_response();
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    let changed = change(body);
    if let Some(length) = changed.headers().get(header::CONTENT_LENGTH) {
        parts.headers.insert(header::CONTENT_LENGTH, length.clone());
    }
    Response::from_parts(parts, changed.into_body())
}

/// An answer whose body fails at once, so that the server gives the connection up before it has sent a byte.
fn dropped() -> Response {
    let failing = stream::once(async { Err::<Bytes, _>(io::Error::other("a fault cuts the connection")) });
    let mut response = Body::from_stream(failing).into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(100));
    response
}

/// Sends the headers and `sent`, then breaks the connection, with a reset if there is one to reset; `announced` is the
/// `Content-Length`, chunked when `None`.
fn broken_off(sent: Bytes, announced: Option<usize>, reset: Option<Connection>) -> Response {
    let sent = Some(sent).filter(|sent| !sent.is_empty());
    let pieces = stream::iter(sent.map(Some).into_iter().chain([None]));
    let pieces = pieces.then(move |piece| {
        let reset = reset.clone();
        async move {
            match piece {
                Some(bytes) => Ok(bytes),
                None => {
                    tokio::time::sleep(FLUSH).await;
                    reset.iter().for_each(Connection::reset_when_closed);
                    Err(io::Error::other("a fault cuts the connection"))
                }
            }
        }
    });
    let mut response = Body::from_stream(pieces).into_response();
    if let Some(length) = announced {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

/// Sends the first bytes, nothing for a while or forever, then the rest.
fn stalled(body: &Bytes, at: At, pause: Option<Duration>) -> Response {
    let length = body.len();
    let begin = first(body, at);
    let rest = body.slice(begin.len()..);
    let begin = Some(begin).filter(|begin| !begin.is_empty());
    let late = stream::once(async move {
        match pause {
            Some(pause) => tokio::time::sleep(pause).await,
            None => std::future::pending().await,
        }
        rest
    });
    let pieces = stream::iter(begin).chain(late).map(Ok::<_, Infallible>);
    let mut response = Body::from_stream(pieces).into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn slowly(body: &Bytes, pause: Duration) -> Response {
    let size = body.len().div_ceil(SLOW_PIECES).max(1);
    let pieces: Vec<Bytes> = body.chunks(size).map(Bytes::copy_from_slice).collect();
    let pieces = stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, Infallible>(piece)
    });
    Body::from_stream(pieces).into_response()
}
