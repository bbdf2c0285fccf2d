//! Cluster policies, and the families that they can be made from.
//!
//! Chosen without a source that says what the service does: the words of a broken rule, and that a family's definition
//! counts with the overrides put over it rule by rule.

use std::sync::{Arc, Mutex};

use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

mod rules;

use crate::{
    call::{Answer, Call, Routes, done, required_text},
    error::ApiError,
    lock::lock,
    page::page_by,
    tenant::{ServiceState, Tenant, USER_NAME},
};

/// The policy of the cluster that runs: it fixes a tag, and bounds the time without activity.
pub const SHARED_POLICY: &str = "E06216CAA0000360";

/// How many policies a workspace has at most.
const MOST: usize = 1000;

pub(super) fn routes() -> Routes {
    let path = |name: &str| format!("/api/2.0/policies/clusters/{name}");
    Router::new()
        .route(&path("list"), get(list))
        .route(&path("get"), get(get_one))
        .route(&path("create"), post(create))
        .route(&path("edit"), post(edit))
        .route(&path("delete"), post(delete))
        .route("/api/2.0/policy-families", get(families))
}

/// The policies of a workspace, as the service shows them, in the order they were made.
#[derive(Serialize, Deserialize)]
pub(super) struct Policies(Vec<Map<String, Value>>);

impl ServiceState for Mutex<Policies> {
    fn fresh(tenant: &Tenant) -> Self {
        let rules = json!({
            "autotermination_minutes": { "type": "range", "minValue": 10, "maxValue": 120, "defaultValue": 60 },
            "node_type_id": { "type": "allowlist", "values": ["i3.xlarge", "m5d.large"], "defaultValue": "i3.xlarge" },
            "custom_tags.team": { "type": "fixed", "value": "analytics" },
        });
        let shared = json!({
            "policy_id": SHARED_POLICY,
            "name": "Shared Compute",
            "description": "Clusters of the analytics team",
            "definition": rules.to_string(),
            "max_clusters_per_user": 9_007_199_254_740_993_u64,
            "created_at_timestamp": tenant.opened_ms,
            "creator_user_name": USER_NAME,
            "policy_scope": "WORKSPACE",
        });
        let family = &families_known()[0];
        let personal = json!({
            "policy_id": "D06216CAA000035F",
            "name": "Personal Compute",
            "policy_family_id": family["policy_family_id"],
            "definition": family["definition"],
            "created_at_timestamp": tenant.opened_ms,
            "is_default": true,
        });
        let seeds = [personal, shared].into_iter();
        Mutex::new(Policies(seeds.filter_map(|seed| seed.as_object().cloned()).collect()))
    }
}

impl Policies {
    fn at(&self, id: &str) -> Result<usize, ApiError> {
        let at = self.0.iter().position(|policy| policy.get("policy_id").is_some_and(|own| own == id));
        at.ok_or_else(|| ApiError::not_found(format!("Can't find a cluster policy with id: {id}.")))
    }

    /// Checks a policy, which may have a family's rules, and fills in its definition.
    fn checked(
        &self,
        mut policy: Map<String, Value>,
        own: Option<&str>,
    ) -> Result<Map<String, Value>, ApiError> {
        let name = required_text(&policy, "name")?;
        let is_taken = self.0.iter().any(|other| {
            other.get("name").is_some_and(|taken| taken == name)
                && other.get("policy_id").and_then(Value::as_str) != own
        });
        if is_taken {
            return Err(ApiError::invalid(format!("A cluster policy with the name {name} already exists.")));
        }
        let definition = match policy.get("policy_family_id").and_then(Value::as_str) {
            Some(id) => {
                let families = families_known();
                let family = families.iter().find(|family| family["policy_family_id"] == id);
                let family = family.ok_or_else(|| {
                    ApiError::not_found(format!("Can't find a policy family with id: {id}."))
                })?;
                let mut rules = rules::parse(family["definition"].as_str().unwrap_or_default())?;
                if let Some(changes) =
                    policy.get("policy_family_definition_overrides").and_then(Value::as_str)
                {
                    rules.extend(rules::parse(changes)?);
                }
                Value::Object(rules).to_string()
            }
            None => required_text(&policy, "definition")?.to_owned(),
        };
        rules::parse(&definition)?;
        policy.insert("definition".to_owned(), json!(definition));
        Ok(policy)
    }
}

fn policies(call: &Call) -> Arc<Mutex<Policies>> {
    call.tenant.state()
}

/// Applies the policy that a cluster's settings name: its fixed values, its defaults if they are wanted, its bounds.
pub(super) fn apply(call: &Call, spec: &mut Map<String, Value>) -> Result<(), ApiError> {
    let Some(id) = spec.get("policy_id").and_then(Value::as_str).filter(|id| !id.is_empty()) else {
        return Ok(());
    };
    let definition = {
        let policies = policies(call);
        let known = lock(&policies);
        let at = known.at(id).map_err(|error| ApiError::invalid(error.message()))?;
        known.0[at].get("definition").and_then(Value::as_str).unwrap_or("{}").to_owned()
    };
    rules::apply(&rules::parse(&definition)?, spec)
}

async fn list(call: Call) -> Answer {
    let mut all = lock(&policies(&call)).0.clone();
    if call.query("sort_column") == Some("POLICY_NAME") {
        all.sort_by_key(|policy| policy.get("name").and_then(Value::as_str).unwrap_or_default().to_owned());
    }
    if call.query("sort_order").unwrap_or("DESC") == "DESC" {
        all.reverse();
    }
    Ok(Json(if all.is_empty() { json!({}) } else { json!({ "policies": all }) }))
}

async fn get_one(call: Call) -> Answer {
    let policies = policies(&call);
    let known = lock(&policies);
    let at = known.at(call.required_query("policy_id")?)?;
    Ok(Json(Value::Object(known.0[at].clone())))
}

async fn create(call: Call) -> Answer {
    let policies = policies(&call);
    let mut known = lock(&policies);
    if known.0.len() >= MOST {
        return Err(ApiError::invalid(format!("The workspace has {MOST} cluster policies already.")));
    }
    let mut policy = known.checked(call.json()?, None)?;
    let id = call.server.hex(16).to_uppercase();
    policy.insert("policy_id".to_owned(), json!(id));
    policy.insert("created_at_timestamp".to_owned(), json!(call.now_ms()));
    policy.insert("creator_user_name".to_owned(), json!(USER_NAME));
    known.0.push(policy);
    Ok(Json(json!({ "policy_id": id })))
}

async fn edit(call: Call) -> Answer {
    let body = call.json()?;
    let id = required_text(&body, "policy_id")?.to_owned();
    let policies = policies(&call);
    let mut known = lock(&policies);
    let at = known.at(&id)?;
    let mut policy = known.checked(body, Some(&id))?;
    for name in ["created_at_timestamp", "creator_user_name", "is_default"] {
        if let Some(kept) = known.0[at].get(name) {
            policy.insert(name.to_owned(), kept.clone());
        }
    }
    known.0[at] = policy;
    done()
}

async fn delete(call: Call) -> Answer {
    let body = call.json()?;
    let policies = policies(&call);
    let mut known = lock(&policies);
    let at = known.at(required_text(&body, "policy_id")?)?;
    if known.0[at].get("is_default") == Some(&json!(true)) {
        return Err(ApiError::invalid("The default policy cannot be deleted."));
    }
    known.0.remove(at);
    done()
}

fn families_known() -> [Value; 2] {
    let family = |id: &str, name: &str, rules: Value| {
        json!({ "policy_family_id": id, "name": name, "description": format!("Rules of {name}"),
            "definition": rules.to_string() })
    };
    let mode = json!({ "type": "fixed", "value": "SINGLE_USER", "hidden": true });
    let workers = |max: u32| json!({ "type": "range", "maxValue": max, "defaultValue": 1 });
    [
        family(
            "personal-vm",
            "Personal Compute",
            json!({ "data_security_mode": mode, "autotermination_minutes": { "type": "unlimited", "defaultValue": 60 } }),
        ),
        family("power-user", "Power User Compute", json!({ "autoscale.max_workers": workers(10) })),
    ]
}

async fn families(call: Call) -> Answer {
    let (page, next) = page_by(&call, "max_results", families_known().to_vec(), "families", 100)?;
    let mut answer = json!({ "policy_families": page });
    if let Some(next) = next {
        answer["next_page_token"] = json!(next);
    }
    Ok(Json(answer))
}
