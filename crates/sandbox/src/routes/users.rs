//! Who the caller is, SCIM's `Me`, and the users of the workspace.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

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
    let directory = directory(&call);
    let directory = lock(&directory);
    let me = match &call.principal {
        Principal::User => directory.shown(Kind::Users, &seed::user_id(&call.tenant).to_string())?,
        // `Me` shows a service principal as a user whose name is the application id.
        Principal::ServicePrincipal { client_id } => {
            let id = seed::client_id(&call.tenant).to_string();
            let mut me = directory.shown(Kind::ServicePrincipals, &id)?;
            me.insert("userName".to_owned(), json!(client_id));
            me.insert("schemas".to_owned(), json!(Kind::Users.schemas()));
            me
        }
    };
    Ok(scim(&Value::Object(directory::projected(&call, me))))
}
