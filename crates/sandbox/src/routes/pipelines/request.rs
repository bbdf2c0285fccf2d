//! What the handlers of pipelines, of their settings and of their events read and answer alike.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use super::state::Pipelines;
use crate::call::Call;

pub(super) fn pipelines(call: &Call) -> Arc<Mutex<Pipelines>> {
    call.tenant.state()
}

/// A page of a list; what is empty is left out.
pub(super) fn listed(name: &str, page: Vec<Value>, next: Option<String>) -> Value {
    let mut answer = json!({});
    if !page.is_empty() {
        answer[name] = Value::Array(page);
    }
    if let Some(next) = next {
        answer["next_page_token"] = json!(next);
    }
    answer
}

/// The members of a JSON object.
pub(super) fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(object) = value { object } else { Map::new() }
}
