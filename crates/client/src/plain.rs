//! The transport for those who bring none: one attempt, a bearer token, nothing else.
//!
//! Decides whom the token may meet: HTTPS hosts, and plain HTTP only on this machine. Redirects are not followed,
//! since a redirect of an API call is a sign-in page or a mistake in the host.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use http::{HeaderValue, header};
use reqwest::{Url, redirect};

use crate::{
    client::Client,
    runtime::{Body, BoxFuture, Error, OperationInfo, Response, Transport},
};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the service may say nothing. Some operations answer after half a minute of work.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Sends each request once, with a bearer token.
#[derive(Clone)]
pub struct PlainTransport {
    http: reqwest::Client,
    authorization: HeaderValue,
}

impl PlainTransport {
    /// A transport that authenticates with `token`.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if the token is empty or can't stand in a header; [`Error::Transport`] if TLS can't
    /// be set up.
    pub fn new(token: &str) -> Result<Self, Error> {
        // A program may have chosen a provider already; that one is as good.
        #[cfg(feature = "tls")]
        let _ = rustls::crypto::ring::default_provider().install_default();
        let token = token.trim();
        if token.is_empty() {
            return Err(Error::InvalidRequest("the token is empty".to_owned()));
        }
        let mut authorization = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
            Error::InvalidRequest("the token has characters that a header can't hold".to_owned())
        })?;
        authorization.set_sensitive(true);
        let http = reqwest::Client::builder()
            .user_agent(concat!("brickwire-client/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .build()
            .map_err(|error| Error::Transport(error.into()))?;
        Ok(Self { http, authorization })
    }
}

impl fmt::Debug for PlainTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainTransport").finish_non_exhaustive()
    }
}

impl Transport for PlainTransport {
    fn send<'a>(
        &'a self,
        mut request: reqwest::Request,
        _operation: &'a OperationInfo,
    ) -> BoxFuture<'a, Result<Response, Error>> {
        Box::pin(async move {
            check_origin(request.url())?;
            request.headers_mut().insert(header::AUTHORIZATION, self.authorization.clone());
            let response = self
                .http
                .execute(request)
                .await
                .map_err(|error| Error::Transport(error.without_url().into()))?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = Body::Bytes(Body::Stream(response).read().await?);
            Ok(Response { status, headers, body })
        })
    }
}

impl Client {
    /// A client for the workspace at `host`, as in `example.cloud.databricks.com`, with a token and nothing else: no
    /// retries, no refresh.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if `host` is not a host or a URL of one, or if plain HTTP would leave this machine;
    /// else as [`PlainTransport::new`].
    pub fn new(host: &str, token: &str) -> Result<Self, Error> {
        Ok(Self::with_transport(base_url(host)?, Arc::new(PlainTransport::new(token)?)))
    }
}

/// The origin that `host` names; the path and the query of a pasted address are dropped.
fn base_url(host: &str) -> Result<String, Error> {
    let host = host.trim();
    let refuse = |problem: &str| Err(Error::InvalidRequest(format!("the host {problem}")));
    if host.is_empty() {
        return refuse("is empty");
    }
    let text = if host.contains("://") { host.to_owned() } else { format!("https://{host}") };
    let Ok(url) = Url::parse(&text) else {
        return refuse("is malformed: write it as in `example.cloud.databricks.com`");
    };
    check_origin(&url)?;
    Ok(url.origin().ascii_serialization())
}

/// Whether a token may be sent there.
fn check_origin(url: &Url) -> Result<(), Error> {
    let refuse = |problem: String| Err(Error::InvalidRequest(problem));
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("the host has a user name in it; the token is an argument of its own".to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback => Ok(()),
        "http" => refuse(format!("http would send the token in the clear: use https://{host}")),
        scheme => refuse(format!("not https: {scheme}")),
    }
}
