//! Turns settings into a connection.

use reqwest::Url;

use super::{
    attribute::{ATTRIBUTES, attribute},
    auth_type::AuthType,
    settings::{Fault, Settings, Source},
};
use crate::{
    Environment, Error, Host, Result, Secret,
    identity::{
        auth::{
            azure::{AzureServicePrincipal, azure_cloud},
            azure_cli::AzureCli,
            browser::{BrowserSession, LoginTarget},
            client_credentials::ServicePrincipal,
            databricks_cli::DatabricksCli,
            default_chain::DefaultChain,
            discovery::Issuer,
            token::Identity,
            token_exchange::{AZURE_DEVOPS, Subject, WorkloadIdentity},
            token_store::TokenStore,
        },
        connection::{Connection, Credential},
    },
};

/// The connection with a credential of one of these kinds.
pub(crate) fn connection(settings: &Settings, kinds: &[AuthType]) -> Result<Connection, Fault> {
    let host = need_host(settings)?;
    let credential = match kinds {
        [] => {
            return Err(settings.incomplete(
                "no credential",
                "set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, name a profile, or log in \
                 with `BrowserLogin` or `databricks auth login`",
            ));
        }
        [kind] if settings.has("auth_type") || !kind.is_login() => credential(settings, *kind, host)?,
        kinds => {
            let identities = kinds.iter().filter_map(|kind| match credential(settings, *kind, host) {
                Ok(Credential::Identity(identity)) => Some(identity),
                _ => None,
            });
            let chain = DefaultChain { identities: identities.collect(), summary: settings.summary() };
            Credential::Identity(Identity::new(chain))
        }
    };
    Ok(connection_with(settings, host, credential))
}

fn connection_with(settings: &Settings, host: &Host, credential: Credential) -> Connection {
    let connection = Connection::new(host.clone(), credential);
    match settings.value("workspace_id") {
        Some(id) => connection.with_workspace_id(id),
        None => connection,
    }
}

/// The connection for a browser login, which sends no credential.
pub(crate) fn login_connection(settings: &Settings) -> Result<Connection> {
    let session = Identity::new(BrowserSession::new(login_target(settings)?));
    Ok(connection_with(settings, need_host(settings)?, Credential::Identity(session)))
}

/// The host and the storage of a browser login.
pub(crate) fn login_target(settings: &Settings) -> Result<LoginTarget> {
    Ok(LoginTarget {
        issuer: issuer(settings, need_host(settings)?),
        profile: profile_of_host(settings),
        scopes: requested_scopes(settings),
        store: TokenStore::new(&settings.environment)?,
    })
}

fn need_host(settings: &Settings) -> Result<&Host, Fault> {
    settings.host.as_ref().ok_or_else(|| {
        settings.incomplete(
            "no host configured",
            "set DATABRICKS_HOST to the workspace's address, or name a profile",
        )
    })
}

fn need(settings: &Settings, kind: AuthType, name: &'static str) -> Result<Secret, Fault> {
    settings.get(name).map(|s| s.value.clone()).ok_or_else(|| {
        let variable = attribute(name).and_then(|a| a.variables.first()).unwrap_or(&name);
        settings.incomplete(&format!("{} needs {name}", kind.as_str()), format!("set {variable}"))
    })
}

fn need_text(settings: &Settings, kind: AuthType, name: &'static str) -> Result<String, Fault> {
    need(settings, kind, name).map(|value| value.expose().to_owned())
}

fn issuer(settings: &Settings, host: &Host) -> Issuer {
    Issuer {
        host: host.clone(),
        account_id: settings.text("account_id"),
        discovery_url: settings.text("discovery_url"),
    }
}

fn requested_scopes(settings: &Settings) -> Vec<String> {
    let scopes = settings.scopes();
    if scopes.is_empty() { vec!["all-apis".to_owned()] } else { scopes }
}

/// The profile, if it names the host that is used; otherwise its login belongs to another host.
fn profile_of_host(settings: &Settings) -> Option<String> {
    let host = settings.host.as_ref()?;
    let names_it = settings.named_hosts.iter().any(|(named, source)| {
        matches!(source, Source::Profile { .. })
            && named.as_ref().is_some_and(|named| named.as_str() == host.as_str())
    });
    settings.text("profile").filter(|_| names_it)
}

fn credential(settings: &Settings, kind: AuthType, host: &Host) -> Result<Credential, Fault> {
    if settings.has("group_id") && !kind.has_groups() {
        return Err(settings.incomplete(
            &format!("{} does not support group role assumption", kind.as_str()),
            "leave `group_id` (DATABRICKS_GROUP_ID) out, or use a service principal",
        ));
    }
    let azure_cloud = || azure_cloud(settings.value("azure_environment"), host);
    let identity = match kind {
        AuthType::Pat => {
            return Ok(Credential::Token(need(settings, kind, "token")?.cleaned("token")?));
        }
        AuthType::OAuthM2m => {
            let id = need_text(settings, kind, "client_id")?;
            let secret = need(settings, kind, "client_secret")?;
            let mut principal = match settings.value("token_url") {
                Some(url) => ServicePrincipal::new(url, &id, secret)?,
                None => ServicePrincipal::discovered(issuer(settings, host), &id, secret)?,
            };
            principal.scopes = requested_scopes(settings);
            principal.group_id = settings.text("group_id");
            return Ok(Credential::ServicePrincipal(principal));
        }
        AuthType::EnvOidc | AuthType::FileOidc | AuthType::GitHubOidc | AuthType::AzureDevOpsOidc => {
            Identity::new(WorkloadIdentity {
                issuer: issuer(settings, host),
                subject: subject(settings, kind)?,
                client_id: settings.text("client_id"),
                audience: settings.text("token_audience"),
                scopes: requested_scopes(settings),
                group_id: settings.text("group_id"),
            })
        }
        AuthType::AzureClientSecret => Identity::new(AzureServicePrincipal {
            cloud: azure_cloud()?,
            host: host.clone(),
            tenant_id: settings.text("azure_tenant_id"),
            client_id: need_text(settings, kind, "azure_client_id")?,
            client_secret: need(settings, kind, "azure_client_secret")?,
            resource_id: settings.text("azure_workspace_resource_id"),
        }),
        AuthType::AzureCli => Identity::new(AzureCli {
            cloud: azure_cloud()?,
            host: host.clone(),
            tenant_id: settings.text("azure_tenant_id"),
            resource_id: settings.text("azure_workspace_resource_id"),
            environment: settings.environment.for_program(&AZURE_CLI),
        }),
        AuthType::DatabricksCli => Identity::new(DatabricksCli {
            path: settings.value("databricks_cli_path").map(|p| settings.environment.expand(p)),
            host: host.clone(),
            account_id: settings.text("account_id"),
            profile: profile_of_host(settings),
            scopes: settings.scopes(),
            environment: environment_for_databricks_cli(settings),
        }),
        AuthType::ExternalBrowser => Identity::new(BrowserSession::new(login_target(settings)?)),
    };
    Ok(Credential::Identity(identity))
}

fn subject(settings: &Settings, kind: AuthType) -> Result<Subject, Fault> {
    let variable = |name: &str| {
        settings.environment.get(name).map(Secret::new).ok_or_else(|| {
            let hint = match kind {
                AuthType::AzureDevOpsOidc => {
                    "azure-devops-oidc works in Azure Pipelines, in a step with `env: SYSTEM_ACCESSTOKEN: \
                     $(System.AccessToken)`"
                }
                _ => "github-oidc works in GitHub Actions, in a job with `permissions: id-token: write`",
            };
            Error::configuration(format!("the environment variable is not set: {name}")).with_hint(hint)
        })
    };
    Ok(match kind {
        AuthType::FileOidc => {
            let path = need_text(settings, kind, "oidc_token_filepath")?;
            Subject::File(settings.environment.expand(&path))
        }
        AuthType::GitHubOidc => {
            let url = Url::parse(variable("ACTIONS_ID_TOKEN_REQUEST_URL")?.expose())
                .map_err(|_| Error::configuration("ACTIONS_ID_TOKEN_REQUEST_URL is not a URL"))?;
            Subject::GitHub { url, request_token: variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN")? }
        }
        AuthType::AzureDevOpsOidc => {
            let [token, collection, project, host_type, plan, job] = AZURE_DEVOPS.map(variable);
            Subject::azure_devops(&collection?, [&project?, &host_type?, &plan?, &job?], token?)?
        }
        _ => {
            let name = settings.text("oidc_token_env").unwrap_or_else(|| "DATABRICKS_OIDC_TOKEN".to_owned());
            let token = settings.environment.get(&name).map(Secret::new);
            Subject::Variable { name, token }
        }
    })
}

/// The variables of the Azure CLI. In the Cloud Shell, and on a machine with an identity, it gets its tokens from an
/// address that the last three families name, and that asks for a secret of its own.
const AZURE_CLI: [&str; 6] =
    ["AZURE_", "ACC_", "IDENTITY_", "MSI_", "MSI_SECRET", "AZURE_FEDERATED_TOKEN_FILE"];

/// The variables of the Databricks CLI: none of another program, none that would make it choose another login, and the same configuration file.
fn environment_for_databricks_cli(settings: &Settings) -> Environment {
    let is_setting = |name: &str| ATTRIBUTES.iter().any(|a| a.variables.contains(&name));
    let environment = settings.environment.for_program(&["DATABRICKS_"]).without(is_setting);
    match settings.value("config_file") {
        Some(file) => environment.with("DATABRICKS_CONFIG_FILE", settings.environment.expand(file)),
        None => environment,
    }
}
