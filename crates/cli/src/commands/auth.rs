//! `brick auth`: browser logins, and the only command that prints a token.

mod browser;
pub(super) mod login;
mod status;

use std::time::{Duration, SystemTime};

use brickwire_actions::{Config, ConfigBuilder};
use clap::Subcommand;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::{candidates, context::Context, failure::Result, options::duration};

/// Log in with a browser, log out, show the login, or print a token
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Log in with a browser and save the login for later commands
    #[command(after_help = "\
The token is only sent to the host that you logged in to. If this machine has no browser, the command prints a
page to open on any machine, and asks for the address that the browser is sent to afterwards.

Examples:
  brick auth login --host https://adb-123.4.azuredatabricks.net --save work
  brick auth login work --no-browser")]
    Login {
        #[command(flatten)]
        which: Which,
        /// Print the login page instead of opening a browser
        #[arg(long)]
        no_browser: bool,
        /// Save the host and the login as this profile of the configuration file
        #[arg(long, value_name = "NAME")]
        save: Option<String>,
        /// Stop waiting for the login after this time
        #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
        timeout: Duration,
    },
    /// Show the host, the user, the kind of credential, and when it expires
    #[command(after_help = "\
The exit code is 0 if the service accepts the credential, and 4 if not.

Example:
  brick auth status -o json")]
    Status(Which),
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
        Command::Login { which, no_browser, save, timeout } => {
            let sources = which.sources(context).await?;
            login::run(&sources, no_browser, save.as_deref(), timeout, context).await
        }
        Command::Status(which) => status::run(&which.config(context).await?, context).await,
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
    async fn sources(&self, context: &Context) -> Result<ConfigBuilder> {
        let sources = context.sources().await?;
        Ok(match &self.name {
            Some(name) => sources.profile(name),
            None => sources,
        })
    }

    /// Only the host matters here, so conflicting credentials are not an error.
    async fn config(&self, context: &Context) -> Result<Config> {
        Ok(self.sources(context).await?.read()?)
    }
}
