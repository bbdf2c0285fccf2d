//! `dbutils.secrets` of the Python that the sandbox runs: what code asks for, answered from the workspace.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Secrets;
use crate::{error::ApiError, tenant::Tenant};

/// Answers a question of code: `{"ask": "get", "scope": ..., "key": ...}`, or `list`, or `listScopes`. The value of a
/// secret is base64; trouble is under `error`.
pub(in crate::routes) fn answer(tenant: &Tenant, question: &Value) -> Value {
    answered(tenant, question).unwrap_or_else(|error| json!({ "error": error.message() }))
}

fn answered(tenant: &Tenant, question: &Value) -> Result<Value, ApiError> {
    let text = |name: &str| question.get(name).and_then(Value::as_str).unwrap_or_default();
    let secrets = tenant.state::<Secrets>();
    let known = secrets.lock();
    match text("ask") {
        "get" => Ok(json!({ "value": STANDARD.encode(known.value(text("scope"), text("key"))?) })),
        "list" => Ok(json!({ "names": known.get(text("scope"))?.values.keys().collect::<Vec<_>>() })),
        "listScopes" => Ok(json!({ "names": known.0.keys().collect::<Vec<_>>() })),
        other => Err(ApiError::invalid(format!("Unknown question: {other}"))),
    }
}
