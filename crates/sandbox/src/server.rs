//! One request's way through the sandbox: host check, log, fault, credential, route, error shape, headers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::auth::{self, Caller, Directory};
use crate::builder::Options;
use crate::call::Call;
use crate::error::{self, ApiError};
use crate::fault::{Connection, Faults};
use crate::links::Links;
use crate::logins::Logins;
use crate::request_log::{RequestLog, fingerprint};
use crate::state::{Tenant, lock};

/// More than any real request carries: a statement's text may be 16 MiB.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// Everything the handlers share.
pub(crate) struct Server {
    pub(crate) options: Options,
    /// Where this server answers: `http://127.0.0.1:<port>`.
    pub(crate) url: String,
    pub(crate) directory: Directory,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    pub(crate) links: Links,
    pub(crate) logins: Logins,
    random: Mutex<fastrand::Rng>,
    directory_of_files: Mutex<Option<tempfile::TempDir>>,
}

impl Server {
    pub(crate) fn new(options: Options, api: SocketAddr, links: SocketAddr) -> std::io::Result<Self> {
        let mut random = options.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let files = tempfile::Builder::new().prefix("brickwire-sandbox-").tempdir()?;
        Ok(Self {
            url: format!("http://{api}"),
            directory: Directory::default(),
            faults: Faults::new(random.fork()),
            log: RequestLog::default(),
            links: Links::new(links, hex(&mut random, 32)),
            logins: Logins::default(),
            random: Mutex::new(random),
            directory_of_files: Mutex::new(Some(files)),
            options,
        })
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.options.clock.now_ms()
    }

    /// `digits` random hex digits.
    pub(crate) fn hex(&self, digits: usize) -> String {
        hex(&mut lock(&self.random), digits)
    }

    /// A random id in the form of a UUID.
    pub(crate) fn uuid(&self) -> String {
        let digits = self.hex(32);
        format!(
            "{}-{}-{}-{}-{}",
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..]
        )
    }

    /// A personal access token that opens a workspace of its own.
    pub(crate) fn open_workspace(&self, token: Option<String>) -> (String, Arc<Tenant>) {
        let token = token.unwrap_or_else(|| format!("dapi{}", self.hex(32)));
        let id = 1_000_000_000_000_000 + lock(&self.random).u64(0..9_000_000_000_000_000); // sixteen digits
        let tenant = Arc::new(Tenant::new(fingerprint(&token), id, self.now_ms()));
        self.directory.add_personal(&token, tenant.clone());
        (token, tenant)
    }

    /// A service principal of an existing workspace: client id and secret.
    pub(crate) fn add_client(&self, tenant: Arc<Tenant>) -> (String, String) {
        let (id, secret) = (self.uuid(), format!("dose{}", self.hex(32)));
        self.directory.add_client(&id, &secret, tenant);
        (id, secret)
    }

    /// A new empty directory, or nothing after [`delete_files`](Self::delete_files).
    pub(crate) fn new_directory(&self, prefix: &str) -> std::io::Result<tempfile::TempDir> {
        match &*lock(&self.directory_of_files) {
            Some(root) => tempfile::Builder::new().prefix(prefix).tempdir_in(root),
            None => Err(std::io::Error::other("the sandbox is closed")),
        }
    }

    /// Ends what runs in every workspace.
    pub(crate) fn close(&self) {
        for tenant in self.directory.tenants() {
            tenant.close();
        }
    }

    /// Deletes every file, once nothing runs that could write more.
    pub(crate) fn delete_files(&self) {
        drop(lock(&self.directory_of_files).take());
    }
}

fn hex(random: &mut fastrand::Rng, digits: usize) -> String {
    (0..digits).map(|_| random.digit(16)).collect()
}

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
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return error::html(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large");
    };
    if !host_is_ours(&server, &parts.headers) {
        // A web page that made its own name point at loopback must not reach a server that runs code.
        return error::html(StatusCode::MISDIRECTED_REQUEST, "This host is not served here");
    }
    let caller = server.directory.authenticate(&parts.headers, server.now_ms());
    let tenant = match &caller {
        Ok(caller) => Some(caller.tenant.clone()),
        Err(_) => token_client(&parts.headers, &body).and_then(|id| server.directory.tenant_of_client(&id)),
    };
    let tenant_name = tenant.map(|tenant| tenant.name.clone());
    if path.starts_with("/__sandbox/") {
        let answer = answer(&server, parts, body, caller, next).await;
        return error::render(&path, &request_id, answer);
    }

    let method = parts.method.clone();
    let arrived = (&parts.method, &parts.uri);
    let number = server.log.arrived(server.now_ms(), tenant_name.clone(), arrived, &parts.headers, &body);
    let fault = server.faults.choose(&parts.method, &path, tenant_name.as_deref());
    if let Some(fault) = &fault {
        server.log.faulted(number, fault.rule());
        tracing::debug!(number, %method, path, rule = fault.rule(), "plays a fault");
        fault.delay().await;
    }
    let mut response = match &fault {
        Some(fault) if fault.replaces_handler() => StatusCode::OK.into_response(),
        _ => error::render(&path, &request_id, answer(&server, parts, body, caller, next).await),
    };
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static("databricks"));
    if let Some(fault) = fault {
        response = fault.play(response, connection, server.now_ms()).await;
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
    body: Bytes,
    caller: Result<Caller, ApiError>,
    next: Next,
) -> Response {
    if is_open(parts.uri.path()) {
        return next.run(Request::from_parts(parts, Body::from(body))).await;
    }
    let caller = match caller {
        Ok(caller) => caller,
        Err(refused) => return refused.into_response(),
    };
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let query = query.into_owned().collect();
    let workspace_id = caller.tenant.workspace_id;
    parts.extensions.insert(Call {
        server: server.clone(),
        tenant: caller.tenant,
        principal: caller.principal,
        query: Arc::new(query),
        body: body.clone(),
    });
    let mut response = next.run(Request::from_parts(parts, Body::from(body))).await;
    response.headers_mut().insert("x-databricks-org-id", HeaderValue::from(workspace_id));
    response
}

/// Paths that are asked before there is a token.
fn is_open(path: &str) -> bool {
    path.starts_with("/oidc/") || path.starts_with("/.well-known/")
}

/// The client that asks for a token: by the header, else by the form, with a secret or without.
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
