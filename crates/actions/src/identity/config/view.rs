//! Configurations and profiles for display. Secrets are masked when a view is made.

use std::sync::Arc;

use serde::Serialize;

use super::{
    attribute::ATTRIBUTES,
    file::ConfigFile,
    read::named_file,
    settings::{Ignored, SettingView},
};
use crate::{
    Environment, Host, Result,
    identity::config::{Config, ConfigBuilder},
};

/// A configuration for display.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ConfigView {
    /// The host's origin.
    pub host: Option<String>,
    /// The account's id.
    pub account_id: Option<String>,
    /// The workspace's id.
    pub workspace_id: Option<String>,
    /// The profile that is used.
    pub profile: Option<String>,
    /// The SDKs' name for the kind of credential.
    pub auth_type: Option<String>,
    /// The values that are used.
    pub attributes: Vec<SettingView>,
    /// The values that are given but not used.
    pub ignored: Vec<Ignored>,
    /// What is allowed but may be a mistake.
    pub warnings: Vec<String>,
}

/// A profile of the configuration file, for display.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ProfileView {
    /// The profile's name.
    pub name: String,
    /// The origin of its host, if it names one.
    pub host: Option<String>,
    /// The SDKs' name for the kind of credential, if it has one.
    pub auth_type: Option<String>,
    /// Whether it is used if no profile is named.
    pub default: bool,
    /// Why it alone is not enough for a connection.
    pub fault: Option<String>,
}

/// Profiles of this file, without the variables that would complete or override them.
pub(crate) fn alone(environment: &Environment, file: &Arc<ConfigFile>) -> ConfigBuilder {
    let is_setting = |name: &str| ATTRIBUTES.iter().any(|a| a.variables.contains(&name));
    Config::builder()
        .environment(environment.clone().without(is_setting))
        .with("config_file", file.path.display().to_string())
        .opened(file.clone())
}

impl Config {
    /// The configuration for display.
    pub fn view(&self) -> ConfigView {
        let text = |value: Option<&str>| value.map(str::to_owned);
        ConfigView {
            host: self.host().map(Host::to_string),
            account_id: text(self.account_id()),
            workspace_id: text(self.workspace_id()),
            profile: text(self.profile()),
            auth_type: text(self.auth_type()),
            attributes: self.settings().iter().map(SettingView::from).collect(),
            ignored: self.ignored().to_vec(),
            warnings: self.warnings().to_vec(),
        }
    }
}

impl ConfigBuilder {
    /// The profiles of the configuration file: the one that is named, or else the one in the home directory. If there
    /// is no file, there are no profiles.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the file can't be read.
    pub fn profiles(&self) -> Result<Vec<ProfileView>> {
        let environment = self.environment_or_process();
        let named = named_file(self.given(), &environment)?;
        let Some(file) = ConfigFile::open(named.as_ref(), &environment, false)? else {
            return Ok(Vec::new());
        };
        let file = Arc::new(file);
        let alone = alone(&environment, &file);
        let default = alone.read().ok().and_then(|config| config.profile().map(str::to_owned));
        let view = |name: &str| {
            let resolved = alone.clone().profile(name).resolve();
            let config = resolved.as_ref().ok();
            let fault = match &resolved {
                Ok(config) => config.try_connection().err().map(|fault| fault.error),
                Err(error) => Some(error.clone()),
            };
            ProfileView {
                name: name.to_owned(),
                host: config.and_then(Config::host).map(Host::to_string),
                auth_type: config.and_then(Config::auth_type).map(str::to_owned),
                default: default.as_deref() == Some(name),
                fault: fault.map(|error| error.to_string()),
            }
        };
        Ok(file.ini.profiles().map(|section| view(&section.name)).collect())
    }
}
