//! The request that submits a statement. Its answer takes seconds and alone tells the statement's id: so it is seen
//! out when nobody waits for it any more, and what it names is cancelled. Nothing is sent again by then.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use brickwire_client::types;
use tokio::sync::oneshot;

use super::{
    execution::{cancel, is_over, tell},
    wire::{self, StatementAnswer},
};
use crate::{Error, ErrorKind, Result, Workspace, transport::ABANDONED};

/// A submission under way.
pub(super) struct Submission {
    workspace: Workspace,
    abandoned: Arc<AtomicBool>,
    answer: oneshot::Receiver<Result<StatementAnswer>>,
}

impl Submission {
    /// Sends it.
    pub(super) fn new(workspace: &Workspace, request: types::ExecuteStatementRequest, lz4: bool) -> Self {
        let (give, answer) = oneshot::channel();
        let abandoned = Arc::new(AtomicBool::new(false));
        let own = workspace.clone();
        workspace.in_background(ABANDONED.scope(abandoned.clone(), async move {
            let answer = wire::execute(&own, &request, lz4).await;
            if let Err(unheard) = give.send(answer) {
                see_out(&own, unheard).await;
            }
        }));
        Self { workspace: workspace.clone(), abandoned, answer }
    }

    /// Waits for its answer.
    pub(super) async fn answer(&mut self) -> Result<StatementAnswer> {
        (&mut self.answer)
            .await
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Local, "the program is ending")))
    }
}

impl Drop for Submission {
    fn drop(&mut self) {
        self.abandoned.store(true, Ordering::SeqCst);
        self.answer.close();
        if let Ok(unheard) = self.answer.try_recv() {
            let workspace = self.workspace.clone();
            self.workspace.in_background(async move { see_out(&workspace, unheard).await });
        }
    }
}

async fn see_out(workspace: &Workspace, answer: Result<StatementAnswer>) {
    // A failure is of no interest to anybody any more.
    if let Ok(answer) = answer
        && !is_over(&answer)
        && let Some(id) = answer.statement_id
    {
        tell(workspace, &id);
        ABANDONED.scope(Arc::default(), cancel(workspace, &id)).await;
    }
}
