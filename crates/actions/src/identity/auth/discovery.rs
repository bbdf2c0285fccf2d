//! Finds a host's OAuth server: at the URLs that the host's metadata names, or else at the usual ones.
//!
//! What the host says never leads a secret away: a token endpoint must be on the host itself or on the account console
//! of its cloud. The SDKs send the client secret wherever the answer points. A discovery URL that the caller or the
//! environment names is bound by the same rule.

use brickwire_wire::{Wire, redact};
use reqwest::Url;
use serde_json::Value;

use super::token_request::look_up;
use crate::{Error, Host, Result};

/// What messages call [`Issuer::discovery_url`].
const DISCOVERY_URL: &str = "the discovery URL (DATABRICKS_DISCOVERY_URL)";

/// The OAuth server of a host.
#[derive(Debug, Clone)]
pub(crate) struct Issuer {
    pub(crate) host: Host,
    pub(crate) account_id: Option<String>,
    /// The page that lists the endpoints, if the caller or the environment names it.
    pub(crate) discovery_url: Option<String>,
}

/// What a host says about itself at `/.well-known/databricks-config`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HostMetadata {
    pub(crate) oidc_endpoint: Option<String>,
    pub(crate) account_id: Option<String>,
    pub(crate) workspace_id: Option<String>,
    pub(crate) cloud: Option<String>,
    pub(crate) host_type: Option<String>,
    pub(crate) audiences: Vec<String>,
}

/// The endpoints of an OAuth server.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    pub(crate) token: Url,
    pub(crate) authorization: Url,
    pub(crate) metadata: HostMetadata,
}

/// Whether an id can become part of a URL's path.
pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

impl HostMetadata {
    fn read(json: &Value) -> Self {
        let text = |key: &str| json[key].as_str().filter(|t| !t.is_empty()).map(str::to_owned);
        let audiences = json["token_federation_default_oidc_audiences"].as_array().into_iter().flatten();
        Self {
            oidc_endpoint: text("oidc_endpoint").map(|e| e.trim_end_matches('/').to_owned()),
            account_id: text("account_id").filter(|id| is_id(id)),
            workspace_id: text("workspace_id"),
            cloud: text("cloud"),
            host_type: text("host_type").map(|t| t.to_ascii_lowercase()),
            audiences: audiences.filter_map(|a| a.as_str().map(str::to_owned)).collect(),
        }
    }

    /// Whether the host serves an account rather than one workspace.
    pub(crate) fn is_account(&self, host: &Host) -> bool {
        host.is_account_console() || self.host_type.as_deref() == Some("account")
    }
}

impl Issuer {
    /// What the host says about itself; older hosts have no such page, and then the metadata is empty.
    pub(crate) async fn metadata(&self, http: &Wire) -> Result<HostMetadata> {
        let url = self.host.join("/.well-known/databricks-config")?;
        let json = look_up(http, url).await.filter(Value::is_object);
        Ok(json.map(|json| HostMetadata::read(&json)).unwrap_or_default())
    }

    /// The root of the OAuth server that the metadata names, with the account id filled in.
    pub(crate) fn root(&self, metadata: &HostMetadata) -> Result<Option<Url>> {
        let Some(endpoint) = &metadata.oidc_endpoint else { return Ok(None) };
        let account = self.account_id.as_ref().or(metadata.account_id.as_ref());
        let endpoint = match (endpoint.contains("{account_id}"), account) {
            (true, Some(account)) => endpoint.replace("{account_id}", account),
            (true, None) => return Err(self.needs_account()),
            (false, _) => endpoint.clone(),
        };
        self.checked(&endpoint).map(Some)
    }

    /// The endpoints, by discovery or else at the usual URLs.
    pub(crate) async fn endpoints(&self, http: &Wire) -> Result<Endpoints> {
        let metadata = self.metadata(http).await?;
        if let Some(page) = &self.discovery_url {
            return self.endpoints_of(page, metadata, http).await;
        }
        let root = match self.root(&metadata)? {
            Some(root) => root,
            None => self.usual_root()?,
        };
        let root = root.as_str().trim_end_matches('/').to_owned();
        let page = self.checked(&format!("{root}/.well-known/oauth-authorization-server"))?;
        // If the host is unreachable, the token request fails, too, after its retries.
        let server = look_up(http, page).await.unwrap_or_default();
        let address = |key: &str, usual: &str| match server[key].as_str() {
            Some(address) => self.checked(address),
            None => self.checked(&format!("{root}{usual}")),
        };
        Ok(Endpoints {
            token: address("token_endpoint", "/v1/token")?,
            authorization: address("authorization_endpoint", "/v1/authorize")?,
            metadata,
        })
    }

    /// The endpoints that a page lists, which must be there: it was named on purpose.
    async fn endpoints_of(&self, page: &str, metadata: HostMetadata, http: &Wire) -> Result<Endpoints> {
        let fault = |why: &str, shown: &str| {
            Error::configuration(format!("{DISCOVERY_URL} {why}: {shown}"))
                .with_hint("`discovery_url` is a page of the host's OAuth server that lists its endpoints")
        };
        let url = self.checked(page.trim()).map_err(|error| {
            let named = format!("{DISCOVERY_URL} is refused: {error}");
            error.with_message(named)
        })?;
        let shown = redact::url(&url);
        let server = look_up(http, url).await.ok_or_else(|| fault("can't be read", &shown))?;
        let address = |key: &str| match server[key].as_str() {
            Some(address) => self.checked(address),
            None => Err(fault(&format!("lists no {key}"), &shown)),
        };
        let token = address("token_endpoint")?;
        // Only a browser login needs the other one.
        let authorization = match server["authorization_endpoint"].as_str() {
            Some(address) => self.checked(address)?,
            None => self.host.join("/oidc/v1/authorize")?,
        };
        Ok(Endpoints { token, authorization, metadata })
    }

    fn usual_root(&self) -> Result<Url> {
        if !self.host.is_account_console() {
            return self.host.join("/oidc");
        }
        let account = self.account_id.as_ref().ok_or_else(|| self.needs_account())?;
        self.host.join(&format!("/oidc/accounts/{account}"))
    }

    fn needs_account(&self) -> Error {
        Error::configuration(format!("{} is an account's host and needs an account id", self.host))
            .with_hint("set `account_id` (DATABRICKS_ACCOUNT_ID)")
    }

    /// Parses a URL and refuses one that this host's credential must not go to.
    fn checked(&self, address: &str) -> Result<Url> {
        let url = Url::parse(address).ok().filter(|url| {
            url.username().is_empty() && url.password().is_none() && self.host.may_receive_credential(url)
        });
        url.ok_or_else(|| {
            let origin =
                Url::parse(address).map_or("not an address".to_owned(), |u| u.origin().ascii_serialization());
            Error::configuration(format!("{} names an OAuth server on another host: {origin}", self.host))
                .with_hint("check the host: a credential is only sent to the host that it was given for")
        })
    }
}
