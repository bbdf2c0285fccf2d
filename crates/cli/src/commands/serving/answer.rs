//! What a model is asked, and what is shown of its answer.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    context::Context,
    failure::{Failure, Result},
    options::Format,
    source::json_data,
};

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Question {
    /// The request as JSON, @FILE to read it from a file, or - for standard input
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
    /// The user's message to a chat model
    #[arg(long, short, value_name = "TEXT", allow_hyphen_values = true)]
    message: Option<String>,
}

/// What is read of a chat's answer. All else may be of any form.
#[derive(Deserialize)]
struct Chat {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Value,
}

impl Question {
    /// The body of the request.
    pub(super) fn request(&self) -> Result<String> {
        match (&self.data, &self.message) {
            (Some(data), _) => json_data("request to the model", data),
            (None, Some(message)) if !message.trim().is_empty() => {
                Ok(json!({ "messages": [{ "role": "user", "content": message }] }).to_string())
            }
            _ => Err(Failure::usage("the message is empty")),
        }
    }

    /// Prints the answer: the text that a message got, or else the JSON.
    pub(super) fn show(&self, answer: &str, context: &Context) -> Result {
        let is_plain = self.message.is_some() && context.asked() == (Format::Auto, false);
        match text(answer).filter(|_| is_plain) {
            Some(text) => Ok(context.output().text(&format!("{}\n", text.trim_end_matches('\n')))?),
            None => context.output().document(answer),
        }
    }
}

/// The text of a chat's first choice: a text, or the texts of a list of parts.
fn text(answer: &str) -> Option<String> {
    let chat: Chat = serde_json::from_str(answer).ok()?;
    match &chat.choices.first()?.message["content"] {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => parts.iter().map(|part| part["text"].as_str()).collect(),
        _ => None,
    }
}

/// The name of an endpoint that was described in an answer.
pub(super) fn name(answer: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    Ok(serde_json::from_str::<Named>(answer)?.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chats_text_may_come_in_parts() {
        let answer =
            |content: &str| text(&format!(r#"{{"choices":[{{"message":{{"content":{content}}}}}],"x":1}}"#));
        assert_eq!(answer(r#""hi""#).as_deref(), Some("hi"));
        assert_eq!(answer(r#"[{"type":"text","text":"a"},{"text":"b"}]"#).as_deref(), Some("ab"));
        assert_eq!(answer(r#"[{"type":"image"}]"#), None);
        assert_eq!(answer("null"), None);
        assert_eq!(text(r#"{"output":[]}"#), None);
        assert_eq!(text(r#"{"choices":[]}"#), None);
    }
}
