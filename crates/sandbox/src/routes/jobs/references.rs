//! References in the settings of a task: `{{job.parameters.day}}`, `{{tasks.load.values.rows}}`.

use std::collections::HashMap;

use serde_json::Value;

/// What references stand for.
pub(super) struct References(pub(super) HashMap<String, String>);

impl References {
    /// A text with its references filled in. One that stands for nothing stays.
    pub(super) fn fill(&self, text: &str) -> String {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            filled.push_str(before);
            let Some((name, after)) = after.split_once("}}") else {
                rest = &rest[before.len()..];
                break;
            };
            match self.0.get(name.trim()) {
                Some(value) => filled.push_str(value),
                None => filled.push_str(&format!("{{{{{name}}}}}")),
            }
            rest = after;
        }
        filled + rest
    }

    /// A document with the references of all of its texts filled in.
    pub(super) fn fill_all(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(text)),
            Value::Array(items) => items.iter().map(|item| self.fill_all(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.fill_all(value))).collect()
            }
            other => other.clone(),
        }
    }
}

/// A value as the text that a reference to it becomes.
pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn known_references_are_filled_in_and_all_else_stays() {
        let references = References(HashMap::from([("job.id".to_owned(), "7".to_owned())]));
        for (text, filled) in [
            ("a {{job.id}} b {{ job.id }}", "a 7 b 7"),
            ("{{job.nothing}}{{job.id}}", "{{job.nothing}}7"),
            ("{{job.id", "{{job.id"),
            ("}} {{", "}} {{"),
        ] {
            assert_eq!(references.fill(text), filled);
        }
        assert_eq!(references.fill_all(&json!({ "a": ["{{job.id}}", 1] })), json!({ "a": ["7", 1] }));
    }
}
