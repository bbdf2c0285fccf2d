//! A configuration from the environment and a profile, whose secrets are in no error and no report.

#![no_main]

use std::{fs, path::PathBuf};

use brickwire_actions::{Config, Environment};
use brickwire_fuzz::{PLANTED, shown, text};
use libfuzzer_sys::{Corpus, fuzz_target};

/// Variables with secrets.
const SECRETS: [&str; 6] = [
    "DATABRICKS_TOKEN",
    "DATABRICKS_CLIENT_SECRET",
    "DATABRICKS_PASSWORD",
    "ARM_CLIENT_SECRET",
    "GOOGLE_CREDENTIALS",
    "DATABRICKS_METADATA_SERVICE_URL",
];

/// Keys whose values are shown.
const SHOWN: [&str; 33] = [
    "account_id",
    "audience",
    "auth_type",
    "azure_client_id",
    "azure_environment",
    "azure_login_app_id",
    "azure_tenant_id",
    "azure_use_msi",
    "azure_workspace_resource_id",
    "client_id",
    "cloud",
    "cluster_id",
    "databricks_cli_path",
    "databricks_oidc_token_env",
    "debug_headers",
    "debug_truncate_bytes",
    "discovery_url",
    "google_service_account",
    "group_id",
    "host",
    "http_path",
    "insecure",
    "oidc_token_env",
    "rate_limit",
    "scopes",
    "serverless_compute_id",
    "skip_verify",
    "token_audience",
    "token_url",
    "username",
    "warehouse_id",
    "workspace_id",
    "default_profile",
];

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some(text) = text(data).filter(|text| !text.contains(PLANTED)) else { return Corpus::Reject };
    // Variables, an empty line, and the file. No other file is read.
    let (variables, file) = text.split_once("\n\n").unwrap_or((text, ""));
    if text.contains("FILE=") || text.contains("FILEPATH=") || file.to_ascii_lowercase().contains("file") {
        return Corpus::Reject;
    }
    let variables = variables.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| {
        let planted = if SECRETS.contains(&name) { PLANTED } else { "" };
        (name.to_owned(), format!("{value}{planted}"))
    });
    let planted = |line: &str| {
        let key = line.split(['=', ':']).next().unwrap_or_default().trim().to_ascii_lowercase();
        // What isn't known may be a secret.
        let is_shown = line.trim_start().starts_with('[') || SHOWN.contains(&key.as_str());
        format!("{line}{}\n", if is_shown { "" } else { PLANTED })
    };
    let home = folder();
    let file: String = file.lines().map(planted).collect();
    fs::write(home.join(".databrickscfg"), file).expect("the folder can be written to");

    let environment = Environment::new(variables).with_home(&home);
    let builder = Config::builder().environment(environment);
    hidden(&format!("{builder:?}"));
    for config in [builder.read(), builder.resolve()] {
        match config {
            Ok(config) => {
                hidden(&format!("{config:?} {:?}", config.warnings()));
                hidden(
                    &config.settings().iter().map(|setting| setting.shown().to_string()).collect::<String>(),
                );
                hidden(&format!("{:?}", config.ignored()));
                match config.connection() {
                    Ok(connection) => {
                        hidden(&format!("{connection:?}"));
                        let host = connection.host();
                        assert!(host.is_loopback() || host.as_str().starts_with("https://"), "{host}");
                    }
                    Err(error) => hidden(&shown(&error)),
                }
            }
            Err(error) => hidden(&shown(&error)),
        }
    }
    Corpus::Keep
});

fn hidden(shown: &str) {
    assert!(!shown.contains(PLANTED), "{shown}");
}

/// A folder of this process.
fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("brickwire-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the folder for temporary files can be written to");
    folder
}
