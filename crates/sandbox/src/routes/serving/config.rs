//! What an endpoint is asked to serve, and what it is shown to serve.

use serde_json::{Map, Value, json};

use crate::{error::ApiError, tenant::USER_NAME};

/// The entities of a configuration.
pub(super) fn entities(config: &Value) -> &[Value] {
    config["served_entities"].as_array().map_or(&[], Vec::as_slice)
}

/// Reads a configuration: names its entities, adds what the service adds, and leaves out what it doesn't return.
pub(super) fn read(config: &Map<String, Value>, now_ms: u64) -> Result<Value, ApiError> {
    let list = |name: &str| config.get(name).and_then(Value::as_array).filter(|list| !list.is_empty());
    let given = match (list("served_entities"), list("served_models")) {
        (Some(entities), _) => entities.clone(),
        (None, Some(models)) => models.iter().map(modern).collect(),
        (None, None) => return Err(ApiError::invalid("At least one served entity must be specified.")),
    };
    let mut entities = Vec::new();
    for entity in given {
        entities.push(entity_of(entity, now_ms)?);
    }
    let names: Vec<&str> = entities.iter().filter_map(|entity| entity["name"].as_str()).collect();
    let routes = match config.get("traffic_config").and_then(|traffic| traffic["routes"].as_array()) {
        Some(routes) => checked(routes, &names)?,
        None if names.len() == 1 => {
            json!([{ "served_model_name": names[0], "served_entity_name": names[0], "traffic_percentage": 100 }])
        }
        None => {
            return Err(ApiError::invalid(
                "The traffic config must be specified for several served entities.",
            ));
        }
    };
    let mut read = json!({ "served_entities": entities, "traffic_config": { "routes": routes } });
    if let Some(capture) = config.get("auto_capture_config") {
        read["auto_capture_config"] = capture.clone();
    }
    Ok(read)
}

/// The older form of an entity in the words of today.
fn modern(model: &Value) -> Value {
    let mut entity = model.clone();
    if let Some(fields) = entity.as_object_mut() {
        for (old, new) in [("model_name", "entity_name"), ("model_version", "entity_version")] {
            if let Some(value) = fields.remove(old) {
                fields.insert(new.to_owned(), value);
            }
        }
    }
    entity
}

fn entity_of(entity: Value, now_ms: u64) -> Result<Value, ApiError> {
    let text = |name: &str| entity[name].as_str().filter(|text| !text.is_empty());
    let model = match (text("entity_name"), entity["external_model"]["name"].as_str()) {
        (Some(name), None) => name,
        (None, Some(name)) => name,
        _ => {
            return Err(ApiError::invalid("A served entity has either an entity_name or an external_model."));
        }
    };
    let short = model.rsplit(['.', '/']).find(|part| !part.is_empty() && *part != "py").unwrap_or(model);
    let name = text("name")
        .map_or_else(|| format!("{short}-{}", text("entity_version").unwrap_or("1")), str::to_owned);
    let mut shown = json!({
        "name": name,
        "creator": USER_NAME,
        "creation_timestamp": now_ms,
        "scale_to_zero_enabled": false,
        "workload_size": "Small",
        "workload_type": "CPU",
    });
    if let (Some(shown), Value::Object(given)) = (shown.as_object_mut(), without_plain_text(entity.clone())) {
        shown.extend(given.into_iter().filter(|(field, _)| field != "name"));
    }
    Ok(shown)
}

/// Keys in plain text are taken and never shown.
fn without_plain_text(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(name, _)| !name.ends_with("_plaintext"));
            kept.map(|(name, value)| (name, without_plain_text(value))).collect()
        }
        other => other,
    }
}

fn checked(routes: &[Value], names: &[&str]) -> Result<Value, ApiError> {
    let mut sum = 0;
    let mut read = Vec::new();
    for route in routes {
        let name = route["served_entity_name"].as_str().or_else(|| route["served_model_name"].as_str());
        let name = name.filter(|name| names.contains(name));
        let (Some(name), Some(percentage)) = (name, route["traffic_percentage"].as_u64()) else {
            return Err(ApiError::invalid(format!("The route doesn't lead to a served entity: {route}")));
        };
        sum += percentage;
        read.push(json!({ "served_model_name": name, "served_entity_name": name, "traffic_percentage": percentage }));
    }
    if sum == 100 {
        Ok(Value::Array(read))
    } else {
        Err(ApiError::invalid("The traffic percentages must sum to 100."))
    }
}
