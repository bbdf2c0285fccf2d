//! A raw request as a curl command that a person can read and try: what would be sent, secrets masked.

use brickwire_wire::redact::{self, Filter};
use http::{HeaderName, header};
use reqwest::Request;

use super::multipart::Part;

/// The command; the credential is left for the reader to fill in.
pub(super) fn command(request: &Request, filter: &Filter) -> String {
    let mut parts = head(request, |_| true);
    if let Some(body) = request.body().and_then(|body| body.as_bytes()) {
        parts.push(format!("--data-raw {}", quoted(&redact::body(body, filter))));
    }
    filter.text(&parts.join(" \\\n  ")).into_owned()
}

/// The command for a multipart form. curl reads the files and makes the Content-Type, whose boundary is its own.
pub(super) fn form_command<'a>(
    request: &Request,
    fields: &[(String, String)],
    files: impl Iterator<Item = Part<'a>>,
    filter: &Filter,
) -> String {
    let mut parts = head(request, |name| *name != header::CONTENT_TYPE);
    for (key, value) in fields {
        parts.push(format!("--form-string {}", quoted(&format!("{key}={}", redact::value(key, value)))));
    }
    for Part { file, name, content_type } in files {
        let path = file.path().map_or_else(|| name.to_owned(), |path| path.display().to_string());
        let [path, name] = [path.as_str(), name].map(|text| text.replace('\\', "\\\\").replace('"', "\\\""));
        let part = format!("{}=@\"{path}\";filename=\"{name}\";type={content_type}", file.key());
        parts.push(format!("--form {}", quoted(&part)));
    }
    filter.text(&parts.join(" \\\n  ")).into_owned()
}

fn head(request: &Request, is_shown: impl Fn(&HeaderName) -> bool) -> Vec<String> {
    let mut parts = vec![format!("curl --request {}", request.method())];
    parts.push(quoted(&redact::url(request.url())));
    parts.push("--header \"Authorization: Bearer $DATABRICKS_TOKEN\"".to_owned());
    for (name, value) in request.headers().iter().filter(|(name, _)| is_shown(name)) {
        parts.push(format!("--header {}", quoted(&format!("{name}: {}", redact::header(name, value)))));
    }
    parts
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
