//! The environment of a program that uses the sandbox: what points at it, and what is taken away because it names another
//! workspace or another identity. The official SDKs refuse a token next to other credentials, and a test must never reach
//! a real workspace by a variable that was left over.

use std::{collections::BTreeMap, ffi::OsString};

use brickwire_sandbox::seed::{RUNNING_CLUSTER, RUNNING_WAREHOUSE};

/// What points a program at a sandbox.
pub(super) const SET: [&str; 4] =
    ["DATABRICKS_HOST", "DATABRICKS_TOKEN", "DATABRICKS_WAREHOUSE_ID", "DATABRICKS_CLUSTER_ID"];

/// What names another workspace, another identity, or another way to connect.
const TAKEN_AWAY: &[&str] = &[
    "ARM_CLIENT_ID",
    "ARM_CLIENT_SECRET",
    "ARM_TENANT_ID",
    "ARM_USE_MSI",
    // These two and DATABRICKS_SERVER_HOSTNAME are what examples of the SQL connectors read.
    "DATABRICKS_ACCESS_TOKEN",
    "DATABRICKS_HTTP_PATH",
    "DATABRICKS_ACCOUNT_ID",
    "DATABRICKS_AUTH_TYPE",
    "DATABRICKS_AZURE_RESOURCE_ID",
    "DATABRICKS_CLIENT_ID",
    "DATABRICKS_CLIENT_SECRET",
    "DATABRICKS_CLOUD",
    "DATABRICKS_CONFIG_FILE",
    "DATABRICKS_CONFIG_PROFILE",
    "DATABRICKS_DISCOVERY_URL",
    "DATABRICKS_GOOGLE_SERVICE_ACCOUNT",
    "DATABRICKS_GROUP_ID",
    "DATABRICKS_METADATA_SERVICE_URL",
    "DATABRICKS_OIDC_TOKEN",
    "DATABRICKS_OIDC_TOKEN_ENV",
    "DATABRICKS_OIDC_TOKEN_FILE",
    "DATABRICKS_OIDC_TOKEN_FILEPATH",
    "DATABRICKS_PASSWORD",
    // Says that the program runs on a cluster, whose own login is then used.
    "DATABRICKS_RUNTIME_VERSION",
    "DATABRICKS_SERVER_HOSTNAME",
    "DATABRICKS_SERVERLESS_COMPUTE_ID",
    "DATABRICKS_TOKEN_AUDIENCE",
    "DATABRICKS_USERNAME",
    "DATABRICKS_WORKSPACE_ID",
    "GOOGLE_CREDENTIALS",
    // The address of a Spark Connect server, which may hold a token.
    "SPARK_REMOTE",
];

const PROXIES: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// Changes of an environment: a value for what is set, `None` for what is removed.
pub(super) type Changes = BTreeMap<&'static str, Option<String>>;

/// What has to change in an environment, so that programs use the sandbox at this URL.
pub(super) fn changes(url: &str, token: &str, variable: impl Fn(&str) -> Option<OsString>) -> Changes {
    let values = [url, token, RUNNING_WAREHOUSE, RUNNING_CLUSTER];
    let set = SET.into_iter().zip(values).map(|(name, value)| (name, Some(value.to_owned())));
    let removed = TAKEN_AWAY.iter().filter(|name| variable(name).is_some()).map(|name| (*name, None));
    let mut changes: Changes = set.chain(removed).collect();
    if PROXIES.iter().any(|name| variable(name).is_some_and(|value| !value.is_empty())) {
        // A proxy can't reach this machine's loopback. Programs read one name or the other.
        for name in ["NO_PROXY", "no_proxy"] {
            let other = if name == "NO_PROXY" { "no_proxy" } else { "NO_PROXY" };
            let known = [name, other].into_iter().find_map(|name| variable(name)?.into_string().ok());
            let known = known.unwrap_or_default();
            if !known.split(',').any(|host| matches!(host.trim(), "*" | "127.0.0.1")) {
                let joined = if known.is_empty() { String::new() } else { format!("{known},") };
                changes.insert(name, Some(format!("{joined}127.0.0.1")));
            }
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes_of(variables: &[(&str, &str)]) -> Changes {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        changes("http://127.0.0.1:1", "dapi1", |name| find(name).map(|(_, value)| value.into()))
    }

    #[test]
    fn other_credentials_are_taken_away_and_the_rest_stays() {
        let changes = changes_of(&[
            ("DATABRICKS_CLIENT_SECRET", "s"),
            ("DATABRICKS_CONFIG_PROFILE", ""),
            ("DATABRICKS_HOST", "https://prod.example.com"),
            ("DATABRICKS_CATALOG", "tests"),
            ("ARM_TENANT_ID", "t"),
        ]);
        let removed: Vec<_> =
            changes.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
        assert_eq!(removed, ["ARM_TENANT_ID", "DATABRICKS_CLIENT_SECRET", "DATABRICKS_CONFIG_PROFILE"]);
        assert_eq!(changes["DATABRICKS_HOST"].as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!(changes["DATABRICKS_TOKEN"].as_deref(), Some("dapi1"));
        assert_eq!(changes.len(), 4 + 3);
    }

    #[test]
    fn a_proxy_is_not_asked_for_the_sandbox() {
        let proxied = changes_of(&[("http_proxy", "http://proxy:3128"), ("NO_PROXY", "localhost")]);
        for name in ["NO_PROXY", "no_proxy"] {
            assert_eq!(proxied[name].as_deref(), Some("localhost,127.0.0.1"), "{name}");
        }
        for known in ["*", "localhost, 127.0.0.1"] {
            let changes = changes_of(&[("ALL_PROXY", "socks5://proxy"), ("NO_PROXY", known)]);
            assert!(!changes.contains_key("NO_PROXY") && !changes.contains_key("no_proxy"), "{known}");
        }
        assert_eq!(changes_of(&[("HTTP_PROXY", ""), ("NO_PROXY", "x")]).len(), 4);
    }
}
