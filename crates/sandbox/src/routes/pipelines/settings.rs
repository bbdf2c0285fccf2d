//! Creating, changing and deleting pipelines, and which ones a list's filter takes.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    request::{object, pipelines},
    state::{Pipeline, Pipelines},
};
use crate::{
    call::{Answer, Call, done, required_text},
    error::ApiError,
    lock::lock,
};

/// How many pipelines a workspace has at most.
const MOST: usize = 1000;

/// Members of a request that don't become settings.
const NOT_GIVEN: [&str; 4] = ["allow_duplicate_names", "dry_run", "expected_last_modified", "run_as"];

/// The settings that a request gives, with what the service adds.
fn spec(known: &Pipelines, mut body: Map<String, Value>, own: Option<&str>) -> Result<Value, ApiError> {
    let name = required_text(&body, "name")?;
    let is_taken = known.0.iter().any(|other| Some(other.id.as_str()) != own && other.spec["name"] == name);
    if is_taken && body.get("allow_duplicate_names") != Some(&json!(true)) {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "RESOURCE_CONFLICT",
            format!("The pipeline name '{name}' is already used by another pipeline."),
        ));
    }
    body.retain(|name, _| !NOT_GIVEN.contains(&name.as_str()));
    let added = json!({ "continuous": false, "development": false, "edition": "ADVANCED", "channel": "CURRENT",
        "pipeline_type": "WORKSPACE" });
    let mut all = object(added);
    all.extend(body);
    Ok(Value::Object(all))
}

pub(super) async fn create(call: Call) -> Answer {
    let body = call.json()?;
    let pipelines = pipelines(&call);
    let mut known = lock(&pipelines);
    if known.0.len() >= MOST {
        return Err(ApiError::invalid(format!("The workspace has {MOST} pipelines already.")));
    }
    let is_dry = body.get("dry_run") == Some(&json!(true));
    let spec = spec(&known, body, None)?;
    if is_dry {
        return Ok(Json(json!({ "effective_settings": spec })));
    }
    let id = call.server.uuid();
    known.0.push(Pipeline::new(&id, spec, call.now_ms()));
    Ok(Json(json!({ "pipeline_id": id })))
}

pub(super) async fn edit(Path(id): Path<String>, call: Call) -> Answer {
    let body = call.json()?;
    let pipelines = pipelines(&call);
    let mut known = lock(&pipelines);
    let at = known.at(&id)?;
    let expected = body.get("expected_last_modified").and_then(Value::as_u64);
    if expected.is_some_and(|expected| expected != known.0[at].modified_ms) {
        let text = "The pipeline was modified since expected_last_modified.";
        return Err(ApiError::new(StatusCode::CONFLICT, "RESOURCE_CONFLICT", text));
    }
    let mut spec = spec(&known, body, Some(&id))?;
    spec["id"] = json!(id);
    let pipeline = &mut known.0[at];
    (pipeline.spec, pipeline.modified_ms) = (spec, call.now_ms());
    done()
}

pub(super) async fn delete(Path(id): Path<String>, call: Call) -> Answer {
    let pipelines = pipelines(&call);
    let mut known = lock(&pipelines);
    let at = known.at(&id)?;
    known.0.remove(at);
    done()
}

/// Which pipelines a list shows.
pub(super) enum Filter {
    All,
    /// `name LIKE '…'`
    Named(String),
    /// `notebook='…'`
    WithNotebook(String),
}

impl Filter {
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let text = text.trim();
        let quoted = |rest: &str| {
            let inner = rest.trim().strip_prefix('\'')?.strip_suffix('\'')?;
            (!inner.contains('\'')).then(|| inner.to_owned())
        };
        let after = |words: &[&str]| {
            let mut rest = text;
            for word in words {
                let start = rest.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word))?;
                rest = rest[start.len()..].trim_start();
            }
            quoted(rest)
        };
        if text.is_empty() {
            return Ok(Self::All);
        }
        let named = after(&["name", "like"]).map(Self::Named);
        let found = named.or_else(|| after(&["notebook", "="]).map(Self::WithNotebook));
        found.ok_or_else(|| ApiError::invalid(format!("Unsupported filter: {text}")))
    }

    pub(super) fn takes(&self, pipeline: &Pipeline) -> bool {
        match self {
            Self::All => true,
            Self::Named(pattern) => {
                let name = pipeline.spec["name"].as_str().unwrap_or_default();
                like(&name.chars().collect::<Vec<_>>(), &pattern.chars().collect::<Vec<_>>())
            }
            Self::WithNotebook(path) => {
                let libraries = pipeline.spec["libraries"].as_array().into_iter().flatten();
                libraries.into_iter().any(|library| library["notebook"]["path"] == *path)
            }
        }
    }
}

/// SQL's LIKE: `%` is any text, `_` any character.
fn like(text: &[char], pattern: &[char]) -> bool {
    // What matched before the last `%`, so that it can take one character more.
    let (mut at, mut n, mut star) = (0, 0, None);
    while at < text.len() {
        match pattern.get(n) {
            Some('%') => {
                star = Some((at, n));
                n += 1;
            }
            Some(c) if *c == '_' || *c == text[at] => (at, n) = (at + 1, n + 1),
            _ => match star {
                Some((from, percent)) => {
                    (at, n) = (from + 1, percent + 1);
                    star = Some((from + 1, percent));
                }
                None => return false,
            },
        }
    }
    pattern[n..].iter().all(|c| *c == '%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_is_that_of_sql() {
        let like = |text: &str, pattern: &str| {
            like(&text.chars().collect::<Vec<_>>(), &pattern.chars().collect::<Vec<_>>())
        };
        for (text, pattern) in
            [("orders", "orders"), ("orders", "%d_r%"), ("", "%"), ("aXbXc", "a%Xc"), ("é", "_")]
        {
            assert!(like(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in [("orders", "order"), ("orders", "%x%"), ("", "_"), ("ab", "_")] {
            assert!(!like(text, pattern), "{text} {pattern}");
        }
    }

    #[test]
    fn a_filter_is_one_of_two() {
        assert!(matches!(Filter::parse("name LIKE '%a%'"), Ok(Filter::Named(name)) if name == "%a%"));
        assert!(
            matches!(Filter::parse("notebook = '/a b'"), Ok(Filter::WithNotebook(path)) if path == "/a b")
        );
        for wrong in ["name = 'a'", "name LIKE 'a' AND notebook='b'", "name LIKE a", "x"] {
            assert!(Filter::parse(wrong).is_err(), "{wrong}");
        }
    }
}
