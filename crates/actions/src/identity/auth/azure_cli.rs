//! The login of the Azure CLI (`az login`).

use std::time::Duration;

use brickwire_wire::{AzureCloud, BoxFuture, Wire};
use serde_json::Value;

use super::{
    azure::{APPLICATION, MANAGEMENT_TOKEN, RESOURCE_ID, azure_cloud_of, tenant_of},
    jwt, program,
    token::{Token, TokenSource},
    token_request::until,
};
use crate::{Environment, Error, Host, Result, Secret};

/// The life of a token if neither the CLI nor the token says; asking the CLI again is cheap.
const DEFAULT_LIFE: Duration = Duration::from_secs(5 * 60);

/// A login in the Azure CLI.
#[derive(Debug, Clone)]
pub(crate) struct AzureCli {
    pub(crate) cloud: &'static AzureCloud,
    pub(crate) host: Host,
    pub(crate) tenant_id: Option<String>,
    pub(crate) resource_id: Option<String>,
    pub(crate) environment: Environment,
}

impl AzureCli {
    /// Whether the Azure CLI is on the PATH.
    pub(crate) fn is_installed(environment: &Environment) -> bool {
        environment.find_program("az").is_some()
    }

    async fn run(&self, resource: &str, tenant: Option<&str>) -> Result<Token> {
        let program = self.environment.find_program("az").ok_or_else(|| {
            Error::configuration("Azure CLI (az) not found on the PATH")
                .with_hint("install the Azure CLI and run `az login`, or set DATABRICKS_TOKEN")
        })?;
        let mut arguments = vec!["account", "get-access-token", "--resource", resource, "--output", "json"];
        arguments.extend(tenant.iter().flat_map(|tenant| ["--tenant", tenant]));
        read(&program::run("Azure CLI", &program, &arguments, &self.environment, "run `az login`").await?)
    }
}

impl TokenSource for AzureCli {
    fn auth_type(&self) -> &'static str {
        "azure-cli"
    }

    fn fetch<'a>(&'a self, http: &'a Wire) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move {
            let tenant = match &self.tenant_id {
                Some(tenant) => Some(tenant.clone()),
                None => tenant_of(http, &self.host).await,
            };
            let mut token = self.run(APPLICATION, tenant.as_deref()).await?;
            if let Some(id) = self.resource_id.as_ref().filter(|_| azure_cloud_of(&self.host).is_some()) {
                // Users without permissions in Azure itself can't get this token and don't need it.
                if let Ok(management) = self.run(self.cloud.management, tenant.as_deref()).await {
                    token = token.with_token(MANAGEMENT_TOKEN, management);
                }
                token = token.with_header(RESOURCE_ID, Secret::new(id));
            }
            Ok(token)
        })
    }
}

/// Reads `expires_on`, in seconds since 1970, and not `expiresOn`, which is local time without an offset.
fn read(stdout: &[u8]) -> Result<Token> {
    let json: Value = serde_json::from_slice(stdout).unwrap_or_default();
    let token = json["accessToken"].as_str().filter(|t| !t.is_empty()).ok_or_else(|| {
        Error::unexpected("cannot parse the Azure CLI's response: no accessToken")
            .with_hint("run `az account get-access-token` by hand and update the Azure CLI")
    })?;
    let life = until(&json["expires_on"]).or_else(|| until(&jwt::expiry(token)?));
    Ok(Token::new(token, Some(life.unwrap_or(DEFAULT_LIFE))))
}
