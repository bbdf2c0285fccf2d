//! The login of the Databricks CLI (`databricks auth login`). The CLI stores its tokens in the operating system's keyring
//! and renews them, so it is run each time a token is needed.

use std::path::PathBuf;

use brickwire_wire::{BoxFuture, Wire, time};
use serde_json::Value;

use super::{
    jwt, program,
    token::{Token, TokenSource},
    token_request::left,
};
use crate::{Environment, Error, Host, Result};

/// A smaller program is the legacy CLI (before version 0.100, a Python script), which has no logins.
const SMALLEST: u64 = 1024 * 1024;
/// The first version whose `auth token` takes `--profile`.
const KNOWS_PROFILES: (u64, u64, u64) = (0, 207, 1);
/// The first version that can be asked to renew a token before it expires.
const KNOWS_FORCE_REFRESH: (u64, u64, u64) = (0, 296, 0);

/// A login in the Databricks CLI.
#[derive(Debug, Clone)]
pub(crate) struct DatabricksCli {
    /// The configured path; by default the program on the PATH.
    pub(crate) path: Option<PathBuf>,
    pub(crate) host: Host,
    pub(crate) account_id: Option<String>,
    /// The profile that names this host; `None` if the host comes from elsewhere.
    pub(crate) profile: Option<String>,
    /// The scopes that the token must have; empty if none are configured.
    pub(crate) scopes: Vec<String>,
    /// The variables of the program.
    pub(crate) environment: Environment,
}

impl DatabricksCli {
    /// Whether a Databricks CLI with logins is on the PATH.
    pub(crate) fn is_installed(environment: &Environment) -> bool {
        let found = environment.find_program("databricks");
        found.is_some_and(|path| path.metadata().is_ok_and(|m| m.len() >= SMALLEST))
    }

    fn program(&self) -> Result<PathBuf> {
        const HINT: &str = "install the Databricks CLI (https://docs.databricks.com/dev-tools/cli/install.html) and run \
                            `databricks auth login`, or set DATABRICKS_TOKEN";
        let path = match &self.path {
            Some(path) => path.clone(),
            None => self.environment.find_program("databricks").ok_or_else(|| {
                Error::configuration("databricks CLI not found on the PATH").with_hint(HINT)
            })?,
        };
        match path.metadata() {
            Err(_) => {
                Err(Error::configuration(format!("databricks CLI not found: {}", path.display()))
                    .with_hint(HINT))
            }
            Ok(file) if file.len() < SMALLEST => Err(Error::configuration(format!(
                "legacy databricks CLI detected, which has no logins: {}",
                path.display()
            ))
            .with_hint(HINT)),
            Ok(_) => Ok(path),
        }
    }

    fn arguments(&self, version: Option<(u64, u64, u64)>) -> Vec<String> {
        let mut arguments = vec!["auth".to_owned(), "token".to_owned()];
        match &self.profile {
            Some(profile) if version.is_none_or(|v| v >= KNOWS_PROFILES) => {
                arguments.extend(["--profile".to_owned(), profile.clone()]);
            }
            _ => {
                arguments.extend(["--host".to_owned(), self.host.to_string()]);
                if let Some(account) = self.account_id.as_ref().filter(|_| self.host.is_account_console()) {
                    arguments.extend(["--account-id".to_owned(), account.clone()]);
                }
            }
        }
        if version.is_some_and(|v| v >= KNOWS_FORCE_REFRESH) {
            arguments.push("--force-refresh".to_owned());
        }
        arguments
    }

    fn read(&self, stdout: &[u8]) -> Result<Token> {
        let refuse = |why: &str| {
            Error::unexpected(format!("cannot parse CLI response: {why}"))
                .with_hint("run `databricks auth token` by hand and update the Databricks CLI")
        };
        let json: Value = serde_json::from_slice(stdout).map_err(|_| refuse("not JSON"))?;
        let token = json["access_token"]
            .as_str()
            .filter(|t| !t.is_empty())
            .ok_or_else(|| refuse("no access_token"))?;
        let life = match json["expiry"].as_str() {
            None => None,
            Some(text) => {
                Some(left(time::parse_rfc3339(text).ok_or_else(|| refuse("expiry is not a moment"))?))
            }
        };
        self.check_scopes(token)?;
        Ok(Token::new(token, life))
    }

    /// Refuses a token with other scopes than configured: the CLI returns the token of its own login regardless.
    fn check_scopes(&self, token: &str) -> Result<()> {
        let relevant = |scopes: &[String]| {
            let mut scopes: Vec<_> = scopes.iter().filter(|s| *s != "offline_access").cloned().collect();
            scopes.sort();
            scopes
        };
        let wanted = relevant(&self.scopes);
        if wanted.is_empty() {
            return Ok(());
        }
        let found = jwt::scopes(token).map(|scopes| relevant(&scopes));
        if found.as_ref() == Some(&wanted) {
            return Ok(());
        }
        let found = found.map_or("unknown scopes".to_owned(), |scopes| scopes.join(" "));
        let text = "the token's scopes do not match the configured scopes";
        Err(Error::configuration(format!("{text}: {found} instead of {}", wanted.join(" ")))
            .with_hint("log in with these scopes (`databricks auth login`), or leave `scopes` out"))
    }
}

impl TokenSource for DatabricksCli {
    fn auth_type(&self) -> &'static str {
        "databricks-cli"
    }

    fn fetch<'a>(&'a self, _: &'a Wire) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move {
            let path = self.program()?;
            let hint = match &self.profile {
                Some(profile) => format!("run `databricks auth login --profile {profile}`"),
                None => format!("run `databricks auth login --host {}`", self.host),
            };
            let run = async |arguments: &[String]| {
                program::run("databricks CLI", &path, arguments, &self.environment, &hint).await
            };
            let version = run(&["version", "--output", "json"].map(str::to_owned)).await;
            let version = version.ok().and_then(|stdout| version_of(&stdout));
            self.read(&run(&self.arguments(version)).await?)
        })
    }
}

fn version_of(stdout: &[u8]) -> Option<(u64, u64, u64)> {
    let json: Value = serde_json::from_slice(stdout).ok()?;
    Some((json["Major"].as_u64()?, json["Minor"].as_u64()?, json["Patch"].as_u64()?))
}
