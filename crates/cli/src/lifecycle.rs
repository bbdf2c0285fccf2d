//! Starting and stopping resources, and waiting until that is done.

use brickwire_actions::{Change, ResponseValue, Result as Answered};

use crate::{context::Context, failure::Result, options::Waiting};

/// Arguments of a command that changes the state of a resource.
#[derive(Debug, clap::Args)]
pub(crate) struct Asked<Which: clap::Args> {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// Requests a change of state with `asked`. Then prints the result of `done`, which waits for the change, or with
/// --no-wait that of `now`. `already` says which state needs no change.
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
