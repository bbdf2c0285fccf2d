//! The endpoints of a fresh workspace.

use serde_json::{Value, json};

/// An endpoint whose model answers with its own rows.
pub const ECHO_ENDPOINT: &str = "echo";
/// A chat that repeats what it is told.
pub const CHAT_ENDPOINT: &str = "databricks-echo-chat";
/// Embeddings, eight numbers of each text.
pub const EMBEDDINGS_ENDPOINT: &str = "databricks-echo-embeddings";
/// A function of Python, which doubles the column `x`.
pub const FUNCTION_ENDPOINT: &str = "double";

/// A model that is never deployed.
pub(super) const BROKEN: &str = "sandbox.models.broken";

const FUNCTION_PATH: &str = "/Workspace/Shared/models/double.py";
const FUNCTION: &str = "def predict(request):
    rows = request[\"dataframe_records\"]
    print(\"doubling\", len(rows), \"rows\")
    return [2 * row[\"x\"] for row in rows]
";

/// The content of a seeded function's file.
pub(super) fn file(path: &str) -> Option<&'static str> {
    (path == FUNCTION_PATH).then_some(FUNCTION)
}

/// Name, task and entity of each.
pub(super) fn endpoints() -> Vec<(&'static str, Option<&'static str>, Value)> {
    let foundation = |name: &str, shown: &str| json!({ "name": name, "foundation_model": { "name": name, "display_name": shown, "description": "An echo." } });
    let custom = |name: &str, entity: &str| {
        json!({ "name": name, "entity_name": entity, "entity_version": "1", "workload_size": "Small",
            "workload_type": "CPU", "scale_to_zero_enabled": false })
    };
    vec![
        (CHAT_ENDPOINT, Some("llm/v1/chat"), foundation("system.ai.echo_chat", "Echo Chat")),
        (
            EMBEDDINGS_ENDPOINT,
            Some("llm/v1/embeddings"),
            foundation("system.ai.echo_embeddings", "Echo Embeddings"),
        ),
        (FUNCTION_ENDPOINT, None, custom("double-1", FUNCTION_PATH)),
        (ECHO_ENDPOINT, None, custom("echo-1", "sandbox.models.echo")),
    ]
}
