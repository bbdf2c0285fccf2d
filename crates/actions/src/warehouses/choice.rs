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

use std::{fmt, time::Duration};

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

/// A warehouse that is used because none is named.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefaultWarehouse {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Why this one.
    pub reason: DefaultReason,
}

/// Why a warehouse is the default. As text it completes a sentence: "the only one that you can see".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DefaultReason {
    /// It is the only one that the caller may see.
    Only,
    /// The user has chosen it.
    OfUser,
    /// The workspace's administrators have chosen it.
    OfWorkspace,
}

impl fmt::Display for DefaultReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Only => "the only one that you can see",
            Self::OfUser => "your default",
            Self::OfWorkspace => "the default of the workspace",
        })
    }
}

/// The warehouse that is meant if none is named, among all that the caller may see.
pub(super) async fn choose(wire: &Wire, mut all: Vec<Candidate>) -> Result<DefaultWarehouse> {
    all.retain(|warehouse| !GONE.contains(&warehouse.state.as_str()));
    let found = |warehouse: &Candidate, reason| DefaultWarehouse {
        id: warehouse.id.clone(),
        name: warehouse.name.clone(),
        reason,
    };
    match &all[..] {
        [] => Err(Error::configuration("no warehouse given, and none is visible")
            .with_hint("ask for the permission to use a warehouse, or create one")),
        [one] => Ok(found(one, DefaultReason::Only)),
        several => {
            let defaults =
                futures_util::future::join(look_up(wire, &OF_USER), look_up(wire, &OF_WORKSPACE)).await;
            let of_user = of_user(&defaults.0).map(|id| (id, DefaultReason::OfUser));
            let of_workspace = of_workspace(&defaults.1).map(|id| (id, DefaultReason::OfWorkspace));
            // A default that the caller can't use is none.
            let visible = |(id, reason)| {
                several.iter().find(|warehouse| warehouse.id == id).map(|warehouse| found(warehouse, reason))
            };
            of_user.into_iter().chain(of_workspace).find_map(visible).ok_or_else(|| {
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
