//! What all places of files have in common: look, list, read, write, delete.

use std::{
    fs::{self, Metadata},
    io,
    path::{Component, Path},
    time::UNIX_EPOCH,
};

use brickwire_actions::{Content, Dbfs, ErrorKind, Files, types};
use serde_json::{json, value::RawValue};
use tokio::io::AsyncWrite;

use super::location::{Location, Place};
use crate::{
    context::Context,
    failure::{Failure, Result},
};

/// A file or a directory.
pub(super) struct Item {
    pub(super) location: Location,
    pub(super) is_directory: bool,
    pub(super) size: u64,
    /// As the service shows it.
    pub(super) raw: Box<RawValue>,
}

/// The places of files.
pub(super) struct Stores {
    files: Files,
    dbfs: Dbfs,
}

impl Stores {
    pub(super) async fn connect(context: &Context) -> Result<Self> {
        let workspace = context.workspace().await?;
        Ok(Self { files: workspace.files(), dbfs: workspace.dbfs() })
    }

    /// What a path leads to, or an error if there is nothing.
    pub(super) async fn existing(&self, at: &Location) -> Result<Item> {
        let missing =
            || Failure::new(ErrorKind::NotFound, format!("there is no such file or directory: {at}"));
        self.find(at).await?.ok_or_else(missing)
    }

    /// What a path leads to.
    pub(super) async fn find(&self, at: &Location) -> Result<Option<Item>> {
        let path = at.path.as_str();
        let found = match at.place {
            Place::Standard => return Err(Failure::usage("standard input and output have no path")),
            Place::Local => match fs::metadata(local(at)) {
                Ok(known) => Some(local_item(at.clone(), &known)?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(Failure::file(local(at), &error)),
            },
            Place::Volumes => match self.files.metadata(path).await {
                Ok(found) => {
                    let size = found.length.unwrap_or_default();
                    let since = found.last_modified.and_then(|moment| moment.duration_since(UNIX_EPOCH).ok());
                    let raw = json!({ "path": path, "name": at.name(), "file_size": size,
                        "last_modified": since.map(|since| since.as_millis() as u64) });
                    Some(item(at.clone(), false, size, &raw)?)
                }
                Err(error) if !error.is_not_found() => return Err(error.into()),
                Err(_) if self.files.is_directory(path).await? => {
                    let raw = json!({ "path": path, "name": at.name(), "is_directory": true });
                    Some(item(at.clone(), true, 0, &raw)?)
                }
                Err(_) => None,
            },
            Place::Dbfs => match self.dbfs.get_status(path).await {
                Ok(found) => {
                    let raw = RawValue::from_string(String::from_utf8_lossy(found.raw()).trim().to_owned())?;
                    Some(dbfs_item(at.clone(), &found, raw))
                }
                Err(error) if error.is_not_found() => None,
                Err(error) => return Err(error.into()),
            },
        };
        match found {
            Some(item) if at.says_directory && !item.is_directory => {
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
                let items = all.map(|raw| {
                    let entry: types::DirectoryEntry = serde_json::from_str(raw.get())?;
                    let location = below(at, entry.name.as_deref().or(entry.path.as_deref()))?;
                    let size = entry.file_size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
                    Ok(Item { location, is_directory: entry.is_directory == Some(true), size, raw })
                });
                items.collect()
            }
            Place::Dbfs => {
                let all = self.dbfs.list_json(&at.path).await?.into_iter();
                let items = all.map(|raw| {
                    let entry: types::DbfsFileInfo = serde_json::from_str(raw.get())?;
                    Ok(dbfs_item(below(at, entry.path.as_deref())?, &entry, raw))
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
        }
    }

    /// Deletes a file, or a directory with everything in it.
    pub(super) async fn delete(&self, at: &Location, is_directory: bool) -> Result {
        match (at.place, is_directory) {
            (Place::Volumes, true) => self.files.delete_all(&at.path).await.map(drop)?,
            (Place::Volumes, false) => self.files.delete(&at.path).await?,
            (Place::Dbfs, _) => self.dbfs.delete(&at.path, is_directory).await?,
            (Place::Local | Place::Standard, _) => {
                return Err(Failure::usage(format!("this path is not in the workspace: {at}")));
            }
        }
        Ok(())
    }

    pub(super) async fn upload(&self, content: Content, to: &Location, overwrite: bool) -> Result {
        match to.place {
            Place::Dbfs => self.dbfs.upload(&to.path, content, overwrite).await?,
            _ => self.files.upload(&to.path, content, overwrite).await?,
        }
        Ok(())
    }

    /// Downloads a file of the workspace into one of this machine.
    pub(super) async fn download(&self, from: &Location, to: &Path, overwrite: bool) -> Result<u64> {
        Ok(match from.place {
            Place::Dbfs => self.dbfs.download_file(&from.path, to, overwrite).await?,
            _ => self.files.download_file(&from.path, to, overwrite).await?,
        })
    }

    /// Downloads a file of the workspace into a writer.
    pub(super) async fn read(
        &self,
        from: &Location,
        to: &mut (impl AsyncWrite + Send + Unpin),
    ) -> brickwire_actions::Result<u64> {
        match from.place {
            Place::Dbfs => self.dbfs.download(&from.path, to).await,
            _ => self.files.download(&from.path, to).await,
        }
    }
}

/// The path of this machine.
pub(super) fn local(at: &Location) -> &Path {
    match at.path.as_str() {
        "" => Path::new("."),
        path => Path::new(path),
    }
}

fn item(location: Location, is_directory: bool, size: u64, raw: &serde_json::Value) -> Result<Item> {
    Ok(Item { location, is_directory, size, raw: serde_json::value::to_raw_value(raw)? })
}

fn dbfs_item(location: Location, entry: &types::DbfsFileInfo, raw: Box<RawValue>) -> Item {
    let size = entry.file_size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
    Item { location, is_directory: entry.is_dir == Some(true), size, raw }
}

fn local_item(location: Location, known: &Metadata) -> Result<Item> {
    let raw = json!({ "path": location.path, "is_directory": known.is_dir(), "file_size": known.len() });
    item(location, known.is_dir(), known.len(), &raw)
}

/// The links of a directory are followed to files. Those to directories are left out: they may lead in a circle.
fn list_local(at: &Location) -> Result<Vec<Item>> {
    let failed = |error: io::Error| Failure::file(local(at), &error);
    let mut items = Vec::new();
    for found in fs::read_dir(local(at)).map_err(failed)? {
        let found = found.map_err(failed)?;
        let name = found.file_name().into_string();
        let name =
            name.map_err(|name| Failure::local(format!("a name that is not UTF-8: {}", name.display())))?;
        let path = found.path();
        let known = fs::metadata(&path).map_err(|error| Failure::file(&path, &error))?;
        let is_link = found.file_type().is_ok_and(|kind| kind.is_symlink());
        if !(is_link && known.is_dir()) {
            items.push(local_item(at.join(&name), &known)?);
        }
    }
    items.sort_by(|a, b| a.location.path.cmp(&b.location.path));
    Ok(items)
}

/// An entry of a directory of the workspace. Its name becomes one on this machine, so it must not lead elsewhere.
fn below(directory: &Location, path: Option<&str>) -> Result<Location> {
    let name = path.unwrap_or_default().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let mut parts = Path::new(name).components();
    let is_plain =
        matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name);
    if !is_plain || name.contains('\0') {
        let text = format!("the service lists an entry that is no name of a file: {name:?} in {directory}");
        return Err(Failure::new(ErrorKind::UnexpectedResponse, text));
    }
    Ok(directory.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_stays_in_its_directory() {
        let directory: Location = "/Volumes/a/b/c".parse().unwrap();
        assert_eq!(below(&directory, Some("/Volumes/a/b/c/d")).unwrap().path, "/Volumes/a/b/c/d");
        for bad in [None, Some(""), Some("/"), Some(".."), Some("a/.."), Some("a\0")] {
            assert_eq!(below(&directory, bad).unwrap_err().kind(), ErrorKind::UnexpectedResponse, "{bad:?}");
        }
    }
}
