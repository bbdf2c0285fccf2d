//! The tools as clients see them. Every session pays for their descriptions, so they are short.

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

/// What a user has allowed beyond reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    pub(super) writes: bool,
    pub(super) code: bool,
    pub(super) compute: bool,
}

/// The tools that are allowed.
pub(super) fn all(allowed: Allowed) -> Vec<Tool> {
    let mut tools = vec![sql_query(), describe(), list(), statement()];
    tools.extend(allowed.writes.then(sql_execute));
    tools.extend(allowed.code.then(run_code));
    tools.extend(allowed.compute.then(compute));
    tools
}

fn tool(
    name: &'static str,
    about: &'static str,
    required: &[&str],
    properties: Value,
    kind: ToolAnnotations,
) -> Tool {
    let mut schema = JsonObject::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties);
    schema.insert("required".to_owned(), json!(required));
    schema.insert("additionalProperties".to_owned(), false.into());
    Tool::new(name, about, schema).with_annotations(kind)
}

fn reads() -> ToolAnnotations {
    ToolAnnotations::new().read_only(true).open_world(false)
}

fn changes(is_destructive: bool) -> ToolAnnotations {
    ToolAnnotations::new().read_only(false).destructive(is_destructive).open_world(false)
}

/// A string, an integer from 1, or one of some words, each with its description.
fn text(about: &str) -> Value {
    json!({ "type": "string", "description": about })
}

fn number(most: u64, about: &str) -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": most, "description": about })
}

fn word(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

const PARAMS: &str =
    "Values of :name markers: string, number, boolean, null, or {\"type\":\"DATE\",\"value\":\"2024-01-31\"}";
const WAREHOUSE: &str = "ID or name; default: the configured one";

fn sql_query() -> Tool {
    let about = "Run one SQL statement that reads (SELECT, WITH, SHOW, DESCRIBE, EXPLAIN …) and get a preview of its rows. \
                 Statements that write are refused.";
    let properties = json!({
        "sql": text("One statement"),
        "params": { "type": "object", "description": PARAMS },
        "catalog": text("Default catalog"),
        "schema": text("Default schema"),
        "warehouse": text(WAREHOUSE),
        "max_rows": number(super::sql::MOST_ROWS, "Rows to show, default 200"),
        "timeout_s": number(super::call::LONGEST, "Cancel after this many seconds, default 300"),
    });
    tool("sql_query", about, &["sql"], properties, reads())
}

fn describe() -> Tool {
    let about = "Columns, types, comments, and sample rows of Unity Catalog tables.";
    let properties = json!({
        "tables": {
            "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": super::describe::MOST_TABLES,
            "description": "Full names: catalog.schema.table",
        },
        "sample_rows": {
            "type": "integer", "minimum": 0, "maximum": super::describe::MOST_ROWS,
            "description": "Per table, default 3; with 0 no warehouse is needed",
        },
        "warehouse": text(WAREHOUSE),
    });
    tool("describe", about, &["tables"], properties, reads())
}

fn list() -> Tool {
    let about = "List what is in the workspace.";
    let properties = json!({
        "kind": word(&["catalogs", "schemas", "tables", "warehouses", "clusters"]),
        "in": text("Catalog (for schemas) or catalog.schema (for tables)"),
        "name": text("Only names that contain this text"),
    });
    tool("list", about, &["kind"], properties, reads())
}

fn statement() -> Tool {
    let about = "A statement by its ID: rows from an offset (waits for its end), its status, or cancel it.";
    let properties = json!({
        "id": text("Statement ID, from a summary line"),
        "action": word(&["rows", "status", "cancel"]),
        "offset": { "type": "integer", "minimum": 0, "description": "First row to show, default 0" },
        "max_rows": number(super::sql::MOST_ROWS, "Rows to show, default 200"),
    });
    // Canceling ends work, and changes no data.
    tool("statement", about, &["id"], properties, changes(false).idempotent(true))
}

fn sql_execute() -> Tool {
    let about = "Run SQL statements that may change data, in order, up to the first failure.";
    let properties = json!({
        "sql": text("Statements, separated by ;"),
        "params": { "type": "object", "description": PARAMS },
        "catalog": text("Default catalog"),
        "schema": text("Default schema"),
        "warehouse": text(WAREHOUSE),
        "timeout_s": number(super::call::LONGEST, "Cancel after this many seconds, default 300"),
    });
    tool("sql_execute", about, &["sql"], properties, changes(true))
}

fn run_code() -> Tool {
    let about = "Run code on a running cluster and get its output.";
    let properties = json!({
        "code": text("The code"),
        "cluster": text("ID or name; default: the configured one"),
        "language": word(&["python", "sql", "scala", "r"]),
        "context": text("ID of a context whose state to share, or new to keep one; the answer has its ID"),
        "timeout_s": number(super::call::LONGEST, "Cancel after this many seconds, default 300"),
    });
    tool("run_code", about, &["code"], properties, changes(true))
}

fn compute() -> Tool {
    let about = "Start or stop a warehouse or a cluster. Returns at once; `list` shows the state.";
    let properties = json!({
        "kind": word(&["warehouse", "cluster"]),
        "id": text("ID or name"),
        "action": word(&["start", "stop"]),
    });
    tool("compute", about, &["kind", "id", "action"], properties, changes(true).idempotent(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(tools: &[Tool]) -> Vec<&str> {
        tools.iter().map(|tool| tool.name.as_ref()).collect()
    }

    #[test]
    fn only_tools_that_read_are_there_by_default() {
        let none = Allowed { writes: false, code: false, compute: false };
        assert_eq!(names(&all(none)), ["sql_query", "describe", "list", "statement"]);
        let tools = all(Allowed { writes: true, ..none });
        assert_eq!(names(&tools)[4..], ["sql_execute"]);
        let destructive = |name: &str| {
            let all = all(Allowed { writes: true, code: true, compute: true });
            let tool = all.iter().find(|tool| tool.name == name).unwrap().clone();
            let kind = tool.annotations.unwrap();
            (kind.read_only_hint.unwrap(), kind.is_destructive())
        };
        assert!(destructive("sql_query").0);
        for name in ["sql_execute", "run_code", "compute"] {
            assert_eq!(destructive(name), (false, true), "{name}");
        }
    }

    #[test]
    fn the_list_is_small() {
        let bytes = |allowed| serde_json::to_string(&json!({ "tools": all(allowed) })).unwrap().len();
        let few = bytes(Allowed { writes: false, code: false, compute: false });
        let many = bytes(Allowed { writes: true, code: true, compute: true });
        assert!(few <= 4000 && many <= 8000, "{few} {many}");
    }
}
