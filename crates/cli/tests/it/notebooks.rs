//! `brick run` of notebooks and scripts: cell by cell in one context, which is destroyed whatever happens.

use brickwire_sandbox::RecordedRequest;
use serde_json::{Value, json};

use crate::{
    program::{Brick, Ran},
    workspace::Workspace,
};

const CREATE: &str = "/api/1.2/contexts/create";
const DESTROY: &str = "/api/1.2/contexts/destroy";
const EXECUTE: &str = "/api/1.2/commands/execute";
const STATUS: &str = "/api/1.2/commands/status";
const CANCEL: &str = "/api/1.2/commands/cancel";

const NOTEBOOK: &str = "\
# Databricks notebook source
x = 6

# COMMAND ----------

# MAGIC %md
# MAGIC # Title

# COMMAND ----------

# DBTITLE 1,Load trips
# MAGIC %sql
# MAGIC SELECT 10001 AS pickup_zip, 1227 AS trips

# COMMAND ----------

print(x * 7)
";

fn brick(workspace: &Workspace, options: &str, name: &str, text: &str) -> Brick {
    workspace.brick(&format!("run -c shared-analytics -f {name} {options}")).file(name, text)
}

fn run(workspace: &Workspace, options: &str, text: &str) -> Ran {
    brick(workspace, options, "nb.py", text).run()
}

fn bodies(requests: &[RecordedRequest]) -> Vec<(String, String)> {
    let text = |body: &Value, name: &str| body[name].as_str().unwrap().to_owned();
    let bodies = requests.iter().map(|request| request.body.as_ref().unwrap());
    bodies.map(|body| (text(body, "language"), text(body, "command"))).collect()
}

/// What was run, each with its language.
fn executed(workspace: &Workspace) -> Vec<(String, String)> {
    bodies(&workspace.requests("POST", EXECUTE))
}

fn code(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(language, code)| ((*language).to_owned(), (*code).to_owned())).collect()
}

/// The lines on stderr, without the times.
fn lines(ran: &Ran) -> Vec<String> {
    let is_time = |word: &str| word.parse::<f64>().is_ok() && word.contains('.');
    let line = |line: &str| {
        let words: Vec<_> = line.split_whitespace().filter(|word| !is_time(word)).collect();
        words.join(" ").trim_end_matches(" s").to_owned()
    };
    ran.stderr.lines().map(line).collect()
}

#[test]
fn cells_run_in_one_context_each_in_its_language() {
    let workspace = Workspace::fresh();
    let ran = run(&workspace, "-o table", NOTEBOOK).done();
    assert_eq!(ran.text(), "pickup_zip  trips\n     10001   1227\n42\n");
    assert_eq!(
        lines(&ran),
        [
            "[1/4] python line 2 ok",
            "[2/4] markdown line 6 skipped",
            "[3/4] sql line 13 Load trips ok 1 row",
            "[4/4] python line 17 ok"
        ]
    );
    let sent = code(&[
        ("python", "x = 6"),
        ("sql", "SELECT 10001 AS pickup_zip, 1227 AS trips"),
        ("python", "print(x * 7)"),
    ]);
    assert_eq!(executed(&workspace), sent);
    assert_eq!((workspace.requests("POST", CREATE).len(), workspace.requests("POST", DESTROY).len()), (1, 1));

    // The same from standard input, and as a Jupyter notebook.
    let ran = workspace.brick("run -c shared-analytics -q -o csv").stdin(NOTEBOOK).run().done().silent();
    assert_eq!(ran.text(), "pickup_zip,trips\n10001,1227\n42\n");
    let jupyter = json!({ "nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
        { "cell_type": "code", "source": ["x = 6\n", "y = 7"] },
        { "cell_type": "markdown", "source": "# Title" },
        { "cell_type": "code", "source": "%sql SELECT 1 AS n" },
        { "cell_type": "code", "source": "print(x * y)" },
    ] });
    let ran = brick(&workspace, "-o csv", "nb.ipynb", &jupyter.to_string()).run().done();
    assert_eq!(ran.text(), "n\n1\n42\n");
    assert_eq!(lines(&ran)[2..], ["[3/4] sql ok 1 row", "[4/4] python ok"]);
}

#[test]
fn the_first_failure_ends_the_run_with_its_place() {
    let workspace = Workspace::fresh();
    let text = NOTEBOOK
        .replace("print(x * 7)", "raise ValueError('no such zip')\n\n# COMMAND ----------\n\nprint(1)");
    let ran = run(&workspace, "-o csv", &text).exits(8, &["ValueError: no such zip"]);
    assert_eq!(ran.text(), "pickup_zip,trips\n10001,1227\n");
    assert!(
        ran.stderr.ends_with("error: cell 4 of 5 failed (nb.py:17)\nhint: cell 5 was not run\n"),
        "{}",
        ran.stderr
    );
    assert_eq!(executed(&workspace).len(), 3);
    assert_eq!((workspace.requests("POST", CREATE).len(), workspace.requests("POST", DESTROY).len()), (1, 1));

    // SQL fails in the same way, with the line and column of the file.
    let text = NOTEBOOK.replace("SELECT 10001 AS", "SELECT\n# MAGIC nowhere, 10001 AS");
    let ran = run(&workspace, "-o json", &text).exits(8, &[]);
    let error = ran.json_error();
    assert_eq!((&error["kind"], &error["exit_code"]), (&"remote_failed".into(), &8.into()));
    let source = &error["source"];
    assert_eq!(
        (&source["file"], &source["index"], &source["count"]),
        (&"nb.py".into(), &3.into(), &4.into())
    );
    assert!(error["message"].as_str().unwrap().starts_with("cell 3 of 4 failed (nb.py:1"), "{error}");
    let statuses: Vec<_> = ran.json().as_array().unwrap().iter().map(|cell| cell["status"].clone()).collect();
    assert_eq!(statuses, ["ok", "skipped", "failed", "not_run"]);
}

#[test]
fn json_is_one_array_and_jsonl_has_a_cell_on_each_line() {
    let workspace = Workspace::fresh();
    let ran = run(&workspace, "-o json", NOTEBOOK).done();
    let cells = ran.json();
    assert_eq!(cells.as_array().unwrap().len(), 4);
    let keys: Vec<_> = cells[2].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["cell", "line", "language", "title", "status", "result", "elapsed_s", "file"]);
    assert_eq!(
        (&cells[2]["cell"], &cells[2]["line"], &cells[2]["title"]),
        (&3.into(), &13.into(), &"Load trips".into())
    );
    assert_eq!(cells[2]["result"]["data"], json!([[10001, 1227]]));
    assert_eq!(
        (&cells[1]["status"], &cells[1]["result"], &cells[1]["language"]),
        (&"skipped".into(), &Value::Null, &Value::Null)
    );
    assert_eq!(cells[3]["result"], json!({ "resultType": "text", "data": "42" }));
    let ran = run(&workspace, "-q -o jsonl --cell 4 --cell 1", NOTEBOOK).done().silent();
    let lines: Vec<Value> = ran.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| &line["cell"]).collect::<Vec<_>>(), [&json!(1), &json!(4)]);
}

#[cfg(feature = "jq")]
#[test]
fn a_filter_gets_the_whole_array() {
    let workspace = Workspace::fresh();
    let ran = run(&workspace, "--jq .[].status", NOTEBOOK).done();
    assert_eq!(ran.text(), "ok\nskipped\nok\nok\n");
}

#[test]
fn what_cannot_run_is_refused_before_anything_is_sent() {
    let workspace = Workspace::fresh();
    for (cell, options, words) in [
        ("# MAGIC %sh ls", "", &["cell 2 of 2 (nb.py:6): %sh is not supported", "hint: ", "subprocess"][..]),
        ("# MAGIC %run /Workspace/x", "", &["cell 2 of 2 (nb.py:6)", "/Workspace/x", "hint: "]),
        ("# MAGIC %run ./missing", "", &["cell 2 of 2 (nb.py:6)", "missing", "hint: "]),
        ("# MAGIC %run ./nb", "", &["within itself"]),
        ("# MAGIC %sql\n# MAGIC SELECT\n# MAGIC 'a", "", &["cell 2 of 2 (nb.py:8)", "line 8 is not closed"]),
        ("x = 1", "--cell 9", &["there is no cell 9: there are 2 cells"]),
        ("x = 1", "--cell 0", &["--cell", "2..4"]),
        ("x = 1", "--no-wait", &["--no-wait", "2 cells", "--as-file"]),
        ("x = 1", "-P a=1 -P a=2", &["more than once: a"]),
        ("x = 1", "-P a", &["neither a value nor a type"]),
        ("x = 1", "--as-file --cell 1", &["--as-file", "--cell"]),
        ("x = 1", "-l sql", &["another language than sql", "--language"]),
        ("x = 1", "-o parquet", &["parquet"]),
        ("x = 1", "-o name", &["name"]),
        ("x = 1", "--images nowhere", &[]),
    ] {
        let text = format!("# Databricks notebook source\nx = 1\n\n# COMMAND ----------\n\n{cell}");
        let ran = run(&workspace, options, &text);
        let code = if options.starts_with("--images") { 3 } else { 2 };
        ran.fails(code, words);
    }
    let text = "# Databricks notebook source\nx = 1\n# COMMAND ----------\n# MAGIC %sh ls";
    let ran = run(&workspace, "-o json", text).fails(2, &[]);
    let source = &ran.json_error()["source"];
    assert_eq!(*source, json!({ "file": "nb.py", "line": 4, "column": null, "index": 2, "count": 2 }));
    brick(&workspace, "", "nb.ipynb", "{\"cells\": 1").run().fails(2, &["not a Jupyter notebook"]);
    brick(&workspace, "", "a.py", "x = 1").args("--cell 1").run().fails(2, &["--cell is for notebooks"]);
    assert!(workspace.requests("POST", "/").is_empty() && workspace.requests("GET", "/").is_empty());
    // What is not chosen doesn't count.
    run(&workspace, "--cell 1", text).done();
}

#[test]
fn chosen_cells_run_in_a_kept_context() {
    let workspace = Workspace::fresh();
    let ran = run(&workspace, "--cell 1 --keep-context", NOTEBOOK).done();
    let kept = ran.stderr.lines().find_map(|line| line.strip_prefix("context ")).unwrap();
    let id = kept.split(' ').next().unwrap().to_owned();
    let ran = run(&workspace, &format!("--context {id} --cell 3..4 -o csv"), NOTEBOOK).done();
    assert_eq!(ran.text(), "pickup_zip,trips\n10001,1227\n42\n");
    assert!(workspace.requests("POST", DESTROY).is_empty());
    assert_eq!(workspace.requests("POST", CREATE).len(), 1);
}

#[test]
fn errors_can_be_passed_over() {
    let workspace = Workspace::fresh();
    let text = "# Databricks notebook source\n1/0\n# COMMAND ----------\nprint('on')\n# COMMAND ----------\nint('x')";
    let ran = run(&workspace, "--continue-on-error", text).exits(8, &["ZeroDivisionError", "ValueError"]);
    assert_eq!(ran.text(), "on\n");
    assert!(
        ran.stderr.ends_with("error: cell 1 of 3 failed (nb.py:2)\nhint: 1 ok, 2 failed\n"),
        "{}",
        ran.stderr
    );
    // A cell that is tagged may fail, and the run succeeds.
    let jupyter = json!({ "nbformat": 4, "cells": [
        { "cell_type": "code", "source": "1/0", "metadata": { "tags": ["raises-exception"] } },
        { "cell_type": "code", "source": "print('skipped')", "metadata": { "tags": ["skip-execution"] } },
        { "cell_type": "code", "source": "print('on')" },
    ] });
    let ran = brick(&workspace, "", "nb.ipynb", &jupyter.to_string()).run().done();
    assert_eq!(ran.text(), "on\n");
    let ran = ran.says(&["failed, as allowed", "skip-execution", "ZeroDivisionError"]);
    assert!(!ran.stderr.contains("error:"), "{}", ran.stderr);
    assert_eq!(workspace.requests("POST", DESTROY).len(), 2);
}

#[test]
fn parameters_are_widgets_literals_and_assignments() {
    let workspace = Workspace::fresh();
    let text = "# Databricks notebook source\ndbutils.widgets.text('zip', '0')\n\
                print(dbutils.widgets.get('zip'), getArgument('zip'))\n# COMMAND ----------\n\
                # MAGIC %sql SELECT :zip AS zip, '${zip}' AS quoted, :n + 1 AS n\n";
    let ran = brick(&workspace, "-o csv -P n:INT=5 -P zap=1 -P", "nb.py", text).arg("zip=it's").run().done();
    assert_eq!(ran.text(), "it's it's\nzip,quoted,n\nit's,it's,6\n");
    ran.says(&["warning: nothing uses this parameter: zap"]);
    let jupyter = json!({ "nbformat": 4, "cells": [
        { "cell_type": "code", "source": "n = 1", "metadata": { "tags": ["parameters"] } },
        { "cell_type": "code", "source": "print(n + 1)" },
    ] });
    let ran = brick(&workspace, "-P n=5", "nb.ipynb", &jupyter.to_string()).run().done();
    assert_eq!(ran.text(), "6\n");
    // Plain code has widgets, too.
    let ran = brick(&workspace, "-P n=5 -q", "a.py", "print(dbutils.widgets.get('n'))").run().done();
    assert_eq!(ran.text(), "5\n");
}

#[test]
fn a_file_beside_the_notebook_runs_in_its_place() {
    let workspace = Workspace::fresh();
    let helpers = "# Databricks notebook source\ndef double(x):\n    return 2 * x\n";
    let main =
        "# Databricks notebook source\n# MAGIC %run ./helpers\n# COMMAND ----------\nprint(double(21))";
    let ran = brick(&workspace, "", "main.py", main).file("helpers.py", helpers).run().done();
    assert_eq!(ran.text(), "42\n");
    assert_eq!(lines(&ran), ["[1/2] python helpers.py:2 ok", "[2/2] python line 4 ok"]);
    let broken = helpers.replace("return 2 * x", "return 2 * x\n1/0");
    let ran = brick(&workspace, "", "main.py", main).file("helpers.py", broken).run();
    ran.fails(8, &["error: cell 1 of 2 failed (helpers.py:2)", "hint: cell 2 was not run"]);
}

#[test]
fn a_script_keeps_its_session_in_a_context() {
    let workspace = Workspace::fresh();
    let script =
        "CREATE OR REPLACE TEMP VIEW v AS SELECT 42 AS n;\n\n-- the result\nSELECT n FROM v;\nSELECT nowhere";
    let ran =
        brick(&workspace, "-o csv", "a.sql", script).run().exits(8, &["statement 3 of 3 failed (a.sql:5"]);
    assert!(ran.text().ends_with("n\n42\n"), "{}", ran.text());
    assert_eq!(executed(&workspace)[1], ("sql".to_owned(), "-- the result\nSELECT n FROM v".to_owned()));
    assert_eq!(workspace.requests("POST", CREATE)[0].body.as_ref().unwrap()["language"], "sql");
    let ran = brick(&workspace, "", "a.sql", "SELECT 1;\nSELECT 'a").run();
    ran.fails(2, &["line 2 is not closed"]);
    assert_eq!(workspace.requests("POST", CREATE).len(), 1);
}

#[test]
fn a_notebook_can_be_sent_as_one_command() {
    let workspace = Workspace::fresh();
    let text = "# Databricks notebook source\nx = 6\n\n# COMMAND ----------\n\nprint(x * 7)\n";
    let ran = run(&workspace, "--as-file", text).done().silent();
    assert_eq!(ran.text(), "42\n");
    assert_eq!(executed(&workspace), code(&[("python", text)]));
}

#[test]
fn the_file_system_magic_is_python_and_the_shells_own_are_sent_as_they_are() {
    let workspace = Workspace::fresh();
    let text = "# Databricks notebook source\n# MAGIC %pip install x\n# COMMAND ----------\n# MAGIC %fs mkdirs \"/a b\"\n\
                # COMMAND ----------\nprint(_sqldf)";
    let ran = run(&workspace, "", text)
        .exits(8, &["warning: cell 3 uses _sqldf", "hint: only the notebook editor sets _sqldf"]);
    assert_eq!(ran.text(), "Note: the sandbox does not run %pip.\nTrue\n");
    let sent = executed(&workspace);
    assert_eq!(
        sent[..2],
        code(&[("python", "%pip install x"), ("python", "display(dbutils.fs.mkdirs(\"/a b\"))")])
    );
}

#[cfg(unix)]
#[test]
fn an_interrupt_cancels_the_cell_destroys_the_context_and_says_what_is_left() {
    let workspace = Workspace::fresh();
    let text = "# Databricks notebook source\nimport threading\nthreading.Event().wait()\n# COMMAND ----------\nprint(1)";
    let running = brick(&workspace, "", "nb.py", text).start();
    workspace.until_requested("GET", STATUS);
    running.signal("INT");
    running.end().fails(130, &["canceling command", "cell 2 was not run", "interrupted"]);
    assert_eq!(workspace.requests("POST", CANCEL).len(), 1);
    assert_eq!((workspace.requests("POST", CREATE).len(), workspace.requests("POST", DESTROY).len()), (1, 1));
    assert_eq!(executed(&workspace).len(), 1);
}

#[test]
fn a_timeout_cancels_the_cell_and_ends_the_run() {
    let workspace = Workspace::fresh();
    let text = "# Databricks notebook source\nimport threading\nthreading.Event().wait()\n# COMMAND ----------\nprint(1)";
    let ran = run(&workspace, "--timeout 5s --continue-on-error", text);
    ran.fails(
        9,
        &["cell 1 of 2 failed (nb.py:2): timed out after 5s; command ", "was canceled", "cell 2 was not run"],
    );
    assert_eq!(executed(&workspace).len(), 1);
    assert_eq!(workspace.requests("POST", DESTROY).len(), 1);
}

#[test]
fn a_cell_that_may_have_run_is_not_sent_again() {
    let workspace = Workspace::fresh();
    workspace.fault(&format!("POST {EXECUTE}: times 1 after close"));
    let ran = run(&workspace, "--continue-on-error", NOTEBOOK);
    ran.fails(7, &["cell 1 of 4 failed (nb.py:2)", "may have been carried out", "cells 3 to 4 were not run"]);
    assert_eq!(executed(&workspace).len(), 1);
}

#[test]
fn arguments_become_those_of_the_program() {
    let workspace = Workspace::fresh();
    let run = |line: &str, text: &str| brick(&workspace, line, "job.py", text).run();
    let code = "import sys\nprint(sys.argv)";
    let ran = run("-- --day 2024-01-31 x'y\"z", code).done().silent();
    assert_eq!(ran.text(), "['job.py', '--day', '2024-01-31', 'x\\'y\"z']\n");
    assert_eq!(executed(&workspace)[1].1, code);
    let ran = workspace.brick("run -c shared-analytics").arg(code).args("-- a").run().done();
    assert_eq!(ran.text(), "['-c', 'a']\n");
    let before = workspace.requests("POST", "/").len();
    run("-l sql -- a", "SELECT 1").fails(2, &["only Python code takes arguments", "sql"]);
    run("-l sql -- a", "SELECT 1; SELECT 2").fails(2, &["only Python code takes arguments", "sql"]);
    assert_eq!(workspace.requests("POST", "/").len(), before);
    // The lines of a traceback are those of the file.
    run("-- a", "\n\n1/0").fails(8, &["line 3"]);
}
