//! Commands that wait, and what is true once their time is over.

use serde_json::json;

use crate::{scripted::Server, workspace::Workspace};

const EXECUTE: &str = "/api/1.2/commands/execute";
const CANCEL: &str = "/api/1.2/commands/cancel";

/// The ids of code that was submitted: the arguments that name it.
fn submitted(workspace: &Workspace, code: &str) -> String {
    let ids = workspace.brick("run -c shared-analytics --no-wait").arg(code).run().done().silent().json();
    let id = |name: &str| ids[name].as_str().unwrap().to_owned();
    format!("-c {} --context {} {}", id("cluster_id"), id("context_id"), id("command_id"))
}

#[test]
fn a_command_is_waited_for_and_its_result_printed_as_run_does() {
    let workspace = Workspace::fresh();
    let wait = |code: &str, options: &str| {
        workspace.brick(&format!("commands wait {} {options}", submitted(&workspace, code))).run()
    };
    assert_eq!(wait("print(6 * 7)", "").done().silent().text(), "42\n");
    wait("def f(:", "").fails(8, &["SyntaxError", "error: the code failed"]);
    let ran = wait("1/0", "-o json").exits(8, &[]);
    assert_eq!(ran.json()["results"]["resultType"], "error");
    // The message is the summary, without the service's markup.
    assert_eq!(ran.json_error()["message"], "ZeroDivisionError: division by zero");
    let missing = submitted(&workspace, "1").rsplit_once(' ').unwrap().0.to_owned();
    workspace.brick(&format!("commands wait {missing} nowhere")).run().fails(5, &["nowhere"]);
    workspace.brick(&format!("commands wait {missing} x --images nowhere")).run().fails(3, &["nowhere"]);
    assert!(workspace.requests("POST", CANCEL).is_empty());
}

#[test]
fn a_wait_that_times_out_names_the_command_that_goes_on() {
    let workspace = Workspace::fresh();
    let ids = submitted(&workspace, "import threading\nthreading.Event().wait()");
    let next = format!("brick commands wait {ids}");
    let ran = workspace.brick(&format!("commands wait {ids} --timeout 3s")).run();
    let ran = ran.fails(9, &["timed out after 3s; command ", &format!("hint: {next}\n")]);
    assert!(ran.stderr.contains(" is still "), "{}", ran.stderr);
    let ran = workspace.brick(&format!("commands wait {ids} --timeout 3s -o json")).run().fails(9, &[]);
    assert_eq!(ran.json_error()["next"], next);
    assert!(workspace.requests("POST", CANCEL).is_empty());
    assert_eq!(workspace.requests("POST", EXECUTE).len(), 1);
}

/// A cluster and a warehouse that are always in this state, and a statement that runs.
fn always(state: &'static str) -> Server {
    Server::routing(move |_, path| {
        let answer = match path {
            _ if path.contains("/clusters/") => {
                json!({ "cluster_id": "0123-456789-abcdefgh", "state": state })
            }
            _ if path.contains("/warehouses/") => json!({ "id": "0123456789abcdef", "state": state }),
            _ if path.contains("/statements/") => {
                json!({ "statement_id": "01f0-1", "status": { "state": "RUNNING" } })
            }
            _ => return None,
        };
        Some(answer.to_string())
    })
}

#[test]
fn each_wait_says_what_is_still_going_on_and_how_to_wait_on() {
    let waits = [
        ("PENDING", "clusters start 0123-456789-abcdefgh", "brick clusters wait 0123-456789-abcdefgh"),
        ("PENDING", "clusters wait 0123-456789-abcdefgh", "brick clusters wait 0123-456789-abcdefgh"),
        (
            "TERMINATING",
            "clusters terminate 0123-456789-abcdefgh",
            "brick clusters wait 0123-456789-abcdefgh --terminated",
        ),
        (
            "TERMINATING",
            "clusters wait 0123-456789-abcdefgh --terminated",
            "brick clusters wait 0123-456789-abcdefgh --terminated",
        ),
        ("STARTING", "warehouses start 0123456789abcdef", "brick warehouses wait 0123456789abcdef"),
        ("STOPPING", "warehouses stop 0123456789abcdef", "brick warehouses wait 0123456789abcdef --stopped"),
        ("RUNNING", "statements wait 01f0-1", "brick statements wait 01f0-1"),
    ];
    let check = |state, line: &str, next: &str| {
        let server = always(state);
        let ran = server.brick(&format!("{line} --timeout 3s -o json")).run().fails(9, &[]);
        let error = ran.json_error();
        assert_eq!((&error["next"], &error["hint"]), (&json!(next), &json!(next)), "{line}");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.starts_with("timed out after 3s; ") && message.contains(&format!(" is still {state}")),
            "{message}"
        );
        // Nothing is canceled or changed back.
        let is_change =
            |path: &str| ["/cancel", "/start", "/stop", "/delete"].iter().any(|end| path.ends_with(end));
        assert!(server.sent().iter().all(|request| !is_change(request.path())), "{line}");
    };
    std::thread::scope(|scope| {
        for (state, line, next) in waits {
            scope.spawn(move || check(state, line, next));
        }
    });
}

#[test]
fn what_is_canceled_at_the_deadline_has_no_command_that_waits() {
    let workspace = Workspace::fresh();
    let code = "import threading\nthreading.Event().wait()";
    let ran =
        workspace.brick("run -c nightly-etl --start --timeout 5s -o json").arg(code).run().fails(9, &[]);
    let error = ran.json_error();
    assert_eq!(error["next"], json!(null));
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("timed out after 5s; command ") && message.ends_with(" was canceled"),
        "{message}"
    );
    assert_eq!(workspace.requests("POST", CANCEL).len(), 1);
}

#[test]
fn a_number_alone_is_seconds() {
    let server = always("PENDING");
    let ran = server.brick("clusters wait 0123-456789-abcdefgh --timeout 3").run();
    ran.fails(9, &["timed out after 3s; cluster 0123-456789-abcdefgh is still PENDING"]);
    for timeout in ["0", "0s"] {
        let ran = server.brick("clusters wait 0123-456789-abcdefgh --timeout").arg(timeout).run();
        ran.fails(2, &["must be greater than zero"]);
    }
}
