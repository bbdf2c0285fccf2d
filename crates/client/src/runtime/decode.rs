//! From a body to a value, or to the place where the body is not what the type says.

use serde::de::{DeserializeOwned, Error as _};

/// Decodes a JSON body; an empty one and `null` count as `{}`. The error says where and what.
pub(super) fn decode<T: DeserializeOwned>(raw: &[u8]) -> Result<T, (String, serde_json::Error)> {
    let text = match raw.trim_ascii() {
        b"" | b"null" => b"{}",
        b if b.starts_with(b"<") => {
            let problem = "the body is HTML, not JSON: a sign-in page or a proxy may have answered";
            return Err((".".to_owned(), serde_json::Error::custom(problem)));
        }
        text => text,
    };
    // Keeping track of the place takes several times as long: that is for what fails.
    if let Ok(value) = serde_json::from_slice(text) {
        return Ok(value);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| (error.path().to_string(), without_value(&error.into_inner())))?;
    deserializer.end().map_err(|error| (".".to_owned(), error))?;
    Ok(value)
}

/// serde quotes the text that it found, which may be a secret.
fn without_value(error: &serde_json::Error) -> serde_json::Error {
    let text = error.to_string();
    match (text.find('"'), text.rfind('"')) {
        (Some(start), Some(end)) if start < end => {
            serde_json::Error::custom(format!("{}\"…\"{}", &text[..start], &text[end + 1..]))
        }
        _ => serde_json::Error::custom(text),
    }
}
