//! What `config show` and `config profiles` print, as data. Secrets are masked when the view is made.

use serde::Serialize;

use super::{
    Config, Environment, Setting,
    attribute::ATTRIBUTES,
    read::{File, from_arguments, from_variables},
};
use brickwire_wire::redact::MASK;

use crate::{Host, Result};

/// The whole configuration as it may be shown.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ConfigView {
    /// The host's origin.
    pub host: Option<String>,
    /// The account's id.
    pub account_id: Option<String>,
    /// The workspace's id.
    pub workspace_id: Option<String>,
    /// The profile in use.
    pub profile: Option<String>,
    /// The kind of credential in the SDKs' word.
    pub auth_type: Option<String>,
    /// Every value that counts.
    pub attributes: Vec<SettingView>,
    /// Every value that was given and doesn't count.
    pub ignored: Vec<Ignored>,
    /// What works and may surprise.
    pub warnings: Vec<String>,
}

/// One value as it may be shown.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SettingView {
    /// The setting's name.
    pub name: String,
    /// Its value; `***` for a secret.
    pub value: String,
    /// Where it comes from.
    pub source: String,
}

/// A value that was given and doesn't count.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Ignored {
    /// The setting's name.
    pub name: String,
    /// Its value; `***` for a secret.
    pub value: String,
    /// Where it comes from.
    pub source: String,
    /// Why it doesn't count.
    pub reason: String,
}

impl Ignored {
    pub(super) fn new(setting: &Setting, reason: String) -> Self {
        let SettingView { name, value, source } = SettingView::of(setting);
        Self { name, value, source, reason }
    }
}

impl SettingView {
    fn of(setting: &Setting) -> Self {
        let value = match setting.name() {
            // As written it may carry user information.
            "host" => Host::parse(setting.shown()).map_or_else(|_| MASK.to_owned(), |h| h.to_string()),
            _ => setting.shown().to_owned(),
        };
        Self { name: setting.name().to_owned(), value, source: setting.source.to_string() }
    }
}

/// A profile of the configuration file.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ProfileView {
    /// Its name.
    pub name: String,
    /// Its host's origin, if it names one.
    pub host: Option<String>,
    /// The kind of credential in the SDKs' word, if it can be told.
    pub auth_type: Option<String>,
    /// Whether it is the one in use when none is named.
    pub default: bool,
    /// What is wrong with it.
    pub fault: Option<String>,
}

impl Config {
    /// The configuration as it may be shown.
    pub fn view(&self) -> ConfigView {
        let own = |value: Option<&str>| value.map(str::to_owned);
        ConfigView {
            host: self.host().map(Host::to_string),
            account_id: own(self.account_id()),
            workspace_id: own(self.workspace_id()),
            profile: own(self.profile()),
            auth_type: own(self.auth_type()),
            attributes: self.settings.iter().map(SettingView::of).collect(),
            ignored: self.ignored.clone(),
            warnings: self.warnings.clone(),
        }
    }

    /// The profiles of the configuration file: the one that `explicit` or the environment names, or the home
    /// directory's. No file means no profiles.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the file can't be read.
    pub fn profiles(explicit: &[(&str, &str)], environment: &Environment) -> Result<Vec<ProfileView>> {
        // Each profile by itself: without the variables that would complete or override it.
        let alone = environment.without(|name| ATTRIBUTES.iter().any(|a| a.variables.contains(&name)));
        let given: Vec<_> =
            from_arguments(explicit)?.into_iter().chain(from_variables(environment)).collect();
        let named = given.iter().find(|s| s.attribute.name == "config_file");
        let Some(file) = File::open(named, environment, false)? else { return Ok(Vec::new()) };
        let path = file.path.display().to_string();
        let default =
            Self::read(&[("config_file", &path)], &alone).ok().and_then(|c| c.profile().map(str::to_owned));
        let view = |name: &str| {
            let read = Self::resolve(&[("profile", name), ("config_file", &path)], &alone);
            let config = read.as_ref().ok();
            ProfileView {
                name: name.to_owned(),
                host: config.and_then(|c| c.host()).map(Host::to_string),
                auth_type: config.and_then(|c| c.auth_type()).map(str::to_owned),
                default: default.as_deref() == Some(name),
                fault: read.as_ref().err().map(ToString::to_string),
            }
        };
        Ok(file.ini.profiles().map(|s| view(&s.name)).collect())
    }
}
