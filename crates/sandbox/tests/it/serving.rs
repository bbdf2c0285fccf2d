use std::time::Duration;

use brickwire_sandbox::{
    Sandbox,
    seed::{CHAT_ENDPOINT, ECHO_ENDPOINT, EMBEDDINGS_ENDPOINT, FUNCTION_ENDPOINT},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Client, read, start, start_with};

const ALL: &str = "/api/2.0/serving-endpoints";

fn path(name: &str) -> String {
    format!("{ALL}/{name}")
}

async fn ask(client: &Client, name: &str, request: Value) -> (StatusCode, Value) {
    client.post(&format!("/serving-endpoints/{name}/invocations"), request).await
}

async fn put(client: &Client, path: &str, body: Value) -> (StatusCode, Value) {
    read(client.send(Method::PUT, path, Some(&body)).await.unwrap()).await
}

fn entity(name: &str) -> Value {
    json!({ "entity_name": name, "entity_version": "1" })
}

fn state(endpoint: &Value) -> (&str, &str) {
    let state = &endpoint["state"];
    (state["ready"].as_str().unwrap(), state["config_update"].as_str().unwrap())
}

#[tokio::test]
async fn each_model_answers_in_its_form() {
    let (_sandbox, client) = start().await;
    let records = json!([{ "x": 1 }, { "x": 2.5 }]);
    let (_, echo) = ask(&client, ECHO_ENDPOINT, json!({ "dataframe_records": records })).await;
    assert_eq!(echo, json!({ "predictions": records }));
    let split = json!({ "columns": ["x", "y"], "data": [[1, "a"], [null, "b"]] });
    let (_, echo) = ask(&client, ECHO_ENDPOINT, json!({ "dataframe_split": split })).await;
    assert_eq!(echo["predictions"], json!([{ "x": 1, "y": "a" }, { "x": null, "y": "b" }]));
    let messages = json!([{ "role": "user", "content": "one two three" }]);
    let (_, chat) = ask(&client, CHAT_ENDPOINT, json!({ "messages": messages })).await;
    assert_eq!(chat["choices"][0]["message"], json!({ "role": "assistant", "content": "one two three" }));
    assert_eq!(
        (&chat["choices"][0]["finish_reason"], &chat["usage"]["total_tokens"]),
        (&json!("stop"), &json!(6))
    );
    let (_, chat) = ask(&client, CHAT_ENDPOINT, json!({ "messages": messages, "max_tokens": 2 })).await;
    assert_eq!(chat["choices"][0]["message"]["content"], "one two");
    assert_eq!(chat["choices"][0]["finish_reason"], "length");
    let (_, list) = ask(&client, EMBEDDINGS_ENDPOINT, json!({ "input": ["a", "b", "a"] })).await;
    assert_eq!(list["data"][0]["embedding"], list["data"][2]["embedding"]);
    assert_ne!(list["data"][0]["embedding"], list["data"][1]["embedding"]);
    let (_, doubled) = ask(&client, FUNCTION_ENDPOINT, json!({ "dataframe_records": records })).await;
    assert_eq!(doubled, json!({ "predictions": [2, 5.0] }));
    let logs = client.got(&format!("{}/served-models/double-1/logs", path(FUNCTION_ENDPOINT))).await;
    assert_eq!(logs["logs"], "doubling 2 rows\n");
}

#[tokio::test]
async fn a_model_that_fails_says_why_and_a_chat_comes_in_parts() {
    let (_sandbox, client) = start().await;
    let (status, body) = ask(&client, FUNCTION_ENDPOINT, json!({ "dataframe_records": [{ "y": 1 }] })).await;
    assert_eq!((status.as_u16(), &body["error_code"]), (400, &json!("BAD_REQUEST")));
    let message = body["message"].as_str().unwrap();
    assert!(message.contains("Traceback") && message.contains("KeyError: 'x'"), "{message}");
    let (status, body) = ask(&client, ECHO_ENDPOINT, json!({ "messages": [] })).await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("exactly one of"), "{body}");
    let (status, body) = ask(&client, "nothing", json!({ "inputs": [] })).await;
    assert_eq!((status.as_u16(), &body["error_code"]), (404, &json!("RESOURCE_DOES_NOT_EXIST")));
    let request = json!({ "messages": [{ "role": "user", "content": "one two" }], "stream": true });
    let path = format!("/serving-endpoints/{CHAT_ENDPOINT}/invocations");
    let answer = client.send(Method::POST, &path, Some(&request)).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert_eq!(answer.headers()["served-model-name"], "system.ai.echo_chat");
    let text = answer.text().await.unwrap();
    assert!(text.contains(r#""delta":{"content":"one "}"#) && text.ends_with("data: [DONE]\n\n"), "{text}");
}

#[tokio::test]
async fn an_endpoint_becomes_ready_and_is_updated() {
    let (sandbox, client) = start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("greet.py");
    std::fs::write(&file, "def predict(request):\n    return {'greeting': 'hello ' + request['name']}\n")
        .unwrap();
    let function = entity(&format!("file:{}", file.display()));
    let body = json!({ "name": "greet", "config": { "served_entities": [function] },
        "tags": [{ "key": "team", "value": "a" }] });
    let made = client.posted(ALL, body.clone()).await;
    assert_eq!(state(&made), ("NOT_READY", "IN_PROGRESS"));
    assert_eq!(made["pending_config"]["traffic_config"]["routes"][0]["traffic_percentage"], 100);
    let (status, body) = client.post(ALL, body).await;
    assert_eq!((status.as_u16(), &body["error_code"]), (409, &json!("RESOURCE_ALREADY_EXISTS")));
    let (status, body) =
        put(&client, &(path("greet") + "/config"), json!({ "served_entities": [entity("a.b.c")] })).await;
    assert_eq!((status.as_u16(), &body["error_code"]), (409, &json!("RESOURCE_CONFLICT")));
    let ready = client.got(&path("greet")).await;
    assert_eq!(state(&ready), ("READY", "NOT_UPDATING"));
    assert_eq!(ready["config"]["served_entities"][0]["state"]["deployment"], "DEPLOYMENT_READY");
    assert_eq!((&ready["config"]["config_version"], ready.get("pending_config")), (&json!(1), None));
    let (_, answer) = ask(&client, "greet", json!({ "name": "Ada" })).await;
    assert_eq!(answer, json!({ "greeting": "hello Ada" }));
    // The old one serves while the new one is on its way.
    let two = json!({ "served_entities": [entity("a.b.c"), entity("a.b.d")], "traffic_config": { "routes": [
        { "served_entity_name": "c-1", "traffic_percentage": 100 }, { "served_entity_name": "d-1", "traffic_percentage": 0 }] } });
    let (_, updated) = put(&client, &(path("greet") + "/config"), two).await;
    assert_eq!(state(&updated), ("READY", "IN_PROGRESS"));
    assert_eq!(updated["pending_config"]["config_version"], 2);
    let updated = client.got(&path("greet")).await;
    assert_eq!((&updated["config"]["config_version"], state(&updated).1), (&json!(2), "NOT_UPDATING"));
    let (_, answer) = ask(&client, "greet", json!({ "inputs": [1] })).await;
    assert_eq!(answer, json!({ "predictions": [1] }));
    // An update ends even if it is never read.
    let config = json!({ "served_entities": [entity("a.b.c")] });
    assert_eq!(put(&client, &(path("greet") + "/config"), config.clone()).await.0, 200);
    sandbox.clock().advance(Duration::from_secs(60));
    assert_eq!(put(&client, &(path("greet") + "/config"), config).await.0, 200);
    let tags = json!({ "add_tags": [{ "key": "a", "value": "1" }], "delete_tags": ["team"] });
    let path = path("greet");
    let answer = client.send(Method::PATCH, &format!("{path}/tags"), Some(&tags)).await.unwrap();
    assert_eq!(read(answer).await.1, json!({ "tags": [{ "key": "a", "value": "1" }] }));
    client.send(Method::DELETE, &path, None).await.unwrap();
    assert_eq!(client.get(&path).await.0, 404);
}

#[tokio::test]
async fn a_deployment_that_fails_says_why() {
    let (_sandbox, client) = start().await;
    for (name, why) in [("sandbox.models.broken", "container"), ("/Shared/nothing.py", "does not exist")] {
        let body = json!({ "name": "bad", "config": { "served_entities": [entity(name)] } });
        client.posted(ALL, body).await;
        let (status, answer) = ask(&client, "bad", json!({ "inputs": [1] })).await;
        assert!(status == 400 && answer["message"].as_str().unwrap().contains("not ready"), "{answer}");
        let failed = client.until(&path("bad"), |one| state(one).1 != "IN_PROGRESS").await;
        assert_eq!(state(&failed), ("NOT_READY", "UPDATE_FAILED"));
        let told = &failed["pending_config"]["served_entities"][0]["state"];
        assert_eq!(told["deployment"], "DEPLOYMENT_FAILED");
        assert!(told["deployment_state_message"].as_str().unwrap().contains(why), "{told}");
        client.send(Method::DELETE, &path("bad"), None).await.unwrap();
    }
    let (_sandbox, client) = start_with(Sandbox::builder().without_code_execution()).await;
    let (status, body) = ask(&client, FUNCTION_ENDPOINT, json!({ "dataframe_records": [] })).await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("without code execution"), "{body}");
}

#[tokio::test]
async fn what_cannot_be_served_is_refused_and_keys_are_never_shown() {
    let (_sandbox, client) = start().await;
    let named = |config: Value| json!({ "name": "x", "config": config });
    let route = |name: &str, share: u64| json!({ "served_entity_name": name, "traffic_percentage": share });
    let both = json!([entity("a.b.c"), entity("a.b.d")]);
    for wrong in [
        json!({ "name": "a b", "config": { "served_entities": [entity("a.b.c")] } }),
        json!({ "config": { "served_entities": [entity("a.b.c")] } }),
        named(json!({ "served_entities": [] })),
        named(json!({ "served_entities": [{}] })),
        named(json!({ "served_entities": both })),
        named(
            json!({ "served_entities": both, "traffic_config": { "routes": [route("c-1", 60), route("d-1", 60)] } }),
        ),
        named(json!({ "served_entities": both, "traffic_config": { "routes": [route("e-1", 100)] } })),
    ] {
        let (status, body) = client.post(ALL, wrong.clone()).await;
        assert_eq!(
            (status.as_u16(), &body["error_code"]),
            (400, &json!("INVALID_PARAMETER_VALUE")),
            "{wrong}"
        );
    }
    let openai = json!({ "openai_api_key_plaintext": "sk-planted", "openai_api_type": "openai" });
    let model =
        json!({ "name": "gpt", "provider": "openai", "task": "llm/v1/chat", "openai_config": openai });
    let made = client
        .posted(ALL, named(json!({ "served_entities": [{ "name": "gpt", "external_model": model }] })))
        .await;
    assert!(!made.to_string().contains("sk-planted"), "{made}");
    assert_eq!(
        made["pending_config"]["served_entities"][0]["external_model"]["openai_config"]["openai_api_type"],
        "openai"
    );
    client.until(&path("x"), |one| state(one).0 == "READY").await;
    let (_, chat) = ask(&client, "x", json!({ "messages": [{ "role": "user", "content": "hi" }] })).await;
    assert_eq!(chat["choices"][0]["message"]["content"], "hi");
    let all = client.got(ALL).await;
    let names: Vec<_> =
        all["endpoints"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, [CHAT_ENDPOINT, EMBEDDINGS_ENDPOINT, FUNCTION_ENDPOINT, ECHO_ENDPOINT, "x"]);
    assert!(
        all["endpoints"][4].get("pending_config").is_none() && !all.to_string().contains("workload_size"),
        "{all}"
    );
}

#[tokio::test]
async fn a_model_comes_from_a_volume() {
    let (_sandbox, client) = start().await;
    let file = format!("{}/api/2.0/fs/files/Volumes/main/default/files/triple.py", client.url);
    let code = "def predict(request):\n    return [3 * row['x'] for row in request['dataframe_records']]\n";
    let sent = client.http.put(file).bearer_auth(&client.token).body(code).send().await.unwrap();
    assert_eq!(sent.status(), 204);
    let config = json!({ "served_entities": [entity("/Volumes/main/default/files/triple.py")] });
    client.posted(ALL, json!({ "name": "triple", "config": config })).await;
    client.until(&path("triple"), |endpoint| state(endpoint) == ("READY", "NOT_UPDATING")).await;
    let (_, answer) = ask(&client, "triple", json!({ "dataframe_records": [{ "x": 2 }] })).await;
    assert_eq!(answer, json!({ "predictions": [6] }));
}
