//! A connection in use: complete when built, cheap to clone.

use std::{sync::Arc, time::Duration};

use brickwire_client::Client;
use brickwire_wire::Wire;
use tokio::time::Instant;

use crate::{
    AccessToken, Connection, Events, Host, RawRequest, RawResponse, Result, RetryPolicy,
    auth::Authenticator,
    background::{Background, CancelOnDrop},
};

/// The time after a deadline in which an answer may still come, and for a cancellation.
const GRACE: Duration = Duration::from_secs(10);

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

    /// The same workspace with a deadline for all calls.
    pub(crate) fn with_deadline(&self, deadline: Instant) -> Self {
        self.with_wire(|wire| wire.with_deadline(deadline))
    }

    /// Sends the request that starts `what`; see [`Background::submit`]. The answer may come some seconds after the
    /// deadline, because only the answer names what to cancel.
    pub(crate) async fn submit<T, F>(
        &self,
        what: &'static str,
        deadline: Instant,
        send: impl FnOnce(Self) -> F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let submission = self.background.submit(what, deadline, |cancel| {
            send(self.with_wire(|wire| wire.with_cancel(cancel).with_deadline(deadline + GRACE)))
        });
        submission.await
    }

    /// A guard that cancels `what` when dropped. The workspace that `cancel` gets has some seconds for it, whatever
    /// deadline has passed.
    pub(crate) fn cancel_on_drop<F>(
        &self,
        what: &'static str,
        id: &str,
        cancel: impl FnOnce(Self) -> F + Send + Sync + 'static,
    ) -> CancelOnDrop
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let workspace = self.clone();
        self.background.cancel_on_drop(self.events(), what, id, move || cancel(workspace.for_cancellation()))
    }

    /// The same workspace for what follows a deadline.
    pub(crate) fn for_cancellation(&self) -> Self {
        self.with_wire(|wire| wire.without_deadline().with_deadline(Instant::now() + GRACE))
    }

    fn with_wire(&self, change: impl FnOnce(Wire) -> Wire) -> Self {
        Self { client: change(self.wire().clone()).into(), ..self.clone() }
    }

    /// Where it is.
    pub fn host(&self) -> &Host {
        self.wire().host()
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

    /// Runs a task to its end without a caller that waits for it, such as a clean-up.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.background.spawn(task);
    }

    /// Waits until the cancellations under way are done, for `limit` at most. For a program that is about to exit.
    pub async fn settle(&self, limit: Duration) {
        self.background.settle(limit).await;
    }
}
