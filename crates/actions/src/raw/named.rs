//! A raw request for an operation of the API description: its arguments are checked and put where they belong.

use brickwire_client::{Argument, Body, Content, Kind, Place, Reference};
use brickwire_wire::path_segment;
use serde_json::{Map, Number, Value};

use super::{RawRequest, ResponseType};
use crate::{Error, Result, RetryPolicy};

impl RawRequest {
    /// Creates a request for an operation by its id, such as `jobs_get`, with its arguments by name: parameters of the
    /// path and of the query, and members of the body. An argument may be text whatever its type: `"5"` for an
    /// integer, or JSON for an object or a list. [`Reference::all`](crate::reference::Reference::all) has all operations.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::RawRequest;
    /// let arguments = serde_json::Map::from_iter([("job_id".to_owned(), 11.into())]);
    /// let request = RawRequest::operation("jobs_get", arguments)?;
    /// println!("{}", workspace.raw(&request).await?.json()?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It is repeated where the description says that this is safe. A body of another kind, such as a file, is set by
    /// [`with_data`](Self::with_data); arguments of the body are then left out.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if there is no such operation or argument, if a required one is
    /// missing, or if a value is not of the argument's type.
    pub fn operation(operation_id: &str, arguments: Map<String, Value>) -> Result<Self> {
        let operation = Reference::of(operation_id).ok_or_else(|| unknown_operation(operation_id))?;
        let mut request = Self::new(operation.info.method, "");
        let mut path = operation.info.path.to_owned();
        let mut body = Map::new();
        for argument in operation.arguments.iter().filter(|argument| is_in_address(argument)) {
            if argument.required && !arguments.get(argument.name).is_some_and(is_given) {
                return Err(missing(operation, argument));
            }
        }
        for (name, value) in arguments {
            let Some(argument) = operation.argument(&name) else {
                if operation.body != Body::Open {
                    return Err(unknown_argument(operation, &name));
                }
                body.insert(name, value);
                continue;
            };
            match argument.place {
                place @ (Place::Path | Place::PathWithSlashes) => {
                    let value = text(value);
                    let encoded = match place {
                        Place::Path => path_segment(&value),
                        _ => value
                            .strip_prefix('/')
                            .unwrap_or(&value)
                            .split('/')
                            .map(path_segment)
                            .collect::<Option<Vec<_>>>()
                            .map(|segments| segments.join("/")),
                    };
                    let encoded = encoded.ok_or_else(|| {
                        Error::usage(format!(
                            "`{name}` of {operation_id} has an empty, `.` or `..` segment: {value:?}"
                        ))
                    })?;
                    path = path.replace(&format!("{{{name}}}"), &encoded);
                }
                Place::Query => {
                    let values = match typed(operation, argument, value)? {
                        Value::Array(values) => values,
                        value => vec![value],
                    };
                    request = values
                        .into_iter()
                        .fold(request, |request, value| request.with_query(&name, text(value)));
                }
                _ => {
                    body.insert(name, typed(operation, argument, value)?);
                }
            }
        }
        request.url = path;
        if matches!(operation.body, Body::Json | Body::Open) {
            request.data = Some(Value::Object(body).into());
        }
        if operation.answer == Content::File {
            request.response_type = ResponseType::Binary;
        }
        request.named = Some(operation);
        request.repeats_query_keys = true;
        request.retry = RetryPolicy::default();
        Ok(request)
    }

    /// Whether the service starts once what is sent twice.
    pub(super) fn has_idempotency_token(&self) -> bool {
        const TOKEN: &str = "idempotency_token";
        let takes_one = self.named.is_some_and(|operation| operation.argument(TOKEN).is_some());
        let body = match &self.data {
            Some(super::RawData::Json(body)) => body,
            _ => return false,
        };
        takes_one && body[TOKEN].as_str().is_some_and(|token| !token.is_empty())
    }

    /// Refuses a body without the members that its operation requires.
    pub(super) fn check_body(&self) -> Result<()> {
        let (Some(operation), Some(super::RawData::Json(Value::Object(body)))) = (self.named, &self.data)
        else {
            return Ok(());
        };
        let required =
            operation.arguments.iter().filter(|argument| argument.place == Place::Body && argument.required);
        for argument in required {
            if body.get(argument.name).is_none_or(Value::is_null) {
                return Err(missing(operation, argument));
            }
        }
        Ok(())
    }
}

fn is_in_address(argument: &Argument) -> bool {
    argument.place != Place::Body
}

fn is_given(value: &Value) -> bool {
    !value.is_null() && value != ""
}

/// A value of the argument's type; text is read as one.
fn typed(operation: &Reference, argument: &Argument, value: Value) -> Result<Value> {
    let wrong = |value: &Value| {
        let id = operation.info.operation_id;
        let shown = match argument.secret {
            true => "what was given".to_owned(),
            false => value.to_string(),
        };
        Error::usage(format!("`{}` of {id} is {}, not {shown}", argument.name, with_article(argument.kind)))
    };
    let parsed = |value: Value| match &value {
        Value::String(text) => serde_json::from_str(text).map_err(|_| wrong(&value)),
        _ => Ok(value),
    };
    let typed = match argument.kind {
        Kind::Text => Value::String(text(value)),
        Kind::Any => match &value {
            Value::String(text) => serde_json::from_str(text).unwrap_or(value),
            _ => value,
        },
        // Not by way of a double: 9007199254740993 has to stay what it is.
        Kind::Integer => match &value {
            Value::Number(number) if is_whole(number) => value,
            Value::String(text) if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() => {
                parsed(value)?
            }
            _ => return Err(wrong(&value)),
        },
        Kind::List
            if argument.place == Place::Query
                && matches!(&value, Value::String(text) if !text.starts_with('[')) =>
        {
            value
        }
        Kind::Number | Kind::Boolean | Kind::Object | Kind::List => {
            let parsed = parsed(value)?;
            let fits = match argument.kind {
                Kind::Number => parsed.is_number(),
                Kind::Boolean => parsed.is_boolean(),
                Kind::Object => parsed.is_object(),
                _ => parsed.is_array(),
            };
            if !fits {
                return Err(wrong(&parsed));
            }
            parsed
        }
        _ => value,
    };
    Ok(typed)
}

fn is_whole(number: &Number) -> bool {
    number.is_i64() || number.is_u64()
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        value => value.to_string(),
    }
}

fn with_article(kind: Kind) -> String {
    match kind {
        Kind::Integer | Kind::Object => format!("an {kind}"),
        Kind::Text | Kind::Any => kind.to_string(),
        Kind::Boolean => "true or false".to_owned(),
        _ => format!("a {kind}"),
    }
}

fn missing(operation: &Reference, argument: &Argument) -> Error {
    let id = operation.info.operation_id;
    let hint = match argument.description {
        "" => format!("it is {}", with_article(argument.kind)),
        description => format!("{}: {description}", argument.name),
    };
    Error::usage(format!("{id} needs `{}`", argument.name)).with_hint(hint)
}

fn unknown_operation(id: &str) -> Error {
    let known = || Reference::all().iter().map(|operation| operation.info.operation_id);
    let error = Error::usage(format!("unknown operation: {id:?}"));
    match closest(id, known()) {
        Some(close) => error.with_hint(format!("did you mean {close}?")),
        None => error.with_hint("operations are named service_verb, for example jobs_get"),
    }
}

fn unknown_argument(operation: &Reference, name: &str) -> Error {
    let names = || operation.arguments.iter().map(|argument| argument.name);
    let error = Error::usage(format!("{} takes no {name:?}", operation.info.operation_id));
    match (closest(name, names()), operation.arguments) {
        (Some(close), _) => error.with_hint(format!("did you mean {close}?")),
        (None, []) => error.with_hint("it takes no arguments"),
        (None, _) => error.with_hint(format!("it takes {}", names().collect::<Vec<_>>().join(", "))),
    }
}

/// The most similar of some names, if it is similar at all.
fn closest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(similarity, _)| *similarity > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ErrorKind;

    fn made(id: &str, arguments: Value) -> Result<RawRequest> {
        RawRequest::operation(id, arguments.as_object().unwrap().clone())
    }

    fn refused(id: &str, arguments: Value) -> String {
        let request = made(id, arguments).and_then(|request| request.check_body());
        let error = request.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        format!("{error} ({})", error.hint().unwrap_or_default())
    }

    #[test]
    fn arguments_go_where_they_belong() {
        let request =
            made("statements_get_result_chunk", json!({"statement_id": "a b/c", "chunk_index": "0"}))
                .unwrap();
        assert_eq!(request.url, "/api/2.0/sql/statements/a%20b%2Fc/result/chunks/0");
        let request = made("jobs_get", json!({"job_id": "9007199254740993"})).unwrap();
        assert_eq!(
            (request.url.as_str(), &request.query[..]),
            ("/api/2.2/jobs/get", &[("job_id".to_owned(), "9007199254740993".to_owned())][..])
        );
        let request = made("jobs_run_now", json!({"job_id": "9007199254740993", "job_parameters": "{\"a\":\"1\"}", "idempotency_token": "5"})).unwrap();
        let body = json!({"job_id": 9_007_199_254_740_993_i64, "job_parameters": {"a": "1"}, "idempotency_token": "5"});
        assert!(request.data == Some(body.into()));
    }

    #[test]
    fn a_list_in_the_query_repeats_its_key() {
        for states in [json!(["RUNNING", "PENDING"]), json!("[\"RUNNING\",\"PENDING\"]")] {
            let request = made("clusters_list", json!({"filter_by.cluster_states": states})).unwrap();
            let values: Vec<_> = request.query.iter().map(|(_, value)| value.as_str()).collect();
            assert_eq!((values, request.repeats_query_keys), (vec!["RUNNING", "PENDING"], true));
        }
        let request = made("clusters_list", json!({"filter_by.cluster_states": "RUNNING"})).unwrap();
        assert_eq!(request.query[0].1, "RUNNING");
    }

    #[test]
    fn what_does_not_fit_is_refused_with_the_way_out() {
        assert_eq!(
            refused("jobs_gett", json!({})),
            "unknown operation: \"jobs_gett\" (did you mean jobs_get?)"
        );
        assert_eq!(
            refused("jobs_get", json!({"jobid": 1, "job_id": 1})),
            "jobs_get takes no \"jobid\" (did you mean job_id?)"
        );
        assert_eq!(
            refused("jobs_get", json!({"job_id": "1e3"})),
            "`job_id` of jobs_get is an integer, not \"1e3\" ()"
        );
        assert!(refused("jobs_get", json!({})).starts_with("jobs_get needs `job_id`"));
        assert!(refused("jobs_run_now", json!({})).starts_with("jobs_run_now needs `job_id`"));
        assert!(
            refused("jobs_run_now", json!({"job_id": 1, "job_parameters": "[]"}))
                .contains("is an object, not what was given")
        );
        assert!(refused("warehouses_get", json!({"id": ".."})).contains("`id`"));
    }
}
