//! Turns a [`Credential`] into the headers of requests.
//!
//! Each kind of credential is one file with one [`TokenSource`]; the [`TokenCache`](cache::TokenCache) keeps and renews
//! the tokens of all kinds but the personal access token. A source reaches the network only through a [`Wire`] without
//! a credential, the disk only where its file says so, and other programs only through [`program`].

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
mod jwt;
mod program;
mod token_exchange;
mod token_request;
mod token_store;

use std::{fmt, sync::Arc, time::Duration};

use brickwire_wire::{Authorization, BoxFuture, Credential as _, Wire};

use crate::{Connection, Credential, Result, Secret};

pub(crate) use azure::{AzureServicePrincipal, azure_cloud, azure_cloud_of};
pub(crate) use azure_cli::AzureCli;
pub use browser::BrowserLogin;
pub(crate) use browser::{BrowserSession, LoginTarget};
use cache::TokenCache;
pub(crate) use databricks_cli::DatabricksCli;
pub(crate) use default_chain::DefaultChain;
pub(crate) use discovery::Issuer;
pub(crate) use token_exchange::{Subject, WorkloadIdentity};
pub(crate) use token_store::TokenStore;

/// Where tokens come from: one kind of credential.
pub(crate) trait TokenSource: Send + Sync + fmt::Debug {
    /// The kind in the SDKs' word.
    fn auth_type(&self) -> &'static str;

    /// Fetches a token; `http` carries no credential.
    fn fetch<'a>(&'a self, http: &'a Wire) -> BoxFuture<'a, Result<Token>>;
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
        self.authorization = self.authorization.with_header(name, value);
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
    /// For a connection; `wire` carries no credential.
    pub(crate) fn new(connection: &Connection, wire: &Wire) -> Self {
        let source = match connection.credential() {
            Credential::Token(token) => return Self::Fixed(Authorization::bearer(token.clone())),
            Credential::ServicePrincipal(principal) => Arc::new(principal.clone()) as Arc<dyn TokenSource>,
            Credential::Identity(identity) => identity.0.clone(),
        };
        let wire = wire.clone();
        Self::Cached(TokenCache::new(move || {
            let (wire, source) = (wire.clone(), source.clone());
            Box::pin(async move { source.fetch(&wire).await })
        }))
    }

    /// A token that is good now, with what is known of it.
    pub(crate) async fn access_token(&self) -> Result<AccessToken> {
        let token = self.authorization().await?.token().clone();
        let expires_in = match self {
            // A token that someone pasted may tell.
            Self::Fixed(_) => jwt::expiry(token.expose()).and_then(|e| token_request::until(&e)),
            Self::Cached(cache) => cache.expires_in(),
        };
        let scopes = jwt::scopes(token.expose());
        Ok(AccessToken { token, expires_in, scopes })
    }
}

impl brickwire_wire::Credential for Authenticator {
    fn authorization(&self) -> BoxFuture<'_, Result<Authorization>> {
        Box::pin(async move {
            match self {
                Self::Fixed(fixed) => Ok(fixed.clone()),
                Self::Cached(cache) => cache.authorization().await,
            }
        })
    }

    fn refused(&self, authorization: &Authorization) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Cached(cache) => {
                cache.discard(authorization);
                true
            }
        }
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
