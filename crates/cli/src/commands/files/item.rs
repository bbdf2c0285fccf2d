//! A file or a directory of any place: what the copying needs of it, and all that the service says of it.

use std::{
    fs::{self, Metadata},
    io,
    path::{Component, Path},
};

use brickwire_actions::{
    ErrorKind, Objects,
    types::{DbfsFileInfo, DirectoryEntry, WorkspaceObjectInfo, WorkspaceObjectType},
};
use serde_json::{Value, json, value::RawValue};

use super::location::Location;
use crate::failure::{Failure, Result};

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File,
    /// Of the workspace. What is read is its source, and elsewhere its name ends with this.
    Notebook(&'static str),
    /// An object of the workspace that has no content, such as a library.
    Other,
}

/// A file or a directory.
pub(super) struct Item {
    pub(super) location: Location,
    pub(super) kind: Kind,
    /// In bytes; 0 if it isn't known.
    pub(super) size: u64,
    /// As the service shows it.
    pub(super) raw: Box<RawValue>,
}

impl Item {
    pub(super) fn new(location: Location, is_directory: bool, size: u64, raw: &Value) -> Result<Self> {
        let raw = serde_json::value::to_raw_value(raw)?;
        Ok(Self { location, kind: kind(is_directory), size, raw })
    }

    /// An entry of a directory in a volume.
    pub(super) fn in_volume(directory: &Location, raw: Box<RawValue>) -> Result<Self> {
        let entry: DirectoryEntry = serde_json::from_str(raw.get())?;
        let location = below(directory, entry.name.as_deref().or(entry.path.as_deref()))?;
        let (kind, size) = (kind(entry.is_directory == Some(true)), bytes(entry.file_size));
        Ok(Self { location, kind, size, raw })
    }

    pub(super) fn in_dbfs(location: Location, entry: &DbfsFileInfo, raw: Box<RawValue>) -> Self {
        let (kind, size) = (kind(entry.is_dir == Some(true)), bytes(entry.file_size));
        Self { location, kind, size, raw }
    }

    pub(super) fn in_workspace(location: Location, object: &WorkspaceObjectInfo, raw: Box<RawValue>) -> Self {
        let kind = match object.object_type {
            Some(WorkspaceObjectType::Directory | WorkspaceObjectType::Repo) => Kind::Directory,
            Some(WorkspaceObjectType::File | WorkspaceObjectType::Dashboard) => Kind::File,
            Some(WorkspaceObjectType::Notebook) => {
                Kind::Notebook(Objects::source_extension(object.language.as_ref()))
            }
            _ => Kind::Other,
        };
        Self { location, kind, size: bytes(object.size), raw }
    }

    pub(super) fn on_this_machine(location: Location, known: &Metadata) -> Result<Self> {
        let raw = json!({ "path": location.path, "is_directory": known.is_dir(), "file_size": known.len() });
        Self::new(location, known.is_dir(), known.len(), &raw)
    }

    pub(super) fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }

    /// The name that a copy of it gets.
    pub(super) fn file_name(&self) -> Result<String> {
        let nameless = || Failure::usage(format!("this path has no name of its own: {}", self.location));
        let name = self.location.name().ok_or_else(nameless)?;
        Ok(match self.kind {
            Kind::Notebook(extension) => format!("{name}{extension}"),
            _ => name.to_owned(),
        })
    }
}

fn kind(is_directory: bool) -> Kind {
    if is_directory { Kind::Directory } else { Kind::File }
}

fn bytes(size: Option<i64>) -> u64 {
    size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default()
}

/// An entry of a directory of the workspace. Its name becomes one on this machine, so it must not lead elsewhere.
pub(super) fn below(directory: &Location, path: Option<&str>) -> Result<Location> {
    let name = path.unwrap_or_default().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let mut parts = Path::new(name).components();
    let is_plain =
        matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name);
    if !is_plain || name.contains('\0') {
        let text = format!("the service returned an invalid file name: {name:?} in {directory}");
        return Err(Failure::new(ErrorKind::UnexpectedResponse, text));
    }
    Ok(directory.join(name))
}

/// The path of this machine.
pub(super) fn local(at: &Location) -> &Path {
    match at.path.as_str() {
        "" => Path::new("."),
        path => Path::new(path),
    }
}

/// The links of a directory are followed to files. Those to directories are left out: they may lead in a circle.
pub(super) fn list_local(at: &Location) -> Result<Vec<Item>> {
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
            items.push(Item::on_this_machine(at.join(&name), &known)?);
        }
    }
    items.sort_by(|a, b| a.location.path.cmp(&b.location.path));
    Ok(items)
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

    #[test]
    fn an_object_is_what_its_type_says() {
        for (object, kind, name) in [
            (
                r#"{"object_type":"NOTEBOOK","language":"SQL","object_id":1}"#,
                Kind::Notebook(".sql"),
                "a b.sql",
            ),
            (r#"{"object_type":"NOTEBOOK"}"#, Kind::Notebook(".txt"), "a b.txt"),
            (r#"{"object_type":"FILE","size":7,"language":null}"#, Kind::File, "a b"),
            (r#"{"object_type":"REPO"}"#, Kind::Directory, "a b"),
            (r#"{"object_type":"LIBRARY"}"#, Kind::Other, "a b"),
            (r#"{"object_type":"MLFLOW_EXPERIMENT"}"#, Kind::Other, "a b"),
            ("{}", Kind::Other, "a b"),
        ] {
            let raw = RawValue::from_string(object.to_owned()).unwrap();
            let known = serde_json::from_str(object).unwrap();
            let item = Item::in_workspace("/Workspace/x/a b".parse().unwrap(), &known, raw);
            assert_eq!((item.kind, item.file_name().unwrap().as_str()), (kind, name), "{object}");
        }
    }
}
