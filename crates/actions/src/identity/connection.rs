//! What a user gives to reach a workspace: a host and a credential, in one of the connector's two forms.

use std::path::Path;

use brickwire_wire::{Authorities, HttpOptions, Wire, is_loopback};
use reqwest::Url;

use crate::{
    Error, Host, Result, Secret,
    identity::auth::{Identity, Issuer},
};

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
    /// A login or identity that a [`Config`](crate::Config) has found.
    Identity(Identity),
}

impl Credential {
    /// The kind in the SDKs' word, such as `pat` or `oauth-m2m`.
    pub fn auth_type(&self) -> &'static str {
        match self {
            Self::Token(_) => "pat",
            Self::ServicePrincipal(_) => "oauth-m2m",
            Self::Identity(identity) => identity.auth_type(),
        }
    }
}

/// A service principal: a client id and secret that a token endpoint turns into short-lived tokens.
#[derive(Debug, Clone)]
pub struct ServicePrincipal {
    pub(crate) token_url: TokenUrl,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) scopes: Vec<String>,
    /// The group whose rights to take on.
    pub(crate) group_id: Option<String>,
}

/// Where a service principal's tokens come from.
#[derive(Debug, Clone)]
pub(crate) enum TokenUrl {
    Given(Url),
    /// What the host says.
    Discovered(Box<Issuer>),
}

impl ServicePrincipal {
    /// A service principal whose tokens come from `token_url`, asked for the scope `all-apis`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the URL isn't https (or loopback), or if a
    /// value is empty.
    pub fn new(token_url: &str, client_id: &str, client_secret: impl Into<Secret>) -> Result<Self> {
        let shown = token_url.split(['?', '@']).next().unwrap_or_default();
        let url = Url::parse(token_url.trim())
            .map_err(|_| Error::configuration(format!("the token URL is not an absolute URL: {shown:?}")))?;
        // The host's rules hold for the token URL too: the secret goes there.
        Host::parse(token_url)?;
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(Error::configuration(format!("the token URL must be https: {shown:?}")));
        }
        Self::with(TokenUrl::Given(url), client_id, client_secret.into())
    }

    /// A service principal whose tokens come from where the host says.
    pub(crate) fn discovered(issuer: Issuer, client_id: &str, client_secret: Secret) -> Result<Self> {
        Self::with(TokenUrl::Discovered(Box::new(issuer)), client_id, client_secret)
    }

    fn with(token_url: TokenUrl, client_id: &str, client_secret: Secret) -> Result<Self> {
        let client_secret = client_secret.cleaned("client secret")?;
        let client_id = client_id.trim();
        if client_id.is_empty() {
            return Err(Error::configuration("the client id is empty"));
        }
        let (client_id, scopes) = (client_id.to_owned(), vec!["all-apis".to_owned()]);
        Ok(Self { token_url, client_id, client_secret, scopes, group_id: None })
    }

    /// Asks for these scopes instead of `all-apis`.
    pub fn with_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).filter(|s| !s.is_empty()).collect();
        self.scopes.sort();
        self.scopes.dedup();
        self
    }
}

impl Connection {
    /// A connection with a personal access token. Blanks around a pasted token are dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a bad host, an empty token, or one with
    /// blanks or control characters in it.
    pub fn token(host: &str, token: impl Into<Secret>) -> Result<Self> {
        let token = token.into().cleaned("token")?;
        Ok(Self::of(Host::parse(host)?, Credential::Token(token)))
    }

    /// A connection as a service principal to the workspace that issues its tokens (`https://HOST/oidc/v1/token`), or
    /// to an account console (`https://accounts…/oidc/accounts/ID/v1/token`).
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the token URL isn't Databricks' own: its host
    /// then says nothing of the workspace, and [`service_principal_at`](Self::service_principal_at) is to be used.
    pub fn service_principal(principal: ServicePrincipal) -> Result<Self> {
        let TokenUrl::Given(url) = &principal.token_url else {
            return Err(Error::configuration("the service principal has no token URL"));
        };
        if !url.path().starts_with("/oidc/") {
            return Err(Error::configuration(format!(
                "the token URL does not tell the workspace's host: {}",
                url.host_str().unwrap_or_default()
            ))
            .with_hint("give the host as well (DATABRICKS_HOST)"));
        }
        Ok(Self::of(Host::parse(url.as_str())?, Credential::ServicePrincipal(principal)))
    }

    /// A connection as a service principal to `host`, with a token URL that may be somewhere else.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a bad host.
    pub fn service_principal_at(host: &str, principal: ServicePrincipal) -> Result<Self> {
        Ok(Self::of(Host::parse(host)?, Credential::ServicePrincipal(principal)))
    }

    pub(crate) fn of(host: Host, credential: Credential) -> Self {
        let workspace_id = host.workspace_id().map(str::to_owned);
        Self { host, credential, workspace_id, authorities: Authorities::default() }
    }

    /// Trusts the certificate authorities of a PEM file too, beside the system's.
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
    pub fn with_workspace_id(mut self, id: impl Into<String>) -> Self {
        self.workspace_id = Some(id.into());
        self
    }

    /// What the HTTP client for it is made from.
    pub(crate) fn http_options(&self, product: Option<&(String, String)>) -> HttpOptions {
        let options = HttpOptions::new(self.host.clone())
            .with_authorities(self.authorities.clone())
            .with_workspace_id(self.workspace_id.clone())
            .with_auth_type(self.credential.auth_type());
        match product {
            Some((name, version)) => options.with_product(name, version),
            None => options,
        }
    }

    /// A way to the host that carries no credential yet.
    pub(crate) fn wire(&self, product: Option<&(String, String)>) -> Result<Wire> {
        Wire::builder(self.http_options(product)).build()
    }

    /// The workspace's id, if it is given or the host's address carries it.
    pub fn workspace_id(&self) -> Option<&str> {
        self.workspace_id.as_deref()
    }

    /// Where it leads.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// How it authenticates.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_trimmed_and_checked() {
        let connection = Connection::token("x.cloud.databricks.com", " dapi1\n").unwrap();
        assert!(matches!(connection.credential(), Credential::Token(t) if t.expose() == "dapi1"));
        for bad in ["", " \n", "dapi\n1", "da pi"] {
            let error = Connection::token("x.cloud.databricks.com", bad).unwrap_err().to_string();
            assert!(error.starts_with("the token"), "{error}");
        }
    }

    #[test]
    fn a_foreign_token_url_does_not_become_the_host() {
        let principal = |url| ServicePrincipal::new(url, "id", "secret");
        let entra = principal("https://login.microsoftonline.com/tid/oauth2/v2.0/token").unwrap();
        assert!(
            Connection::service_principal(entra)
                .unwrap_err()
                .to_string()
                .contains("login.microsoftonline.com")
        );
        let workspace = principal("https://adb-1.2.azuredatabricks.net/oidc/v1/token").unwrap();
        let connection = Connection::service_principal(workspace).unwrap();
        assert_eq!(connection.host().as_str(), "https://adb-1.2.azuredatabricks.net");
        assert!(principal("http://adb-1.2.azuredatabricks.net/oidc/v1/token").is_err());
        assert!(principal("adb-1.2.azuredatabricks.net/oidc/v1/token").is_err());
        assert!(!format!("{connection:?}").contains("secret\""));
    }
}
