//! `brick run`: runs code on a cluster, in an execution context that it creates unless one is given.

mod arguments;
mod cells;
mod lines;
mod notebook;
mod prompt;
mod show;

use std::time::Duration;

use brickwire_actions::{self as actions, WaitOptions};
use serde_json::json;

use crate::{context::Context, failure::Result};
pub(crate) use arguments::Command;
use arguments::ready_cluster;
use cells::Cells;
pub(crate) use show::{check, check_folder, print};

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    if prompt::is_asked(&command, context) {
        return prompt::run(command, context).await;
    }
    // All that can be wrong locally is checked before the first request.
    let text = command.code.read_any("code")?;
    let cells = Cells::read(&command, &text, context)?;
    let language = match &cells {
        Some(cells) => cells.language(),
        None => command.code_language()?,
    };
    let checked = command.options(language.clone(), WaitOptions::default());
    checked.check(if cells.is_some() { None } else { Some(&text) })?;
    context.check_rows()?;
    check_folder(&command.images)?;
    // Finding the cluster, starting it, and the code share the time.
    let limit = match command.timeout {
        Some(timeout) => context.limit(timeout),
        None => WaitOptions::default().with_timeout(Duration::MAX),
    };
    let cluster = ready_cluster(&command, limit, context).await?;
    let options = command.options(language, limit);
    let commands = context.workspace().await?.commands();
    if let Some(cells) = cells {
        return cells.run(&command, &commands, &cluster, &options, context).await;
    }
    if command.detach {
        let actions::Command { cluster_id, context_id, command_id } =
            commands.submit_on_cluster(&cluster, &text, &options).await?;
        let names = json!({ "cluster_id": cluster_id, "context_id": context_id, "command_id": command_id });
        return context.record(names.to_string().as_bytes());
    }
    let run = commands.run(&cluster, &text, &options).await?;
    command.tell_kept(&run.command.context_id, &cluster, context);
    print(run, &command.images, context)
}
