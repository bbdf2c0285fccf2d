//! The sandbox's own paths: its request log, its faults, its clock. They see the caller's workspace only, unless the
//! request says `"scope": "all"`.

use std::time::Duration;

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::statements::disk;
use crate::{
    call::{Answer, Call, Routes, done, required_text},
    clock::{LAST_MS, rfc3339},
    error::ApiError,
    fault::rule::{FaultRule, ParseFaultError},
};

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/__sandbox/requests", get(requests))
        .route("/__sandbox/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/__sandbox/clock", post(advance_clock))
}

async fn requests(call: Call) -> Answer {
    let everybody = call.query("scope") == Some("all");
    let own = Some(&call.tenant.name);
    let requests = call.server.log.those(|request| everybody || request.tenant.as_ref() == own);
    Ok(Json(json!({ "requests": requests })))
}

async fn faults(call: Call) -> Answer {
    let rules = call.server.faults.list();
    let rules: Vec<Value> =
        rules.iter().map(|(rule, played)| json!({ "rule": rule, "played": played })).collect();
    Ok(Json(json!({ "faults": rules })))
}

async fn add_fault(call: Call) -> Answer {
    let body = call.json()?;
    let rule: FaultRule = required_text(&body, "rule")?.parse().map_err(refused)?;
    let everybody = body.get("scope").is_some_and(|scope| scope == "all");
    call.server.faults.add(rule, (!everybody).then(|| call.tenant.name.clone())).map_err(refused)?;
    done()
}

fn refused(error: ParseFaultError) -> ApiError {
    ApiError::invalid(error.to_string())
}

async fn clear_faults(call: Call) -> Answer {
    let everybody = call.query("scope") == Some("all");
    call.server.faults.clear((!everybody).then_some(call.tenant.name.as_str()));
    done()
}

async fn advance_clock(call: Call) -> Answer {
    let body = call.json()?;
    match body.get("advance_ms").and_then(Value::as_u64) {
        Some(milliseconds) => {
            let most = LAST_MS.saturating_sub(call.now_ms());
            if milliseconds > most {
                return Err(ApiError::invalid(format!(
                    "advance_ms must be at most {most}, because the clock ends at {}; got {milliseconds}",
                    rfc3339(LAST_MS),
                )));
            }
            call.server.options.clock.advance(Duration::from_millis(milliseconds));
            disk::sweep(&call.server);
        }
        None if body.is_empty() => {}
        None => {
            return Err(ApiError::invalid("advance_ms must be a non-negative whole number of milliseconds"));
        }
    }
    Ok(Json(json!({ "now_ms": call.now_ms() })))
}
