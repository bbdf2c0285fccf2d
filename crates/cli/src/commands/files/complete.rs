//! Completion of paths, one directory at a time.

use std::ffi::OsStr;

use brickwire_actions::Workspace;
use clap_complete::{CompletionCandidate, PathCompleter, engine::ValueCompleter};

use super::{
    item::Item,
    location::{Location, Place},
    store::Stores,
};
use crate::candidates::live_names;

/// What paths in the workspace begin with.
const ROOTS: [&str; 3] = ["/Volumes/", "/Workspace/", "dbfs:/"];

/// Paths in the workspace and on this machine.
pub(super) fn any(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut found = remote(current);
    if !ROOTS.iter().any(|root| current.to_string_lossy().starts_with(root)) {
        found.extend(PathCompleter::any().stdio().complete(current));
    }
    found
}

/// Paths in the workspace.
pub(super) fn remote(current: &OsStr) -> Vec<CompletionCandidate> {
    let typed = current.to_string_lossy();
    if !ROOTS.iter().any(|root| typed.starts_with(root)) {
        let roots = ROOTS.into_iter().filter(|root| root.starts_with(&*typed));
        return roots.map(CompletionCandidate::new).collect();
    }
    let Some((directory, _)) = typed.rsplit_once('/') else { return Vec::new() };
    let Ok(at) = format!("{directory}/").parse::<Location>();
    live_names(current, &format!("files in {directory}"), async |workspace| {
        let names = names(workspace, &at).await?.into_iter();
        Some(names.map(|name| format!("{directory}/{name}")).collect())
    })
}

/// What is in a directory; a directory has a slash at its end.
async fn names(workspace: &Workspace, at: &Location) -> Option<Vec<String>> {
    let parts: Vec<_> = at.path.split('/').skip(1).collect();
    let above: Vec<_> = match (at.place, parts.as_slice()) {
        (Place::Volumes, [_]) => {
            workspace.catalogs().list().await.ok()?.into_iter().filter_map(|catalog| catalog.name).collect()
        }
        (Place::Volumes, [_, catalog]) => {
            let schemas = workspace.schemas().list(catalog).await.ok()?;
            schemas.into_iter().filter_map(|schema| schema.name).collect()
        }
        (Place::Volumes, [_, catalog, schema]) => {
            let volumes = workspace.volumes().list(catalog, schema).await.ok()?;
            volumes.into_iter().filter_map(|volume| volume.name).collect()
        }
        _ => {
            let items = Stores::new(workspace).list(at).await.ok()?;
            let named = |item: &Item| {
                let end = if item.is_directory() { "/" } else { "" };
                Some(format!("{}{end}", item.location.name()?))
            };
            return Some(items.iter().filter_map(named).collect());
        }
    };
    Some(above.into_iter().map(|name| name + "/").collect())
}
