//! Starting and stopping resources, and waiting until that is done.

use std::time::{Duration, Instant};

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
    let since = Instant::now();
    let is_already = asked.await? == Change::Already;
    let answer = if waiting.no_wait { now.await? } else { done.await? };
    // This ends the progress line, so not before the wait.
    let is_brief = context.output().is_brief();
    if is_already && !is_brief {
        context.note(&format!("{already} already"));
    }
    let took = if waiting.no_wait { Duration::ZERO } else { since.elapsed() };
    if context.output().is_agent() {
        return agent(context, answer.raw(), is_already, since.elapsed());
    }
    print(context, answer.raw(), is_already, took)
}

/// Prints a resource that a state was waited for since then. On a terminal, the result is one line.
pub(crate) fn waited(context: &Context, raw: &[u8], since: Instant) -> Result {
    if context.output().is_agent() {
        return agent(context, raw, true, since.elapsed());
    }
    print(context, raw, false, since.elapsed())
}

/// What an agent needs of a resource that was changed, on one line.
fn agent(context: &Context, raw: &[u8], is_already: bool, took: Duration) -> Result {
    let resource: Value = serde_json::from_slice(raw).unwrap_or_default();
    let first = |names: [&str; 2]| {
        names.iter().map(|name| &resource[*name]).find(|value| value.is_string()).cloned().unwrap_or_default()
    };
    let line = format!(
        "{{\"id\":{},\"name\":{},\"state\":{},\"changed\":{},\"elapsed_s\":{:.1}}}\n",
        first(["cluster_id", "id"]),
        first(["cluster_name", "name"]),
        resource["state"],
        !is_already,
        took.as_secs_f64(),
    );
    Ok(context.output().text(&line)?)
}

fn print(context: &Context, raw: &[u8], is_already: bool, took: Duration) -> Result {
    let output = context.output();
    match brief(raw, is_already, took).filter(|_| output.is_brief()) {
        Some(line) => Ok(output.text(&format!("{line}\n"))?),
        None => context.record(raw),
    }
}

/// A resource and its state on one line: a change is asked for to get a state, and `get` shows all there is.
fn brief(raw: &[u8], is_already: bool, took: Duration) -> Option<String> {
    let resource: Value = serde_json::from_slice(raw).ok()?;
    let text = |name: &str| resource[name].as_str().filter(|text| !text.is_empty());
    let (id, name) = match text("cluster_id") {
        Some(id) => (id, text("cluster_name")),
        None => (text("id")?, text("name")),
    };
    let shown = name.map_or_else(|| id.to_owned(), |name| format!("{name} ({id})"));
    let state = text("state")?;
    let line = match took.as_secs() {
        // Without a wait, it was there before.
        0 if is_already => format!("{shown} was already {state}"),
        0 => format!("{shown} is {state}"),
        seconds @ 1..60 => format!("{shown} is {state} after {seconds} s"),
        seconds => {
            let time = humantime::format_duration(Duration::from_secs(seconds));
            format!("{shown} is {state} after {time}")
        }
    };
    Some(escaped_line(&line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_one_line() {
        let cluster = br#"{"cluster_id":"1","cluster_name":"etl\nx","state":"RUNNING"}"#;
        for (raw, is_already, seconds, line) in [
            (&cluster[..], false, 6, "etl\\nx (1) is RUNNING after 6 s"),
            (cluster, false, 125, "etl\\nx (1) is RUNNING after 2m 5s"),
            (cluster, true, 0, "etl\\nx (1) was already RUNNING"),
            // It was already starting.
            (cluster, true, 3, "etl\\nx (1) is RUNNING after 3 s"),
            (br#"{"id":"2","state":"STOPPED"}"#, false, 0, "2 is STOPPED"),
        ] {
            let shown = brief(raw, is_already, Duration::from_secs(seconds));
            assert_eq!(shown.as_deref(), Some(line));
        }
        assert_eq!(brief(br#"{"id":"2"}"#, false, Duration::ZERO), None);
    }
}
