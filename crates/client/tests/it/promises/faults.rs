//! What can go wrong with a request, and what each of it means for a request that may not be repeated.

use bytes::Bytes;

use super::network::{End, Reply, TOKEN};

/// What a fault says of the request it happened to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    /// It was not carried out, and will be if it is sent again.
    NotYet,
    /// It was not carried out, and would not be another time.
    Refused,
    /// It may have been carried out, and another try may do better.
    Passing,
    /// It may have been carried out, and another try would end the same way.
    Failed,
    /// It was carried out, and what came back can't be read.
    Unreadable,
    /// There is nothing in the answer, which is wrong only for a request that reads.
    Empty,
}

#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) fate: Fate,
    pub(crate) reply: Reply,
}

/// All faults. Every text that a server can send has the token in it, as if it were repeated.
pub(crate) fn all() -> Vec<Fault> {
    use Fate::{Empty, Failed, NotYet, Passing, Refused, Unreadable};
    let plain = |status, body: &str| answer(status, &[], body);
    let error = |status, code: &str, message: &str| {
        let body = format!(r#"{{"error_code":"{code}","message":"{message} {TOKEN}"}}"#);
        answer(status, &[("x-request-id", TOKEN)], &body)
    };
    let after = |status, wait: &str| answer(status, &[("retry-after", wait)], "{}");
    let to = |status, place: &str| answer(status, &[("location", place)], "");
    let ends = |status, body: &str, end| {
        Reply::Answer(status, vec![], vec![Bytes::copy_from_slice(body.as_bytes())], end)
    };
    let deep = "[".repeat(100_000);
    let many = format!("{{\"clusters\":[{}{{}}]}}", "{},".repeat(120_000));
    let table: Vec<(&'static str, Fate, Reply)> = vec![
        ("no connection", NotYet, Reply::NotSent),
        ("429", NotYet, error(429, "REQUEST_LIMIT_EXCEEDED", "slow down")),
        ("429 of a proxy", NotYet, plain(429, "<html>slow down</html>")),
        ("429, wait 1 s", NotYet, after(429, "1")),
        ("503, wait 1 s", NotYet, after(503, "1")),
        ("503 over a limit", NotYet, error(503, "REQUEST_LIMIT_EXCEEDED", "busy")),
        ("400 over a limit", NotYet, error(400, "REQUEST_LIMIT_EXCEEDED", "busy")),
        ("429, wait a day", Refused, after(429, "86400")),
        ("429, wait for ever", Refused, after(429, "18446744073709551615")),
        ("503, wait until 2999", Refused, after(503, "Tue, 01 Jan 2999 00:00:00 GMT")),
        ("400 that a text explains", Refused, plain(400, "RESOURCE_EXHAUSTED: no memory")),
        ("400", Refused, error(400, "INVALID_PARAMETER_VALUE", "no such thing")),
        (
            "400, a body that breaks the rules",
            Refused,
            plain(400, "{\"error_code\":{\"a\":[1]},\"message\":7}"),
        ),
        ("400, megabytes", Refused, plain(400, &"x".repeat(3 << 20))),
        ("401", Refused, error(401, "UNAUTHENTICATED", "who?")),
        ("403", Refused, error(403, "PERMISSION_DENIED", "no")),
        ("404", Refused, error(404, "RESOURCE_DOES_NOT_EXIST", "no")),
        ("409", Refused, error(409, "RESOURCE_CONFLICT", "no")),
        ("501", Refused, error(501, "NOT_IMPLEMENTED", "no")),
        ("302 to a login page elsewhere", Refused, to(302, "https://login.example/?next=x")),
        ("307 to another host", Refused, to(307, "https://evil.example/")),
        ("308 in the clear", Refused, to(308, "http://x.cloud.databricks.com/")),
        ("308 to itself, for ever", Refused, to(308, "")),
        ("304 that nobody asked for", Refused, plain(304, "")),
        ("408 of a gateway", Failed, plain(408, "")),
        ("502 of a proxy", Passing, plain(502, "<html>bad gateway</html>")),
        ("503", Passing, error(503, "TEMPORARILY_UNAVAILABLE", "busy")),
        ("504", Passing, error(504, "DEADLINE_EXCEEDED", "late")),
        ("connection lost", Passing, Reply::Lost),
        ("nothing comes", Passing, Reply::Silence),
        ("the body breaks off", Passing, ends(200, "{\"id\":", End::Broken)),
        ("the body stalls", Passing, ends(200, "{\"id\":", End::Stalled)),
        ("an error's body breaks off", Passing, ends(503, "{\"error_code\":", End::Broken)),
        ("500 that quotes a limit", Passing, error(500, "INTERNAL_ERROR", "SELECT 'REQUEST_LIMIT_EXCEEDED'")),
        ("500 over a limit", Passing, error(500, "REQUEST_LIMIT_EXCEEDED", "of something else")),
        ("500", Failed, error(500, "INTERNAL_ERROR", "oops")),
        (
            "500 that quotes a missing thing",
            Failed,
            plain(500, "{\"error\":\"print('Cluster x does not exist')\"}"),
        ),
        ("599", Failed, plain(599, "")),
        ("half of an answer", Unreadable, plain(200, "{\"id\":\"ab")),
        ("a page", Unreadable, plain(200, "<html>please sign in</html>")),
        ("a text", Unreadable, plain(200, "OK")),
        (
            "not UTF-8",
            Unreadable,
            Reply::Answer(200, vec![], vec![Bytes::from_static(b"{\"id\":\"\xff\"}")], End::Whole),
        ),
        ("100,000 brackets", Unreadable, plain(200, &deep)),
        ("120,000 empty objects", Unreadable, plain(200, &many)),
        ("no end", Unreadable, ends(200, &" ".repeat(1 << 16), End::Endless)),
        ("packed in a strange way", Unreadable, answer(200, &[("content-encoding", "zstd")], "{}")),
        ("303 to what was made", Unreadable, to(303, "/api/2.0/made")),
        ("302 to nowhere", Unreadable, plain(302, "")),
        (
            "an error with status 200",
            Unreadable,
            plain(200, r#"{"error_code":"PERMISSION_DENIED","message":"no"}"#),
        ),
        ("204", Empty, plain(204, "")),
        ("200 with nothing", Empty, plain(200, "")),
        ("null", Empty, plain(200, " null\n")),
    ];
    table.into_iter().map(|(name, fate, reply)| Fault { name, fate, reply }).collect()
}

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Reply::Answer(status, headers, vec![Bytes::copy_from_slice(body.as_bytes())], End::Whole)
}
