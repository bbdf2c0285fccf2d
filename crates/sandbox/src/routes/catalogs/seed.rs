//! What a fresh workspace has in Unity Catalog in addition to the tables that SQL knows.

use serde_json::{Value, json};

use super::document::{Document, Privileges};

/// A registered model with two versions; `champion` is the second.
pub const MODEL: &str = "main.default.churn";

pub(super) fn describe(model: &mut Document) {
    model.insert("comment".to_owned(), json!("Who leaves within a month"));
    model.insert("aliases".to_owned(), json!([{ "alias_name": "champion", "version_num": 2 }]));
}

/// The versions of the model, with their numbers.
pub(super) fn versions() -> Vec<(u64, Document)> {
    let version = |number: u64, run: &str| {
        let version = json!({
            "version": number,
            "status": "READY",
            "run_id": run,
            "run_workspace_id": 9_007_199_254_740_993_u64,
            "source": format!("dbfs:/databricks/mlflow-tracking/3141592653589793/{run}/artifacts/model"),
        });
        (number, if let Value::Object(version) = version { version } else { Document::new() })
    };
    vec![version(1, "7c1de3f09a5b4e62b8d7310f9a2c4e51"), version(2, "e05b9d2c71f84a3796c0d5187be32f6a")]
}

/// What users may do from the start.
pub(super) fn grants() -> std::collections::BTreeMap<(String, String), Privileges> {
    let granted = |kind: &str, name: &str, privileges: &[&str]| {
        let privileges = privileges.iter().map(|name| (*name).to_owned()).collect();
        let everyone = Privileges::from([("account users".to_owned(), privileges)]);
        ((kind.to_owned(), name.replace('.', "\0")), everyone)
    };
    [
        granted("catalog", "main", &["USE_CATALOG"]),
        granted("catalog", "samples", &["EXECUTE", "READ_VOLUME", "SELECT", "USE_CATALOG", "USE_SCHEMA"]),
        granted("schema", "main.default", &["CREATE_MODEL", "CREATE_TABLE", "CREATE_VOLUME", "USE_SCHEMA"]),
    ]
    .into()
}
