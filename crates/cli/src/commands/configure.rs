//! `brick configure`: asks for a connection, tests it, and saves it as a profile.
//!
//! Without a terminal nothing is asked: everything has to be given, and a secret comes from standard input. A secret is
//! never an argument, because other users can see the arguments of a process.

mod answers;

use std::{
    env,
    fs::OpenOptions,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    time::Duration,
};

use brickwire_actions::{ConfigBuilder, Profile, Secret, Workspace};
use clap_complete::ArgValueCompleter;
use serde_json::json;

use super::{auth::login, clusters, config, warehouses};
use crate::{
    context::Context,
    failure::{Failure, Result},
    source::Input,
};
use answers::Credential;

/// The longest secret, in bytes.
const LONGEST: u64 = 64 << 10;

/// How long a login with a browser may take.
const LOGIN: Duration = Duration::from_secs(10 * 60);

/// Set up a connection, test it, and save it as a profile
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Asks for what is missing if it runs on a terminal. The profile is saved in ~/.databrickscfg after the service has
accepted the credential. Settings of the profile that are not given stay as they are.

Examples:
  brick configure
  brick configure -p work --host https://adb-123.4.azuredatabricks.net --token-stdin < token.txt
  brick configure -p work --warehouse \"Shared Endpoint\" --set-default")]
pub(crate) struct Command {
    /// Read an access token from standard input
    #[arg(long, conflicts_with = "client_id")]
    token_stdin: bool,
    /// Application ID of a service principal
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Read the OAuth secret of the service principal from standard input
    #[arg(long, requires = "client_id")]
    secret_stdin: bool,
    /// ID or name of the SQL warehouse to save as the default
    #[arg(long, short, value_name = "WAREHOUSE", add = ArgValueCompleter::new(warehouses::candidates))]
    warehouse: Option<String>,
    /// ID or name of the cluster to save as the default
    #[arg(long, short, value_name = "CLUSTER", add = ArgValueCompleter::new(clusters::candidates))]
    cluster: Option<String>,
    /// Use this profile when no other is named
    #[arg(long)]
    set_default: bool,
    /// For a login with a browser, print the login page instead of opening a browser
    #[arg(long)]
    no_browser: bool,
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    create_named_file()?;
    let global = context.global();
    if global.sandbox {
        return Err(Failure::usage("a sandbox needs no profile: --sandbox was given"));
    }
    // The line that shows progress would be in the way of the questions.
    context.progress().clear();
    let secret = match command.token_stdin || command.secret_stdin {
        true => Some(from_stdin()?),
        false => None,
    };
    let sources = context.sources().await?;
    let profiles = sources.profiles()?;
    let name = answers::name(global.profile.as_deref(), &profiles).await?;
    let current = profiles.iter().find(|profile| profile.name == name);
    let host = answers::host(global.host.as_deref(), current).await?;
    // A name or a file that can't be used is reported before more is asked.
    sources.preview_profile(&Profile::new(&name).with("host", host.as_str()).with_login())?;
    let credential = match (command.client_id, secret) {
        (Some(id), Some(secret)) => Credential::Principal(id, secret),
        (None, Some(token)) => Credential::Token(token),
        (id, None) => answers::credential(id, &host, current).await?,
    };

    let mut profile = Profile::new(&name).with("host", host.as_str());
    if let Some(file) = &global.ca_file {
        profile = profile.with("ca_file", file.as_str());
    }
    profile = match &credential {
        Credential::Token(token) => profile.with("token", token.clone()),
        Credential::Principal(id, secret) => {
            profile.with("client_id", id.as_str()).with("client_secret", secret.clone())
        }
        Credential::Login => profile.with_login(),
        Credential::Kept => profile,
    };
    let tested = test(&sources, &profile, &credential, command.no_browser, context).await;
    let (workspace, user) = tested.inspect_err(|_| context.note("nothing was saved"))?;
    let warehouse = answers::resource(command.warehouse, &workspace.warehouses(), "brick sql").await?;
    let cluster = answers::resource(command.cluster, &workspace.clusters(), "brick run").await?;
    for (setting, id) in [("warehouse_id", &warehouse), ("cluster_id", &cluster)] {
        if let Some(id) = id {
            profile = profile.with(setting, id.as_str());
        }
    }
    if command.set_default || answers::is_default(&name, &profiles).await? {
        profile = profile.as_default();
    }
    let file = sources.save_profile(&profile)?;
    let saved = sources.profiles()?.into_iter().find(|profile| profile.name == name);
    let is_default = saved.as_ref().is_some_and(|profile| profile.default);
    if is_default {
        config::tell_overridden(&name, context);
    }
    show(
        &json!({
            "profile": name,
            "host": workspace.host().as_str(),
            "auth_type": saved.and_then(|profile| profile.auth_type),
            "user": user,
            "warehouse_id": warehouse,
            "cluster_id": cluster,
            "default": is_default,
            "file": file,
        }),
        &file,
        context,
    )
}

/// Logs in if needed, and asks the service who the credential belongs to.
async fn test(
    sources: &ConfigBuilder,
    profile: &Profile,
    credential: &Credential,
    no_browser: bool,
    context: &Context,
) -> Result<(Workspace, Option<String>)> {
    let config = sources.preview_profile(profile)?;
    if matches!(credential, Credential::Login) {
        login::log_in(&config, no_browser, LOGIN, context).await?;
    }
    // Read again, now that there may be a login.
    let config = sources.preview_profile(profile)?;
    for warning in config.warnings() {
        context.note(&format!("warning: {warning}"));
    }
    let workspace = context.connect(&config)?;
    // An account console has no workspace's user.
    let user = match workspace.host().is_account_console() {
        true => workspace.access_token().await.map(|_| None)?,
        false => workspace.users().me().await?.user_name.clone(),
    };
    let name = user.as_deref().map(|user| format!(" as {user}")).unwrap_or_default();
    context.note(&format!("connected to {}{name}", workspace.host()));
    Ok((workspace, user))
}

/// The secret on standard input. A terminal is refused, because it would show what is typed.
fn from_stdin() -> Result<Secret> {
    if io::stdin().is_terminal() {
        return Err(Failure::usage("standard input is a terminal, which would show the secret")
            .with_hint("pipe the secret in, or leave the option out to be asked for it"));
    }
    let text = Input::read(Path::new("-"), LONGEST)?.text()?;
    if text.trim().is_empty() {
        return Err(Failure::usage("the secret on standard input is empty"));
    }
    Ok(Secret::new(text.trim()))
}

fn show(saved: &serde_json::Value, file: &Path, context: &Context) -> Result {
    if !context.output().is_brief() {
        return context.record(saved.to_string().as_bytes());
    }
    let name = saved["profile"].as_str().unwrap_or_default();
    let option = if saved["default"] == true { String::new() } else { format!(" -p {name}") };
    let line = format!("saved profile {name} in {}; try: brick clusters list{option}\n", file.display());
    Ok(context.output().text(&line)?)
}

/// Creates the file that `DATABRICKS_CONFIG_FILE` names, readable by its owner only. Reading a file that is named and
/// missing is an error elsewhere.
fn create_named_file() -> Result {
    let Some(path) = env::var_os("DATABRICKS_CONFIG_FILE").filter(|path| !path.is_empty()).map(PathBuf::from)
    else {
        return Ok(());
    };
    // A path that begins with ~ is left to the library.
    if path.exists() || path.starts_with("~") {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&path).map(drop).map_err(|error| {
        Failure::file(&path, &error)
            .with_hint("create its folder, or name another file with DATABRICKS_CONFIG_FILE")
    })
}
