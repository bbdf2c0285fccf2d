//! The jobs of a fresh workspace. The files that they run are among the workspace's objects.

use serde_json::{Value, json};

use crate::routes::warehouses::RUNNING_WAREHOUSE;

/// A job of three tasks that succeeds: a script, a condition, and a query.
pub const REPORT_JOB: i64 = FIRST_JOB;
/// A job whose second task fails unless its parameter `strict` is `false`; a third one depends on it.
pub const IMPORT_JOB: i64 = FIRST_JOB + 1;

/// No double holds it.
pub(super) const FIRST_JOB: i64 = 9_007_199_254_740_993;

/// The settings of the seeds, as the service shows them.
pub(super) fn jobs() -> Vec<Value> {
    let depends = |key: &str| json!([{ "task_key": key }]);
    let report = json!({
        "name": "daily-report",
        "parameters": [{ "name": "day", "default": "2026-11-26" }],
        "tasks": [
            { "task_key": "extract", "spark_python_task": {
                "python_file": "/Workspace/Shared/report/extract.py", "parameters": ["{{job.parameters.day}}"] } },
            { "task_key": "any-rows", "depends_on": depends("extract"), "condition_task": {
                "op": "GREATER_THAN", "left": "{{tasks.extract.values.rows}}", "right": "0" } },
            { "task_key": "report", "depends_on": [{ "task_key": "any-rows", "outcome": "true" }], "sql_task": {
                "file": { "path": "/Workspace/Shared/report/report.sql" }, "warehouse_id": RUNNING_WAREHOUSE,
                "parameters": { "day": "{{job.parameters.day}}" } } },
        ],
    });
    let import = json!({
        "name": "nightly-import",
        "parameters": [{ "name": "strict", "default": "true" }],
        "tasks": [
            { "task_key": "load", "spark_python_task": { "python_file": "/Workspace/Shared/import/load.py" } },
            { "task_key": "check", "depends_on": depends("load"), "notebook_task": {
                "notebook_path": "/Workspace/Shared/import/check" } },
            { "task_key": "publish", "depends_on": depends("check"), "spark_python_task": {
                "python_file": "/Workspace/Shared/import/load.py" } },
        ],
    });
    let object =
        |settings: Value| if let Value::Object(object) = settings { object } else { Default::default() };
    [report, import].into_iter().filter_map(|job| super::settings::of_job(object(job)).ok()).collect()
}
