//! What a statement request may say, checked in the order the service checks it.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{
    call::required_text,
    engine::{Parameter, encode::Format},
    error::ApiError,
};

/// An answer with the rows in it may be this large.
pub(super) const INLINE_LIMIT: u64 = 26_214_400;
const TEXT_LIMIT: usize = 16 * 1024 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) warehouse_id: String,
    pub(super) sql: String,
    pub(super) catalog: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) wait: Duration,
    pub(super) cancel_on_timeout: bool,
    pub(super) external: bool,
    pub(super) format: Format,
    pub(super) lz4: bool,
    pub(super) row_limit: Option<u64>,
    pub(super) byte_limit: Option<u64>,
}

impl Request {
    pub(super) fn read(body: &Map<String, Value>) -> Result<Self, ApiError> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let sql = required_text(body, "statement")?;
        if sql.len() > TEXT_LIMIT {
            return Err(ApiError::invalid("The statement is longer than 16 MiB"));
        }
        let external = match text("disposition") {
            None | Some("INLINE") => false,
            Some("EXTERNAL_LINKS") => true,
            Some(other) => return Err(ApiError::invalid(format!("Unknown disposition: {other}"))),
        };
        let format = match text("format") {
            None | Some("JSON_ARRAY") => Format::JsonArray,
            Some("ARROW_STREAM") => Format::ArrowStream,
            Some("CSV") => Format::Csv,
            Some(other) => return Err(ApiError::invalid(format!("Unknown format: {other}"))),
        };
        if !external && format != Format::JsonArray {
            return Err(ApiError::invalid("The INLINE disposition supports the format JSON_ARRAY only"));
        }
        let lz4 = match text("result_compression") {
            None | Some("NONE") => false,
            Some("LZ4_FRAME") if external => true,
            Some("LZ4_FRAME") => return Err(ApiError::invalid("result_compression needs EXTERNAL_LINKS")),
            Some(other) => return Err(ApiError::invalid(format!("Unknown result_compression: {other}"))),
        };
        Ok(Self {
            warehouse_id: required_text(body, "warehouse_id")?.to_owned(),
            sql: sql.to_owned(),
            catalog: text("catalog").map(str::to_owned),
            schema: text("schema").map(str::to_owned),
            parameters: parameters(body.get("parameters"))?,
            wait: wait(text("wait_timeout").unwrap_or("10s"))?,
            cancel_on_timeout: match text("on_wait_timeout") {
                None | Some("CONTINUE") => false,
                Some("CANCEL") => true,
                Some(other) => return Err(ApiError::invalid(format!("Unknown on_wait_timeout: {other}"))),
            },
            external,
            format,
            lz4,
            row_limit: limit(body, "row_limit")?,
            byte_limit: limit(body, "byte_limit")?,
        })
    }

    pub(super) fn format_name(&self) -> &'static str {
        match self.format {
            Format::JsonArray => "JSON_ARRAY",
            Format::ArrowStream => "ARROW_STREAM",
            Format::Csv => "CSV",
        }
    }
}

/// `0s`, or `5s` to `50s`.
fn wait(text: &str) -> Result<Duration, ApiError> {
    match text.strip_suffix('s').and_then(|seconds| seconds.parse::<u64>().ok()) {
        Some(seconds @ (0 | 5..=50)) => Ok(Duration::from_secs(seconds)),
        _ => Err(ApiError::invalid(format!(
            "wait_timeout must be 0 seconds (0s), or between 5 and 50 seconds; received {text}"
        ))),
    }
}

/// A limit as a number or as decimal text, which the service takes for 64-bit values.
fn limit(body: &Map<String, Value>, name: &str) -> Result<Option<u64>, ApiError> {
    let value = match body.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64(),
    };
    match value {
        Some(limit) if limit > 0 => Ok(Some(limit)),
        _ => Err(ApiError::invalid(format!("{name} must be a positive number"))),
    }
}

fn parameters(value: Option<&Value>) -> Result<Vec<Parameter>, ApiError> {
    let list = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(ApiError::invalid("parameters must be an array")),
    };
    let read = |parameter: &Value| {
        let name = parameter.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| ApiError::invalid("Each parameter needs a name"))?;
        let text = |key: &str| match parameter.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(ApiError::invalid(format!("The {key} of parameter {name} must be text"))),
        };
        Ok(Parameter { name: name.to_owned(), value: text("value")?, type_name: text("type")? })
    };
    list.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_none_or_between_five_and_fifty_seconds() {
        for (text, seconds) in [("0s", 0), ("5s", 5), ("50s", 50)] {
            assert_eq!(wait(text).map(|wait| wait.as_secs()).ok(), Some(seconds), "{text}");
        }
        for text in ["", "4s", "51s", "10", "1m", "-5s", "5.5s"] {
            assert!(wait(text).is_err(), "{text}");
        }
    }
}
