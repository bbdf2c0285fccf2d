//! The loop that runs the calls.

use std::io::{self, IsTerminal};

use brickwire_actions::redact;
use futures_util::{StreamExt, stream::FuturesUnordered};
use rmcp::{
    model::{CallToolResult, ContentBlock, Tool},
    service::{ServerInitializeError, serve_server},
};
use tokio::sync::mpsc;

use super::{
    code::{self, Kept},
    dispatch,
    server::{Call, Server},
    transport::Stdio,
};
use crate::{
    context::Context,
    failure::{Failure, Result},
    report,
};

/// How many calls run at the same time. The others wait.
const MOST_CALLS: usize = 8;

/// Serves these tools until stdin is closed.
pub(super) async fn serve(tools: Vec<Tool>, context: &Context) -> Result {
    if io::stdin().is_terminal() {
        context.note(
            "brick mcp reads messages of the Model Context Protocol; agents start it, see `brick mcp --help`",
        );
    }
    let (give, mut calls) = mpsc::channel(MOST_CALLS);
    let (transport, mut closed) = Stdio::open();
    let kept = Kept::default();
    let mut running = FuturesUnordered::new();
    let service = match serve_server(Server::new(tools, give), transport).await {
        Ok(service) => service,
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(Failure::local(format!("the client did not start the protocol: {error}"))),
    };
    let ended = std::pin::pin!(service.waiting());
    loop {
        tokio::select! {
            _ = &mut closed => break,
            Some(call) = calls.recv(), if running.len() < MOST_CALLS => running.push(answer(call, &kept, context)),
            Some(()) = running.next(), if !running.is_empty() => {}
        }
    }
    // The client has gone: this cancels what runs, and the service then answers what it still can.
    drop(running);
    drop(calls);
    let _ = ended.await;
    code::destroy(kept, context).await;
    context.settle(true).await;
    Ok(())
}

/// Runs a call, unless its caller leaves.
async fn answer(call: Call, kept: &Kept, context: &Context) {
    let Call { name, arguments, mut answer } = call;
    let result = tokio::select! {
        result = dispatch::run(&name, arguments, kept, context) => result,
        () = answer.closed() => return,
    };
    let result = match result {
        Ok(text) => CallToolResult::success(vec![ContentBlock::text(text)]),
        Err(failure) => {
            CallToolResult::error(vec![ContentBlock::text(redact::text(&report::as_json(&failure)))])
        }
    };
    // The caller may have left just now.
    let _ = answer.send(result);
}
