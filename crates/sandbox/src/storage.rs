//! The storage behind external links: a second listener, which knows no tokens and refuses requests that carry one.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::{
    fault::{Fault, effect::Connection, set_date},
    links::Refusal,
    routes::statements::{record::Statements, stored},
    server::Server,
};

pub(crate) fn router(server: Arc<Server>) -> Router {
    Router::new().fallback(serve).with_state(server)
}

async fn serve(State(server): State<Arc<Server>>, connection: Connection, request: Request) -> Response {
    let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
    let file = uri.path().strip_prefix("/results/").and_then(|rest| rest.split_once('/'));
    let now_ms = server.now_ms();
    let found = file.and_then(|(id, index)| {
        let index: usize = index.parse().ok()?;
        server.directory.tenants().into_iter().find_map(|tenant| {
            let statement = tenant.state::<Statements>().find(id, now_ms)?;
            Some((tenant.name.clone(), (statement, index)))
        })
    });
    let (tenant, found) = found.unzip();
    let number = server.log.arrived(now_ms, tenant.clone(), (&method, &uri), &headers, b"");
    let fault = server.faults.choose(&method, uri.path(), tenant.as_deref());
    if let Some(fault) = &fault {
        server.log.faulted(number, fault.rule());
        fault.delay().await;
        server.options.clock.advance(fault.lateness());
    }
    let now_ms = server.now_ms();
    let swap = fault.as_ref().and_then(Fault::swap);
    let mut response = match (server.links.check(&uri, &headers, now_ms, &server.options), found) {
        (Err(refusal), _) => refusal.into_response(),
        (Ok(()), Some(_)) if method != Method::GET && method != Method::HEAD => {
            Refusal(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "The method is not allowed.")
                .into_response()
        }
        (Ok(()), found) => {
            let body = match found {
                Some((statement, index)) => stored(&statement, index, swap).await,
                None => None,
            };
            match body {
                Some(body) => body_or_part(body, &method, headers.get(header::RANGE)),
                None => Refusal(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.")
                    .into_response(),
            }
        }
    };
    set_date(&mut response, now_ms);
    if let Some(fault) = fault {
        response = fault.play(response, connection, &server.gates.links, now_ms).await;
        if fault.cuts_connection() {
            return response;
        }
    }
    server.log.answered(number, response.status());
    response
}

/// The file, or the part of it that a `Range` of one piece asks for.
fn body_or_part(body: Vec<u8>, method: &Method, range: Option<&HeaderValue>) -> Response {
    let length = body.len();
    let range = range.and_then(|range| range.to_str().ok()).and_then(|range| range.strip_prefix("bytes="));
    let mut response = match range.map(|range| part(range, length as u64)) {
        Some(None) => {
            let all = format!("bytes */{length}");
            return (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, all)]).into_response();
        }
        Some(Some((from, to))) => {
            let shown = format!("bytes {from}-{}/{length}", to - 1);
            let part =
                if *method == Method::HEAD { Vec::new() } else { body[from as usize..to as usize].to_vec() };
            (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, shown)], part).into_response()
        }
        None if *method == Method::HEAD => {
            // With an empty body the server would announce a length of zero.
            let announced = Response::builder().header(header::CONTENT_LENGTH, length).body(Body::empty());
            announced.unwrap_or_else(|_| StatusCode::OK.into_response())
        }
        None => body.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("binary/octet-stream"));
    response
}

/// Start and end of `a-b`, `a-` or `-n` in a file of `length` bytes; `None` if there is no such part.
pub(crate) fn part(range: &str, length: u64) -> Option<(u64, u64)> {
    let (from, to) = range.split_once('-')?;
    let (from, to) = match (from.parse::<u64>().ok(), to.parse::<u64>().ok()) {
        (Some(from), Some(last)) => (from, last.saturating_add(1).min(length)),
        (Some(from), None) => (from, length),
        (None, Some(last)) => (length.saturating_sub(last), length),
        (None, None) => return None,
    };
    (from < to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_file() {
        assert_eq!(part("0-3", 10), Some((0, 4)));
        assert_eq!(part("4-", 10), Some((4, 10)));
        assert_eq!(part("-3", 10), Some((7, 10)));
        assert_eq!(part("8-99", 10), Some((8, 10)));
        assert_eq!(part("10-", 10), None);
        assert_eq!(part("x", 10), None);
    }
}
