//! Execution contexts, and commands in them.

use brickwire_sandbox::seed::RUNNING_CLUSTER;

use crate::workspace::{Workspace, squeezed};

const CREATE: &str = "/api/1.2/contexts/create";

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

    let submit = format!("commands submit -c shared-analytics --context {id}");
    let accepted = workspace.brick(&submit).arg("print('later')").run().done().silent().json();
    let command = accepted["id"].as_str().unwrap();
    // `brick` didn't ask for its state.
    let looks = workspace.requests("GET", "/api/1.2/commands/status");
    assert!(looks.iter().all(|look| !look.query.as_deref().unwrap().contains(command)), "{looks:?}");
    // The former name of it.
    let accepted = execute("--no-wait").arg("print('later')").run().done().silent().json();
    assert!(accepted["id"].is_string() && accepted["id"] != command, "{accepted}");
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
fn code_that_raises_is_a_failure_whose_answer_is_data() {
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
}
