//! Serving endpoints, against a scripted service.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use brickwire_actions::{
    Connection, ErrorKind, Event, Events, Named, WaitOptions, Workspace,
    types::{ChatMessage, CreateServingEndpoint, QueryEndpointInput},
};
use brickwire_testserver::{End, Response, Server};
use serde_json::{Value, json};

const QUERY: &str = "POST /serving-endpoints/churn/invocations";
const GET: &str = "GET /api/2.0/serving-endpoints/churn";

fn script(answers: impl IntoIterator<Item = Response>) -> (Server, Workspace) {
    let server = Server::script(answers);
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace)
}

fn answer(body: &Value) -> Response {
    Response::json(body.to_string())
}

fn refusal(status: u16, code: &str, message: &str) -> Response {
    let body = json!({ "error_code": code, "message": message });
    Response::new(status).with_header("content-type", "application/json").with_body(body.to_string())
}

/// An endpoint of one entity.
fn endpoint(update: &str, ready: &str, deployment: &str, message: &str) -> Response {
    let state = json!({ "deployment": deployment, "deployment_state_message": message });
    let entity = json!({ "name": "churn-3", "scale_to_zero_enabled": true, "state": state });
    let config = json!({ "served_entities": [entity], "config_version": "9007199254740993" });
    answer(&json!({ "name": "churn", "config": config, "unheard_of": 1,
        "state": { "config_update": update, "ready": ready } }))
}

fn soon() -> WaitOptions {
    let pauses = Duration::from_millis(1)..=Duration::from_millis(1);
    WaitOptions::default().with_timeout(Duration::from_secs(60)).with_polls(pauses)
}

fn lines(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| format!("{} {}", request.method, request.path())).collect()
}

#[tokio::test]
async fn a_wait_ends_when_the_update_has_and_survives_what_passes() {
    let server = Server::script([
        endpoint("IN_PROGRESS", "NOT_READY", "DEPLOYMENT_CREATING", "building"),
        Response::new(429),
        Response::none(End::Reset),
        endpoint("IN_PROGRESS", "NOT_READY", "DEPLOYMENT_CREATING", "starting"),
        // Ready, while another update goes on.
        endpoint("IN_PROGRESS", "READY", "DEPLOYMENT_READY", ""),
        endpoint("NOT_UPDATING", "READY", "DEPLOYMENT_READY", ""),
    ]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let events = Events::new({
        let told = told.clone();
        move |event| {
            if let Event::StateChanged { what, id, state, message } = event {
                told.lock()
                    .unwrap()
                    .push(format!("{what} {id} {state} {}", message.as_deref().unwrap_or("-")));
            }
        }
    });
    let connection = Connection::token(&server.url(), "dapi-example").unwrap();
    let workspace = Workspace::builder().connection(connection).with_events(events).build().unwrap();
    let ready = workspace.serving().wait_until_ready("churn", soon()).await.unwrap();
    assert_eq!(ready.config.as_ref().unwrap().config_version, Some(9_007_199_254_740_993));
    assert_eq!(ready.extra["unheard_of"], 1);
    assert_eq!(
        *told.lock().unwrap(),
        [
            "serving endpoint churn IN_PROGRESS churn-3: building",
            "serving endpoint churn IN_PROGRESS churn-3: starting",
            "serving endpoint churn IN_PROGRESS -",
            "serving endpoint churn READY -",
        ]
    );
    assert!(lines(&server).iter().all(|line| line == GET));
}

#[tokio::test]
async fn a_failed_update_ends_the_wait_with_what_the_entity_says() {
    for (update, ready) in
        [("UPDATE_FAILED", "NOT_READY"), ("UPDATE_CANCELED", "READY"), ("NOT_UPDATING", "NOT_READY")]
    {
        let (server, workspace) = script([
            endpoint("IN_PROGRESS", "NOT_READY", "DEPLOYMENT_CREATING", ""),
            endpoint(update, ready, "DEPLOYMENT_FAILED", "ModuleNotFoundError: numpy"),
        ]);
        let error = workspace.serving().wait_until_ready("churn", soon()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RemoteFailed);
        assert!(error.to_string().contains("churn-3: ModuleNotFoundError: numpy"), "{error}");
        assert_eq!(server.requests().len(), 2);
    }
    let (_server, workspace) = script([endpoint("IN_PROGRESS", "NOT_READY", "DEPLOYMENT_CREATING", "")]);
    let options = soon().with_timeout(Duration::from_secs(2));
    let error = workspace.serving().wait_until_ready("churn", options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert!(error.to_string().contains("is still IN_PROGRESS"), "{error}");
    let (server, workspace) =
        script([refusal(404, "RESOURCE_DOES_NOT_EXIST", "Endpoint with name 'churn' does not exist.")]);
    let error = workspace.serving().wait_until_ready("churn", soon()).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::NotFound, 1), "{error}");
}

#[tokio::test]
async fn a_question_is_asked_in_one_form_and_answered_in_any() {
    let chat = json!({ "choices": [{ "message": { "role": "assistant", "content": "4" }, "finishReason": "stop" }] });
    let (server, workspace) = script([answer(&chat).with_header("served-model-name", "churn-3")]);
    let message = ChatMessage { content: Some("2+2?".into()), ..Default::default() };
    let request =
        QueryEndpointInput { messages: Some(vec![message]), max_tokens: Some(5), ..Default::default() };
    let told = workspace.serving().query("churn", &request).await.unwrap();
    assert_eq!(told.headers()["served-model-name"], "churn-3");
    let choice = &told.choices.as_ref().unwrap()[0];
    assert_eq!(choice.finish_reason.as_deref(), Some("stop"));
    let sent: Value = serde_json::from_str(&server.only().text()).unwrap();
    assert_eq!(sent, json!({ "messages": [{ "content": "2+2?" }], "max_tokens": 5 }));

    let odd = r#"{"output": [{"type":"message", "big": 12345678901234567890}], "id":1.0}"#;
    let (server, workspace) = script([Response::json(odd)]);
    let asked = r#"{"input": [{"role":"user","content":"hi"}],  "custom_inputs":{"n":1.0}}"#;
    assert_eq!(workspace.serving().query_json("churn", asked).await.unwrap().get(), odd);
    assert_eq!(server.only().text(), asked);
}

#[tokio::test]
async fn what_cannot_be_right_is_not_sent() {
    let (server, workspace) = script([answer(&json!({}))]);
    let serving = workspace.serving();
    let both =
        QueryEndpointInput { inputs: Some(json!([1])), prompt: Some("x".into()), ..Default::default() };
    let stream = QueryEndpointInput { prompt: Some("x".into()), stream: Some(true), ..Default::default() };
    let one = QueryEndpointInput { prompt: Some("x".into()), ..Default::default() };
    let unnamed = CreateServingEndpoint { name: "a/b".to_owned(), ..Default::default() };
    let errors = [
        serving.query("churn", &QueryEndpointInput::default()).await.err(),
        serving.query("churn", &both).await.err(),
        serving.query("churn", &stream).await.err(),
        serving.query("", &one).await.err(),
        serving.query("..", &one).await.err(),
        serving.query_json("churn", "[1]").await.err(),
        serving.query_json("churn", r#"{"input":"x","stream":true}"#).await.err(),
        serving.create(&unnamed).await.err(),
        serving.create_json("[]").await.err(),
        serving.create_json(r#"{"config":{}}"#).await.err(),
        serving.update_config_json("churn", "{").await.err(),
        serving.get(" ").await.err(),
        serving.delete("").await.err(),
        serving.wait_until_ready("", soon()).await.err(),
        Named::find(&serving, "").await.err(),
    ];
    for error in errors {
        assert_eq!(error.as_ref().unwrap().kind(), ErrorKind::Usage, "{error:?}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_question_is_asked_once_and_a_lost_answer_is_an_unknown_outcome() {
    let ready = || endpoint("NOT_UPDATING", "READY", "DEPLOYMENT_READY", "");
    for lost in [
        Response::none(End::Reset),
        Response::none(End::Close),
        Response::new(504),
        Response::json("<html>sign in</html>"),
        Response::json(r#"{"choices": ["#),
    ] {
        let (server, workspace) = script([lost, ready()]);
        let error =
            workspace.serving().query_json("churn", r#"{"prompt":"secret words"}"#).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownOutcome, "{error}");
        assert_eq!(lines(&server).iter().filter(|line| *line == QUERY).count(), 1);
        assert!(!format!("{error} {error:?}").contains("secret words"), "{error:?}");
    }
    // What the service did not take may be sent again.
    let (server, workspace) =
        script([Response::new(429).with_header("retry-after", "0"), answer(&json!({ "predictions": [1] }))]);
    workspace.serving().query_json("churn", r#"{"inputs":[1]}"#).await.unwrap();
    assert_eq!(lines(&server), [QUERY, QUERY]);
}

#[tokio::test]
async fn a_failed_question_says_if_the_endpoint_is_the_reason() {
    let asked = r#"{"inputs":[1]}"#;
    for (answers, hint) in [
        (
            [
                refusal(400, "BAD_REQUEST", "not ready"),
                endpoint("IN_PROGRESS", "NOT_READY", "DEPLOYMENT_CREATING", ""),
            ],
            Some("the endpoint isn't ready (IN_PROGRESS): wait for it with `wait_until_ready`"),
        ),
        (
            [Response::new(504), endpoint("NOT_UPDATING", "READY", "DEPLOYMENT_READY", "")],
            Some(
                "the endpoint stops while there are no requests, and may be starting: try again in a few minutes",
            ),
        ),
        // The model's own error.
        (
            [
                refusal(400, "BAD_REQUEST", "KeyError: 'age'"),
                endpoint("NOT_UPDATING", "READY", "DEPLOYMENT_READY", ""),
            ],
            None,
        ),
        // A failure to explain is not reported.
        ([refusal(400, "BAD_REQUEST", "KeyError: 'age'"), refusal(403, "PERMISSION_DENIED", "no")], None),
    ] {
        let (server, workspace) = script(answers);
        let error = workspace.serving().query_json("churn", asked).await.unwrap_err();
        assert_eq!(error.hint(), hint, "{error}");
        assert_eq!(
            (error.operation(), lines(&server)),
            (Some("serving_query"), vec![QUERY.to_owned(), GET.to_owned()])
        );
    }
    // A name that isn't there needs no explanation.
    let (server, workspace) = script([refusal(404, "RESOURCE_DOES_NOT_EXIST", "no endpoint")]);
    let error = workspace.serving().query_json("churn", asked).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::NotFound, 1));
}

#[tokio::test]
async fn an_endpoint_is_created_and_changed_once_whatever_becomes_of_the_answer() {
    let create = CreateServingEndpoint { name: "churn".to_owned(), ..Default::default() };
    let (server, workspace) = script([Response::none(End::Reset)]);
    let error = workspace.serving().create(&create).await.unwrap_err();
    assert_eq!((error.is_unknown_outcome(), server.requests().len()), (true, 1), "{error}");
    let (server, workspace) = script([Response::none(End::Reset)]);
    let error = workspace.serving().update_config_json("churn", "{}").await.unwrap_err();
    assert_eq!((error.is_unknown_outcome(), server.requests().len()), (true, 1), "{error}");
}

#[tokio::test]
async fn endpoints_are_listed_with_all_that_we_do_not_know() {
    let body = r#"{"endpoints":[{"name":"a","creation_timestamp":"1700000000123","state":{"ready":"SLEEPY"},"new":1},
        {"name":"b","tags":null,"config":{"served_models":7}}]}"#;
    let (server, workspace) = script([Response::json(body)]);
    let all = workspace.serving().list_json().await.unwrap();
    assert!(all[0].get().contains(r#""new":1"#));
    let names: Vec<_> =
        workspace.serving().candidates().await.unwrap().into_iter().map(|c| (c.id, c.state)).collect();
    assert_eq!(names, [("a".to_owned(), "SLEEPY".to_owned()), ("b".to_owned(), String::new())]);
    // A field of another type is an error only when the list is decoded.
    assert_eq!(workspace.serving().list().await.unwrap_err().kind(), ErrorKind::UnexpectedResponse);
    assert!(server.requests().iter().all(|request| request.query().is_empty()));
    let (_server, workspace) = script([answer(&json!({ "name": "other" }))]);
    assert_eq!(workspace.serving().get("churn").await.unwrap_err().kind(), ErrorKind::UnexpectedResponse);
}
