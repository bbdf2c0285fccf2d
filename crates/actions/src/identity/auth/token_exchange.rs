//! Workload identity federation (RFC 8693): exchanges a token issued by the surroundings, such as a CI system, for a
//! Databricks token. No secret is configured.

use std::path::PathBuf;

use brickwire_wire::{BoxFuture, Call, Wire, file, is_loopback};
use http::{HeaderValue, Method, header};
use reqwest::Url;

use super::{
    discovery::{Endpoints, Issuer, is_id},
    token::{Token, TokenSource},
    token_request::{Refusal, TokenRequest, call},
};
use crate::{Error, ErrorKind, Result, Secret};

/// The longest identity token that is read from a file, in bytes.
const LONGEST_TOKEN: u64 = 1 << 20;

/// The identity of a workload, proven by a token of its surroundings.
#[derive(Debug, Clone)]
pub(crate) struct WorkloadIdentity {
    pub(crate) issuer: Issuer,
    pub(crate) subject: Subject,
    /// The service principal to become; `None` for a federation policy of the whole account.
    pub(crate) client_id: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) group_id: Option<String>,
}

/// Where the token of the surroundings comes from.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// An environment variable; `token` is its value, if it is set.
    Variable { name: String, token: Option<Secret> },
    /// A file, which another program keeps up to date, so it is read each time.
    File(PathBuf),
    /// GitHub Actions, which issues the token to the bearer of `request_token`.
    GitHub { url: Url, request_token: Secret },
    /// Azure Pipelines, which issue the token to the bearer of the job's access token.
    AzureDevOps { url: Url, access_token: Secret },
}

/// The variables of a job in Azure Pipelines: its access token, the address of the organization, and the parts of the
/// address of its identity token, in that order.
pub(crate) const AZURE_DEVOPS: [&str; 6] = [
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI",
    "SYSTEM_TEAMPROJECTID",
    "SYSTEM_HOSTTYPE",
    "SYSTEM_PLANID",
    "SYSTEM_JOBID",
];

impl TokenSource for WorkloadIdentity {
    fn auth_type(&self) -> &'static str {
        match self.subject {
            Subject::Variable { .. } => "env-oidc",
            Subject::File(_) => "file-oidc",
            Subject::GitHub { .. } => "github-oidc",
            Subject::AzureDevOps { .. } => "azure-devops-oidc",
        }
    }

    fn fetch<'a>(&'a self, http: &'a Wire) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move {
            let endpoints = self.issuer.endpoints(http).await?;
            let subject = self.subject.token(http, &self.audience(&endpoints)).await?;
            let scope = self.scopes.join(" ");
            let mut form = vec![
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
                ("subject_token", subject.expose()),
                ("scope", scope.as_str()),
            ];
            form.extend(self.client_id.as_deref().map(|id| ("client_id", id)));
            form.extend(self.group_id.as_deref().map(|group| ("assume_group", group)));
            Ok(TokenRequest::new(&endpoints.token, &form, &[&subject]).send(http).await?.into_token())
        })
    }
}

impl WorkloadIdentity {
    /// The audience of the surroundings' token: the configured one, or the one that the host names, or the account, or
    /// else the token endpoint.
    fn audience(&self, endpoints: &Endpoints) -> String {
        let metadata = &endpoints.metadata;
        let account = || {
            let id = self.issuer.account_id.as_ref().or(metadata.account_id.as_ref());
            id.filter(|_| metadata.is_account(&self.issuer.host)).cloned()
        };
        self.audience
            .clone()
            .or_else(|| metadata.audiences.first().cloned())
            .or_else(account)
            .unwrap_or_else(|| endpoints.token.to_string())
    }
}

impl Subject {
    /// The identity of a job in Azure Pipelines; `parts` are its project, host type, plan and job. The access token goes
    /// to the collection's address, so that must be https.
    pub(crate) fn azure_devops(
        collection: &Secret,
        parts: [&Secret; 4],
        access_token: Secret,
    ) -> Result<Self> {
        let fault = |why: &str| {
            let shown = Url::parse(collection.expose()).map(|url| url.origin().ascii_serialization());
            let shown = shown.unwrap_or_else(|_| "not an address".to_owned());
            Error::configuration(format!("{} {why}: {shown}", AZURE_DEVOPS[1]))
        };
        if let Some(at) = parts.iter().position(|part| !is_id(part.expose())) {
            return Err(Error::configuration(format!("the variable holds no id: {}", AZURE_DEVOPS[at + 2])));
        }
        let [project, host_type, plan, job] = parts.map(Secret::expose);
        // The real variable ends with a slash.
        let collection = collection.expose().trim_end_matches('/');
        let url = format!(
            "{collection}/{project}/_apis/distributedtask/hubs/{host_type}/plans/{plan}/jobs/{job}/oidctoken\
             ?api-version=7.2-preview.1"
        );
        let url = Url::parse(&url).map_err(|_| fault("is not an address"))?;
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(fault("must be https: over plain http the access token would travel in the clear"));
        }
        Ok(Self::AzureDevOps { url, access_token })
    }

    async fn token(&self, http: &Wire, audience: &str) -> Result<Secret> {
        match self {
            Self::Variable { name, token } => token.clone().ok_or_else(|| {
                Error::configuration(format!(
                    "the environment variable for the identity token is not set: {name}"
                ))
                .with_hint(
                    "set it to the token that your CI system issues, or name another with `oidc_token_env`",
                )
            }),
            Self::File(path) => {
                let shown = path.display();
                let fault =
                    |why: &str| Error::configuration(format!("the identity token's file {why}: {shown}"));
                let read = {
                    let path = path.clone();
                    tokio::task::spawn_blocking(move || file::read(&path, LONGEST_TOKEN))
                };
                let read = read.await.unwrap_or_else(|e| Err(std::io::Error::other(e)));
                let bytes = read.map_err(|e| match e.kind() {
                    std::io::ErrorKind::NotFound => fault("does not exist"),
                    _ => fault("can't be read").with_kind(ErrorKind::Local).with_source(e),
                })?;
                match std::str::from_utf8(&bytes).map(str::trim) {
                    Ok("") => Err(fault("is empty")),
                    Ok(token) => Ok(Secret::new(token)),
                    Err(_) => Err(fault("is not text")),
                }
            }
            Self::GitHub { url, request_token } => {
                let mut url = url.clone();
                url.query_pairs_mut().append_pair("audience", audience);
                let request = call(http, Method::GET, url, "github_oidc_token");
                let hint = "the workflow needs `permissions: id-token: write`";
                issued(http, request, request_token, "value", "GitHub", hint).await
            }
            Self::AzureDevOps { url, access_token } => {
                // The service chooses the audience. It asks for a length even if there is no body.
                let request = call(http, Method::POST, url.clone(), "azure_devops_oidc_token")
                    .with_repeatable(true)
                    .with_header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
                    .with_header(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
                let hint = "the step needs `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`";
                issued(http, request, access_token, "oidcToken", "Azure DevOps", hint).await
            }
        }
    }
}

/// The identity token that a CI system issues to the bearer of another token, at `key` of its answer.
async fn issued(
    http: &Wire,
    request: Call,
    bearer: &Secret,
    key: &str,
    issuer: &str,
    hint: &str,
) -> Result<Secret> {
    http.filter().learn(bearer);
    let mut header = HeaderValue::try_from(format!("Bearer {}", bearer.expose()))
        .map_err(|_| Error::configuration(format!("{issuer}'s request token does not fit into a header")))?;
    header.set_sensitive(true);
    let (status, body) = match request.with_header(header::AUTHORIZATION, header).send_raw().await {
        Ok(answer) => (answer.status.as_u16(), answer.body),
        Err(error) => {
            (error.status().ok_or_else(|| error.clone())?, error.body().cloned().unwrap_or_default())
        }
    };
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    json[key].as_str().filter(|t| !t.is_empty()).map(Secret::new).ok_or_else(|| {
        let said = Refusal::read(&json).line().map(|line| format!(": {}", http.filter().text(&line)));
        let said = said.unwrap_or_default();
        let text = format!("{issuer} gave no identity token{said} (HTTP {status})");
        Error::new(ErrorKind::Unauthenticated, text).with_hint(hint)
    })
}
