//! `compute`: starts and stops warehouses and clusters.

use brickwire_actions::Change;
use serde::Deserialize;
use serde_json::json;

use super::call::Time;
use crate::{context::Context, failure::Result};

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Warehouse,
    Cluster,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Start,
    Stop,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    kind: Kind,
    id: String,
    action: Action,
}

/// Requests the change and doesn't wait for it: a cluster takes minutes, and a client may not.
pub(super) async fn run(arguments: Arguments, context: &Context) -> Result<String> {
    let workspace = Time::of(None)?.workspace(context).await?;
    let (change, id, name, state) = match arguments.kind {
        Kind::Warehouse => {
            let warehouses = workspace.warehouses();
            let id = warehouses.find(&arguments.id).await?;
            let change = match arguments.action {
                Action::Start => warehouses.start(&id).await?,
                Action::Stop => warehouses.stop(&id).await?,
            };
            let now = warehouses.get(&id).await?;
            (change, id, now.name.clone(), now.state.as_ref().map(ToString::to_string))
        }
        Kind::Cluster => {
            let clusters = workspace.clusters();
            let id = clusters.find(&arguments.id).await?;
            let change = match arguments.action {
                Action::Start => clusters.start(&id).await?,
                Action::Stop => clusters.terminate(&id).await?,
            };
            let now = clusters.get(&id).await?;
            (change, id, now.cluster_name.clone(), now.state.as_ref().map(ToString::to_string))
        }
    };
    Ok(json!({ "id": id, "name": name, "state": state, "changed": change != Change::Already }).to_string())
}
