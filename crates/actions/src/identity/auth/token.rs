//! A token, and the trait of everything that fetches one.

use std::{fmt, sync::Arc, time::Duration};

use brickwire_wire::{Authorization, BoxFuture, Wire};

use crate::{Result, Secret};

/// A token is replaced this long before it expires, so that it stays valid while a request is under way.
pub(crate) const EARLY: Duration = Duration::from_secs(40);

/// One kind of credential: it fetches tokens.
pub(crate) trait TokenSource: Send + Sync + fmt::Debug {
    /// The SDKs' name for this kind.
    fn auth_type(&self) -> &'static str;

    /// Fetches a token; `http` carries no credential.
    fn fetch<'a>(&'a self, http: &'a Wire) -> BoxFuture<'a, Result<Token>>;
}

/// A token from a [`TokenSource`].
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) authorization: Authorization,
    /// The time until it expires; `None` if the source doesn't say.
    pub(crate) life: Option<Duration>,
}

impl Token {
    pub(crate) fn new(token: impl Into<Secret>, life: Option<Duration>) -> Self {
        Self { authorization: Authorization::bearer(token.into()), life }
    }

    /// Adds a header to each request that uses the token.
    pub(crate) fn with_header(mut self, name: &'static str, value: Secret) -> Self {
        self.authorization = self.authorization.with_header(name, value);
        self
    }

    /// Sends another token along with this one; both are renewed before the first of them expires.
    pub(crate) fn with_token(mut self, header: &'static str, other: Self) -> Self {
        self.life = [self.life, other.life].into_iter().flatten().min();
        self.with_header(header, other.authorization.token().clone())
    }
}

/// A credential that a [`Config`](crate::Config) sets up: the Databricks CLI, a workload identity, Azure, or a browser
/// login.
#[derive(Clone)]
pub struct Identity(Arc<dyn TokenSource>);

impl Identity {
    pub(crate) fn new(source: impl TokenSource + 'static) -> Self {
        Self(Arc::new(source))
    }

    pub(crate) fn source(&self) -> &Arc<dyn TokenSource> {
        &self.0
    }

    /// The SDKs' name for this kind of credential, such as `databricks-cli`.
    pub fn auth_type(&self) -> &'static str {
        self.0.auth_type()
    }
}

/// Shows the kind only.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.auth_type())
    }
}
