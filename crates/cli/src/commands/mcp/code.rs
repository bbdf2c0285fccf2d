//! `run_code`: code on a cluster.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use brickwire_actions::{
    Commands, DEFAULT_LANGUAGE, ErrorKind, ExecutionContext, IfTerminated, Preview, PreviewLimits,
    RunOptions, RunOutput, WaitOptions, types::CommandLanguage,
};
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::Value;

use super::call::Time;
use crate::{
    commands::clusters,
    context::Context,
    failure::{Failure, Result},
    terminal,
};

/// The value of `context` that keeps a new one.
const NEW: &str = "new";

/// The most bytes of output, and of a traceback.
const OUTPUT: usize = 8000;
const TRACEBACK: usize = 4000;

/// How long it may take to destroy contexts.
const DESTROYING: Duration = Duration::from_secs(4);

/// Contexts that live until the server ends.
pub(super) type Kept = RefCell<Vec<ExecutionContext>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Code {
    code: String,
    cluster: Option<String>,
    language: Option<String>,
    context: Option<String>,
    timeout_s: Option<u64>,
}

pub(super) async fn run(code: Code, kept: &Kept, context: &Context) -> Result<String> {
    let time = Time::of(code.timeout_s)?;
    let language = match code.language.as_deref() {
        None | Some("python") => CommandLanguage::Python,
        Some("sql") => CommandLanguage::Sql,
        Some("scala") => CommandLanguage::Scala,
        Some("r") => CommandLanguage::R,
        Some(other) => return Err(Failure::usage(format!("unknown language: {other}"))),
    };
    Commands::check(&language, &code.code)?;
    let workspace = time.workspace(context).await?;
    let wait = WaitOptions::default().with_timeout(time.limit).until(time.end());
    let cluster = match &code.cluster {
        Some(id_or_name) => workspace.clusters().find(id_or_name).await?,
        None => clusters::find(None, context).await?,
    };
    let running = workspace.clusters().ensure_running(&cluster, IfTerminated::Fail, wait).await;
    running.map_err(|error| match error.kind() {
        ErrorKind::Configuration => {
            Failure::from(error).with_hint("start it with the tool compute, if it is there")
        }
        _ => error.into(),
    })?;
    let is_kept = code.context.as_deref() == Some(NEW);
    let options = RunOptions::default().with_language(language).with_wait(wait).with_kept_context(is_kept);
    let options = match code.context {
        Some(id) if !is_kept => options.with_context(id),
        _ => options,
    };
    let run = workspace.commands().run(&cluster, &code.code, &options).await?;
    let id = run.command.context_id.clone();
    if is_kept {
        kept.borrow_mut().push(ExecutionContext {
            cluster_id: cluster.clone(),
            id: id.clone(),
            language: DEFAULT_LANGUAGE,
        });
    }
    let mut text = shown(run.output)?;
    if is_kept {
        text.push_str(&format!("# context={id} cluster={cluster}\n"));
    }
    Ok(text)
}

/// Destroys contexts that calls have kept.
pub(super) async fn destroy(kept: Kept, context: &Context) {
    let contexts = kept.into_inner();
    if let (false, Ok(workspace)) = (contexts.is_empty(), context.workspace().await) {
        let commands = workspace.with_deadline(Instant::now() + DESTROYING).commands();
        for (context, destroyed) in
            contexts.iter().zip(join_all(contexts.iter().map(|one| commands.destroy_context(one))).await)
        {
            if let Err(error) = destroyed {
                terminal::tell(&format!("warning: context {} was not destroyed: {error}", context.id));
            }
        }
    }
}

/// The output as text, cut if it is long.
fn shown(output: RunOutput) -> Result<String> {
    match output {
        RunOutput::Text(text) => Ok(cut(&text, OUTPUT)),
        RunOutput::Table { columns, rows, truncated } => {
            let count = rows.len() as u64;
            let mut preview =
                Preview::new(columns.iter().map(|name| (name.as_str(), "")), PreviewLimits::default());
            for row in rows {
                let cells: Vec<_> = row.into_iter().map(cell).collect();
                preview.push(cells.iter().map(Option::as_deref));
            }
            let next = Some("limit the rows or columns in the code");
            Ok(preview.with_total(count, truncated).to_text(&[], next))
        }
        RunOutput::Images(images) => Ok(format!("# images={} (not shown)\n", images.len())),
        RunOutput::Failed { summary, cause } => {
            let cause = if cause.trim().is_empty() { &summary } else { &cause };
            Err(Failure::new(ErrorKind::RemoteFailed, cut(cause, TRACEBACK).trim().to_owned()))
        }
        RunOutput::Cancelled => Err(Failure::new(ErrorKind::RemoteFailed, "the command was canceled")),
        _ => Err(Failure::local("this version of brick does not support this kind of result")),
    }
}

fn cell(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// Text without colors and other control characters, and its end, which usually says most, if it is too long.
fn cut(text: &str, most: usize) -> String {
    let text = terminal::without_colors(text);
    let text = terminal::escaped(text.trim_end());
    let begin = text.ceil_char_boundary(text.len().saturating_sub(most));
    match begin {
        0 => format!("{text}\n"),
        _ => format!("# the first {begin} bytes are not shown\n{}\n", &text[begin..]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn output_is_clean_and_bounded() {
        let text = shown(RunOutput::Text("\x1b[31mred\x1b[0m\x1b]0;title\x07\n".to_owned())).unwrap();
        assert_eq!(text, "red\\u001b]0;title\\u0007\n");
        let text = shown(RunOutput::Text("é".repeat(10_000))).unwrap();
        assert!(
            text.len() < OUTPUT + 60 && text.starts_with("# the first 12000 bytes are not shown\n"),
            "{}",
            &text[..60]
        );
    }

    #[test]
    fn a_table_is_a_preview_and_a_failure_is_an_error() {
        let rows = vec![vec![json!(1), json!(null)], vec![json!("a\tb"), json!([2])]];
        let table = RunOutput::Table { columns: vec!["x".into(), "y".into()], rows, truncated: true };
        assert_eq!(
            shown(table).unwrap().lines().take(4).collect::<Vec<_>>(),
            ["x\ty", "1\t\\N", "a\\tb\t[2]", "# rows=2 of=2+ complete=no"]
        );
        let failed =
            RunOutput::Failed { summary: "NameError".into(), cause: "Traceback\nNameError: x".into() };
        let failure = shown(failed).unwrap_err();
        assert_eq!(
            (failure.kind(), failure.message().as_str()),
            (ErrorKind::RemoteFailed, "Traceback\nNameError: x")
        );
    }
}
