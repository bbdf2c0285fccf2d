//! The workspace's model registry (MLflow): what is in it, and the stages of versions. Nothing can be registered.

use std::sync::{Arc, Mutex};

use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    call::{Answer, Call, Routes, required_text},
    error::ApiError,
    lock::lock,
    page::page_by,
    tenant::{ServiceState, Tenant, USER_NAME},
};

/// A registered model with three versions; the second is in `Production`.
pub const REGISTERED_MODEL: &str = "churn";

const STAGES: [&str; 4] = ["None", "Staging", "Production", "Archived"];
const IN_PAGE: usize = 1000;

pub(super) fn routes() -> Routes {
    let path = |rest: &str| format!("/api/2.0/mlflow/{rest}");
    Router::new()
        .route(&path("registered-models/list"), get(list))
        .route(&path("registered-models/search"), get(list))
        .route(&path("registered-models/get"), get(get_one))
        .route(&path("registered-models/get-latest-versions"), post(latest))
        .route(&path("databricks/registered-models/get"), get(get_with_id))
        .route(&path("databricks/model-versions/transition-stage"), post(transition))
        .route(&path("model-versions/get"), get(get_version))
        .route(&path("model-versions/search"), get(search_versions))
        .route(&path("model-versions/get-download-uri"), get(download_uri))
}

/// Versions, those of each model in their order.
#[derive(Serialize, Deserialize)]
pub(super) struct Registry {
    versions: Vec<Value>,
    opened_ms: u64,
}

impl ServiceState for Mutex<Registry> {
    fn fresh(tenant: &Tenant) -> Self {
        let version = |name: &str, number: u32, stage: &str| {
            json!({
                "name": name,
                "version": number.to_string(),
                "creation_timestamp": tenant.opened_ms,
                "last_updated_timestamp": tenant.opened_ms,
                "user_id": USER_NAME,
                "current_stage": stage,
                "source": format!("dbfs:/databricks/mlflow-registry/{name}/{number}/model"),
                "run_id": format!("{number:032x}"),
                "status": "READY",
                "model_metrics": [],
            })
        };
        let versions = vec![
            version(REGISTERED_MODEL, 1, "Archived"),
            version(REGISTERED_MODEL, 2, "Production"),
            version(REGISTERED_MODEL, 3, "Staging"),
            version("demand forecast", 1, "None"),
        ];
        Mutex::new(Registry { versions, opened_ms: tenant.opened_ms })
    }
}

fn registry(call: &Call) -> Arc<Mutex<Registry>> {
    call.tenant.state()
}

impl Registry {
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.versions.iter().filter_map(|one| one["name"].as_str().map(str::to_owned)).collect();
        names.dedup();
        names
    }

    /// A model with its latest version of each stage.
    fn model(&self, name: &str) -> Result<Value, ApiError> {
        let latest = self.latest(name, &STAGES);
        if latest.is_empty() {
            return Err(ApiError::not_found(format!("RegisteredModel '{name}' does not exist.")));
        }
        Ok(
            json!({ "name": name, "creation_timestamp": self.opened_ms, "last_updated_timestamp": self.opened_ms,
            "user_id": USER_NAME, "latest_versions": latest }),
        )
    }

    fn latest(&self, name: &str, stages: &[&str]) -> Vec<Value> {
        let of_stage = |stage: &&str| {
            self.versions.iter().rev().find(|one| one["name"] == name && one["current_stage"] == *stage)
        };
        stages.iter().filter_map(of_stage).cloned().collect()
    }

    fn version(&mut self, name: &str, number: &str) -> Result<&mut Value, ApiError> {
        let found = self.versions.iter_mut().find(|one| one["name"] == name && one["version"] == number);
        found.ok_or_else(|| {
            ApiError::not_found(format!("ModelVersion '{number}' of '{name}' does not exist."))
        })
    }
}

/// The value of a filter of one comparison, such as `name='x'`, and whether it is a pattern.
pub(super) fn compared<'a>(filter: &'a str, attribute: &str) -> Result<(&'a str, bool), ApiError> {
    let refused =
        || ApiError::invalid(format!("Invalid filter, or one that the sandbox doesn't support: {filter}"));
    let rest = filter.trim().strip_prefix(attribute).ok_or_else(refused)?.trim_start();
    let upper = rest.to_ascii_uppercase();
    let (value, is_pattern) =
        match (rest.strip_prefix('='), upper.starts_with("LIKE") || upper.starts_with("ILIKE")) {
            (Some(value), _) => (value, false),
            (None, true) => (&rest[upper.find("LIKE").unwrap_or_default() + 4..], true),
            (None, false) => return Err(refused()),
        };
    let value = value.trim();
    let quoted = ['\'', '"'].into_iter().find_map(|mark| value.strip_prefix(mark)?.strip_suffix(mark));
    Ok((quoted.ok_or_else(refused)?, is_pattern))
}

pub(super) fn fits(name: &str, (value, is_pattern): (&str, bool)) -> bool {
    if !is_pattern {
        return name == value;
    }
    let (name, value) = (name.to_lowercase(), value.to_lowercase());
    let inner = value.trim_matches('%');
    match (value.starts_with('%'), value.ends_with('%')) {
        (true, true) => name.contains(inner),
        (true, false) => name.ends_with(inner),
        (false, true) => name.starts_with(inner),
        (false, false) => name == value,
    }
}

fn listed(call: &Call, key: &str, all: Vec<Value>, filter: &str) -> Answer {
    let (page, next) = page_by(call, "max_results", all, filter, IN_PAGE)?;
    let mut answer = Map::new();
    if !page.is_empty() {
        answer.insert(key.to_owned(), Value::Array(page));
    }
    if let Some(next) = next {
        answer.insert("next_page_token".to_owned(), json!(next));
    }
    Ok(Json(Value::Object(answer)))
}

async fn list(call: Call) -> Answer {
    let filter = call.query("filter").unwrap_or_default().to_owned();
    let wanted = if filter.is_empty() { None } else { Some(compared(&filter, "name")?) };
    let all: Vec<Value> = {
        let registry = registry(&call);
        let registry = lock(&registry);
        let named =
            registry.names().into_iter().filter(|name| wanted.is_none_or(|wanted| fits(name, wanted)));
        named.map(|name| registry.model(&name)).collect::<Result<_, _>>()?
    };
    listed(&call, "registered_models", all, &filter)
}

async fn get_one(call: Call) -> Answer {
    let model = lock(&registry(&call)).model(call.required_query("name")?)?;
    Ok(Json(json!({ "registered_model": model })))
}

async fn get_with_id(call: Call) -> Answer {
    let registry = registry(&call);
    let registry = lock(&registry);
    let name = call.required_query("name")?;
    let mut model = registry.model(name)?;
    let place = registry.names().iter().position(|known| known == name).unwrap_or_default();
    model["id"] = json!(format!("{:032x}", 0x5e1d_0000 + place));
    model["permission_level"] = json!("CAN_MANAGE");
    Ok(Json(json!({ "registered_model_databricks": model })))
}

async fn latest(call: Call) -> Answer {
    let body = call.json()?;
    let name = required_text(&body, "name")?;
    let stages = body.get("stages").and_then(Value::as_array).cloned().unwrap_or_default();
    let stages: Vec<&str> = stages.iter().filter_map(Value::as_str).collect();
    stages.iter().try_for_each(|stage| known(stage))?;
    let registry = registry(&call);
    let registry = lock(&registry);
    registry.model(name)?;
    let versions = registry.latest(name, if stages.is_empty() { &STAGES } else { &stages });
    Ok(Json(if versions.is_empty() { json!({}) } else { json!({ "model_versions": versions }) }))
}

fn known(stage: &str) -> Result<(), ApiError> {
    if STAGES.contains(&stage) {
        return Ok(());
    }
    let text = format!("Invalid Model Version stage: {stage}. Value must be one of {}.", STAGES.join(", "));
    Err(ApiError::invalid(text))
}

async fn transition(call: Call) -> Answer {
    let body = call.json()?;
    let (name, number) = (required_text(&body, "name")?, required_text(&body, "version")?);
    let stage = required_text(&body, "stage")?;
    known(stage)?;
    let Some(archives) = body.get("archive_existing_versions").and_then(Value::as_bool) else {
        return Err(ApiError::invalid("Missing required field: archive_existing_versions"));
    };
    let registry = registry(&call);
    let mut registry = lock(&registry);
    registry.version(name, number)?;
    for version in registry.versions.iter_mut().filter(|one| one["name"] == name) {
        if version["version"] == number {
            version["current_stage"] = json!(stage);
            version["last_updated_timestamp"] = json!(call.now_ms());
        } else if archives && version["current_stage"] == stage {
            version["current_stage"] = json!("Archived");
        }
    }
    let mut moved = registry.version(name, number)?.clone();
    moved["permission_level"] = json!("CAN_MANAGE");
    Ok(Json(json!({ "model_version_databricks": moved })))
}

async fn get_version(call: Call) -> Answer {
    let registry = registry(&call);
    let mut registry = lock(&registry);
    let version = registry.version(call.required_query("name")?, call.required_query("version")?)?;
    Ok(Json(json!({ "model_version": version })))
}

async fn search_versions(call: Call) -> Answer {
    let filter = call.query("filter").unwrap_or_default().to_owned();
    let (attribute, wanted) = match filter.trim_start().starts_with("run_id") {
        true => ("run_id", Some(compared(&filter, "run_id")?)),
        false if filter.is_empty() => ("name", None),
        false => ("name", Some(compared(&filter, "name")?)),
    };
    let fits =
        |one: &&Value| wanted.is_none_or(|wanted| fits(one[attribute].as_str().unwrap_or_default(), wanted));
    let all = lock(&registry(&call)).versions.iter().filter(fits).cloned().collect();
    listed(&call, "model_versions", all, &filter)
}

async fn download_uri(call: Call) -> Answer {
    let registry = registry(&call);
    let mut registry = lock(&registry);
    let version = registry.version(call.required_query("name")?, call.required_query("version")?)?;
    Ok(Json(json!({ "artifact_uri": version["source"] })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_names_or_describes() {
        let fits = |filter: &str| compared(filter, "name").map(|wanted| fits("churn", wanted));
        for filter in
            ["name='churn'", "name = \"churn\"", "name LIKE 'ch%'", "name ilike '%UR%'", "name LIKE '%rn'"]
        {
            assert!(fits(filter).unwrap(), "{filter}");
        }
        for filter in ["name='chur'", "name LIKE 'rn%'"] {
            assert!(!fits(filter).unwrap(), "{filter}");
        }
        for filter in ["", "name", "name=churn", "name > 'a'", "tags.a = 'b'"] {
            assert!(fits(filter).is_err(), "{filter}");
        }
    }
}
