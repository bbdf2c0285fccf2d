//! Turns a [`Credential`] into the token of a request.

mod cache;
mod client_credentials;

use std::sync::Arc;

use crate::{Connection, Credential, Result, Secret};

use cache::TokenCache;

/// Gives the bearer token for each request of one connection.
#[derive(Debug)]
pub(crate) enum Authenticator {
    /// Always the same.
    Fixed(Secret),
    /// Fetched, kept and renewed.
    Cached(TokenCache),
}

impl Authenticator {
    pub(crate) fn new(connection: &Connection, http: &reqwest::Client) -> Self {
        match connection.credential() {
            Credential::Token(token) => Self::Fixed(token.clone()),
            Credential::ServicePrincipal(principal) => {
                let (http, principal) = (http.clone(), Arc::new(principal.clone()));
                Self::Cached(TokenCache::new(move || {
                    let (http, principal) = (http.clone(), principal.clone());
                    Box::pin(async move { client_credentials::fetch(&http, &principal).await })
                }))
            }
        }
    }

    /// A token that is good now.
    pub(crate) async fn token(&self) -> Result<Secret> {
        match self {
            Self::Fixed(token) => Ok(token.clone()),
            Self::Cached(cache) => cache.token().await,
        }
    }

    /// After a 401: whether another token can be had. The one refused won't be given out again.
    pub(crate) fn discard(&self, refused: &Secret) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Cached(cache) => {
                cache.discard(refused);
                true
            }
        }
    }
}
