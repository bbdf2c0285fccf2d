//! Tries the available logins one after the other, if nothing says how to authenticate.

use brickwire_wire::{BoxFuture, Wire};

use super::token::{Identity, Token, TokenSource};
use crate::{Error, ErrorKind, Result};

/// The logins to try.
#[derive(Debug, Clone)]
pub(crate) struct DefaultChain {
    pub(crate) identities: Vec<Identity>,
    /// What is configured, for the error message.
    pub(crate) summary: String,
}

impl TokenSource for DefaultChain {
    fn auth_type(&self) -> &'static str {
        self.identities.first().map_or("default", Identity::auth_type)
    }

    fn fetch<'a>(&'a self, http: &'a Wire) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move {
            let (mut kind, mut hint, mut failures) = (ErrorKind::Configuration, None, String::new());
            for identity in &self.identities {
                match identity.source().fetch(http).await {
                    Ok(token) => return Ok(token),
                    Err(error) => {
                        failures.push_str(&format!("{}: {}; ", identity.auth_type(), error.with_cause()));
                        kind = error.kind();
                        hint = hint.or_else(|| error.hint().map(str::to_owned));
                    }
                }
            }
            let text = format!("cannot configure default credentials: {failures}{}", self.summary);
            Err(Error::new(kind, text).with_details(|d| d.hint = hint))
        })
    }
}
