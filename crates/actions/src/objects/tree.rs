//! Recursive lists: level by level, a few folders at a time.

use std::collections::HashSet;

use brickwire_client::types;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Objects, path};
use crate::{Error, List, Result, list};

/// How many folders are listed at a time.
const AT_A_TIME: usize = 8;
/// What all objects may take as JSON, in bytes.
const LARGEST: usize = 256 << 20;

/// What the search needs of an object.
#[derive(Deserialize)]
struct Reference {
    path: Option<String>,
    object_type: Option<String>,
}

impl Objects {
    /// Lists a folder and all folders below it: first what is directly in it, then what is one level deeper, and so on.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let all = workspace.objects().list_recursive("/Shared").await?;
    /// println!("{} objects", all.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list), for each of the folders. One that is deleted in the meantime is not an error.
    pub async fn list_recursive(&self, path: &str) -> Result<List<types::WorkspaceObjectInfo>> {
        list::decoded(self.list_recursive_json(path).await?, "objects")
    }

    /// Lists a folder and all folders below it as JSON, each object as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for object in workspace.objects().list_recursive_json("/Shared").await? {
    ///     println!("{object}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list_recursive`](Self::list_recursive).
    pub async fn list_recursive_json(&self, path: &str) -> Result<Vec<Box<RawValue>>> {
        below(self, path::checked(path)?).await
    }
}

/// All objects below a folder. A folder is searched once, and only if it is below the one that lists it.
async fn below(objects: &Objects, folder: &str) -> Result<Vec<Box<RawValue>>> {
    let mut found = objects.list_json(folder).await?;
    let mut size = size_of(&found);
    let (mut folders, mut known) = (folders_in(folder, &found), HashSet::new());
    while !folders.is_empty() {
        folders.retain(|folder| known.insert(folder.clone()));
        let mut lists = stream::iter(std::mem::take(&mut folders))
            .map(|folder| async move { (objects.list_json(&folder).await, folder) })
            .buffered(AT_A_TIME);
        while let Some((listed, folder)) = lists.next().await {
            let listed = match listed {
                // Deleted in the meantime.
                Err(error) if error.is_not_found() => continue,
                listed => listed?,
            };
            size += size_of(&listed);
            if size > LARGEST {
                let count = found.len();
                let text = format!("the list is longer than {} MiB after {count} objects", LARGEST >> 20);
                return Err(Error::unexpected(text));
            }
            folders.extend(folders_in(&folder, &listed));
            found.extend(listed);
        }
    }
    Ok(found)
}

fn size_of(listed: &[Box<RawValue>]) -> usize {
    listed.iter().map(|object| object.get().len()).sum()
}

fn folders_in(parent: &str, listed: &[Box<RawValue>]) -> Vec<String> {
    let of = |object: &RawValue| -> Option<String> {
        let Reference { path, object_type } = serde_json::from_str(object.get()).ok()?;
        let path = path.filter(|path| path::relative(parent, path).is_some())?;
        matches!(object_type?.as_str(), "DIRECTORY" | "REPO").then_some(path)
    };
    listed.iter().filter_map(|object| of(object)).collect()
}
