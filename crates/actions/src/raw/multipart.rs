//! A multipart form: fields first, then files, each in the order given.
//!
//! Built as one piece of bytes, so that each attempt sends the same whole body. Names are escaped as browsers do
//! (`"` and line breaks in percent), so that none of them becomes a header; other control characters likewise, because
//! servers end a header at a NUL, or refuse the form.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use http::HeaderValue;

use super::headers::parse_content_type;
use crate::{Error, Result};

/// A file of a multipart form.
#[derive(Clone, PartialEq, Eq)]
pub struct FilePart {
    key: String,
    bytes: Bytes,
    content_type: Option<String>,
    path: Option<PathBuf>,
}

impl FilePart {
    /// A file under a key, which is also its name unless
    /// [`RawRequest::with_file_name`](crate::RawRequest::with_file_name) gives another.
    pub fn new(key: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { key: key.into(), bytes: bytes.into(), content_type: None, path: None }
    }

    /// Sets its content type, which otherwise follows from the extension of its name.
    pub fn with_content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Where it was read from. This isn't sent; [`Workspace::raw_as_curl`](crate::Workspace::raw_as_curl) shows it.
    pub fn with_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

/// A file as it is sent.
pub(super) struct Part<'a> {
    pub(super) file: &'a FilePart,
    /// The last part of its path.
    pub(super) name: &'a str,
    pub(super) content_type: &'a str,
}

/// The files with the names and types that they are sent with.
pub(super) fn parts<'a>(
    files: &'a [FilePart],
    names: &'a [(String, String)],
) -> impl Iterator<Item = Part<'a>> {
    files.iter().map(move |file| {
        let name = names.iter().rfind(|(key, _)| *key == file.key).map_or(&file.key, |(_, name)| name);
        let name = base_name(name);
        let content_type = file.content_type.as_deref().unwrap_or_else(|| guess(name));
        Part { file, name, content_type }
    })
}

impl fmt::Debug for FilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FilePart({:?}, {} bytes)", self.key, self.bytes.len())
    }
}

/// The form and its Content-Type.
pub(super) fn encode(
    fields: &[(String, String)],
    files: &[FilePart],
    names: &[(String, String)],
) -> Result<(Bytes, HeaderValue)> {
    if let Some((key, _)) = names.iter().find(|(key, _)| files.iter().all(|file| file.key != *key)) {
        return Err(name_without_file(key));
    }
    // 128 random bits: no body holds them by chance.
    let boundary = format!("brickwire-{:032x}", fastrand::u128(..));
    let mut body = Vec::with_capacity(files.iter().map(|file| file.bytes.len() + 256).sum());
    for (key, value) in fields {
        let head =
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n", escaped(key));
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(value.as_bytes());
        body.extend_from_slice(b"\r\n");
    }
    for Part { file, name, content_type } in parts(files, names) {
        let content_type = parse_content_type(content_type)?;
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: ",
            escaped(&file.key),
            escaped(name)
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content_type.as_bytes());
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(&file.bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let content_type = parse_content_type(&format!("multipart/form-data; boundary={boundary}"))?;
    Ok((body.into(), content_type))
}

pub(super) fn name_without_file(key: &str) -> Error {
    Error::usage(format!("a file name is given for a file that isn't: {key}"))
        .with_hint("give the file under the same key")
}

/// A server must not learn where a file is on this machine.
fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or_default()
}

fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '"' | '\0'..='\x1f' | '\x7f' => escaped.push_str(&format!("%{:02X}", u32::from(c))),
            other => escaped.push(other),
        }
    }
    escaped
}

fn guess(name: &str) -> &'static str {
    mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(fields: &[(&str, &str)], files: &[FilePart], names: &[(&str, &str)]) -> String {
        let owned = |list: &[(&str, &str)]| {
            list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>()
        };
        let (bytes, content_type) = encode(&owned(fields), files, &owned(names)).unwrap();
        let boundary = content_type.to_str().unwrap().split_once("boundary=").unwrap().1.to_owned();
        String::from_utf8(bytes.to_vec()).unwrap().replace(&boundary, "B")
    }

    #[test]
    fn fields_come_before_files() {
        let files = [FilePart::new("f", "F").with_content_type("image/png"), FilePart::new("g.csv", "G")];
        assert_eq!(
            text(&[("a", "1"), ("b", "é")], &files, &[("f", "x"), ("f", "/etc/p.txt")]),
            "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
             --B\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\né\r\n\
             --B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"p.txt\"\r\nContent-Type: image/png\r\n\r\nF\r\n\
             --B\r\nContent-Disposition: form-data; name=\"g.csv\"; filename=\"g.csv\"\r\nContent-Type: text/csv\r\n\r\nG\r\n\
             --B--\r\n"
        );
    }

    #[test]
    fn a_name_never_becomes_a_header() {
        let evil = "a\"\r\nX-Evil: 1";
        let body = text(&[(evil, "v")], &[FilePart::new(evil, "F")], &[(evil, "C:\\dir\\b\"\r\n\r\nx")]);
        assert_eq!(body.lines().filter(|line| line.starts_with("X-Evil")).count(), 0, "{body}");
        assert!(body.contains("filename=\"b%22%0D%0A%0D%0Ax\""), "{body}");
    }

    #[test]
    fn a_name_has_no_control_characters() {
        let hostile = "a\0\u{1b}\t\u{7f}\u{e9}";
        let body = text(&[(hostile, "v\0")], &[FilePart::new(hostile, "")], &[]);
        assert_eq!(body.matches("name=\"a%00%1B%09%7F\u{e9}\"").count(), 3, "{body}");
        assert!(body.contains("\r\n\r\nv\0\r\n"), "a value stays as it is: {body:?}");
    }

    #[test]
    fn types_come_from_the_extension_and_stray_names_are_refused() {
        assert!(text(&[], &[FilePart::new("f", "")], &[]).contains("Content-Type: application/octet-stream"));
        assert!(
            text(&[], &[FilePart::new("f", "")], &[("f", "r.json")])
                .contains("Content-Type: application/json")
        );
        let error = encode(&[], &[FilePart::new("f", "")], &[("g".into(), "x".into())]).unwrap_err();
        assert_eq!(error.to_string(), "a file name is given for a file that isn't: g");
    }
}
