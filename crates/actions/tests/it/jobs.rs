//! Jobs and their runs, against a scripted service.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use brickwire_actions::{
    Connection, ErrorKind, Event, Events, JobRun, RunOutcome, WaitOptions, Workspace,
    types::{RunNow, RunsListQuery, SubmitRun, Task},
};
use brickwire_testserver::{End, Request, Response, Server};
use serde_json::{Value, json};

/// An id that no double can hold.
const RUN: i64 = 9_007_199_254_740_993;

/// A service that answers as the function says, and the tokens of the starts that it saw.
fn serve(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> (Server, Workspace) {
    let server = Server::start(answer);
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace)
}

/// A service that answers with these in turn, and then with the last one.
fn script(answers: impl IntoIterator<Item = Response>) -> (Server, Workspace) {
    let server = Server::script(answers);
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace)
}

fn answer(body: &Value) -> Response {
    Response::json(body.to_string())
}

fn task(key: &str, id: i64, life: &str, result: Option<&str>) -> Value {
    json!({ "task_key": key, "run_id": id, "attempt_number": 0,
        "state": { "life_cycle_state": life, "result_state": result } })
}

fn run(life: &str, result: Option<&str>, tasks: &[Value]) -> Response {
    answer(&json!({ "run_id": RUN, "job_id": 7, "tasks": tasks,
        "state": { "life_cycle_state": life, "result_state": result, "state_message": "" } }))
}

fn soon() -> WaitOptions {
    let pauses = Duration::from_millis(1)..=Duration::from_millis(1);
    WaitOptions::default().with_timeout(Duration::from_secs(60)).with_polls(pauses)
}

fn of_job(job_id: i64) -> RunNow {
    RunNow { job_id, ..Default::default() }
}

/// The fields of the bodies that were posted.
fn posted(server: &Server) -> Vec<Value> {
    let all = server.requests();
    all.iter().filter(|r| r.method == "POST").map(|r| serde_json::from_str(&r.text()).unwrap()).collect()
}

#[tokio::test]
async fn a_lost_answer_to_a_start_is_repeated_with_the_same_token() {
    let started = json!({ "run_id": RUN, "number_in_job": RUN });
    for lost in
        [Response::none(End::Reset), Response::none(End::Close), Response::new(503), Response::new(504)]
    {
        let (server, workspace) = script([lost, answer(&started)]);
        let run = workspace.jobs().run_now(&of_job(7)).await.unwrap();
        assert_eq!(run.id(), RUN);
        let [first, second] = &posted(&server)[..] else { panic!("{:?}", posted(&server)) };
        assert!(
            first == second && first["idempotency_token"].as_str().unwrap().len() == 32,
            "{first} {second}"
        );
        assert_eq!(first["job_id"], 7);
    }
    // Another call is another run.
    let (server, workspace) = script([answer(&started)]);
    workspace.jobs().run_now(&of_job(7)).await.unwrap();
    workspace.jobs().run_now(&of_job(7)).await.unwrap();
    let sent = posted(&server);
    assert_ne!(sent[0]["idempotency_token"], sent[1]["idempotency_token"]);
    // The caller's token goes as it is.
    let task = Task { task_key: Some("a".to_owned()), ..Default::default() };
    let token = Some("nightly-26".to_owned());
    let request = SubmitRun { tasks: Some(vec![task]), idempotency_token: token, ..Default::default() };
    let (server, workspace) =
        script([Response::none(End::Reset), answer(&json!({ "run_id": RUN.to_string() }))]);
    assert_eq!(workspace.jobs().submit(&request).await.unwrap().id(), RUN);
    assert!(
        posted(&server).iter().all(|body| body["idempotency_token"] == "nightly-26"),
        "{:?}",
        posted(&server)
    );
    assert_eq!(posted(&server).len(), 2);
}

#[tokio::test]
async fn a_start_without_an_answer_says_with_which_token_to_send_it_again() {
    for (answers, sent) in [
        (vec![answer(&json!({}))], 1),
        (vec![Response::json("<html>sign in</html>")], 1),
        (vec![Response::new(503), Response::json("[1")], 2),
    ] {
        let (server, workspace) = script(answers);
        let error = workspace.jobs().run_now(&of_job(7)).await.unwrap_err();
        assert_eq!((error.kind(), server.requests().len()), (ErrorKind::UnknownOutcome, sent), "{error}");
        let token = posted(&server)[0]["idempotency_token"].as_str().unwrap().to_owned();
        let hint = error.hint().unwrap();
        assert!(hint.contains("`idempotency_token`") && hint.ends_with(&token), "{hint}");
    }
    // A refusal is a refusal.
    let (server, workspace) = script([Response::new(400)
        .with_body(r#"{"error_code":"INVALID_PARAMETER_VALUE","message":"Job 7 does not exist."}"#)]);
    let error = workspace.jobs().run_now(&of_job(7)).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::NotFound, 1), "{error}");
}

#[tokio::test]
async fn what_cannot_be_right_is_not_sent() {
    let (server, workspace) = script([answer(&json!({}))]);
    let jobs = workspace.jobs();
    let long = RunNow { idempotency_token: Some("x".repeat(65)), ..of_job(7) };
    let errors = [
        jobs.run_now(&of_job(0)).await.err(),
        jobs.run_now(&long).await.err(),
        jobs.submit(&SubmitRun::default()).await.err(),
        jobs.run(-1).wait().await.err(),
        jobs.run(0).cancel().await.err(),
        jobs.get(0).await.err(),
        jobs.find(" ").await.err(),
    ];
    for error in errors {
        assert_eq!(error.unwrap().kind(), ErrorKind::Usage);
    }
    assert!(server.requests().is_empty());
}

/// Waits for the run, and returns what the events told as well.
async fn watched(server: &Server) -> (brickwire_actions::Result<brickwire_actions::EndedRun>, Vec<String>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let events = Events::new({
        let told = told.clone();
        move |event| {
            if let Event::StateChanged { what, id, state, .. } = event {
                told.lock().unwrap().push(format!("{what} {id} {state}"));
            }
        }
    });
    let connection = Connection::token(&server.url(), "dapi-example").unwrap();
    let workspace = Workspace::builder().connection(connection).with_events(events).build().unwrap();
    let ended = workspace.jobs().run(RUN).wait_with(soon()).await;
    let told = told.lock().unwrap().clone();
    (ended, told)
}

#[tokio::test]
async fn a_wait_tells_each_tasks_states_and_outcome() {
    let second = json!({ "task_key": "b", "run_id": 2, "attempt_number": 0,
        "status": { "state": "TERMINATED",
            "termination_details": { "code": "RUN_EXECUTION_ERROR", "type": "CLIENT_ERROR", "message": "it broke" } } });
    let (server, _) = script([
        run("PENDING", None, &[task("a", 1, "PENDING", None), task("b", 2, "BLOCKED", None)]),
        run("RUNNING", None, &[task("a", 1, "RUNNING", None), task("b", 2, "BLOCKED", None)]),
        // In the middle of a wait the service may be busy, and an answer may be lost.
        Response::new(429),
        Response::none(End::Reset),
        run("RUNNING", None, &[task("a", 1, "TERMINATED", Some("SUCCESS")), task("b", 2, "RUNNING", None)]),
        run(
            "TERMINATED",
            Some("FAILED"),
            &[
                task("a", 1, "TERMINATED", Some("SUCCESS")),
                second,
                task("c", 3, "TERMINATED", Some("UPSTREAM_FAILED")),
                task("d", 4, "SKIPPED", None),
            ],
        ),
    ]);
    let (ended, told) = watched(&server).await;
    let ended = ended.unwrap();
    assert_eq!((ended.run_id, &ended.outcome), (RUN, &RunOutcome::Failed));
    let tasks: Vec<_> =
        ended.tasks.iter().map(|t| (t.key.as_str(), t.outcome.as_str(), t.outcome.has_run())).collect();
    let expected = [
        ("a", "SUCCESS", true),
        ("b", "FAILED", true),
        ("c", "UPSTREAM_FAILED", false),
        ("d", "SKIPPED", false),
    ];
    assert_eq!(tasks, expected);
    assert_eq!(ended.tasks[1].message.as_deref(), Some("it broke"));
    assert_eq!(
        told,
        [
            "task a PENDING",
            "task b BLOCKED",
            &format!("run {RUN} PENDING"),
            "task a RUNNING",
            &format!("run {RUN} RUNNING"),
            "task a SUCCESS",
            "task b RUNNING",
            "task b FAILED",
            "task c UPSTREAM_FAILED",
            "task d SKIPPED",
            &format!("run {RUN} FAILED"),
        ]
    );
    assert!(server.requests().iter().all(|r| r.method == "GET" && r.query() == format!("run_id={RUN}")));
}

#[tokio::test]
async fn a_run_that_is_canceled_elsewhere_or_skipped_ends_the_wait() {
    for (life, result, outcome) in [
        ("TERMINATED", Some("CANCELED"), RunOutcome::Canceled),
        ("SKIPPED", Some("MAXIMUM_CONCURRENT_RUNS_REACHED"), RunOutcome::Skipped),
        ("INTERNAL_ERROR", None, RunOutcome::Failed),
        ("TERMINATED", Some("SUCCESS_WITH_FAILURES"), RunOutcome::SuccessWithFailures),
    ] {
        let (server, workspace) =
            script([run("RUNNING", None, &[]), run("TERMINATING", None, &[]), run(life, result, &[])]);
        let ended = workspace.jobs().run(RUN).wait_with(soon()).await.unwrap();
        assert_eq!(ended.outcome, outcome);
        assert_eq!(server.requests().len(), 3);
    }
}

#[tokio::test]
async fn a_field_of_an_unexpected_type_does_not_end_a_wait() {
    let body = format!(
        r#"{{"run_id":"{RUN}","start_time":{{}},"state":{{"life_cycle_state":"TERMINATED","result_state":"SUCCESS"}},
            "tasks":[{{"task_key":"a","run_id":{RUN},"new_cluster":"odd","state":{{"life_cycle_state":"TERMINATED",
            "result_state":"SUCCESS"}}}}]}}"#
    );
    let (_server, workspace) = script([Response::json(body.clone())]);
    let run = workspace.jobs().run(RUN);
    let ended = run.wait_with(soon()).await.unwrap();
    assert_eq!((ended.outcome, ended.tasks[0].run_id), (RunOutcome::Success, Some(RUN)));
    assert_eq!((&ended.raw[..], run.get_json().await.unwrap().get()), (body.as_bytes(), body.as_str()));
    let error = run.get().await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::UnexpectedResponse, Some("runs_get")));
}

#[tokio::test]
async fn an_answer_about_another_run_is_refused() {
    let (_server, workspace) =
        script([answer(&json!({ "run_id": 5, "state": { "life_cycle_state": "TERMINATED" } }))]);
    let error = workspace.jobs().run(RUN).wait_with(soon()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the answer is about a different run than {RUN}: 5"));
    let (_server, workspace) = script([answer(&json!({ "job_id": 5 }))]);
    assert_eq!(workspace.jobs().get(6).await.unwrap_err().kind(), ErrorKind::UnexpectedResponse);
}

/// A run with two pages of tasks; the second has this token.
fn paged(next: Option<&'static str>) -> (Server, JobRun) {
    let (server, workspace) = serve(move |request| {
        let ended = json!({ "life_cycle_state": "TERMINATED", "result_state": "SUCCESS" });
        let (key, next) =
            if request.query().contains("page_token=p2") { ("b", next) } else { ("a", Some("p2")) };
        answer(&json!({ "run_id": RUN, "state": ended, "has_more": true, "next_page_token": next,
            "big": 12_345_678_901_234_567_890_u64, "tasks": [task(key, 1, "TERMINATED", Some("SUCCESS"))] }))
    });
    (server, workspace.jobs().run(RUN))
}

#[tokio::test]
async fn the_tasks_of_all_pages_count() {
    let (server, run) = paged(None);
    let ended = run.wait_with(soon()).await.unwrap();
    assert_eq!(ended.tasks.iter().map(|task| task.key.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(server.requests().len(), 2);
    let whole: Value = serde_json::from_str(run.get_json().await.unwrap().get()).unwrap();
    assert_eq!(whole["tasks"].as_array().unwrap().len(), 2);
    assert!(
        whole["big"].as_u64() == Some(12_345_678_901_234_567_890) && whole.get("next_page_token").is_none()
    );
    assert_eq!(run.get().await.unwrap().tasks.as_ref().map(Vec::len), Some(2));
    // A page that leads to itself is no endless wait.
    let (server, run) = paged(Some("p2"));
    let error = run.wait_with(soon()).await.unwrap_err();
    assert!(error.to_string().contains("same page token"), "{error}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn the_tasks_of_a_job_are_in_its_settings() {
    let (_server, workspace) = serve(|request| {
        let (key, next) = if request.query().contains("page_token=p2") { ("b", "") } else { ("a", "p2") };
        answer(&json!({ "job_id": RUN, "next_page_token": next,
            "settings": { "name": "etl", "tasks": [{ "task_key": key }], "unheard_of": 1 } }))
    });
    let job = workspace.jobs().get(RUN).await.unwrap();
    let settings = job.settings.as_ref().unwrap();
    let keys: Vec<_> =
        settings.tasks.iter().flatten().map(|task| task.task_key.as_deref().unwrap()).collect();
    assert_eq!((job.job_id, keys, settings.name.as_deref()), (Some(RUN), vec!["a", "b"], Some("etl")));
    assert_eq!(settings.extra["unheard_of"], 1);
}

#[tokio::test]
async fn a_list_of_runs_ends_where_the_caller_says() {
    let (server, workspace) = serve(|request| {
        let token = request.query().split("page_token=").nth(1).unwrap_or("0").parse::<u32>().unwrap() + 1;
        answer(&json!({ "runs": [{ "run_id": RUN }, { "run_id": 2 }], "next_page_token": token.to_string() }))
    });
    let filter = RunsListQuery { job_id: Some(RUN), ..Default::default() };
    let runs = workspace.jobs().list_runs(&filter, 3).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.run_id).collect::<Vec<_>>(), [Some(RUN), Some(2), Some(RUN)]);
    let queries: Vec<_> = server.requests().iter().map(|request| request.query().to_owned()).collect();
    let first = format!("job_id={RUN}&limit=3");
    assert_eq!(queries, [first.clone(), format!("{first}&page_token=1")]);
}

#[tokio::test]
async fn a_name_is_looked_up_by_the_service() {
    let (server, workspace) = serve(|request| {
        let jobs = match request.query().contains("name=etl") {
            true => {
                json!([{ "job_id": RUN, "settings": { "name": "etl" } }, { "job_id": 2, "settings": { "name": "ETL" } }])
            }
            false => json!([]),
        };
        answer(&json!({ "jobs": jobs }))
    });
    let jobs = workspace.jobs();
    assert_eq!(jobs.find("etl").await.unwrap(), RUN);
    assert_eq!(server.only().query(), "limit=100&name=etl");
    assert_eq!(jobs.find(&RUN.to_string()).await.unwrap(), RUN);
    assert_eq!(server.requests().len(), 1);
    assert_eq!(jobs.find("no such").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_repair_names_the_latest_one_and_is_sent_once() {
    let history = json!([{ "type": "ORIGINAL", "start_time": 1 }, { "type": "REPAIR", "id": 11, "start_time": 2 },
        { "type": "REPAIR", "id": RUN, "start_time": 3 }]);
    let known = answer(&json!({ "run_id": RUN, "repair_history": history }));
    let (server, workspace) = script([known.clone(), answer(&json!({ "repair_id": 13 }))]);
    assert_eq!(workspace.jobs().run(RUN).repair(&Default::default()).await.unwrap(), 13);
    let expected = json!({ "run_id": RUN, "latest_repair_id": RUN, "rerun_all_failed_tasks": true });
    assert_eq!(posted(&server), [expected]);
    assert_eq!(server.requests()[0].query(), format!("run_id={RUN}&include_history=true"));
    let (server, workspace) = script([known, Response::none(End::Reset)]);
    let error = workspace.jobs().run(RUN).repair(&Default::default()).await.unwrap_err();
    assert_eq!((error.kind(), posted(&server).len()), (ErrorKind::UnknownOutcome, 1), "{error}");
}

#[tokio::test]
async fn outputs_are_read_task_by_task() {
    let (server, workspace) = serve(|request| match request.path() {
        "/api/2.2/jobs/runs/get" => run(
            "TERMINATED",
            Some("FAILED"),
            &[task("a", RUN, "TERMINATED", Some("SUCCESS")), task("b", 2, "TERMINATED", Some("FAILED"))],
        ),
        _ if request.query() == format!("run_id={RUN}") => {
            answer(&json!({ "logs": "hello\n", "metadata": {} }))
        }
        _ => answer(&json!({ "error": "ValueError: no", "error_trace": "Traceback…" })),
    });
    let ended = workspace.jobs().run(RUN).wait_with(soon()).await.unwrap();
    assert_eq!(server.requests().len(), 1);
    assert_eq!(ended.tasks[0].output().await.unwrap().logs.as_deref(), Some("hello\n"));
    assert_eq!(ended.tasks[1].output().await.unwrap().error.as_deref(), Some("ValueError: no"));
}
