//! What services say about clusters, warehouses, contexts and commands is compared with what was asked.

use std::{sync::Mutex, time::Duration};

use brickwire_actions::{
    Command, Connection, Error, ErrorKind, ExecutionContext, WaitOptions, Workspace, types::CommandLanguage,
};
use brickwire_testserver::{Response, Server};

const CLUSTER: &str = "0123-456789-abcdefgh";

fn workspace(server: &Server) -> Workspace {
    let connection = Connection::token(&server.url(), "dapi-secret").unwrap();
    Workspace::builder().connection(connection).build().unwrap()
}

fn quickly() -> WaitOptions {
    WaitOptions::default().with_polls(Duration::from_millis(1)..=Duration::from_millis(1))
}

#[tokio::test]
async fn a_restart_is_done_once_it_has_shown() {
    let states = ["RUNNING", "RUNNING", "RESTARTING", "PENDING", "RUNNING", "TERMINATED"];
    let states = Mutex::new(states.into_iter());
    let server = Server::start(move |request| {
        let state = || states.lock().unwrap().next().unwrap();
        Response::json(if request.method == "POST" {
            "{}".to_owned()
        } else {
            format!(r#"{{"state":"{}"}}"#, state())
        })
    });
    let clusters = workspace(&server).clusters();
    clusters.restart(CLUSTER).await.unwrap();
    clusters.wait_until_restarted(CLUSTER, quickly()).await.unwrap();
    assert_eq!(server.requests().len(), 1 + 5);
}

#[tokio::test]
async fn a_cluster_that_runs_is_not_waited_for() {
    let server = Server::script([Response::json(r#"{"state":"RUNNING"}"#)]);
    workspace(&server).clusters().wait_until_running(CLUSTER, quickly()).await.unwrap();
    assert_eq!(server.requests().len(), 1);
}

fn is_about_another(what: &str, error: Error) {
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
    let start = format!("the answer is about a different {what} than ");
    assert!(error.to_string().starts_with(&start) && error.to_string().ends_with(": other"), "{error}");
}

#[tokio::test]
async fn an_answer_about_another_resource_is_an_error() {
    let server = Server::script([Response::json(
        r#"{"id":"other","cluster_id":"other","state":"RUNNING","status":"Running"}"#,
    )]);
    let workspace = workspace(&server);
    let clusters = workspace.clusters();
    is_about_another("cluster", clusters.get(CLUSTER).await.unwrap_err());
    is_about_another("cluster", clusters.get_json(CLUSTER).await.unwrap_err());
    is_about_another("cluster", clusters.wait_until_running(CLUSTER, quickly()).await.unwrap_err());
    is_about_another("cluster", clusters.start(CLUSTER).await.unwrap_err());
    let (warehouses, id) = (workspace.warehouses(), "0123456789abcdef");
    is_about_another("warehouse", warehouses.get(id).await.unwrap_err());
    is_about_another("warehouse", warehouses.get_json(id).await.unwrap_err());
    is_about_another("warehouse", warehouses.stop(id).await.unwrap_err());
    let commands = workspace.commands();
    let context = ExecutionContext {
        cluster_id: CLUSTER.to_owned(),
        id: "ctx".to_owned(),
        language: CommandLanguage::Python,
    };
    is_about_another("context", commands.context_status(&context).await.unwrap_err());
    is_about_another("context", commands.context_status_json(&context).await.unwrap_err());
    is_about_another("context", commands.wait_for_context(&context, quickly()).await.unwrap_err());
    let command = Command {
        cluster_id: CLUSTER.to_owned(),
        context_id: "ctx".to_owned(),
        command_id: "cmd".to_owned(),
    };
    is_about_another("command", commands.status(&command).await.unwrap_err());
    is_about_another("command", commands.status_json(&command).await.unwrap_err());
    is_about_another("command", commands.wait(&command, quickly()).await.unwrap_err());
    // Nothing was requested on the strength of another's state.
    assert!(server.requests().iter().all(|request| request.method == "GET"));
}

#[tokio::test]
async fn what_was_started_without_a_name_has_an_unknown_outcome() {
    for body in ["{}", r#"{"id":""}"#, r#"{"id":null}"#] {
        let server = Server::script([Response::json(body)]);
        let commands = workspace(&server).commands();
        let context = ExecutionContext {
            cluster_id: CLUSTER.to_owned(),
            id: "ctx".to_owned(),
            language: CommandLanguage::Python,
        };
        let error = commands.submit(&context, "1").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownOutcome, "{body} {error}");
        let error = commands.create_context(CLUSTER, CommandLanguage::Python).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownOutcome, "{body} {error}");
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn an_answer_without_a_state_ends_the_waiting() {
    let server = Server::script([Response::json("{}")]);
    let workspace = workspace(&server);
    let commands = workspace.commands();
    let (cluster_id, id) = (CLUSTER.to_owned(), "1".to_owned());
    let context = ExecutionContext { cluster_id, id, language: CommandLanguage::Python };
    let command =
        Command { cluster_id: CLUSTER.to_owned(), context_id: "1".to_owned(), command_id: "2".to_owned() };
    for error in [
        workspace.clusters().wait_until_running(CLUSTER, quickly()).await.unwrap_err(),
        workspace.warehouses().wait_until_stopped("0123456789abcdef", quickly()).await.unwrap_err(),
        workspace.statements().wait("01ef", quickly()).await.unwrap_err(),
        commands.wait_for_context(&context, quickly()).await.unwrap_err(),
        commands.wait(&command, quickly()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
        assert!(error.to_string().contains("has no state"), "{error}");
    }
    assert_eq!(server.requests().len(), 5);
}
