//! Multipart forms: every name and every content stays in its place.

#![no_main]

use brickwire_actions::{FilePart, fuzzing::multipart};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;

/// A form as JSON, so that a seed can be written by hand.
#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    fields: Vec<(String, String)>,
    /// Keys, contents, and content types.
    #[serde(default)]
    files: Vec<(String, String, Option<String>)>,
    #[serde(default)]
    names: Vec<(String, String)>,
}

fuzz_target!(|data: &[u8]| {
    let Ok(form) = serde_json::from_slice::<Form>(data) else { return };
    let part = |(key, content, content_type): &(String, String, Option<String>)| {
        let part = FilePart::new(key, content.clone());
        match content_type {
            Some(content_type) => part.with_content_type(content_type),
            None => part,
        }
    };
    let files: Vec<FilePart> = form.files.iter().map(part).collect();
    let Ok((body, content_type)) = multipart(&form.fields, &files, &form.names) else { return };
    let content_type = content_type.to_str().expect("a content type is text");
    let (_, boundary) = content_type.split_once("boundary=").expect("it has the boundary");
    let body = std::str::from_utf8(&body).expect("all of it was text");

    let (parts, end) = body.rsplit_once(&format!("--{boundary}--")).expect("a form has an end");
    assert_eq!(end, "\r\n");
    let delimiter = format!("--{boundary}\r\n");
    let parts: Vec<&str> = parts.split(&delimiter).skip(1).collect();
    let contents: Vec<&str> = form
        .fields
        .iter()
        .map(|(_, value)| value)
        .chain(form.files.iter().map(|(_, content, _)| content))
        .map(String::as_str)
        .collect();
    assert_eq!(parts.len(), contents.len());
    for (at, (part, expected)) in parts.iter().zip(contents).enumerate() {
        let (head, content) = part.split_once("\r\n\r\n").expect("a part has a head");
        assert_eq!(content.strip_suffix("\r\n"), Some(expected));
        let lines: Vec<&str> = head.split("\r\n").collect();
        assert_eq!(lines.len(), if at < form.fields.len() { 1 } else { 2 }, "{head:?}");
        assert!(lines[0].starts_with("Content-Disposition: form-data; name=\""), "{head:?}");
        assert_eq!(lines[0].matches('"').count(), if at < form.fields.len() { 2 } else { 4 }, "{head:?}");
        assert!(lines.get(1).is_none_or(|line| line.starts_with("Content-Type: ")), "{head:?}");
        assert!(
            !lines.iter().any(|line| line.contains(|c: char| c.is_ascii_control() && c != '\t')),
            "{head:?}"
        );
    }
});
