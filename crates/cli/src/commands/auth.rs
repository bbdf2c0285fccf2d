//! `brick auth`: logging in with the browser, and out; and the one command that prints a token.

use std::{
    process::{Command as Program, Stdio},
    time::{Duration, SystemTime},
};

use brickwire_actions::{BrowserLogin, Config};
use clap::Subcommand;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use super::Result;
use crate::{args::duration, completion, context::Context};

#[derive(Debug, Subcommand)]
pub(crate) enum Auth {
    /// Log in with the browser, and keep the login for the commands that follow
    #[command(after_help = "\
The login belongs to the host: no other is sent its token. The configuration file is not changed.

Examples:
  brick auth login --host https://adb-123.4.azuredatabricks.net
  brick auth login work --no-browser")]
    Login {
        #[command(flatten)]
        which: Which,
        /// Only print the address to open, which must be on this machine
        #[arg(long)]
        no_browser: bool,
        /// Give up waiting for the browser after this time
        #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
        timeout: Duration,
    },
    /// Forget a login that was made with the browser
    #[command(after_help = "Example:\n  brick auth logout work")]
    Logout(Which),
    /// Print a token that is good now, as JSON: a secret, for another program
    #[command(after_help = "Example:\n  brick auth token --jq .access_token")]
    Token(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Profile in ~/.databrickscfg, as --profile
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(completion::profiles))]
    name: Option<String>,
}

pub(crate) async fn run(command: Auth, context: &Context) -> Result {
    match command {
        Auth::Login { which, no_browser, timeout } => login(&which, no_browser, timeout, context).await,
        Auth::Logout(which) => {
            let config = which.config(context).await?;
            let host = config.host().map(ToString::to_string).unwrap_or_default();
            match config.logout()? {
                true => context.note(&format!("logged out of {host}")),
                false => context.note(&format!("not logged in to {host} with the browser")),
            }
            Ok(())
        }
        Auth::Token(which) => {
            let config = which.config(context).await?;
            config.check()?;
            let token = context.connect(&config)?.access_token().await?;
            let expiry = token.expires_in.map(|left| SystemTime::now() + left);
            let shown = json!({
                "access_token": token.token.expose(),
                "token_type": "Bearer",
                "expiry": expiry.map(|e| humantime::format_rfc3339_seconds(e).to_string()),
            });
            context.output().document(&shown.to_string())
        }
    }
}

impl Which {
    /// Contradictory credentials are no matter here: only the host counts.
    async fn config(&self, context: &Context) -> Result<Config> {
        let sources = context.sources().await?;
        Ok(match &self.name {
            Some(name) => sources.profile(name),
            None => sources,
        }
        .read()?)
    }
}

async fn login(which: &Which, no_browser: bool, within: Duration, context: &Context) -> Result {
    let login = BrowserLogin::start(&which.config(context).await?).await?;
    let opened = !no_browser && open(login.address());
    let verb = if opened { "opened" } else { "open" };
    context.note(&format!("{verb} {} in a browser on this machine; waiting for the login", login.address()));
    login.wait(within).await?;
    // As it is now that there is a login.
    let config = which.config(context).await?;
    let host = config.host().map(ToString::to_string).unwrap_or_default();
    context.note(&format!("logged in to {host}"));
    match config.auth_type() {
        Some("external-browser") => {}
        Some(other) => context.note(&format!(
            "warning: {other} is configured too and comes first; to use the login, set \
             DATABRICKS_AUTH_TYPE=external-browser (auth_type), or take the other away"
        )),
        None => context.note("warning: other credentials are configured too: see `brick config show`"),
    }
    Ok(())
}

/// Opens an address that holds no secret: other users may see a program's arguments.
fn open(address: &str) -> bool {
    let (program, arguments): (_, &[&str]) = if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else if cfg!(target_os = "macos") {
        ("open", &[])
    } else {
        ("xdg-open", &[])
    };
    let mut program = Program::new(program);
    program.args(arguments).arg(address);
    program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().is_ok()
}
