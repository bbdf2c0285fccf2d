//! Starting and stopping resources, and waiting until that is done.

use brickwire_actions::{Change, ResponseValue, Result as Answered};

use serde_json::Value;

use crate::{context::Context, failure::Result, options::Waiting, terminal::escaped_line};

/// Arguments of a command that changes the state of a resource.
#[derive(Debug, clap::Args)]
pub(crate) struct Asked<Which: clap::Args> {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// Requests a change of state with `asked`. Then prints the result of `done`, which waits for the change, or with
/// --no-wait that of `now`. `already` says which state needs no change. On a terminal, the result is one line.
pub(crate) async fn change<T>(
    context: &Context,
    waiting: &Waiting,
    already: &str,
    asked: impl Future<Output = Answered<Change>>,
    now: impl Future<Output = Answered<ResponseValue<T>>>,
    done: impl Future<Output = Answered<ResponseValue<T>>>,
) -> Result {
    let is_already = asked.await? == Change::Already;
    let answer = if waiting.no_wait { now.await? } else { done.await? };
    // This ends the progress line, so not before the wait.
    let output = context.output();
    if is_already && !output.is_brief() {
        context.note(&format!("{already} already"));
    }
    match brief(answer.raw()).filter(|_| output.is_brief()) {
        Some(line) if is_already => Ok(output.text(&format!("{line}; no change was needed\n"))?),
        Some(line) => Ok(output.text(&format!("{line}\n"))?),
        None => context.record(answer.raw()),
    }
}

/// A resource and its state on one line: a change is asked for to get a state, and `get` shows all there is.
fn brief(raw: &[u8]) -> Option<String> {
    let resource: Value = serde_json::from_slice(raw).ok()?;
    let text = |name: &str| resource[name].as_str();
    let (what, id, name) = match text("cluster_id") {
        Some(id) => ("cluster", id, text("cluster_name")),
        None => ("warehouse", text("id")?, text("name")),
    };
    let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
    Some(escaped_line(&format!("{what} {id}{name} is {}", text("state")?)).into_owned())
}
