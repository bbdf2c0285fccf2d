//! Which workspace and which credential: from arguments, the environment and a profile, each value with its source.
//!
//! Explicit values come before the environment, the environment before the profile. A profile named by an explicit
//! value is taken whole: it comes before the environment. The file is not read if a host or any credential is given and
//! no profile is named. Empty values are not given.
//!
//! Differences from the SDKs, on purpose:
//! - A credential is used only with the host that its own source names: a token from the environment is not sent to
//!   the host of an argument if the environment names another one. Both SDKs send it.
//! - `--profile` beats variables that happen to be set; in the SDKs the variables win, silently.
//! - A named profile or file that does not exist is an error; in the SDKs it counts as empty.

mod attribute;
mod choose;
mod connect;
mod environment;
mod ini;
mod permissions;
mod read;
mod view;

use std::path::PathBuf;

use brickwire_wire::{Cloud, Provider};

use crate::{Connection, Error, Host, Result, Secret};

use attribute::Attribute;
pub(crate) use attribute::is_id;
use choose::AuthType;
pub use environment::Environment;
pub(crate) use permissions::FilePermissions;
pub use view::{ConfigView, Ignored, ProfileView, SettingView};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The caller gave it.
    Explicit,
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A profile of the configuration file.
    Profile {
        /// The profile's name.
        profile: String,
        /// The file.
        file: PathBuf,
    },
    /// The host's address carried it (`?o=`, `?a=`).
    Address,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Explicit => f.write_str("explicit"),
            Self::Environment { variable } => write!(f, "environment {variable}"),
            Self::Profile { profile, file } => write!(f, "profile {profile} in {}", file.display()),
            Self::Address => f.write_str("the host's address"),
        }
    }
}

impl Source {
    /// Whether two values come from the same hand, so that one may have been meant for the other.
    fn is_beside(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// A value and where it comes from.
#[derive(Debug, Clone)]
pub struct Setting {
    attribute: &'static Attribute,
    value: Secret,
    source: Source,
}

impl Setting {
    /// Its name, such as `warehouse_id`.
    pub fn name(&self) -> &'static str {
        self.attribute.name
    }

    /// Its value as it may be shown: `***` for a secret.
    pub fn shown(&self) -> &str {
        if self.attribute.secret { brickwire_wire::redact::MASK } else { self.value.expose() }
    }

    /// Where it comes from.
    pub fn source(&self) -> &Source {
        &self.source
    }
}

/// Everything that is configured, each value with its source. Nothing is sent anywhere to find it out.
///
/// ```
/// use brickwire_actions::{Config, Environment};
/// let environment = Environment::new([("DATABRICKS_TOKEN", "dapi-1")]);
/// let config = Config::resolve(&[("host", "x.cloud.databricks.com")], &environment)?;
/// assert_eq!(config.auth_type(), Some("pat"));
/// assert_eq!(config.setting("token").map(|s| s.source().to_string()).as_deref(), Some("environment DATABRICKS_TOKEN"));
/// # Ok::<(), brickwire_actions::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Config {
    settings: Vec<Setting>,
    ignored: Vec<Ignored>,
    warnings: Vec<String>,
    host: Option<Host>,
    /// What each source names as host: at most one each of explicit, environment and profile.
    named_hosts: Vec<(String, Source)>,
    environment: Environment,
}

impl Config {
    /// Reads all sources and refuses what contradicts itself. `explicit` holds pairs of setting and value, such as
    /// `("profile", "work")`; an empty value is not given.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a profile or file that is named and missing,
    /// an unreadable file, a malformed value, a credential whose source names another host than the one chosen, and
    /// two kinds of credential without `auth_type`. A missing host or credential is *not* an error yet:
    /// [`connection`](Self::connection) tells.
    pub fn resolve(explicit: &[(&str, &str)], environment: &Environment) -> Result<Self> {
        let config = Self::read(explicit, environment)?;
        config.check()?;
        Ok(config)
    }

    /// Reads all sources, contradictory or not: for a report of what is there.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve), but for the contradictions.
    pub fn read(explicit: &[(&str, &str)], environment: &Environment) -> Result<Self> {
        read::read(explicit, environment)
    }

    /// Refuses what contradicts itself; [`resolve`](Self::resolve) has done it already.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for two hosts or two kinds of credential.
    pub fn check(&self) -> Result<()> {
        self.check_hosts()?;
        self.choose().map(drop)
    }

    /// The connection that is configured.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if host or credential are missing, incomplete, or
    /// of a kind that isn't supported.
    pub fn connection(&self) -> Result<Connection> {
        self.check_hosts()?;
        connect::connection(self)
    }

    /// The setting of that name, if it is given.
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|s| s.attribute.name == name)
    }

    /// All settings that are given.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// Values that were given and don't count, and why.
    pub fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }

    /// What works and may surprise, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The host.
    pub fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// The kind of credential in the SDKs' word, such as `pat`; `None` if there is none or it can't be told.
    pub fn auth_type(&self) -> Option<&'static str> {
        let candidates = self.choose().ok()?;
        candidates.first().copied().map(AuthType::as_str)
    }

    /// The profile in use.
    pub fn profile(&self) -> Option<&str> {
        self.value("profile")
    }

    /// The account's id.
    pub fn account_id(&self) -> Option<&str> {
        self.value("account_id")
    }

    /// The workspace's id.
    pub fn workspace_id(&self) -> Option<&str> {
        self.value("workspace_id")
    }

    /// The SQL warehouse for statements.
    pub fn warehouse_id(&self) -> Option<&str> {
        self.value("warehouse_id")
    }

    /// The cluster for code.
    pub fn cluster_id(&self) -> Option<&str> {
        self.value("cluster_id")
    }

    /// The cloud, as far as names tell: `aws`, `azure` or `gcp`.
    pub fn cloud(&self) -> &'static str {
        if self.setting("azure_workspace_resource_id").is_some() {
            return Provider::Azure.as_str();
        }
        let said = self.value("cloud").map(str::to_ascii_lowercase);
        let named = |provider: &Provider| said.as_deref() == Some(provider.as_str());
        let by_host = || self.host.as_ref().and_then(Host::cloud).map(Cloud::provider);
        let known = [Provider::Aws, Provider::Azure, Provider::Gcp].into_iter().find(named);
        known.or_else(by_host).unwrap_or(Provider::Aws).as_str()
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.setting(name).filter(|s| !s.attribute.secret).map(|s| s.value.expose())
    }

    fn secret(&self, name: &str) -> Option<Secret> {
        self.setting(name).map(|s| s.value.clone())
    }

    /// Scopes as given: separated by commas or blanks, sorted, each once.
    fn scopes(&self) -> Vec<String> {
        let text = self.value("scopes").unwrap_or_default();
        let mut scopes: Vec<_> =
            text.split([',', ' ', '\t', '\n']).filter(|s| !s.is_empty()).map(str::to_owned).collect();
        scopes.sort();
        scopes.dedup();
        scopes
    }

    /// A credential never goes to a host that it wasn't given for.
    fn check_hosts(&self) -> Result<()> {
        let (Some(host), Some(chosen)) = (&self.host, self.setting("host")) else { return Ok(()) };
        for (other, source) in &self.named_hosts {
            if Host::parse(other).is_ok_and(|other| other.as_str() == host.as_str()) {
                continue;
            }
            let belongs =
                self.settings.iter().find(|s| s.attribute.family.is_some() && s.source.is_beside(source));
            // Whoever names a profile and a host in one breath must mean the same.
            let profile_named_beside = matches!(source, Source::Profile { .. })
                && self.setting("profile").is_some_and(|p| p.source.is_beside(&chosen.source));
            if belongs.is_none() && !profile_named_beside {
                continue;
            }
            let what = belongs.map_or("profile", |s| s.name());
            let other = Host::parse(other).map_or_else(|_| "not an address".to_owned(), |h| h.to_string());
            return Err(Error::configuration(format!(
                "two sources name different hosts: {host} ({}) and {other} ({source})",
                chosen.source
            ))
            .with_hint(format!(
                "the {what} was given for {other} and is not sent to {host}: drop one of the two hosts, \
                 or give host and credential together"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
