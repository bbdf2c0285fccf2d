//! `brick auth`: browser logins, and the only command that prints a token.

#[cfg(unix)]
use std::os::unix::process::CommandExt;
use std::{
    env,
    process::{self, Stdio},
    time::{Duration, SystemTime},
};

use brickwire_actions::{BrowserLogin, Config, Environment};
use clap::Subcommand;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::{candidates, context::Context, failure::Result, options::duration};

/// Log in with a browser, log out, or print a token
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Log in with a browser and save the login for later commands
    #[command(after_help = "\
The token is only sent to the host that you logged in to. The configuration file is not changed.

Examples:
  brick auth login --host https://adb-123.4.azuredatabricks.net
  brick auth login work --no-browser")]
    Login {
        #[command(flatten)]
        which: Which,
        /// Print the URL instead of opening it; open it on this machine
        #[arg(long)]
        no_browser: bool,
        /// Stop waiting for the login after this time
        #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
        timeout: Duration,
    },
    /// Delete a saved browser login
    #[command(after_help = "Example:\n  brick auth logout work")]
    Logout(Which),
    /// Print a valid access token as JSON, for use by another program (it is a secret)
    #[command(after_help = "Example:\n  brick auth token --jq .access_token")]
    Token(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Connection profile in ~/.databrickscfg, same as --profile
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(candidates::profiles))]
    name: Option<String>,
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::Login { which, no_browser, timeout } => login(&which, no_browser, timeout, context).await,
        Command::Logout(which) => {
            let config = which.config(context).await?;
            let host = config.host().map(ToString::to_string).unwrap_or_default();
            match config.logout()? {
                true => context.note(&format!("logged out of {host}")),
                false => context.note(&format!("not logged in to {host} with the browser")),
            }
            Ok(())
        }
        Command::Token(which) => {
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
    /// Only the host matters here, so conflicting credentials are not an error.
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
    // Read again, now that there is a login.
    let config = which.config(context).await?;
    let host = config.host().map(ToString::to_string).unwrap_or_default();
    context.note(&format!("logged in to {host}"));
    match config.auth_type() {
        Some("external-browser") => {}
        Some(other) => context.note(&format!(
            "warning: {other} is configured too and takes precedence; to use the login, set \
             DATABRICKS_AUTH_TYPE=external-browser (auth_type), or remove the other credential"
        )),
        None => context.note("warning: other credentials are configured too: see `brick config show`"),
    }
    Ok(())
}

/// Starts of the names of variables that browsers and the programs which open them have for themselves.
const BROWSERS: [&str; 7] =
    ["BROWSER", "CHROM", "FIREFOX", "HYPRLAND_", "I3SOCK", "SWAYSOCK", "SESSION_MANAGER"];

/// Opens a URL in the browser. The URL must not contain secrets: other users can see the arguments of a process.
fn open(address: &str) -> bool {
    let chosen = env::var_os("BROWSER").filter(|program| !program.is_empty()).map(|program| {
        let mut browser = process::Command::new(program);
        browser.arg(address);
        browser
    });
    // A browser runs other people's code: it inherits no credential.
    let environment = Environment::from_process().for_program(&BROWSERS);
    chosen.into_iter().chain(open::commands(address)).any(|mut browser| {
        browser.env_clear().envs(environment.variables());
        browser.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // It outlives this program, even one that is interrupted.
        #[cfg(unix)]
        browser.process_group(0);
        browser.spawn().is_ok()
    })
}
