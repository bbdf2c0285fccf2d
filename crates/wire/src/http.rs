//! The HTTP client: decides what every connection has in common. It follows no redirects itself, limits silence and
//! not duration, resolves names so that a failure can be recognized, and uses the environment's proxy.

mod authorities;
pub(crate) mod reach;

use std::{fmt, future::Future, pin::Pin, time::Duration};

use ::http::{HeaderMap, HeaderValue, header};
use reqwest::{Client, ClientBuilder, Request, Response};

use crate::{Error, Host, Result};

pub use authorities::Authorities;
pub use reach::{Step, unreachable};

/// A boxed future that can move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An attempt ends after this much silence; a slow download lives as long as bytes arrive.
pub(crate) const INACTIVITY: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);

/// One HTTP exchange. The HTTP client is behind it; a test can put answers of its own there.
pub trait Exchange: Send + Sync + fmt::Debug {
    /// Sends one request and returns the response once its headers are there. Redirects are not followed.
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, Unanswered>>;
}

/// Why no response came.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Unanswered {
    /// No connection came about, so nothing was sent.
    NotSent(Error),
    /// Nothing came back for too long.
    TimedOut(Error),
    /// The connection broke after the request was sent, or the response was cut short.
    Lost(Error),
}

impl Unanswered {
    pub(crate) fn new(url: &reqwest::Url, error: reqwest::Error) -> Self {
        let kind = match (error.is_connect(), error.is_timeout()) {
            (true, _) => Self::NotSent,
            (false, true) => Self::TimedOut,
            (false, false) => Self::Lost,
        };
        kind(unreachable(url, error))
    }
}

impl Exchange for Client {
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, Unanswered>> {
        Box::pin(async move {
            let url = request.url().clone();
            self.execute(request).await.map_err(|error| Unanswered::new(&url, error))
        })
    }
}

/// What the HTTP client is made from.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    host: Host,
    authorities: Authorities,
    workspace_id: Option<String>,
    product: Option<(String, String)>,
    auth_type: &'static str,
}

impl HttpOptions {
    /// Options for connections to a host, all others at their defaults.
    pub fn new(host: Host) -> Self {
        let workspace_id = host.workspace_id().map(str::to_owned);
        Self { host, authorities: Authorities::default(), workspace_id, product: None, auth_type: "pat" }
    }

    /// Trusts these certificate authorities, too.
    #[must_use]
    pub fn with_authorities(mut self, authorities: Authorities) -> Self {
        self.authorities = authorities;
        self
    }

    /// Names the workspace, for hosts that serve several. By default it is the one in the host's address.
    #[must_use]
    pub fn with_workspace_id(mut self, id: Option<String>) -> Self {
        self.workspace_id = id;
        self
    }

    /// Names the program at the start of the user agent.
    #[must_use]
    pub fn with_product(mut self, name: &str, version: &str) -> Self {
        self.product = Some((product_token(name), product_token(version)));
        self
    }

    /// The kind of credential, in the SDKs' word, for the user agent; `pat` by default.
    #[must_use]
    pub fn with_auth_type(mut self, auth_type: &'static str) -> Self {
        self.auth_type = auth_type;
        self
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// The client for the API.
    pub(crate) fn api_client(&self) -> Result<Client> {
        build_client(self.api_builder().read_timeout(INACTIVITY))
    }

    /// The client for what takes longer than a minute of silence, such as a body that is read while it is sent: a client
    /// that waits for an answer takes a long body for silence. The call limits it.
    pub(crate) fn patient_client(&self) -> Result<Client> {
        build_client(self.api_builder())
    }

    fn api_builder(&self) -> ClientBuilder {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/plain, */*"));
        if let Some(id) = self.workspace_id.as_deref().and_then(|id| HeaderValue::try_from(id).ok()) {
            headers.insert("X-Databricks-Workspace-Id", id);
        }
        let mut builder = self.patient_builder().user_agent(self.user_agent()).default_headers(headers);
        // Plain http stays on this machine, and a static token is sent nowhere else. Reading the system's certificates
        // would take most of a short command's time.
        if self.host.as_str().starts_with("http:") && self.auth_type == "pat" {
            builder = builder.tls_certs_only([]);
        }
        builder
    }

    /// The client for presigned links. It sends no header of ours, since one could spoil a link's signature, and takes
    /// the bytes as they are.
    pub(crate) fn store_client(&self) -> Result<Client> {
        build_client(self.client_builder().no_gzip())
    }

    /// What all clients have in common, for connections that need more, such as a look at the certificate.
    pub fn client_builder(&self) -> ClientBuilder {
        self.patient_builder().read_timeout(INACTIVITY)
    }

    fn patient_builder(&self) -> ClientBuilder {
        // Another crate of the program may have chosen a TLS provider already. Then that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = self
            .authorities
            .apply(Client::builder())
            .dns_resolver(reach::Resolver)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT);
        if self.host.is_loopback() { builder.no_proxy() } else { builder }
    }

    /// Has the shape of the SDKs' user agents, so that the service's statistics can tell programs apart.
    fn user_agent(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let prefix =
            self.product.as_ref().map(|(name, version)| format!("{name}/{version} ")).unwrap_or_default();
        format!(
            "{prefix}brickwire/{version} rust/{} os/{} auth/{}",
            env!("CARGO_PKG_RUST_VERSION"),
            std::env::consts::OS,
            self.auth_type
        )
    }
}

/// Builds an HTTP client.
///
/// # Errors
/// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if TLS can't be set up on this machine.
pub fn build_client(builder: ClientBuilder) -> Result<Client> {
    builder.build().map_err(|error| {
        Error::configuration("cannot set up HTTP on this machine")
            .with_hint("if SSL_CERT_FILE or SSL_CERT_DIR are set, check that they name certificates")
            .with_source(error)
    })
}

fn product_token(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "_.+-".contains(c) { c } else { '-' }).collect()
}
