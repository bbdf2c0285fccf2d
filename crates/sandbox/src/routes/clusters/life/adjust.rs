//! Changes of a part: a new size, some settings, the pin.

use serde_json::{Map, Value, json};

use super::{Clusters, Moment, State};
use crate::{error::ApiError, phase::Phase, tenant::USER_NAME};

/// How many clusters can be pinned.
const MOST_PINNED: usize = 100;

impl Clusters {
    /// Changes the number of workers, or its bounds.
    pub(in super::super) fn resize(
        &mut self,
        id: &str,
        size: &Map<String, Value>,
        at: Moment,
    ) -> Result<(), ApiError> {
        let cluster = self.find(id)?;
        let fixed = size.get("num_workers").filter(|value| !value.is_null());
        let bounds = size.get("autoscale").filter(|value| !value.is_null());
        let workers = match (fixed, bounds) {
            (Some(workers), None) => workers.as_u64(),
            (None, Some(bounds)) => bounds["min_workers"].as_u64(),
            _ => return Err(ApiError::invalid("Exactly one of num_workers and autoscale must be given")),
        };
        let workers = workers.ok_or_else(|| ApiError::invalid("num_workers must be 0 or more"))?;
        if cluster.read(at.now_ms) != State::Running {
            return Err(ApiError::invalid_state("Cluster is not running"));
        }
        let before = json!({ "num_workers": cluster.record.get("num_workers") });
        match bounds {
            Some(bounds) => cluster.set("autoscale", bounds.clone()),
            None => drop(cluster.record.remove("autoscale")),
        }
        cluster.set("num_workers", json!(workers));
        cluster.phase = Phase::passing(State::Resizing, State::Running, at.due_ms());
        let details = json!({ "cause": "USER_REQUEST", "user": USER_NAME, "previous_cluster_size": before,
            "cluster_size": { "num_workers": workers }, "target_num_workers": workers });
        cluster.note("RESIZING", at.now_ms, details);
        Ok(())
    }

    /// The settings of a cluster after an update with a mask.
    pub(in super::super) fn changed(
        &mut self,
        id: &str,
        body: &Map<String, Value>,
    ) -> Result<Map<String, Value>, ApiError> {
        let mut settings = self.find(id)?.settings();
        let new = body.get("cluster").and_then(Value::as_object).cloned().unwrap_or_default();
        let mask = match body.get("update_mask").and_then(Value::as_str) {
            Some("*") => new.keys().cloned().collect::<Vec<_>>(),
            Some(mask) if !mask.is_empty() => mask.split(',').map(str::to_owned).collect(),
            _ => return Err(ApiError::invalid("Missing required field: update_mask")),
        };
        if let Some(unmasked) = new.keys().find(|name| !mask.contains(name)) {
            return Err(ApiError::invalid(format!(
                "The update_mask does not name the given field {unmasked}"
            )));
        }
        for name in mask {
            // Of the two sizes, a cluster has the one that was given last.
            match name.as_str() {
                "num_workers" => settings.remove("autoscale"),
                "autoscale" => settings.remove("num_workers"),
                _ => None,
            };
            match new.get(&name) {
                Some(value) => settings.insert(name, value.clone()),
                None => settings.remove(&name),
            };
        }
        Ok(settings)
    }

    /// Pins or unpins a cluster. A no-op if it is so already.
    pub(in super::super) fn pin(&mut self, id: &str, is_pinned: bool, now_ms: u64) -> Result<(), ApiError> {
        const PINNED: &str = "pinned_by_user_name";
        let pinned = self.0.iter().filter(|cluster| cluster.record.contains_key(PINNED)).count();
        let cluster = self.find(id)?;
        if cluster.record.contains_key(PINNED) == is_pinned {
            return Ok(());
        }
        if is_pinned && pinned >= MOST_PINNED {
            return Err(ApiError::invalid(format!("At most {MOST_PINNED} clusters can be pinned.")));
        }
        match is_pinned {
            true => cluster.set(PINNED, json!(USER_NAME)),
            false => drop(cluster.record.remove(PINNED)),
        }
        cluster.note(if is_pinned { "PINNED" } else { "UNPINNED" }, now_ms, json!({ "user": USER_NAME }));
        Ok(())
    }
}
