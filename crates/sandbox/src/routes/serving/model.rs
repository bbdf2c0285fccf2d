//! What the models answer.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::{
    config::entities,
    seed::{self, BROKEN},
};
use crate::{
    call::Call,
    error::ApiError,
    request_log::fingerprint,
    routes::{
        contexts::{
            context::NO_EXEC,
            python::{Interpreter, Reply},
        },
        jobs::source,
    },
};

const DRIVER: &str = include_str!("model.py");
/// How many numbers an embedding has.
const DIMENSIONS: usize = 8;

/// What runs behind an entity.
#[derive(Debug, PartialEq)]
enum Kind<'a> {
    Echo,
    Chat,
    Completions,
    Embeddings,
    Function(&'a str),
}

fn kind(entity: &Value) -> Kind<'_> {
    let name = entity["entity_name"].as_str().or_else(|| entity["foundation_model"]["name"].as_str());
    let name = name.unwrap_or_default();
    let task = entity["external_model"]["task"].as_str().unwrap_or(name);
    match task.rsplit(['/', '.', '_']).next() {
        Some("chat") => Kind::Chat,
        Some("completions") => Kind::Completions,
        Some("embeddings") => Kind::Embeddings,
        Some("py") => Kind::Function(name),
        _ => Kind::Echo,
    }
}

/// Why a configuration can't be deployed, if it can't.
pub(super) fn failure(call: &Call, config: &Value) -> Option<String> {
    let of_entity = |entity: &Value| match kind(entity) {
        _ if entity["entity_name"] == BROKEN => {
            Some("Failed to build the container of the model.".to_owned())
        }
        Kind::Function(_) if call.server.options.no_exec => Some(NO_EXEC.to_owned()),
        Kind::Function(path) => content(call, path).err(),
        _ => None,
    };
    entities(config).iter().find_map(of_entity)
}

fn content(call: &Call, path: &str) -> Result<String, String> {
    match seed::file(path) {
        Some(seeded) => Ok(seeded.to_owned()),
        None => source::file(call, path),
    }
}

/// The model's answer, and what it has printed.
pub(super) async fn answer(
    call: &Call,
    entity: &Value,
    request: &Map<String, Value>,
) -> Result<(Value, String), ApiError> {
    let name = &entity["name"];
    let answer = match kind(entity) {
        Kind::Function(path) => return function(call, path, request).await,
        Kind::Echo => json!({ "predictions": rows(request)? }),
        Kind::Chat => {
            let messages = request.get("messages").and_then(Value::as_array).filter(|list| !list.is_empty());
            let last = messages.and_then(|list| list.last()).ok_or_else(|| missing("messages"))?;
            let (text, reason) = cut(&text_of(&last["content"]), request);
            let message = json!({ "role": "assistant", "content": text });
            generated(call, name, "chat.completion", "message", message, reason)
        }
        Kind::Completions => {
            let prompt = request.get("prompt").ok_or_else(|| missing("prompt"))?;
            let (text, reason) = cut(&text_of(prompt), request);
            generated(call, name, "text_completion", "text", json!(text), reason)
        }
        Kind::Embeddings => {
            let texts = match request.get("input") {
                Some(Value::Array(texts)) => texts.clone(),
                Some(Value::String(text)) => vec![json!(text)],
                _ => return Err(missing("input")),
            };
            let one = |(index, text): (usize, &Value)| json!({ "object": "embedding", "index": index, "embedding": embedding(&text_of(text)) });
            let data: Vec<Value> = texts.iter().enumerate().map(one).collect();
            let tokens: usize = texts.iter().map(|text| words(&text_of(text))).sum();
            json!({ "object": "list", "model": name, "data": data,
                "usage": { "prompt_tokens": tokens, "total_tokens": tokens } })
        }
    };
    Ok((answer, String::new()))
}

fn bad(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
}

fn missing(name: &str) -> ApiError {
    bad(format!("The request has no '{name}', which this model needs."))
}

/// The rows of a request to a custom model.
fn rows(request: &Map<String, Value>) -> Result<Value, ApiError> {
    for name in ["dataframe_records", "instances", "inputs"] {
        if let Some(rows) = request.get(name) {
            return Ok(rows.clone());
        }
    }
    let Some(split) = request.get("dataframe_split") else {
        return Err(bad(
            "Invalid input. The input must be a JSON dictionary with exactly one of the input fields \
                        {'dataframe_split', 'dataframe_records', 'instances', 'inputs'}",
        ));
    };
    let (Some(columns), Some(data)) = (split["columns"].as_array(), split["data"].as_array()) else {
        return Err(bad("Invalid input. 'dataframe_split' must have 'columns' and 'data'"));
    };
    let named = |row: &Value| -> Value {
        let cells = row.as_array().map_or(&[][..], Vec::as_slice);
        columns.iter().map(text_of).zip(cells.iter().cloned()).collect::<Map<_, _>>().into()
    };
    Ok(data.iter().map(named).collect())
}

/// A text, or the texts of a list of parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let text = |part: &Value| part["text"].as_str().or(part.as_str()).unwrap_or_default().to_owned();
            parts.iter().map(text).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

/// The first `max_tokens` words, and why the text ends there.
fn cut(text: &str, request: &Map<String, Value>) -> (String, &'static str) {
    let most = request.get("max_tokens").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
    match most.filter(|most| *most < words(text)) {
        Some(most) => (text.split_whitespace().take(most).collect::<Vec<_>>().join(" "), "length"),
        None => (text.to_owned(), "stop"),
    }
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn generated(call: &Call, model: &Value, object: &str, field: &str, value: Value, reason: &str) -> Value {
    let count = words(&text_of(value.get("content").unwrap_or(&value)));
    json!({
        "id": format!("{}_{}", object.replace('.', ""), call.server.hex(16)),
        "object": object,
        "created": call.now_ms() / 1000,
        "model": model,
        "choices": [{ "index": 0, field: value, "finish_reason": reason, "logprobs": null }],
        "usage": { "prompt_tokens": count, "completion_tokens": count, "total_tokens": 2 * count },
    })
}

/// Numbers from -1 to 1 that are the same for the same text.
fn embedding(text: &str) -> Vec<f64> {
    let digits = (0..).map(|n| fingerprint(&format!("{n} {text}")));
    let number = |digits: String| u32::from_str_radix(&digits[..4], 16).unwrap_or_default();
    digits.take(DIMENSIONS).map(|digits| f64::from(number(digits)) / 32_767.5 - 1.0).collect()
}

/// A chat's answer as events, word by word.
pub(super) fn in_parts(answer: &Value) -> String {
    let content = answer["choices"][0]["message"]["content"].as_str().unwrap_or_default();
    let reason = &answer["choices"][0]["finish_reason"];
    let part = |delta: Value, reason: &Value| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": reason });
        let part = json!({ "id": answer["id"], "object": "chat.completion.chunk", "created": answer["created"],
            "model": answer["model"], "choices": [choice] });
        format!("data: {part}\n\n")
    };
    let words = content.split_inclusive(' ').map(|word| part(json!({ "content": word }), &Value::Null));
    words.collect::<String>() + &part(json!({}), reason) + "data: [DONE]\n\n"
}

/// Calls a function of Python.
async fn function(
    call: &Call,
    path: &str,
    request: &Map<String, Value>,
) -> Result<(Value, String), ApiError> {
    if call.server.options.no_exec {
        return Err(bad(NO_EXEC));
    }
    let internal = |error: std::io::Error| ApiError::internal(error.to_string());
    let source = content(call, path).map_err(bad)?;
    let directory = call.server.new_directory("model-").map_err(internal)?;
    let folder = directory.path().to_owned();
    let task = json!({ "name": path, "source": source, "request": request });
    std::fs::write(folder.join("task.json"), task.to_string()).map_err(internal)?;
    // If the client disconnects, this future is dropped, and with it the process.
    let mut interpreter = Interpreter::start(directory).await.map_err(internal)?.without_display();
    match interpreter.run("query", DRIVER, &Notify::new()).await.map_err(internal)? {
        Reply::Text(printed) | Reply::Shown { printed, .. } => {
            let answer = std::fs::read(folder.join("answer.json")).map_err(internal)?;
            let answer = serde_json::from_slice(&answer)
                .map_err(|error| bad(format!("The answer is not JSON: {error}")))?;
            Ok((answer, printed))
        }
        Reply::Raised { cause, .. } => {
            Err(bad(format!("Encountered an unexpected error while evaluating the model. Error '{cause}'")))
        }
        Reply::Cancelled => Err(ApiError::internal("the function was interrupted")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_answers_by_its_name_or_task() {
        for (entity, expected) in [
            (json!({ "entity_name": "main.models.churn" }), Kind::Echo),
            (json!({ "entity_name": "file:/a/b.py" }), Kind::Function("file:/a/b.py")),
            (json!({ "external_model": { "name": "gpt", "task": "llm/v1/chat" } }), Kind::Chat),
            (
                json!({ "external_model": { "name": "x.py", "task": "llm/v1/completions" } }),
                Kind::Completions,
            ),
            (json!({ "foundation_model": { "name": "system.ai.echo_embeddings" } }), Kind::Embeddings),
        ] {
            assert_eq!(kind(&entity), expected, "{entity}");
        }
    }

    #[test]
    fn an_embedding_depends_on_its_text_only() {
        let one = embedding("a");
        assert_eq!((one.len(), &one), (DIMENSIONS, &embedding("a")));
        assert!(one.iter().all(|number| (-1.0..=1.0).contains(number)) && one != embedding("b"));
    }
}
