//! `brick config`: the configuration and its sources, and the default profile, without network access.

use std::collections::BTreeSet;

use brickwire_actions::{Config, ConfigView, Setting, Source};
use clap::Subcommand;
use clap_complete::ArgValueCompleter;
use serde_json::{Value, json, value::to_raw_value};

use crate::{candidates, context::Context, failure::Result, output::Column};

/// Show the configuration and where it comes from, or choose the default profile
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
    /// Choose the profile that is used when no other is named
    #[command(after_help = "\
Sets default_profile in the section [__settings__] of the configuration file.

Example:
  brick config use work")]
    Use {
        /// Name of the profile
        #[arg(value_name = "NAME", add = ArgValueCompleter::new(candidates::profiles))]
        name: String,
    },
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
        Command::Use { name } => {
            let file = sources.set_default_profile(&name)?;
            tell_overridden(&name, context);
            if context.output().is_brief() {
                let line = format!("the default profile is {name} in {}\n", file.display());
                return Ok(context.output().text(&line)?);
            }
            context.record(json!({ "default_profile": name, "file": file }).to_string().as_bytes())
        }
    }
}

/// Says which variables keep the default profile from being used.
pub(super) fn tell_overridden(name: &str, context: &Context) {
    let Ok(used) = Config::builder().read() else { return };
    if used.profile() == Some(name) {
        return;
    }
    let is_variable = |setting: &&Setting| matches!(setting.source(), Source::Environment { .. });
    let sources: BTreeSet<_> =
        used.settings().iter().filter(is_variable).map(|setting| setting.source().to_string()).collect();
    if !sources.is_empty() {
        let sources = sources.into_iter().collect::<Vec<_>>().join(", ");
        context.note(&format!(
            "note: the environment comes before the default profile ({sources}); to use it, add -p {name}"
        ));
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
