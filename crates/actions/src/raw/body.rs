//! The body of a raw request and the Content-Type that goes with it.

use brickwire_wire::form;
use bytes::Bytes;
use http::{HeaderValue, Method};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{
    data::RawData,
    headers::parse_content_type,
    multipart::{self, FilePart},
};
use crate::{Error, Result};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// axios' default.
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// What each attempt sends.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) bytes: Option<Bytes>,
    pub(super) content_type: Option<HeaderValue>,
}

/// What the caller gave for the body.
pub(super) struct Content<'a> {
    pub(super) data: Option<&'a RawData>,
    pub(super) form: &'a [(String, String)],
    pub(super) files: &'a [FilePart],
    pub(super) file_names: &'a [(String, String)],
}

impl Content<'_> {
    /// Decides on the body; `given` is the caller's Content-Type.
    pub(super) fn payload(&self, method: &Method, given: Option<&HeaderValue>) -> Result<Payload> {
        let data = self.data.filter(|data| !data.is_empty());
        if !self.form.is_empty() || !self.files.is_empty() {
            if data.is_some() {
                return Err(Error::usage("Cannot specify both Data and File/Form Data")
                    .with_hint("give the data as one of the form's fields, or leave the form out"));
            }
            if let Some(given) = given.filter(|given| !given.as_bytes().starts_with(b"multipart/form-data")) {
                return Err(Error::usage(format!("a form can't have this Content-Type: {given:?}"))
                    .with_hint(
                        "leave it out; the Content-Type of a form follows from its fields and files",
                    ));
            }
            let (bytes, content_type) = multipart::encode(self.form, self.files, self.file_names)?;
            return Ok(Payload { bytes: Some(bytes), content_type: Some(content_type) });
        }
        if let Some((key, _)) = self.file_names.first() {
            return Err(multipart::name_without_file(key));
        }
        let given = given.cloned();
        if let (Some(data), Some(content_type)) = (data, &given) {
            check_multipart(data, content_type)?;
        }
        let guess = || match *method {
            Method::POST | Method::PUT | Method::PATCH => Some(FORM),
            _ => None,
        };
        let (bytes, content_type) = match data {
            None => (None, given.or_else(guess)),
            Some(RawData::Text(text)) => {
                let (text, label) = match json_document(text) {
                    Some(json) => (json, Some(JSON)),
                    None => (text.as_str(), guess()),
                };
                (Some(Bytes::from(text.to_owned())), given.or(label))
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
}

/// The text of an object or a list; a bare number or word is as likely to be plain text. What is neither JSON nor
/// visible, such as a byte-order mark, may stand before it and isn't sent.
fn json_document(text: &str) -> Option<&str> {
    let json = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let is_json = json.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(json).is_ok();
    let before = &text[..text.len() - json.len()];
    let is_blank = before.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    is_json.then_some(if is_blank { text } else { json })
}

/// Refuses a body that can't be what its label says: multipart needs a boundary, and JSON has no parts.
fn check_multipart(data: &RawData, content_type: &HeaderValue) -> Result<()> {
    let label = content_type.to_str().unwrap_or_default().to_ascii_lowercase();
    let is_json = match data {
        RawData::Json(_) => true,
        RawData::Text(text) => json_document(text).is_some(),
        RawData::Bytes { content_type, .. } if content_type.is_some() => return Ok(()),
        RawData::Bytes { .. } => false,
    };
    if label.starts_with("multipart/") && (is_json || !label.contains("boundary=")) {
        return Err(Error::usage(format!("the body has no parts, but the Content-Type is {label}"))
            .with_hint("give form fields or files; the Content-Type of a form follows from them"));
    }
    Ok(())
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
            // Items with parts of their own need an index, or their parts would mix.
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

    fn content(data: Option<&RawData>) -> Content<'_> {
        Content { data, form: &[], files: &[], file_names: &[] }
    }

    fn sent(method: Method, data: Option<RawData>, given: Option<&'static str>) -> (String, String) {
        let given = given.map(HeaderValue::from_static);
        let payload = content(data.as_ref()).payload(&method, given.as_ref()).unwrap();
        let content_type = payload.content_type.map(|v| v.to_str().unwrap().to_owned());
        let body = payload.bytes.map(|b| String::from_utf8(b.to_vec()).unwrap());
        (body.unwrap_or_else(|| "none".into()), content_type.unwrap_or_else(|| "none".into()))
    }

    #[test]
    fn labels() {
        let (get, post) = (|| Method::GET, || Method::POST);
        let form = "application/x-www-form-urlencoded";
        let json = "application/json";
        for (method, data, given, body, content_type) in [
            (post(), None, None, "none", form),
            (get(), None, None, "none", "none"),
            ("LINK".parse().unwrap(), None, None, "none", "none"),
            (post(), Some("".into()), None, "none", form),
            (post(), Some("x=1".into()), None, "x=1", form),
            (post(), Some("{\"a\": 1}".into()), None, "{\"a\": 1}", json),
            (post(), Some("{broken".into()), None, "{broken", form),
            (post(), Some(" \r\n{}".into()), None, " \r\n{}", json),
            (post(), Some("\u{feff}{\"a\": 1}".into()), None, "{\"a\": 1}", json),
            (post(), Some("\u{feff}\n[1]".into()), Some("text/x"), "[1]", "text/x"),
            (post(), Some("\u{a0}{}".into()), None, "{}", json),
            (post(), Some("\u{feff}a;b".into()), None, "\u{feff}a;b", form),
            (
                post(),
                Some("--b--".into()),
                Some("multipart/x; boundary=b"),
                "--b--",
                "multipart/x; boundary=b",
            ),
            (post(), Some("5".into()), None, "5", form),
            (Method::DELETE, Some("x".into()), None, "x", "none"),
            (post(), Some("not json".into()), Some(json), "not json", json),
            (post(), Some("{}".into()), Some("application/vnd.api+json"), "{}", "application/vnd.api+json"),
            (post(), Some(json!(0).into()), None, "0", json),
            (post(), Some(json!(false).into()), None, "false", json),
            (post(), Some(json!({"id": i64::MAX}).into()), None, "{\"id\":9223372036854775807}", json),
            (post(), Some(RawData::bytes("p", "image/png")), Some("text/x"), "p", "image/png"),
            (post(), Some(Bytes::from_static(b"p").into()), Some("text/x"), "p", "text/x"),
        ] {
            let shown = format!("{method} {data:?} {given:?}");
            assert_eq!(sent(method, data, given), (body.to_owned(), content_type.to_owned()), "{shown}");
        }
    }

    #[test]
    fn json_under_a_form_label_is_a_form() {
        let json = json!({"a": 1, "b": "x y", "c": [1, 2], "d": {"e": null}, "f": [{"g": true}]});
        let (body, _) = sent(Method::POST, Some(json.into()), Some("application/x-www-form-urlencoded"));
        assert_eq!(body, "a=1&b=x+y&c%5B%5D=1&c%5B%5D=2&d%5Be%5D=&f%5B0%5D%5Bg%5D=true");
    }

    #[test]
    fn data_and_form_exclude_each_other() {
        let (data, bad) = ("x".into(), RawData::bytes("", "text/x\r\nEvil: 1"));
        let pair = [("a".to_owned(), "1".to_owned())];
        let payload = |content: Content<'_>| content.payload(&Method::POST, None).unwrap_err();
        let both = payload(Content { form: &pair, ..content(Some(&data)) });
        assert_eq!(both.to_string(), "Cannot specify both Data and File/Form Data");
        let stray = payload(Content { file_names: &pair, ..content(None) });
        assert_eq!(stray.kind(), crate::ErrorKind::Usage);
        assert_eq!(payload(content(Some(&bad))).kind(), crate::ErrorKind::Usage);
    }

    #[test]
    fn a_label_that_the_body_contradicts_is_refused() {
        let refused = |content: Content<'_>, label: &'static str| {
            let error = content.payload(&Method::POST, Some(&HeaderValue::from_static(label))).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Usage);
            assert!(error.to_string().contains("Content-Type") && error.hint().is_some(), "{error}");
        };
        for data in
            [RawData::from("{\"a\": 1}"), json!([1]).into(), "x".into(), Bytes::from_static(b"\0").into()]
        {
            refused(content(Some(&data)), "Multipart/form-data");
        }
        refused(content(Some(&"{}".into())), "multipart/form-data; boundary=b");
        let pair = [("a".to_owned(), "1".to_owned())];
        refused(Content { form: &pair, ..content(None) }, "application/json");
    }
}
