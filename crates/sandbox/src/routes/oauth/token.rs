//! The token endpoint (RFC 6749, 3.2; RFC 8693).

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{
    account::{ACCOUNT_ID, is_known},
    logins::Logins,
};
use crate::{
    auth::{Caller, PUBLIC_CLIENT, client_credentials},
    clock::millis,
    error::ApiError,
    secrets::random_hex,
    server::Server,
};

/// Exchanges a workload's token for one of the sandbox's.
pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

type TokenForm = Result<Form<HashMap<String, String>>, FormRejection>;

pub(super) async fn of_workspace(
    server: State<Arc<Server>>,
    headers: HeaderMap,
    form: TokenForm,
) -> Response {
    token(&server, &headers, form).into_response()
}

pub(super) async fn of_account(
    server: State<Arc<Server>>,
    Path(account_id): Path<String>,
    headers: HeaderMap,
    form: TokenForm,
) -> Response {
    if account_id != ACCOUNT_ID {
        return ApiError::oauth(StatusCode::NOT_FOUND, "invalid_request", "Account not found")
            .into_response();
    }
    token(&server, &headers, form).into_response()
}

/// What a token request is entitled to.
struct Grant {
    caller: Caller,
    scope: String,
    /// Whether a refresh token may come with it.
    lasting: bool,
}

fn token(server: &Server, headers: &HeaderMap, form: TokenForm) -> Result<Response, ApiError> {
    let Form(form) = form.map_err(|_| refuse("invalid_request", "The body is not a form"))?;
    let form = Fields(form);
    let kind = form.required("grant_type")?;
    let grant = match kind {
        "authorization_code" | "refresh_token" => of_user(server, &form, kind)?,
        "client_credentials" => {
            let scope = form.scope()?.unwrap_or("all-apis").to_owned();
            let Some((id, secret)) = client_credentials(headers, &form.0) else {
                return Err(unknown_client("No client authentication given"));
            };
            Grant { caller: server.directory.client(&id, Some(&secret))?, scope, lasting: false }
        }
        TOKEN_EXCHANGE => of_workload(server, &form)?,
        _ => return Err(refuse("unsupported_grant_type", "The grant type is not supported")),
    };
    let token = format!("eyJ0eXAiOiJhdCtqd3QifQ.{}.{}", random_hex(64), random_hex(64));
    let lifetime = server.options.token_ttl;
    let mut body = json!({
        "access_token": token,
        "scope": grant.scope,
        "token_type": "Bearer",
        "expires_in": lifetime.as_secs(),
    });
    if grant.lasting && grant.scope.split(' ').any(|part| part == "offline_access") {
        let refresh_token = format!("doau{}", random_hex(40));
        body["refresh_token"] = json!(refresh_token);
        grant.caller.tenant.state::<Logins>().add_refresh_token(refresh_token, grant.scope);
    }
    let now_ms = server.now_ms();
    server.directory.issue(token, grant.caller, now_ms, now_ms.saturating_add(millis(lifetime)));
    if kind == TOKEN_EXCHANGE {
        body["issued_token_type"] = json!("urn:ietf:params:oauth:token-type:access_token");
    }
    Ok(([(header::CACHE_CONTROL, "no-cache, no-store")], Json(body)).into_response())
}

/// A user's grant: by the code of a login, or by the latest refresh token.
fn of_user(server: &Server, form: &Fields, kind: &str) -> Result<Grant, ApiError> {
    let id = form.required("client_id")?;
    if id != PUBLIC_CLIENT {
        return Err(match server.directory.tenant_of_client(id) {
            Some(_) => refuse("unauthorized_client", "The client may not log in users"),
            None => unknown_client("The client_id is not known"),
        });
    }
    let caller = server.directory.user()?;
    let logins = caller.tenant.state::<Logins>();
    let scope = if kind == "refresh_token" {
        logins.refresh(form.required("refresh_token")?)?
    } else {
        let (uri, verifier) = (form.required("redirect_uri")?, form.required("code_verifier")?);
        logins.redeem(form.required("code")?, uri, verifier, server.now_ms())?
    };
    Ok(Grant { caller, scope, lasting: true })
}

/// A workload's grant: by a JWT of its platform, which is the sandbox itself.
fn of_workload(server: &Server, form: &Fields) -> Result<Grant, ApiError> {
    let scope = form.scope()?.unwrap_or("all-apis").to_owned();
    let identity = form.required("subject_token")?;
    let parts = identity.split('.');
    if parts.clone().count() != 3 || parts.clone().any(str::is_empty) {
        return Err(refuse("invalid_grant", "The subject_token is not a JWT"));
    }
    if form.required("subject_token_type")? != "urn:ietf:params:oauth:token-type:jwt" {
        return Err(refuse("invalid_request", "The subject_token_type must be that of a JWT"));
    }
    if !server.workloads.issued(identity) {
        return Err(refuse("invalid_grant", "The subject_token is not from the sandbox's identity provider"));
    }
    let caller = server.directory.client(form.required("client_id")?, None)?;
    Ok(Grant { caller, scope, lasting: false })
}

/// The fields of a form; an empty one counts as missing.
struct Fields(HashMap<String, String>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| refuse("invalid_request", &format!("{name} is missing")))
    }

    fn scope(&self) -> Result<Option<&str>, ApiError> {
        match self.get("scope") {
            Some(scope) if !is_known(scope) => {
                Err(refuse("invalid_scope", "The requested scope is not known"))
            }
            scope => Ok(scope),
        }
    }
}

fn refuse(code: &str, text: &str) -> ApiError {
    ApiError::oauth(StatusCode::BAD_REQUEST, code, text)
}

fn unknown_client(text: &str) -> ApiError {
    ApiError::oauth(StatusCode::UNAUTHORIZED, "invalid_client", text)
}
