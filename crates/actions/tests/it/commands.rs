//! Code on a cluster, against a scripted service: what is left behind when a run ends, fails, or is given up.

use std::time::Duration;

use brickwire_actions::{
    Connection, DEFAULT_LANGUAGE, ErrorKind, ExecutionContext, RunOptions, RunOutput, WaitOptions, Workspace,
};
use brickwire_testserver::{Gate, Request, Response, Server};

const CREATE: &str = "POST /api/1.2/contexts/create";
const DESTROY: &str = "POST /api/1.2/contexts/destroy";
const EXECUTE: &str = "POST /api/1.2/commands/execute";
const CANCEL: &str = "POST /api/1.2/commands/cancel";

/// A service whose commands are in this state; `held` makes it wait before it answers.
fn serve(command: &'static str, held: impl Fn(&Request) + Send + Sync + 'static) -> (Server, Workspace) {
    let server = Server::start(move |request| {
        held(request);
        let answer = match request.path() {
            "/api/1.2/contexts/create" => r#"{"id": "ctx"}"#,
            "/api/1.2/contexts/status" => r#"{"id": "ctx", "status": "Running"}"#,
            "/api/1.2/commands/execute" => r#"{"id": "cmd"}"#,
            "/api/1.2/commands/status" => command,
            _ => "{}",
        };
        Response::json(answer)
    });
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace)
}

/// What was sent, without the polls, once nothing is under way any more.
async fn changes(server: &Server, workspace: &Workspace) -> Vec<String> {
    workspace.settle(Duration::from_secs(10)).await;
    server.requests().iter().filter(|r| r.method == "POST").map(|r| r.line()).collect()
}

const FINISHED: &str =
    r#"{"id": "cmd", "status": "Finished", "results": {"resultType": "text", "data": "42"}}"#;
const RUNNING: &str = r#"{"id": "cmd", "status": "Running"}"#;

fn soon() -> RunOptions {
    RunOptions::default().with_wait(WaitOptions::default().with_timeout(Duration::from_secs(2)))
}

#[tokio::test]
async fn a_run_leaves_nothing_behind() {
    let (server, workspace) = serve(FINISHED, |_| ());
    let run = workspace.commands().run("c", "6 * 7", &RunOptions::default()).await.unwrap();
    assert_eq!(run.output, RunOutput::Text("42".to_owned()));
    assert_eq!((run.command.command_id.as_str(), &run.raw[..]), ("cmd", FINISHED.as_bytes()));
    assert_eq!(changes(&server, &workspace).await, [CREATE, EXECUTE, DESTROY]);
}

#[tokio::test]
async fn kept_and_named_contexts_stay() {
    let (server, workspace) = serve(FINISHED, |_| ());
    let commands = workspace.commands();
    commands.run("c", "1", &RunOptions::default().with_kept_context(true)).await.unwrap();
    commands.run("c", "1", &RunOptions::default().with_context("ctx")).await.unwrap();
    commands.submit_on_cluster("c", "1", &RunOptions::default()).await.unwrap();
    assert_eq!(changes(&server, &workspace).await, [CREATE, EXECUTE, EXECUTE, CREATE, EXECUTE]);
}

#[tokio::test]
async fn a_deadline_cancels_the_command_and_destroys_its_context() {
    let (server, workspace) = serve(RUNNING, |_| ());
    let error = workspace.commands().run("c", "endless", &soon()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(error.to_string(), "timed out after 2s; command cmd was canceled");
    assert_eq!(changes(&server, &workspace).await, [CREATE, EXECUTE, CANCEL, DESTROY]);
    let error = workspace.commands().run("c", "endless", &soon().with_context("ctx")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(changes(&server, &workspace).await[4..], [EXECUTE, CANCEL]);
}

#[tokio::test]
async fn a_run_that_is_given_up_during_a_request_cleans_up_once_the_answer_is_there() {
    for (path, expected) in [
        ("/api/1.2/contexts/create", vec![CREATE, DESTROY]),
        ("/api/1.2/commands/execute", vec![CREATE, EXECUTE, CANCEL, DESTROY]),
    ] {
        let gate = Gate::default();
        let held = gate.clone();
        let (server, workspace) = serve(RUNNING, move |request| {
            if request.path() == path {
                held.pass();
            }
        });
        let log = server.log().clone();
        let (commands, options) = (workspace.commands(), RunOptions::default());
        tokio::select! {
            run = commands.run("c", "1", &options) => panic!("{run:?}"),
            () = log.until(|requests| requests.iter().any(|request| request.path() == path)) => {}
        }
        gate.open(1);
        assert_eq!(changes(&server, &workspace).await, expected, "{path}");
    }
}

#[tokio::test]
async fn the_service_says_why_a_context_failed_to_start() {
    for (message, text) in [
        (r#""cannot run python3:\nnot found""#, "context ctx failed to start: cannot run python3: not found"),
        ("7", "the context failed to start: ctx"),
        ("null", "the context failed to start: ctx"),
    ] {
        let server = Server::start(move |request| match request.path() {
            "/api/1.2/contexts/status" => {
                Response::json(format!(r#"{{"id": "ctx", "status": "Error", "message": {message}}}"#))
            }
            _ => Response::json(r#"{"id": "ctx"}"#),
        });
        let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
        let failed = workspace.commands().run("c", "1", &RunOptions::default()).await.unwrap_err();
        assert_eq!((failed.kind(), failed.to_string().as_str()), (ErrorKind::RemoteFailed, text));
    }
}

#[tokio::test]
async fn submit_returns_at_once_and_empty_ids_are_refused() {
    let (server, workspace) = serve(RUNNING, |_| ());
    let commands = workspace.commands();
    let context = commands.create_context("c", DEFAULT_LANGUAGE).await.unwrap().into_inner();
    assert_eq!(context.id, "ctx");
    assert_eq!(commands.submit(&context, "1").await.unwrap().context_id, "ctx");
    assert_eq!(changes(&server, &workspace).await, [CREATE, EXECUTE]);
    let nameless = ExecutionContext { id: " ".to_owned(), ..context };
    assert_eq!(commands.submit(&nameless, "1").await.unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(server.requests().len(), 2);
}
