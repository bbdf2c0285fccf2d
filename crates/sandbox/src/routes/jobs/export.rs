//! The code and the result of a notebook task as an HTML page.

use axum::Json;
use serde_json::{Value, json};

use super::{
    request::{jobs, queried_id},
    settings::text,
    source,
};
use crate::{
    call::{Answer, Call},
    error::ApiError,
    lock::lock,
};

pub(super) async fn export(call: Call) -> Answer {
    let id = queried_id(&call, "run_id")?;
    let run = jobs(&call).run_of(id)?;
    let (task, output) = {
        let progress = lock(&run.progress);
        let found = match (run.id == id, &progress.tasks[..]) {
            (false, _) => progress.task_run(id),
            (true, [only]) => Some(only),
            (true, _) => None,
        };
        let found = found.ok_or_else(|| {
            ApiError::invalid("Only runs of one task are exported. Export the run of a single task instead.")
        })?;
        (found.task.clone(), found.output.clone())
    };
    let path = text(&task["notebook_task"], "notebook_path");
    if path.is_empty() {
        return Err(ApiError::invalid("Only runs of notebook tasks are exported."));
    }
    let views = match call.query("views_to_export").unwrap_or("CODE") {
        "CODE" | "ALL" | "" => {
            let code = source::notebook(&call, path).map_err(ApiError::invalid)?;
            vec![json!({ "name": path, "type": "NOTEBOOK", "content": page(path, &code, &output) })]
        }
        // No notebook has dashboards here.
        "DASHBOARDS" => vec![],
        other => return Err(ApiError::invalid(format!("Unknown value of views_to_export: {other}"))),
    };
    Ok(Json(json!({ "views": views })))
}

fn page(path: &str, code: &[String], output: &Value) -> String {
    let cells = code.iter().map(|cell| format!("<pre>{}</pre>\n", escaped(cell.trim())));
    let result = text(&output["notebook_output"], "result");
    let told = if result.is_empty() { text(output, "error") } else { result };
    format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>{title}</title></head><body>\n{cells}<p>{told}</p>\n\
         </body></html>\n",
        title = escaped(path),
        cells = cells.collect::<String>(),
        told = escaped(told),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
