//! The metastore: there is one, and it never changes.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::catalogs::{
    pages,
    store::{METASTORE, SYSTEM},
};
use crate::call::{Answer, Call, Routes};

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/2.1/unity-catalog/current-metastore-assignment", get(current))
        .route("/api/2.1/unity-catalog/metastore_summary", get(summary))
        .route("/api/2.1/unity-catalog/metastores", get(list))
}

async fn current(call: Call) -> Answer {
    Ok(Json(json!({
        "metastore_id": METASTORE,
        "workspace_id": call.tenant.workspace_id,
        "default_catalog_name": "main",
    })))
}

fn metastore(call: &Call) -> Value {
    json!({
        "name": "sandbox",
        "metastore_id": METASTORE,
        "global_metastore_id": format!("sandbox:local:{METASTORE}"),
        "cloud": "sandbox",
        "region": "local",
        "owner": SYSTEM,
        "privilege_model_version": "1.0",
        "delta_sharing_scope": "INTERNAL",
        "created_at": call.tenant.opened_ms,
        "created_by": SYSTEM,
        "updated_at": call.tenant.opened_ms,
        "updated_by": SYSTEM,
        "storage_root": "s3://sandbox-metastore",
    })
}

async fn summary(call: Call) -> Answer {
    Ok(Json(metastore(&call)))
}

async fn list(call: Call) -> Answer {
    let all = vec![metastore(&call)];
    pages::page(&call, "metastores", all, "")
}
