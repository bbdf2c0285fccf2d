//! Pipelines and their updates, against a scripted service.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use brickwire_actions::{
    Connection, ErrorKind, Event, Events, Pipelines, UpdateOutcome, WaitOptions, Workspace,
    types::{PipelinesListEventsQuery, StartUpdate},
};
use brickwire_testserver::{End, Request, Response, Server};

const PIPELINE: &str = "8f2c1a34-5b6d-4e7f-8a90-1b2c3d4e5f60";
const UPDATE: &str = "0c1d2e3f-0000-4000-8000-000000000001";

fn connected(server: &Server) -> Pipelines {
    Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap().pipelines()
}

fn script(answers: impl IntoIterator<Item = Response>) -> (Server, Pipelines) {
    let server = Server::script(answers);
    let pipelines = connected(&server);
    (server, pipelines)
}

fn serve(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> (Server, Pipelines) {
    let server = Server::start(answer);
    let pipelines = connected(&server);
    (server, pipelines)
}

fn update(state: &str) -> Response {
    Response::json(format!(
        r#"{{"update":{{"update_id":"{UPDATE}","pipeline_id":"{PIPELINE}","state":"{state}","creation_time":"odd"}},"newest":1}}"#
    ))
}

fn soon() -> WaitOptions {
    let pauses = Duration::from_millis(1)..=Duration::from_millis(1);
    WaitOptions::default().with_timeout(Duration::from_secs(60)).with_polls(pauses)
}

fn lines(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| request.line()).collect()
}

#[tokio::test]
async fn a_start_is_sent_once_whatever_becomes_of_its_answer() {
    for lost in [
        Response::none(End::Reset),
        Response::new(503),
        Response::json("{}"),
        Response::json(r#"{"update_id":""}"#),
    ] {
        let (server, pipelines) = script([lost]);
        let error = pipelines.start_update(PIPELINE, &StartUpdate::default()).await.unwrap_err();
        assert_eq!((error.kind(), server.requests().len()), (ErrorKind::UnknownOutcome, 1), "{error}");
    }
    let (server, pipelines) = script([Response::none(End::Reset)]);
    let error = pipelines.start_update(PIPELINE, &StartUpdate::default()).await.unwrap_err();
    assert!(error.hint().unwrap().contains("list the pipeline's updates"), "{:?}", error.hint());
    assert_eq!(server.only().text(), "{}");
}

#[tokio::test]
async fn the_update_is_waited_for_through_states_that_no_one_knows() {
    let server = Server::script(["QUEUED", "NEWEST_STATE", "RUNNING", "RUNNING", "COMPLETED"].map(update));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let events = Events::new(move |event| {
        if let Event::StateChanged { what, id, state, .. } = event {
            sink.lock().unwrap().push(format!("{what} {id} {state}"));
        }
    });
    let connection = Connection::token(&server.url(), "dapi-example").unwrap();
    let workspace = Workspace::builder().connection(connection).with_events(events).build().unwrap();
    let ended = workspace.pipelines().update(PIPELINE, UPDATE).wait_with(soon()).await.unwrap();
    assert_eq!((ended.outcome, ended.reason), (UpdateOutcome::Completed, None));
    assert!(String::from_utf8_lossy(&ended.raw).ends_with(r#""newest":1}"#));
    let states = ["QUEUED", "NEWEST_STATE", "RUNNING", "COMPLETED"];
    assert_eq!(*seen.lock().unwrap(), states.map(|state| format!("update {UPDATE} {state}")));
    // Success needs no events.
    let path = format!("GET /api/2.0/pipelines/{PIPELINE}/updates/{UPDATE}");
    assert!(lines(&server).iter().all(|line| *line == path), "{:?}", lines(&server));
}

#[tokio::test]
async fn the_reason_of_a_failure_is_among_the_events() {
    let events = format!(
        r#"{{"events":[{{"message":"Update is FAILED.","level":"ERROR","origin":{{"update_id":"{UPDATE}"}}}},
            {{"message":"Flow 'a' failed","level":"NEWEST","timestamp":5,"origin":{{"update_id":"{UPDATE}","org_id":"x"}},
              "error":{{"fatal":"odd","exceptions":[{{"class_name":"A","message":"table not found: b"}}]}}}}]}}"#
    );
    let (server, pipelines) = script([update("FAILED"), Response::json(events)]);
    let ended = pipelines.update(PIPELINE, UPDATE).wait_with(soon()).await.unwrap();
    assert_eq!(ended.outcome, UpdateOutcome::Failed);
    assert_eq!(ended.reason.as_deref(), Some("table not found: b"));
    let asked = lines(&server).pop().unwrap();
    assert!(asked.contains("/events?") && asked.contains("filter=level%3D%27ERROR%27"), "{asked}");
    // Events that can't be read take nothing away from what is known.
    for unreadable in
        [Response::new(403), Response::json("[]"), Response::json(r#"{"events":[{"message":5}]}"#)]
    {
        let (_server, pipelines) = script([update("FAILED"), unreadable]);
        let ended = pipelines.update(PIPELINE, UPDATE).wait_with(soon()).await.unwrap();
        assert_eq!((ended.outcome, ended.reason), (UpdateOutcome::Failed, None));
    }
}

#[tokio::test]
async fn an_answer_about_another_update_or_without_a_state_ends_the_waiting() {
    let other = r#"{"update":{"update_id":"other","state":"COMPLETED"}}"#;
    let (_server, pipelines) = script([Response::json(other)]);
    let update = pipelines.update(PIPELINE, UPDATE);
    for error in [
        update.wait_with(soon()).await.unwrap_err(),
        update.get().await.unwrap_err(),
        update.cancel().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
        assert!(error.to_string().contains("about a different update"), "{error}");
    }
    for empty in ["{}", r#"{"update":null}"#, r#"{"update":{"state":null}}"#] {
        let (_server, pipelines) = script([Response::json(empty)]);
        let error = pipelines.update(PIPELINE, UPDATE).wait_with(soon()).await.unwrap_err();
        assert!(error.to_string().contains("has no state"), "{error}");
    }
    let (_server, pipelines) = script([Response::json(r#"{"pipeline_id":"other"}"#)]);
    assert_eq!(pipelines.get(PIPELINE).await.unwrap_err().kind(), ErrorKind::UnexpectedResponse);
    assert_eq!(pipelines.get_json(PIPELINE).await.unwrap_err().kind(), ErrorKind::UnexpectedResponse);
}

#[tokio::test]
async fn an_update_that_has_ended_stops_nothing() {
    let (server, pipelines) = script([update("COMPLETED")]);
    pipelines.update(PIPELINE, UPDATE).cancel().await.unwrap();
    assert!(lines(&server).iter().all(|line| line.starts_with("GET ")), "{:?}", lines(&server));
}

#[tokio::test]
async fn an_update_is_canceled_at_its_timeout_or_when_its_future_is_dropped() {
    let is_stopped = Arc::new(Mutex::new(false));
    let stopped = is_stopped.clone();
    let (server, pipelines) = serve(move |request| match request.path() {
        path if path.ends_with("/stop") => {
            *stopped.lock().unwrap() = true;
            Response::json("{}")
        }
        path if path.ends_with("/updates") => Response::json(format!(r#"{{"update_id":"{UPDATE}"}}"#)),
        _ => update(if *stopped.lock().unwrap() { "CANCELED" } else { "RUNNING" }),
    });
    let short = soon().with_timeout(Duration::from_secs(2));
    let error = pipelines.run_or_cancel(PIPELINE, &StartUpdate::default(), short).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "{error}");
    assert!(error.to_string().ends_with(" was canceled"), "{error}");
    *is_stopped.lock().unwrap() = false;
    let request = StartUpdate::default();
    let sent_twice = |end: &'static str| {
        let line = format!("POST /api/2.0/pipelines/{PIPELINE}/{end}");
        server.log().until(move |all| all.iter().filter(|request| request.line() == line).count() == 2)
    };
    tokio::select! {
        ended = pipelines.run_or_cancel(PIPELINE, &request, soon()) => panic!("{ended:?}"),
        () = sent_twice("updates") => {}
    }
    sent_twice("stop").await;
}

#[tokio::test]
async fn a_name_is_looked_up_by_the_service_and_must_be_the_whole_one() {
    let page = format!(
        r#"{{"statuses":[{{"pipeline_id":"1","name":"orders_x","creator_user_name":5}},{{"pipeline_id":"{PIPELINE}","name":"orders"}}]}}"#
    );
    let (server, pipelines) = script([Response::json(page)]);
    assert_eq!(pipelines.find("orders").await.unwrap(), PIPELINE);
    assert!(lines(&server)[0].contains("filter=name+LIKE+%27orders%27"), "{:?}", lines(&server));
    // A quote would end the text in the condition.
    let error = pipelines.find("it's").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(!lines(&server)[1].contains("filter="), "{:?}", lines(&server));
    assert_eq!(pipelines.find(PIPELINE).await.unwrap(), PIPELINE);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn the_next_page_of_events_has_no_condition() {
    let (server, pipelines) = script([
        Response::json(r#"{"events":[],"next_page_token":"t-1"}"#),
        Response::json(r#"{"events":[{"id":"a"}]}"#),
    ]);
    let query = PipelinesListEventsQuery {
        filter: Some("level='WARN'".to_owned()),
        order_by: Some(vec!["timestamp asc".to_owned()]),
        ..Default::default()
    };
    assert_eq!(pipelines.list_events(PIPELINE, &query, 20).await.unwrap().len(), 1);
    let all = lines(&server);
    assert!(
        all[0].contains("filter=") && all[0].contains("order_by=") && all[0].contains("max_results=20"),
        "{all:?}"
    );
    assert!(all[1].ends_with("/events?max_results=20&page_token=t-1"), "{all:?}");
}

#[tokio::test]
async fn what_cannot_be_meant_is_not_sent() {
    let (server, pipelines) = script([Response::json("{}")]);
    for refused in [
        pipelines.get("").await.map(drop),
        pipelines.get_json(" ").await.map(drop),
        pipelines.find(" ").await.map(drop),
        pipelines.start_update("", &StartUpdate::default()).await.map(drop),
        pipelines.run_or_cancel("", &StartUpdate::default(), soon()).await.map(drop),
        pipelines.stop("").await,
        pipelines.list_updates("", 1).await.map(drop),
        pipelines.list_events("", &Default::default(), 1).await.map(drop),
        pipelines.update(PIPELINE, "").wait().await.map(drop),
        pipelines.update("", UPDATE).wait_or_cancel(soon()).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Usage);
    }
    assert!(server.requests().is_empty());
}
