//! Execution contexts, commands in them, and `brick run` which is both in one line.

use brickwire_sandbox::seed::RUNNING_CLUSTER;

use crate::workspace::{Workspace, squeezed};

const CREATE: &str = "/api/1.2/contexts/create";
const DESTROY: &str = "/api/1.2/contexts/destroy";

#[test]
fn a_context_keeps_state_between_commands() {
    let workspace = Workspace::fresh();
    let context = workspace.brick("contexts create -c shared-analytics").run().done().json();
    let id = context["id"].as_str().unwrap();
    // Python is the default.
    assert_eq!(workspace.requests("POST", CREATE)[0].body.as_ref().unwrap()["language"], "python");
    let raw = workspace.get(&format!("/api/1.2/contexts/status?clusterId={RUNNING_CLUSTER}&contextId={id}"));
    let ran = workspace.brick(&format!("contexts status -c shared-analytics {id}")).run().done().silent();
    assert_eq!(squeezed(ran.text()), squeezed(&raw));

    let execute = |options: &str| {
        workspace.brick(&format!("commands execute -c shared-analytics --context {id} {options}"))
    };
    execute("").arg("x = 6").run().done();
    let done = execute("").arg("print(x * 7)").run().done().silent().json();
    assert_eq!(done["results"]["data"], "42");
    let done = execute("-").stdin("print(x)").run().done().json();
    assert_eq!(done["results"]["data"], "6");

    let accepted = execute("--no-wait").arg("print('later')").run().done().json();
    let command = accepted["id"].as_str().unwrap();
    let status = format!("commands status -c shared-analytics --context {id} {command}");
    let status = workspace.brick(&status).run().done().silent().json();
    assert_eq!(status["id"], command);
    let cancel = format!("commands cancel -c shared-analytics --context {id} {command}");
    assert_eq!(workspace.brick(&cancel).run().done().json()["id"], command);
    assert_eq!(workspace.requests("POST", "/api/1.2/commands/cancel").len(), 1);

    let destroy = format!("contexts destroy -c shared-analytics {id}");
    assert_eq!(workspace.brick(&destroy).run().done().json()["id"], id);
    execute("").arg("1").run().fails(5, &[id]);
}

#[test]
fn code_that_raises_is_a_failure_and_shows_its_traceback() {
    let workspace = Workspace::fresh();
    let context = workspace.brick("contexts create -c shared-analytics").run().done().json();
    let id = context["id"].as_str().unwrap();
    // The command's answer is data, and all of it.
    let ran = workspace
        .brick(&format!("commands execute -c shared-analytics --context {id}"))
        .arg("1/0")
        .run()
        .exits(8, &[]);
    assert_eq!(ran.json()["results"]["resultType"], "error");
    assert!(ran.text().contains("ZeroDivisionError"), "{}", ran.text());
    let words = ["Traceback", "ZeroDivisionError: division by zero"];
    workspace.brick("run -c shared-analytics 1/0").run().fails(8, &words);
}

#[test]
fn run_cleans_up_after_itself() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("run -c shared-analytics print(6*7)").run().done();
    assert_eq!(ran.text(), "42\n");
    workspace.brick("run -c shared-analytics 1/0").run().fails(8, &[]);
    let (created, destroyed) = (workspace.requests("POST", CREATE), workspace.requests("POST", DESTROY));
    assert_eq!((created.len(), destroyed.len()), (2, 2));
}

#[test]
fn run_takes_the_language_from_the_file() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("run -c shared-analytics -f a.py").file("a.py", "print('py')").run().done();
    assert_eq!(ran.text(), "py\n");
    let ran = workspace
        .brick("run -c shared-analytics -f a.sql -o csv")
        .file("a.sql", "SELECT 1 AS n, 'x' AS s")
        .run()
        .done();
    assert_eq!(ran.text().replace("\r\n", "\n"), "n,s\n1,x\n");
    let languages: Vec<_> = workspace
        .requests("POST", CREATE)
        .iter()
        .map(|request| request.body.as_ref().unwrap()["language"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(languages, ["python", "sql"]);
}

#[test]
fn run_on_a_stopped_cluster_says_how_to_start_it() {
    let workspace = Workspace::fresh();
    let words = ["TERMINATED", "brick clusters start 0710-090100-n1ghtly0", "--start"];
    workspace.brick("run -c nightly-etl print(1)").run().fails(3, &words);
    assert!(workspace.requests("POST", "/").is_empty());
    let ran = workspace.brick("run -c nightly-etl --start print(1)").run().done();
    assert_eq!(ran.text(), "1\n");
}
