//! Azure service principals with a client secret: Microsoft Entra ID issues the token for Databricks.
//!
//! Databricks also accepts a token for Azure's resource manager, which makes an owner of the workspace's resource an
//! administrator of the workspace. That token opens much more than Databricks, so it is sent only to hosts of Azure
//! Databricks; the SDKs send it to any host. Redirects of Entra ID are not followed.

use brickwire_wire::{AzureCloud, BoxFuture, Redirects, Wire};
use http::Method;
use reqwest::Url;

use super::{
    token::{Token, TokenSource},
    token_request::{TokenRequest, call},
};
use crate::{Error, Host, Result, RetryPolicy, Secret};

/// The id of Azure Databricks as an application of Entra ID, which is the same in all clouds.
pub(crate) const APPLICATION: &str = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d";
pub(crate) const MANAGEMENT_TOKEN: &str = "x-databricks-azure-sp-management-token";
pub(crate) const RESOURCE_ID: &str = "x-databricks-azure-workspace-resource-id";

/// The Azure cloud with this name; by default that of the host, or else the public one.
pub(crate) fn azure_cloud(name: Option<&str>, host: &Host) -> Result<&'static AzureCloud> {
    let Some(name) = name else { return Ok(azure_cloud_of(host).unwrap_or(AzureCloud::public())) };
    AzureCloud::named(name).ok_or_else(|| {
        Error::configuration(format!("there is no Azure environment of this name: {name:?}"))
            .with_hint("`azure_environment` (ARM_ENVIRONMENT) is public, usgovernment or china")
    })
}

/// The Azure cloud that a host belongs to.
pub(crate) fn azure_cloud_of(host: &Host) -> Option<&'static AzureCloud> {
    host.cloud().and_then(|cloud| cloud.azure())
}

/// A service principal of Entra ID.
#[derive(Debug, Clone)]
pub(crate) struct AzureServicePrincipal {
    pub(crate) cloud: &'static AzureCloud,
    pub(crate) host: Host,
    /// If missing, the workspace is asked for it.
    pub(crate) tenant_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) resource_id: Option<String>,
}

impl AzureServicePrincipal {
    async fn request(&self, http: &Wire, url: &Url, resource: &str) -> Result<Token> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.client_secret.expose()),
            ("resource", resource),
        ];
        let answer = TokenRequest::new(url, &form, &[&self.client_secret]).send(http).await?;
        Ok(answer.into_token())
    }
}

impl TokenSource for AzureServicePrincipal {
    fn auth_type(&self) -> &'static str {
        "azure-client-secret"
    }

    fn fetch<'a>(&'a self, http: &'a Wire) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move {
            let tenant = match &self.tenant_id {
                Some(tenant) => tenant.clone(),
                None => tenant_of(http, &self.host).await.ok_or_else(|| {
                    Error::configuration(format!("cannot find out the Entra ID tenant of {}", self.host))
                        .with_hint("set `azure_tenant_id` (ARM_TENANT_ID)")
                })?,
            };
            let url = token_url(self.cloud, &tenant)?;
            let mut token = self.request(http, &url, APPLICATION).await?;
            if azure_cloud_of(&self.host).is_some() {
                match self.request(http, &url, self.cloud.management).await {
                    Ok(management) => token = token.with_token(MANAGEMENT_TOKEN, management),
                    // It is required only if the workspace is identified by its resource.
                    Err(error) if self.resource_id.is_some() => return Err(error),
                    Err(error) => {
                        tracing::debug!(target: "brickwire", %error, "no token for Azure's resource manager")
                    }
                }
                if let Some(id) = &self.resource_id {
                    token = token.with_header(RESOURCE_ID, Secret::new(id));
                }
            }
            Ok(token)
        })
    }
}

fn token_url(cloud: &AzureCloud, tenant: &str) -> Result<Url> {
    let is_id =
        !tenant.is_empty() && tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    Url::parse(&format!("{}/{tenant}/oauth2/token", cloud.login)).ok().filter(|_| is_id).ok_or_else(|| {
        Error::configuration(format!("not a tenant's id: {tenant:?}"))
            .with_hint("check `azure_tenant_id` (ARM_TENANT_ID)")
    })
}

/// The tenant of a workspace: the first segment of the path that its login page redirects to.
pub(crate) async fn tenant_of(http: &Wire, host: &Host) -> Option<String> {
    let page = call(http, Method::GET, host.join("/aad/auth").ok()?, "azure_tenant");
    let answer =
        page.with_redirects(Redirects::Return).with_retry(RetryPolicy::never()).send_raw().await.ok()?;
    let location = Url::parse(answer.headers.get(http::header::LOCATION)?.to_str().ok()?).ok()?;
    let tenant = location.path_segments()?.next().filter(|t| !t.is_empty())?;
    Some(tenant.to_owned())
}
