//! `brick workspace`: notebooks, files, and folders.

use std::path::PathBuf;

use brickwire_actions::{
    FolderCopy, ImportOptions, Objects,
    types::{ExportFormat, ImportFormat, WorkspaceLanguage},
};
use clap::{Subcommand, builder::PossibleValuesParser};
use serde_json::{json, value::to_raw_value};

use crate::{
    context::Context,
    failure::{Failure, Result},
    output::Column,
    source::{Input, OBJECT_LIMIT},
};

/// Notebooks, files, and folders of the workspace: ls, get, import, export, mkdirs, rm
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List a folder
    #[command(
        alias = "list",
        after_help = "Examples:\n  brick workspace ls /Users/ada@example.com -o table\n  brick workspace ls /Shared --recursive"
    )]
    Ls {
        /// Path of the folder
        #[arg(value_name = "PATH", default_value = "/")]
        path: String,
        /// List the folders below it, too
        #[arg(long, short)]
        recursive: bool,
    },
    /// Show one object, without its content
    #[command(after_help = "Example:\n  brick workspace get /Shared/report")]
    Get(Which),
    /// Import a file, or with --recursive a folder; its folder must exist
    #[command(after_help = "\
A file becomes a notebook if its extension and its first line say that it is one; report.py then becomes the notebook
report. With --recursive, links and folders named .git are left out.

Examples:
  brick workspace import report.py /Shared/report.py --overwrite
  brick workspace import query.sql /Shared/query --language SQL --parents
  brick workspace import --recursive notebooks /Shared/notebooks")]
    Import {
        /// The file or folder; - reads standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Path in the workspace
        #[arg(value_name = "PATH")]
        path: String,
        /// Format of the file; by default it follows from its name and content
        #[arg(long, value_name = "FORMAT", ignore_case = true, value_parser = PossibleValuesParser::new(ImportFormat::KNOWN))]
        format: Option<String>,
        /// Language of a notebook whose source is imported
        #[arg(long, value_name = "LANGUAGE", ignore_case = true, value_parser = PossibleValuesParser::new(WorkspaceLanguage::KNOWN))]
        language: Option<String>,
        /// Replace an object that exists
        #[arg(long)]
        overwrite: bool,
        /// Create the folders above it that are missing
        #[arg(long)]
        parents: bool,
        /// Import a folder with everything in it
        #[arg(long, short, conflicts_with_all = ["format", "language"])]
        recursive: bool,
    },
    /// Export an object to a file or to stdout, or with --recursive a folder
    #[command(after_help = "\
With --recursive, a notebook becomes a source file, such as report.py, and libraries are left out.

Examples:
  brick workspace export /Shared/report
  brick workspace export /Shared/report report.ipynb --format JUPYTER
  brick workspace export --recursive /Shared/notebooks notebooks")]
    Export {
        #[command(flatten)]
        which: Which,
        /// The file, or with --recursive the folder, to write to; by default the content goes to stdout
        #[arg(value_name = "FILE", required_if_eq("recursive", "true"))]
        file: Option<PathBuf>,
        /// Format to export
        #[arg(long, value_name = "FORMAT", ignore_case = true, default_value = "AUTO", value_parser = PossibleValuesParser::new(ExportFormat::KNOWN))]
        format: String,
        /// Replace local files that exist
        #[arg(long)]
        overwrite: bool,
        /// Export a folder with everything in it
        #[arg(long, short, conflicts_with = "format")]
        recursive: bool,
    },
    /// Create a folder, and those above it that are missing
    #[command(after_help = "Example:\n  brick workspace mkdirs /Shared/reports/2026")]
    Mkdirs(Which),
    /// Delete an object for good; a folder must be empty, unless --recursive is given
    #[command(
        alias = "delete",
        after_help = "Examples:\n  brick workspace rm /Shared/report\n  brick workspace rm --recursive /Shared/reports"
    )]
    Rm {
        #[command(flatten)]
        which: Which,
        /// Delete a folder with everything in it
        #[arg(long, short)]
        recursive: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Path in the workspace
    #[arg(value_name = "PATH")]
    path: String,
}

const COLUMNS: &[Column] = &[
    ("PATH", "/path"),
    ("TYPE", "/object_type"),
    ("LANGUAGE", "/language"),
    ("SIZE", "/size"),
    ("ID", "/object_id"),
    ("MODIFIED (MS)", "/modified_at"),
];

const FILES: &[Column] = &[("PATH", "/path"), ("FILE", "/file")];

async fn of(context: &Context) -> Result<Objects> {
    Ok(context.workspace().await?.objects())
}

/// Prints which object went to or came from which file.
fn show(copy: &FolderCopy, context: &Context) -> Result {
    for skipped in &copy.skipped {
        context.note(&format!("left out: {skipped}"));
    }
    let rows = copy
        .files
        .iter()
        .map(|one| to_raw_value(&json!({ "path": one.path, "file": one.file.display().to_string() })));
    context.output().list(&rows.collect::<std::result::Result<Vec<_>, _>>()?, FILES)
}

fn done(what: &str, path: &str, context: &Context) -> Result {
    context.record(json!({ "path": path, what: true }).to_string().as_bytes())
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::Ls { path, recursive } => {
            let objects = of(context).await?;
            let listed = match recursive {
                true => objects.list_recursive_json(&path).await?,
                false => objects.list_json(&path).await?,
            };
            context.output().list(&listed, COLUMNS)
        }
        Command::Get(Which { path }) => {
            context.record(of(context).await?.get_json(&path).await?.get().as_bytes())
        }
        Command::Import { file, path, format, language, overwrite, parents, recursive } => {
            let mut options = ImportOptions::default().with_overwrite(overwrite).with_parents(parents);
            if let Some(format) = format {
                options = options.with_format(format.to_ascii_uppercase().into());
            }
            if let Some(language) = language {
                options = options.with_language(language.to_ascii_uppercase().into());
            }
            if recursive {
                let copy = of(context).await?.import_folder(&path, &file, &options).await?;
                return show(&copy, context);
            }
            if file.is_dir() {
                return Err(Failure::usage(format!("this is a folder: {}", file.display()))
                    .with_hint("add --recursive to import everything in it"));
            }
            match file.as_os_str() == "-" {
                true => {
                    let content = Input::read(&file, OBJECT_LIMIT)?.bytes;
                    of(context).await?.import(&path, &content, &options).await?;
                }
                false => of(context).await?.import_file(&path, &file, &options).await?,
            }
            done("imported", &path, context)
        }
        Command::Export { which: Which { path }, file, overwrite, recursive: true, .. } => {
            let folder = file.ok_or_else(|| Failure::usage("no folder to export to"))?;
            let copy = of(context).await?.export_folder(&path, &folder, overwrite).await?;
            show(&copy, context)
        }
        Command::Export { which: Which { path }, file, format, overwrite, .. } => {
            let objects = of(context).await?;
            let format = format.to_ascii_uppercase().into();
            match file {
                None => Ok(context.output().bytes(objects.export(&path, format).await?.content())?),
                Some(file) => {
                    objects.export_file(&path, format, &file, overwrite).await?;
                    let row = json!({ "path": path, "file": file.display().to_string() });
                    context.record(row.to_string().as_bytes())
                }
            }
        }
        Command::Mkdirs(Which { path }) => {
            of(context).await?.mkdirs(&path).await?;
            done("created", &path, context)
        }
        Command::Rm { which: Which { path }, recursive } => {
            let objects = of(context).await?;
            match recursive {
                true => objects.delete_recursive(&path).await?,
                false => objects.delete(&path).await?,
            }
            done("deleted", &path, context)
        }
    }
}
