//! What all places of files have in common: look, list, read, write, delete.

use std::{fs, io, path::Path, time::UNIX_EPOCH};

use brickwire_actions::{
    Content, Dbfs, Error, ErrorKind, Files, ImportOptions, Objects, Workspace,
    types::{self, ExportFormat, ImportFormat},
};
use serde_json::{json, value::RawValue};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::{
    item::{Item, Kind, below, list_local, local},
    location::{Location, Place},
    stdin::stdin,
};
use crate::{
    context::Context,
    failure::{Failure, Result},
    source::{Input, OBJECT_LIMIT},
};

/// Extensions of what an import makes a notebook if its content says that it is one.
const NOTEBOOKS: [&str; 5] = ["py", "sql", "scala", "r", "ipynb"];

/// The places of files.
pub(super) struct Stores {
    files: Files,
    dbfs: Dbfs,
    objects: Objects,
}

/// What is uploaded.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    File(&'a Path),
    Stdin,
}

impl Stores {
    pub(super) async fn connect(context: &Context) -> Result<Self> {
        Ok(Self::new(&context.workspace().await?))
    }

    pub(super) fn new(workspace: &Workspace) -> Self {
        Self { files: workspace.files(), dbfs: workspace.dbfs(), objects: workspace.objects() }
    }

    /// What a path leads to, or an error if there is nothing.
    pub(super) async fn existing(&self, at: &Location) -> Result<Item> {
        let missing = || Failure::new(at.missing(), format!("there is no such file or directory: {at}"));
        let found = self.find(at).await?;
        found.ok_or_else(|| match at.place == Place::Workspace && may_be_notebook(Path::new(&at.path)) {
            true => missing().with_hint("a notebook is named without an extension"),
            false => missing(),
        })
    }

    /// What a path leads to.
    pub(super) async fn find(&self, at: &Location) -> Result<Option<Item>> {
        let path = at.path.as_str();
        let found = match at.place {
            Place::Standard => return Err(Failure::usage("standard input and output have no path")),
            Place::Local => match fs::metadata(local(at)) {
                Ok(known) => Some(Item::on_this_machine(at.clone(), &known)?),
                // Windows allows no file whose name is a pattern.
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename) =>
                {
                    None
                }
                Err(error) => return Err(Failure::file(local(at), &error)),
            },
            Place::Volumes => match self.files.metadata(path).await {
                Ok(found) => {
                    let size = found.length.unwrap_or_default();
                    let since = found.last_modified.and_then(|moment| moment.duration_since(UNIX_EPOCH).ok());
                    let raw = json!({ "path": path, "name": at.name(), "file_size": size,
                        "last_modified": since.map(|since| since.as_millis() as u64) });
                    Some(Item::new(at.clone(), false, size, &raw)?)
                }
                Err(error) if !error.is_not_found() => return Err(error.into()),
                Err(_) if self.files.is_directory(path).await? => {
                    let raw = json!({ "path": path, "name": at.name(), "is_directory": true });
                    Some(Item::new(at.clone(), true, 0, &raw)?)
                }
                Err(_) => None,
            },
            Place::Dbfs => match self.dbfs.get_status(path).await {
                Ok(found) => Some(Item::in_dbfs(at.clone(), &found, as_sent(found.raw())?)),
                Err(error) if error.is_not_found() => None,
                Err(error) => return Err(error.into()),
            },
            Place::Workspace => match self.objects.get(path).await {
                Ok(found) => Some(Item::in_workspace(at.clone(), &found, as_sent(found.raw())?)),
                Err(error) if error.is_not_found() => None,
                Err(error) => return Err(error.into()),
            },
        };
        match found {
            Some(item) if at.says_directory && !item.is_directory() => {
                Err(Failure::new(ErrorKind::Rejected, format!("this is a file, not a directory: {at}")))
            }
            found => Ok(found),
        }
    }

    /// What is in a directory.
    pub(super) async fn list(&self, at: &Location) -> Result<Vec<Item>> {
        match at.place {
            Place::Standard => Err(Failure::usage("standard input and output have no path")),
            Place::Local => list_local(at),
            Place::Volumes => {
                let all = self.files.list_json(&at.path).await?.into_iter();
                all.map(|raw| Item::in_volume(at, raw)).collect()
            }
            Place::Dbfs => {
                let all = self.dbfs.list_json(&at.path).await?.into_iter();
                let items = all.map(|raw| {
                    let entry: types::DbfsFileInfo = serde_json::from_str(raw.get())?;
                    Ok(Item::in_dbfs(below(at, entry.path.as_deref())?, &entry, raw))
                });
                items.collect()
            }
            Place::Workspace => {
                let all = self.objects.list_json(&at.path).await?.into_iter();
                let items = all.map(|raw| {
                    let entry: types::WorkspaceObjectInfo = serde_json::from_str(raw.get())?;
                    Ok(Item::in_workspace(below(at, entry.path.as_deref())?, &entry, raw))
                });
                items.collect()
            }
        }
    }

    pub(super) async fn create_directory(&self, at: &Location) -> Result {
        match at.place {
            Place::Standard => Ok(()),
            Place::Local => fs::create_dir_all(local(at)).map_err(|error| Failure::file(local(at), &error)),
            Place::Volumes => Ok(self.files.create_directory(&at.path).await?),
            Place::Dbfs => Ok(self.dbfs.create_directory(&at.path).await?),
            Place::Workspace => Ok(self.objects.mkdirs(&at.path).await?),
        }
    }

    /// Deletes a file, or a directory with everything in it.
    pub(super) async fn delete(&self, item: &Item) -> Result {
        let (at, is_directory) = (&item.location, item.is_directory());
        match (at.place, is_directory) {
            (Place::Volumes, true) => self.files.delete_all(&at.path).await.map(drop)?,
            (Place::Volumes, false) => self.files.delete(&at.path).await?,
            (Place::Dbfs, _) => self.dbfs.delete(&at.path, is_directory).await?,
            (Place::Workspace, true) => self.objects.delete_recursive(&at.path).await?,
            (Place::Workspace, false) => self.objects.delete(&at.path).await?,
            (Place::Local | Place::Standard, _) => {
                return Err(Failure::usage(format!("this path is not in the workspace: {at}")));
            }
        }
        Ok(())
    }

    /// Uploads a file of this machine, or standard input.
    pub(super) async fn upload(&self, from: Source<'_>, to: &Location, overwrite: bool) -> Result {
        let path = to.path.as_str();
        if to.place == Place::Workspace {
            return self.import(from, path, overwrite).await;
        }
        let content = match from {
            Source::File(file) => Content::from_file(file),
            Source::Stdin => Content::from_reader(stdin()?),
        };
        match to.place {
            Place::Dbfs => self.dbfs.upload(path, content, overwrite).await?,
            _ => self.files.upload(path, content, overwrite).await?,
        }
        Ok(())
    }

    /// What its name says can't be a notebook stays as it is, byte for byte. The service would convert some of it.
    async fn import(&self, from: Source<'_>, path: &str, overwrite: bool) -> Result {
        let options = |name: &Path| {
            let options = ImportOptions::default().with_overwrite(overwrite);
            if may_be_notebook(name) { options } else { options.with_format(ImportFormat::Raw) }
        };
        let imported = match from {
            Source::File(file) => self.objects.import_file(path, file, &options(file)).await,
            Source::Stdin => {
                let content = Input::read("-", OBJECT_LIMIT)?.bytes;
                self.objects.import(path, &content, &options(Path::new(path))).await
            }
        };
        imported.map_err(|error| match error.is_not_found() {
            true => Failure::from(error).with_hint("create the directory first, with `brick files mkdir`"),
            false => error.into(),
        })
    }

    /// Downloads a file of the workspace into one of this machine.
    pub(super) async fn download(&self, from: &Item, to: &Path, overwrite: bool) -> Result<u64> {
        let path = from.location.path.as_str();
        Ok(match from.location.place {
            Place::Dbfs => self.dbfs.download_file(path, to, overwrite).await?,
            Place::Workspace => {
                self.objects.export_file(path, format(from), to, overwrite).await?.content().len() as u64
            }
            _ => self.files.download_file(path, to, overwrite).await?,
        })
    }

    /// Downloads a file of the workspace into a writer.
    pub(super) async fn read(
        &self,
        from: &Item,
        to: &mut (impl AsyncWrite + Send + Unpin),
    ) -> brickwire_actions::Result<u64> {
        let path = from.location.path.as_str();
        match from.location.place {
            Place::Dbfs => self.dbfs.download(path, to).await,
            Place::Workspace => {
                let exported = self.objects.export(path, format(from)).await?;
                let failed = |error| Error::new(ErrorKind::Local, format!("cannot write: {error}"));
                to.write_all(exported.content()).await.map_err(failed)?;
                to.flush().await.map_err(failed)?;
                Ok(exported.content().len() as u64)
            }
            _ => self.files.download(path, to).await,
        }
    }
}

/// A notebook is exported as its source, and a file as it is.
fn format(item: &Item) -> ExportFormat {
    if matches!(item.kind, Kind::Notebook(_)) { ExportFormat::Source } else { ExportFormat::Auto }
}

fn may_be_notebook(name: &Path) -> bool {
    let extension = name.extension().unwrap_or_default();
    NOTEBOOKS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn as_sent(bytes: &[u8]) -> Result<Box<RawValue>> {
    Ok(RawValue::from_string(String::from_utf8_lossy(bytes).trim().to_owned())?)
}
