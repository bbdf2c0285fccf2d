//! Credentials: tokens, clients and the workspace that each opens. Only credentials that the sandbox issued are valid.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{error::ApiError, lock::lock, secrets::same, tenant::Tenant};

/// The client of the command line, which every account knows; users log in with it. It has no secret.
pub(crate) const PUBLIC_CLIENT: &str = "databricks-cli";

const DAY_MS: u64 = 24 * 3_600_000;

/// The identity behind a token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Principal {
    User,
    ServicePrincipal { client_id: String },
}

/// A caller whose credential is valid.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) principal: Principal,
}

/// Every credential that was issued.
#[derive(Default)]
pub(crate) struct Directory(Mutex<Credentials>);

#[derive(Default)]
struct Credentials {
    personal: HashMap<String, Arc<Tenant>>,
    issued: HashMap<String, Issued>,
    clients: HashMap<String, Client>,
    /// The workspace that logins in the browser lead to: the first one.
    of_user: Option<Arc<Tenant>>,
}

struct Issued {
    caller: Caller,
    expires_ms: u64,
}

struct Client {
    secret: String,
    tenant: Arc<Tenant>,
}

impl Directory {
    pub(crate) fn add_personal(&self, token: &str, tenant: Arc<Tenant>) {
        let mut credentials = lock(&self.0);
        credentials.of_user.get_or_insert_with(|| tenant.clone());
        credentials.personal.insert(token.to_owned(), tenant);
    }

    pub(crate) fn add_client(&self, id: &str, secret: &str, tenant: Arc<Tenant>) {
        lock(&self.0).clients.insert(id.to_owned(), Client { secret: secret.to_owned(), tenant });
    }

    /// The workspace a client belongs to, whether its secret is right or not.
    pub(crate) fn tenant_of_client(&self, id: &str) -> Option<Arc<Tenant>> {
        let credentials = lock(&self.0);
        match id {
            PUBLIC_CLIENT => credentials.of_user.clone(),
            _ => credentials.clients.get(id).map(|client| client.tenant.clone()),
        }
    }

    /// A service principal. `secret` is `None` where something else has authenticated it.
    pub(crate) fn client(&self, id: &str, secret: Option<&str>) -> Result<Caller, ApiError> {
        match lock(&self.0).clients.get(id) {
            Some(client) if secret.is_none_or(|secret| same(secret, &client.secret)) => Ok(Caller {
                tenant: client.tenant.clone(),
                principal: Principal::ServicePrincipal { client_id: id.to_owned() },
            }),
            _ => Err(ApiError::oauth(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "Client authentication failed",
            )),
        }
    }

    /// The user who logs in with the browser.
    pub(crate) fn user(&self) -> Result<Caller, ApiError> {
        let tenant = lock(&self.0).of_user.clone();
        let tenant = tenant.ok_or_else(|| ApiError::internal("there is no user yet"))?;
        Ok(Caller { tenant, principal: Principal::User })
    }

    /// Lets `token` stand for a caller until it expires. A day later it is forgotten.
    pub(crate) fn issue(&self, token: String, caller: Caller, now_ms: u64, expires_ms: u64) {
        let issued = &mut lock(&self.0).issued;
        issued.retain(|_, known| now_ms < known.expires_ms.saturating_add(DAY_MS));
        issued.insert(token, Issued { caller, expires_ms });
    }

    /// The caller behind the `Authorization` header: 401 without a usable one or after its expiry, 403 for an
    /// unknown token. The messages are the service's.
    pub(crate) fn authenticate(&self, headers: &HeaderMap, now_ms: u64) -> Result<Caller, ApiError> {
        let Some(token) = bearer(headers) else {
            return Err(ApiError::gateway(
                StatusCode::UNAUTHORIZED,
                "Credential was not sent or was of an unsupported type for this API.",
            ));
        };
        let credentials = lock(&self.0);
        if let Some(tenant) = credentials.personal.get(token) {
            return Ok(Caller { tenant: tenant.clone(), principal: Principal::User });
        }
        match credentials.issued.get(token) {
            Some(issued) if now_ms < issued.expires_ms => Ok(issued.caller.clone()),
            Some(_) => Err(ApiError::gateway(StatusCode::UNAUTHORIZED, "Token is expired")),
            None => Err(ApiError::gateway(StatusCode::FORBIDDEN, "Invalid access token.")),
        }
    }

    /// The workspace that a personal access token or a client id opens.
    pub(crate) fn tenant_behind(&self, credential: &str) -> Option<Arc<Tenant>> {
        let personal = lock(&self.0).personal.get(credential).cloned();
        personal.or_else(|| self.tenant_of_client(credential))
    }

    /// The service principal that signs in to a workspace.
    pub(crate) fn client_of(&self, tenant: &Arc<Tenant>) -> Option<String> {
        let credentials = lock(&self.0);
        let found = credentials.clients.iter().find(|(_, client)| Arc::ptr_eq(&client.tenant, tenant));
        found.map(|(id, _)| id.clone())
    }

    /// Every workspace, once or more.
    pub(crate) fn tenants(&self) -> Vec<Arc<Tenant>> {
        let credentials = lock(&self.0);
        let clients = credentials.clients.values().map(|client| client.tenant.clone());
        credentials.personal.values().cloned().chain(clients).collect()
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

/// Client id and secret from HTTP Basic or from the form. Basic values are form-encoded first (RFC 6749, 2.3.1).
pub(crate) fn client_credentials(
    headers: &HeaderMap,
    form: &HashMap<String, String>,
) -> Option<(String, String)> {
    let basic = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some(encoded) = basic.and_then(|value| value.strip_prefix("Basic ")) {
        let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let pair = decoded.replacen(':', "=", 1);
        let (id, secret) = form_urlencoded::parse(pair.as_bytes()).next()?;
        return Some((id.into_owned(), secret.into_owned()));
    }
    Some((form.get("client_id")?.clone(), form.get("client_secret")?.clone()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn basic_values_are_form_decoded() {
        let mut headers = HeaderMap::new();
        let value = format!("Basic {}", STANDARD.encode("a%3Ab+c%2:plain="));
        headers.insert(header::AUTHORIZATION, HeaderValue::try_from(value).unwrap());
        let credentials = client_credentials(&headers, &HashMap::new());
        assert_eq!(credentials, Some(("a:b c%2".to_owned(), "plain=".to_owned())));
    }
}
