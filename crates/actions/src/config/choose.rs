//! Which kind of credential the settings amount to, and the connection they make.

use super::{Config, attribute::ATTRIBUTES};
use crate::{Connection, Error, Result, connection::ServicePrincipal};

/// A kind of credential that this connector can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthType {
    Pat,
    OAuthM2m,
}

impl AuthType {
    const ALL: [Self; 2] = [Self::Pat, Self::OAuthM2m];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pat => "pat",
            Self::OAuthM2m => "oauth-m2m",
        }
    }
}

impl Config {
    /// The kind; `None` if nothing says how to authenticate.
    pub(super) fn choose(&self) -> Result<Option<AuthType>> {
        if let Some(name) = self.value("auth_type") {
            let wanted = AuthType::ALL.into_iter().find(|t| t.as_str() == name);
            return wanted.map(Some).ok_or_else(|| {
                Error::configuration(format!("this kind of credential is not known: {name:?}")).with_hint(
                    format!("auth_type is one of {}", AuthType::ALL.map(AuthType::as_str).join(", ")),
                )
            });
        }
        let mut families: Vec<_> = self.settings.iter().filter_map(|s| s.attribute.family).collect();
        families.sort_unstable();
        families.dedup();
        if families.len() > 1 {
            return Err(Error::configuration(format!(
                "more than one authorization method configured: {}. {}",
                families.join(" and "),
                self.summary()
            ))
            .with_hint("keep one, or say which with DATABRICKS_AUTH_TYPE (auth_type)"));
        }
        let has = |name| self.setting(name).is_some();
        let auth_type = if has("token") {
            Some(AuthType::Pat)
        } else if has("client_id") && has("client_secret") {
            Some(AuthType::OAuthM2m)
        } else {
            None
        };
        Ok(auth_type)
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

    fn incomplete(&self, why: &str) -> Error {
        Error::configuration(format!("cannot configure default credentials: {why}; {}", self.summary()))
    }
}

pub(super) fn connection(config: &Config) -> Result<Connection> {
    let chosen = config.choose()?;
    let Some(host) = &config.host else {
        return Err(config
            .incomplete("no host configured")
            .with_hint("set DATABRICKS_HOST to the workspace's address, or name a profile"));
    };
    let Some(chosen) = chosen else {
        return Err(config.incomplete("no credential").with_hint(
            "set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, or name a profile",
        ));
    };
    let need = |name: &'static str| {
        config.secret(name).ok_or_else(|| {
            let variable = ATTRIBUTES.iter().find(|a| a.name == name).and_then(|a| a.variables.first());
            config
                .incomplete(&format!("{} needs {name}", chosen.as_str()))
                .with_hint(format!("set {}", variable.unwrap_or(&name)))
        })
    };
    match chosen {
        AuthType::Pat => Connection::token(host.as_str(), need("token")?),
        AuthType::OAuthM2m => {
            let url = match config.account_id().filter(|_| host.is_account_console()) {
                Some(account) => format!("{host}/oidc/accounts/{account}/v1/token"),
                None => format!("{host}/oidc/v1/token"),
            };
            let principal = ServicePrincipal::new(&url, need("client_id")?.expose(), need("client_secret")?)?;
            let scopes = config.scopes();
            let principal = if scopes.is_empty() { principal } else { principal.with_scopes(scopes) };
            Connection::service_principal_at(host.as_str(), principal)
        }
    }
}
