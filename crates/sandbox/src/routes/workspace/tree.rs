//! The objects of a workspace by their paths, and the rules of the tree.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{
    object::{Kind, Object},
    seed,
};
use crate::{
    error::ApiError,
    lock::lock,
    server::Server,
    tenant::{ServiceState, Tenant, kept},
};

/// The largest content of an object that goes in or out, in bytes.
pub(in crate::routes) const LARGEST: usize = 10 << 20;
/// What the objects of a workspace may take in all, in bytes, and how many there may be.
const ROOM: usize = 512 << 20;
const MOST: usize = 100_000;
/// No double holds it.
const FIRST_ID: i64 = 9_007_199_254_741_993;

/// The objects of a workspace.
pub(crate) struct Objects(Mutex<Known>);

/// Keyed by path; the root's is empty.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Known {
    by_path: BTreeMap<String, Object>,
    bytes: usize,
}

impl ServiceState for Objects {
    fn fresh(tenant: &Tenant) -> Self {
        let mut known = Known::default();
        for (n, (path, mut object)) in seed::objects(tenant.opened_ms).into_iter().enumerate() {
            object.id = FIRST_ID + 2 * i64::try_from(n).unwrap_or_default();
            known.by_path.insert(path, object);
        }
        Self(Mutex::new(known))
    }
}

kept!(Objects);

impl Objects {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Known> {
        lock(&self.0)
    }
}

/// The path under which an object is kept: slashes in a row are one, and `/Workspace` in front goes.
pub(in crate::routes) fn normal(path: &str) -> Result<String, ApiError> {
    if !path.starts_with('/') {
        return Err(ApiError::invalid(format!("Path ({path}) doesn't start with '/'")));
    }
    let mut names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    if names.iter().any(|name| matches!(*name, "." | "..")) {
        return Err(ApiError::invalid(format!("Path ({path}) contains a relative part")));
    }
    if names.first() == Some(&"Workspace") {
        names.remove(0);
    }
    Ok(names.iter().map(|name| format!("/{name}")).collect())
}

pub(in crate::routes) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

pub(super) fn too_large() -> ApiError {
    let message = format!("The content is larger than {LARGEST} bytes");
    ApiError::new(StatusCode::BAD_REQUEST, "MAX_NOTEBOOK_SIZE_EXCEEDED", message)
}

fn exists(path: &str) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "RESOURCE_ALREADY_EXISTS",
        format!("Path ({path}) already exists."),
    )
}

impl Known {
    pub(crate) fn get(&self, path: &str) -> Result<&Object, ApiError> {
        self.by_path.get(path).ok_or_else(|| ApiError::not_found(format!("Path ({path}) doesn't exist.")))
    }

    /// Every Git folder with its path.
    pub(crate) fn repos(&self) -> impl Iterator<Item = (&str, &Object)> {
        self.by_path
            .iter()
            .filter(|(_, object)| object.kind == Kind::Repo)
            .map(|(path, o)| (path.as_str(), o))
    }

    pub(crate) fn repo_mut(&mut self, id: i64) -> Option<&mut Object> {
        self.by_path.values_mut().find(|object| object.id == id && object.kind == Kind::Repo)
    }

    /// What is directly in a folder.
    pub(crate) fn children<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a Object)> {
        self.below(folder).filter(move |(path, _)| parent(path) == folder)
    }

    fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a Object)> {
        let first = format!("{folder}/");
        let all = self.by_path.range(first.clone()..);
        all.take_while(move |(path, _)| path.starts_with(&first))
            .map(|(path, object)| (path.as_str(), object))
    }

    pub(crate) fn mkdirs(&mut self, path: &str, server: &Server) -> Result<(), ApiError> {
        let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
        for at in ends {
            match self.by_path.get(&path[..at]) {
                Some(object) if object.is_folder() => {}
                Some(_) => return Err(exists(&path[..at])),
                None => {
                    self.check_room(0)?;
                    let folder = Object::folder(server.new_id(), server.now_ms());
                    self.by_path.insert(path[..at].to_owned(), folder);
                }
            }
        }
        Ok(())
    }

    /// Puts an object at a path, in place of one of the same kind if that is allowed. It keeps the id and the time of
    /// the one before.
    pub(crate) fn put(&mut self, path: &str, mut object: Object, overwrite: bool) -> Result<(), ApiError> {
        let folder = parent(path);
        if self.by_path.get(folder).is_none_or(|folder| !folder.is_folder()) {
            return Err(ApiError::not_found(format!("The parent folder ({folder}) does not exist.")));
        }
        let mut freed = 0;
        match self.by_path.get(path) {
            Some(_) if !overwrite => return Err(exists(path)),
            Some(old) if old.kind != object.kind => {
                return Err(ApiError::invalid(format!(
                    "Cannot overwrite the asset at {path} due to type mismatch (asked: {:?}, actual: {:?})",
                    object.kind, old.kind
                )));
            }
            Some(old) => {
                (object.id, object.created_ms, freed) = (old.id, old.created_ms, old.content.len());
            }
            None => {}
        }
        self.bytes -= freed.min(self.bytes);
        self.check_room(object.content.len())?;
        self.bytes += object.content.len();
        self.by_path.insert(path.to_owned(), object);
        Ok(())
    }

    fn check_room(&self, bytes: usize) -> Result<(), ApiError> {
        if self.by_path.len() >= MOST || self.bytes + bytes > ROOM {
            let message = "The workspace of this sandbox has no room for more objects";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "RESOURCE_LIMIT_EXCEEDED", message));
        }
        Ok(())
    }

    pub(crate) fn delete(&mut self, path: &str, recursive: bool) -> Result<(), ApiError> {
        let object = self.get(path)?;
        if path.is_empty() || ["/Users", "/Shared", "/Repos"].contains(&path) || path == seed::home() {
            return Err(ApiError::invalid(format!("Folder {path} is protected and cannot be deleted.")));
        }
        // A Git folder goes as a whole.
        if !recursive && object.kind == Kind::Directory && self.below(path).next().is_some() {
            let message = format!("Folder ({path}) is not empty");
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "DIRECTORY_NOT_EMPTY", message));
        }
        let first = format!("{path}/");
        let gone =
            self.by_path.extract_if(path.to_owned().., |key, _| key == path || key.starts_with(&first));
        let freed: usize = gone.map(|(_, object)| object.content.len()).sum();
        self.bytes -= freed.min(self.bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &'static [u8]) -> Object {
        Object { kind: Kind::File, content: content.into(), ..Object::folder(1, 2) }
    }

    #[test]
    fn a_path_has_one_form() {
        for (path, expected) in [
            ("/", ""),
            ("//a///b/", "/a/b"),
            ("/Workspace", ""),
            ("/Workspace/a", "/a"),
            ("/Workspaces", "/Workspaces"),
        ] {
            assert_eq!(normal(path).unwrap(), expected);
        }
        assert!(["", "a", "/a/../b", "/."].iter().all(|path| normal(path).is_err()));
    }

    #[test]
    fn a_folder_goes_with_all_that_is_in_it_and_nothing_else() {
        let mut known = Known::default();
        for path in ["", "/a", "/a/b", "/ab"] {
            known.by_path.insert(path.to_owned(), Object::folder(1, 2));
        }
        for path in ["/a-c", "/a/b/c", "/ab/d"] {
            known.put(path, file(b"123"), false).unwrap();
        }
        assert!(known.delete("/a", false).is_err());
        known.delete("/a", true).unwrap();
        assert_eq!(known.by_path.keys().collect::<Vec<_>>(), ["", "/a-c", "/ab", "/ab/d"]);
        assert_eq!(known.bytes, 6);
        assert_eq!(known.children("").map(|(path, _)| path).collect::<Vec<_>>(), ["/a-c", "/ab"]);
    }

    #[test]
    fn an_object_replaces_only_its_like() {
        let mut known = Known::default();
        known.by_path.insert(String::new(), Object::folder(1, 2));
        known.put("/f", file(b"12345"), false).unwrap();
        assert!(known.put("/f", file(b"1"), false).is_err() && known.put("/g/f", file(b"1"), true).is_err());
        known.put("/f", Object { id: 7, created_ms: 9, ..file(b"12") }, true).unwrap();
        let kept = known.get("/f").unwrap();
        assert_eq!((kept.id, kept.created_ms, known.bytes), (1, 2, 2));
        assert!(known.put("/f", Object { kind: Kind::Notebook, ..file(b"1") }, true).is_err());
    }
}
