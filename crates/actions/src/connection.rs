//! What a user gives to reach a workspace: a host and a credential, in one of the connector's two forms.

use reqwest::Url;

use crate::{Error, Host, Result, Secret, host::is_loopback};

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
}

/// How a [`Connection`] authenticates.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Credential {
    /// A personal access token.
    Token(Secret),
    /// A service principal with OAuth client credentials.
    ServicePrincipal(ServicePrincipal),
}

impl Credential {
    /// The kind in the SDKs' word: `pat` or `oauth-m2m`.
    pub fn auth_type(&self) -> &'static str {
        match self {
            Self::Token(_) => "pat",
            Self::ServicePrincipal(_) => "oauth-m2m",
        }
    }
}

/// A service principal: a client id and secret that a token endpoint turns into short-lived tokens.
#[derive(Debug, Clone)]
pub struct ServicePrincipal {
    pub(crate) token_url: Url,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) scopes: Vec<String>,
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
        let client_secret = clean_secret(client_secret.into(), "client secret")?;
        let client_id = client_id.trim();
        if client_id.is_empty() {
            return Err(Error::configuration("the client id is empty"));
        }
        Ok(Self {
            token_url: url,
            client_id: client_id.to_owned(),
            client_secret,
            scopes: vec!["all-apis".to_owned()],
        })
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
        let token = clean_secret(token.into(), "token")?;
        Ok(Self { host: Host::parse(host)?, credential: Credential::Token(token) })
    }

    /// A connection as a service principal to the workspace that issues its tokens (`https://HOST/oidc/v1/token`), or
    /// to an account console (`https://accounts…/oidc/accounts/ID/v1/token`).
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the token URL isn't Databricks' own: its host
    /// then says nothing of the workspace, and [`service_principal_at`](Self::service_principal_at) is to be used.
    pub fn service_principal(principal: ServicePrincipal) -> Result<Self> {
        if !principal.token_url.path().starts_with("/oidc/") {
            return Err(Error::configuration(format!(
                "the token URL does not tell the workspace's host: {}",
                principal.token_url.host_str().unwrap_or_default()
            ))
            .with_hint("give the host as well (DATABRICKS_HOST)"));
        }
        Ok(Self {
            host: Host::parse(principal.token_url.as_str())?,
            credential: Credential::ServicePrincipal(principal),
        })
    }

    /// A connection as a service principal to `host`, with a token URL that may be somewhere else.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a bad host.
    pub fn service_principal_at(host: &str, principal: ServicePrincipal) -> Result<Self> {
        Ok(Self { host: Host::parse(host)?, credential: Credential::ServicePrincipal(principal) })
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

fn clean_secret(secret: Secret, what: &str) -> Result<Secret> {
    let text = secret.expose().trim();
    if text.is_empty() {
        return Err(Error::configuration(format!("the {what} is empty")));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || !c.is_ascii()) {
        return Err(Error::configuration(format!(
            "the {what} contains blanks, control or non-ASCII characters"
        ))
        .with_hint("copy it again, without line breaks"));
    }
    Ok(Secret::new(text))
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
