//! Makes the connection that the settings amount to.

use brickwire_wire::Authorities;
use reqwest::Url;

use super::{
    AuthType, Config, Source,
    attribute::{ATTRIBUTES, attribute},
};
use crate::{
    Connection, Credential, Error, Host, Result, Secret,
    identity::auth::{
        AzureCli, AzureServicePrincipal, BrowserSession, DatabricksCli, DefaultChain, Identity, Issuer,
        LoginTarget, Subject, TokenStore, WorkloadIdentity, azure_cloud,
    },
    identity::connection::ServicePrincipal,
};

pub(super) fn connection(config: &Config) -> Result<Connection> {
    let kinds = config.choose()?;
    let host = config.need_host()?;
    let credential = match kinds.as_slice() {
        [] => {
            return Err(config.incomplete("no credential").with_hint(
                "set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, name a profile, \
                 or log in with `brick auth login` or `databricks auth login`",
            ));
        }
        [kind] if config.is_asked() || !is_login(*kind) => config.credential(*kind, host)?,
        kinds => {
            let identities = kinds.iter().filter_map(|kind| match config.credential(*kind, host) {
                Ok(Credential::Identity(identity)) => Some(identity),
                _ => None,
            });
            let chain = DefaultChain { identities: identities.collect(), summary: config.summary() };
            Credential::Identity(Identity::new(chain))
        }
    };
    config.connection_with(host, credential)
}

/// Whether it may be there or not; a token or a secret is.
fn is_login(kind: AuthType) -> bool {
    matches!(kind, AuthType::DatabricksCli | AuthType::AzureCli | AuthType::ExternalBrowser)
}

impl Config {
    fn connection_with(&self, host: &Host, credential: Credential) -> Result<Connection> {
        let connection = Connection::of(host.clone(), credential).with_authorities(self.authorities()?);
        Ok(match self.workspace_id() {
            Some(id) => connection.with_workspace_id(id),
            None => connection,
        })
    }

    /// Certificate authorities that are trusted beside the system's.
    pub(crate) fn authorities(&self) -> Result<Authorities> {
        match self.value("ca_file") {
            Some(file) => Authorities::read(&self.environment.expand(file)),
            None => Ok(Authorities::default()),
        }
    }

    fn need_host(&self) -> Result<&Host> {
        self.host.as_ref().ok_or_else(|| {
            self.incomplete("no host configured")
                .with_hint("set DATABRICKS_HOST to the workspace's address, or name a profile")
        })
    }

    fn need(&self, kind: AuthType, name: &'static str) -> Result<Secret> {
        self.secret(name).ok_or_else(|| {
            let variable = attribute(name).and_then(|a| a.variables.first()).unwrap_or(&name);
            self.incomplete(&format!("{} needs {name}", kind.as_str())).with_hint(format!("set {variable}"))
        })
    }

    fn need_text(&self, kind: AuthType, name: &'static str) -> Result<String> {
        self.need(kind, name).map(|value| value.expose().to_owned())
    }

    fn own(&self, name: &str) -> Option<String> {
        self.value(name).map(str::to_owned)
    }

    fn issuer(&self, host: &Host) -> Issuer {
        Issuer { host: host.clone(), account_id: self.own("account_id") }
    }

    /// The scopes to ask for.
    fn wanted_scopes(&self) -> Vec<String> {
        let scopes = self.scopes();
        if scopes.is_empty() { vec!["all-apis".to_owned()] } else { scopes }
    }

    /// The profile, if it is what names the host: otherwise its login belongs to another host.
    fn profile_of_host(&self) -> Option<String> {
        let source = &self.setting("host")?.source;
        let same = self.named_hosts.iter().any(|(name, from)| {
            matches!(from, Source::Profile { .. })
                && Host::parse(name)
                    .is_ok_and(|h| self.host.as_ref().is_some_and(|o| o.as_str() == h.as_str()))
        });
        (same || matches!(source, Source::Profile { .. })).then(|| self.own("profile")).flatten()
    }

    fn credential(&self, kind: AuthType, host: &Host) -> Result<Credential> {
        let grouped = matches!(
            kind,
            AuthType::OAuthM2m | AuthType::EnvOidc | AuthType::FileOidc | AuthType::GitHubOidc
        );
        if self.setting("group_id").is_some() && !grouped {
            return Err(self
                .incomplete(&format!("{} does not support group role assumption", kind.as_str()))
                .with_hint("leave group_id (DATABRICKS_GROUP_ID) out, or use a service principal"));
        }
        let identity = match kind {
            AuthType::Pat => {
                return Ok(Credential::Token(self.need(kind, "token")?.cleaned("token")?));
            }
            AuthType::OAuthM2m => {
                let (id, secret) = (self.need_text(kind, "client_id")?, self.need(kind, "client_secret")?);
                let mut principal = ServicePrincipal::discovered(self.issuer(host), &id, secret)?;
                principal.scopes = self.wanted_scopes();
                principal.group_id = self.own("group_id");
                return Ok(Credential::ServicePrincipal(principal));
            }
            AuthType::EnvOidc | AuthType::FileOidc | AuthType::GitHubOidc => {
                Identity::new(WorkloadIdentity {
                    issuer: self.issuer(host),
                    subject: self.subject(kind)?,
                    client_id: self.own("client_id"),
                    audience: self.own("token_audience"),
                    scopes: self.wanted_scopes(),
                    group_id: self.own("group_id"),
                })
            }
            AuthType::AzureClientSecret => Identity::new(AzureServicePrincipal {
                cloud: azure_cloud(self.value("azure_environment"), host)?,
                host: host.clone(),
                tenant_id: self.own("azure_tenant_id"),
                client_id: self.need_text(kind, "azure_client_id")?,
                client_secret: self.need(kind, "azure_client_secret")?,
                resource_id: self.own("azure_workspace_resource_id"),
            }),
            AuthType::AzureCli => Identity::new(AzureCli {
                cloud: azure_cloud(self.value("azure_environment"), host)?,
                host: host.clone(),
                tenant_id: self.own("azure_tenant_id"),
                resource_id: self.own("azure_workspace_resource_id"),
                environment: self.environment.clone(),
            }),
            AuthType::DatabricksCli => Identity::new(DatabricksCli {
                path: self.value("databricks_cli_path").map(|p| self.environment.expand(p)),
                host: host.clone(),
                account_id: self.own("account_id"),
                profile: self.profile_of_host(),
                scopes: self.scopes(),
                environment: self.for_the_vendors_cli(),
            }),
            AuthType::ExternalBrowser => Identity::new(BrowserSession::new(self.login_target()?)),
        };
        Ok(Credential::Identity(identity))
    }

    fn subject(&self, kind: AuthType) -> Result<Subject> {
        let variable = |name: &str| {
            let value = self.environment.get(name).map(Secret::new);
            value.ok_or_else(|| {
                Error::configuration(format!("the environment variable is not set: {name}")).with_hint(
                    "github-oidc works in GitHub Actions, in a job with `permissions: id-token: write`",
                )
            })
        };
        match kind {
            AuthType::FileOidc => {
                let path = self.need_text(kind, "oidc_token_filepath")?;
                Ok(Subject::File(self.environment.expand(&path)))
            }
            AuthType::GitHubOidc => {
                let url = variable("ACTIONS_ID_TOKEN_REQUEST_URL")?;
                let url = Url::parse(url.expose())
                    .map_err(|_| Error::configuration("ACTIONS_ID_TOKEN_REQUEST_URL is not an address"))?;
                Ok(Subject::GitHub { url, request_token: variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN")? })
            }
            _ => {
                let name = self.own("oidc_token_env").unwrap_or_else(|| "DATABRICKS_OIDC_TOKEN".to_owned());
                let token = self.environment.get(&name).map(Secret::new);
                Ok(Subject::Variable { name, token })
            }
        }
    }

    /// What the vendor's CLI may see: no variable that would make it choose otherwise, and the same file.
    fn for_the_vendors_cli(&self) -> crate::Environment {
        let ours = |name: &str| ATTRIBUTES.iter().any(|a| a.variables.contains(&name));
        let environment = self.environment.without(ours);
        match self.setting("config_file") {
            Some(file) => {
                environment.with("DATABRICKS_CONFIG_FILE", self.environment.expand(file.value.expose()))
            }
            None => environment,
        }
    }

    /// Where a browser login for this configuration belongs.
    pub(crate) fn login_target(&self) -> Result<LoginTarget> {
        Ok(LoginTarget {
            issuer: self.issuer(self.need_host()?),
            profile: self.profile_of_host(),
            scopes: self.wanted_scopes(),
            store: TokenStore::of(&self.environment)?,
        })
    }

    /// The connection over which a browser login is made: no credential goes with it.
    pub(crate) fn login_connection(&self) -> Result<Connection> {
        let session = Identity::new(BrowserSession::new(self.login_target()?));
        self.connection_with(self.need_host()?, Credential::Identity(session))
    }
}
