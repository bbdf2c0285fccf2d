//! The Azure CLI and the Databricks CLI as children: what they inherit, and what they don't.
#![cfg(unix)]

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path};

use brickwire_actions::{Config, Environment, Workspace};

/// A program that writes its environment beside itself, and prints a token.
fn install(folder: &Path, name: &str) {
    let program = folder.join(name);
    let script =
        "#!/bin/sh\nenv > \"$0.env\"\necho '{\"accessToken\": \"a\", \"access_token\": \"a\"}'\nexit\n";
    // The real Databricks CLI is larger than a megabyte; smaller ones have no logins.
    let padding = "#".repeat(1 << 20);
    fs::write(&program, format!("{script}{padding}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The names of the variables that the program inherited.
async fn inherited(name: &str, auth_type: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), name);
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let variables = [
        ("PATH", path.as_str()),
        ("LANG", "C"),
        ("https_proxy", "http://proxy.example"),
        ("DATABRICKS_TOKEN", "planted"),
        ("DATABRICKS_CLIENT_SECRET", "planted"),
        ("DATABRICKS_OIDC_TOKEN", "planted"),
        ("DATABRICKS_LOG_LEVEL", "debug"),
        ("ARM_CLIENT_SECRET", "planted"),
        ("AZURE_CLIENT_SECRET", "planted"),
        ("AZURE_STORAGE_KEY", "planted"),
        ("AZURE_CONFIG_DIR", "/azure"),
        ("AWS_SECRET_ACCESS_KEY", "planted"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "planted"),
        ("SYSTEM_ACCESSTOKEN", "planted"),
        ("MY_IDENTITY", "planted"),
    ];
    let environment = Environment::new(variables).with_home(folder.path());
    let config = Config::builder()
        .environment(environment)
        .host("https://adb-1.2.azuredatabricks.net")
        .with("auth_type", auth_type)
        .with("azure_tenant_id", "tenant")
        .with("token", "")
        .resolve()
        .unwrap();
    let workspace = Workspace::new(config.connection().unwrap()).unwrap();
    workspace.access_token().await.unwrap();
    let seen = fs::read_to_string(folder.path().join(format!("{name}.env"))).unwrap();
    assert!(!seen.contains("planted"), "{seen}");
    seen.lines().filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect()
}

#[tokio::test]
async fn the_clis_inherit_what_is_theirs_and_no_credential() {
    let azure = inherited("az", "azure-cli").await;
    assert!(azure.contains("AZURE_CONFIG_DIR") && azure.contains("https_proxy"), "{azure:?}");
    assert!(!azure.contains("DATABRICKS_LOG_LEVEL"), "{azure:?}");
    let databricks = inherited("databricks", "databricks-cli").await;
    assert!(databricks.contains("DATABRICKS_LOG_LEVEL") && databricks.contains("LANG"), "{databricks:?}");
    assert!(!databricks.contains("AZURE_CONFIG_DIR"), "{databricks:?}");
}
