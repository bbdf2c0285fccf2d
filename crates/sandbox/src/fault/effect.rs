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
use serde_json::{Value, json};
use socket2::{SockRef, Socket};
use tokio::net::TcpListener;

use super::rule::{Answer, Effect, RetryAfter};
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

impl Connected<IncomingStream<'_, TcpListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
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
        Effect::Reset => {
            // With no time to linger, closing sends RST instead of FIN.
            if let Some(socket) = connection.0 {
                let _ = socket.set_linger(Some(Duration::ZERO));
            }
            dropped()
        }
        Effect::Close => {
            if let Some(socket) = connection.0 {
                let _ = socket.shutdown(Shutdown::Both);
            }
            dropped()
        }
        Effect::Truncate => with_body(response, |body| broken_off(half(&body), None)).await,
        Effect::Short => with_body(response, |body| broken_off(half(&body), Some(body.len().max(2)))).await,
        Effect::Half => with_body(response, |body| half(&body).into_response()).await,
        Effect::Overcount => with_body(response, |body| overcounted(&body)).await,
        Effect::Slow(pause) => with_body(response, |body| slowly(&body, *pause)).await,
        Effect::Delay(_) | Effect::Late(_) => response,
    }
}

fn answered(answer: &Answer, now_ms: u64) -> Response {
    let status = answer.status;
    let reason = status.canonical_reason().unwrap_or("Unknown");
    let message = answer.message.as_deref().unwrap_or(reason);
    let mut response = match (&answer.body, answer.html) {
        (Some(body), _) => (status, body.clone()).into_response(),
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
    match &answer.retry_after {
        Some(RetryAfter::Text(text)) => {
            response.headers_mut().insert(header::RETRY_AFTER, text.clone());
        }
        Some(RetryAfter::DateIn(ahead)) => {
            if let Ok(date) = HeaderValue::from_str(&http_date(now_ms + millis(*ahead))) {
                response.headers_mut().insert(header::RETRY_AFTER, date);
            }
        }
        None => {}
    }
    for (name, value) in &answer.headers {
        response.headers_mut().insert(name.clone(), value.clone());
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
fn overcounted(body: &Bytes) -> Response {
    fn count(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(count),
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value.as_u64().filter(|_| name == "row_count" || name == "total_row_count") {
                        Some(rows) => *value = json!(rows + 1),
                        None => count(value),
                    }
                }
            }
            _ => {}
        }
    }
    let Ok(mut value) = serde_json::from_slice(body) else { return body.clone().into_response() };
    count(&mut value);
    value.to_string().into_response()
}

fn half(body: &Bytes) -> Bytes {
    body.slice(..body.len() / 2)
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

/// Sends `sent`, then breaks the connection; `announced` is the `Content-Length`, chunked when `None`.
fn broken_off(sent: Bytes, announced: Option<usize>) -> Response {
    let pieces = stream::iter([Some(sent), None]);
    let pieces = pieces.then(|piece| async move {
        match piece {
            Some(bytes) => Ok(bytes),
            None => {
                tokio::time::sleep(FLUSH).await;
                Err(io::Error::other("a fault cuts the connection"))
            }
        }
    });
    let mut response = Body::from_stream(pieces).into_response();
    if let Some(length) = announced {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
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
