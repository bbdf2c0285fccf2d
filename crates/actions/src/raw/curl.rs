//! A raw request as a curl command that a person can read and try: what would be sent, secrets masked.

use brickwire_wire::redact::{self, Filter};
use reqwest::Request;

/// The command; the credential is left for the reader to fill in.
pub(super) fn command(request: &Request) -> String {
    let mut parts = vec![format!("curl --request {}", request.method())];
    parts.push(quoted(&redact::url(request.url())));
    parts.push("--header \"Authorization: Bearer $DATABRICKS_TOKEN\"".to_owned());
    for (name, value) in request.headers() {
        parts.push(format!("--header {}", quoted(&format!("{name}: {}", redact::header(name, value)))));
    }
    if let Some(body) = request.body().and_then(|body| body.as_bytes()) {
        parts.push(format!("--data-raw {}", quoted(&redact::body(body, &Filter::default()))));
    }
    parts.join(" \\\n  ")
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
