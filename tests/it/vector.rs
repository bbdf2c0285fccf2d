//! Compares what was sent with what a vector expects, after the differences that hold for every vector.
//!
//! Those are named here, once; differences of single vectors are in the tables beside the runners.

use base64::{Engine, prelude::BASE64_STANDARD};
use brickwire_actions::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::scripted_server::Recorded;

/// What we do where a vector expects something else. Its reason stands beside it in the table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ours {
    /// Refused before anything is sent; the error holds this text.
    Refused(ErrorKind, &'static str),
    /// Fails after this many requests; the error holds this text.
    Fails(usize, ErrorKind, &'static str),
    /// Succeeds after this many requests; they are all like the first one expected, if one is.
    Succeeds(usize),
    /// As expected, but for these fields of each request: JSON that is merged into it.
    Sends(&'static str),
    /// Both of the above.
    SucceedsSending(usize, &'static str),
    /// Our types have no such input.
    NotInTheTypes,
}

/// A row: the vector, what we do, and why.
pub(crate) type Difference = (&'static str, Ours, &'static str);

/// Finds a vector's row; a row that names no vector is a mistake in the table.
pub(crate) fn difference(table: &[Difference], name: &str) -> Option<Ours> {
    table.iter().find(|(known, ..)| *known == name).map(|(_, ours, _)| *ours)
}

pub(crate) fn check_table(table: &[Difference], vectors: &[Value]) {
    for (name, _, reason) in table {
        assert!(vectors.iter().any(|vector| vector["name"] == *name), "no such vector: {name}");
        assert!(!reason.is_empty(), "{name}");
    }
}

/// The requests expected of us.
pub(crate) fn expected_requests(vector: &Value, ours: Option<Ours>) -> Vec<Value> {
    let expected = vector["expect_requests"].as_array().unwrap().clone();
    let repeated = |count: usize| match expected.first() {
        Some(first) => vec![first.clone(); count],
        None => vec![json!({"server": "base"}); count],
    };
    match ours {
        None => expected,
        Some(Ours::Refused(..) | Ours::NotInTheTypes) => Vec::new(),
        Some(Ours::Fails(count, ..) | Ours::Succeeds(count)) => repeated(count),
        Some(Ours::Sends(fields)) => merged(expected, fields),
        Some(Ours::SucceedsSending(count, fields)) => merged(repeated(count), fields),
    }
}

fn merged(mut requests: Vec<Value>, fields: &str) -> Vec<Value> {
    let fields: Value = serde_json::from_str(fields).unwrap();
    for request in &mut requests {
        for (name, value) in fields.as_object().unwrap() {
            match name.strip_prefix("header:") {
                Some(header) => request["headers_subset"][header] = value.clone(),
                None => request[name] = value.clone(),
            }
        }
    }
    requests
}

/// Headers whose absence is checked too.
const ABSENT_UNLESS_EXPECTED: [&str; 4] = ["authorization", "cookie", "content-type", "x-api-key"];

/// Says what is wrong with a request; nothing if it is as expected.
///
/// The differences that hold everywhere: our own User-Agent; gzip is the only encoding we ask for; JSON text that the
/// caller gave no Content-Type is `application/json`; a file whose name has no known extension is
/// `application/octet-stream` (axios takes `f` for Fortran); a form's boundary looks different.
pub(crate) fn check_request(sent: &Recorded, expected: &Value) -> Result<(), String> {
    let wrong = |what: &str, want: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug| {
        Err(format!("{what}: expected {want:?}, sent {got:?}"))
    };
    for (field, got) in
        [("server", sent.server), ("method", &sent.method), ("path", &sent.path), ("query", &sent.query)]
    {
        if let Some(want) = expected[field].as_str().filter(|want| *want != got) {
            return wrong(field, &want, &got);
        }
    }
    let mut body = sent.body.clone();
    let mut headers = sent.headers.clone();
    if let Some((_, value)) = headers.iter_mut().find(|(name, _)| name == "content-type")
        && let Some((kind, boundary)) = value.clone().split_once("; boundary=")
    {
        body = replaced(&body, boundary.as_bytes(), b"<boundary>");
        *value = format!("{kind}; boundary=<boundary>");
    }
    let want_body = if expected["multipart_parts"].is_array() {
        Some(multipart(expected))
    } else if let Some(base64) = expected["body_base64"].as_str() {
        Some(BASE64_STANDARD.decode(base64).unwrap())
    } else {
        expected["method"].as_str().map(|_| expected["body"].as_str().unwrap_or_default().as_bytes().to_vec())
    };
    if let Some(want) = want_body.filter(|want| *want != body) {
        return wrong("body", &String::from_utf8_lossy(&want), &String::from_utf8_lossy(&body));
    }
    let want_headers = expected["headers_subset"].as_object().cloned().unwrap_or_default();
    let is_labelled = |want: Option<&str>| {
        is_json_document(&sent.body)
            && matches!(want, None | Some("application/x-www-form-urlencoded"))
            && sent.header("content-type") == Some("application/json")
    };
    for (name, want) in &want_headers {
        let want = want.as_str();
        let got = headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let is_fine = match name.as_str() {
            "user-agent" if want.is_some_and(|w| w.starts_with("axios/")) => {
                got.is_some_and(|got| got.contains("brickwire/") && got.contains(" auth/"))
            }
            "accept-encoding" => got == Some("gzip"),
            "content-type" => got == want || is_labelled(want),
            _ => got == want,
        };
        if !is_fine {
            return wrong(name, &want, &got);
        }
    }
    for name in ABSENT_UNLESS_EXPECTED {
        let got = sent.header(name);
        if !want_headers.is_empty() && !want_headers.contains_key(name) && got.is_some() && !is_labelled(None)
        {
            return wrong(name, &"none", &got);
        }
    }
    Ok(())
}

#[test]
fn a_difference_is_noticed() {
    let sent = Recorded {
        server: "base",
        method: "POST".into(),
        path: "/api/r".into(),
        query: "a=1".into(),
        headers: vec![("x-a".into(), "1".into()), ("cookie".into(), "c".into())],
        body: b"b".to_vec(),
    };
    let mut expected = json!({"server": "base", "method": "POST", "path": "/api/r", "query": "a=1", "body": "b",
        "headers_subset": {"x-a": "1", "cookie": "c"}});
    check_request(&sent, &expected).unwrap();
    for (field, other) in
        [("server", "foreign"), ("method", "PUT"), ("path", "/r"), ("query", ""), ("body", "")]
    {
        let kept = std::mem::replace(&mut expected[field], other.into());
        assert!(check_request(&sent, &expected).unwrap_err().starts_with(field));
        expected[field] = kept;
    }
    for headers in
        [json!({"x-a": "2", "cookie": "c"}), json!({"x-b": "1", "cookie": "c"}), json!({"x-a": "1"})]
    {
        expected["headers_subset"] = headers;
        assert!(check_request(&sent, &expected).is_err());
    }
    assert!(check_requests(&[sent], &[]).is_err());
}

fn is_json_document(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|json| json.is_object() || json.is_array())
}

fn multipart(expected: &Value) -> Vec<u8> {
    let mut body = Vec::new();
    for part in expected["multipart_parts"].as_array().unwrap() {
        body.extend_from_slice(b"--<boundary>\r\n");
        for header in part["headers"].as_array().unwrap() {
            let header = header.as_str().unwrap().replace("text/x-fortran", "application/octet-stream");
            body.extend_from_slice(format!("{header}\r\n").as_bytes());
        }
        body.extend_from_slice(b"\r\n");
        match part["body_base64"].as_str() {
            Some(base64) => body.extend(BASE64_STANDARD.decode(base64).unwrap()),
            None => body.extend_from_slice(part["body"].as_str().unwrap_or_default().as_bytes()),
        }
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(expected["multipart_tail"].as_str().unwrap().as_bytes());
    body
}

fn replaced(body: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut result = Vec::new();
    let mut rest = body;
    while let Some(start) = rest.windows(from.len()).position(|window| window == from) {
        result.extend_from_slice(&rest[..start]);
        result.extend_from_slice(to);
        rest = &rest[start + from.len()..];
    }
    result.extend_from_slice(rest);
    result
}

/// Compares all requests, in order.
pub(crate) fn check_requests(sent: &[Recorded], expected: &[Value]) -> Result<(), String> {
    if sent.len() != expected.len() {
        let lines: Vec<_> = sent.iter().map(|r| format!("{} {}?{}", r.method, r.path, r.query)).collect();
        return Err(format!("expected {} requests, sent {}: {lines:?}", expected.len(), sent.len()));
    }
    for (place, (sent, expected)) in sent.iter().zip(expected).enumerate() {
        check_request(sent, expected).map_err(|wrong| format!("request {}: {wrong}", place + 1))?;
    }
    Ok(())
}

/// Compares an error with the one a peer gave: its status and body, or what sort of break it was.
pub(crate) fn check_error(error: &Error, expected: &Value, is_repeatable: bool) -> Result<(), String> {
    let lost = if is_repeatable { ErrorKind::Unreachable } else { ErrorKind::UnknownOutcome };
    let text = expected["message"].as_str().unwrap_or_default();
    let kind = match (expected["code"].as_str(), expected["status"].as_u64()) {
        (_, Some(status)) => {
            let body =
                error.body().map(|body| String::from_utf8_lossy(body).into_owned()).unwrap_or_default();
            let json = serde_json::from_str(&body).unwrap_or(Value::String(body));
            return match error.status() == Some(status as u16) && json == expected["data"] {
                true => Ok(()),
                false => Err(format!("expected {expected}, got {error:?} with {json}")),
            };
        }
        (Some("ECONNREFUSED"), _) => ErrorKind::Unreachable,
        (Some("ECONNRESET"), _) => lost,
        (None, _) if text.contains("ECONNRESET") => lost,
        (Some("ECONNABORTED"), _) => ErrorKind::DeadlineExceeded,
        // What the peer refused, we refuse.
        _ if error.attempts() == 0 && matches!(error.kind(), ErrorKind::Usage | ErrorKind::Configuration) => {
            error.kind()
        }
        _ => return Err(format!("expected {expected}, got {error:?}")),
    };
    if error.kind() == kind { Ok(()) } else { Err(format!("expected {kind:?}, got {error:?}")) }
}

/// Checks an error of ours against its row.
pub(crate) fn check_our_error(error: &Error, kind: ErrorKind, text: &str) -> Result<(), String> {
    let is_as_said = error.kind() == kind && error.to_string().contains(text);
    if is_as_said { Ok(()) } else { Err(format!("expected {kind:?} with {text:?}, got {error:?}")) }
}

/// All that an error shows of itself.
pub(crate) fn everything_shown(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {}", error.hint().unwrap_or_default());
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text.push_str(&format!(" {inner} {inner:?}"));
        source = inner.source();
    }
    text
}
