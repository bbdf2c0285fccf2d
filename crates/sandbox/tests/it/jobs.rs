use std::time::Duration;

use brickwire_sandbox::{Delays, Sandbox, seed};
use serde_json::{Value, json};

use crate::client::{Client, start, start_slow};

fn get(run_id: &Value) -> String {
    format!("/api/2.2/jobs/runs/get?run_id={run_id}")
}

fn has_ended(run: &Value) -> bool {
    run["status"]["state"] == "TERMINATED"
}

/// Submits tasks, and returns the run once it has ended.
async fn ran(client: &Client, tasks: Value) -> Value {
    let run = client.posted("/api/2.2/jobs/runs/submit", json!({ "tasks": tasks })).await;
    client.until(&get(&run["run_id"]), has_ended).await
}

async fn output(client: &Client, task: &Value) -> Value {
    client.got(&format!("/api/2.2/jobs/runs/get-output?run_id={}", task["run_id"])).await
}

/// A task that runs this code after others.
fn script(folder: &tempfile::TempDir, key: &str, code: &str, after: &[&str]) -> Value {
    let path = folder.path().join(format!("{key}.py"));
    std::fs::write(&path, code).unwrap();
    let after: Vec<_> = after.iter().map(|key| json!({ "task_key": key })).collect();
    json!({ "task_key": key, "depends_on": after, "spark_python_task": {
        "python_file": format!("file:{}", path.display()), "parameters": ["{{job.run_id}}", "two words"] } })
}

/// Key and result of each task.
fn results(run: &Value) -> Vec<(&str, &str)> {
    let tasks = run["tasks"].as_array().unwrap();
    tasks
        .iter()
        .map(|t| (t["task_key"].as_str().unwrap(), t["state"]["result_state"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_script_runs_with_its_arguments_and_every_state_shows() {
    let (_sandbox, client) = start().await;
    let folder = tempfile::tempdir().unwrap();
    let tasks = [script(&folder, "a", "import sys\nprint(sys.argv[1:])\nprint(__name__)\n", &[])];
    let run = client.posted("/api/2.2/jobs/runs/submit", json!({ "tasks": tasks })).await;
    // Beyond what a double can hold.
    assert!(run["run_id"].as_i64().unwrap() > 1 << 53, "{run}");
    let mut seen = Vec::new();
    loop {
        let now = client.got(&get(&run["run_id"])).await;
        let state = now["state"]["life_cycle_state"].as_str().unwrap().to_owned();
        assert_eq!((&now["status"]["state"], now["end_time"] == 0), (&json!(state), state != "TERMINATED"));
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        if has_ended(&now) {
            assert_eq!(now["status"]["termination_details"]["type"], "SUCCESS");
            assert_eq!((&now["run_name"], &now["run_type"]), (&json!("Untitled"), &json!("SUBMIT_RUN")));
            let told = output(&client, &now["tasks"][0]).await;
            let expected = format!("['{}', 'two words']\n__main__\n", run["run_id"]);
            assert_eq!((&told["logs"], &told["logs_truncated"]), (&json!(expected), &json!(false)));
            // A run with one task has its output, too.
            assert_eq!(output(&client, &run).await["logs"], expected);
            break;
        }
    }
    assert_eq!(seen, ["PENDING", "RUNNING", "TERMINATED"]);
}

#[tokio::test]
async fn dependencies_decide_what_runs() {
    let (_sandbox, client) = start().await;
    let folder = tempfile::tempdir().unwrap();
    let task = |key: &str, code: &str, after: &[&str], run_if: &str| {
        let mut task = script(&folder, key, code, after);
        task["run_if"] = json!(run_if);
        task
    };
    let condition = json!({ "task_key": "is-two", "condition_task": { "op": "EQUAL_TO", "right": "2",
        "left": "{{tasks.good.values.n}}" }, "depends_on": [{ "task_key": "good" }] });
    let branch = |key: &str, outcome: &str| {
        let mut task = script(&folder, key, "", &[]);
        task["depends_on"] = json!([{ "task_key": "is-two", "outcome": outcome }]);
        task
    };
    let good = "dbutils.jobs.taskValues.set('n', 2)";
    let run = ran(
        &client,
        json!([
            task("good", good, &[], "ALL_SUCCESS"),
            task("bad", "def f():\n    raise ValueError('no')\nf()\n", &[], "ALL_SUCCESS"),
            task("after-bad", "", &["bad"], "ALL_SUCCESS"),
            task("cleanup", "", &["bad", "good"], "ALL_DONE"),
            task("any", "", &["bad", "good"], "AT_LEAST_ONE_SUCCESS"),
            task("alarm", "", &["bad"], "AT_LEAST_ONE_FAILED"),
            task("none-failed", "", &["bad", "good"], "NONE_FAILED"),
            task("all-failed", "", &["bad", "good"], "ALL_FAILED"),
            condition,
            branch("yes", "true"),
            branch("no", "false"),
            task("after-no", "", &["no"], "ALL_SUCCESS"),
        ]),
    )
    .await;
    assert_eq!(
        results(&run),
        [
            ("good", "SUCCESS"),
            ("bad", "FAILED"),
            ("after-bad", "UPSTREAM_FAILED"),
            ("cleanup", "SUCCESS"),
            ("any", "SUCCESS"),
            ("alarm", "SUCCESS"),
            ("none-failed", "EXCLUDED"),
            ("all-failed", "EXCLUDED"),
            ("is-two", "SUCCESS"),
            ("yes", "SUCCESS"),
            ("no", "EXCLUDED"),
            ("after-no", "EXCLUDED"),
        ]
    );
    assert_eq!(run["state"]["result_state"], "FAILED");
    let message = "Task bad failed with message: Workload failed, see run output for details.";
    assert_eq!(run["state"]["state_message"], message);
    assert_eq!(run["tasks"][8]["condition_task"]["outcome"], "true");
    let failed = output(&client, &run["tasks"][1]).await;
    assert_eq!(failed["error"], "ValueError: no");
    let trace = failed["error_trace"].as_str().unwrap();
    assert!(trace.starts_with("Traceback") && trace.contains("bad.py\", line 3, in <module>"), "{trace}");
    assert!(!trace.contains("run_task"), "{trace}");
    // Without the failed task's dependents, nothing that counts has failed.
    let run = ran(
        &client,
        json!([task("bad", "1/0", &[], "ALL_SUCCESS"), task("last", "", &["bad"], "ALL_DONE"),]),
    )
    .await;
    assert_eq!(run["state"]["result_state"], "SUCCESS_WITH_FAILURES");
    let (status, refusal) =
        client.get(&format!("/api/2.2/jobs/runs/get-output?run_id={}", run["run_id"])).await;
    assert!(status == 400 && refusal["message"].as_str().unwrap().contains("multiple tasks"), "{refusal}");
}

#[tokio::test]
async fn the_seeds_run_and_one_is_repaired() {
    let (_sandbox, client) = start().await;
    let listed = client.got("/api/2.2/jobs/list?expand_tasks=true").await;
    assert_eq!(listed["jobs"].as_array().unwrap().len(), 2);
    let named = client.got("/api/2.2/jobs/list?name=DAILY-report").await;
    assert_eq!(named["jobs"][0]["job_id"], seed::REPORT_JOB);
    assert!(named["jobs"][0]["settings"].get("tasks").is_none());

    let parameters = json!({ "day": "2026-01-02" });
    let body = json!({ "job_id": seed::REPORT_JOB, "job_parameters": parameters });
    let run = client.posted("/api/2.2/jobs/run-now", body).await;
    let run = client.until(&get(&run["run_id"]), has_ended).await;
    assert_eq!(results(&run), [("extract", "SUCCESS"), ("any-rows", "SUCCESS"), ("report", "SUCCESS")]);
    assert_eq!(output(&client, &run["tasks"][0]).await["logs"], "extracting 2026-01-02\n");
    let report = output(&client, &run["tasks"][2]).await;
    let rows = &report["sql_output"]["file_output"]["query_result"]["rows"];
    assert_eq!(rows[0]["values"][0]["string_value"], "2026-01-02", "{report}");
    assert_eq!(run["job_parameters"][0]["default"], "2026-11-26");

    let run = client.posted("/api/2.2/jobs/run-now", json!({ "job_id": seed::IMPORT_JOB.to_string() })).await;
    let id = run["run_id"].clone();
    let run = client.until(&get(&id), has_ended).await;
    assert_eq!(results(&run), [("load", "SUCCESS"), ("check", "FAILED"), ("publish", "UPSTREAM_FAILED")]);
    let repair =
        json!({ "run_id": id, "rerun_all_failed_tasks": true, "job_parameters": { "strict": "false" } });
    let first = client.posted("/api/2.2/jobs/runs/repair", repair.clone()).await;
    let run = client.until(&get(&id), has_ended).await;
    assert_eq!(run["state"]["result_state"], "SUCCESS", "{run}");
    let attempts: Vec<_> =
        run["tasks"].as_array().unwrap().iter().map(|task| &task["attempt_number"]).collect();
    assert_eq!(attempts, [0, 0, 1, 0, 1]);
    let check = run["tasks"].as_array().unwrap().iter().rfind(|task| task["task_key"] == "check").unwrap();
    assert_eq!(output(&client, check).await["notebook_output"]["result"], "3 files are good");
    // The second repair has to name the first, and has nothing to do.
    let (status, refusal) = client.post("/api/2.2/jobs/runs/repair", repair.clone()).await;
    assert!(status == 400 && refusal["message"].as_str().unwrap().contains("latest_repair_id"), "{refusal}");
    let mut second = repair;
    second["latest_repair_id"] = first["repair_id"].clone();
    let (status, refusal) = client.post("/api/2.2/jobs/runs/repair", second).await;
    assert!(status == 400 && refusal["message"].as_str().unwrap().contains("no task"), "{refusal}");
    let history = client.got(&format!("{}&include_history=true", get(&id))).await["repair_history"].clone();
    assert_eq!(history[1]["id"], first["repair_id"]);
}

#[tokio::test]
async fn a_token_starts_one_run() {
    let (_sandbox, client) = start().await;
    let body = json!({ "job_id": seed::REPORT_JOB, "idempotency_token": "t" });
    let first = client.posted("/api/2.2/jobs/run-now", body.clone()).await;
    assert_eq!(client.posted("/api/2.2/jobs/run-now", body.clone()).await, first);
    let path = format!("/api/2.2/jobs/runs/list?job_id={}", seed::REPORT_JOB);
    assert_eq!(client.got(&path).await["runs"].as_array().unwrap().len(), 1);
    client.until(&get(&first["run_id"]), has_ended).await;
    client.posted("/api/2.2/jobs/runs/delete", json!({ "run_id": first["run_id"] })).await;
    let (status, refusal) = client.post("/api/2.2/jobs/run-now", body).await;
    assert!(status == 400 && refusal["message"].as_str().unwrap().contains("was deleted"), "{refusal}");
    let long = json!({ "job_id": seed::REPORT_JOB, "idempotency_token": "x".repeat(65) });
    assert_eq!(client.post("/api/2.2/jobs/run-now", long).await.0, 400);
}

/// A sandbox whose runs stay PENDING.
async fn endless() -> (Sandbox, Client) {
    let mut delays = Delays::NONE;
    delays.run = Duration::from_secs(1000 * 365 * 24 * 3600);
    start_slow(Sandbox::builder().with_delays(delays)).await
}

#[tokio::test]
async fn a_second_run_is_skipped_or_queued_and_a_cancellation_makes_room() {
    let (_sandbox, client) = endless().await;
    let body = json!({ "job_id": seed::REPORT_JOB });
    let first = client.posted("/api/2.2/jobs/run-now", body.clone()).await;
    let skipped = client.posted("/api/2.2/jobs/run-now", body).await;
    let skipped = client.got(&get(&skipped["run_id"])).await;
    assert_eq!(skipped["state"]["life_cycle_state"], "SKIPPED");
    assert_eq!(skipped["state"]["result_state"], "MAXIMUM_CONCURRENT_RUNS_REACHED");
    let body = json!({ "job_id": seed::REPORT_JOB, "queue": { "enabled": true } });
    let queued = client.posted("/api/2.2/jobs/run-now", body).await;
    assert_eq!(client.got(&get(&queued["run_id"])).await["status"]["state"], "QUEUED");
    let (status, _) = client.post("/api/2.2/jobs/runs/delete", json!({ "run_id": first["run_id"] })).await;
    assert_eq!(status, 400);
    client.posted("/api/2.2/jobs/runs/cancel", json!({ "run_id": first["run_id"] })).await;
    let ended = client.until(&get(&first["run_id"]), has_ended).await;
    assert_eq!((&ended["state"]["result_state"], results(&ended)[0].1), (&json!("CANCELED"), "CANCELED"));
    client.until(&get(&queued["run_id"]), |run| run["status"]["state"] == "PENDING").await;
    client.posted("/api/2.2/jobs/runs/cancel-all", json!({ "job_id": seed::REPORT_JOB })).await;
    client.until(&get(&queued["run_id"]), has_ended).await;
    // A run that has ended is canceled without an error.
    client.posted("/api/2.2/jobs/runs/cancel", json!({ "run_id": first["run_id"] })).await;
}

#[tokio::test]
async fn a_job_runs_another_one_and_a_retry_is_an_attempt() {
    let (_sandbox, client) = start().await;
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("marker");
    let code = format!(
        "import os\nfirst = not os.path.exists({marker:?})\nopen({marker:?}, 'w')\nassert not first\n"
    );
    let mut flaky = script(&folder, "flaky", &code, &[]);
    flaky["max_retries"] = json!(1);
    let nested = json!({ "task_key": "nested", "run_job_task": { "job_id": seed::REPORT_JOB } });
    let run = ran(&client, json!([flaky, nested])).await;
    assert_eq!(run["state"]["result_state"], "SUCCESS", "{run}");
    assert_eq!(results(&run), [("flaky", "FAILED"), ("flaky", "SUCCESS"), ("nested", "SUCCESS")]);
    let told = output(&client, &run["tasks"][2]).await;
    let nested = client.got(&get(&told["run_job_output"]["run_id"])).await;
    assert_eq!((&nested["trigger"], &nested["job_id"]), (&json!("RUN_JOB_TASK"), &json!(seed::REPORT_JOB)));
    // A job that runs itself comes to an end.
    let job =
        client.posted("/api/2.2/jobs/create", json!({ "name": "circle", "max_concurrent_runs": 9 })).await;
    let tasks = json!([{ "task_key": "again", "run_job_task": { "job_id": job["job_id"] } }]);
    client
        .posted(
            "/api/2.2/jobs/update",
            json!({ "job_id": job["job_id"], "new_settings": { "tasks": tasks } }),
        )
        .await;
    let run = client.posted("/api/2.2/jobs/run-now", json!({ "job_id": job["job_id"] })).await;
    let run = client.until(&get(&run["run_id"]), has_ended).await;
    assert_eq!(run["state"]["result_state"], "FAILED");
}

#[tokio::test]
async fn settings_are_created_changed_and_deleted() {
    let (_sandbox, client) = start().await;
    let task = json!({ "task_key": "a", "notebook_task": { "notebook_path": "/nowhere" }, "unheard_of": 1 });
    let job = json!({ "name": "x", "run_as": { "user_name": "b" }, "tasks": [task] });
    let id = client.posted("/api/2.2/jobs/create", job).await["job_id"].clone();
    let path = format!("/api/2.2/jobs/get?job_id={id}");
    let settings = client.got(&path).await["settings"].clone();
    assert_eq!((&settings["max_concurrent_runs"], &settings["format"]), (&json!(1), &json!("MULTI_TASK")));
    assert_eq!(
        (&settings["tasks"][0]["run_if"], &settings["tasks"][0]["unheard_of"]),
        (&json!("ALL_SUCCESS"), &json!(1))
    );
    client
        .posted("/api/2.2/jobs/update", json!({ "job_id": id, "new_settings": { "timeout_seconds": 5 } }))
        .await;
    assert_eq!(client.got(&path).await["settings"]["name"], "x");
    client.posted("/api/2.2/jobs/reset", json!({ "job_id": id, "new_settings": { "name": "y" } })).await;
    let settings = client.got(&path).await["settings"].clone();
    assert_eq!((&settings["timeout_seconds"], &settings["run_as"]["user_name"]), (&json!(0), &json!("b")));
    let run =
        ran(&client, json!([{ "task_key": "a", "notebook_task": { "notebook_path": "/nowhere" } }])).await;
    assert_eq!(output(&client, &run["tasks"][0]).await["error"], "The notebook /nowhere does not exist.");
    client.posted("/api/2.2/jobs/delete", json!({ "job_id": id })).await;
    let (status, refusal) = client.get(&path).await;
    assert_eq!((status.as_u16(), &refusal["error_code"]), (400, &json!("INVALID_PARAMETER_VALUE")));
    assert_eq!(refusal["message"], format!("Job {id} does not exist."));
}

#[tokio::test]
async fn without_code_execution_no_file_is_read() {
    let (_sandbox, client) = crate::client::start_with(Sandbox::builder().without_code_execution()).await;
    let folder = tempfile::tempdir().unwrap();
    let run = ran(&client, json!([script(&folder, "a", "print(1)", &[])])).await;
    assert_eq!(run["state"]["result_state"], "FAILED");
    let told = output(&client, &run["tasks"][0]).await;
    assert_eq!(told["error"], "this sandbox was started without code execution");
}

#[tokio::test]
async fn a_for_each_task_runs_once_for_each_input() {
    let (_sandbox, client) = start().await;
    let folder = tempfile::tempdir().unwrap();
    let code = "import sys\nprint(sys.argv[1])\nassert sys.argv[1] != 'bad'\n";
    let mut inner = script(&folder, "inner", code, &[]);
    inner["spark_python_task"]["parameters"] = json!(["{{input.name}}"]);
    let task = |inputs: &str| json!([{ "task_key": "each", "for_each_task": { "inputs": inputs, "concurrency": 2, "task": inner } }]);
    let run = ran(&client, task(r#"[{"name":"a"},{"name":"bad"},{"name":"c"}]"#)).await;
    assert_eq!(results(&run), [("each", "FAILED")]);
    assert!(run["state"]["state_message"].as_str().unwrap().contains("1 of 3 iterations failed"), "{run}");
    let each = client.got(&get(&run["tasks"][0]["run_id"])).await;
    let stats = &each["for_each_task"]["stats"]["task_run_stats"];
    assert_eq!((&stats["succeeded_iterations"], &stats["failed_iterations"]), (&json!(2), &json!(1)));
    let iterations = each["iterations"].as_array().unwrap();
    let told: Vec<_> = iterations.iter().map(|one| one["state"]["result_state"].as_str().unwrap()).collect();
    assert_eq!(told, ["SUCCESS", "FAILED", "SUCCESS"]);
    assert_eq!(output(&client, &iterations[2]).await["logs"], "c\n");
    assert!(output(&client, &iterations[1]).await["error"].as_str().unwrap().contains("AssertionError"));

    for (inputs, why) in [("{}", "JSON array"), ("[", "JSON array")] {
        let run = ran(&client, task(inputs)).await;
        assert!(run["state"]["state_message"].as_str().unwrap().contains(why), "{run}");
    }
    let run = ran(&client, task("[]")).await;
    assert_eq!(results(&run), [("each", "SUCCESS")]);
}

#[tokio::test]
async fn the_run_of_a_notebook_is_exported_as_html() {
    let (_sandbox, client) = start().await;
    let notebook = |key: &str| {
        json!({ "task_key": key, "notebook_task": {
        "notebook_path": "/Workspace/Shared/import/check", "base_parameters": { "strict": "false" } } })
    };
    let run = ran(&client, json!([notebook("a")])).await;
    let views = client.got(&format!("/api/2.2/jobs/runs/export?run_id={}", run["run_id"])).await;
    let page = views["views"][0]["content"].as_str().unwrap();
    assert!(page.contains("raise ValueError") && page.contains("3 files are good"), "{page}");
    let run = ran(&client, json!([notebook("a"), notebook("b")])).await;
    let path = format!("/api/2.2/jobs/runs/export?run_id={}", run["run_id"]);
    assert_eq!(client.get(&path).await.0, 400);
}

#[tokio::test]
async fn a_notebook_of_the_workspace_runs_with_sql_and_other_notebooks() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let (_sandbox, client) = start().await;
    let import = async |path: &str, language: &str, source: &str| {
        let body = json!({ "path": path, "format": "SOURCE", "language": language,
            "content": BASE64_STANDARD.encode(source) });
        client.posted("/api/2.0/workspace/import", body).await;
    };
    import("/Shared/import/names", "PYTHON", "name = 'from another'\nprint('names')").await;
    import(
        "/Shared/load",
        "SQL",
        "CREATE TABLE default.loaded AS SELECT :day AS day\n\n-- COMMAND ----------\n\n\
        -- MAGIC %python\n-- MAGIC print('loaded')",
    )
    .await;
    import(
        "/Shared/main",
        "PYTHON",
        "# MAGIC %md # Title\n\n# COMMAND ----------\n\n# MAGIC %run ./import/names\n\n# COMMAND ----------\n\n\
         x = [name]\n\n# COMMAND ----------\n\n# MAGIC %run /Shared/load\n\n# COMMAND ----------\n\n\
         dbutils.notebook.exit(x[0])\n\n# COMMAND ----------\n\nraise ValueError('not reached')",
    )
    .await;
    let notebook = |key: &str, path: &str| {
        json!({ "task_key": key, "notebook_task": { "notebook_path": path,
        "base_parameters": { "day": "2026-01-02" } } })
    };
    let file = json!({ "task_key": "sql", "depends_on": [{ "task_key": "main" }], "sql_task": {
        "warehouse_id": seed::RUNNING_WAREHOUSE, "file": { "path": "/Workspace/Shared/loaded.sql" } } });
    let query = json!({ "path": "/Shared/loaded.sql", "format": "RAW",
        "content": BASE64_STANDARD.encode("SELECT day FROM default.loaded") });
    client.posted("/api/2.0/workspace/import", query).await;
    let run = ran(&client, json!([notebook("main", "/Workspace/Shared/main"), file])).await;
    assert_eq!(results(&run), [("main", "SUCCESS"), ("sql", "SUCCESS")], "{run}");
    assert_eq!(output(&client, &run["tasks"][0]).await["notebook_output"]["result"], "from another");
    let shown = output(&client, &run["tasks"][1]).await;
    let rows = &shown["sql_output"]["file_output"]["query_result"]["rows"];
    assert_eq!(rows[0]["values"][0]["string_value"], "2026-01-02", "{shown}");

    import("/Shared/circle", "PYTHON", "# MAGIC %run ./circle").await;
    import("/Shared/shell", "PYTHON", "# MAGIC %sh ls").await;
    import("/Shared/bad", "SQL", "SELECT * FROM no_such_table").await;
    for (path, words) in [
        ("/Shared/circle", "levels deep"),
        ("/Shared/shell", "%sh is not supported"),
        ("/Shared/bad", "no_such_table"),
        ("/Shared/none", "does not exist"),
        // A file is no notebook.
        ("/Shared/import/load.py", "does not exist"),
    ] {
        let run = ran(&client, json!([notebook("a", path)])).await;
        let told = output(&client, &run["tasks"][0]).await;
        assert!(told["error"].as_str().unwrap().contains(words), "{path}: {told}");
    }
}

/// A task has no results but its logs.
#[tokio::test]
async fn what_a_task_displays_is_not_drawn() {
    let (_sandbox, client) = start().await;
    let folder = tempfile::tempdir().unwrap();
    let code = "class Figure:\n    def savefig(self, file, format): file.write(b'x' * 30_000_000)\n\
                display(Figure(), spark.range(3))\nprint('logs')\ndisplay(spark.sql('SELECT int(id) / 0 FROM range(1)'))";
    let run = ran(&client, json!([script(&folder, "a", code, &[])])).await;
    let told = output(&client, &run["tasks"][0]).await;
    // A query runs, and its error shows.
    assert!(told["error"].as_str().unwrap_or_default().contains("DIVIDE_BY_ZERO"), "{told}");
    assert_eq!(told["logs"], "logs\n", "{told}");
}

#[tokio::test]
async fn code_comes_from_volumes_and_from_dbfs() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let (_sandbox, client) = start().await;
    let upload = async |name: &str, content: &str| {
        let path = format!("{}/api/2.0/fs/files/Volumes/main/default/files/{name}", client.url);
        let sent = client.http.put(path).bearer_auth(&client.token).body(content.to_owned());
        assert_eq!(sent.send().await.unwrap().status(), 204);
    };
    upload("a.py", "print('of a volume')").await;
    upload("day.sql", "SELECT 'of a volume' AS day").await;
    let script = json!({ "path": "/code/b.py", "contents": BASE64_STANDARD.encode("print('of DBFS')") });
    client.posted("/api/2.0/dbfs/put", script).await;
    let python =
        |key: &str, path: &str| json!({ "task_key": key, "spark_python_task": { "python_file": path } });
    let sql = json!({ "task_key": "sql", "sql_task": { "warehouse_id": seed::RUNNING_WAREHOUSE,
        "file": { "path": "/Volumes/main/default/files/day.sql" } } });
    let saved = json!({ "task_key": "saved", "sql_task": { "warehouse_id": seed::RUNNING_WAREHOUSE,
        "query": { "query_id": "12345" } } });
    let volume = "/Volumes/main/default/files";
    let tasks = [
        python("volume", &format!("{volume}/a.py")),
        python("by-scheme", "dbfs:/Volumes/main/default/files/a.py"),
        python("dbfs", "dbfs:/code/b.py"),
        sql,
        python("none", &format!("{volume}/none.py")),
        python("no-volume", "/Volumes/main/default/none/a.py"),
        python("outside", "dbfs:/../b.py"),
        python("directory", &format!("{volume}/landing")),
        saved,
    ];
    let run = ran(&client, json!(tasks)).await;
    let expected = [
        Ok("of a volume\n"),
        Ok("of a volume\n"),
        Ok("of DBFS\n"),
        Ok("of a volume"),
        Err("none.py does not exist"),
        Err("'main.default.none' does not exist"),
        Err("b.py does not exist"),
        Err("landing does not exist"),
        Err("no saved queries"),
    ];
    for (task, expected) in run["tasks"].as_array().unwrap().iter().zip(expected) {
        let told = output(&client, task).await;
        let cell = &told["sql_output"]["file_output"]["query_result"]["rows"][0]["values"][0]["string_value"];
        match expected {
            Ok(text) => assert!(told["logs"] == text || *cell == text, "{told}"),
            Err(text) => assert!(told["error"].as_str().unwrap_or_default().contains(text), "{text}: {told}"),
        }
    }
}

#[tokio::test]
async fn a_pipeline_task_updates_its_pipeline() {
    let (_sandbox, client) = start().await;
    let task = |key: &str, id: &str| json!({ "task_key": key, "pipeline_task": { "pipeline_id": id, "full_refresh": true } });
    let tasks = [
        task("trips", seed::TRIPS_PIPELINE),
        task("orders", seed::FAILING_PIPELINE),
        task("none", "nothing"),
    ];
    let run = ran(&client, json!(tasks)).await;
    assert_eq!(results(&run), [("trips", "SUCCESS"), ("orders", "FAILED"), ("none", "FAILED")]);
    let updates = client.got(&format!("/api/2.0/pipelines/{}/updates", seed::TRIPS_PIPELINE)).await;
    let update = &updates["updates"][0];
    assert_eq!(
        (&update["state"], &update["cause"], &update["full_refresh"]),
        (&json!("COMPLETED"), &json!("JOB_TASK"), &json!(true))
    );
    let told = output(&client, &run["tasks"][2]).await;
    assert!(told["error"].as_str().unwrap().contains("pipeline nothing was not found"), "{told}");
}

#[tokio::test]
async fn a_canceled_run_stops_the_update_of_its_pipeline() {
    let mut delays = Delays::NONE;
    delays.update = Duration::from_secs(600);
    let (_sandbox, client) = start_slow(Sandbox::builder().with_delays(delays)).await;
    let task = json!({ "task_key": "a", "pipeline_task": { "pipeline_id": seed::TRIPS_PIPELINE } });
    let run = client.posted("/api/2.2/jobs/runs/submit", json!({ "tasks": [task] })).await;
    let pipeline = format!("/api/2.0/pipelines/{}", seed::TRIPS_PIPELINE);
    client.until(&pipeline, |shown| shown["state"] == "STARTING").await;
    client.posted("/api/2.2/jobs/runs/cancel", json!({ "run_id": run["run_id"] })).await;
    client.until(&get(&run["run_id"]), has_ended).await;
    client.until(&pipeline, |shown| shown["state"] == "STOPPING").await;
}
