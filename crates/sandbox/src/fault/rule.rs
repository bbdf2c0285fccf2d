//! The grammar of a fault.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, StatusCode};

use crate::clock::parse_duration;

/// A rule: for which requests, when, and what goes wrong.
///
/// `METHOD PATH: words`. The method may be left out or be `*`; in the path `*` matches anything. The words, in any
/// order, are separated by spaces; a value with spaces is put in double quotes.
///
/// | words | meaning |
/// |---|---|
/// | `every 3` | each third matching request; without it, each |
/// | `skip 2` | not the first two |
/// | `times 1` | then no more |
/// | `chance 0.1` | one in ten, by the sandbox's seed |
/// | `after` | the handler runs first and its answer is lost; without it the handler never runs |
/// | `429`, `503`, … | answer with this status |
/// | `code=X` `message=X` | its error code and message |
/// | `retry-after=2` | its `Retry-After` header; `retry-after=+2s` as a date |
/// | `header=Name:value` | one more header, repeatable |
/// | `html` | with a page as its body (status 502 unless one is given) |
/// | `body=X` | with this body |
/// | `login` | the login page with status 200 |
/// | `reset` / `close` | cut the connection, with a TCP reset or in order |
/// | `hang` | never answer |
/// | `truncate` / `short` | break off the body: chunked without its end, or fewer bytes than `Content-Length` |
/// | `half` | half of the body, as if that were all of it |
/// | `overcount` | every `row_count` and `total_row_count` in the JSON is one more than it is |
/// | `slow` `slow=50ms` | the body in sixteen pieces with pauses |
/// | `delay=500ms` | answer later |
/// | `late=20m` | the sandbox's clock moves forward before a link is used |
///
/// ```
/// use brickwire_sandbox::FaultRule;
///
/// let rule: FaultRule = "GET /api/2.0/sql/statements/*: every 3 429 retry-after=1".parse()?;
/// assert!("GET /api: every 0 429".parse::<FaultRule>().is_err());
/// # Ok::<(), brickwire_sandbox::ParseFaultError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FaultRule {
    pub(super) text: String,
    method: Option<Method>,
    path: String,
    pub(super) when: When,
    pub(super) after: bool,
    pub(super) effect: Effect,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct When {
    pub(super) skip: u64,
    pub(super) every: u64,
    pub(super) times: Option<u64>,
    pub(super) chance: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    Answer(Answer),
    Login,
    Reset,
    Close,
    Hang,
    Truncate,
    Short,
    Half,
    Overcount,
    Slow(Duration),
    Delay(Duration),
    Late(Duration),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) retry_after: Option<RetryAfter>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) html: bool,
    pub(super) body: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum RetryAfter {
    Text(HeaderValue),
    DateIn(Duration),
}

/// Why a rule cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseFaultError(String);

impl fmt::Display for ParseFaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read the fault's rule: {}", self.0)
    }
}

impl std::error::Error for ParseFaultError {}

impl FaultRule {
    pub(super) fn matches(&self, method: &Method, path: &str) -> bool {
        self.method.as_ref().is_none_or(|own| own == method) && glob(self.path.as_bytes(), path.as_bytes())
    }
}

impl fmt::Display for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for FaultRule {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, ParseFaultError> {
        parse(text)
    }
}

/// Whether `*` in the pattern can be filled so that it becomes the text.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skipped| glob(rest, &text[skipped..])),
        Some((first, rest)) => {
            text.split_first().is_some_and(|(other, text)| first == other && glob(rest, text))
        }
    }
}

fn parse(text: &str) -> Result<FaultRule, ParseFaultError> {
    let fail = |why: String| ParseFaultError(format!("{why}: {text}"));
    let (matcher, words) = text.split_once(": ").ok_or_else(|| fail("no `: ` after the path".to_owned()))?;
    let (method, path) = match matcher.trim().split_once(' ') {
        None => (None, matcher.trim()),
        Some(("*", path)) => (None, path.trim()),
        Some((method, path)) => {
            let method =
                Method::from_bytes(method.as_bytes()).map_err(|_| fail(format!("no method {method}")))?;
            (Some(method), path.trim())
        }
    };
    let mut when = When { skip: 0, every: 1, times: None, chance: 1.0 };
    let (mut after, mut answer, mut effect) = (false, None::<Answer>, None);
    let words = split_words(words).ok_or_else(|| fail("a quotation mark is missing".to_owned()))?;
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let mut count = |least: u64| {
            let number = words.next().and_then(|number| number.parse::<u64>().ok());
            number
                .filter(|number| *number >= least)
                .ok_or_else(|| fail(format!("a number must follow `{word}`")))
        };
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let duration = || parse_duration(value).ok_or_else(|| fail(format!("no duration: {word}")));
        match key {
            "every" => when.every = count(1)?,
            "skip" => when.skip = count(0)?,
            "times" => when.times = Some(count(0)?),
            "chance" => {
                let chance = words.next().and_then(|number| number.parse::<f64>().ok());
                let chance = chance.filter(|chance| (0.0..=1.0).contains(chance));
                when.chance =
                    chance.ok_or_else(|| fail("a number from 0 to 1 must follow `chance`".to_owned()))?;
            }
            "after" => after = true,
            "login" => effect = Some(Effect::Login),
            "reset" => effect = Some(Effect::Reset),
            "close" => effect = Some(Effect::Close),
            "hang" => effect = Some(Effect::Hang),
            "truncate" => effect = Some(Effect::Truncate),
            "short" => effect = Some(Effect::Short),
            "half" => effect = Some(Effect::Half),
            "overcount" => effect = Some(Effect::Overcount),
            "slow" if value.is_empty() => effect = Some(Effect::Slow(Duration::from_millis(50))),
            "slow" => effect = Some(Effect::Slow(duration()?)),
            "delay" => effect = Some(Effect::Delay(duration()?)),
            "late" => effect = Some(Effect::Late(duration()?)),
            "html" => {
                let answer = answer.get_or_insert_with(Answer::default);
                answer.html = true;
                if answer.status == StatusCode::OK {
                    answer.status = StatusCode::BAD_GATEWAY;
                }
            }
            "code" => answer.get_or_insert_default().code = Some(value.to_owned()),
            "message" => answer.get_or_insert_default().message = Some(value.to_owned()),
            "body" => answer.get_or_insert_default().body = Some(value.to_owned()),
            "retry-after" => {
                let retry_after = match value.strip_prefix('+') {
                    Some(ahead) => parse_duration(ahead).map(RetryAfter::DateIn),
                    None => HeaderValue::from_str(value).ok().map(RetryAfter::Text),
                };
                let retry_after = retry_after.ok_or_else(|| fail(format!("no such moment: {word}")))?;
                answer.get_or_insert_default().retry_after = Some(retry_after);
            }
            "header" => {
                let header = value.split_once(':').and_then(|(name, value)| {
                    Some((name.trim().parse().ok()?, HeaderValue::from_str(value.trim()).ok()?))
                });
                let header = header.ok_or_else(|| fail(format!("no header: {word}")))?;
                answer.get_or_insert_default().headers.push(header);
            }
            status => match status.parse::<u16>().ok().and_then(|status| StatusCode::from_u16(status).ok()) {
                Some(status) => answer.get_or_insert_default().status = status,
                None => return Err(fail(format!("unknown word `{word}`"))),
            },
        }
    }
    let effect = match (effect, answer) {
        (Some(effect), None) => effect,
        (None, Some(answer)) => Effect::Answer(answer),
        (Some(_), Some(_)) => return Err(fail("it says two things at once".to_owned())),
        (None, None) => return Err(fail("it doesn't say what goes wrong".to_owned())),
    };
    Ok(FaultRule { text: text.to_owned(), method, path: path.to_owned(), when, after, effect })
}

/// Words between spaces; double quotes keep spaces.
fn split_words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    (!quoted).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> FaultRule {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_full_rule_reads_as_written() {
        let rule = rule(
            r#"POST /api/2.0/sql/*: skip 1 every 2 times 3 after 503 retry-after=+2s header=X-A:b message="a b""#,
        );
        assert!(rule.matches(&Method::POST, "/api/2.0/sql/statements"));
        assert!(!rule.matches(&Method::GET, "/api/2.0/sql/statements"));
        assert_eq!(rule.when, When { skip: 1, every: 2, times: Some(3), chance: 1.0 });
        assert!(rule.after);
        let Effect::Answer(answer) = rule.effect else { panic!("an answer") };
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.message.as_deref(), Some("a b"));
        assert_eq!(answer.retry_after, Some(RetryAfter::DateIn(Duration::from_secs(2))));
        assert_eq!(answer.headers.len(), 1);
    }

    #[test]
    fn the_method_may_be_left_out() {
        for text in ["/api/2.1/*: reset", "* /api/2.1/*: reset"] {
            assert!(rule(text).matches(&Method::PATCH, "/api/2.1/clusters/list"), "{text}");
        }
        assert!(rule("*: hang").matches(&Method::GET, "/anything"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "",
            "GET /x",
            "GET /x: ",
            "GET /x: every 429",
            "GET /x: 99",
            "GET /x: reset 429",
            "GET /x: maybe",
            "GET /x: chance 2 429",
            "GET /x: 429 message=\"a",
            "GET /x: delay=soon",
            "GET /x: late",
        ] {
            assert!(text.parse::<FaultRule>().is_err(), "{text}");
        }
    }
}
