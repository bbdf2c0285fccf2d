//! Commands of API 1.2: execute, status, cancel.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use super::contexts::{
    command::{Command, CommandStatus},
    context::Context,
    find, known_language,
};
use crate::{
    call::{Answer, Call, Routes, required_text},
    error::ApiError,
};

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/1.2/commands/execute", post(execute))
        .route("/api/1.2/commands/status", get(status))
        .route("/api/1.2/commands/cancel", post(cancel))
}

async fn execute(call: Call) -> Answer {
    let body = call.json()?;
    let context = find(&call, required_text(&body, "clusterId")?, required_text(&body, "contextId")?)?;
    let language = known_language(required_text(&body, "language")?)?;
    let text = body.get("command").and_then(|command| command.as_str());
    let text = text.ok_or_else(|| ApiError::invalid("Missing required field: command"))?;
    if let Some(why) = context.trouble() {
        return Err(ApiError::invalid(format!("ContextNotReady: context {} is in error: {why}", context.id)));
    }
    let command = context.execute(call.server.hex(32), language, text);
    Ok(Json(json!({ "id": command.id })))
}

fn find_command(context: &Context, id: &str) -> Result<Arc<Command>, ApiError> {
    context.command(id).ok_or_else(|| {
        ApiError::new(StatusCode::NOT_FOUND, "", format!("CommandNotFound: command {id} does not exist"))
    })
}

async fn status(call: Call) -> Answer {
    let context = find(&call, call.required_query("clusterId")?, call.required_query("contextId")?)?;
    let command = find_command(&context, call.required_query("commandId")?)?;
    let (status, results) = command.show();
    let name = match status {
        CommandStatus::Queued => "Queued",
        CommandStatus::Running => "Running",
        CommandStatus::Cancelling => "Cancelling",
        CommandStatus::Finished => "Finished",
        CommandStatus::Cancelled => "Cancelled",
        CommandStatus::Error => "Error",
    };
    Ok(Json(json!({ "id": command.id, "status": name, "results": results })))
}

async fn cancel(call: Call) -> Answer {
    let body = call.json()?;
    let context = find(&call, required_text(&body, "clusterId")?, required_text(&body, "contextId")?)?;
    let command = find_command(&context, required_text(&body, "commandId")?)?;
    command.cancel();
    Ok(Json(json!({ "id": command.id })))
}
