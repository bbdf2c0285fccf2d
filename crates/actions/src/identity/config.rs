//! Which workspace and which credential: from the caller, the environment and a profile, each value with its source.
//!
//! The caller's values come before the environment, and the environment before the profile. A profile that the caller
//! names is taken whole: it comes before the environment. If a host or a credential is given and no profile is named,
//! the configuration file is not read. An empty value counts as missing.
//!
//! Everything is read once, when the configuration is resolved; after that, [`Config`] is a value.
//!
//! Differences from the SDKs, on purpose:
//! - A credential is used only with the host that its own source names: a token from the environment is not sent to the
//!   caller's host if the environment names another one. Both SDKs send it.
//! - A profile that the caller names comes before environment variables; in the SDKs the variables win, silently.
//! - A named profile or file that does not exist is an error; in the SDKs it counts as empty.

pub(crate) mod attribute;
pub(crate) mod auth_type;
pub(crate) mod choose;
pub(crate) mod connect;
pub(crate) mod edit;
pub(crate) mod file;
pub(crate) mod ini;
pub(crate) mod normalize;
pub(crate) mod read;
pub(crate) mod settings;
#[cfg(test)]
mod tests;
pub(crate) mod view;
pub(crate) mod write;

use std::{path::PathBuf, sync::Arc};

use brickwire_wire::{Authorities, Cloud, Provider};

use self::{
    auth_type::AuthType,
    file::{ConfigFile, path_of},
    settings::{Fault, Ignored, Setting, Settings},
};
use super::{auth::browser::LoginTarget, connection::Connection, environment::Environment};
use crate::{Error, Host, Result, Secret};

/// The methods for settings that [`ConfigBuilder`] and [`WorkspaceBuilder`](crate::WorkspaceBuilder) have in common.
macro_rules! setting_methods {
    () => {
        /// Uses this profile of the configuration file, which then comes before the environment.
        pub fn profile(self, name: &str) -> Self {
            self.with("profile", name)
        }

        /// Connects to this workspace or account console.
        pub fn host(self, host: &str) -> Self {
            self.with("host", host)
        }

        /// Authenticates with a personal access token.
        pub fn token(self, token: impl Into<Secret>) -> Self {
            self.with("token", token)
        }

        /// Authenticates as a service principal with an OAuth secret. The host is asked for the token endpoint.
        pub fn oauth(self, client_id: &str, client_secret: impl Into<Secret>) -> Self {
            self.with("client_id", client_id).with("client_secret", client_secret)
        }

        /// Gets the tokens for [`oauth`](Self::oauth) from this URL, such as
        /// `https://accounts.cloud.databricks.com/oidc/accounts/ID/v1/token` for an account console.
        pub fn token_url(self, url: &str) -> Self {
            self.with("token_url", url)
        }

        /// Authenticates as a service principal of Microsoft Entra ID.
        pub fn azure_client_secret(
            self,
            tenant_id: &str,
            client_id: &str,
            client_secret: impl Into<Secret>,
        ) -> Self {
            self.with("azure_tenant_id", tenant_id)
                .with("azure_client_id", client_id)
                .with("azure_client_secret", client_secret)
        }
    };
}
pub(crate) use setting_methods;

/// Collects the caller's settings for a [`Config`].
///
/// ```
/// use brickwire_actions::{Config, Environment};
/// let environment = Environment::new([("DATABRICKS_TOKEN", "dapi-1")]);
/// let config = Config::builder().host("x.cloud.databricks.com").environment(environment).resolve()?;
/// assert_eq!(config.auth_type(), Some("pat"));
/// # Ok::<(), brickwire_actions::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ConfigBuilder {
    given: Vec<(String, Secret)>,
    environment: Option<Environment>,
    /// The configuration file, once it has been read for many configurations.
    opened: Option<Arc<ConfigFile>>,
}

impl ConfigBuilder {
    setting_methods!();

    /// Sets any setting by its name, such as `account_id` or `ca_file`. A later value replaces an earlier one, and an
    /// empty value counts as missing.
    pub fn with(mut self, name: &str, value: impl Into<Secret>) -> Self {
        self.given.retain(|(given, _)| given != name);
        self.given.push((name.to_owned(), value.into()));
        self
    }

    /// Uses this environment instead of that of the process.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Reads all sources and refuses contradictions.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a named profile or file that doesn't exist, an
    /// unreadable file, a malformed value, a credential whose source names another host than the one that is used, and
    /// two kinds of credential without `auth_type`. [`ErrorKind::Usage`](crate::ErrorKind::Usage) for an unknown setting.
    /// A missing host or credential is *not* an error here; [`Config::connection`] reports it.
    pub fn resolve(&self) -> Result<Config> {
        let config = self.read()?;
        config.check()?;
        Ok(config)
    }

    /// Reads all sources, even if they contradict each other, for a report.
    ///
    /// # Errors
    /// As for [`resolve`](Self::resolve), except for contradictions.
    pub fn read(&self) -> Result<Config> {
        let settings = read::read(&self.given, &self.environment_or_process(), self.opened.as_ref())?;
        let kinds = choose::choose(&settings);
        let authorities = match settings.value("ca_file") {
            Some(file) => Authorities::read(&settings.environment.expand(file)),
            None => Ok(Authorities::default()),
        };
        Ok(Config { settings, kinds, authorities })
    }

    /// Uses this configuration file as it is.
    pub(crate) fn opened(mut self, file: Arc<ConfigFile>) -> Self {
        self.opened = Some(file);
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    pub(crate) fn given(&self) -> &read::Given {
        &self.given
    }

    pub(crate) fn environment_or_process(&self) -> Environment {
        self.environment.clone().unwrap_or_else(Environment::from_process)
    }

    /// The configuration file that is named, or else the one in the home directory, whether or not it exists.
    pub(crate) fn file_path(&self) -> Result<Option<PathBuf>> {
        let environment = self.environment_or_process();
        Ok(path_of(read::named_file(&self.given, &environment)?.as_ref(), &environment))
    }

    /// The configuration file that is named, or else the one in the home directory, if it exists.
    pub(crate) fn file(&self) -> Result<Option<PathBuf>> {
        Ok(self.file_path()?.filter(|path| path.is_file()))
    }
}

/// Everything that is configured, each value with its source. No network was used to find it out.
///
/// ```
/// use brickwire_actions::{Config, Environment};
/// let environment = Environment::new([("DATABRICKS_TOKEN", "dapi-1")]);
/// let config = Config::builder().host("x.cloud.databricks.com").environment(environment).resolve()?;
/// let source = config.setting("token").map(|setting| setting.source().to_string());
/// assert_eq!(source.as_deref(), Some("environment DATABRICKS_TOKEN"));
/// # Ok::<(), brickwire_actions::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Config {
    settings: Settings,
    kinds: Result<Vec<AuthType>, Fault>,
    authorities: Result<Authorities>,
}

impl Config {
    /// Starts with no settings and the environment of the process.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }

    /// Refuses contradictions, as [`ConfigBuilder::resolve`] has done already.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for two hosts or two kinds of credential.
    pub fn check(&self) -> Result<()> {
        self.settings.check_hosts()?;
        self.kinds.clone()?;
        Ok(())
    }

    /// The connection that is configured.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the host or the credential is missing,
    /// incomplete, or of an unsupported kind, or if `ca_file` can't be read.
    pub fn connection(&self) -> Result<Connection> {
        Ok(self.try_connection()?)
    }

    /// The connection, or why there is none, with the settings apart from the reason.
    pub(crate) fn try_connection(&self) -> Result<Connection, Fault> {
        self.settings.check_hosts()?;
        let kinds = self.kinds.as_ref().map_err(Clone::clone)?;
        Ok(connect::connection(&self.settings, kinds)?.with_authorities(self.authorities()?))
    }

    /// The connection for a browser login, which sends no credential.
    pub(crate) fn login_connection(&self) -> Result<Connection> {
        Ok(connect::login_connection(&self.settings)?.with_authorities(self.authorities()?))
    }

    /// The host and the storage of a browser login.
    pub(crate) fn login_target(&self) -> Result<LoginTarget> {
        connect::login_target(&self.settings)
    }

    /// The certificate authorities that are trusted in addition to the system's.
    pub(crate) fn authorities(&self) -> Result<Authorities> {
        self.authorities.clone()
    }

    /// The setting with this name, if it is given.
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.get(name)
    }

    /// All settings that are given.
    pub fn settings(&self) -> &[Setting] {
        &self.settings.used
    }

    /// The values that are given but not used, and why.
    pub fn ignored(&self) -> &[Ignored] {
        &self.settings.ignored
    }

    /// What is allowed but may be a mistake, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.settings.warnings
    }

    /// Whether a workspace refuses to send what may change something. It does if any source says so.
    pub fn is_read_only(&self) -> bool {
        // A flag that is off is not kept.
        self.settings.has("read_only")
    }

    /// The host.
    pub fn host(&self) -> Option<&Host> {
        self.settings.host.as_ref()
    }

    /// The SDKs' name for the kind of credential, such as `pat`; `None` if there is none or several contradict each
    /// other.
    pub fn auth_type(&self) -> Option<&'static str> {
        self.kinds.as_ref().ok()?.first().map(|kind| kind.as_str())
    }

    /// The profile that is used.
    pub fn profile(&self) -> Option<&str> {
        self.settings.value("profile")
    }

    /// The account's id.
    pub fn account_id(&self) -> Option<&str> {
        self.settings.value("account_id")
    }

    /// The workspace's id.
    pub fn workspace_id(&self) -> Option<&str> {
        self.settings.value("workspace_id")
    }

    /// The SQL warehouse for statements.
    pub fn warehouse_id(&self) -> Option<&str> {
        self.settings.value("warehouse_id")
    }

    /// The SQL warehouse, for work that can't do without a configured one.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if no warehouse is configured.
    pub fn required_warehouse_id(&self) -> Result<&str> {
        let missing = || Error::configuration("no warehouse given").with_hint("set `warehouse_id`");
        self.warehouse_id().ok_or_else(missing)
    }

    /// The cluster for code.
    pub fn cluster_id(&self) -> Option<&str> {
        self.settings.value("cluster_id")
    }

    /// The cluster for code, for work that can't do without one.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if no cluster is configured. If serverless compute
    /// is configured instead, the error says that it can't run execution contexts.
    pub fn required_cluster_id(&self) -> Result<&str> {
        if let Some(id) = self.cluster_id() {
            return Ok(id);
        }
        Err(match self.setting("serverless_compute_id") {
            Some(serverless) => Error::configuration(format!(
                "execution contexts need a classic cluster, and only serverless compute is configured: {} = {} ({})",
                serverless.name(),
                serverless.shown(),
                serverless.source()
            ))
            .with_hint("set `cluster_id`; SQL runs on a warehouse and needs no cluster"),
            None => Error::configuration("no cluster given").with_hint("set `cluster_id`"),
        })
    }

    /// The cloud, as far as names tell: `aws`, `azure` or `gcp`.
    pub fn cloud(&self) -> &'static str {
        if self.settings.has("azure_workspace_resource_id") {
            return Provider::Azure.as_str();
        }
        let configured = self.settings.value("cloud").map(str::to_ascii_lowercase);
        let is_configured = |provider: &Provider| configured.as_deref() == Some(provider.as_str());
        let by_host = || self.host().and_then(Host::cloud).map(Cloud::provider);
        let known = [Provider::Aws, Provider::Azure, Provider::Gcp].into_iter().find(is_configured);
        known.or_else(by_host).unwrap_or(Provider::Aws).as_str()
    }
}
