//! Azure service principals with a client secret: a token of Microsoft Entra ID for Databricks.
//!
//! Databricks also takes a token for Azure's resource manager (it makes an owner of the workspace's resource its
//! administrator). That token can do much more than Databricks, so it goes to hosts of Azure Databricks only; the SDKs
//! send it to any host. Redirects of Entra ID are not followed.

use brickwire_client::BoxFuture;
use reqwest::Url;

use super::{
    Token, TokenSource,
    discovery::ask,
    http::{Http, get},
    token_answer::TokenAnswer,
};
use crate::{Error, Host, Result, Secret};

/// Azure Databricks as an application of Entra ID: the same in all clouds.
pub(crate) const APPLICATION: &str = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d";
pub(crate) const MANAGEMENT_TOKEN: &str = "x-databricks-azure-sp-management-token";
pub(crate) const RESOURCE_ID: &str = "x-databricks-azure-workspace-resource-id";

/// One of Azure's clouds, which don't know each other.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AzureCloud {
    /// As `ARM_ENVIRONMENT` names it, in lower case.
    name: &'static str,
    /// How its workspaces' hosts end.
    suffix: &'static str,
    login: &'static str,
    /// The audience of tokens for the resource manager.
    pub(crate) management: &'static str,
}

static CLOUDS: [AzureCloud; 3] = [
    AzureCloud {
        name: "public",
        suffix: ".azuredatabricks.net",
        login: "https://login.microsoftonline.com",
        management: "https://management.core.windows.net/",
    },
    AzureCloud {
        name: "usgovernment",
        suffix: ".databricks.azure.us",
        login: "https://login.microsoftonline.us",
        management: "https://management.core.usgovcloudapi.net/",
    },
    AzureCloud {
        name: "china",
        suffix: ".databricks.azure.cn",
        login: "https://login.chinacloudapi.cn",
        management: "https://management.core.chinacloudapi.cn/",
    },
];

impl AzureCloud {
    /// The cloud that a host belongs to, by its name.
    pub(crate) fn of(host: &Host) -> Option<&'static Self> {
        CLOUDS.iter().find(|cloud| host.name().ends_with(cloud.suffix))
    }

    /// The cloud of that name; the public one if none is named.
    pub(crate) fn named(name: Option<&str>, host: &Host) -> Result<&'static Self> {
        let Some(name) = name else { return Ok(Self::of(host).unwrap_or(&CLOUDS[0])) };
        let plain = name.to_ascii_lowercase().replace("azure", "").replace("cloud", "");
        CLOUDS.iter().find(|cloud| cloud.name == plain).ok_or_else(|| {
            Error::configuration(format!("there is no Azure environment of this name: {name:?}"))
                .with_hint("azure_environment (ARM_ENVIRONMENT) is public, usgovernment or china")
        })
    }
}

/// A service principal of Entra ID.
#[derive(Debug, Clone)]
pub(crate) struct AzureServicePrincipal {
    pub(crate) cloud: &'static AzureCloud,
    pub(crate) host: Host,
    /// Asked of the workspace if it isn't given.
    pub(crate) tenant_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) resource_id: Option<String>,
}

impl AzureServicePrincipal {
    async fn ask(&self, http: &dyn Http, url: &Url, resource: &str) -> Result<TokenAnswer> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.client_secret.expose()),
            ("resource", resource),
        ];
        let answer = ask(http, url, &form, None).await?;
        TokenAnswer::read(&answer, url, &[&self.client_secret])
    }
}

impl TokenSource for AzureServicePrincipal {
    fn auth_type(&self) -> &'static str {
        "azure-client-secret"
    }

    fn fetch<'a>(&'a self, http: &'a dyn Http) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move {
            let tenant = match &self.tenant_id {
                Some(tenant) => tenant.clone(),
                None => tenant_of(http, &self.host).await.ok_or_else(|| {
                    Error::configuration(format!("{} doesn't tell its Entra ID tenant", self.host))
                        .with_hint("set ARM_TENANT_ID (azure_tenant_id)")
                })?,
            };
            let url = token_url(self.cloud, &tenant)?;
            let mut token = self.ask(http, &url, APPLICATION).await?.into_token();
            if AzureCloud::of(&self.host).is_some() {
                match self.ask(http, &url, self.cloud.management).await {
                    Ok(answer) => {
                        // Both are renewed together, before the first one ends.
                        token.life = [token.life, answer.life].into_iter().flatten().min();
                        token = token.with_header(MANAGEMENT_TOKEN, answer.access_token);
                    }
                    // It is needed only where the workspace is found by its resource.
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
    let known =
        !tenant.is_empty() && tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    Url::parse(&format!("{}/{tenant}/oauth2/token", cloud.login)).ok().filter(|_| known).ok_or_else(|| {
        Error::configuration(format!("not a tenant's id: {tenant:?}"))
            .with_hint("check ARM_TENANT_ID (azure_tenant_id)")
    })
}

/// The tenant that a workspace belongs to: the first part of the path that its login page redirects to.
pub(crate) async fn tenant_of(http: &dyn Http, host: &Host) -> Option<String> {
    let answer = http.send(get(host.join("/aad/auth").ok()?)).await.ok()?;
    let location = Url::parse(answer.headers.get(http::header::LOCATION)?.to_str().ok()?).ok()?;
    let tenant = location.path_segments()?.next().filter(|t| !t.is_empty())?;
    Some(tenant.to_owned())
}
