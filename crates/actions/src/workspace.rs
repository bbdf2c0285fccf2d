//! A connection in use: complete when built, cheap to clone.

use std::{sync::Arc, time::Duration};

use brickwire_client::Client;
use brickwire_wire::{CancellationToken, Wire};

use crate::{
    AccessToken, Clusters, Commands, Connection, Events, Host, RawRequest, RawResponse, Result, RetryPolicy,
    Sql, Statements, Users, Warehouses, background::Background, identity::auth::Authenticator,
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
    client: Client,
    authenticator: Arc<Authenticator>,
    background: Background,
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
        self.product = Some((name.to_owned(), version.to_owned()));
        self
    }

    /// Makes the workspace; nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if TLS can't be set up on this machine.
    pub fn build(self) -> Result<Workspace> {
        let wire = self.connection.wire(self.product.as_ref())?.with_events(self.events);
        let authenticator = Arc::new(Authenticator::new(&self.connection, &wire));
        let wire = wire.with_retry(self.retry).with_debug(self.debug).with_credential(authenticator.clone());
        Ok(Workspace { client: wire.into(), authenticator, background: Background::default() })
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

    /// The same workspace with debug on or off, for single calls.
    #[must_use]
    pub fn with_debug(&self, debug: bool) -> Self {
        self.with_wire(|wire| wire.with_debug(debug))
    }

    /// The same workspace with other retries, for single calls.
    #[must_use]
    pub fn with_retry(&self, retry: RetryPolicy) -> Self {
        self.with_wire(|wire| wire.with_retry(retry))
    }

    /// The same workspace, whose calls send nothing more once the token is canceled.
    pub(crate) fn with_cancel(&self, cancel: CancellationToken) -> Self {
        self.with_wire(|wire| wire.with_cancel(cancel))
    }

    fn with_wire(&self, change: impl FnOnce(Wire) -> Wire) -> Self {
        Self { client: change(self.wire().clone()).into(), ..self.clone() }
    }

    /// Where it is.
    pub fn host(&self) -> &Host {
        self.wire().host()
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
        request.send(self.wire()).await
    }

    /// Shows what [`raw`](Self::raw) would send, as a curl command with secrets masked; nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for an input that is wrong.
    pub fn raw_as_curl(&self, request: &RawRequest) -> Result<String> {
        request.as_curl(self.wire())
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
        self.authenticator.access_token().await
    }

    pub(crate) fn wire(&self) -> &Wire {
        self.client.wire()
    }

    pub(crate) fn events(&self) -> &Events {
        self.wire().events()
    }

    /// Runs a task to its end without anyone waiting for it, such as a cancellation; [`settle`](Self::settle) does.
    pub(crate) fn in_background(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.background.spawn(task);
    }

    /// Waits until the cancellations under way have been sent, for `limit` at most. For a program about to exit.
    pub async fn settle(&self, limit: Duration) {
        self.background.settle(limit).await;
    }
}
