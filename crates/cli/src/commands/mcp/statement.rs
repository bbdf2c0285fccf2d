//! `statement`: a statement by its ID.

use brickwire_actions::{Preview, PreviewLimits, StatementResult, WaitOptions, Workspace};
use serde::Deserialize;
use serde_json::json;

use super::{call::Time, sql};
use crate::{context::Context, failure::Result};

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    #[default]
    Rows,
    Status,
    Cancel,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    id: String,
    #[serde(default)]
    action: Action,
    #[serde(default)]
    offset: u64,
    max_rows: Option<u64>,
}

pub(super) async fn run(arguments: Arguments, context: &Context) -> Result<String> {
    let limits = sql::limits(arguments.max_rows)?;
    let time = Time::of(None)?;
    let workspace = time.workspace(context).await?.as_read_only();
    let id = &arguments.id;
    match arguments.action {
        Action::Rows => {
            let wait = WaitOptions::default().with_timeout(time.limit).until(time.end());
            let result = workspace.statements().wait(id, wait).await?;
            let (preview, next) = from(result, arguments.offset, limits).await?;
            let next = next.map(|offset| format!("tool statement with id={id} offset={offset}"));
            Ok(time.summary(&preview, id, next.as_deref()))
        }
        Action::Status => status(&workspace, id).await,
        Action::Cancel => {
            workspace.statements().cancel(id).await?;
            Ok(json!({ "statement_id": id, "cancel_requested": true }).to_string())
        }
    }
}

/// The rows from this one on, and the offset of the first one that isn't shown, if there is any.
async fn from(
    mut result: StatementResult,
    offset: u64,
    limits: PreviewLimits,
) -> Result<(Preview, Option<u64>)> {
    let mut preview = Preview::of_columns(result.columns(), limits);
    let mut position = 0;
    let mut is_full = false;
    while let Some(rows) = result.next_rows().await? {
        for row in &rows {
            position += 1;
            if position > offset && !is_full {
                is_full = !preview.push(row.iter().map(|cell| cell.as_str()));
            }
        }
    }
    let end = offset + preview.rows();
    Ok((preview.with_total(position, result.is_truncated()), Some(end).filter(|end| *end < position)))
}

async fn status(workspace: &Workspace, id: &str) -> Result<String> {
    let statement = workspace.statements().get(id).await?;
    let status = statement.status.as_ref();
    let error = status.and_then(|status| status.error.as_ref()).and_then(|error| error.message.as_deref());
    let rows = statement.manifest.as_ref().and_then(|manifest| manifest.total_row_count);
    Ok(json!({
        "statement_id": id,
        "state": status.and_then(|status| status.state.as_ref()).map(|state| state.to_string()),
        "error": error.map(crate::terminal::cut),
        "rows": rows,
    })
    .to_string())
}
