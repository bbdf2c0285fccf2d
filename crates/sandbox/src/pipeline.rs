//! One request's way through the sandbox: host check, log, fault, credential, route, error shape, headers.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::{
    auth::{self, Caller},
    call::Call,
    error::{self, ApiError},
    fault::{Fault, effect::Connection, kind::Paging, set_date},
    routes::files,
    server::Server,
};

/// More than any real request carries: a statement's text may be 16 MiB.
const BODY_LIMIT: usize = 32 * 1024 * 1024;
/// What is read of a request without a token, such as the form of a token request.
const STRANGERS_BODY_LIMIT: usize = 1024 * 1024;

/// The pipeline around every route of the API.
pub(crate) async fn pipeline(
    State(server): State<Arc<Server>>,
    connection: Connection,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let request_id = server.uuid();
    if !host_is_ours(&server, &parts.headers) {
        // A web page that made its own name point at loopback must not reach a server that runs code.
        return error::html(StatusCode::MISDIRECTED_REQUEST, "This host is not served here");
    }
    let caller = server.directory.authenticate(&parts.headers, server.now_ms());
    let most = if caller.is_ok() { BODY_LIMIT } else { STRANGERS_BODY_LIMIT };
    // A file goes to its handler as it arrives.
    let is_streamed = caller.is_ok() && parts.method == Method::PUT && path.starts_with(files::STREAMED);
    let (body, whole) = match is_streamed {
        true => (Bytes::new(), body),
        false => match axum::body::to_bytes(body, most).await {
            Ok(body) => (body.clone(), Body::from(body)),
            Err(_) => return error::html(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large"),
        },
    };
    let tenant = match &caller {
        Ok(caller) => Some(caller.tenant.clone()),
        Err(_) => token_client(&parts.headers, &body).and_then(|id| server.directory.tenant_of_client(&id)),
    };
    let tenant_name = tenant.map(|tenant| tenant.name.clone());
    if path.starts_with("/__sandbox/") {
        let answer = answer(&server, parts, (body, whole), caller, next, None).await;
        return error::render(&path, &request_id, answer);
    }

    let method = parts.method.clone();
    let arrived = (&parts.method, &parts.uri);
    let number = server.log.arrived(server.now_ms(), tenant_name.clone(), arrived, &parts.headers, &body);
    let fault = server.faults.choose(&parts.method, &path, tenant_name.as_deref());
    if let Some(fault) = &fault {
        server.log.faulted(number, fault.rule());
        tracing::debug!(number, %method, path, rule = fault.rule(), "injects a fault");
        fault.delay().await;
    }
    let mut response = match &fault {
        Some(fault) if fault.replaces_handler() => StatusCode::OK.into_response(),
        _ => {
            let paging = fault.as_ref().and_then(Fault::paging);
            error::render(
                &path,
                &request_id,
                answer(&server, parts, (body, whole), caller, next, paging).await,
            )
        }
    };
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static("databricks"));
    set_date(&mut response, server.now_ms());
    if let Some(fault) = fault {
        response = fault.play(response, connection, &server.gates.api, server.now_ms()).await;
        if fault.cuts_connection() {
            return response;
        }
    }
    server.log.answered(number, response.status());
    tracing::debug!(number, %method, path, status = response.status().as_u16(), "answered");
    response
}

async fn answer(
    server: &Arc<Server>,
    mut parts: Parts,
    (body, whole): (Bytes, Body),
    caller: Result<Caller, ApiError>,
    next: Next,
    paging: Option<Paging>,
) -> Response {
    if is_open(parts.uri.path()) {
        return next.run(Request::from_parts(parts, whole)).await;
    }
    let caller = match caller {
        Ok(caller) => caller,
        Err(refused) => return refused.into_response(),
    };
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let query = query.into_owned().collect();
    let workspace_id = caller.tenant.workspace_id;
    let changed = (!parts.method.is_safe()).then(|| caller.tenant.clone());
    parts.extensions.insert(Call {
        server: server.clone(),
        tenant: caller.tenant,
        principal: caller.principal,
        query: Arc::new(query),
        body,
        paging,
    });
    let mut response = next.run(Request::from_parts(parts, whole)).await;
    if let Some(tenant) = changed {
        tenant.changed();
    }
    response.headers_mut().insert("x-databricks-org-id", HeaderValue::from(workspace_id));
    response
}

/// Paths that need no token.
fn is_open(path: &str) -> bool {
    path.starts_with("/oidc/") || path.starts_with("/.well-known/")
}

/// The client that requests a token: from the header, else from the form, with or without a secret.
fn token_client(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let mut form: HashMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
    let authenticated = auth::client_credentials(headers, &form).map(|(id, _)| id);
    authenticated.or_else(|| form.remove("client_id"))
}

fn host_is_ours(server: &Server, headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let port = server.url.rsplit(':').next().unwrap_or_default();
    let name = host.strip_suffix(port).and_then(|name| name.strip_suffix(':')).unwrap_or(host);
    ["127.0.0.1", "localhost", "[::1]"].contains(&name.to_ascii_lowercase().as_str())
}
