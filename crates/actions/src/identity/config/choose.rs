//! Which kind of credential the settings amount to.

use super::{Config, attribute::flag};
use crate::{
    Error, Result,
    identity::auth::{AzureCli, DatabricksCli, azure_cloud_of},
};

/// A kind of credential that this connector can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthType {
    Pat,
    OAuthM2m,
    EnvOidc,
    FileOidc,
    GitHubOidc,
    AzureClientSecret,
    AzureCli,
    DatabricksCli,
    ExternalBrowser,
}

/// The kinds that the SDKs have and we don't, and what to use instead.
const UNSUPPORTED: [(&str, &str); 12] = [
    (
        "basic",
        "Databricks has ended basic authentication: use a personal access token, or `databricks auth login`",
    ),
    ("metadata-service", "use auth_type = databricks-cli, or a service principal (oauth-m2m)"),
    (
        "azure-msi",
        "use a service principal of Databricks (oauth-m2m), or az login with the identity and azure-cli",
    ),
    (
        "azure-devops-oidc",
        "write the pipeline's token to a file and use file-oidc, or a variable and env-oidc",
    ),
    ("github-oidc-azure", "use github-oidc with a federation policy of Databricks"),
    ("google-credentials", "use a service principal of Databricks (oauth-m2m)"),
    ("google-id", "use a service principal of Databricks (oauth-m2m)"),
    ("runtime", "use a personal access token or a service principal (oauth-m2m)"),
    ("runtime-oauth", "use a service principal (oauth-m2m)"),
    ("model-serving", "use a service principal (oauth-m2m)"),
    ("oauth-u2m", "use external-browser (`brick auth login`) or databricks-cli (`databricks auth login`)"),
    ("noop", "use a personal access token"),
];

impl AuthType {
    const ALL: [Self; 9] = [
        Self::Pat,
        Self::OAuthM2m,
        Self::EnvOidc,
        Self::FileOidc,
        Self::GitHubOidc,
        Self::AzureClientSecret,
        Self::AzureCli,
        Self::DatabricksCli,
        Self::ExternalBrowser,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pat => "pat",
            Self::OAuthM2m => "oauth-m2m",
            Self::EnvOidc => "env-oidc",
            Self::FileOidc => "file-oidc",
            Self::GitHubOidc => "github-oidc",
            Self::AzureClientSecret => "azure-client-secret",
            Self::AzureCli => "azure-cli",
            Self::DatabricksCli => "databricks-cli",
            Self::ExternalBrowser => "external-browser",
        }
    }

    fn named(name: &str) -> Result<Self> {
        if let Some(found) = Self::ALL.into_iter().find(|t| t.as_str() == name) {
            return Ok(found);
        }
        if let Some((_, instead)) = UNSUPPORTED.iter().find(|(n, _)| *n == name) {
            return Err(Error::configuration(format!("this kind of credential is not supported: {name}"))
                .with_hint(*instead));
        }
        Err(Error::configuration(format!("this kind of credential is not known: {name:?}"))
            .with_hint(format!("auth_type is one of {}", Self::ALL.map(Self::as_str).join(", "))))
    }
}

impl Config {
    /// Whether someone asked for a kind by name.
    pub(super) fn is_asked(&self) -> bool {
        self.setting("auth_type").is_some()
    }

    /// The kinds to try in order. One, unless nothing says how to authenticate: then the logins that may be there, or
    /// none.
    pub(super) fn choose(&self) -> Result<Vec<AuthType>> {
        if let Some(name) = self.value("auth_type") {
            return AuthType::named(name).map(|t| vec![t]);
        }
        let has = |name| self.setting(name).is_some();
        match self.families()?.as_slice() {
            [] => Ok(self.logins()),
            ["pat"] => Ok(vec![AuthType::Pat]),
            [.., "oauth"] if has("client_secret") => Ok(vec![AuthType::OAuthM2m]),
            ["oauth"] => Ok(self.workload().into_iter().collect()),
            ["env-oidc", ..] => Ok(vec![AuthType::EnvOidc]),
            ["file-oidc", ..] => Ok(vec![AuthType::FileOidc]),
            ["azure"] if self.value("azure_use_msi").and_then(flag) == Some(true) => {
                self.unsupported("azure-msi")
            }
            ["azure"] if has("azure_client_secret") => Ok(vec![AuthType::AzureClientSecret]),
            ["azure"] => Ok(vec![AuthType::AzureCli]),
            ["google"] => self.unsupported("google-credentials"),
            [family, ..] => self.unsupported(family),
        }
    }

    /// The families of credentials that are given, in alphabetical order.
    fn families(&self) -> Result<Vec<&'static str>> {
        let mut families: Vec<_> = self.settings.iter().filter_map(|s| s.attribute.family).collect();
        families.sort_unstable();
        families.dedup();
        // A client id without its secret belongs to the identity beside it.
        let completes = matches!(families.as_slice(), ["env-oidc" | "file-oidc", "oauth"])
            && self.setting("client_secret").is_none();
        if families.len() > 1 && !completes {
            return Err(Error::configuration(format!(
                "more than one authorization method configured: {}; {}",
                families.join(" and "),
                self.summary()
            ))
            .with_hint("keep one, or say which with DATABRICKS_AUTH_TYPE (auth_type)"));
        }
        Ok(families)
    }

    fn unsupported<T>(&self, kind: &str) -> Result<T> {
        let hint = AuthType::named(kind).err().and_then(|e| e.hint().map(str::to_owned)).unwrap_or_default();
        Err(self.incomplete(&format!("the kind {kind} is not supported")).with_hint(hint))
    }

    /// An identity that the surroundings offer.
    fn workload(&self) -> Option<AuthType> {
        let set = |name| self.environment.get(name).is_some();
        if set("DATABRICKS_OIDC_TOKEN") {
            Some(AuthType::EnvOidc)
        } else if set("ACTIONS_ID_TOKEN_REQUEST_URL") && set("ACTIONS_ID_TOKEN_REQUEST_TOKEN") {
            Some(AuthType::GitHubOidc)
        } else {
            None
        }
    }

    /// The logins that may be there; nobody said which.
    fn logins(&self) -> Vec<AuthType> {
        let Some(host) = &self.host else { return Vec::new() };
        if let Some(workload) = self.workload() {
            return vec![workload];
        }
        let stored =
            self.login_target().and_then(|target| target.stored()).is_ok_and(|login| login.is_some());
        let vendors = match self.value("databricks_cli_path") {
            Some(path) => self.environment.expand(path).exists(),
            None => DatabricksCli::is_installed(&self.environment),
        };
        let azure = azure_cloud_of(host).is_some() && AzureCli::is_installed(&self.environment);
        [(stored, AuthType::ExternalBrowser), (vendors, AuthType::DatabricksCli), (azure, AuthType::AzureCli)]
            .into_iter()
            .filter_map(|(there, kind)| there.then_some(kind))
            .collect()
    }

    /// What is configured, on one line, with secrets masked and sources named.
    pub(super) fn summary(&self) -> String {
        let shown = |s: &super::Setting| format!("{}={} ({})", s.name(), s.shown(), s.source);
        match self.settings.is_empty() {
            true => "nothing is configured".to_owned(),
            false => {
                format!("configured: {}", self.settings.iter().map(shown).collect::<Vec<_>>().join(", "))
            }
        }
    }

    pub(super) fn incomplete(&self, why: &str) -> Error {
        Error::configuration(format!("cannot configure default credentials: {why}; {}", self.summary()))
    }
}
