//! What has a life of its own in the workspace: it is started and stopped, and the program waits for that or doesn't.

use brickwire_actions::{Change, ResponseValue, Result as Answered};

use crate::{context::Context, failure::Result, options::Waiting};

/// Asks for a change, waits until it is `done` or looks at what there is `now`, and prints the answer.
pub(crate) async fn change<T>(
    context: &Context,
    waiting: &Waiting,
    already: &str,
    asked: impl Future<Output = Answered<Change>>,
    now: impl Future<Output = Answered<ResponseValue<T>>>,
    done: impl Future<Output = Answered<ResponseValue<T>>>,
) -> Result {
    if asked.await? == Change::Already {
        context.note(&format!("{already} already"));
    }
    let answer = if waiting.no_wait { now.await? } else { done.await? };
    context.record(answer.raw())
}
