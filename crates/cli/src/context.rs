//! From flags and environment to a workspace, made when the first command needs it.

use std::{cell::OnceCell, path::Path, time::Duration};

#[cfg(feature = "sandbox")]
use brickwire_actions::Environment;
use brickwire_actions::{Config, ConfigBuilder, Workspace};

use crate::{
    args::{Format, Global},
    output::{Output, format_of},
    progress::Progress,
    report::Failure,
};

/// How long cancellations may take when the program ends: up to 5 s until a submission is answered, and some more.
pub(crate) const SETTLE: Duration = Duration::from_secs(8);

/// What every command is given.
pub(crate) struct Context {
    global: Global,
    progress: Progress,
    workspace: OnceCell<Workspace>,
    config: OnceCell<Config>,
    #[cfg(feature = "sandbox")]
    sandbox: tokio::sync::OnceCell<brickwire_sandbox::Sandbox>,
}

impl Context {
    pub(crate) fn new(global: Global) -> Self {
        Self {
            progress: Progress::new(&global),
            global,
            workspace: OnceCell::new(),
            config: OnceCell::new(),
            #[cfg(feature = "sandbox")]
            sandbox: tokio::sync::OnceCell::new(),
        }
    }

    /// The workspace that the flags, the environment or a profile name.
    pub(crate) async fn workspace(&self) -> Result<Workspace, Failure> {
        if let Some(workspace) = self.workspace.get() {
            return Ok(workspace.clone());
        }
        let config = self.config().await?;
        for warning in config.warnings() {
            self.note(&format!("warning: {warning}"));
        }
        let workspace = self.connect(config)?;
        Ok(self.workspace.get_or_init(|| workspace).clone())
    }

    /// The workspace of a configuration.
    pub(crate) fn connect(&self, config: &Config) -> Result<Workspace, Failure> {
        let builder = Workspace::builder()
            .config(config)
            .with_product("brick", env!("CARGO_PKG_VERSION"))
            .with_events(self.progress.events())
            .with_debug(self.global.debug || self.global.verbose > 1);
        Ok(builder.build()?)
    }

    /// The configuration, resolved.
    pub(crate) async fn config(&self) -> Result<&Config, Failure> {
        if let Some(config) = self.config.get() {
            return Ok(config);
        }
        let config = self.sources().await?.resolve()?;
        Ok(self.config.get_or_init(|| config))
    }

    /// What the flags give, and the surroundings that complete it.
    pub(crate) async fn sources(&self) -> Result<ConfigBuilder, Failure> {
        if self.global.sandbox {
            return self.sandbox_sources().await;
        }
        let Global { profile, host, ca_file, .. } = &self.global;
        let given = [("profile", profile), ("host", host), ("ca_file", ca_file)];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
        Ok(given.fold(Config::builder(), |builder, (name, value)| builder.with(name, value)))
    }

    #[cfg(feature = "sandbox")]
    async fn sandbox_sources(&self) -> Result<ConfigBuilder, Failure> {
        let started = self.sandbox.get_or_try_init(brickwire_sandbox::Sandbox::start).await;
        let sandbox = started.map_err(|e| Failure::Unable(format!("cannot start the sandbox: {e}")))?;
        Ok(Config::builder().environment(Environment::default()).host(sandbox.url()).token(sandbox.token()))
    }

    #[cfg(not(feature = "sandbox"))]
    async fn sandbox_sources(&self) -> Result<ConfigBuilder, Failure> {
        Err(without_sandbox())
    }

    /// Data goes here.
    pub(crate) fn output(&self) -> Output {
        self.progress.clear();
        Output::new(self.global.output, self.global.jq.clone())
    }

    /// The same, in the format that a file's name asks for unless one was given.
    pub(crate) fn output_to(&self, file: Option<&Path>) -> Result<Output, Failure> {
        let asked = match (self.global.output, file) {
            (Format::Auto, Some(file)) if self.global.jq.is_none() => format_of(file).ok_or_else(|| {
                let file = file.display();
                Failure::Usage(format!(
                    "the file's extension names no format: {file}\nhint: .csv, .json, .jsonl, .arrow, .parquet or .txt \
                     do; with any other name the format, as in -o csv"
                ))
            })?,
            (asked, _) => asked,
        };
        Ok(Output::new(asked, self.global.jq.clone()))
    }

    /// What is shown meanwhile.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// A remark for a person, on stderr.
    pub(crate) fn note(&self, text: &str) {
        self.progress.line(text);
    }

    /// Sees out what was begun and is not to go on.
    pub(crate) async fn settle(&self, interrupted: bool) {
        if let Some(workspace) = self.workspace.get() {
            workspace.settle(if interrupted { SETTLE } else { SETTLE / 2 }).await;
        }
    }
}

/// What a build without the sandbox says of it.
#[cfg(not(feature = "sandbox"))]
pub(crate) fn without_sandbox() -> Failure {
    Failure::Unable(
        "this build of brick has no sandbox\nhint: install it with `cargo install brickwire-cli --features sandbox`"
            .to_owned(),
    )
}
