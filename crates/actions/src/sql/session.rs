//! An SQL session, which keeps temporary views, variables and settings from one statement to the next.
//!
//! Its operations are not in the published reference. The official drivers use them, but a service may refuse them; then
//! nothing has been run.

use brickwire_client::types;

use super::{Defaults, Sql, Statement};
use crate::{
    Error, ErrorKind, Result,
    background::{CancelOnDrop, Canceled},
    document::nameless,
};

/// An SQL session on a warehouse. It is closed when it is dropped.
#[derive(Debug)]
pub struct SqlSession {
    sql: Sql,
    id: String,
    guard: CancelOnDrop,
}

impl Sql {
    /// Opens a session that starts with a default catalog and schema.
    ///
    /// ```no_run
    /// # async fn example(sql: brickwire_actions::Sql) -> brickwire_actions::Result<()> {
    /// let session = sql.open_session(&Default::default()).await?;
    /// sql.statement("CREATE TEMP VIEW v AS SELECT 1 AS n").in_session(&session).execute().await?;
    /// sql.statement("SELECT n FROM v").in_session(&session).execute().await?;
    /// session.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Local`] if the service has no sessions or refuses them. Operation: `statements_create_session`.
    pub async fn open_session(&self, defaults: &Defaults) -> Result<SqlSession> {
        let request = types::CreateSqlSessionRequest {
            catalog: defaults.catalog().map(str::to_owned),
            schema: defaults.schema().map(str::to_owned),
            warehouse_id: self.warehouse_id.clone(),
            ..Default::default()
        };
        let deadline = tokio::time::Instant::now() + OPENING;
        let sql = self.clone();
        let opening = self.workspace.submit("session", deadline, |opening| async move {
            let opened = opening.client().statements_create_session(&request).await.map_err(refused)?;
            let id = opened.session_id.clone().filter(|id| !id.is_empty());
            let id = id.ok_or_else(|| nameless("session", "statements_create_session"))?;
            let (session, warehouse) = (id.clone(), sql.warehouse_id.clone());
            let guard = sql.workspace.cancel_on_drop("session", &id, |workspace| async move {
                workspace.client().statements_delete_session(&session, &warehouse).await?;
                Ok(std::future::ready(Canceled::Ended("closed".to_owned())))
            });
            Ok(SqlSession { sql, id, guard })
        });
        opening.await
    }
}

/// How long opening may take: a stopped warehouse is started.
const OPENING: std::time::Duration = std::time::Duration::from_secs(15 * 60);

/// A refusal of the operation itself, after which nothing was run.
fn refused(error: Error) -> Error {
    let reason = error.to_string();
    match error.status() {
        Some(403 | 404 | 501) => error
            .with_kind(ErrorKind::Local)
            .with_message(format!("cannot open an SQL session, and nothing was run: {reason}"))
            .with_hint("leave `session` unset, or run the script in a context with `Commands::run`"),
        _ => error,
    }
}

impl SqlSession {
    /// The session's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Closes the session.
    ///
    /// # Errors
    /// If the service doesn't answer; the service ends an unused session after a time. Operation:
    /// `statements_delete_session`.
    pub async fn close(mut self) -> Result<()> {
        let client = self.sql.workspace.client();
        let closed = client.statements_delete_session(&self.id, &self.sql.warehouse_id).await;
        self.guard.disarm();
        closed.map(drop)
    }
}

impl Statement {
    /// Runs the statement in a session. A default catalog and schema are those of the session.
    pub fn in_session(self, session: &SqlSession) -> Self {
        self.with_session_id(session.id())
    }
}
