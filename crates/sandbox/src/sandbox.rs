//! A running sandbox: its threads, its listeners and its end.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::{
    builder::{Options, SandboxBuilder},
    clock::Clock,
    data::{DataDirectory, Identity, keeper::Keeper},
    fault::{
        effect::Connection,
        rule::{FaultRule, ParseFaultError},
    },
    request_log::RecordedRequest,
    routes::{self, oauth::account::ACCOUNT_ID, statements::disk},
    server::Server,
    storage,
    tenant::Tenant,
};

/// A running sandbox. Dropping it ends its processes and deletes its files, except those of its
/// [directory](SandboxBuilder::with_data).
///
/// As a fixture of tests, one sandbox serves all of them, and each test opens a workspace of its own by a fresh token:
///
/// ```
/// use brickwire_sandbox::{Delays, Sandbox};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let sandbox = Sandbox::builder().with_delays(Delays::NONE).start().await?;
/// let (host, token) = (sandbox.url(), sandbox.fresh_token());
/// // Point your program at `host` with `token`, and then look at what it sent:
/// # let _ = host;
/// let changes = sandbox.requests_of(&token).iter().filter(|request| request.method == "POST").count();
/// assert_eq!(changes, 0);
/// # Ok(())
/// # }
/// ```
pub struct Sandbox {
    server: Arc<Server>,
    identity: Identity,
    keeper: Option<Arc<Keeper>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Sandbox {
    /// Starts a sandbox with every setting at its default.
    ///
    /// # Errors
    /// There is no free port or no room for a temporary directory.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Sets up a sandbox.
    #[must_use]
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    async fn launch(builder: SandboxBuilder) -> io::Result<Self> {
        let rules: Result<Vec<FaultRule>, _> = builder.faults.iter().map(|rule| rule.parse()).collect();
        let rules = rules.map_err(unreadable)?;
        let (started, starting) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let options = builder.options;
        let directory = options.data.as_deref().map(DataDirectory::open).transpose()?;
        // A thread and a runtime of its own: the caller's may have one thread, or a paused clock.
        let thread = std::thread::Builder::new().name("brickwire-sandbox".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => {
                    drop(started.send(Err(error)));
                    return Ok(());
                }
            };
            let opened = match runtime.block_on(listen(options, rules, directory)) {
                Ok(opened) => opened,
                Err(error) => {
                    drop(started.send(Err(error)));
                    return Ok(());
                }
            };
            let (server, keeper) = (opened.server.clone(), opened.keeper.clone());
            drop(started.send(Ok(opened)));
            // An error means that the sender was dropped: that is the end, too.
            let _ = runtime.block_on(stopped);
            let saved = keeper.map_or(Ok(()), |keeper| runtime.block_on(keeper.save()));
            server.close();
            runtime.shutdown_timeout(SHUTDOWN);
            server.delete_files();
            saved
        })?;
        let opened =
            match starting.await.unwrap_or_else(|_| Err(io::Error::other("the sandbox's thread ended"))) {
                Ok(opened) => opened,
                Err(error) => {
                    // It deletes the files.
                    let _ = thread.join();
                    return Err(error);
                }
            };
        let Opened { server, identity, keeper } = opened;
        Ok(Self { server, identity, keeper, stop: Some(stop), thread: Some(thread) })
    }

    /// Where the API answers: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.server.url
    }

    /// The personal access token of the first workspace.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.identity.token
    }

    /// A service principal of the first workspace; its token comes from `/oidc/v1/token`.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.identity.client_id
    }

    /// The secret of [`client_id`](Self::client_id).
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.identity.client_secret
    }

    /// What the login page asks for: proof that the person at the browser may see this sandbox's output. It is new in
    /// each sandbox. Without it, anyone who can open a connection on this machine could log in and run code.
    #[must_use]
    pub fn login_code(&self) -> &str {
        &self.server.login_code
    }

    /// An identity token of a workload, to be exchanged for a token at `/oidc/v1/token` together with a client id. It
    /// is signed by this sandbox, which accepts no other.
    #[must_use]
    pub fn identity_token(&self) -> String {
        self.server.workloads.issue(&self.server.url)
    }

    /// The temporary directory that holds results and the folders in which Python runs. Only its owner can read it.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.server.directory_path
    }

    /// The account's id, for the account-level token endpoint `/oidc/accounts/<id>/v1/token`.
    #[must_use]
    pub fn account_id(&self) -> &'static str {
        ACCOUNT_ID
    }

    /// A personal access token that opens a fresh workspace of its own.
    #[must_use]
    pub fn fresh_token(&self) -> String {
        self.server.open_workspace(None, None).0
    }

    /// A service principal (client id, secret) that opens a fresh workspace of its own.
    #[must_use]
    pub fn fresh_client(&self) -> (String, String) {
        let (_, tenant) = self.server.open_workspace(None, None);
        self.server.add_client(tenant)
    }

    /// Saves the first workspace to its [directory](SandboxBuilder::with_data) now. That happens by itself from time to
    /// time and when the sandbox is dropped, but then an error is only logged. Without a directory it does nothing.
    ///
    /// # Errors
    /// A file cannot be written.
    pub async fn save(&self) -> io::Result<()> {
        match &self.keeper {
            Some(keeper) => keeper.save().await,
            None => Ok(()),
        }
    }

    /// Ends the sandbox, as dropping it does, and says what could not be saved. It blocks for a moment.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let sandbox = brickwire_sandbox::Sandbox::start().await?;
    /// sandbox.close()
    /// # }
    /// ```
    ///
    /// # Errors
    /// A file of its [directory](SandboxBuilder::with_data) cannot be written.
    pub fn close(mut self) -> io::Result<()> {
        self.end()
    }

    /// Saves the first workspace and ends; later calls do nothing.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        drop(self.stop.take());
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or(Ok(()))
    }

    /// All requests that arrived, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.server.log.those(|_| true)
    }

    /// The requests that arrived for the workspace that a personal access token or a client id opens.
    #[must_use]
    pub fn requests_of(&self, credential: &str) -> Vec<RecordedRequest> {
        let tenant = self.server.directory.tenant_behind(credential);
        let Some(tenant) = tenant else { return Vec::new() };
        self.server.log.those(|request| request.tenant.as_ref() == Some(&tenant.name))
    }

    /// Injects a fault from now on, for every workspace; see [`FaultRule`].
    ///
    /// # Errors
    /// The rule cannot be read, or there are 1,000 already.
    pub fn fault(&self, rule: &str) -> Result<(), ParseFaultError> {
        self.server.faults.add(rule.parse()?, None)
    }

    /// Injects a fault for one workspace only, named by a personal access token or a client id.
    ///
    /// # Errors
    /// The rule cannot be read, or there are 1,000 already.
    pub fn fault_for(&self, credential: &str, rule: &str) -> Result<(), ParseFaultError> {
        let tenant = self.server.directory.tenant_behind(credential).map(|tenant| tenant.name.clone());
        self.server.faults.add(rule.parse()?, Some(tenant.unwrap_or_default()))
    }

    /// The clock that delays and expiries follow.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.server.options.clock
    }
}

impl SandboxBuilder {
    /// Starts the sandbox on threads of its own.
    ///
    /// # Errors
    /// The port is taken, there is no room for a temporary directory, or a fault's rule cannot be read (`InvalidInput`).
    /// With a directory: it isn't a sandbox's, a file in it is damaged or of a newer sandbox (`InvalidData`), or another
    /// sandbox uses it (`ResourceBusy`).
    pub async fn start(self) -> io::Result<Sandbox> {
        Sandbox::launch(self).await
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("url", &self.server.url).finish_non_exhaustive()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(%error, "cannot save the workspace");
        }
    }
}

/// How long running tasks may take to end.
const SHUTDOWN: Duration = Duration::from_millis(500);

/// How often expired results are deleted when no request comes.
const SWEEP: Duration = Duration::from_secs(30);

fn unreadable(error: ParseFaultError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

/// A sandbox that serves.
struct Opened {
    server: Arc<Server>,
    identity: Identity,
    keeper: Option<Arc<Keeper>>,
}

/// Opens the first workspace, binds both listeners and serves on them.
async fn listen(
    options: Options,
    rules: Vec<FaultRule>,
    directory: Option<DataDirectory>,
) -> io::Result<Opened> {
    let kept = directory.as_ref().and_then(|directory| directory.identity.clone());
    let api = match (options.port, &kept) {
        // So that a client that is set up for this workspace still finds it.
        (0, Some(kept)) => match TcpListener::bind(("127.0.0.1", kept.port)).await {
            Ok(api) => api,
            Err(_) => TcpListener::bind(("127.0.0.1", 0)).await?,
        },
        (port, _) => TcpListener::bind(("127.0.0.1", port)).await?,
    };
    let links = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = api.local_addr()?.port();
    let server = Arc::new(Server::new(options, api.local_addr()?, links.local_addr()?)?);
    for rule in rules {
        server.faults.add(rule, None).map_err(unreadable)?;
    }
    let (api, links) = (server.gates.api.guard(api)?, server.gates.links.guard(links)?);
    let (identity, tenant) =
        first_workspace(&server, kept, port, directory.as_ref().map(|directory| directory.path().to_owned()));
    let keeper = match directory {
        Some(directory) => Some(Arc::new(Keeper::open(directory, &identity, tenant).await?)),
        None => None,
    };
    let api_service = routes::router(server.clone()).into_make_service_with_connect_info::<Connection>();
    let link_service = storage::router(server.clone()).into_make_service_with_connect_info::<Connection>();
    tokio::spawn(async move { axum::serve(api, api_service).await });
    tokio::spawn(async move { axum::serve(links, link_service).await });
    tokio::spawn({
        let server = server.clone();
        async move {
            let mut ticks = tokio::time::interval(SWEEP);
            loop {
                ticks.tick().await;
                disk::sweep(&server);
            }
        }
    });
    if let Some(keeper) = keeper.clone() {
        tokio::spawn(async move { keeper.run().await });
    }
    Ok(Opened { server, identity, keeper })
}

/// The workspace that there was before, or a new one.
fn first_workspace(
    server: &Server,
    kept: Option<Identity>,
    port: u16,
    folder: Option<PathBuf>,
) -> (Identity, Arc<Tenant>) {
    let wanted = server.options.token.clone();
    if let Some(kept) = kept {
        let identity = Identity { token: wanted.unwrap_or(kept.token), port, ..kept };
        let (id, opened_ms) = (identity.workspace_id, identity.opened_ms);
        let tenant = server.reopen_workspace(&identity.token, id, opened_ms, folder);
        server.directory.add_client(&identity.client_id, &identity.client_secret, tenant.clone());
        return (identity, tenant);
    }
    let (token, tenant) = server.open_workspace(wanted, folder);
    let (client_id, client_secret) = server.add_client(tenant.clone());
    let (workspace_id, opened_ms) = (tenant.workspace_id, tenant.opened_ms);
    (Identity { token, client_id, client_secret, workspace_id, opened_ms, port }, tenant)
}
