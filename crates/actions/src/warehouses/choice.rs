//! Decides which warehouse is meant if none is named. What other people have started or stopped never matters.
//!
//! 1. The only warehouse that the caller may see.
//! 2. The one that the user has chosen as the default (`default-warehouse-overrides`), unless the choice is "the one that
//!    I used last", which only the user interface knows.
//! 3. The workspace's default (the setting `default_warehouse_id`).
//!
//! A workspace that doesn't know these settings, or doesn't show them to the caller, has no default. The SDKs have no
//! such rule; the Databricks CLI takes any usable warehouse, a running one first, so that the same command may run
//! elsewhere tomorrow.

use std::time::Duration;

use brickwire_wire::{OperationInfo, Wire};
use serde_json::Value;

use crate::{Candidate, Error, Result, RetryPolicy, names::listed};

const OF_USER: OperationInfo = OperationInfo::new(
    "warehouses_get_default_override",
    "GET",
    "/api/warehouses/v1/default-warehouse-overrides/me",
    true,
);
const OF_WORKSPACE: OperationInfo = OperationInfo::new(
    "settings_get_default_warehouse",
    "GET",
    "/api/2.0/settings/types/default_warehouse_id/names/default",
    true,
);

/// How long the answer to each of them may take.
const LIMIT: Duration = Duration::from_secs(10);

/// The states of a warehouse that is no more.
const GONE: [&str; 2] = ["DELETING", "DELETED"];

/// The id of the warehouse that is meant if none is named, among all that the caller may see.
pub(super) async fn choose(wire: &Wire, mut all: Vec<Candidate>) -> Result<String> {
    all.retain(|warehouse| !GONE.contains(&warehouse.state.as_str()));
    match &all[..] {
        [] => Err(Error::configuration("no warehouse given, and none is visible")
            .with_hint("ask for the permission to use a warehouse, or create one")),
        [one] => Ok(one.id.clone()),
        several => {
            let defaults =
                futures_util::future::join(look_up(wire, &OF_USER), look_up(wire, &OF_WORKSPACE)).await;
            let chosen = of_user(&defaults.0).into_iter().chain(of_workspace(&defaults.1));
            // A default that the caller can't use is none.
            let mut visible = chosen.filter(|id| several.iter().any(|warehouse| warehouse.id == *id));
            visible.next().map(str::to_owned).ok_or_else(|| {
                Error::configuration(format!(
                    "no warehouse given, none is the default, and {} are visible: {}",
                    several.len(),
                    listed(several)
                ))
                .with_hint("set `warehouse_id`")
            })
        }
    }
}

/// The answer in one attempt; null for any failure.
async fn look_up(wire: &Wire, operation: &OperationInfo) -> Value {
    match wire.call(operation).with_retry(RetryPolicy::never()).with_timeout(Some(LIMIT)).send_raw().await {
        Ok(answer) => serde_json::from_slice(&answer.body).unwrap_or_default(),
        Err(error) => {
            tracing::debug!(target: "brickwire", %error, operation = operation.operation_id, "no default warehouse");
            Value::Null
        }
    }
}

fn of_user(answer: &Value) -> Option<&str> {
    answer["warehouse_id"].as_str().filter(|_| answer["type"] == "CUSTOM")
}

fn of_workspace(answer: &Value) -> Option<&str> {
    answer["string_val"]["value"].as_str()
}
