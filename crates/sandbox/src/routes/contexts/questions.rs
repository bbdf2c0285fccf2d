//! What Python code asks the sandbox: the rows behind `spark` and `display`, and secrets.

use std::sync::Arc;

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{python::Host, sql};
use crate::{
    engine::{EngineError, Parameter, Query, SqlEngine, encode::json_in_full},
    routes::secrets::for_code,
    tenant::{Tenant, USER_NAME},
};

/// Answers questions from a workspace and a session of its engine. Trouble is under `error`.
///
/// `sql` has the statement, its `parameters` by name, each with its value and type, and perhaps a `limit`; the answer has
/// columns and rows as text. `table` is the same, and the answer is the result that the service's API has for it.
pub(in crate::routes) fn host(tenant: Arc<Tenant>, session: Arc<dyn SqlEngine>) -> Host {
    Box::new(move |question| {
        let (tenant, session) = (tenant.clone(), session.clone());
        Box::pin(async move {
            let text = question["sql"].as_str().unwrap_or_default();
            match question["ask"].as_str() {
                Some("sql") => {
                    let rows = rows(&*session, text, &question).await;
                    rows.unwrap_or_else(|error| json!({ "error": error.message }))
                }
                Some("table") => {
                    let results = sql::results(&*session, text, parameters(&question)).await;
                    match results["resultType"].as_str() {
                        Some("error") => json!({ "error": results["cause"] }),
                        _ => json!({ "results": results }),
                    }
                }
                _ => for_code::answer(&tenant, &question),
            }
        })
    })
}

fn parameters(question: &Value) -> Vec<Parameter> {
    let given = question["parameters"].as_object().into_iter().flatten();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    given
        .map(|(name, value)| Parameter {
            name: name.clone(),
            value: text(&value[0]),
            type_name: text(&value[1]),
        })
        .collect()
}

async fn rows(session: &dyn SqlEngine, text: &str, question: &Value) -> Result<Value, EngineError> {
    let query = Query { sql: text, user: USER_NAME, parameters: parameters(question), ..Query::default() };
    let limit = question["limit"].as_u64().and_then(|limit| usize::try_from(limit).ok());
    let mut stream = session.query(query).await?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while limit.is_none_or(|limit| rows.len() < limit)
        && let Some(batch) = stream.batches.next().await
    {
        let batch = batch?;
        let room = limit.map_or(usize::MAX, |limit| limit - rows.len());
        let batch = batch.slice(0, batch.num_rows().min(room));
        let cells = json_in_full(&[batch])?;
        bytes += cells.len();
        if bytes > sql::ROW_BYTES {
            return Err(sql::too_large());
        }
        rows.extend(serde_json::from_slice::<Vec<Value>>(&cells).map_err(EngineError::internal)?);
    }
    let columns = stream.columns.iter().map(|one| json!({ "name": one.name, "type": one.type_text }));
    Ok(json!({ "columns": columns.collect::<Vec<_>>(), "rows": rows }))
}
