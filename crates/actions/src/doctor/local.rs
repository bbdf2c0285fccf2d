//! Checks the configuration and its file, without any network.

use super::check::{Check, Outcome};
use crate::{Config, ConfigBuilder, Connection, identity::config::file::readable_by_others};

/// The result of the settings.
pub(super) struct Found {
    pub(super) check: Check,
    pub(super) config: Option<Config>,
    pub(super) connection: Option<Connection>,
}

pub(super) fn configuration(settings: &ConfigBuilder) -> Found {
    const NAME: &str = "configuration";
    let config = match settings.read() {
        Ok(config) => config,
        Err(error) => return Found { check: Check::fault(NAME, &error), config: None, connection: None },
    };
    // The file's permissions have a check of their own.
    let permissions = settings.file().ok().flatten().and_then(|file| readable_by_others(&file));
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
    let mut details = view.warnings;
    details.retain(|warning| permissions.as_ref() != Some(warning));
    let (check, connection) = match config.try_connection() {
        Ok(connection) if details.is_empty() => (Check::ok(NAME, ""), Some(connection)),
        Ok(connection) => (Check::warning(NAME, ""), Some(connection)),
        // The settings are listed below, so the error's summary of them is left out.
        Err(fault) => (Check::fault(NAME, &fault.error), None),
    };
    if check.outcome == Outcome::Fault {
        details.insert(0, check.detail);
    }
    details.extend(lines);
    Found { check: Check { detail: details.join("\n"), ..check }, config: Some(config), connection }
}

pub(super) fn permissions(settings: &ConfigBuilder) -> Check {
    const NAME: &str = "permissions";
    let file = match settings.file() {
        Ok(Some(file)) => file,
        Ok(None) => return Check::skipped(NAME, "there is no configuration file"),
        Err(error) => return Check::fault(NAME, &error),
    };
    match readable_by_others(&file) {
        Some(warning) => Check::warning(NAME, warning).with_hint(format!("chmod 600 {}", file.display())),
        None if cfg!(unix) => Check::ok(NAME, format!("only you may read {}", file.display())),
        None => Check::skipped(NAME, "file permissions are not checked on this system"),
    }
}
