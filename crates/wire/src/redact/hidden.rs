//! Finds the secrets in bodies that aren't shown at all: multipart forms, and JSON that isn't one clean document.

use serde_json::Value;

use super::{
    fields::{mask, masked_value},
    scrub::{Found, scrub},
};
use crate::json;

/// Whether it is a multipart form.
pub(super) fn is_multipart(text: &str) -> bool {
    text.trim_start().starts_with("--")
        && text.to_ascii_lowercase().contains("content-disposition: form-data")
}

/// Reports the secrets of such a body.
pub(super) fn find(text: &str, found: &mut Found<'_>) {
    match is_multipart(text) {
        true => parts(text, found),
        false => documents(text, found),
    }
}

/// The fields of a form; the name of each is in its head.
fn parts(text: &str, found: &mut Found<'_>) {
    let text = text.trim_start();
    let boundary = text.lines().next().unwrap_or_default().trim_end();
    for part in text.split(boundary) {
        let Some((head, content)) = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n")) else {
            continue;
        };
        let name = head.split_once(" name=").map_or("", |(_, name)| name);
        let name = name.trim_start_matches('"').split(['"', ';', '\r', '\n']).next().unwrap_or_default();
        let content = content.strip_suffix("\r\n").or_else(|| content.strip_suffix('\n')).unwrap_or(content);
        masked_value(name, content, found);
    }
}

/// The documents that it begins with, one after the other, and the rest as free text.
fn documents(text: &str, found: &mut Found<'_>) {
    let mut end = 0;
    if json::excess(text.as_bytes()).is_none() {
        let mut documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        while let Some(Ok(mut json)) = documents.next() {
            mask(&mut json, found);
            end = documents.byte_offset();
        }
    }
    scrub(&text[end..], found);
}
