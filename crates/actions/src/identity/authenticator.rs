//! Supplies the `Authorization` header for the requests of one connection.

use std::{sync::Arc, time::Duration};

use brickwire_wire::{Authorization, BoxFuture, Wire};

use super::{
    auth::{cache::TokenCache, jwt, token::TokenSource, token_request::until},
    connection::{Connection, Credential},
};
use crate::{Result, Secret};

/// An access token for use outside of this library.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// The time until it expires; `None` if its source doesn't say.
    pub expires_in: Option<Duration>,
    /// What the token may be used for, if the token itself says so.
    pub scopes: Option<Vec<String>>,
}

/// The credential of one connection, as the wire needs it.
#[derive(Debug)]
pub(crate) enum Authenticator {
    /// A token that never changes.
    Fixed(Authorization),
    /// Tokens that are fetched, cached and renewed.
    Cached(TokenCache),
}

impl Authenticator {
    /// `wire` carries no credential.
    pub(crate) fn new(connection: &Connection, wire: &Wire) -> Self {
        let source = match connection.credential() {
            Credential::Token(token) => {
                wire.filter().learn(token);
                return Self::Fixed(Authorization::bearer(token.clone()));
            }
            Credential::ServicePrincipal(principal) => {
                wire.filter().learn(principal.client_secret());
                Arc::new(principal.clone()) as Arc<dyn TokenSource>
            }
            Credential::Identity(identity) => identity.source().clone(),
        };
        let wire = wire.clone();
        Self::Cached(TokenCache::new(move || {
            let (wire, source) = (wire.clone(), source.clone());
            Box::pin(async move { source.fetch(&wire).await })
        }))
    }

    /// Returns a valid token, fetching one if necessary.
    pub(crate) async fn access_token(&self) -> Result<AccessToken> {
        let token = brickwire_wire::Credential::authorization(self).await?.token().clone();
        let expires_in = match self {
            // A configured token may be a JWT, which says when it expires.
            Self::Fixed(_) => jwt::expiry(token.expose()).and_then(|moment| until(&moment)),
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
