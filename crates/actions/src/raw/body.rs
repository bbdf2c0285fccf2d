//! The body of a raw request and the Content-Type that goes with it.

use brickwire_wire::form;
use bytes::Bytes;
use http::{HeaderValue, Method};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{RawData, RawRequest, multipart};
use crate::{Error, Result};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// What axios says when nobody has said anything.
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// What is sent, for each attempt anew.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) bytes: Option<Bytes>,
    pub(super) content_type: Option<HeaderValue>,
}

/// Decides on the body; `given` is the caller's Content-Type.
pub(super) fn payload(request: &RawRequest, method: &Method, given: Option<&HeaderValue>) -> Result<Payload> {
    let data = request.data.as_ref().filter(|data| !data.is_empty());
    if !request.form.is_empty() || !request.files.is_empty() {
        if data.is_some() {
            return Err(Error::usage("Cannot specify both Data and File/Form Data")
                .with_hint("give the data as one of the form's fields, or leave the form out"));
        }
        return multipart::payload(&request.form, &request.files, &request.file_names);
    }
    if let Some((key, _)) = request.file_names.first() {
        return Err(multipart::name_without_file(key));
    }
    let given = given.cloned();
    let guess = || match *method {
        Method::POST | Method::PUT | Method::PATCH => Some(FORM),
        _ => None,
    };
    let (bytes, content_type) = match data {
        None => (None, given.or_else(guess)),
        Some(RawData::Text(text)) => {
            let label = || if is_json_document(text) { Some(JSON) } else { guess() };
            (Some(Bytes::from(text.clone())), given.or_else(label))
        }
        Some(RawData::Json(json)) => {
            let text = if given.as_ref().is_some_and(is_form) { form_of(json) } else { json.to_string() };
            (Some(text.into()), given.or(Some(JSON)))
        }
        Some(RawData::Bytes { bytes, content_type }) => {
            let own = content_type.as_deref().map(parse_content_type).transpose()?;
            (Some(bytes.clone()), own.or(given).or_else(guess))
        }
    };
    Ok(Payload { bytes, content_type })
}

/// A content type that came with data or a file.
pub(super) fn parse_content_type(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text.trim())
        .ok()
        .filter(|value| value.to_str().is_ok_and(|t| t.contains('/')))
        .ok_or_else(|| Error::usage(format!("not a content type: {text:?}")))
}

/// An object or a list; a bare number or word is as likely to be plain text.
fn is_json_document(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn is_form(content_type: &HeaderValue) -> bool {
    content_type
        .to_str()
        .is_ok_and(|text| text.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"))
}

/// JSON as a form: `a=1&list%5B%5D=2&deep%5Bkey%5D=3`.
fn form_of(json: &Value) -> String {
    let mut pairs = Vec::new();
    match json {
        Value::Object(map) => map.iter().for_each(|(key, value)| collect(key, value, &mut pairs)),
        other => return form::encode_text(&scalar(other)),
    }
    form::encode(pairs)
}

fn collect(key: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(name, value)| collect(&format!("{key}[{name}]"), value, pairs))
        }
        Value::Array(items) => {
            // Items that have parts of their own need their place to be told apart.
            let is_flat = items.iter().all(|item| !item.is_object() && !item.is_array());
            for (place, item) in items.iter().enumerate() {
                let place = if is_flat { String::new() } else { place.to_string() };
                collect(&format!("{key}[{place}]"), item, pairs);
            }
        }
        scalar_value => pairs.push((key.to_owned(), scalar(scalar_value))),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sent(request: RawRequest, given: Option<&'static str>) -> (String, String) {
        let method: Method = request.parsed_method().unwrap();
        let given = given.map(HeaderValue::from_static);
        let payload = payload(&request, &method, given.as_ref()).unwrap();
        let content_type = payload.content_type.map(|v| v.to_str().unwrap().to_owned());
        let body = payload.bytes.map(|b| String::from_utf8(b.to_vec()).unwrap());
        (body.unwrap_or_else(|| "none".into()), content_type.unwrap_or_else(|| "none".into()))
    }

    #[test]
    fn labels() {
        let post = || RawRequest::new("POST", "/");
        let form = "application/x-www-form-urlencoded";
        let json = "application/json";
        for (request, given, body, content_type) in [
            (post(), None, "none", form),
            (RawRequest::new("GET", "/"), None, "none", "none"),
            (RawRequest::new("LINK", "/"), None, "none", "none"),
            (post().with_data(""), None, "none", form),
            (post().with_data("x=1"), None, "x=1", form),
            (post().with_data("{\"a\": 1}"), None, "{\"a\": 1}", json),
            (post().with_data("{broken"), None, "{broken", form),
            (post().with_data("5"), None, "5", form),
            (RawRequest::new("DELETE", "/").with_data("x"), None, "x", "none"),
            (post().with_data("not json"), Some(json), "not json", json),
            (post().with_data("{}"), Some("application/vnd.api+json"), "{}", "application/vnd.api+json"),
            (post().with_data(json!(0)), None, "0", json),
            (post().with_data(json!(false)), None, "false", json),
            (post().with_data(json!({"id": i64::MAX})), None, "{\"id\":9223372036854775807}", json),
            (post().with_data(RawData::bytes("p", "image/png")), Some("text/x"), "p", "image/png"),
            (post().with_data(Bytes::from_static(b"p")), Some("text/x"), "p", "text/x"),
        ] {
            let shown = format!("{request:?}");
            assert_eq!(sent(request, given), (body.to_owned(), content_type.to_owned()), "{shown}");
        }
    }

    #[test]
    fn json_under_a_form_label_is_a_form() {
        let json = json!({"a": 1, "b": "x y", "c": [1, 2], "d": {"e": null}, "f": [{"g": true}]});
        let (body, _) =
            sent(RawRequest::new("POST", "/").with_data(json), Some("application/x-www-form-urlencoded"));
        assert_eq!(body, "a=1&b=x+y&c%5B%5D=1&c%5B%5D=2&d%5Be%5D=&f%5B0%5D%5Bg%5D=true");
    }

    #[test]
    fn data_and_form_exclude_each_other() {
        let both = RawRequest::new("POST", "/").with_data("x").with_form_field("a", "1");
        let error = payload(&both, &Method::POST, None).unwrap_err();
        assert_eq!(error.to_string(), "Cannot specify both Data and File/Form Data");
        let stray = RawRequest::new("POST", "/").with_file_name("f", "a.csv");
        assert_eq!(payload(&stray, &Method::POST, None).unwrap_err().kind(), crate::ErrorKind::Usage);
        let bad = RawRequest::new("POST", "/").with_data(RawData::bytes("", "text/x\r\nEvil: 1"));
        assert_eq!(payload(&bad, &Method::POST, None).unwrap_err().kind(), crate::ErrorKind::Usage);
    }
}
