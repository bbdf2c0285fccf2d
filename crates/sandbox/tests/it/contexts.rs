use brickwire_sandbox::Sandbox;
use brickwire_sandbox::seed::{RUNNING_CLUSTER, TERMINATED_CLUSTER};
use serde_json::{Value, json};

use crate::client::{Client, start, start_with};

pub(crate) async fn create(client: &Client, language: &str) -> String {
    let body = json!({ "clusterId": RUNNING_CLUSTER, "language": language });
    client.posted("/api/1.2/contexts/create", body).await["id"].as_str().unwrap().to_owned()
}

fn context_path(context: &str) -> String {
    format!("/api/1.2/contexts/status?clusterId={RUNNING_CLUSTER}&contextId={context}")
}

/// Submits a command and returns the path of its status.
pub(crate) async fn submit(client: &Client, context: &str, language: &str, command: &str) -> String {
    let body = json!({ "clusterId": RUNNING_CLUSTER, "contextId": context, "language": language, "command": command });
    let id = client.posted("/api/1.2/commands/execute", body).await["id"].clone();
    let id = id.as_str().unwrap();
    format!("/api/1.2/commands/status?clusterId={RUNNING_CLUSTER}&contextId={context}&commandId={id}")
}

fn is_done(answer: &Value) -> bool {
    ["Finished", "Cancelled", "Error"].iter().any(|end| answer["status"] == *end)
}

pub(crate) async fn run(client: &Client, context: &str, language: &str, command: &str) -> Value {
    let path = submit(client, context, language, command).await;
    client.until(&path, is_done).await
}

pub(crate) fn text(data: &str) -> Value {
    json!({ "resultType": "text", "data": data })
}

#[tokio::test]
async fn python_keeps_its_state_between_commands() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    assert_eq!(client.got(&context_path(&context)).await, json!({ "id": context, "status": "Pending" }));
    client.until(&context_path(&context), |answer| answer["status"] == "Running").await;
    for (command, data) in [
        ("x = 41\nprint('hi')\nx + 1", "hi\n42"),
        ("x", "41"),
        ("y = 1", ""),
        ("None", ""),
        ("'é☃'", "'é☃'"),
        ("import os\n_ = os.system('echo from a child')\nprint('after')", "from a child\nafter"),
        ("import sys\nprint('to stderr', file=sys.stderr)", "to stderr"),
        ("def f():\n    return x\n\nf()", "41"),
    ] {
        let answer = run(&client, &context, "python", command).await;
        assert_eq!((&answer["status"], &answer["results"]), (&json!("Finished"), &text(data)), "{command}");
    }
}

#[tokio::test]
async fn too_much_output_is_cut_and_the_context_lives_on() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let answer = run(&client, &context, "python", "print('z' * 30_000_000)").await;
    let length = answer["results"]["data"].as_str().unwrap().len();
    assert!((20_000_000..20_200_000).contains(&length), "{length}");
    assert_eq!(run(&client, &context, "python", "print('on')").await["results"], text("on"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_child_that_never_stops_printing_does_not_hide_the_end() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    // Beyond the limit, so that what comes next is dropped.
    let flood = "import subprocess\nchild = subprocess.Popen(['yes', 'y' * 1000])\nprint('z' * 21_000_000)";
    assert_eq!(run(&client, &context, "python", flood).await["status"], "Finished");
    let answer = run(&client, &context, "python", "child.kill()\nchild.wait()").await;
    assert_eq!(answer["results"]["resultType"], "text", "{}", answer["status"]);
    assert_eq!(run(&client, &context, "python", "print('on')").await["results"], text("on"));
}

#[tokio::test]
async fn what_python_raises_is_a_result_not_a_failure() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    for (command, summary, cause) in [
        (
            "def f():\n    return 1 / 0\nf()",
            "<span class=\"ansi-red-fg\">ZeroDivisionError</span>: division by zero",
            "return 1 / 0",
        ),
        (
            "1 +",
            "<span class=\"ansi-red-fg\">SyntaxError</span>: invalid syntax (&lt;command-2&gt;, line 1)",
            "1 +",
        ),
        (
            "raise ValueError('<b>')",
            "<span class=\"ansi-red-fg\">ValueError</span>: &lt;b&gt;",
            "ValueError: <b>",
        ),
        ("import sys; sys.exit(3)", "<span class=\"ansi-red-fg\">SystemExit</span>: 3", "SystemExit"),
        ("input()", "<span class=\"ansi-red-fg\">EOFError</span>: EOF when reading a line", "EOFError"),
    ] {
        let answer = run(&client, &context, "python", command).await;
        assert_eq!(answer["status"], "Finished", "{answer}");
        assert_eq!(answer["results"]["resultType"], "error");
        assert_eq!(answer["results"]["summary"], summary);
        let text = answer["results"]["cause"].as_str().unwrap();
        assert!(text.contains(cause) && !text.contains("python_driver"), "{text}");
    }
    assert_eq!(run(&client, &context, "python", "1 + 1").await["results"], text("2"));
}

#[tokio::test]
async fn a_running_command_is_interrupted_and_the_rest_goes_on() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    run(&client, &context, "python", "x = 1").await;
    let running = submit(&client, &context, "python", "x = 2\nimport time\ntime.sleep(600)").await;
    let queued = submit(&client, &context, "python", "x = 3").await;
    let last = submit(&client, &context, "python", "x").await;
    assert_eq!(
        client.got(&queued).await,
        json!({
            "id": queued.rsplit('=').next().unwrap(), "status": "Queued", "results": null,
        })
    );
    client.until(&running, |answer| answer["status"] == "Running").await;
    for path in [&queued, &running] {
        let id = path.rsplit('=').next().unwrap();
        let body = json!({ "clusterId": RUNNING_CLUSTER, "contextId": context, "commandId": id });
        client.posted("/api/1.2/commands/cancel", body).await;
    }
    assert_eq!(client.until(&running, is_done).await["status"], "Cancelled");
    assert_eq!(client.until(&queued, is_done).await["status"], "Cancelled");
    // The interrupted command had started, the queued one never did.
    let answer = client.until(&last, is_done).await;
    assert!([text("1"), text("2")].contains(&answer["results"]), "{answer}");
}

#[tokio::test]
async fn a_command_that_ignores_its_interrupt_costs_the_context() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let stubborn =
        "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('on')\ntime.sleep(600)";
    let path = submit(&client, &context, "python", stubborn).await;
    client.until(&path, |answer| answer["status"] == "Running").await;
    run_probe(&client).await;
    let id = path.rsplit('=').next().unwrap();
    let body = json!({ "clusterId": RUNNING_CLUSTER, "contextId": context, "commandId": id });
    client.posted("/api/1.2/commands/cancel", body).await;
    let ended = client.until(&path, is_done).await;
    let status = client.got(&context_path(&context)).await;
    // The interrupt may have come before the code could ignore it; then nothing was lost.
    let lost = (ended["status"] == "Error", status["status"] == "Error");
    assert!(lost == (true, true) || ended["status"] == "Cancelled", "{ended} {status}");
}

/// Another context's command, as a pause in which the first one gets going.
async fn run_probe(client: &Client) {
    let other = create(client, "python").await;
    run(client, &other, "python", "1").await;
}

#[tokio::test]
async fn sql_is_a_table_with_typed_cells() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "sql").await;
    let answer = run(&client, &context, "sql", "SELECT 1 AS a, 'x' AS b, true AS c, NULL AS d").await;
    assert_eq!(answer["results"]["resultType"], "table");
    assert_eq!(answer["results"]["data"], json!([[1, "x", true, null]]));
    assert_eq!(
        answer["results"]["schema"][0],
        json!({ "name": "a", "type": "\"integer\"", "metadata": "{}" })
    );
    assert_eq!(answer["results"]["truncated"], false);
    let cut = run(&client, &context, "sql", "SELECT id FROM range(5000)").await;
    assert_eq!(
        (cut["results"]["data"].as_array().unwrap().len(), &cut["results"]["truncated"]),
        (1000, &json!(true))
    );
    let wrong = run(&client, &context, "sql", "SELEKT 1").await;
    assert_eq!((&wrong["status"], &wrong["results"]["resultType"]), (&json!("Finished"), &json!("error")));
}

#[tokio::test]
async fn other_languages_say_that_they_cannot_run() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "scala").await;
    let answer = run(&client, &context, "scala", "println(1)").await;
    assert_eq!(answer["results"]["summary"], "The sandbox runs python and sql, not scala.");
    let (status, body) = client
        .post("/api/1.2/contexts/create", json!({ "clusterId": RUNNING_CLUSTER, "language": "cobol" }))
        .await;
    assert_eq!(status, 400);
    assert!(body["error"].as_str().unwrap().contains("cobol"), "{body}");
}

#[tokio::test]
async fn without_execution_a_context_ends_in_error() {
    let (_sandbox, client) = start_with(Sandbox::builder().without_code_execution()).await;
    let context = create(&client, "python").await;
    let answer = client.until(&context_path(&context), |answer| answer["status"] != "Pending").await;
    assert_eq!(answer["status"], "Error");
    assert_eq!(answer["message"], "this sandbox was started without code execution");
    let body =
        json!({ "clusterId": RUNNING_CLUSTER, "contextId": context, "language": "python", "command": "1" });
    assert_eq!(client.post("/api/1.2/commands/execute", body).await.0, 400);
}

#[tokio::test]
async fn a_context_goes_with_its_cluster_or_when_destroyed() {
    let (_sandbox, client) = start().await;
    let (first, second) = (create(&client, "python").await, create(&client, "python").await);
    run(&client, &first, "python", "1").await;
    client
        .posted("/api/1.2/contexts/destroy", json!({ "clusterId": RUNNING_CLUSTER, "contextId": first }))
        .await;
    let (status, body) = client.get(&context_path(&first)).await;
    assert_eq!(status, 404);
    assert!(body["error"].as_str().unwrap().starts_with("ContextNotFound"), "{body}");

    client.posted("/api/2.1/clusters/restart", json!({ "cluster_id": RUNNING_CLUSTER })).await;
    assert_eq!(client.get(&context_path(&second)).await.0, 400);
    client
        .until(&format!("/api/2.1/clusters/get?cluster_id={RUNNING_CLUSTER}"), |one| {
            one["state"] == "RUNNING"
        })
        .await;
    assert_eq!(client.get(&context_path(&second)).await.0, 404);
}

#[tokio::test]
async fn only_a_running_cluster_opens_contexts() {
    let (_sandbox, client) = start().await;
    let (status, body) = client
        .post("/api/1.2/contexts/create", json!({ "clusterId": TERMINATED_CLUSTER, "language": "sql" }))
        .await;
    assert_eq!(status, 400);
    assert!(body["error"].as_str().unwrap().contains("ClusterNotReadyException"), "{body}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn nothing_is_left_when_the_sandbox_is_dropped() {
    let (sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let command = "import os, subprocess\nchild = subprocess.Popen(['sleep', '600'])\nf\"{os.getpid()} {child.pid} {os.getcwd()}\"";
    let answer = run(&client, &context, "python", command).await;
    let data = answer["results"]["data"].as_str().unwrap().trim_matches('\'').to_owned();
    let parts: Vec<&str> = data.split(' ').collect();
    let alive = |pid: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().starts_with(" Z"))
    };
    assert!(alive(parts[0]) && alive(parts[1]), "{data}");
    drop(sandbox);
    let since = std::time::Instant::now();
    while alive(parts[0]) || alive(parts[1]) {
        assert!(since.elapsed().as_secs() < 10, "still alive: {data}");
        tokio::task::yield_now().await;
    }
    assert!(!std::path::Path::new(parts[2]).exists());
}

#[tokio::test]
async fn python_reaches_files_of_volumes_by_their_paths() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let root = "/Volumes/main/default/files";
    for (command, data) in [
        (format!("open('{root}/readme.txt').read()[:9]"), "'The files'"),
        (format!("import os\nsorted(os.listdir('{root}'))"), "['landing', 'readme.txt']"),
        (
            format!(
                "import pathlib\npathlib.Path('{root}/new').mkdir()\npathlib.Path('{root}/new/ü').write_text('x')"
            ),
            "1",
        ),
        (
            "import shutil\nshutil.copy('/dbfs/FileStore/readme.txt', '/dbfs/tmp/copied')".to_owned(),
            "'/dbfs/tmp/copied'",
        ),
        (
            "os.path.exists('/Volumes/main/other'), os.path.isdir('/dbfs/tmp'), open(os.devnull).read()"
                .to_owned(),
            "(False, True, '')",
        ),
    ] {
        assert_eq!(run(&client, &context, "python", &command).await["results"], text(data), "{command}");
    }
    let listed = client.got(&format!("/api/2.0/fs/directories{root}/new")).await;
    assert_eq!(listed["contents"][0]["name"], "ü");
    client.got("/api/2.0/dbfs/get-status?path=/tmp/copied").await;
}

#[tokio::test]
async fn one_context_runs_python_and_sql_and_has_the_utilities_of_notebooks() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    for (command, data) in [
        ("dbutils.widgets.text('zip', '1')\ndbutils.widgets.get('zip')", "'1'"),
        ("dbutils.widgets.dropdown('zip', '2', ['2'])\ndbutils.widgets.getAll()", "{'zip': '1'}"),
        ("dbutils.widgets.removeAll()\ndbutils.widgets.getArgument('zip', 'none')", "'none'"),
        ("dbutils.fs.mkdirs('dbfs:/n/a')\ndbutils.fs.put('/n/a/x', 'text')", "True"),
        ("dbutils.fs.cp('/n', '/m', True)\n[f.path for f in dbutils.fs.ls('dbfs:/m/a')]", "['dbfs:/m/a/x']"),
        (
            "dbutils.fs.rm('/n', True)\n(dbutils.fs.head('/m/a/x'), [f.name for f in dbutils.fs.ls('/')])",
            "('text', ['FileStore/', 'm/', 'tmp/'])",
        ),
        ("%pip install something\n%restart_python\n6 * 7", "Note: the sandbox does not run %pip.\n42"),
    ] {
        let answer = run(&client, &context, "python", command).await;
        assert_eq!(answer["results"], text(data), "{command}: {answer}");
    }
    let answer = run(&client, &context, "sql", "SELECT 6 * 7 AS n").await;
    assert_eq!(answer["results"]["data"], json!([[42]]), "{answer}");
    let answer = run(&client, &context, "python", "6 * 7").await;
    assert_eq!(answer["results"], text("42"));
}
