//! Who the caller is, SCIM's `Me`, and the users of the workspace.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Map, Value, json};

mod change;
pub(super) mod directory;
mod filter;
pub(super) mod kind;
mod seed;

use directory::{directory, scim};
use kind::Kind;

use crate::{
    auth::Principal,
    call::{Call, Routes},
    error::ApiError,
    lock::lock,
};

pub(super) fn routes() -> Routes {
    Router::new().route("/api/2.0/preview/scim/v2/Me", get(me)).merge(directory::routes(Kind::Users))
}

async fn me(call: Call) -> Result<Response, ApiError> {
    let id = seed::user_id(&call.tenant);
    let directory = directory(&call);
    let directory = lock(&directory);
    let owner = directory.shown(Kind::Users, &id.to_string())?;
    let me = match &call.principal {
        Principal::User => owner,
        // It may do what its owner may.
        Principal::ServicePrincipal { client_id } => {
            let own = json!({
                "userName": client_id,
                "displayName": "sandbox-service-principal",
                "id": (id + 1).to_string(),
                "applicationId": client_id,
            });
            let shared = ["schemas", "active", "groups", "entitlements", "roles"];
            let shared = owner.into_iter().filter(|(name, _)| shared.contains(&name.as_str()));
            own.as_object().cloned().unwrap_or_default().into_iter().chain(shared).collect::<Map<_, _>>()
        }
    };
    Ok(scim(&Value::Object(directory::projected(&call, me))))
}
