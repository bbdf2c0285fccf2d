//! What a command produced.

use brickwire_client::types;
use bytes::Bytes;
use serde_json::Value;

use super::Command;
use crate::markup::{text_of, text_of_traceback};

/// A command that has ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Run {
    /// The command.
    pub command: Command,
    /// What it produced.
    pub output: RunOutput,
    /// Its last status as the service sent it.
    pub raw: Bytes,
}

/// What a command produced.
///
/// ```
/// use brickwire_actions::{RunOutput, types::CommandStatusResponse};
/// let ended = r#"{"status": "Finished", "results": {"resultType": "text", "data": "42"}}"#;
/// let ended: CommandStatusResponse = serde_json::from_str(ended).unwrap();
/// assert_eq!(RunOutput::from(&ended), RunOutput::Text("42".to_owned()));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RunOutput {
    /// Text; may be empty.
    Text(String),
    /// A table.
    Table {
        /// The names of the columns.
        columns: Vec<String>,
        /// The rows, each with a cell for each column.
        rows: Vec<Vec<Value>>,
        /// Whether rows were left out.
        truncated: bool,
    },
    /// Pictures: data URLs with base64 content, or paths on the cluster.
    Images(Vec<String>),
    /// The code failed.
    Failed {
        /// The error in one line, without markup.
        summary: String,
        /// The error in full, as it came; may contain terminal color codes.
        cause: String,
    },
    /// The command was canceled.
    Cancelled,
}

/// Reads the results of a command that has ended.
impl From<&types::CommandStatusResponse> for RunOutput {
    fn from(answer: &types::CommandStatusResponse) -> Self {
        use types::{CommandStatus, ResultType};
        if answer.status == Some(CommandStatus::Cancelled) {
            return Self::Cancelled;
        }
        let results = answer.results.clone().unwrap_or_default();
        match results.result_type {
            Some(ResultType::Error) => Self::Failed {
                summary: text_of(results.summary.as_deref().unwrap_or("the code failed")),
                cause: text_of_traceback(results.cause.as_deref().unwrap_or_default()),
            },
            Some(ResultType::Table) => Self::Table {
                columns: results.schema.into_iter().flatten().map(|c| c.name.unwrap_or_default()).collect(),
                rows: match results.data {
                    Some(Value::Array(rows)) => rows.into_iter().map(cells).collect(),
                    _ => Vec::new(),
                },
                truncated: results.truncated.unwrap_or_default(),
            },
            Some(ResultType::Image) => Self::Images(results.file_name.into_iter().collect()),
            Some(ResultType::Images) => Self::Images(results.file_names.unwrap_or_default()),
            _ if answer.status == Some(CommandStatus::Error) => {
                Self::Failed { summary: "the command ended in Error".to_owned(), cause: String::new() }
            }
            _ => Self::Text(match results.data {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text,
                Some(other) => other.to_string(),
            }),
        }
    }
}

fn cells(row: Value) -> Vec<Value> {
    match row {
        Value::Array(cells) => cells,
        one => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(json: &str) -> RunOutput {
        RunOutput::from(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn reads_every_kind_of_result() {
        assert_eq!(
            output(r#"{"status":"Finished","results":{"resultType":"text","data":"42\n"}}"#),
            RunOutput::Text("42\n".into())
        );
        assert_eq!(output(r#"{"status":"Finished","results":null}"#), RunOutput::Text(String::new()));
        assert_eq!(output(r#"{"status":"Cancelled"}"#), RunOutput::Cancelled);
        assert_eq!(
            output(
                r#"{"status":"Finished","results":{"resultType":"table","data":[[1,null]],"schema":[{"name":"a","type":"\"int\""},{"name":"b"}],"truncated":true}}"#
            ),
            RunOutput::Table {
                columns: vec!["a".into(), "b".into()],
                rows: vec![vec![1.into(), Value::Null]],
                truncated: true
            }
        );
        assert_eq!(
            output(
                r#"{"status":"Finished","results":{"resultType":"error","summary":"<span class=\"ansi-red-fg\">KeyError</span>: &#39;a&lt;b&#39;","cause":"Traceback"}}"#
            ),
            RunOutput::Failed { summary: "KeyError: 'a<b'".into(), cause: "Traceback".into() }
        );
        assert_eq!(
            output(r#"{"status":"Finished","results":{"resultType":"images","fileNames":["/plots/1.png"]}}"#),
            RunOutput::Images(vec!["/plots/1.png".into()])
        );
    }
}
