//! What the handlers of jobs and of runs read and answer alike.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{settings, state::Jobs};
use crate::{call::Call, error::ApiError};

pub(super) fn jobs(call: &Call) -> Arc<Jobs> {
    call.tenant.state()
}

/// A required id of a JSON body.
pub(super) fn required_id(body: &Map<String, Value>, name: &str) -> Result<i64, ApiError> {
    settings::id(body.get(name)).ok_or_else(|| ApiError::invalid(format!("Missing required field: {name}")))
}

/// A required id of the query.
pub(super) fn queried_id(call: &Call, name: &str) -> Result<i64, ApiError> {
    let text = call.required_query(name)?;
    text.parse().map_err(|_| ApiError::invalid(format!("{name} is not a number: {text}")))
}

/// A page of a list; what is empty is left out.
pub(super) fn listed(name: &str, page: Vec<Value>, next: Option<String>) -> Value {
    let mut answer = json!({ "has_more": next.is_some() });
    if !page.is_empty() {
        answer[name] = Value::Array(page);
    }
    if let Some(next) = next {
        answer["next_page_token"] = json!(next);
    }
    answer
}
