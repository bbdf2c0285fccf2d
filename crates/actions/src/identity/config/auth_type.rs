//! The kinds of credential, and the names that the SDKs have for them.

use crate::{Error, Result};

/// A kind of credential that this connector supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthType {
    Pat,
    OAuthM2m,
    EnvOidc,
    FileOidc,
    GitHubOidc,
    AzureDevOpsOidc,
    AzureClientSecret,
    AzureCli,
    DatabricksCli,
    ExternalBrowser,
}

/// The kinds that only the SDKs support, and what to use instead.
const UNSUPPORTED: [(&str, &str); 11] = [
    (
        "basic",
        "Databricks has ended basic authentication: use a personal access token, or `databricks auth login`",
    ),
    ("metadata-service", "use auth_type = databricks-cli, or a service principal (oauth-m2m)"),
    (
        "azure-msi",
        "use a service principal of Databricks (oauth-m2m), or az login with the identity and azure-cli",
    ),
    ("github-oidc-azure", "use github-oidc with a federation policy of Databricks"),
    ("google-credentials", "use a service principal of Databricks (oauth-m2m)"),
    ("google-id", "use a service principal of Databricks (oauth-m2m)"),
    ("runtime", "use a personal access token or a service principal (oauth-m2m)"),
    ("runtime-oauth", "use a service principal (oauth-m2m)"),
    ("model-serving", "use a service principal (oauth-m2m)"),
    ("oauth-u2m", "use external-browser (`BrowserLogin`) or databricks-cli (`databricks auth login`)"),
    ("noop", "use a personal access token"),
];

impl AuthType {
    /// The SDKs' names, in the order of the variants.
    const NAMES: [(Self, &str); 10] = [
        (Self::Pat, "pat"),
        (Self::OAuthM2m, "oauth-m2m"),
        (Self::EnvOidc, "env-oidc"),
        (Self::FileOidc, "file-oidc"),
        (Self::GitHubOidc, "github-oidc"),
        (Self::AzureDevOpsOidc, "azure-devops-oidc"),
        (Self::AzureClientSecret, "azure-client-secret"),
        (Self::AzureCli, "azure-cli"),
        (Self::DatabricksCli, "databricks-cli"),
        (Self::ExternalBrowser, "external-browser"),
    ];

    /// The SDKs' name.
    pub(crate) fn as_str(self) -> &'static str {
        Self::NAMES[self as usize].1
    }

    /// Whether it is a login on this machine, which may or may not exist.
    pub(crate) fn is_login(self) -> bool {
        matches!(self, Self::DatabricksCli | Self::AzureCli | Self::ExternalBrowser)
    }

    /// Whether its tokens can have the permissions of a group.
    pub(crate) fn has_groups(self) -> bool {
        matches!(
            self,
            Self::OAuthM2m | Self::EnvOidc | Self::FileOidc | Self::GitHubOidc | Self::AzureDevOpsOidc
        )
    }

    /// The kind with this name.
    pub(crate) fn named(name: &str) -> Result<Self> {
        if let Some((found, _)) = Self::NAMES.into_iter().find(|(_, known)| *known == name) {
            return Ok(found);
        }
        if let Some((_, instead)) = UNSUPPORTED.iter().find(|(n, _)| *n == name) {
            return Err(Error::configuration(format!("this kind of credential is not supported: {name}"))
                .with_hint(*instead));
        }
        Err(Error::configuration(format!("this kind of credential is not known: {name:?}"))
            .with_hint(format!("`auth_type` is one of {}", Self::NAMES.map(|(_, name)| name).join(", "))))
    }
}
