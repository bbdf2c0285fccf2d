//! Completion of full names in Unity Catalog, part by part: `ma` becomes `main.`, and `main.de` becomes `main.default.`.

use std::ffi::OsStr;

use brickwire_actions::Workspace;
use clap_complete::CompletionCandidate;

use crate::candidates::{live, live_names};

/// Catalogs.
pub(crate) fn catalogs(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, Workspace::catalogs)
}

/// Schemas of the catalog that was typed.
pub(crate) fn schemas(current: &OsStr) -> Vec<CompletionCandidate> {
    match catalog(current) {
        None => starts(current),
        Some(catalog) => live_names(current, &format!("schemas in {catalog}"), async |workspace| {
            schemas_of(workspace, &catalog, "").await
        }),
    }
}

/// Tables of the schema that was typed.
pub(crate) fn tables(current: &OsStr) -> Vec<CompletionCandidate> {
    part_by_part(current, "tables", async |workspace, schema| workspace.tables().names(schema).await.ok())
}

/// Functions of the schema that was typed.
pub(crate) fn functions(current: &OsStr) -> Vec<CompletionCandidate> {
    part_by_part(current, "functions", async |workspace, schema| {
        let all = workspace.functions().list(schema).await.ok()?;
        Some(all.into_iter().filter_map(|function| function.full_name).collect())
    })
}

/// Volumes of the schema that was typed.
pub(crate) fn volumes(current: &OsStr) -> Vec<CompletionCandidate> {
    part_by_part(current, "volumes", async |workspace, schema| {
        let (catalog, schema) = schema.split_once('.')?;
        let all = workspace.volumes().list(catalog, schema).await.ok()?;
        Some(all.into_iter().filter_map(|volume| volume.full_name).collect())
    })
}

/// Registered models of the schema that was typed.
pub(crate) fn models(current: &OsStr) -> Vec<CompletionCandidate> {
    part_by_part(current, "models", async |workspace, schema| {
        let all = workspace.models().list(Some(schema)).await.ok()?;
        Some(all.into_iter().filter_map(|model| model.full_name).collect())
    })
}

fn part_by_part(
    current: &OsStr,
    what: &str,
    list: impl AsyncFnOnce(&Workspace, &str) -> Option<Vec<String>>,
) -> Vec<CompletionCandidate> {
    let typed = current.to_string_lossy();
    let Some(catalog) = catalog(current) else { return starts(current) };
    match typed.rsplit_once('.') {
        Some((schema, _)) if schema.contains('.') => {
            live_names(current, &format!("{what} in {schema}"), async |workspace| {
                list(workspace, schema).await
            })
        }
        _ => live_names(current, &format!("schema starts in {catalog}"), async |workspace| {
            schemas_of(workspace, &catalog, ".").await
        }),
    }
}

/// The catalog that was typed with the dot after it.
fn catalog(current: &OsStr) -> Option<String> {
    current.to_string_lossy().split_once('.').map(|(catalog, _)| catalog.to_owned())
}

/// Catalogs with a dot after them.
fn starts(current: &OsStr) -> Vec<CompletionCandidate> {
    live_names(current, "catalog starts", async |workspace| {
        let all = workspace.catalogs().list().await.ok()?;
        Some(all.into_iter().filter_map(|catalog| catalog.name).map(|name| name + ".").collect())
    })
}

async fn schemas_of(workspace: &Workspace, catalog: &str, end: &str) -> Option<Vec<String>> {
    let all = workspace.schemas().list(catalog).await.ok()?;
    Some(all.into_iter().filter_map(|schema| schema.full_name).map(|name| name + end).collect())
}
