//! The workspace's model registry.

use crate::workspace::Workspace;

#[test]
fn models_are_listed_and_a_version_moves() {
    let workspace = Workspace::fresh();
    let models = workspace.brick("registry list -o csv").run().done().silent();
    assert_eq!(models.text().lines().count(), 3, "{}", models.text());
    let one = workspace.brick("registry list --filter").arg("name LIKE 'chu%'").run().done().json();
    assert_eq!(one.as_array().unwrap().len(), 1);
    let model = workspace.brick("registry get churn").run().done().silent().json();
    assert!(model["registered_model_databricks"]["id"].is_string(), "{model}");
    let moved =
        workspace.brick("registry transition churn 3 Production --archive-existing").run().done().json();
    assert_eq!(moved["model_version_databricks"]["current_stage"], "Production");
    let versions = workspace.brick("registry versions churn").run().done().silent().json();
    let stages: Vec<_> =
        versions.as_array().unwrap().iter().map(|one| one["current_stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["Archived", "Archived", "Production"]);
    workspace.brick("registry get nothing").run().fails(5, &["nothing"]);
    workspace.brick("registry transition churn 3 Live").run().fails(2, &["Live", "None, Staging"]);
    workspace.brick("registry transition churn 0 None").run().fails(2, &["0"]);
    assert_eq!(workspace.requests("POST", "/").len(), 1);
}
