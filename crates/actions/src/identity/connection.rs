//! A host and a credential.

use std::path::Path;

use brickwire_wire::{Authorities, HttpOptions, RateLimit, Wire};

use super::auth::{client_credentials::ServicePrincipal, discovery::Issuer, token::Identity};
use crate::{Error, Host, Result, Secret};

/// A host and a credential.
///
/// ```
/// use brickwire_actions::Connection;
/// let connection = Connection::token("https://adb-1.2.azuredatabricks.net", "dapi-example")?;
/// assert_eq!(connection.host().as_str(), "https://adb-1.2.azuredatabricks.net");
/// # Ok::<(), brickwire_actions::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Connection {
    host: Host,
    credential: Credential,
    workspace_id: Option<String>,
    authorities: Authorities,
}

/// How a [`Connection`] authenticates.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Credential {
    /// A personal access token.
    Token(Secret),
    /// A service principal with OAuth client credentials.
    ServicePrincipal(ServicePrincipal),
    /// A login or an identity from a [`Config`](crate::Config).
    Identity(Identity),
}

impl Credential {
    /// The SDKs' name for this kind of credential, such as `pat` or `oauth-m2m`.
    pub fn auth_type(&self) -> &'static str {
        match self {
            Self::Token(_) => "pat",
            Self::ServicePrincipal(_) => "oauth-m2m",
            Self::Identity(identity) => identity.auth_type(),
        }
    }
}

impl Connection {
    /// Authenticates with a personal access token. Blanks around it are removed.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an invalid host, an empty token, or a token with
    /// blanks or control characters.
    pub fn token(host: &str, token: impl Into<Secret>) -> Result<Self> {
        let token = token.into().cleaned("token")?;
        Ok(Self::new(Host::parse(host)?, Credential::Token(token)))
    }

    /// Authenticates as a service principal with an OAuth secret. The host is asked for the token endpoint; for an
    /// account console, the address must contain the account id (`?account_id=`).
    ///
    /// ```
    /// use brickwire_actions::Connection;
    /// let connection = Connection::oauth("x.cloud.databricks.com", "client-id", "client-secret")?;
    /// assert_eq!(connection.credential().auth_type(), "oauth-m2m");
    /// # Ok::<(), brickwire_actions::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an invalid host or an empty value.
    pub fn oauth(host: &str, client_id: &str, client_secret: impl Into<Secret>) -> Result<Self> {
        let host = Host::parse(host)?;
        let account_id = host.account_id().map(str::to_owned);
        let issuer = Issuer { account_id, host: host.clone(), discovery_url: None };
        let principal = ServicePrincipal::discovered(issuer, client_id, client_secret.into())?;
        Ok(Self::new(host, Credential::ServicePrincipal(principal)))
    }

    /// Authenticates as a service principal to the workspace that issues its tokens (`https://HOST/oidc/v1/token`), or
    /// to an account console (`https://accounts…/oidc/accounts/ID/v1/token`).
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the token URL isn't one of Databricks, so that
    /// the workspace is unknown; use [`service_principal_at`](Self::service_principal_at) then.
    pub fn service_principal(principal: ServicePrincipal) -> Result<Self> {
        let url = principal
            .token_url()
            .ok_or_else(|| Error::configuration("the service principal has no token URL"))?;
        if !url.path().starts_with("/oidc/") {
            return Err(Error::configuration(format!(
                "the token URL does not tell the workspace's host: {}",
                url.host_str().unwrap_or_default()
            ))
            .with_hint("give the host as well (DATABRICKS_HOST)"));
        }
        Ok(Self::new(Host::parse(url.as_str())?, Credential::ServicePrincipal(principal)))
    }

    /// Authenticates as a service principal to `host`, with a token URL that may be on another host.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an invalid host.
    pub fn service_principal_at(host: &str, principal: ServicePrincipal) -> Result<Self> {
        Ok(Self::new(Host::parse(host)?, Credential::ServicePrincipal(principal)))
    }

    pub(crate) fn new(host: Host, credential: Credential) -> Self {
        let workspace_id = host.workspace_id().map(str::to_owned);
        Self { host, credential, workspace_id, authorities: Authorities::default() }
    }

    /// Trusts the certificate authorities of a PEM file in addition to the system's.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the file can't be read or holds none.
    pub fn with_ca_file(self, file: impl AsRef<Path>) -> Result<Self> {
        Ok(self.with_authorities(Authorities::read(file.as_ref())?))
    }

    pub(crate) fn with_authorities(mut self, authorities: Authorities) -> Self {
        self.authorities = authorities;
        self
    }

    /// Names the workspace, for hosts that serve several.
    #[must_use]
    pub fn with_workspace_id(mut self, id: impl Into<String>) -> Self {
        self.workspace_id = Some(id.into());
        self
    }

    /// A wire to the host, without the credential; `product` is the program's name and version.
    pub(crate) fn wire(&self, product: Option<&(String, String)>, rate_limit: RateLimit) -> Result<Wire> {
        let mut options = HttpOptions::new(self.host.clone())
            .with_authorities(self.authorities.clone())
            .with_workspace_id(self.workspace_id.clone())
            .with_auth_type(self.credential.auth_type());
        if let Some((name, version)) = product {
            options = options.with_product(name, version);
        }
        Wire::builder(options).with_rate_limit(rate_limit).build()
    }

    /// The workspace's id, if it is given or part of the host's address.
    pub fn workspace_id(&self) -> Option<&str> {
        self.workspace_id.as_deref()
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The credential.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_token_url_does_not_become_the_host() {
        let principal = |url| ServicePrincipal::new(url, "id", "secret");
        let entra = principal("https://login.microsoftonline.com/tid/oauth2/v2.0/token").unwrap();
        let error = Connection::service_principal(entra).unwrap_err().to_string();
        assert!(error.contains("login.microsoftonline.com"), "{error}");
        let workspace = principal("https://adb-1.2.azuredatabricks.net/oidc/v1/token").unwrap();
        let connection = Connection::service_principal(workspace).unwrap();
        assert_eq!(connection.host().as_str(), "https://adb-1.2.azuredatabricks.net");
        assert!(principal("http://adb-1.2.azuredatabricks.net/oidc/v1/token").is_err());
        assert!(principal("adb-1.2.azuredatabricks.net/oidc/v1/token").is_err());
        assert!(!format!("{connection:?}").contains("secret\""));
    }
}
