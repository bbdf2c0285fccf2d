//! OAuth client credentials (RFC 6749, 4.4): exchanges a client id and secret for a short-lived token.
//!
//! The id and the secret are form-encoded before they go into the Basic header, as section 2.3.1 of the RFC requires
//! and the Go SDK does (the Python SDK doesn't). If no token URL is given, the host is asked for it.

use base64::{Engine, prelude::BASE64_STANDARD};
use brickwire_wire::{BoxFuture, Wire, form, is_loopback};
use http::HeaderValue;
use reqwest::Url;

use super::{
    discovery::Issuer,
    token::{Token, TokenSource},
    token_request::TokenRequest,
};
use crate::{Error, Host, Result, Secret};

/// A service principal: a client id and secret that a token endpoint exchanges for short-lived tokens.
#[derive(Debug, Clone)]
pub struct ServicePrincipal {
    token_url: TokenUrl,
    client_id: String,
    client_secret: Secret,
    pub(crate) scopes: Vec<String>,
    /// The group whose permissions the tokens have.
    pub(crate) group_id: Option<String>,
}

#[derive(Debug, Clone)]
enum TokenUrl {
    Given(Url),
    /// As the issuer's host says.
    Discovered(Box<Issuer>),
}

impl ServicePrincipal {
    /// Gets tokens from `token_url`, with the scope `all-apis`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the URL is neither https nor loopback, or if a
    /// value is empty.
    pub fn new(token_url: &str, client_id: &str, client_secret: impl Into<Secret>) -> Result<Self> {
        let shown = token_url.split(['?', '@']).next().unwrap_or_default();
        let url = Url::parse(token_url.trim())
            .map_err(|_| Error::configuration(format!("the token URL is not an absolute URL: {shown:?}")))?;
        // The secret is sent there, so the rules for hosts apply.
        Host::parse(token_url)?;
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(Error::configuration(format!("the token URL must be https: {shown:?}")));
        }
        Self::from_parts(TokenUrl::Given(url), client_id, client_secret.into())
    }

    /// Gets tokens from the endpoint that the issuer's host names.
    pub(crate) fn discovered(issuer: Issuer, client_id: &str, client_secret: Secret) -> Result<Self> {
        Self::from_parts(TokenUrl::Discovered(Box::new(issuer)), client_id, client_secret)
    }

    fn from_parts(token_url: TokenUrl, client_id: &str, client_secret: Secret) -> Result<Self> {
        let client_secret = client_secret.cleaned("client secret")?;
        let client_id = client_id.trim().to_owned();
        if client_id.is_empty() {
            return Err(Error::configuration("the client id is empty"));
        }
        let scopes = vec!["all-apis".to_owned()];
        Ok(Self { token_url, client_id, client_secret, scopes, group_id: None })
    }

    /// Requests these scopes instead of `all-apis`.
    #[must_use]
    pub fn with_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).filter(|scope| !scope.is_empty()).collect();
        self.scopes.sort();
        self.scopes.dedup();
        self
    }

    pub(crate) fn client_secret(&self) -> &Secret {
        &self.client_secret
    }

    /// The token URL, if it was given.
    pub(crate) fn token_url(&self) -> Option<&Url> {
        match &self.token_url {
            TokenUrl::Given(url) => Some(url),
            TokenUrl::Discovered(_) => None,
        }
    }
}

impl TokenSource for ServicePrincipal {
    fn auth_type(&self) -> &'static str {
        "oauth-m2m"
    }

    fn fetch<'a>(&'a self, http: &'a Wire) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move {
            let url = match &self.token_url {
                TokenUrl::Given(url) => url.clone(),
                TokenUrl::Discovered(issuer) => issuer.endpoints(http).await?.token,
            };
            let secret = form::encode_text(self.client_secret.expose());
            let pair = format!("{}:{secret}", form::encode_text(&self.client_id));
            let mut basic = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair)))
                .map_err(|_| Error::configuration("the client id and secret do not fit into a header"))?;
            basic.set_sensitive(true);
            let scope = self.scopes.join(" ");
            let mut form = vec![("grant_type", "client_credentials"), ("scope", scope.as_str())];
            form.extend(self.group_id.as_deref().map(|group| ("assume_group", group)));
            let secrets = [&self.client_secret];
            let request = TokenRequest::new(&url, &form, &secrets).with_basic(basic);
            Ok(request.send(http).await?.into_token())
        })
    }
}
