//! Workload identity federation (RFC 8693): exchanges a token issued by the surroundings, such as a CI system, for a
//! Databricks token. No secret is configured.

use std::path::PathBuf;

use brickwire_wire::{BoxFuture, Wire};
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use reqwest::Url;

use super::{
    discovery::{Endpoints, Issuer},
    token::{Token, TokenSource},
    token_request::{TokenRequest, call},
};
use crate::{Error, ErrorKind, Result, Secret};

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
}

impl TokenSource for WorkloadIdentity {
    fn auth_type(&self) -> &'static str {
        match self.subject {
            Subject::Variable { .. } => "env-oidc",
            Subject::File(_) => "file-oidc",
            Subject::GitHub { .. } => "github-oidc",
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
                let text = tokio::fs::read_to_string(path).await.map_err(|e| match e.kind() {
                    std::io::ErrorKind::NotFound => fault("does not exist"),
                    _ => fault("can't be read").with_kind(ErrorKind::Local).with_source(e),
                })?;
                match text.trim() {
                    "" => Err(fault("is empty")),
                    token => Ok(Secret::new(token)),
                }
            }
            Self::GitHub { url, request_token } => {
                let mut url = url.clone();
                url.query_pairs_mut().append_pair("audience", audience);
                let mut bearer = HeaderValue::try_from(format!("Bearer {}", request_token.expose()))
                    .map_err(|_| Error::configuration("GitHub's request token does not fit into a header"))?;
                bearer.set_sensitive(true);
                let request = call(http, Method::GET, url, "github_oidc_token");
                let (status, body) = match request.with_header(header::AUTHORIZATION, bearer).send_raw().await
                {
                    Ok(answer) => (answer.status.as_u16(), answer.body),
                    Err(error) => (error.status().ok_or(error)?, Bytes::new()),
                };
                let json: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
                json["value"].as_str().filter(|t| !t.is_empty()).map(Secret::new).ok_or_else(|| {
                    let text = format!("GitHub gave no identity token (HTTP {status})");
                    Error::new(ErrorKind::Unauthenticated, text)
                        .with_hint("the workflow needs `permissions: id-token: write`")
                })
            }
        }
    }
}
