//! Secrets: scopes, values, and permissions, in memory.
//!
//! Chosen without a source that says what the service does: the caller counts as an administrator, so no permission is
//! checked; a permission may be given to a name that does not exist; values may not be empty.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) mod for_code;

use crate::{
    auth::Principal,
    call::{Answer, Call, Routes, done, required_text},
    error::ApiError,
    lock::lock,
    tenant::{ServiceState, Tenant, USER_NAME, kept},
};

const MOST_SCOPES: usize = 1000;
const MOST_KEYS: usize = 1000;
/// The longest value, and what all values may take, in bytes.
const LONGEST: usize = 128 << 10;
const ROOM: usize = 64 << 20;

pub(super) fn routes() -> Routes {
    let path = |name: &str| format!("/api/2.0/secrets/{name}");
    Router::new()
        .route(&path("scopes/list"), get(scopes))
        .route(&path("scopes/create"), post(create_scope))
        .route(&path("scopes/delete"), post(delete_scope))
        .route(&path("list"), get(list))
        .route(&path("put"), post(put))
        .route(&path("get"), get(get_one))
        .route(&path("delete"), post(delete))
        .route(&path("acls/list"), get(acls))
        .route(&path("acls/get"), get(acl))
        .route(&path("acls/put"), post(put_acl))
        .route(&path("acls/delete"), post(delete_acl))
}

/// A value and when it was stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(with = "crate::blob")]
    value: Vec<u8>,
    updated_ms: u64,
}

#[derive(Default, Serialize, Deserialize)]
struct Scope {
    values: BTreeMap<String, Stored>,
    /// The permission of each principal.
    acls: BTreeMap<String, String>,
}

/// The scopes of a workspace.
#[derive(Default)]
pub(super) struct Secrets(Mutex<Scopes>);

#[derive(Default, Serialize, Deserialize)]
struct Scopes(BTreeMap<String, Scope>);

impl ServiceState for Secrets {
    fn fresh(_: &Tenant) -> Self {
        Self::default()
    }
}

kept!(Secrets);

impl Secrets {
    fn lock(&self) -> MutexGuard<'_, Scopes> {
        lock(&self.0)
    }
}

impl Scopes {
    fn get(&self, scope: &str) -> Result<&Scope, ApiError> {
        self.0.get(scope).ok_or_else(|| ApiError::not_found(format!("Scope {scope} does not exist!")))
    }

    fn get_mut(&mut self, scope: &str) -> Result<&mut Scope, ApiError> {
        self.0.get_mut(scope).ok_or_else(|| ApiError::not_found(format!("Scope {scope} does not exist!")))
    }

    fn value(&self, scope: &str, key: &str) -> Result<&[u8], ApiError> {
        let stored = self.get(scope)?.values.get(key);
        stored.map(|stored| &*stored.value).ok_or_else(|| no_secret(scope, key))
    }

    fn bytes(&self) -> usize {
        self.0.values().flat_map(|scope| scope.values.values()).map(|stored| stored.value.len()).sum()
    }
}

fn no_secret(scope: &str, key: &str) -> ApiError {
    ApiError::not_found(format!("Secret does not exist with scope: {scope} and key: {key}"))
}

fn full(what: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "RESOURCE_LIMIT_EXCEEDED", format!("There are too many {what}"))
}

/// A list; what is empty is left out.
fn listed(name: &str, items: Vec<Value>) -> Answer {
    Ok(Json(if items.is_empty() { json!({}) } else { json!({ name: items }) }))
}

fn checked_name<'a>(what: &str, name: &'a str) -> Result<&'a str, ApiError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    match name.len() <= 128 && name.chars().all(is_plain) {
        true => Ok(name),
        false => Err(ApiError::invalid(format!(
            "{what} name must be at most 128 letters, digits, and characters of -_.@, got {name}"
        ))),
    }
}

async fn scopes(call: Call) -> Answer {
    let secrets = call.tenant.state::<Secrets>();
    let scope = |name: &String| json!({ "name": name, "backend_type": "DATABRICKS" });
    listed("scopes", secrets.lock().0.keys().map(scope).collect())
}

async fn create_scope(call: Call) -> Answer {
    let body = call.json()?;
    let name = checked_name("Scope", required_text(&body, "scope")?)?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    if !["", "DATABRICKS"].contains(&text("scope_backend_type")) {
        let message = "The sandbox has no key vaults: scope_backend_type must be DATABRICKS";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message));
    }
    let manager = match (text("initial_manage_principal"), &call.principal) {
        ("users", _) => "users",
        ("", Principal::User) => USER_NAME,
        ("", Principal::ServicePrincipal { client_id }) => client_id,
        (other, _) => {
            return Err(ApiError::invalid(format!("initial_manage_principal must be users, got {other}")));
        }
    };
    let secrets = call.tenant.state::<Secrets>();
    let mut known = secrets.lock();
    if known.0.contains_key(name) {
        let message = format!("Scope {name} already exists!");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "RESOURCE_ALREADY_EXISTS", message));
    }
    if known.0.len() >= MOST_SCOPES {
        return Err(full("scopes"));
    }
    let acls = BTreeMap::from([(manager.to_owned(), "MANAGE".to_owned())]);
    known.0.insert(name.to_owned(), Scope { acls, ..Scope::default() });
    done()
}

async fn delete_scope(call: Call) -> Answer {
    let body = call.json()?;
    let name = required_text(&body, "scope")?;
    let secrets = call.tenant.state::<Secrets>();
    let mut known = secrets.lock();
    known.get(name)?;
    known.0.remove(name);
    done()
}

async fn list(call: Call) -> Answer {
    let secrets = call.tenant.state::<Secrets>();
    let known = secrets.lock();
    let values = &known.get(call.required_query("scope")?)?.values;
    let shown = |(key, stored): (&String, &Stored)| json!({ "key": key, "last_updated_timestamp": stored.updated_ms });
    listed("secrets", values.iter().map(shown).collect())
}

async fn put(call: Call) -> Answer {
    let body = call.json()?;
    let (scope, key) = (required_text(&body, "scope")?, checked_name("Key", required_text(&body, "key")?)?);
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let value = match (text("string_value"), text("bytes_value")) {
        (Some(text), None) => text.as_bytes().to_vec(),
        (None, Some(base64)) => STANDARD.decode(base64).map_err(|_| {
            ApiError::new(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST", "bytes_value is not base64")
        })?,
        _ => return Err(ApiError::invalid("Exactly one of string_value and bytes_value must be given")),
    };
    if value.is_empty() || value.len() > LONGEST {
        return Err(ApiError::invalid(format!(
            "A secret must have 1 to {LONGEST} bytes, got {}",
            value.len()
        )));
    }
    let secrets = call.tenant.state::<Secrets>();
    let mut known = secrets.lock();
    let room = ROOM.saturating_sub(known.bytes());
    let values = &mut known.get_mut(scope)?.values;
    if values.len() >= MOST_KEYS && !values.contains_key(key) || value.len() > room {
        return Err(full("secrets"));
    }
    values.insert(key.to_owned(), Stored { value, updated_ms: call.now_ms() });
    done()
}

async fn get_one(call: Call) -> Answer {
    let (scope, key) = (call.required_query("scope")?, call.required_query("key")?);
    let secrets = call.tenant.state::<Secrets>();
    let known = secrets.lock();
    Ok(Json(json!({ "key": key, "value": STANDARD.encode(known.value(scope, key)?) })))
}

async fn delete(call: Call) -> Answer {
    let body = call.json()?;
    let (scope, key) = (required_text(&body, "scope")?, required_text(&body, "key")?);
    let secrets = call.tenant.state::<Secrets>();
    let removed = secrets.lock().get_mut(scope)?.values.remove(key);
    removed.map_or_else(|| Err(no_secret(scope, key)), |_| done())
}

async fn acls(call: Call) -> Answer {
    let secrets = call.tenant.state::<Secrets>();
    let known = secrets.lock();
    let acls = &known.get(call.required_query("scope")?)?.acls;
    listed("items", acls.iter().map(|(principal, permission)| shown_acl(principal, permission)).collect())
}

fn shown_acl(principal: &str, permission: &str) -> Value {
    json!({ "principal": principal, "permission": permission })
}

fn no_acl(scope: &str, principal: &str) -> ApiError {
    ApiError::not_found(format!("ACL of {principal} on scope {scope} does not exist!"))
}

async fn acl(call: Call) -> Answer {
    let (scope, principal) = (call.required_query("scope")?, call.required_query("principal")?);
    let secrets = call.tenant.state::<Secrets>();
    let known = secrets.lock();
    let permission = known.get(scope)?.acls.get(principal).ok_or_else(|| no_acl(scope, principal))?;
    Ok(Json(shown_acl(principal, permission)))
}

async fn put_acl(call: Call) -> Answer {
    let body = call.json()?;
    let (scope, principal) = (required_text(&body, "scope")?, required_text(&body, "principal")?);
    let permission = required_text(&body, "permission")?;
    if !["READ", "WRITE", "MANAGE"].contains(&permission) {
        return Err(ApiError::invalid(format!("Unknown permission: {permission}")));
    }
    let secrets = call.tenant.state::<Secrets>();
    let mut known = secrets.lock();
    let acls = &mut known.get_mut(scope)?.acls;
    if acls.len() >= MOST_KEYS && !acls.contains_key(principal) {
        return Err(full("permissions"));
    }
    acls.insert(principal.to_owned(), permission.to_owned());
    done()
}

async fn delete_acl(call: Call) -> Answer {
    let body = call.json()?;
    let (scope, principal) = (required_text(&body, "scope")?, required_text(&body, "principal")?);
    let secrets = call.tenant.state::<Secrets>();
    let removed = secrets.lock().get_mut(scope)?.acls.remove(principal);
    removed.map_or_else(|| Err(no_acl(scope, principal)), |_| done())
}
