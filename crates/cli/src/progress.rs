//! What stands on stderr while a command runs: retries always, changes of state unless it is to be quiet, the log.

use std::io::{self, Write};

use brickwire_actions::{Event, Events};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::args::Global;

/// Shows events as lines.
pub(crate) fn events(global: &Global) -> Events {
    let quiet = global.quiet;
    Events::new(move |event| {
        if let Some(line) = line(event).filter(|_| !quiet) {
            // Nobody may be reading stderr; that is no reason to fail.
            let _ = writeln!(io::stderr(), "{line}");
        }
    })
}

fn line(event: &Event) -> Option<String> {
    match event {
        Event::Retrying { operation, attempts, reason, after } => Some(format!(
            "{operation}: attempt {attempts} failed ({reason}); again in {:.1} s",
            after.as_secs_f64()
        )),
        // A short statement or command has no story to tell.
        Event::StateChanged { what: "statement" | "command" | "context", .. } => None,
        Event::StateChanged { what, id, state, message } => {
            let message = message.as_deref().map(|m| format!(": {m}")).unwrap_or_default();
            Some(format!("{what} {id} is {state}{message}"))
        }
        Event::Cancelling { what, id } => Some(format!("cancelling {what} {id}")),
        _ => None,
    }
}

/// Sends the log to stderr, as far as it was asked for.
pub(crate) fn log(global: &Global) {
    use tracing::Level;
    let level = match global.verbose {
        0 => Level::WARN,
        _ => Level::DEBUG,
    };
    let wire = if global.debug || global.verbose > 1 { Level::DEBUG } else { Level::WARN };
    let targets = Targets::new().with_target("brickwire", level).with_target("brickwire::debug", wire);
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).without_time().with_ansi(false);
    tracing_subscriber::registry().with(layer.with_filter(targets)).init();
}
