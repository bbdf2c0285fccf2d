//! What becomes of each operation of the description: docs/coverage.md, derived from the sources.
//!
//! It shows where an operation goes, and where it stops: most are actions and commands and exist in the sandbox, some are
//! methods of the client only. The action and the command are found by name, so they are a hint and not a proof:
//! - An action is a public method that calls the operation, or names it in its documentation ("Operation: `jobs_get`").
//! - A command leads to the actions that its code calls by name.
//! - The sandbox has a route if a `.route(...)` of the router has its path and method.
//! - A test is counted if it names the operation or its path.

mod actions;
mod commands;
mod evidence;
mod operation;
mod routes;
mod rust;
mod table;

use std::{fs, path::Path};

use anyhow::{Context, Result};

use self::operation::Operation;
use crate::load;

/// Where the table is.
pub(crate) const FILE: &str = "docs/coverage.md";

/// The table as text, and what is wrong: an operation that has an action and no route in the sandbox, or a route whose
/// path can't be told from the source.
pub(crate) fn make(root: &Path) -> Result<(String, Vec<String>)> {
    let document = load::load(&root.join("spec"))?;
    let mut operations: Vec<Operation> = load::operations(&document)
        .map(|(method, path, operation)| Operation {
            id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
            service: operation["tags"][0].as_str().unwrap_or_default().to_owned(),
            method: method.to_uppercase(),
            path: path.to_owned(),
            ..Operation::default()
        })
        .collect();
    operations.sort_by(|a, b| (&a.service, &a.id).cmp(&(&b.service, &b.id)));

    let client = root.join("crates/client/src/generated.rs");
    let client = fs::read_to_string(&client).with_context(|| format!("cannot read {}", client.display()))?;
    let ids: Vec<&str> = operations.iter().map(|operation| operation.id.as_str()).collect();
    let actions = actions::Actions::read(&root.join("crates/actions/src"), &ids)?;
    let commands = commands::read(root, &actions)?;
    let routes = routes::read(&root.join("crates/sandbox/src/routes"))?;
    for operation in &mut operations {
        operation.in_client = client.contains(&format!("pub async fn {}(", operation.id));
        operation.in_actions = actions.uses(&operation.id);
        operation.action = actions.method(&operation.id);
        operation.commands = commands.get(&operation.id).cloned().unwrap_or_default();
        operation.in_sandbox = routes.answer(&operation.method, &operation.path);
    }
    evidence::find(root, &mut operations)?;
    let missing = operations.iter().filter(|operation| operation.in_actions && !operation.in_sandbox);
    let missing = missing
        .map(|o| format!("{}: it has an action, but the sandbox has no route {} {}", o.id, o.method, o.path));
    let findings = routes.unreadable.iter().cloned().chain(missing).collect();
    Ok((table::text(&operations), findings))
}
