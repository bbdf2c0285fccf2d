//! A toy service that follows the recipe of CONTRIBUTING.md, against a scripted server. Only its tests use it.

use std::time::Duration;

use brickwire_client::{Call, ResponseValue};
use brickwire_testserver::{Log, Request, Response, Server};
use brickwire_wire::OperationInfo;
use serde::Deserialize;

use crate::{
    Candidate, Change, Connection, ErrorKind, Goal, IfTerminated, Lifecycle, Named, Phase, Result, Status,
    WaitOptions, Workspace, list,
};

// What the API description would generate.
const LIST: OperationInfo = OperationInfo::new("kettles_list", "GET", "/api/kettles", true);
const GET: OperationInfo = OperationInfo::new("kettles_get", "GET", "/api/kettles/{id}", true);
const HEAT: OperationInfo = OperationInfo::new("kettles_heat", "POST", "/api/kettles/{id}/heat", true);
const COOL: OperationInfo = OperationInfo::new("kettles_cool", "POST", "/api/kettles/{id}/cool", true);

/// A kettle as the service describes it.
#[derive(Debug, Clone, Deserialize)]
pub struct Kettle {
    id: Option<String>,
    name: Option<String>,
    state: String,
}

/// The kettles of a workspace.
#[derive(Debug, Clone)]
pub struct Kettles {
    workspace: Workspace,
}

impl Workspace {
    /// Kettles: heat, cool.
    pub fn kettles(&self) -> Kettles {
        Kettles { workspace: self.clone() }
    }
}

impl Named for Kettles {
    const NOUN: &'static str = "kettle";

    fn is_id(text: &str) -> bool {
        text.starts_with("k-")
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        let page = |token: Option<String>| -> Call {
            let call = self.workspace.client().call(&LIST);
            token.iter().fold(call, |call, token| call.query("page_token", token))
        };
        let all = list::all::<Kettle>(page, "kettles").await?;
        Ok(all.into_iter().map(|k| Candidate::new(k.id, k.name, Some(k.state))).collect())
    }
}

impl Lifecycle for Kettles {
    const STOP: &'static str = "cool";

    type Resource = Kettle;

    fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    fn status(kettle: &Kettle) -> Status {
        let phase = match kettle.state.as_str() {
            "COLD" => Phase::Stopped,
            "HEATING" => Phase::Starting,
            "HOT" => Phase::Running,
            "COOLING" => Phase::Stopping,
            _ => Phase::Unknown,
        };
        Status::new(&kettle.state, phase)
    }

    async fn get(workspace: &Workspace, id: &str) -> Result<ResponseValue<Kettle>> {
        workspace.client().call(&GET).path("id", &id).send().await
    }

    async fn request(workspace: &Workspace, id: &str, goal: Goal) -> Result<()> {
        let operation = if goal == Goal::Running { &HEAT } else { &COOL };
        workspace.client().call(operation).path("id", &id).send_ignoring_body().await.map(drop)
    }
}

/// A server with one kettle, which shows these states in turn, and the last one from then on.
fn serve(states: &'static [&'static str]) -> (Server, Kettles) {
    let log = Log::default();
    let earlier = log.clone();
    let server = Server::start_with_log(&log, move |request: &Request| match request.path() {
        "/api/kettles" => {
            Response::json(r#"{"kettles": [{"id": "k-1", "name": "the red one", "state": "HOT"}]}"#)
        }
        path if path.ends_with("heat") || path.ends_with("cool") => Response::json("{}"),
        _ => {
            let earlier = earlier.requests();
            let polls = earlier.iter().take(request.number).filter(|r| r.line() == request.line()).count();
            let state = states[polls.min(states.len() - 1)];
            Response::json(format!(r#"{{"id": "k-1", "state": "{state}"}}"#))
        }
    });
    let connection = Connection::token(&server.url(), "dapi-example").unwrap();
    let kettles = Workspace::new(connection).unwrap().kettles();
    (server, kettles)
}

fn soon() -> WaitOptions {
    let pauses = Duration::from_millis(1)..=Duration::from_millis(1);
    WaitOptions::default().with_timeout(Duration::from_secs(60)).with_polls(pauses)
}

fn lines(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| format!("{} {}", request.method, request.path())).collect()
}

#[tokio::test]
async fn a_name_is_looked_up_and_an_id_is_not() {
    let (server, kettles) = serve(&["HOT"]);
    assert_eq!(kettles.find("k-7").await.unwrap(), "k-7");
    assert!(server.requests().is_empty());
    assert_eq!(kettles.find("the red one").await.unwrap(), "k-1");
    let error = kettles.find("the blue one").await.unwrap_err();
    assert_eq!(error.to_string(), r#"no kettle has this id or name: "the blue one""#);
    assert_eq!(error.hint(), Some("there are: k-1 (the red one, HOT)"));
}

#[tokio::test]
async fn start_requests_once_and_waits() {
    // The first poll after the request may still show the old state.
    let (server, kettles) = serve(&["COLD", "COLD", "HEATING", "HOT"]);
    assert_eq!(kettles.start("k-1").await.unwrap(), Change::Requested);
    let hot = kettles.wait_until(Goal::Running, "k-1", soon()).await.unwrap();
    assert_eq!(hot.state, "HOT");
    let get = "GET /api/kettles/k-1";
    assert_eq!(lines(&server), [get, "POST /api/kettles/k-1/heat", get, get, get]);
}

#[tokio::test]
async fn what_is_so_already_is_not_requested() {
    for states in [["HEATING"], ["HOT"]] {
        let (server, kettles) = serve(states.to_vec().leak());
        assert_eq!(kettles.start("k-1").await.unwrap(), Change::Already);
        assert_eq!(lines(&server), ["GET /api/kettles/k-1"]);
    }
    let (server, kettles) = serve(&["COOLING"]);
    assert_eq!(kettles.stop("k-1").await.unwrap(), Change::Already);
    assert_eq!(lines(&server), ["GET /api/kettles/k-1"]);
}

#[tokio::test]
async fn what_is_being_stopped_is_started_once_it_has_stopped() {
    let (server, kettles) = serve(&["COOLING", "COOLING", "COLD", "HEATING", "HOT"]);
    kettles.ensure_running("k-1", IfTerminated::Start, soon()).await.unwrap();
    let get = "GET /api/kettles/k-1";
    let expected = [get, get, get, get, "POST /api/kettles/k-1/heat", get];
    assert_eq!(lines(&server).len(), expected.len(), "{:?}", lines(&server));
    assert_eq!(lines(&server).iter().filter(|line| line.starts_with("POST")).count(), 1);
}

#[tokio::test]
async fn a_start_that_fails_and_one_that_is_not_wanted_are_errors() {
    let (_server, kettles) = serve(&["HEATING", "COLD"]);
    let error = kettles.wait_until(Goal::Running, "k-1", soon()).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::RemoteFailed, "kettle k-1 is COLD"));
    let (server, kettles) = serve(&["COLD"]);
    let error = kettles.ensure_running("k-1", IfTerminated::Fail, soon()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(lines(&server), ["GET /api/kettles/k-1"]);
    let error = kettles.start(" ").await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Usage, 1));
}
