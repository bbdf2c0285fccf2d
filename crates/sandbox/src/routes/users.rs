//! Who the caller is: SCIM's `Me`.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::{
    auth::Principal,
    call::{Answer, Call, Routes},
    tenant::USER_NAME,
};

pub(super) fn routes() -> Routes {
    Router::new().route("/api/2.0/preview/scim/v2/Me", get(me))
}

async fn me(call: Call) -> Answer {
    let id = call.tenant.workspace_id / 7; // some number that is stable for a workspace
    let mut user = match &call.principal {
        Principal::User => json!({
            "userName": USER_NAME,
            "displayName": "Ada Sandbox",
            "name": { "givenName": "Ada", "familyName": "Sandbox" },
            "emails": [{ "type": "work", "value": USER_NAME, "primary": true }],
            "id": id.to_string(),
            "externalId": "6fd2a1f0-9d3b-4c39-8a31-e3a4d3c0a001",
        }),
        Principal::ServicePrincipal { client_id } => json!({
            "userName": client_id,
            "displayName": "sandbox-service-principal",
            "id": (id + 1).to_string(),
            "applicationId": client_id,
        }),
    };
    let more = json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:workspace:2.0:User",
        ],
        "active": true,
        "groups": [
            group("users", "direct", 903_117_655_120_441),
            group("admins", "direct", 903_117_655_120_442),
        ],
        "entitlements": [{ "value": "workspace-access" }, { "value": "databricks-sql-access" }],
        "roles": [],
    });
    if let (Value::Object(user), Value::Object(more)) = (&mut user, more) {
        user.extend(more);
        let names =
            |list: &str| -> Vec<String> { list.split(',').map(|name| name.trim().to_owned()).collect() };
        if let Some(wanted) = call.query("attributes").filter(|list| !list.is_empty()) {
            let wanted = names(wanted);
            user.retain(|key, _| key == "id" || key == "schemas" || wanted.contains(key));
        }
        if let Some(unwanted) = call.query("excludedAttributes") {
            let unwanted = names(unwanted);
            user.retain(|key, _| key == "id" || !unwanted.contains(key));
        }
    }
    Ok(Json(user))
}

fn group(name: &str, kind: &str, id: u64) -> Value {
    json!({ "display": name, "type": kind, "value": id.to_string(), "$ref": format!("Groups/{id}") })
}
