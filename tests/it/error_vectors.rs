//! Error responses: code, message, kind, wait and retries, through the real transport.
//!
//! Whether an error is retried is seen by the event that comes before the wait, so that no test waits.

use std::time::Duration;

use brickwire_actions::{
    Connection, Error, ErrorKind, Event, Events, RawRequest, RawResponse, RetryPolicy, Workspace,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{scripted_server::ScriptedServer, vector};

/// Where we differ on purpose: the vector, and what is not compared and why.
const DIFFERENCES: &[(&str, Part, &str)] = &[
    (
        "body/oauth_error",
        Part::Message("invalid_grant: Refresh token is invalid"),
        "the description says more than the code",
    ),
    ("html/success_status_login_page", Part::Message("an HTML page came instead of JSON"), "our words"),
    (
        "private-link/azure",
        Part::Message("PrivateLink enabled"),
        "our words; this test's host is in no cloud",
    ),
    ("private-link/with_other_params", Part::Message("PrivateLink enabled"), "likewise"),
    ("override/wrong_status", Part::Kind(ErrorKind::NotFound), "the status counts before the code"),
    ("misc/redirect_3xx_not_error", Part::Fails(ErrorKind::Rejected), "nothing was asked that 304 answers"),
    ("body/scim_request_limit", Part::NotRepeated(ErrorKind::Unavailable), MESSAGE),
    ("transient/unknown_worker_env_exception", Part::NotRepeated(ErrorKind::Rejected), MESSAGE),
    ("transient/no_worker_env_with_id", Part::NotRepeated(ErrorKind::Rejected), MESSAGE),
    ("transient/unknown_worker_env", Part::NotRepeated(ErrorKind::Rejected), MESSAGE),
    ("transient/cluster_not_ready", Part::NotRepeated(ErrorKind::Rejected), MESSAGE),
    ("transient/rpc_token_bucket", Part::NotRepeated(ErrorKind::Rejected), MESSAGE),
    ("transient/request_limit_in_text", Part::NotRepeated(ErrorKind::Rejected), MESSAGE),
];

const MESSAGE: &str =
    "a message may quote the user's own text, so it doesn't tell whether a request was carried out";

#[derive(Debug, Clone, Copy)]
enum Part {
    Message(&'static str),
    Kind(ErrorKind),
    Fails(ErrorKind),
    /// The kind, of a request that is not sent again unless repeating it is safe.
    NotRepeated(ErrorKind),
}

/// The vectors' kinds, named after the Python SDK's exceptions, and ours. What was not executed is rate-limited here,
/// whatever its status.
fn kind_of(name: &str, status: u64) -> ErrorKind {
    match name {
        "BadRequest"
        | "InvalidParameterValue"
        | "InvalidState"
        | "AlreadyExists"
        | "ResourceAlreadyExists" => ErrorKind::Rejected,
        "Unauthenticated" => ErrorKind::Unauthenticated,
        "PermissionDenied" => ErrorKind::PermissionDenied,
        "NotFound" | "ResourceDoesNotExist" => ErrorKind::NotFound,
        "TooManyRequests" | "RequestLimitExceeded" | "ResourceExhausted" => ErrorKind::RateLimited,
        "InternalError" | "Unknown" | "NotImplemented" | "TemporarilyUnavailable" | "DeadlineExceeded" => {
            ErrorKind::Unavailable
        }
        "DatabricksError" if status >= 500 => ErrorKind::Unavailable,
        "DatabricksError" => ErrorKind::Rejected,
        "HTMLContent" => ErrorKind::UnexpectedResponse,
        other => panic!("no such kind: {other}"),
    }
}

#[tokio::test]
async fn all_vectors() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../vectors/errors.json")).unwrap();
    for (name, _, reason) in DIFFERENCES {
        assert!(vectors.iter().any(|vector| vector["name"] == *name), "no such vector: {name} ({reason})");
    }
    let mut failures = Vec::new();
    for vector in &vectors {
        if let Err(wrong) = run(vector).await {
            failures.push(format!("{}: {wrong}", vector["name"]));
        }
    }
    println!(
        "errors: {} of {} vectors met, {} of them differing on purpose",
        vectors.len() - failures.len(),
        vectors.len(),
        DIFFERENCES.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

async fn run(vector: &Value) -> Result<(), String> {
    let name = vector["name"].as_str().unwrap();
    let ours = DIFFERENCES.iter().find(|(known, ..)| *known == name).map(|(_, part, _)| *part);
    let expected = &vector["expect"];
    let (outcome, _) = send(vector, "GET", RetryPolicy::never()).await;
    let error = match (outcome, ours) {
        (Some(Ok(response)), None) if expected["ok"] == true => {
            return match response.json() {
                Ok(json) if json == expected["value"] => Ok(()),
                other => Err(format!("expected {}, got {other:?}", expected["value"])),
            };
        }
        (Some(Err(error)), Some(Part::Fails(kind))) => return vector::check_our_error(&error, kind, ""),
        (Some(Err(error)), _) if expected["ok"].is_null() => error,
        (outcome, _) => return Err(format!("expected {expected}, got {outcome:?}")),
    };
    check_details(&error, vector, ours)?;
    for (method, key) in [("GET", "retryable_idempotent"), ("POST", "retryable_non_idempotent")] {
        // Longer than any wait that a vector asks for.
        let policy = RetryPolicy::Safe { budget: Duration::from_secs(30 * 24 * 60 * 60) };
        let (_, is_retried) = send(vector, method, policy).await;
        let wanted =
            expected[key] == true && !(method == "POST" && matches!(ours, Some(Part::NotRepeated(_))));
        if is_retried != wanted {
            return Err(format!("{key}: expected {wanted}, got {is_retried}"));
        }
    }
    Ok(())
}

fn check_details(error: &Error, vector: &Value, ours: Option<Part>) -> Result<(), String> {
    let expected = &vector["expect"];
    let status = vector["status"].as_u64().unwrap();
    let same = |what: &str, is_same: bool, got: &dyn std::fmt::Debug| {
        if is_same { Ok(()) } else { Err(format!("{what}: got {got:?}")) }
    };
    same("error_code", error.error_code() == expected["error_code"].as_str(), &error.error_code())?;
    let message = match ours {
        Some(Part::Message(message)) => message,
        _ => expected["message"].as_str().unwrap_or_default(),
    };
    let text = error.to_string();
    let is_whole = match (ours, error.error_code()) {
        (Some(Part::Message(_)), _) => text.contains(message),
        // Of a long page the vector has the beginning only.
        _ if vector["body"].as_str().unwrap().len() > 10_000 => text.starts_with(message) && text.len() < 600,
        (_, Some(code)) => {
            [format!("{code}: {message} (HTTP {status})"), format!("{message} (HTTP {status})")]
                .contains(&text)
        }
        (_, None) => text == format!("{message} (HTTP {status})"),
    };
    same("message", is_whole, &text)?;
    let is_not_executed = expected["retryable_non_idempotent"] == true && status != 503;
    let kind = match ours {
        Some(Part::Kind(kind) | Part::NotRepeated(kind)) => kind,
        _ if is_not_executed => ErrorKind::RateLimited,
        _ => kind_of(expected["kind"].as_str().unwrap(), status),
    };
    same("kind", error.kind() == kind, &error.kind())?;
    let after = expected["retry_after_s"].as_f64().or(expected["retry_info_s"].as_f64());
    same("retry_after", error.retry_after().map(|wait| wait.as_secs_f64()) == after, &error.retry_after())?;
    if let Some(id) = expected["request_id"].as_str() {
        same("request_id", error.request_id() == Some(id), &error.request_id())?;
    }
    Ok(())
}

/// Sends it; without an outcome if it would be sent again.
async fn send(
    vector: &Value,
    method: &str,
    retry: RetryPolicy,
) -> (Option<Result<RawResponse, Error>>, bool) {
    let server = ScriptedServer::start();
    let reply = json!({
        "status": vector["status"], "headers": vector["headers"], "body": vector["body"], "no_content_type": true,
    });
    let path = |url: &Value| {
        let rest = url.as_str()?.split_once("://")?.1;
        rest.find('/').map(|start| rest[start..].to_owned())
    };
    let script = match path(&vector["final_url"]) {
        Some(target) => json!([{"status": 302, "headers": {"location": target}, "body": ""}, reply]),
        None => json!([reply]),
    };
    server.play(&script);
    let (told, mut retries) = mpsc::unbounded_channel();
    let events = Events::new(move |event| {
        if matches!(event, Event::Retrying { .. }) {
            let _ = told.send(());
        }
    });
    let connection = Connection::token(&server.base(), "dapi-SECRET").unwrap();
    let workspace = Workspace::builder().connection(connection).with_events(events).build().unwrap();
    let request = RawRequest::new(method, path(&vector["url"]).unwrap()).with_retry(retry);
    tokio::select! {
        outcome = workspace.raw(&request) => (Some(outcome), false),
        Some(()) = retries.recv() => (None, true),
    }
}
