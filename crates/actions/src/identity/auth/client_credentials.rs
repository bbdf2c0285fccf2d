//! OAuth client credentials (RFC 6749, 4.4): a client id and secret for a short-lived token.
//!
//! Id and secret are form-encoded before they go into the Basic header, as the RFC's section 2.3.1 asks and as the Go
//! SDK does (the Python SDK doesn't). The token URL is the one given, else what the host says.

use base64::{Engine, prelude::BASE64_STANDARD};
use brickwire_wire::{BoxFuture, Wire, form};
use http::HeaderValue;

use super::{Token, TokenSource, token_request::TokenRequest};
use crate::{
    Error, Result,
    identity::connection::{ServicePrincipal, TokenUrl},
};

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
            let request =
                TokenRequest { url: &url, form: &form, basic: Some(basic), secrets: &secrets, once: false };
            Ok(request.send(http).await?.into_token())
        })
    }
}
