//! A connection in use: complete when built, cheap to clone.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use brickwire_client::{Client, Transport};
use http::{HeaderMap, HeaderValue, header};

use crate::{
    AccessToken, Clusters, Commands, Connection, Credential, Error, Events, Host, RawRequest, RawResponse,
    Result, RetryPolicy, Sql, Statements, Users, Warehouses,
    auth::Authenticator,
    host,
    reach::{Authorities, Resolver},
    transport::HttpTransport,
};

/// A connection in use. Cheap to clone; all clones share connections and tokens.
///
/// ```no_run
/// # async fn example() -> brickwire_actions::Result<()> {
/// use brickwire_actions::{Connection, Workspace};
/// let connection = Connection::token("https://adb-1.2.azuredatabricks.net", "dapi-example")?;
/// let workspace = Workspace::new(connection)?;
/// for cluster in workspace.clusters().list().await?.iter() {
///     println!("{:?}", cluster.cluster_name);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Workspace {
    transport: Arc<HttpTransport>,
    client: Client,
}

/// Options for a [`Workspace`].
#[derive(Debug)]
pub struct WorkspaceBuilder {
    connection: Connection,
    retry: RetryPolicy,
    events: Events,
    debug: bool,
    product: Option<(String, String)>,
}

impl WorkspaceBuilder {
    /// How failed requests are repeated; by default whatever is safe, for 5 minutes.
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Who is told of retries and changes of state.
    pub fn with_events(mut self, events: Events) -> Self {
        self.events = events;
        self
    }

    /// Logs each request and response through `tracing` (target `brickwire::debug`), with secrets masked.
    pub fn with_debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// Names the program at the start of the user agent.
    pub fn with_product(mut self, name: &str, version: &str) -> Self {
        self.product = Some((product_token(name), product_token(version)));
        self
    }

    /// Makes the workspace; nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if TLS can't be set up on this machine.
    pub fn build(self) -> Result<Workspace> {
        let http = http_client(&self.connection, self.product.as_ref())?;
        let transport = Arc::new(HttpTransport {
            authenticator: Arc::new(Authenticator::new(&self.connection, &http)),
            http,
            host: self.connection.host().clone(),
            authorities: self.connection.authorities().clone(),
            retry: self.retry,
            events: self.events,
            debug: self.debug,
            storage: Arc::default(),
            background: Arc::default(),
        });
        Ok(Workspace::over(transport))
    }
}

impl Workspace {
    /// A workspace with all defaults; nothing is sent yet.
    ///
    /// # Errors
    /// As for [`WorkspaceBuilder::build`].
    pub fn new(connection: Connection) -> Result<Self> {
        Self::builder(connection).build()
    }

    /// Sets options first.
    pub fn builder(connection: Connection) -> WorkspaceBuilder {
        WorkspaceBuilder {
            connection,
            retry: RetryPolicy::default(),
            events: Events::default(),
            debug: false,
            product: None,
        }
    }

    fn over(transport: Arc<HttpTransport>) -> Self {
        let client = Client::with_transport(transport.host.as_str(), transport.clone() as Arc<dyn Transport>);
        Self { transport, client }
    }

    /// The same workspace with debug on or off, for single calls.
    pub fn with_debug(&self, debug: bool) -> Self {
        Self::over(Arc::new(HttpTransport { debug, ..(*self.transport).clone() }))
    }

    /// The same workspace with other retries, for single calls.
    pub fn with_retry(&self, retry: RetryPolicy) -> Self {
        Self::over(Arc::new(HttpTransport { retry, ..(*self.transport).clone() }))
    }

    /// Where it is.
    pub fn host(&self) -> &Host {
        &self.transport.host
    }

    /// Clusters: list, get, start, restart, terminate, node types.
    pub fn clusters(&self) -> Clusters {
        Clusters::new(self.clone())
    }

    /// SQL warehouses: list, get, start, stop.
    pub fn warehouses(&self) -> Warehouses {
        Warehouses::new(self.clone())
    }

    /// Execution contexts and commands on a cluster.
    pub fn commands(&self) -> Commands {
        Commands::new(self.clone())
    }

    /// SQL statements on a warehouse.
    pub fn sql(&self, warehouse_id: impl Into<String>) -> Sql {
        Sql::new(self.clone(), warehouse_id.into())
    }

    /// SQL statements by id: those submitted before, here or elsewhere.
    pub fn statements(&self) -> Statements {
        Statements::new(self.clone())
    }

    /// Users: who am I.
    pub fn users(&self) -> Users {
        Users::new(self.clone())
    }

    /// Sends any request to the workspace: the connector's Raw Request.
    ///
    /// # Errors
    /// See [`RawRequest`].
    pub async fn raw(&self, request: &RawRequest) -> Result<RawResponse> {
        request.send(&self.transport).await
    }

    /// Shows what [`raw`](Self::raw) would send, as a curl command with secrets masked; nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for an input that is wrong.
    pub fn raw_as_curl(&self, request: &RawRequest) -> Result<String> {
        request.as_curl(&self.transport)
    }

    /// The generated client, for operations that have no action of their own. It shares this workspace's
    /// credentials, retries and log.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A token that is good now, with what is known of it; fetched if need be.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`](crate::ErrorKind::Unauthenticated) if none can be had.
    pub async fn access_token(&self) -> Result<AccessToken> {
        self.transport.authenticator.access_token().await
    }

    pub(crate) fn events(&self) -> &Events {
        &self.transport.events
    }

    /// The bare client for presigned links: no credential and no header of ours ever goes there.
    pub(crate) fn storage(&self) -> Result<&reqwest::Client> {
        self.transport.storage()
    }

    /// Runs something to its end that nobody waits for, such as a cancellation; [`settle`](Self::settle) does.
    pub(crate) fn in_background(&self, task: impl Future<Output = ()> + Send + 'static) {
        if tokio::runtime::Handle::try_current().is_ok() {
            let mut tasks = self.transport.background.lock().unwrap_or_else(PoisonError::into_inner);
            while tasks.try_join_next().is_some() {}
            tasks.spawn(task);
        }
    }

    /// Waits until the cancellations under way have been sent, for `limit` at the most. For a program about to exit.
    pub async fn settle(&self, limit: Duration) {
        let tasks = {
            let mut tasks = self.transport.background.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        let _ = tokio::time::timeout(limit, tasks.join_all()).await;
    }
}

/// No answer at all for this long ends an attempt; a slow download lives as long as bytes come.
const INACTIVITY: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);

pub(crate) fn http_client(
    connection: &Connection,
    product: Option<&(String, String)>,
) -> Result<reqwest::Client> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/plain, */*"));
    if let Some(id) = connection.workspace_id().and_then(|id| HeaderValue::try_from(id).ok()) {
        headers.insert("X-Databricks-Workspace-Id", id);
    }
    let mut builder = bare_client(connection.host(), connection.authorities())
        .user_agent(user_agent(product, connection.credential().auth_type()))
        .default_headers(headers);
    // Plain http is on this machine, and a token needs nobody else: reading the system's certificates would be most of
    // a short command's time.
    if connection.host().as_str().starts_with("http:")
        && matches!(connection.credential(), Credential::Token(_))
    {
        builder = builder.tls_certs_only([]);
    }
    build(builder)
}

/// What all our HTTP has in common: no redirects by itself, limits by inactivity, the environment's proxy.
pub(crate) fn bare_client(host: &Host, authorities: &Authorities) -> reqwest::ClientBuilder {
    // Another crate of the program may have chosen its provider already: then that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = authorities
        .apply(reqwest::Client::builder())
        .dns_resolver(Resolver)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .read_timeout(INACTIVITY);
    if host.join("/").is_ok_and(|url| host::is_loopback(&url)) { builder.no_proxy() } else { builder }
}

pub(crate) fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client> {
    builder.build().map_err(|e| {
        Error::configuration("cannot set up HTTP on this machine")
            .with_hint("if SSL_CERT_FILE or SSL_CERT_DIR are set, check that they name certificates")
            .with_source(e)
    })
}

/// Shaped like the SDKs', so that the service's statistics can tell us apart.
fn user_agent(product: Option<&(String, String)>, auth: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let prefix = product.map(|(name, version)| format!("{name}/{version} ")).unwrap_or_default();
    format!(
        "{prefix}brickwire/{version} rust/{} os/{} auth/{auth}",
        env!("CARGO_PKG_RUST_VERSION"),
        std::env::consts::OS
    )
}

fn product_token(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "_.+-".contains(c) { c } else { '-' }).collect()
}
