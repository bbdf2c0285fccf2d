//! The request that submits a statement. Its answer takes seconds and alone tells the statement's id: so it is seen
//! out when nobody waits for it any more, and what it names is cancelled. Nothing is sent again by then.

use brickwire_client::types;
use brickwire_wire::CancellationToken;
use tokio::sync::oneshot;

use super::{
    execution::{cancel, is_over, tell},
    wire::{self, StatementAnswer},
};
use crate::{Error, ErrorKind, Result, Workspace};

/// A submission under way.
pub(super) struct Submission {
    workspace: Workspace,
    cancel: CancellationToken,
    answer: oneshot::Receiver<Result<StatementAnswer>>,
}

impl Submission {
    /// Sends it.
    pub(super) fn new(workspace: &Workspace, request: types::ExecuteStatementRequest, lz4: bool) -> Self {
        let (give, answer) = oneshot::channel();
        let cancel = CancellationToken::new();
        let (own, cancelable) = (workspace.clone(), workspace.with_cancel(cancel.clone()));
        workspace.in_background(async move {
            let answer = wire::execute(&cancelable, &request, lz4).await;
            if let Err(unheard) = give.send(answer) {
                see_out(&own, unheard).await;
            }
        });
        Self { workspace: workspace.clone(), cancel, answer }
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
        self.cancel.cancel();
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
        cancel(workspace, &id).await;
    }
}
