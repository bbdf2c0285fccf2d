//! What proves who is asking: a header value that is good now.

use std::{fmt, sync::Arc};

use ::http::{HeaderMap, HeaderValue, header};

use crate::{BoxFuture, Error, Result, Secret};

/// Supplies the headers that authenticate each request.
pub trait Credential: Send + Sync + fmt::Debug {
    /// The headers that are good now, fetched or renewed if need be.
    ///
    /// # Errors
    /// Any error of the source of the credential.
    fn authorization(&self) -> BoxFuture<'_, Result<Authorization>>;

    /// Takes note that the service refused these headers. Returns whether another attempt can bring other ones.
    fn refused(&self, authorization: &Authorization) -> bool;
}

impl<C: Credential + ?Sized> Credential for Arc<C> {
    fn authorization(&self) -> BoxFuture<'_, Result<Authorization>> {
        (**self).authorization()
    }

    fn refused(&self, authorization: &Authorization) -> bool {
        (**self).refused(authorization)
    }
}

/// The headers that authenticate a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    token: Secret,
    extra: Vec<(&'static str, Secret)>,
}

impl Authorization {
    /// A bearer token.
    pub fn bearer(token: Secret) -> Self {
        Self { token, extra: Vec::new() }
    }

    /// Adds a header in addition to `Authorization`; Azure needs some.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: Secret) -> Self {
        self.extra.push((name, value));
        self
    }

    /// The bearer token.
    pub fn token(&self) -> &Secret {
        &self.token
    }

    /// All values, for the filter that keeps them out of what people read.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.token).chain(self.extra.iter().map(|(_, value)| value))
    }

    /// Writes the headers, marked as sensitive.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if a value does not fit into a header.
    pub fn apply(&self, headers: &mut HeaderMap) -> Result<()> {
        headers.insert(header::AUTHORIZATION, sensitive(&format!("Bearer {}", self.token.expose()))?);
        for (name, secret) in &self.extra {
            headers.insert(*name, sensitive(secret.expose())?);
        }
        Ok(())
    }
}

fn sensitive(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(text)
        .map_err(|_| Error::configuration("the token does not fit into an HTTP header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Names the type only.
impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization")
    }
}

/// A token that never changes, such as a personal access token.
#[derive(Debug, Clone)]
pub struct StaticToken(Authorization);

impl StaticToken {
    /// Takes the token. Blanks around a pasted token are dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an empty token, or one with blanks, control
    /// characters or characters outside of ASCII in it.
    pub fn new(token: impl Into<Secret>) -> Result<Self> {
        Ok(Self(Authorization::bearer(token.into().cleaned("token")?)))
    }
}

impl Credential for StaticToken {
    fn authorization(&self) -> BoxFuture<'_, Result<Authorization>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }

    fn refused(&self, _: &Authorization) -> bool {
        false
    }
}
