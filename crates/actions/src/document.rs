//! Answers about one resource: as JSON, as the service sent it, for programs that pass it on, and compared with what was
//! asked. Of such a JSON nothing but the id is decoded, so a field of an unexpected type is no error.

use std::collections::HashMap;

use brickwire_client::{Call, ResponseValue};
use brickwire_wire::json;
use serde_json::value::RawValue;

use crate::{Error, Result};

/// Sends a call whose answer is a JSON object.
pub(crate) async fn object(call: Call) -> Result<Box<RawValue>> {
    object_about(call, "", "", "").await
}

/// Sends a call whose answer is a JSON object about the resource that was asked for. `field` has its id.
pub(crate) async fn object_about(call: Call, what: &str, field: &str, id: &str) -> Result<Box<RawValue>> {
    checked(call.send().await?, what, field, id)
}

/// The JSON object of an answer about the resource that was asked for.
pub(crate) fn checked(
    document: ResponseValue<Box<RawValue>>,
    what: &str,
    field: &str,
    id: &str,
) -> Result<Box<RawValue>> {
    check_object(&document, what, field, id).map_err(|error| {
        error.with_details(|d| {
            (d.status, d.body) = (Some(document.status().as_u16()), Some(document.raw().clone()));
        })
    })?;
    Ok(document.into_inner())
}

fn check_object(document: &RawValue, what: &str, field: &str, id: &str) -> Result<()> {
    if !document.get().starts_with('{') {
        return Err(Error::unexpected("the answer is not a JSON object"));
    }
    if field.is_empty() {
        return Ok(());
    }
    let fields: HashMap<String, &RawValue> = serde_json::from_str(document.get()).unwrap_or_default();
    let came = fields.get(field).and_then(|value| serde_json::from_str::<String>(value.get()).ok());
    check_id(what, id, came.as_deref())
}

/// The answer about a resource, if it is about the one that was asked for.
///
/// # Errors
/// As for [`check_id`].
pub(crate) fn about<T>(
    answer: ResponseValue<T>,
    what: &str,
    id: &str,
    came: impl FnOnce(&T) -> Option<&str>,
) -> Result<ResponseValue<T>> {
    check_id(what, id, came(&answer)).map_err(|error| {
        error.with_details(|d| {
            (d.status, d.body) = (Some(answer.status().as_u16()), Some(answer.raw().clone()));
        })
    })?;
    Ok(answer)
}

/// Compares the id in an answer with the one that was asked for. An answer without an id is about that one.
///
/// # Errors
/// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if it is another.
pub(crate) fn check_id(what: &str, asked: &str, came: Option<&str>) -> Result<()> {
    match came {
        Some(came) if !came.is_empty() && !came.eq_ignore_ascii_case(asked) => {
            Err(Error::unexpected(format!("the answer is about a different {what} than {asked}: {came}"))
                .with_hint(
                    "see whether something else answers for the workspace, such as a proxy or a cache",
                ))
        }
        _ => Ok(()),
    }
}

/// The error if the answer to what starts something doesn't name it: it may run, and nothing can stop it.
pub(crate) fn nameless(what: &str, operation: &str) -> Error {
    Error::unexpected(format!("the answer names no {what}")).into_unknown_outcome(operation)
}

/// Says what to do if a resource can't be deleted because of what is in it.
pub(crate) fn about_contents(error: Error) -> Error {
    match error.error_code() {
        Some(code) if code.ends_with("_NOT_EMPTY") => {
            error.with_hint("delete what is in it first, or call `delete_with_contents`")
        }
        _ => error,
    }
}

/// The members of a JSON object that a caller wrote. `what` names it in errors, which do not quote it.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if it is something else.
pub(crate) fn members<'a>(what: &str, text: &'a str) -> Result<HashMap<String, &'a RawValue>> {
    if !text.trim_start().starts_with('{') {
        return Err(Error::usage(format!("the {what} is not a JSON object")));
    }
    json::decode(text.as_bytes())
        .map_err(|error| Error::usage(format!("the {what} is not a JSON object: {error}")))
}

/// A JSON text, to be sent as it is.
pub(crate) fn raw(text: &str) -> Result<&RawValue> {
    serde_json::from_str(text).map_err(|error| Error::usage(format!("this is not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn an_answer_is_about_what_was_asked() {
        let check = |text: &str| {
            check_object(&RawValue::from_string(text.to_owned()).unwrap(), "cluster", "cluster_id", "a-1")
        };
        for good in [
            r#"{}"#,
            r#"{"cluster_id":"a-1","x":[1e999]}"#,
            r#"{"cluster_id":"A-1"}"#,
            r#"{"cluster_id":""}"#,
            r#"{"cluster_id":null}"#,
            r#"{"id":"b"}"#,
        ] {
            check(good).unwrap();
        }
        let error = check(r#"{"x":1,"cluster_id":"b\u002d2"}"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
        assert_eq!(error.to_string(), "the answer is about a different cluster than a-1: b-2");
        assert!(check("[]").is_err());
    }
}
