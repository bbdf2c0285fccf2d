//! What a command on a cluster produced, as it is printed: text as it is, tables as the rows of a statement, images as
//! files, and a traceback on stderr.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use brickwire_actions::{ErrorKind, Preview, PreviewLimits, Run, RunOutput, types};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    context::Context,
    failure::{Failure, Result},
    options::Format,
    output::{Facts, Target, agent},
    terminal,
};

/// The longest traceback in an error of JSON, in bytes.
const MOST_CAUSE: usize = 4000;

/// Checks that images can be saved, before the code that makes them runs.
pub(crate) fn check_folder(folder: &Path) -> Result {
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(Failure::local(format!("this is not a folder: {}", folder.display()))),
        Err(error) => Err(Failure::file(folder, &error).with_hint("create the folder first")),
    }
}

/// Prints the result of a command: as the service sent it where JSON was requested, otherwise for people.
pub(crate) fn print(run: Run, images: &Path, context: &Context) -> Result {
    if !context.output().is_json_asked() {
        return show(run, images, context);
    }
    context.record(&run.raw)?;
    check(&run.output)
}

/// Fails if the code did, with its summary as the message.
pub(crate) fn check(output: &RunOutput) -> Result {
    match output {
        RunOutput::Failed { summary, .. } if !summary.trim().is_empty() => {
            Err(Failure::new(ErrorKind::RemoteFailed, terminal::cut(summary.trim()).into_owned()))
        }
        RunOutput::Failed { .. } => Err(Failure::remote_code()),
        RunOutput::Cancelled => Err(Failure::new(ErrorKind::RemoteFailed, "the command was canceled")),
        _ => Ok(()),
    }
}

/// Prints the result of a command for people.
pub(crate) fn show(run: Run, images: &Path, context: &Context) -> Result {
    show_with_time(run, images, context.elapsed(), context)
}

/// As [`show`], for a part of the command that took this time.
pub(super) fn show_with_time(run: Run, images: &Path, elapsed: Duration, context: &Context) -> Result {
    // What other formats print of these tables stays as it is.
    let is_typed = matches!(context.asked().0, Format::Agent | Format::Envelope);
    let named = if is_typed { named_types(&run.raw) } else { Vec::new() };
    match run.output {
        RunOutput::Text(text) => {
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            Ok(context.output().text(&format!("{text}{end}"))?)
        }
        RunOutput::Table { columns, rows, truncated } if context.output().is_agent() => {
            let columns: Vec<_> =
                columns.into_iter().enumerate().map(|(i, name)| column(name, i, &rows, &named)).collect();
            let mut preview = Preview::of_columns(&columns, PreviewLimits::default());
            let mut total = 0;
            for row in rows {
                let cells: Vec<_> = row.into_iter().map(cell).collect();
                preview.push(cells.iter().map(Option::as_deref));
                total += 1;
            }
            let preview = preview.with_total(total, truncated);
            Ok(context.output().bytes(agent::result(&preview, None, elapsed, false).as_bytes())?)
        }
        RunOutput::Table { columns, rows, truncated } => {
            let now = Instant::now();
            let output = context.output().started_at(now.checked_sub(elapsed).unwrap_or(now));
            let mut printer = output.rows(Target::open(None)?);
            let columns = columns.into_iter().enumerate().map(|(i, name)| column(name, i, &rows, &named));
            printer.begin(&columns.collect::<Vec<_>>())?;
            for row in rows {
                let cells: Vec<_> = row.into_iter().map(cell).collect();
                printer.row(cells.iter().map(Option::as_deref))?;
            }
            printer.tell(Facts { truncated, elapsed, ..Facts::default() });
            let shown = printer.end()?;
            if truncated {
                context.note(&format!("the service cut the table off after {shown} rows"));
            }
            Ok(())
        }
        RunOutput::Images(all) => save(&all, images, &run.command.command_id, context),
        // The error is JSON, and all that is read.
        RunOutput::Failed { summary, cause }
            if matches!(context.asked().0, Format::Agent | Format::Envelope) || context.global().agent =>
        {
            let text = if cause.trim().is_empty() { summary } else { cause };
            let text = anstream::adapter::strip_str(text.trim()).to_string();
            // The end of a traceback says most.
            let start = text.ceil_char_boundary(text.len().saturating_sub(MOST_CAUSE));
            Err(Failure::new(ErrorKind::RemoteFailed, text[start..].to_owned()))
        }
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
        RunOutput::Cancelled => check(&run.output),
        other => Err(Failure::local(format!(
            "this version of brick does not support this kind of result: {other:?}"
        ))),
    }
}

/// The SQL types of a table's columns, where the service names them as Spark does: `"integer"`, with its quotes.
fn named_types(raw: &[u8]) -> Vec<Option<String>> {
    #[derive(Deserialize)]
    struct Answer {
        results: Results,
    }
    #[derive(Deserialize)]
    struct Results {
        schema: Vec<Named>,
    }
    #[derive(Deserialize)]
    struct Named {
        #[serde(default, rename = "type")]
        kind: Option<String>,
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(raw) else { return Vec::new() };
    let known = |kind: &str| {
        let kind = kind.trim_matches('"').to_ascii_uppercase();
        Some(match kind.as_str() {
            "BYTE" => "TINYINT".to_owned(),
            "SHORT" => "SMALLINT".to_owned(),
            "INTEGER" => "INT".to_owned(),
            "LONG" => "BIGINT".to_owned(),
            "BOOLEAN" | "INT" | "BIGINT" | "FLOAT" | "DOUBLE" | "STRING" | "DATE" | "TIMESTAMP"
            | "BINARY" => kind,
            decimal if decimal.starts_with("DECIMAL(") => kind,
            _ => return None,
        })
    };
    answer.results.schema.iter().map(|column| known(column.kind.as_deref()?)).collect()
}

/// Where the service doesn't name a column's type, it follows from the JSON values.
fn column(
    name: String,
    index: usize,
    rows: &[Vec<Value>],
    named: &[Option<String>],
) -> types::StatementColumnInfo {
    if let Some(Some(kind)) = named.get(index) {
        let (type_name, type_text) = (Some(kind.as_str().into()), Some(kind.clone()));
        return types::StatementColumnInfo { name: Some(name), type_name, type_text, ..Default::default() };
    }
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
