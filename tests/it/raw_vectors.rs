//! Raw Request against the vectors taken from the connector's own HTTP layer.
//!
//! The vectors' base is a bare server; ours is the workspace, whose relative addresses lie below `/api/`.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use brickwire_actions::{
    Backoff, Connection, Error, ErrorKind, FilePart, RawData, RawRequest, RawResponse, ResponseType,
    RetryPolicy, Workspace,
};
use serde_json::Value;

use crate::{
    log::Log,
    scripted_server::ScriptedServer,
    vector::{self, Difference, Ours},
};

use ErrorKind::{Configuration, DeadlineExceeded, UnexpectedResponse, UnknownOutcome, Unreachable, Usage};
use Ours::{Fails, NotInTheTypes, Refused, Sends, Succeeds, SucceedsSending};

const JSON_5: &str = r#"{"method": "POST", "path": "/r", "query": "", "body": "5",
    "headers_subset": {"content-type": "application/json", "authorization": "Bearer SECRET"}}"#;
const FILE_5: &str = r#"{"method": "POST", "path": "/r", "multipart_tail": "--<boundary>--\r\n", "multipart_parts": [
    {"headers": ["Content-Disposition: form-data; name=\"f\"; filename=\"f\"", "Content-Type: text/x-fortran"],
     "body": "5"}]}"#;
const FORM_JSON: &str = r#"{"method": "POST", "path": "/r", "multipart_tail": "--<boundary>--\r\n", "multipart_parts": [
    {"headers": ["Content-Disposition: form-data; name=\"a\""], "body": "{\"b\":1}"}]}"#;
const FORM_TEXT: &str = r#"{"multipart_parts": [
    {"headers": ["Content-Disposition: form-data; name=\"a\""], "body": "hi"}]}"#;
const PNG_PART: &str = r#"{"multipart_parts": [
    {"headers": ["Content-Disposition: form-data; name=\"f\"; filename=\"f\"", "Content-Type: image/png"],
     "body_base64": "AAEC/w=="}]}"#;

/// Where we differ on purpose.
const DIFFERENCES: &[Difference] = &[
    (
        "data/invalid_json_string_json_header",
        Sends(r#"{"body": "not json", "header:content-length": "8"}"#),
        "text is never quoted: the service says what is wrong with it",
    ),
    ("data/json_lowercase_header", Sends(r#"{"body": "x y", "header:content-length": "3"}"#), "likewise"),
    ("data/number", SucceedsSending(1, JSON_5), "a JSON number is JSON"),
    (
        "data/data_payload_object",
        Sends(
            r#"{"body": null, "body_base64": "AAEC/w==", "header:content-type": "image/png", "header:content-length": "4"}"#,
        ),
        "bytes are sent as they are, under their own content type",
    ),
    (
        "data/content_type_empty_header",
        Sends(r#"{"header:content-type": "application/json"}"#),
        "an empty Content-Type is none",
    ),
    ("headers/host_override", Refused(Usage, "can't be set: host"), "it routes the request elsewhere"),
    (
        "headers/user_authorization_lowercase",
        Refused(Usage, "can't be set: authorization"),
        "a header is never dropped in silence",
    ),
    ("headers/crlf_injection", Refused(Usage, "line breaks"), "lines are not glued together in silence"),
    ("headers/empty_key", Refused(Usage, "not a header name"), "not dropped in silence"),
    ("url/bad_percent", Sends(r#"{"path": "/100%25"}"#), "a lone percent sign is escaped"),
    ("url/base_with_path", Sends(r#"{"path": "/clusters/list"}"#), "a host has no path: /api/ is the base"),
    ("url/absolute_foreign_post", Refused(Usage, "to another host"), "the token and the body would leak"),
    ("url/absolute_userinfo", Refused(Usage, "user information"), "it would replace the credential"),
    ("url/backslash_trick", Refused(Usage, "backslash"), "nobody means that"),
    ("url/leading_space_absolute", Refused(Usage, "to another host"), "blanks around an address are dropped"),
    (
        "redirect/302_foreign_host_auth",
        Fails(1, UnexpectedResponse, "to another host"),
        "X-Api-Key would go to another origin",
    ),
    (
        "redirect/307_foreign_post_body",
        Fails(1, UnexpectedResponse, "to another host"),
        "the body would go to another origin",
    ),
    (
        "redirect/loop",
        Fails(11, UnexpectedResponse, "more than 10 redirects"),
        "ten are enough; the peer takes 21",
    ),
    ("multipart/file_data_payload", Sends(PNG_PART), "a file's own content type wins"),
    (
        "multipart/file_number_error",
        SucceedsSending(1, FILE_5),
        "a file is bytes by type; a number has a text",
    ),
    ("multipart/form_object_value", SucceedsSending(1, FORM_JSON), "JSON text instead of a TypeError"),
    ("multipart/form_buffer_value", Sends(FORM_TEXT), "a field is text by type; bytes are a file"),
    (
        "multipart/user_content_type",
        Refused(Usage, "a form can't have this Content-Type"),
        "a header is never dropped in silence",
    ),
    ("multipart/put_retry_on_503", Succeeds(2), "the peer hangs; here each attempt has a whole body"),
    ("multipart/put_file_retry_on_503", Succeeds(2), "likewise"),
    (
        "response/json_html",
        Fails(1, UnexpectedResponse, "an HTML page came"),
        "a login page is not a success",
    ),
    ("response/document", Refused(Usage, "unknown response type"), "nothing becomes text in silence"),
    ("response/unknown_type", Refused(Usage, "unknown response type"), "likewise"),
    (
        "response/undefined_text",
        Fails(1, UnexpectedResponse, "JSON was asked for"),
        "JSON is the default, and not a guess",
    ),
    ("error/timeout_body_stall", Fails(1, DeadlineExceeded, "within 200ms"), "the peer calls it aborted"),
    ("error/timeout_zero_is_infinite", Refused(Usage, "more than zero"), "nothing hangs for ever"),
    ("error/timeout_undefined", Fails(1, Unreachable, "no data from"), "a minute of silence ends it"),
    ("error/timeout_negative", NotInTheTypes, "a Duration can't be negative; the peer's process dies"),
    ("action/basic", Refused(Configuration, "the token is empty"), "Databricks has no passwords any more"),
    ("action/bad_number", NotInTheTypes, "a Duration is not a text"),
    ("retry/post_429_not_retried", Succeeds(2), "it was not executed"),
    ("retry/post_reset_IS_retried", Fails(1, UnknownOutcome, "outcome unknown"), "it may have been executed"),
    ("retry/post_close_IS_retried", Fails(1, UnknownOutcome, "outcome unknown"), "likewise"),
    ("retry/post_500_not_retried", Fails(1, UnknownOutcome, "HTTP 500"), "likewise"),
    ("retry/patch_503_not_retried", Fails(1, UnknownOutcome, "HTTP 503"), "likewise"),
    ("retry/link_503_not_retried", Fails(1, UnknownOutcome, "HTTP 503"), "likewise"),
    ("retry/truncated_body_get", Succeeds(2), "a GET whose answer was cut is repeated"),
];

#[tokio::test]
async fn all_vectors() {
    let file: Value = serde_json::from_str(include_str!("../vectors/raw-request.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    vector::check_table(DIFFERENCES, vectors);
    let log = Log::start();
    let mut failures = Vec::new();
    let mut shown = String::new();
    for vector in vectors {
        if let Err(wrong) = run(vector, &mut shown).await {
            failures.push(format!("{}: {wrong}", vector["name"]));
        }
    }
    let count = vectors.len();
    println!(
        "raw request: {} of {count} vectors met, {} of them differing on purpose",
        count - failures.len(),
        DIFFERENCES.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let logged = log.text();
    assert!(logged.contains("brickwire::debug:") && logged.contains("authorization: ***"), "debug is on");
    for secret in ["SECRET", "hunter2", "Bearer", "dTpw"] {
        assert!(!logged.contains(secret), "{secret} was logged");
        assert!(!shown.contains(secret), "{secret} is in an error");
    }
}

async fn run(vector: &Value, shown: &mut String) -> Result<(), String> {
    let ours = vector::difference(DIFFERENCES, vector["name"].as_str().unwrap());
    if let Some(NotInTheTypes) = ours {
        return check_impossible(&vector["inputs"]["timeout"]);
    }
    let server = ScriptedServer::start();
    let vector = server.fill_in(&with_redirect_status(vector));
    server.play(&vector["server_script"]);
    let outcome = send(&server, &vector).await;
    if let Err(error) = &outcome {
        shown.push_str(&vector::everything_shown(error));
    }
    let mut expected = vector::expected_requests(&vector, ours);
    let is_redirect = vector["name"].as_str().unwrap().starts_with("redirect/");
    for (place, request) in expected.iter_mut().enumerate() {
        // Where a redirect leads is an absolute path.
        let is_redirected = place > 0 && is_redirect;
        if let Some(path) = request["path"].as_str().filter(|_| !is_redirected) {
            request["path"] = format!("/api{path}").into();
        }
    }
    vector::check_requests(&server.requests(), &expected)?;
    let is_repeatable =
        matches!(vector["inputs"]["method"].as_str(), Some("GET" | "PUT" | "DELETE" | "HEAD"));
    match (ours, outcome) {
        (Some(Refused(kind, text) | Fails(_, kind, text)), Err(error)) => {
            vector::check_our_error(&error, kind, text)
        }
        (Some(Succeeds(_) | SucceedsSending(..)), Ok(response)) => {
            (response.status == 200).then_some(()).ok_or_else(|| format!("{response:?}"))
        }
        (None | Some(Sends(_)), outcome) => check_result(&vector, outcome, is_repeatable),
        (Some(ours), outcome) => Err(format!("expected {ours:?}, got {outcome:?}")),
    }
}

/// An input that our types rule out.
fn check_impossible(timeout: &Value) -> Result<(), String> {
    match timeout.as_f64() {
        Some(milliseconds) if Duration::try_from_secs_f64(milliseconds / 1000.0).is_ok() => {
            Err(format!("{timeout} is a Duration after all"))
        }
        _ => Ok(()),
    }
}

/// The script says where such a redirect leads; its status is in the vector's name.
fn with_redirect_status(vector: &Value) -> Value {
    let mut vector = vector.clone();
    let name = vector["name"].as_str().unwrap();
    let status: Option<u16> = name.strip_prefix("redirect/").and_then(|rest| rest.get(..3)?.parse().ok());
    vector["server_script"][0]["redirect_status"] = status.into();
    vector
}

async fn send(server: &ScriptedServer, vector: &Value) -> Result<RawResponse, Error> {
    let mut host = vector["base"].as_str().unwrap().to_owned();
    let mut inputs = vector["inputs"].clone();
    if let Some(path) = inputs["url"].as_str().and_then(|url| url.strip_prefix(&server.closed())) {
        // Nobody listens at the workspace itself: any other host is refused.
        host = server.closed();
        inputs["url"] = path.into();
    }
    let connection = &vector["connection"];
    let token = match connection {
        Value::Null => "SECRET",
        _ => {
            let token = connection["token"]["access_token"].as_str();
            token.or(connection["fields"]["apiKey"].as_str()).unwrap_or_default()
        }
    };
    let workspace =
        Workspace::builder().connection(Connection::token(&host, token)?).with_debug(true).build()?;
    let request = request(&inputs)?;
    let is_silent = vector["server_script"][0]["hang"] == true && inputs["timeout"].is_null();
    if !is_silent {
        return workspace.raw(&request).await;
    }
    // Once the request has come, time may run: the limit on silence is a minute.
    let waiting = async {
        server.log().arrived(1).await;
        tokio::time::pause();
        std::future::pending::<()>().await;
    };
    let outcome = tokio::select! {
        outcome = workspace.raw(&request) => outcome,
        () = waiting => unreachable!(),
    };
    tokio::time::resume();
    outcome
}

/// A vector's inputs as ours. Numbers where we take text are text, as the connector's form gives them.
pub(crate) fn request(inputs: &Value) -> Result<RawRequest, Error> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = |name: &str| -> Vec<(String, Value)> {
        match &inputs[name] {
            Value::Array(items) => {
                items.iter().map(|item| (text(&item["key"]), item["value"].clone())).collect()
            }
            Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            _ => Vec::new(),
        }
    };
    let url = inputs["url"].as_str().unwrap_or_default();
    let mut request = RawRequest::new(inputs["method"].as_str().unwrap(), url);
    request = match (&inputs["data"], bytes(&inputs["data"])) {
        (Value::Null, _) => request,
        (_, Some(bytes)) => request.with_data(bytes),
        (Value::String(text), _) => request.with_data(text.as_str()),
        (json, _) => match (bytes(&json["data"]), json["contentType"].as_str()) {
            (Some(bytes), Some(content_type)) => request.with_data(RawData::bytes(bytes, content_type)),
            _ => request.with_data(json.clone()),
        },
    };
    for (name, value) in pairs("headers").iter().filter(|(_, value)| !value.is_null()) {
        request = request.with_header(name, text(value));
    }
    for (name, value) in pairs("queryParams").iter().filter(|(_, value)| !value.is_null()) {
        request = match value {
            Value::Array(items) => {
                items.iter().fold(request.with_repeated_query_keys(true), |request, item| {
                    request.with_query(format!("{name}[]"), text(item))
                })
            }
            value => request.with_query(name, text(value)),
        };
    }
    for (name, value) in pairs("formData") {
        let value = bytes(&value).map_or_else(|| text(&value), |bytes| String::from_utf8(bytes).unwrap());
        request = request.with_form_field(name, value);
    }
    for (name, value) in pairs("fileData") {
        let inner = if value["contentType"].is_string() { &value["data"] } else { &value };
        let content = bytes(inner).unwrap_or_else(|| text(inner).into_bytes());
        let file = FilePart::new(name, content);
        request = request.with_file(match value["contentType"].as_str() {
            Some(content_type) => file.with_content_type(content_type),
            None => file,
        });
    }
    for (name, value) in pairs("fileDataFileNames") {
        request = request.with_file_name(name, text(&value));
    }
    if let Some(name) = inputs["responseType"].as_str() {
        // The connector's word for bytes.
        let name = if name == "arraybuffer" { "binary" } else { name };
        request = request.with_response_type(name.parse::<ResponseType>()?);
    }
    match &inputs["timeout"] {
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        value => request = request.with_timeout(Duration::from_millis(value.as_u64().unwrap())),
    }
    Ok(request.with_debug(inputs["debugRequest"] == true).with_retry(retry(inputs)))
}

fn retry(inputs: &Value) -> RetryPolicy {
    let delay = inputs["retryDelayMS"].as_u64().map(Duration::from_millis);
    RetryPolicy::Connector {
        max_retries: inputs["maxRetries"].as_i64().map_or(0, |count| u32::try_from(count).unwrap_or(0)),
        backoff: match inputs["useExponentialBackoff"] == true {
            true => Backoff::Exponential(delay),
            false => Backoff::Fixed(delay.unwrap_or_default()),
        },
        all_errors: inputs["retryAllErrors"] == true,
    }
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    match (value["$b64"].as_str(), value["$u8"].as_array()) {
        (Some(base64), _) => BASE64_STANDARD.decode(base64).ok(),
        (_, Some(numbers)) => numbers.iter().map(|n| u8::try_from(n.as_u64()?).ok()).collect(),
        _ => None,
    }
}

/// Compares an outcome with the peer's.
pub(crate) fn check_result(
    vector: &Value,
    outcome: Result<RawResponse, Error>,
    is_repeatable: bool,
) -> Result<(), String> {
    let expected = &vector["expect_result"];
    match (outcome, expected["ok"] == true) {
        (Err(error), false) => vector::check_error(&error, &expected["error"], is_repeatable),
        (Ok(response), true) => check_response(&response, vector),
        (outcome, _) => Err(format!("expected {expected}, got {outcome:?}")),
    }
}

fn check_response(response: &RawResponse, vector: &Value) -> Result<(), String> {
    let expected = &vector["expect_result"];
    let data = if expected["data"].is_null() { &expected["value"] } else { &expected["data"] };
    let same_status =
        expected["status"].as_u64().is_none_or(|status| response.status.as_u16() == status as u16);
    let is_same = match (vector["inputs"]["responseType"].as_str(), data["base64"].as_str()) {
        (_, Some(base64)) => BASE64_STANDARD.encode(response.bytes()) == base64,
        (Some("text"), _) => response.text() == data.as_str().unwrap_or_default(),
        // The peer's word for an empty body.
        _ if *data == "" => response.body.is_empty(),
        _ => response.json().is_ok_and(|json| json == *data),
    };
    // Status and headers are not lost.
    let headers = vector["server_script"][0]["headers"].as_object();
    let keeps_headers = headers.into_iter().flatten().all(|(name, value)| {
        response.attempts > 1
            || vector["server_script"][0]["status"].is_number()
            || response.headers.get(name.as_str()).is_some_and(|got| got == value.as_str().unwrap())
    });
    if same_status && is_same && keeps_headers {
        return Ok(());
    }
    Err(format!("expected {expected}, got {response:?} {}", response.text()))
}
