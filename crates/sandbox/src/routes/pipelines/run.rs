//! What an update does: the statements of its SQL files, one after the other.

use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use serde_json::Value;
use tokio::task::AbortHandle;

use super::seed;
use crate::{
    call::Call,
    engine::{EngineError, Query, datasets},
    lock::lock,
    routes::jobs::source,
    tenant::USER_NAME,
};

/// What became of an update, once it is known.
pub(super) type Outcome = Arc<Mutex<Option<Result<(), Failure>>>>;

/// Why an update failed.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// The statement that failed, if it was one.
    pub(super) statement: String,
    pub(super) message: String,
}

/// Starts what an update does.
pub(super) fn spawn(call: &Call, spec: Value, outcome: Outcome) -> AbortHandle {
    let call = call.clone();
    let task = tokio::spawn(async move {
        let done = work(&call, &spec).await;
        *lock(&outcome) = Some(done);
    });
    task.abort_handle()
}

async fn work(call: &Call, spec: &Value) -> Result<(), Failure> {
    let text = |name: &str| spec[name].as_str().filter(|text| !text.is_empty());
    let session = call.tenant.engine().session();
    for library in spec["libraries"].as_array().into_iter().flatten() {
        let Some(path) = library["file"]["path"].as_str().filter(|path| path.ends_with(".sql")) else {
            continue;
        };
        let content = match seed::file(path) {
            Some(content) => content.to_owned(),
            None => {
                source::file(call, path).map_err(|message| Failure { statement: String::new(), message })?
            }
        };
        let failed = |statement: &str, error: EngineError| Failure {
            statement: statement.to_owned(),
            message: error.message,
        };
        for statement in datasets(&content).map_err(|error| failed("", error))? {
            let query = Query {
                sql: &statement,
                catalog: text("catalog"),
                schema: text("schema").or(text("target")),
                user: USER_NAME,
                ..Query::default()
            };
            let mut stream = session.query(query).await.map_err(|error| failed(&statement, error))?;
            while let Some(batch) = stream.batches.next().await {
                batch.map_err(|error| failed(&statement, error))?;
            }
        }
    }
    Ok(())
}
