//! `brick run`: code on a cluster in one line.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use brickwire_actions::{Command, ErrorKind, IfTerminated, Run as Ended, RunOptions, RunOutput, types};
use serde_json::{Value, json};

use super::{
    Result,
    contexts::{Cluster, Language},
    record,
    source::Source,
};
use crate::{args::Timeout, context::Context, output::Target, report::Failure};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  brick run -c nightly-etl 'print(spark.range(5).count())'
  brick run -c nightly-etl -f report.sql --start -o csv
  id=$(brick contexts create -c nightly-etl -o json | jq -r .id); brick run -c nightly-etl --context $id 'x = 1'")]
pub(crate) struct Run {
    #[command(flatten)]
    code: Source,
    #[command(flatten)]
    cluster: Cluster,
    /// The language of the code; else by the file's extension (py, sql, scala, r); else python
    #[arg(long, short)]
    language: Option<Language>,
    /// Run in this context, which keeps its state
    #[arg(long, value_name = "CONTEXT", conflicts_with = "keep_context")]
    context: Option<String>,
    /// Keep the context that is made for the code, and tell its id
    #[arg(long)]
    keep_context: bool,
    /// Start the cluster if it is terminated
    #[arg(long)]
    start: bool,
    /// Submit the code, print what names the command, and don't wait
    #[arg(long)]
    detach: bool,
    /// The folder that pictures are saved to
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    images: PathBuf,
    #[command(flatten)]
    timeout: Timeout,
}

pub(crate) async fn run(command: Run, context: &Context) -> Result {
    let code = command.code.read("code")?;
    let language = match (command.language, command.code.path()) {
        (Some(language), _) => language,
        (None, Some(path)) => by_extension(path)?,
        (None, None) => Language::Python,
    };
    let workspace = context.workspace().await?;
    let cluster = command.cluster.id(context).await?;
    let if_terminated = if command.start { IfTerminated::Start } else { IfTerminated::Fail };
    let running =
        workspace.clusters().ensure_running(&cluster, if_terminated, command.timeout.options()).await;
    running.map_err(|error| match error.kind() {
        ErrorKind::Configuration if !command.start => {
            error.with_hint(format!("start it: brick clusters start {cluster}, or add --start"))
        }
        _ => error,
    })?;
    let mut options = RunOptions::default()
        .with_language(language.into())
        .with_kept_context(command.keep_context)
        .with_wait(command.timeout.options());
    if let Some(id) = command.context {
        options = options.with_context(id);
    }
    let commands = workspace.commands();
    if command.detach {
        let Command { cluster_id, context_id, command_id } =
            commands.submit_on_cluster(&cluster, &code, &options).await?;
        let names = json!({ "cluster_id": cluster_id, "context_id": context_id, "command_id": command_id });
        return record(context, names.to_string().as_bytes());
    }
    let run = commands.run(&cluster, &code, &options).await?;
    if command.keep_context {
        let id = &run.command.context_id;
        context.note(&format!(
            "context {id} is kept: brick run -c {cluster} --context {id} …, brick contexts destroy -c {cluster} {id}"
        ));
    }
    if context.output().is_json_asked() {
        record(context, &run.raw)?;
        return if matches!(run.output, RunOutput::Failed { .. } | RunOutput::Cancelled) {
            Err(Failure::RemoteCode)
        } else {
            Ok(())
        };
    }
    show(run, &command.images, context)
}

/// A name without an extension says nothing; one that is for something else is no Python.
fn by_extension(path: &Path) -> Result<Language> {
    let Some(extension) = path.extension() else { return Ok(Language::Python) };
    match extension.to_ascii_lowercase().to_str() {
        Some("py") => Ok(Language::Python),
        Some("scala" | "sc") => Ok(Language::Scala),
        Some("sql") => Ok(Language::Sql),
        Some("r") => Ok(Language::R),
        _ => Err(Failure::Usage(format!(
            "no language has this extension: {}; name one with --language",
            path.display()
        ))),
    }
}

fn show(run: Ended, images: &Path, context: &Context) -> Result {
    match run.output {
        RunOutput::Text(text) => {
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            Ok(context.output().bytes(format!("{text}{end}").as_bytes())?)
        }
        RunOutput::Table { columns, rows, truncated } => {
            let mut printer = context.output().rows(Target::open(None)?);
            let columns = columns.into_iter().enumerate().map(|(i, name)| column(name, i, &rows));
            printer.begin(&columns.collect::<Vec<_>>())?;
            for row in rows {
                let cells: Vec<_> = row.into_iter().map(cell).collect();
                printer.row(cells.iter().map(Option::as_deref))?;
            }
            let shown = printer.end()?;
            if truncated {
                context.note(&format!("the service cut the table off after {shown} rows"));
            }
            Ok(())
        }
        RunOutput::Images(all) => save(&all, images, &run.command.command_id, context),
        RunOutput::Failed { summary, cause } => {
            let cause = anstream::adapter::strip_str(cause.trim_end()).to_string();
            let text = if cause.contains(&summary) || summary.is_empty() {
                cause
            } else {
                format!("{cause}\n{summary}")
            };
            writeln!(io::stderr(), "{}", text.trim_start())?;
            Err(Failure::RemoteCode)
        }
        RunOutput::Cancelled => {
            writeln!(io::stderr(), "the command was cancelled")?;
            Err(Failure::RemoteCode)
        }
        other => Err(Failure::Unable(format!("this version does not know such a result: {other:?}"))),
    }
}

/// The service fixes no form for a column's type; the values are JSON and tell it themselves.
fn column(name: String, index: usize, rows: &[Vec<Value>]) -> types::StatementColumnInfo {
    let kind = rows.iter().find_map(|row| match row.get(index)? {
        Value::Number(_) => Some("DOUBLE"),
        Value::Bool(_) => Some("BOOLEAN"),
        Value::Array(_) | Value::Object(_) => Some("STRUCT"),
        Value::Null | Value::String(_) => None,
    });
    types::StatementColumnInfo { name: Some(name), type_name: kind.map(Into::into), ..Default::default() }
}

fn cell(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// Writes data URLs to files and prints their names; a path on the cluster is printed as it is.
fn save(images: &[String], folder: &Path, id: &str, context: &Context) -> Result {
    let mut names = String::new();
    for (i, image) in images.iter().enumerate() {
        let Some((kind, data)) =
            image.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,"))
        else {
            context.note("this picture is kept by the workspace; its path is all there is");
            names.push_str(&format!("{image}\n"));
            continue;
        };
        let bytes = BASE64_STANDARD
            .decode(data.trim())
            .map_err(|e| Failure::Unable(format!("picture {} cannot be decoded: {e}", i + 1)))?;
        let extension: String = kind.chars().take_while(char::is_ascii_alphanumeric).collect();
        let id: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
        let path = folder.join(format!("brick-{id}-{}.{extension}", i + 1));
        std::fs::write(&path, bytes).map_err(|e| Failure::file(&path, &e))?;
        names.push_str(&format!("{}\n", path.display()));
    }
    Ok(context.output().bytes(names.as_bytes())?)
}
