//! `brick config`: the configuration and its sources, without network access.

use brickwire_actions::ConfigView;
use clap::Subcommand;
use serde_json::{Value, json, value::to_raw_value};

use crate::{context::Context, failure::Result, output::Column};

/// Show the configuration and where it comes from
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show every setting with its source, and which settings are ignored and why
    #[command(after_help = "\
Secrets are shown as ***. A contradictory configuration is shown, too, and the exit code is 3.

Example:
  brick config show --profile work")]
    Show,
    /// List the profiles in the configuration file
    #[command(after_help = "Example:\n  brick config profiles -o table")]
    Profiles,
}

const VALUES: &[Column] =
    &[("NAME", "/name"), ("VALUE", "/value"), ("SOURCE", "/source"), ("IGNORED BECAUSE", "/reason")];

const PROFILES: &[Column] = &[
    ("NAME", "/name"),
    ("HOST", "/host"),
    ("AUTH TYPE", "/auth_type"),
    ("DEFAULT", "/default"),
    ("FAULT", "/fault"),
];

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let sources = context.sources().await?;
    match command {
        Command::Show => {
            let config = sources.read()?;
            show(&config.view(), context)?;
            Ok(config.check()?)
        }
        Command::Profiles => {
            let profiles = sources.profiles()?;
            let items = profiles.iter().map(to_raw_value).collect::<serde_json::Result<Vec<_>>>()?;
            context.output().list(&items, PROFILES)
        }
    }
}

fn show(view: &ConfigView, context: &Context) -> Result {
    if context.output().is_json() {
        return context.output().document(&serde_json::to_string(view)?);
    }
    for warning in &view.warnings {
        context.note(&format!("warning: {warning}"));
    }
    let mut values: Vec<Value> = view.attributes.iter().map(|a| json!(a)).collect();
    if let (Some(kind), false) = (&view.auth_type, view.attributes.iter().any(|a| a.name == "auth_type")) {
        values.push(json!({ "name": "auth_type", "value": kind, "source": "follows from these" }));
    }
    values.extend(view.ignored.iter().map(|i| json!(i)));
    let items = values.iter().map(to_raw_value).collect::<serde_json::Result<Vec<_>>>()?;
    context.output().list(&items, VALUES)
}
