//! The events of a cluster: which ones, in which order, and page after page.
//!
//! A page names the next one twice, by a token and by the whole body of its request. Older clients read the body.

use axum::Json;
use serde_json::{Value, json};

use super::request::clusters;
use crate::{
    call::{Answer, Call, required_text},
    error::ApiError,
    lock::lock,
};

pub(super) async fn list(call: Call) -> Answer {
    let body = call.json()?;
    let id = required_text(&body, "cluster_id")?;
    let mut events = lock(&clusters(&call)).events(id, call.now_ms())?;
    if body.get("order").and_then(Value::as_str) != Some("ASC") {
        events.reverse();
    }
    let number = |name: &str| body.get(name).and_then(Value::as_u64);
    let kinds = body.get("event_types").and_then(Value::as_array).filter(|kinds| !kinds.is_empty());
    events.retain(|event| {
        let time = event["timestamp"].as_u64().unwrap_or_default();
        kinds.is_none_or(|kinds| kinds.contains(&event["type"]))
            && number("start_time").is_none_or(|start| time >= start)
            && number("end_time").is_none_or(|end| time <= end)
    });
    let place = |name: &str| number(name).and_then(|n| usize::try_from(n).ok());
    let size = place("page_size").or(place("limit")).filter(|size| *size > 0).unwrap_or(50);
    if size > 500 {
        return Err(ApiError::invalid(format!("page_size must be at most 500, got {size}")));
    }
    let token = body.get("page_token").and_then(Value::as_str).filter(|token| !token.is_empty());
    let offset = match token {
        Some(token) => token.parse().map_err(|_| ApiError::invalid("Invalid page token"))?,
        None => place("offset").unwrap_or(0),
    };
    let total = events.len();
    let page: Vec<Value> = events.into_iter().skip(offset).take(size).collect();
    let mut answer = json!({ "events": page, "total_count": total });
    let end = offset.saturating_add(size);
    if end < total {
        let mut next = body.clone();
        next.remove("page_token");
        next.remove("page_size");
        next.insert("offset".to_owned(), json!(end));
        next.insert("limit".to_owned(), json!(size));
        answer["next_page"] = Value::Object(next);
        answer["next_page_token"] = json!(end.to_string());
    }
    Ok(Json(answer))
}
