//! The front door: a workspace with its HTTP connections, its credential and its options.

use std::{sync::Arc, time::Duration};

use brickwire_client::Client;
use brickwire_wire::{Wire, redact::Filter};
use tokio::time::Instant;

use crate::{
    AccessToken, Config, ConfigBuilder, Connection, Environment, Error, Events, Host, RateLimit, RawRequest,
    RawResponse, Result, RetryPolicy, Secret,
    background::{Background, CancelOnDrop, Canceled},
    identity::{authenticator::Authenticator, config::setting_methods},
};

/// The time after a deadline in which an answer may still come, and for a cancellation.
const GRACE: Duration = Duration::from_secs(10);

/// A workspace. Cheap to clone; all clones share connections and tokens.
///
/// ```no_run
/// # async fn example() -> brickwire_actions::Result<()> {
/// use brickwire_actions::Workspace;
/// let workspace = Workspace::from_env()?;
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
///
/// What is not set here comes from the environment and a profile of the configuration file, as described for
/// [`Config`].
#[derive(Debug)]
#[must_use]
pub struct WorkspaceBuilder {
    settings: ConfigBuilder,
    connection: Option<Result<Connection>>,
    retry: RetryPolicy,
    events: Events,
    debug: bool,
    product: Option<(String, String)>,
    rate_limit: RateLimit,
    read_only: bool,
}

impl WorkspaceBuilder {
    setting_methods!();

    /// Sets any setting by its name, such as `account_id` or `ca_file`. A later value replaces an earlier one, and an
    /// empty value counts as missing.
    pub fn with(mut self, name: &str, value: impl Into<Secret>) -> Self {
        self.settings = self.settings.with(name, value);
        self
    }

    /// Uses this environment instead of that of the process.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.settings = self.settings.environment(environment);
        self
    }

    /// Uses a resolved configuration in place of settings.
    pub fn config(mut self, config: &Config) -> Self {
        self.connection = Some(config.connection());
        self.read_only |= config.is_read_only();
        self
    }

    /// Uses a connection in place of settings.
    pub fn connection(mut self, connection: Connection) -> Self {
        self.connection = Some(Ok(connection));
        self
    }

    /// Sets how failed requests are repeated; by default safe requests are repeated for up to five minutes.
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets a listener for retries and changes of state.
    pub fn with_events(mut self, events: Events) -> Self {
        self.events = events;
        self
    }

    /// Logs each request and response through `tracing` (target `brickwire::debug`), with secrets masked.
    pub fn with_debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// Puts the name and version of the program at the start of the user agent.
    pub fn with_product(mut self, name: &str, version: &str) -> Self {
        self.product = Some((name.to_owned(), version.to_owned()));
        self
    }

    /// Sets how many requests the workspace and all its clones send; 15 a second after a burst of 300 by default.
    pub fn with_rate_limit(mut self, rate_limit: RateLimit) -> Self {
        self.rate_limit = rate_limit;
        self
    }

    /// Refuses to send what may change something; see [`Workspace::as_read_only`]. The setting `read_only` turns it on,
    /// too, and nothing turns it off again.
    pub fn with_read_only(mut self, read_only: bool) -> Self {
        self.read_only |= read_only;
        self
    }

    /// Builds the workspace. Nothing is sent.
    ///
    /// # Errors
    /// As for [`ConfigBuilder::resolve`] and [`Config::connection`];
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if TLS can't be set up on this machine;
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for settings in addition to a configuration or connection.
    pub fn build(mut self) -> Result<Workspace> {
        let connection = match self.connection {
            Some(_) if !self.settings.is_empty() => {
                return Err(Error::usage("a connection is given, and settings that it would ignore"));
            }
            Some(connection) => connection?,
            None => {
                let config = self.settings.resolve()?;
                for warning in config.warnings() {
                    tracing::warn!(target: "brickwire", "{warning}");
                }
                self.read_only |= config.is_read_only();
                config.connection()?
            }
        };
        let wire = connection.wire(self.product.as_ref(), self.rate_limit)?.with_events(self.events);
        let wire = if self.read_only { wire.with_read_only() } else { wire };
        let authenticator = Arc::new(Authenticator::new(&connection, &wire));
        let wire = wire.with_retry(self.retry).with_debug(self.debug).with_credential(authenticator.clone());
        Ok(Workspace { client: wire.into(), authenticator, background: Background::default() })
    }
}

impl Workspace {
    /// The workspace that environment variables or the configuration file describe, found as the official SDKs do.
    ///
    /// # Errors
    /// As for [`WorkspaceBuilder::build`].
    pub fn from_env() -> Result<Self> {
        Self::builder().build()
    }

    /// A workspace with default options.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if TLS can't be set up on this machine.
    pub fn new(connection: Connection) -> Result<Self> {
        Self::builder().connection(connection).build()
    }

    /// Starts with default options.
    ///
    /// ```
    /// use brickwire_actions::Workspace;
    /// # fn example(host: &str, token: &str, client_id: &str, client_secret: &str) -> brickwire_actions::Result<()> {
    /// let by_profile = Workspace::builder().profile("prod").build()?;
    /// let by_token = Workspace::builder().host(host).token(token).build()?;
    /// let by_oauth = Workspace::builder().host(host).oauth(client_id, client_secret).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> WorkspaceBuilder {
        WorkspaceBuilder {
            settings: Config::builder(),
            connection: None,
            retry: RetryPolicy::default(),
            events: Events::default(),
            debug: false,
            product: None,
            rate_limit: RateLimit::default(),
            read_only: false,
        }
    }

    /// The same workspace with the debug log on or off, for single calls.
    #[must_use]
    pub fn with_debug(&self, debug: bool) -> Self {
        self.with_wire(|wire| wire.with_debug(debug))
    }

    /// The same workspace with another retry policy, for single calls.
    #[must_use]
    pub fn with_retry(&self, retry: RetryPolicy) -> Self {
        self.with_wire(|wire| wire.with_retry(retry))
    }

    /// The same workspace with a deadline for all of its calls together, with their retries, waits and bodies. The
    /// earliest of several deadlines is in force. A call that reaches it fails with [`ErrorKind::DeadlineExceeded`](crate::ErrorKind::DeadlineExceeded).
    #[must_use]
    pub fn with_deadline(&self, deadline: impl Into<Instant>) -> Self {
        self.with_wire(|wire| wire.with_deadline(deadline.into()))
    }

    /// The same workspace in read-only mode: it refuses to send what may change something, with
    /// [`ErrorKind::ReadOnly`](crate::ErrorKind::ReadOnly). Nothing turns this off again.
    ///
    /// It sends GET and HEAD, the few POST requests that only read, statements that
    /// [`Statement::check_reads`](crate::Statement::check_reads) accepts, and the cancellation of statements. Functions
    /// that a query calls run with all rights of the credential. For a boundary, use a credential that can only read.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::ErrorKind;
    /// let workspace = workspace.as_read_only();
    /// let refused = workspace.sql("0123456789abcdef").statement("DROP TABLE t").execute().await;
    /// assert_eq!(refused.unwrap_err().kind(), ErrorKind::ReadOnly);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn as_read_only(&self) -> Self {
        self.with_wire(Wire::with_read_only)
    }

    /// Whether it refuses to send what may change something.
    pub fn is_read_only(&self) -> bool {
        self.wire().is_read_only()
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
        let deadline = self.wire().deadline().map_or(deadline, |earlier| earlier.min(deadline));
        let submission = self.background.submit(self.events(), what, deadline, |cancel| {
            let late =
                |wire: Wire| wire.without_deadline().with_cancel(cancel).with_deadline(deadline + GRACE);
            send(self.with_wire(late))
        });
        submission.await
    }

    /// A guard that cancels `what` when dropped. The workspace that `cancel` gets has some seconds for it, whatever
    /// deadline has passed. As for [`Background::cancel_on_drop`], a second future watches what becomes of it.
    pub(crate) fn cancel_on_drop<F, W>(
        &self,
        what: &'static str,
        id: &str,
        cancel: impl FnOnce(Self) -> F + Send + Sync + 'static,
    ) -> CancelOnDrop
    where
        F: Future<Output = Result<W>> + Send + 'static,
        W: Future<Output = Canceled> + Send + 'static,
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

    /// The host.
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

    /// The generated client, for operations that have no action of their own. It shares the credential, the retry policy
    /// and the log of this workspace.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A valid access token, fetched if necessary.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`](crate::ErrorKind::Unauthenticated) if the credential is refused, and any error of
    /// the requests that fetch the token.
    pub async fn access_token(&self) -> Result<AccessToken> {
        self.authenticator.access_token().await
    }

    /// The filter that replaces the credentials in use by `***`, for programs that print texts from elsewhere.
    pub fn filter(&self) -> &Filter {
        self.wire().filter()
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

    /// Waits until the cancellations under way are done, for `limit` at most. Returns whether they are. For a program that
    /// is about to exit.
    pub async fn settle(&self, limit: Duration) -> bool {
        self.background.settle(limit).await
    }
}
