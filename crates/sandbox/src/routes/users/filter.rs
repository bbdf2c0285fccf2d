//! SCIM's filters: comparisons with `eq`, `ne`, `co` and `sw`, joined by `and` and `or`. `and` binds more closely.

use axum::http::StatusCode;
use serde_json::{Map, Value};

use crate::error::ApiError;

/// Comparisons that must all be met, and alternatives to them.
#[derive(Debug)]
pub(super) struct Filter(Vec<Vec<Comparison>>);

#[derive(Debug)]
struct Comparison {
    attribute: String,
    operator: String,
    value: String,
}

impl Filter {
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let refused = || {
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "invalidFilter",
                format!("Given filter is not supported: {text}"),
            )
        };
        let mut words = words(text).ok_or_else(refused)?.into_iter();
        let mut alternatives = vec![Vec::new()];
        loop {
            let (Some(attribute), Some(operator), Some(value)) = (words.next(), words.next(), words.next())
            else {
                return Err(refused());
            };
            let operator = operator.to_ascii_lowercase();
            if !["eq", "ne", "co", "sw"].contains(&operator.as_str()) {
                return Err(refused());
            }
            let comparison = Comparison { attribute, operator, value: value.to_lowercase() };
            alternatives.last_mut().ok_or_else(refused)?.push(comparison);
            match words.next().map(|word| word.to_ascii_lowercase()).as_deref() {
                None => return Ok(Self(alternatives)),
                Some("and") => {}
                Some("or") => alternatives.push(Vec::new()),
                Some(_) => return Err(refused()),
            }
        }
    }

    /// Whether an entry fits. Case doesn't matter.
    pub(super) fn fits(&self, entry: &Map<String, Value>) -> bool {
        self.0.iter().any(|all| all.iter().all(|comparison| comparison.fits(entry)))
    }
}

impl Comparison {
    fn fits(&self, entry: &Map<String, Value>) -> bool {
        let found = entry.iter().find(|(name, _)| name.eq_ignore_ascii_case(&self.attribute));
        let text = match found.map(|(_, value)| value) {
            Some(Value::String(text)) => text.to_lowercase(),
            Some(other) => other.to_string(),
            None => return self.operator == "ne",
        };
        match self.operator.as_str() {
            "eq" => text == self.value,
            "ne" => text != self.value,
            "co" => text.contains(&self.value),
            _ => text.starts_with(&self.value),
        }
    }
}

/// Words and quoted texts; nothing if a quotation doesn't end.
fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (mut word, mut characters) = (String::new(), quoted.char_indices());
            loop {
                match characters.next()? {
                    (at, '"') => {
                        rest = quoted[at + 1..].trim_start();
                        break;
                    }
                    (_, '\\') => word.push(characters.next()?.1),
                    (_, character) => word.push(character),
                }
            }
            words.push(word);
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            words.push(rest[..end].to_owned());
            rest = rest[end..].trim_start();
        }
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_filter_compares() {
        let entry = json!({ "userName": "Ada@Example.com", "active": true, "id": "7", "note": "a \"b\"" });
        let fits = |text: &str| Filter::parse(text).unwrap().fits(entry.as_object().unwrap());
        for text in [
            r#"userName eq "ada@example.com""#,
            r#"username SW "ada""#,
            r#"userName co "@EX" and active eq true"#,
            r#"id eq "8" or id ne "9""#,
            r#"note eq "a \"b\"""#,
            r#"nothing ne "x""#,
        ] {
            assert!(fits(text), "{text}");
        }
        for text in [r#"userName eq "ada""#, r#"id eq "7" and id eq "8""#, r#"nothing eq "x""#] {
            assert!(!fits(text), "{text}");
        }
        for text in [
            "",
            "userName",
            r#"userName eq"#,
            r#"userName gt "a""#,
            r#"id eq "7"#,
            r#"id eq "7" xor id eq "8""#,
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }
}
