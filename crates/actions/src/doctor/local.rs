//! What can be told without any network: the configuration and its file.

use super::{Check, Outcome};
use crate::{Config, Connection, Environment, Error, identity::config::FilePermissions};

/// What the settings amount to.
pub(super) struct Found {
    pub(super) check: Check,
    pub(super) config: Option<Config>,
    pub(super) connection: Option<Connection>,
}

pub(super) fn configuration(explicit: &[(&str, &str)], environment: &Environment) -> Found {
    const NAME: &str = "configuration";
    let config = match Config::read(explicit, environment) {
        Ok(config) => config,
        Err(error) => return Found { check: Check::fault(NAME, &error), config: None, connection: None },
    };
    // A check of its own tells of the file.
    let file = FilePermissions::look(explicit, environment).ok().flatten().and_then(|f| f.warning);
    let view = config.view();
    let mut lines: Vec<String> =
        view.attributes.iter().map(|a| format!("{} = {} ({})", a.name, a.value, a.source)).collect();
    if let (Some(kind), None) = (&view.auth_type, config.setting("auth_type")) {
        lines.push(format!("auth_type = {kind} (follows from these)"));
    }
    lines.extend(
        view.ignored
            .iter()
            .map(|i| format!("ignored: {} = {} ({}): {}", i.name, i.value, i.source, i.reason)),
    );
    let warnings: Vec<_> = view.warnings.iter().filter(|w| file.as_ref() != Some(w)).cloned().collect();
    let (check, connection) = match config.check().and_then(|()| config.connection()) {
        Ok(connection) if warnings.is_empty() => (Check::ok(NAME, ""), Some(connection)),
        Ok(connection) => (Check::warning(NAME, ""), Some(connection)),
        Err(error) => (fault(NAME, &error), None),
    };
    let detail = match check.outcome {
        Outcome::Fault => [vec![check.detail.clone()], warnings, lines].concat(),
        _ => [warnings, lines].concat(),
    };
    Found { check: Check { detail: detail.join("\n"), ..check }, config: Some(config), connection }
}

/// The settings follow, so the error needn't list them.
fn fault(name: &'static str, error: &Error) -> Check {
    let check = Check::fault(name, error);
    let detail = check.detail.split("; configured: ").next().unwrap_or_default().to_owned();
    Check { detail, ..check }
}

pub(super) fn permissions(explicit: &[(&str, &str)], environment: &Environment) -> Check {
    const NAME: &str = "permissions";
    match FilePermissions::look(explicit, environment) {
        Ok(Some(FilePermissions { path, warning: Some(warning) })) => {
            Check::warning(NAME, warning).with_hint(format!("chmod 600 {}", path.display()))
        }
        Ok(Some(FilePermissions { path, .. })) if cfg!(unix) => {
            Check::ok(NAME, format!("only you may read {}", path.display()))
        }
        Ok(Some(_)) => Check::skipped(NAME, "this system's permissions are not looked at"),
        Ok(None) => Check::skipped(NAME, "there is no configuration file"),
        Err(error) => Check::fault(NAME, &error),
    }
}
