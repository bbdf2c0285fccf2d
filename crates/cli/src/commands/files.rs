//! `brick files`: files and directories in volumes, in DBFS, in the workspace's own folders, and on this machine.

mod complete;
mod copy;
mod item;
mod location;
mod pattern;
mod stdin;
mod store;
mod stream;

use brickwire_actions::ErrorKind;
use clap::Subcommand;
use clap_complete::ArgValueCompleter;

use self::{
    copy::Copy,
    item::Item,
    location::{Location, PLACES, Place},
    store::Stores,
};
use crate::{
    context::Context,
    failure::{Failure, Result},
    output::Column,
};

/// Files in volumes, DBFS, and /Workspace: list, copy, print, delete
#[derive(Debug, Subcommand)]
#[command(
    alias = "fs",
    after_help = "\
Paths that start with /Volumes/ are in a volume, those that start with dbfs:/ are in DBFS, and those that start with
/Workspace/ are notebooks and files in the workspace's folders. All others are on this machine; write file:/Volumes/...
or file:/Workspace/... for a local path that looks like one of them. Lists show a path as the service does, without
dbfs: and without /Workspace.

In /Workspace a notebook has no extension. It is read as its source, and its copy is named for its language, such as
report.py. A .py, .sql, .scala, .r or .ipynb file that is copied there becomes a notebook if its content says that it
is one, as with `brick workspace import`; all other files stay as they are, byte for byte. A file there can have 10 MB
at most."
)]
pub(crate) enum Command {
    /// List a directory, or show a file
    #[command(after_help = "\
Examples:
  brick files ls /Volumes/main/default/files
  brick files ls -r /Volumes/main/default/files/2026 -o csv
  brick files ls '/Volumes/main/default/files/*/*.csv'
  brick files ls /Workspace/Shared")]
    Ls {
        /// Path in a volume, in /Workspace, or in DBFS; may be a pattern with *, ? and [...]
        #[arg(add = ArgValueCompleter::new(complete::remote))]
        path: Location,
        /// List everything below the directory, at any depth
        #[arg(long, short)]
        recursive: bool,
    },
    /// Copy files from, to, or within the workspace
    #[command(after_help = "\
With one source, a directory's content goes into TARGET. With several sources, or a pattern, each goes into TARGET
under its own name. Quote patterns so that the shell doesn't expand them. As a source, - is standard input; as the
target, it is standard output.

Examples:
  brick files cp report.csv /Volumes/main/default/files/
  brick files cp -r ./data /Volumes/main/default/files/data --overwrite
  brick files cp '/Volumes/main/default/files/*.csv' dbfs:/tmp/old.csv ./downloads
  brick files cp -r ./notebooks /Workspace/Users/ada@example.com/notebooks
  pg_dump shop | brick files cp - /Volumes/main/default/files/shop.sql")]
    Cp {
        /// Files or directories to copy; may be patterns with *, ? and [...]
        #[arg(value_name = "SOURCE", required = true, add = ArgValueCompleter::new(complete::any))]
        sources: Vec<Location>,
        /// File or directory to copy to
        #[arg(value_name = "TARGET", add = ArgValueCompleter::new(complete::any))]
        target: Location,
        /// Copy directories with everything in them
        #[arg(long, short)]
        recursive: bool,
        /// Replace files that exist
        #[arg(long)]
        overwrite: bool,
    },
    /// Print the content of files
    #[command(after_help = "Example:\n  brick files cat /Volumes/main/default/files/a.csv | head")]
    Cat {
        /// Paths in a volume, in /Workspace, or in DBFS; may be patterns with *, ? and [...]
        #[arg(value_name = "PATH", required = true, add = ArgValueCompleter::new(complete::remote))]
        paths: Vec<Location>,
    },
    /// Delete a file, or with -r a directory and everything in it
    #[command(after_help = "\
Examples:
  brick files rm /Volumes/main/default/files/a.csv
  brick files rm -r /Volumes/main/default/files/2026")]
    Rm {
        /// Path in a volume, in /Workspace, or in DBFS; patterns are not expanded
        #[arg(add = ArgValueCompleter::new(complete::remote))]
        path: Location,
        /// Delete a directory with everything in it
        #[arg(long, short)]
        recursive: bool,
    },
    /// Create a directory and its missing parents; one that exists is left as it is
    #[command(after_help = "Example:\n  brick files mkdir /Volumes/main/default/files/2026/11")]
    Mkdir {
        /// Path in a volume, in /Workspace, or in DBFS
        #[arg(add = ArgValueCompleter::new(complete::remote))]
        path: Location,
    },
}

const COLUMNS: &[Column] = &[
    ("PATH", "/path"),
    ("DIRECTORY", "/is_directory"),
    ("BYTES", "/file_size"),
    ("MODIFIED (MS)", "/last_modified"),
];

const DBFS_COLUMNS: &[Column] = &[
    ("PATH", "/path"),
    ("DIRECTORY", "/is_dir"),
    ("BYTES", "/file_size"),
    ("MODIFIED (MS)", "/modification_time"),
];

const WORKSPACE_COLUMNS: &[Column] = &[
    ("PATH", "/path"),
    ("TYPE", "/object_type"),
    ("LANGUAGE", "/language"),
    ("BYTES", "/size"),
    ("MODIFIED (MS)", "/modified_at"),
];

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::Ls { path, recursive } => list(&path, recursive, context).await,
        Command::Cp { sources, target, recursive, overwrite } => {
            Copy { sources, target, recursive, overwrite }.run(context).await
        }
        Command::Cat { paths } => {
            for path in &paths {
                remote(path)?;
            }
            let stores = Stores::connect(context).await?;
            let mut files = Vec::new();
            for path in &paths {
                files.extend(pattern::expand(&stores, path).await?);
            }
            stream::print(&stores, &files, context).await
        }
        Command::Rm { path, recursive } => delete(&path, recursive, context).await,
        Command::Mkdir { path } => {
            remote(&path)?;
            Stores::connect(context).await?.create_directory(&path).await
        }
    }
}

/// Refuses a path of this machine, which the system's own programs are for.
fn remote(path: &Location) -> Result {
    match path.place {
        Place::Volumes | Place::Dbfs | Place::Workspace => Ok(()),
        _ => Err(Failure::usage(format!("this path is not in the workspace: {path}")).with_hint(PLACES)),
    }
}

/// A directory is listed, and what a pattern finds is shown as it is.
async fn list(path: &Location, recursive: bool, context: &Context) -> Result {
    remote(path)?;
    let stores = Stores::connect(context).await?;
    let mut found = pattern::expand(&stores, path).await?;
    if !path.is_pattern() || recursive {
        let (directories, mut shown): (Vec<_>, Vec<_>) = found.into_iter().partition(Item::is_directory);
        let mut open: Vec<Location> = directories.into_iter().map(|item| item.location).rev().collect();
        while let Some(directory) = open.pop() {
            let items = stores.list(&directory).await?;
            if recursive {
                open.extend(
                    items.iter().rev().filter(|item| item.is_directory()).map(|item| item.location.clone()),
                );
            }
            shown.extend(items);
        }
        found = shown;
    }
    let columns = match path.place {
        Place::Dbfs => DBFS_COLUMNS,
        Place::Workspace => WORKSPACE_COLUMNS,
        _ => COLUMNS,
    };
    let items: Vec<_> = found.into_iter().map(|item| item.raw).collect();
    context.output().list(&items, columns)
}

async fn delete(path: &Location, recursive: bool, context: &Context) -> Result {
    remote(path)?;
    if path.is_root() {
        let (what, hint) = match path.place {
            Place::Workspace => ("a folder that every workspace has", "delete what is in it"),
            _ => ("a whole volume or store, not a directory", "`brick volumes delete` deletes a volume"),
        };
        return Err(Failure::usage(format!("this is {what}: {path}")).with_hint(hint));
    }
    let stores = Stores::connect(context).await?;
    let item = stores.existing(path).await?;
    if item.is_directory() && !recursive {
        return Err(Failure::new(ErrorKind::Rejected, format!("this is a directory: {path}"))
            .with_hint("add -r to delete it with everything in it"));
    }
    stores.delete(&item).await?;
    context.note(&format!("deleted {path}"));
    Ok(())
}
