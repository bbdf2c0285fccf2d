//! Requests to models: what is refused before it is sent, and why one failed.

use std::time::Duration;

use brickwire_client::{Call, ResponseValue, operations, types};
use bytes::Bytes;
use http::HeaderValue;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{
    endpoint::{self, NOUN},
    readiness::explanation,
};
use crate::{Error, ErrorKind, Result, RetryPolicy, Workspace, document, names::required};

/// How long a model may think, and an endpoint that has scaled to zero may take to start.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// How long it may take to find out why a query failed.
const LOOK: Duration = Duration::from_secs(5);

/// The members of which a request has one.
const INPUTS: [&str; 7] =
    ["dataframe_split", "dataframe_records", "instances", "inputs", "messages", "prompt", "input"];

pub(super) async fn typed(
    workspace: &Workspace,
    name: &str,
    request: &types::QueryEndpointInput,
) -> Result<ResponseValue<types::QueryEndpointResponse>> {
    let body = text(request)?;
    let given = given(&body)?;
    match given[..] {
        [] if request.extra.is_empty() => {
            return Err(Error::usage("the request to the model has no input")
                .with_hint(format!("set one of {}", INPUTS.join(", "))));
        }
        [] | [_] => {}
        _ => {
            return Err(Error::usage(format!(
                "the request to the model has several inputs: {}",
                given.join(", ")
            )));
        }
    }
    send(workspace, name, body).await
}

pub(super) async fn raw(
    workspace: &Workspace,
    name: &str,
    request: &str,
) -> Result<ResponseValue<Box<RawValue>>> {
    given(request)?;
    send(workspace, name, request.to_owned()).await
}

fn text(request: &impl Serialize) -> Result<String> {
    serde_json::to_string(request).map_err(|error| Error::usage(error.to_string()))
}

/// The inputs that a request has.
fn given(body: &str) -> Result<Vec<&'static str>> {
    let members = document::members("request to the model", body)?;
    if members.get("stream").is_some_and(|stream| stream.get() == "true") {
        return Err(Error::usage("streaming responses aren't supported: `stream` is true")
            .with_hint("leave `stream` out, or send a raw request, which takes any answer"));
    }
    let has = |name: &&str| members.get(*name).is_some_and(|value| value.get() != "null");
    Ok(INPUTS.into_iter().filter(has).collect())
}

async fn send<T: DeserializeOwned>(
    workspace: &Workspace,
    name: &str,
    body: String,
) -> Result<ResponseValue<T>> {
    required(NOUN, name)?;
    let call: Call = workspace.client().call(&operations::SERVING_QUERY).path("name", &name);
    let call = call.with_body(Bytes::from(body), HeaderValue::from_static("application/json"));
    match call.with_stall(PATIENCE).send().await {
        Err(error) if may_be_unready(&error) => Err(explained(workspace, name, error).await),
        answered => answered,
    }
}

/// Whether the endpoint's state may be the reason. The service has no code for that.
fn may_be_unready(error: &Error) -> bool {
    matches!(error.status(), Some(400 | 409 | 502..=504))
        || matches!(error.kind(), ErrorKind::DeadlineExceeded | ErrorKind::UnknownOutcome)
            && error.status().is_none()
}

async fn explained(workspace: &Workspace, name: &str, error: Error) -> Error {
    let workspace = workspace.with_deadline(Instant::now() + LOOK).with_retry(RetryPolicy::never());
    let endpoint = endpoint::get(&workspace, name).await;
    // After a refusal of the input, an endpoint that may scale to zero explains nothing.
    let is_refusal = error.kind() == ErrorKind::Rejected;
    match endpoint.ok().and_then(|endpoint| explanation(&endpoint, is_refusal)) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_one_input_and_no_stream() {
        assert_eq!(given(r#"{"inputs":[1],"max_tokens":3,"prompt":null}"#).unwrap(), ["inputs"]);
        assert_eq!(given(r#"{"custom":1,"stream":false}"#).unwrap(), [""; 0]);
        for (wrong, words) in [
            ("[1]", "not a JSON object"),
            ("", "not a JSON object"),
            ("{", "not a JSON object"),
            (r#"{"input":"x","stream":true}"#, "`stream` is true"),
        ] {
            let error = given(wrong).unwrap_err();
            assert!(error.kind() == ErrorKind::Usage && error.to_string().contains(words), "{error}");
        }
    }
}
