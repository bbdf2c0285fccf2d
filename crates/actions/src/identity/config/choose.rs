//! Decides which kinds of credential the settings describe.

use super::{
    attribute::flag,
    auth_type::AuthType,
    connect::login_target,
    settings::{Fault, Settings},
};
use crate::identity::auth::{
    azure::azure_cloud_of, azure_cli::AzureCli, databricks_cli::DatabricksCli, token_exchange::AZURE_DEVOPS,
};

/// The kinds to try, in order: one, if the settings say how to authenticate; otherwise all logins that are available,
/// possibly none.
pub(crate) fn choose(settings: &Settings) -> Result<Vec<AuthType>, Fault> {
    if let Some(name) = settings.value("auth_type") {
        return Ok(vec![AuthType::named(name)?]);
    }
    match families(settings)?.as_slice() {
        [] => Ok(logins(settings)),
        ["pat"] => Ok(vec![AuthType::Pat]),
        [.., "oauth"] if settings.has("client_secret") => Ok(vec![AuthType::OAuthM2m]),
        ["oauth"] => Ok(workload(settings).into_iter().collect()),
        ["env-oidc", ..] => Ok(vec![AuthType::EnvOidc]),
        ["file-oidc", ..] => Ok(vec![AuthType::FileOidc]),
        ["azure"] if settings.value("azure_use_msi").and_then(flag) == Some(true) => {
            Err(unsupported(settings, "azure-msi"))
        }
        ["azure"] if settings.has("azure_client_secret") => Ok(vec![AuthType::AzureClientSecret]),
        ["azure"] => Ok(vec![AuthType::AzureCli]),
        ["google"] => Err(unsupported(settings, "google-credentials")),
        [family, ..] => Err(unsupported(settings, family)),
    }
}

/// The families of credentials that are given, in alphabetical order.
fn families(settings: &Settings) -> Result<Vec<&'static str>, Fault> {
    let mut families: Vec<_> = settings.used.iter().filter_map(|s| s.attribute.family).collect();
    families.sort_unstable();
    families.dedup();
    // A client id without a secret belongs to the identity token next to it.
    let belong_together =
        matches!(families.as_slice(), ["env-oidc" | "file-oidc", "oauth"]) && !settings.has("client_secret");
    if families.len() > 1 && !belong_together {
        let why = format!("more than one authorization method configured: {}", families.join(" and "));
        return Err(settings.fault(&why, "keep one, or select one with `auth_type`"));
    }
    Ok(families)
}

fn unsupported(settings: &Settings, kind: &str) -> Fault {
    let hint = AuthType::named(kind).err().and_then(|e| e.hint().map(str::to_owned)).unwrap_or_default();
    settings.incomplete(&format!("the kind {kind} is not supported"), hint)
}

/// The identity that the environment provides, such as that of a CI job.
fn workload(settings: &Settings) -> Option<AuthType> {
    let is_set = |name| settings.environment.get(name).is_some();
    if is_set("DATABRICKS_OIDC_TOKEN") {
        Some(AuthType::EnvOidc)
    } else if is_set("ACTIONS_ID_TOKEN_REQUEST_URL") && is_set("ACTIONS_ID_TOKEN_REQUEST_TOKEN") {
        Some(AuthType::GitHubOidc)
    } else if AZURE_DEVOPS.into_iter().all(is_set) {
        Some(AuthType::AzureDevOpsOidc)
    } else {
        None
    }
}

/// The logins that are available on this machine. This is the only place that looks for them.
fn logins(settings: &Settings) -> Vec<AuthType> {
    let Some(host) = &settings.host else { return Vec::new() };
    let workload = workload(settings);
    // A pipeline's access token has many uses, and says less about the login than the other systems' variables do.
    let is_pipeline = workload == Some(AuthType::AzureDevOpsOidc);
    if let Some(workload) = workload.filter(|_| !is_pipeline) {
        return vec![workload];
    }
    let environment = &settings.environment;
    // A store that can't be read is reported when its login is asked for.
    let browser = login_target(settings).is_ok_and(|target| !matches!(target.stored(), Ok(None)));
    let databricks = match settings.value("databricks_cli_path") {
        Some(path) => environment.expand(path).exists(),
        None => DatabricksCli::is_installed(environment),
    };
    let azure = azure_cloud_of(host).is_some() && AzureCli::is_installed(environment);
    [
        (is_pipeline, AuthType::AzureDevOpsOidc),
        (browser, AuthType::ExternalBrowser),
        (databricks, AuthType::DatabricksCli),
        (azure, AuthType::AzureCli),
    ]
    .into_iter()
    .filter_map(|(is_available, kind)| is_available.then_some(kind))
    .collect()
}
