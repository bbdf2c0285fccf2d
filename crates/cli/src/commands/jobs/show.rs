//! What a run has produced: each task's output on stdout, each error on stderr, and how it all ended.

use brickwire_actions::{
    EndedRun, EndedTask, ErrorKind, JobRun, RunOutcome,
    types::{RunOutput, SqlStatementQueryResult, StatementColumnInfo},
};
use serde_json::value::RawValue;

use crate::{
    context::Context,
    failure::{Failure, Result},
    output::{Column, Target},
    terminal,
};

const OUTPUTS: &[Column] =
    &[("TASK", "/metadata/task_key"), ("RUN", "/metadata/run_id"), ("LOGS", "/logs"), ("ERROR", "/error")];

/// Prints the run as JSON if that was asked for, or else its output.
pub(super) async fn ended(ended: &EndedRun, run: &JobRun, context: &Context) -> Result {
    if !context.output().is_json_asked() {
        return outputs(ended, run, context).await;
    }
    context.record(&ended.raw)?;
    verdict(ended, context)
}

/// Prints the output of each task that ran.
pub(super) async fn outputs(ended: &EndedRun, run: &JobRun, context: &Context) -> Result {
    let tasks: Vec<&EndedTask> = ended.tasks.iter().filter(|task| task.outcome.has_run()).collect();
    if context.output().is_json_asked() {
        let mut all: Vec<Box<RawValue>> = Vec::new();
        for task in &tasks {
            all.push(task.output_json().await?);
        }
        if ended.tasks.is_empty() && ended.outcome.has_run() {
            all.push(run.output_json().await?);
        }
        context.output().list(&all, OUTPUTS)?;
        return verdict(ended, context);
    }
    for task in &tasks {
        if ended.tasks.len() > 1 {
            context.note(&terminal::escaped_line(&format!("output of task {}:", task.key)));
        }
        match task.output().await {
            Ok(output) => show(&output, context)?,
            // Some kinds of tasks have none, and that is no failure of the run.
            Err(error) if matches!(error.kind(), ErrorKind::Rejected | ErrorKind::NotFound) => {
                context.note(&terminal::escaped_line(&format!("task {} has no output: {error}", task.key)));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if ended.tasks.is_empty() && ended.outcome.has_run() {
        // The run of one task.
        show(&*run.output().await?, context)?;
    }
    verdict(ended, context)
}

/// Prints what one task has produced: its text or its rows, and then its error.
fn show(output: &RunOutput, context: &Context) -> Result {
    let notebook = output.notebook_output.as_ref();
    let text = notebook.and_then(|notebook| notebook.result.as_ref()).or(output.logs.as_ref());
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        context.output().text(&format!("{text}{end}"))?;
    }
    let is_cut = notebook.and_then(|notebook| notebook.truncated).or(output.logs_truncated);
    if is_cut == Some(true) {
        context.note("the service cut this output off");
    }
    let file = output.sql_output.as_ref().and_then(|sql| sql.file_output.as_ref());
    if let Some(result) = file.and_then(|file| file.query_result.as_ref()) {
        rows(result, context)?;
    }
    if let Some(run_id) = output.run_job_output.as_ref().and_then(|other| other.run_id) {
        context.note(&format!("it ran as run {run_id}: brick jobs output {run_id}"));
    }
    if let Some(error) = output.error_trace.as_ref().or(output.error.as_ref()) {
        terminal::tell(anstream::adapter::strip_str(error.trim()).to_string().as_str());
    }
    Ok(())
}

fn rows(result: &SqlStatementQueryResult, context: &Context) -> Result {
    let columns: Vec<_> = result
        .columns
        .iter()
        .flatten()
        .map(|column| StatementColumnInfo { name: column.name.clone(), ..Default::default() })
        .collect();
    let mut printer = context.output().rows(Target::open(None)?);
    printer.begin(&columns)?;
    for row in result.rows.iter().flatten() {
        let cells = row.values.as_deref().unwrap_or_default();
        printer.row(cells.iter().map(|cell| cell.string_value.as_deref()))?;
    }
    let shown = printer.end()?;
    if result.truncated == Some(true) {
        context.note(&format!("the service cut the rows off after {shown}"));
    }
    Ok(())
}

/// Whether the run succeeded.
fn verdict(ended: &EndedRun, context: &Context) -> Result {
    let id = ended.run_id;
    let message = ended.message.as_deref().map(str::trim).filter(|message| !message.is_empty());
    let why = message.map(|message| format!(": {message}")).unwrap_or_default();
    let failure = |text: String| Failure::new(ErrorKind::RemoteFailed, terminal::escaped_line(&text));
    match &ended.outcome {
        RunOutcome::Success => Ok(()),
        RunOutcome::SuccessWithFailures => {
            context
                .note(&terminal::escaped_line(&format!("run {id} succeeded, with tasks that failed{why}")));
            Ok(())
        }
        RunOutcome::Skipped => Err(failure(format!("run {id} was skipped{why}"))
            .with_hint("wait for the active run, or let the job's runs queue")),
        RunOutcome::Canceled => Err(failure(format!("run {id} was canceled{why}"))),
        RunOutcome::Failed | RunOutcome::TimedOut => {
            Err(failure(format!("run {id} is {}{why}", ended.outcome))
                .with_hint(format!("run the failed tasks again: brick jobs repair {id}")))
        }
        other => Err(failure(format!("run {id} is {other}{why}"))),
    }
}
