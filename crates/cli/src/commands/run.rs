//! `brick run`: runs code on a cluster, in an execution context that it creates unless one is given.

mod prompt;

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use brickwire_actions::{
    self as actions, Commands, ErrorKind, IfTerminated, Preview, PreviewLimits, RunOptions, RunOutput,
    WaitOptions,
    types::{self, CommandLanguage},
};
use serde_json::{Value, json};

use super::{
    clusters,
    contexts::{Cluster, language},
};
use crate::{
    context::Context,
    failure::{Failure, Result},
    options::duration,
    output::{Facts, Target, agent},
    source::Source,
    terminal,
};

/// Run code on a cluster and print its output
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  brick run -c nightly-etl 'print(spark.range(5).count())'
  brick run -c nightly-etl -f report.sql --start -o csv
  id=$(brick contexts create -c nightly-etl -o json | jq -r .id); brick run -c nightly-etl --context $id 'x = 1'")]
pub(crate) struct Command {
    #[command(flatten)]
    code: Source,
    #[command(flatten)]
    cluster: Cluster,
    /// Language of the code; by default from the file extension (py, sql, scala, r), or python
    #[arg(long, short, value_parser = language())]
    language: Option<CommandLanguage>,
    /// Id of an existing context to run in; it keeps its state
    #[arg(long, value_name = "CONTEXT", conflicts_with = "keep_context")]
    context: Option<String>,
    /// Keep the context that is created for the code, and print its id
    #[arg(long)]
    keep_context: bool,
    /// Start the cluster if it is terminated
    #[arg(long)]
    start: bool,
    /// Submit the code, print the ids of the command, and don't wait
    #[arg(long = "no-wait", alias = "detach")]
    detach: bool,
    /// Folder to save images in
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    images: PathBuf,
    /// Cancel the code if the whole command, with the start of the cluster, takes longer than this, such as 30s or 2h; by default there
    /// is no limit
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true)]
    timeout: Option<Duration>,
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    if prompt::is_asked(&command, context) {
        return prompt::run(command, context).await;
    }
    let code = command.code.read("code")?;
    let language = match (command.language.clone(), command.code.path()) {
        (Some(language), _) => language,
        (None, Some(path)) => by_extension(path)?,
        (None, None) => CommandLanguage::Python,
    };
    Commands::check(&language, &code)?;
    check_folder(&command.images)?;
    // Finding the cluster, starting it, and the code share the time.
    let limit = match command.timeout {
        Some(timeout) => context.limit(timeout),
        None => WaitOptions::default().with_timeout(Duration::MAX),
    };
    let cluster = ready_cluster(&command, limit, context).await?;
    let mut options = RunOptions::default()
        .with_language(language)
        .with_kept_context(command.keep_context)
        .with_wait(limit);
    if let Some(id) = command.context {
        options = options.with_context(id);
    }
    let commands = context.workspace().await?.commands();
    if command.detach {
        let actions::Command { cluster_id, context_id, command_id } =
            commands.submit_on_cluster(&cluster, &code, &options).await?;
        let names = json!({ "cluster_id": cluster_id, "context_id": context_id, "command_id": command_id });
        return context.record(names.to_string().as_bytes());
    }
    let run = commands.run(&cluster, &code, &options).await?;
    if command.keep_context {
        let id = &run.command.context_id;
        context.note(&format!(
            "context {id} is kept: brick run -c {cluster} --context {id} …, brick contexts destroy -c {cluster} {id}"
        ));
    }
    if context.output().is_json_asked() {
        context.record(&run.raw)?;
        return match run.output {
            RunOutput::Failed { .. } | RunOutput::Cancelled => Err(Failure::remote_code()),
            _ => Ok(()),
        };
    }
    show(run, &command.images, context)
}

/// Finds the cluster, and starts it if that was asked for.
async fn ready_cluster(command: &Command, limit: WaitOptions, context: &Context) -> Result<String> {
    let cluster = command.cluster.id(context).await?;
    let if_terminated = if command.start { IfTerminated::Start } else { IfTerminated::Fail };
    let clusters = clusters::of(context).await?;
    let running = clusters.ensure_running(&cluster, if_terminated, limit).await;
    running.map_err(|error| match error.kind() {
        ErrorKind::Configuration => Failure::from(error)
            .with_hint(format!("start it: brick clusters start {cluster}, or add --start")),
        _ => error.into(),
    })?;
    Ok(cluster)
}

/// Checks that images can be saved, before the code that makes them runs.
fn check_folder(folder: &Path) -> Result {
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(Failure::local(format!("this is not a folder: {}", folder.display()))),
        Err(error) => Err(Failure::file(folder, &error).with_hint("create the folder first")),
    }
}

/// A file without an extension is Python; an unknown extension is an error.
fn by_extension(path: &Path) -> Result<CommandLanguage> {
    let Some(extension) = path.extension() else { return Ok(CommandLanguage::Python) };
    match extension.to_ascii_lowercase().to_str() {
        Some("py") => Ok(CommandLanguage::Python),
        Some("scala" | "sc") => Ok(CommandLanguage::Scala),
        Some("sql") => Ok(CommandLanguage::Sql),
        Some("r") => Ok(CommandLanguage::R),
        _ => Err(Failure::usage(format!("no language has this extension: {}", path.display()))
            .with_hint("name one with --language")),
    }
}

fn show(run: actions::Run, images: &Path, context: &Context) -> Result {
    match run.output {
        RunOutput::Text(text) => {
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            Ok(context.output().text(&format!("{text}{end}"))?)
        }
        RunOutput::Table { columns, rows, truncated } if context.output().is_agent() => {
            let columns: Vec<_> =
                columns.into_iter().enumerate().map(|(i, name)| column(name, i, &rows)).collect();
            let mut preview = Preview::of_columns(&columns, PreviewLimits::default());
            let mut total = 0;
            for row in rows {
                let cells: Vec<_> = row.into_iter().map(cell).collect();
                preview.push(cells.iter().map(Option::as_deref));
                total += 1;
            }
            let preview = preview.with_total(total, truncated);
            Ok(context.output().bytes(agent::result(&preview, None, context.elapsed(), false).as_bytes())?)
        }
        RunOutput::Table { columns, rows, truncated } => {
            let mut printer = context.output().rows(Target::open(None)?);
            let columns = columns.into_iter().enumerate().map(|(i, name)| column(name, i, &rows));
            printer.begin(&columns.collect::<Vec<_>>())?;
            for row in rows {
                let cells: Vec<_> = row.into_iter().map(cell).collect();
                printer.row(cells.iter().map(Option::as_deref))?;
            }
            printer.tell(Facts { truncated, elapsed: context.elapsed(), ..Facts::default() });
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
            terminal::tell(text.trim_start());
            Err(Failure::remote_code())
        }
        RunOutput::Cancelled => Err(Failure::new(ErrorKind::RemoteFailed, "the command was canceled")),
        other => Err(Failure::local(format!(
            "this version of brick does not support this kind of result: {other:?}"
        ))),
    }
}

/// The service has no fixed notation for column types, so the type follows from the JSON values.
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

/// The extension for a type of image. The service's own word could name a program.
fn extension(kind: &str) -> &'static str {
    let kind = kind.split([';', '+']).next().unwrap_or_default().to_ascii_lowercase();
    let known = ["png", "jpeg", "gif", "svg", "webp", "bmp", "tiff", "avif"];
    match known.iter().find(|known| **known == kind) {
        Some(known) => known,
        None if kind == "jpg" => "jpeg",
        None => "image",
    }
}

/// Writes a new file and returns its name. A file or a link that has the name stays as it is: the new one gets a number.
fn write_new(folder: &Path, name: &str, extension: &str, bytes: &[u8]) -> Result<PathBuf> {
    for number in 1_u32.. {
        let number = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("{name}{number}.{extension}"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(bytes).map_err(|e| Failure::file(&path, &e))?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Failure::file(&path, &error)),
        }
    }
    Err(Failure::local(format!("no file name is free: {}", folder.join(name).display())))
}

/// Saves data URLs to files and prints the file names. A path on the cluster is printed as it is.
fn save(images: &[String], folder: &Path, id: &str, context: &Context) -> Result {
    let mut names = String::new();
    for (i, image) in images.iter().enumerate() {
        let Some((kind, data)) =
            image.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,"))
        else {
            context.note("the workspace stores this image; only its path is available");
            names.push_str(&format!("{image}\n"));
            continue;
        };
        let bytes = BASE64_STANDARD
            .decode(data.trim())
            .map_err(|e| Failure::local(format!("image {} cannot be decoded: {e}", i + 1)))?;
        let id: String = id.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
        let path = write_new(folder, &format!("brick-{id}-{}", i + 1), extension(kind), &bytes)?;
        names.push_str(&format!("{}\n", path.display()));
    }
    Ok(context.output().bytes(names.as_bytes())?)
}
