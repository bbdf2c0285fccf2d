//! What a command works with: the configuration and the workspace, created on first use, and the output.

use std::{
    io::{self, IsTerminal},
    path::Path,
    sync::OnceLock,
    time::{Duration, Instant},
};

#[cfg(feature = "sandbox")]
use brickwire_actions::Environment;
use brickwire_actions::{Config, ConfigBuilder, ErrorKind, RetryPolicy, Statement, WaitOptions, Workspace};
use tokio::sync::OnceCell;

use crate::{
    failure::{Failure, Result},
    options::{Format, Global},
    output::{self, Frame, Look, Output, Selection, format_for},
    progress::Progress,
};

/// How long cancellations may take after an interrupt: the service takes up to 5 s to answer a submission, and only the
/// answer names what to cancel.
pub(crate) const SETTLE: Duration = Duration::from_secs(6);

/// How long the cleanup may take after a command finishes.
const CLEAN_UP: Duration = Duration::from_secs(4);

/// How long a command with --timeout may take beyond it, to cancel what it started.
const GRACE: Duration = Duration::from_millis(1200);

/// The time without a limit: practically none, and small enough to be added to any moment.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A person waits for the answer, so retries of a request end after a minute. A command with --timeout asks again, as
/// long as it may.
const RETRY: RetryPolicy = RetryPolicy::Safe { budget: Duration::from_secs(60) };

/// What every command gets.
pub(crate) struct Context {
    global: Global,
    progress: Progress,
    started: Instant,
    /// When the time that --timeout gives is over.
    deadline: OnceLock<Instant>,
    workspace: OnceCell<Workspace>,
    config: OnceCell<Config>,
    /// Where the output goes while the command is watched.
    frame: OnceLock<Frame>,
    /// The exit code of a program that the command ran.
    exit_code: OnceLock<u8>,
    #[cfg(feature = "sandbox")]
    sandbox: OnceCell<brickwire_sandbox::Sandbox>,
}

impl Context {
    pub(crate) fn new(global: Global) -> Self {
        Self {
            progress: Progress::new(&global),
            started: Instant::now(),
            global,
            deadline: OnceLock::new(),
            workspace: OnceCell::new(),
            config: OnceCell::new(),
            frame: OnceLock::new(),
            exit_code: OnceLock::new(),
            #[cfg(feature = "sandbox")]
            sandbox: OnceCell::new(),
        }
    }

    /// Limits the rest of the command: all of its requests together, from the search for a name to the last poll, with
    /// their retries. Returns the limit for what is waited for.
    pub(crate) fn limit(&self, timeout: Duration) -> WaitOptions {
        let timeout = timeout.min(FOREVER);
        let deadline = *self.deadline.get_or_init(|| Instant::now() + timeout);
        WaitOptions::default().with_timeout(timeout).until(deadline)
    }

    /// As [`limit`](Self::limit), for work that may take days: without a time there is no limit.
    pub(crate) fn limit_if_any(&self, timeout: Option<Duration>) -> WaitOptions {
        match timeout {
            Some(timeout) => self.limit(timeout),
            None => WaitOptions::default().with_timeout(Duration::MAX),
        }
    }

    /// When the command has to be done.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline.get().copied()
    }

    /// The workspace that the flags, the environment, or a profile identify. Its calls end at the command's deadline.
    pub(crate) async fn workspace(&self) -> Result<Workspace> {
        let connect = async || {
            let config = self.config().await?;
            for warning in config.warnings() {
                self.note(&format!("warning: {warning}"));
            }
            self.connect(config)
        };
        let workspace = self.workspace.get_or_try_init(connect).await?;
        Ok(match self.deadline() {
            Some(deadline) => workspace.with_deadline(deadline),
            None => workspace.clone(),
        })
    }

    /// A workspace whose requests are neither shown nor repeated, for completion.
    pub(crate) async fn silent_workspace(&self) -> Result<Workspace> {
        Ok(Workspace::builder().config(self.config().await?).with_retry(RetryPolicy::never()).build()?)
    }

    /// Ends with this exit code if the command succeeds.
    #[cfg(feature = "sandbox")]
    pub(crate) fn exit_with(&self, code: u8) {
        self.exit_code.get_or_init(|| code);
    }

    /// The exit code of a program that the command ran.
    pub(crate) fn exit_code(&self) -> Option<u8> {
        self.exit_code.get().copied()
    }

    /// The options of every command.
    pub(crate) fn global(&self) -> &Global {
        &self.global
    }

    /// Creates the workspace for a configuration.
    pub(crate) fn connect(&self, config: &Config) -> Result<Workspace> {
        let builder = Workspace::builder()
            .config(config)
            .with_product("brick", env!("CARGO_PKG_VERSION"))
            .with_events(self.progress.events())
            .with_retry(RETRY)
            .with_debug(self.global.debug || self.global.verbose > 1);
        builder.build().map_err(|error| match (error.kind(), config.host(), config.auth_type()) {
            (ErrorKind::Configuration, None, _) => Failure::from(error).with_next("brick configure"),
            (ErrorKind::Configuration, Some(host), None) if config.check().is_ok() => {
                Failure::from(error).with_next(format!("brick auth login --host {host}"))
            }
            _ => error.into(),
        })
    }

    /// The resolved configuration.
    pub(crate) async fn config(&self) -> Result<&Config> {
        self.config.get_or_try_init(async || Ok(self.sources().await?.resolve()?)).await
    }

    /// The settings from flags. The environment and a profile complete them.
    pub(crate) async fn sources(&self) -> Result<ConfigBuilder> {
        if self.global.sandbox {
            return self.sandbox_sources().await;
        }
        let Global { profile, host, ca_file, .. } = &self.global;
        let given = [("profile", profile), ("host", host), ("ca_file", ca_file)];
        let read_only = self.global.read_only.then(|| ("read_only", "true".to_owned()));
        let given =
            given.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).chain(read_only);
        Ok(given.fold(Config::builder(), |builder, (name, value)| builder.with(name, value)))
    }

    #[cfg(feature = "sandbox")]
    async fn sandbox_sources(&self) -> Result<ConfigBuilder> {
        self.check_sandbox()?;
        let started = self.sandbox.get_or_try_init(brickwire_sandbox::Sandbox::start).await;
        let sandbox = started.map_err(|e| Failure::local(format!("cannot start the sandbox: {e}")))?;
        let read_only = if self.global.read_only { "true" } else { "" };
        let builder = Config::builder().environment(Environment::default());
        Ok(builder.host(sandbox.url()).token(sandbox.token()).with("read_only", read_only))
    }

    /// Refuses options that name another workspace: what was meant for it would be done in the sandbox.
    #[cfg(feature = "sandbox")]
    fn check_sandbox(&self) -> Result {
        let Global { profile, host, ca_file, .. } = &self.global;
        let given = [("--profile", profile), ("--host", host), ("--ca-file", ca_file)];
        match given.into_iter().find(|(_, value)| value.is_some()) {
            Some((name, _)) => Err(Failure::usage(format!("--sandbox cannot be used with {name}"))
                .with_hint("remove one of them")),
            None => Ok(()),
        }
    }

    #[cfg(not(feature = "sandbox"))]
    async fn sandbox_sources(&self) -> Result<ConfigBuilder> {
        Err(Failure::not_built("sandbox", "full,sandbox"))
    }

    /// Checks the filter, and the format unless it follows from a file's name.
    pub(crate) fn check_output(&self, has_batches: bool) -> Result {
        let Global { output, jq, null, columns, .. } = &self.global;
        // Without a format, it may follow from a file's name.
        let may_follow = matches!(output, Format::Auto | Format::Agent) || self.global.is_format_preferred;
        if !may_follow || !has_batches {
            output::check_null(*output, null.as_deref(), jq.as_deref())?;
        }
        output::check(*output, jq.as_deref(), has_batches)?;
        if *output == Format::Name && columns.is_some() {
            return Err(Failure::usage("-o name prints IDs and takes no --columns")
                .with_hint("use -o tsv --no-header"));
        }
        Ok(())
    }

    /// Refuses the format that only rows have for a command without rows.
    pub(crate) fn check_envelope(&self, has_rows: bool) -> Result {
        match self.global.output {
            Format::Envelope if !has_rows => {
                Err(Failure::usage("envelope is for SQL rows").with_hint("use -o json"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the workspace refuses what may change something. A configuration that is wrong is reported where it is used.
    pub(crate) async fn is_read_only(&self) -> bool {
        self.global.read_only
            || !self.global.sandbox && self.config().await.is_ok_and(brickwire_actions::Config::is_read_only)
    }

    /// Refuses SQL that may change something, in read-only mode.
    pub(crate) async fn check_reads(&self, text: &str) -> Result {
        if self.is_read_only().await {
            Statement::check_reads(text)?;
        }
        Ok(())
    }

    /// Whether what is printed is bounded, for an agent.
    pub(crate) fn is_agent(&self) -> bool {
        self.global.output == Format::Agent
    }

    /// How long the command has taken.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The format that the user requested, and whether there is a filter.
    pub(crate) fn asked(&self) -> (Format, bool) {
        (self.global.output, self.global.jq.is_some())
    }

    /// The output for data. Clears the progress line.
    pub(crate) fn output(&self) -> Output {
        self.progress.clear();
        match self.frame.get() {
            // A change is a line.
            Some(frame)
                if !io::stdout().is_terminal()
                    && matches!(self.global.output, Format::Auto | Format::Json) =>
            {
                self.output_as(Format::Jsonl).into_frame(frame.clone())
            }
            Some(frame) => self.output_as(self.global.output).into_frame(frame.clone()),
            None => self.output_as(self.global.output),
        }
    }

    /// Checks that the format suits rows. The progress line stays.
    pub(crate) fn check_rows(&self) -> Result {
        self.output_as(self.global.output).check_rows()
    }

    /// The output in another format than the one that was asked for.
    pub(crate) fn output_as(&self, format: Format) -> Output {
        let Global { jq, columns, no_header, .. } = &self.global;
        let selection = Selection { columns: columns.clone(), no_header: *no_header };
        let look = Look::new(&self.global, self.started);
        Output::new(format, jq.clone()).with_selection(selection).with_look(look)
    }

    /// From now on, keeps what is printed instead of printing it.
    pub(crate) fn watch(&self) -> &Frame {
        self.frame.get_or_init(Frame::default)
    }

    /// The names of the columns to print, if some were chosen.
    pub(crate) fn columns(&self) -> Option<&[String]> {
        self.global.columns.as_deref()
    }

    /// Prints one response of the service.
    pub(crate) fn record(&self, raw: &[u8]) -> Result {
        self.output().record(&String::from_utf8_lossy(raw))
    }

    /// The output for rows, in the format that the file name implies unless a format was given. `has_batches` says
    /// whether they can be written as Arrow or Parquet.
    pub(crate) fn output_to(&self, file: Option<&Path>, has_batches: bool) -> Result<Output> {
        let Global { output, jq, null, is_format_preferred, .. } = &self.global;
        // What is saved is not for the agent's eyes, and is whole. A file's name says more than BRICK_OUTPUT.
        let is_default = *output == Format::Agent || *is_format_preferred;
        let output = if is_default && file.is_some() { &Format::Auto } else { output };
        // A filter writes text, whose kind only the user knows.
        let format = match format_for(*output, file) {
            Err(_) if jq.is_some() => Format::Json,
            Ok(Format::Csv | Format::Tsv | Format::Markdown | Format::Table)
                if jq.is_some() && *output == Format::Auto =>
            {
                Format::Json
            }
            format => format?,
        };
        output::check(format, jq.as_deref(), has_batches)?;
        output::check_null(format, null.as_deref(), jq.as_deref())?;
        Ok(self.output_as(format))
    }

    /// Progress on stderr.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Prints a note to stderr.
    pub(crate) fn note(&self, text: &str) {
        self.progress.line(text);
    }

    /// Waits until what must not outlive the program has been canceled.
    pub(crate) async fn settle(&self, interrupted: bool) {
        if let Some(workspace) = self.workspace.get() {
            let left = |deadline: Instant| (deadline + GRACE).saturating_duration_since(Instant::now());
            let limit = match self.deadline() {
                _ if interrupted => SETTLE,
                Some(deadline) => left(deadline).min(CLEAN_UP),
                None => CLEAN_UP,
            };
            let _ = workspace.settle(limit).await;
        }
    }
}
