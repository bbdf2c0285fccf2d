//! Turns a [`Credential`] into what goes into a request's headers.
//!
//! Each kind of credential is one file with one [`TokenSource`]; all but the personal access token are kept and renewed
//! by the [`TokenCache`](cache::TokenCache). A source reaches the network only through [`Http`](http::Http), the disk
//! only where its file says so, and other programs only through [`program`].

mod azure;
mod azure_cli;
mod browser;
mod cache;
mod callback;
mod client_credentials;
#[cfg(test)]
mod conformance;
mod databricks_cli;
mod default_chain;
mod discovery;
mod http;
mod jwt;
mod program;
mod timestamp;
mod token_answer;
mod token_exchange;
mod token_store;

use std::{fmt, sync::Arc, time::Duration};

use ::http::{HeaderMap, HeaderValue, header};
use brickwire_client::BoxFuture;

use crate::{Connection, Credential, Error, Result, Secret};

pub(crate) use azure::{AzureCloud, AzureServicePrincipal};
pub(crate) use azure_cli::AzureCli;
pub use browser::BrowserLogin;
pub(crate) use browser::{BrowserSession, LoginTarget};
use cache::TokenCache;
pub(crate) use databricks_cli::DatabricksCli;
pub(crate) use default_chain::DefaultChain;
pub(crate) use discovery::Issuer;
use http::Http;
pub(crate) use token_exchange::{Subject, WorkloadIdentity};
pub(crate) use token_store::TokenStore;

/// Where tokens come from: one kind of credential.
pub(crate) trait TokenSource: Send + Sync + fmt::Debug {
    /// The kind in the SDKs' word.
    fn auth_type(&self) -> &'static str;

    /// Fetches a token.
    fn fetch<'a>(&'a self, http: &'a dyn Http) -> BoxFuture<'a, Result<Token>>;
}

/// What goes into a request's headers.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Authorization {
    token: Secret,
    /// Headers beside `Authorization`; Azure has them.
    extra: Vec<(&'static str, Secret)>,
}

impl Authorization {
    pub(crate) fn bearer(token: Secret) -> Self {
        Self { token, extra: Vec::new() }
    }

    /// The token alone.
    pub(crate) fn token(&self) -> &Secret {
        &self.token
    }

    /// Writes the headers, marked as sensitive.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) -> Result<()> {
        let value = |text: String| {
            let mut value = HeaderValue::try_from(text)
                .map_err(|_| Error::configuration("the token does not fit into a header"))?;
            value.set_sensitive(true);
            Ok::<_, Error>(value)
        };
        headers.insert(header::AUTHORIZATION, value(format!("Bearer {}", self.token.expose()))?);
        for (name, secret) in &self.extra {
            headers.insert(*name, value(secret.expose().to_owned())?);
        }
        Ok(())
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization")
    }
}

/// A token as its source gave it.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) authorization: Authorization,
    /// How long it lives from now; `None` if the source doesn't tell.
    pub(crate) life: Option<Duration>,
}

impl Token {
    pub(crate) fn new(token: impl Into<Secret>, life: Option<Duration>) -> Self {
        Self { authorization: Authorization::bearer(token.into()), life }
    }

    /// With one more header.
    fn with_header(mut self, name: &'static str, value: Secret) -> Self {
        self.authorization.extra.push((name, value));
        self
    }
}

/// An access token as it was given, for a program that wants to use it elsewhere.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// How long it is still good; `None` if its source doesn't tell.
    pub expires_in: Option<Duration>,
    /// What it may be used for, where the token itself says so.
    pub scopes: Option<Vec<String>>,
}

/// Gives the headers for each request of one connection.
#[derive(Debug)]
pub(crate) enum Authenticator {
    /// Always the same.
    Fixed(Authorization),
    /// Fetched, kept and renewed.
    Cached(TokenCache),
}

impl Authenticator {
    pub(crate) fn new(connection: &Connection, http: &reqwest::Client) -> Self {
        Self::over(connection, Arc::new(http.clone()))
    }

    /// The same over any HTTP.
    fn over(connection: &Connection, http: Arc<dyn Http>) -> Self {
        let source = match connection.credential() {
            Credential::Token(token) => return Self::Fixed(Authorization::bearer(token.clone())),
            Credential::ServicePrincipal(principal) => Arc::new(principal.clone()) as Arc<dyn TokenSource>,
            Credential::Identity(identity) => identity.0.clone(),
        };
        Self::Cached(TokenCache::new(move || {
            let (http, source) = (http.clone(), source.clone());
            Box::pin(async move { source.fetch(&*http).await })
        }))
    }

    /// What is good now.
    pub(crate) async fn authorization(&self) -> Result<Authorization> {
        match self {
            Self::Fixed(fixed) => Ok(fixed.clone()),
            Self::Cached(cache) => cache.authorization().await,
        }
    }

    /// After a 401: whether another token can be had. The one refused won't be given out again.
    pub(crate) fn discard(&self, refused: &Authorization) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Cached(cache) => {
                cache.discard(refused);
                true
            }
        }
    }

    /// A token that is good now, with what is known of it.
    pub(crate) async fn access_token(&self) -> Result<AccessToken> {
        let token = self.authorization().await?.token;
        let expires_in = match self {
            // A token that someone pasted may tell.
            Self::Fixed(_) => jwt::expiry(token.expose()).and_then(|e| token_answer::until(&e)),
            Self::Cached(cache) => cache.expires_in(),
        };
        let scopes = jwt::scopes(token.expose());
        Ok(AccessToken { token, expires_in, scopes })
    }
}

/// A credential that a [`Config`](crate::Config) sets up: the vendor's CLI, a workload's identity, Azure, or a login in
/// the browser.
#[derive(Clone)]
pub struct Identity(Arc<dyn TokenSource>);

impl Identity {
    pub(crate) fn new(source: impl TokenSource + 'static) -> Self {
        Self(Arc::new(source))
    }

    /// The kind in the SDKs' word, such as `databricks-cli`.
    pub fn auth_type(&self) -> &'static str {
        self.0.auth_type()
    }
}

/// The kind only.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.auth_type())
    }
}
