//! Tokens of the Azure CLI: whoever ran `az login` is logged in.

use brickwire_wire::{AzureCloud, BoxFuture, Wire};
use serde_json::Value;

use super::{
    Token, TokenSource,
    azure::{APPLICATION, MANAGEMENT_TOKEN, RESOURCE_ID, azure_cloud_of, tenant_of},
    jwt, program,
    token_request::until,
};
use crate::{Environment, Error, ErrorKind, Host, Result, Secret};

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
    /// Whether there is such a program.
    pub(crate) fn is_installed(environment: &Environment) -> bool {
        environment.find_program("az").is_some()
    }

    async fn ask(&self, resource: &str, tenant: Option<&str>) -> Result<Token> {
        let program = self.environment.find_program("az").ok_or_else(|| {
            Error::configuration("Azure CLI (az) not found on the PATH")
                .with_hint("install the Azure CLI and run `az login`, or set DATABRICKS_TOKEN")
        })?;
        let mut arguments = vec!["account", "get-access-token", "--resource", resource, "--output", "json"];
        arguments.extend(tenant.iter().flat_map(|tenant| ["--tenant", tenant]));
        let output = program::run("Azure CLI", &program, &arguments, &self.environment)
            .await
            .map_err(|e| if e.hint().is_some() { e } else { e.with_hint("run `az login`") })?;
        read(&output.stdout)
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
            let mut token = self.ask(APPLICATION, tenant.as_deref()).await?;
            if let Some(id) = self.resource_id.as_ref().filter(|_| azure_cloud_of(&self.host).is_some()) {
                // People who may not manage Azure have no such token and need none.
                if let Ok(management) = self.ask(self.cloud.management, tenant.as_deref()).await {
                    token.life = [token.life, management.life].into_iter().flatten().min();
                    token = token.with_header(MANAGEMENT_TOKEN, management.authorization.token().clone());
                }
                token = token.with_header(RESOURCE_ID, Secret::new(id));
            }
            Ok(token)
        })
    }
}

/// `expires_on` is in seconds since 1970; `expiresOn` is local time without an offset, so it is not used.
fn read(stdout: &[u8]) -> Result<Token> {
    let json: Value = serde_json::from_slice(stdout).unwrap_or_default();
    let token = json["accessToken"].as_str().filter(|t| !t.is_empty()).ok_or_else(|| {
        Error::new(ErrorKind::UnexpectedResponse, "cannot parse the Azure CLI's response: no accessToken")
            .with_hint("run `az account get-access-token` by hand and update the Azure CLI")
    })?;
    /// For a CLI that doesn't tell, and a token that doesn't either: it is cheap to ask again.
    const UNTOLD: std::time::Duration = std::time::Duration::from_secs(5 * 60);
    let life = until(&json["expires_on"]).or_else(|| until(&jwt::expiry(token)?));
    Ok(Token::new(token, Some(life.unwrap_or(UNTOLD))))
}
