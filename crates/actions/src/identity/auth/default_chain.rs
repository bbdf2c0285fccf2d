//! When nothing says how to authenticate: the logins that may be there, one after the other.

use brickwire_wire::{BoxFuture, Wire};

use super::{Identity, Token, TokenSource};
use crate::{Error, Result};

/// Logins to try, at least one.
#[derive(Debug, Clone)]
pub(crate) struct DefaultChain {
    pub(crate) identities: Vec<Identity>,
    /// What is configured, for the error.
    pub(crate) summary: String,
}

impl TokenSource for DefaultChain {
    fn auth_type(&self) -> &'static str {
        self.identities.first().map_or("default", Identity::auth_type)
    }

    fn fetch<'a>(&'a self, http: &'a Wire) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move {
            let mut failed: Vec<Error> = Vec::new();
            let mut said = Vec::new();
            for identity in &self.identities {
                match identity.0.fetch(http).await {
                    Ok(token) => return Ok(token),
                    Err(error) => {
                        said.push(format!("{}: {error}", identity.auth_type()));
                        failed.push(error);
                    }
                }
            }
            let text = format!("cannot configure default credentials: {}; {}", said.join("; "), self.summary);
            let hint = failed.iter().find_map(|e| e.hint().map(str::to_owned));
            let kind = failed.last().map_or(crate::ErrorKind::Configuration, Error::kind);
            let error = Error::new(kind, text);
            Err(match hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            })
        })
    }
}
