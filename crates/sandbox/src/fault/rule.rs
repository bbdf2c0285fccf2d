//! A fault's rule, and files of them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::http::Method;

use super::{
    kind::Effect,
    parse::{Parts, When, parse},
};
use crate::clock::Skew;

/// A longer rule is refused.
const TEXT_LIMIT: usize = 64 * 1024;
/// How much of a rule that cannot be read its error shows.
const TEXT_SHOWN: usize = 200;

/// A rule: for which requests, when, and what goes wrong.
///
/// `METHOD PATH: words`. The method may be left out or be `*`; in the path `*` matches anything. The words, in any
/// order, are separated by spaces. A value with spaces is put in quotes: double ones as in JSON, with its escapes, single
/// ones as it is. A value that is a JSON object or array needs none.
///
/// | words | meaning |
/// |---|---|
/// | `every 3` | each third matching request; without it, each |
/// | `skip 2` | not the first two |
/// | `times 1` | then no more |
/// | `chance 0.1` | one in ten, by the sandbox's seed |
/// | `after` | the handler runs first and its answer is lost; without it the handler never runs |
/// | `delay=500ms` | answer later; goes with anything |
/// | `skew=-1h` | the answer's `Date` is off; goes with anything |
/// | `429`, `503`, … | answer with this status |
/// | `code=X` `message=X` | its error code and message |
/// | `retry-after=2` | its `Retry-After` header; `retry-after=+2s` as a date |
/// | `header=Name:value` | one more header, repeatable |
/// | `html` | with a page as its body (status 502 unless one is given) |
/// | `body=X` | with this body, such as `body={"clusters": []}` |
/// | `login` | the login page with status 200 |
/// | `reset` / `close` | cut the connection before the answer, with a TCP reset or in order |
/// | `reset at=0` | a TCP reset after the headers, or after this number of bytes of the body |
/// | `refuse=2s` | cut the connection and refuse new ones for two seconds |
/// | `hang` | never answer |
/// | `stall` / `stall=2s` | half of the body, then nothing: forever, or for two seconds |
/// | `slow` `slow=50ms` | the body in sixteen pieces with pauses |
/// | `truncate` / `short` | break off the body: chunked without its end, or fewer bytes than `Content-Length` |
/// | `half` | half of the body, as if that were all of it |
/// | `corrupt` | one bit in the middle of the body is flipped |
/// | `at=N` | `stall`, `truncate`, `short`, `half` and `corrupt` happen after N bytes of the body, not in its middle |
/// | `set=/state:"ODD"` | a value of the JSON answer is another one or a new one, repeatable; `*` in the place is every one |
/// | `unset=/manifest/chunks` | it is left out, repeatable |
/// | `integers-as-text` | every integer of the JSON answer is a text |
/// | `overcount` | every `row_count` and `total_row_count` in the JSON is one more than it is |
/// | `empty-page` | an empty page with a token comes before the page of a list |
/// | `repeat-page` | the token of a page leads to the same page |
/// | `late=20m` | the sandbox's clock moves forward before a link is used |
/// | `chunk=1` | a link leads to that chunk of its result |
/// | `foreign` | a link leads to a chunk of another result, with other columns |
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
    parts: Parts,
}

/// Why a rule cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseFaultError {
    line: Option<usize>,
    why: String,
}

impl ParseFaultError {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { line: None, why: why.into() }
    }

    /// The line of the rule, counted from 1, if it is one of a file.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for ParseFaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: cannot read the fault's rule: {}", self.why),
            None => write!(f, "cannot read the fault's rule: {}", self.why),
        }
    }
}

impl std::error::Error for ParseFaultError {}

impl FaultRule {
    /// The rules of a file, one to a line. Empty lines and lines that begin with `#` are skipped.
    ///
    /// ```
    /// use brickwire_sandbox::FaultRule;
    ///
    /// let rules = FaultRule::parse_lines("# A bad day\nGET *: every 3 503\n\nPOST *: after reset\n")?;
    /// assert_eq!(rules.len(), 2);
    /// assert_eq!(FaultRule::parse_lines("\nGET *: maybe").unwrap_err().line(), Some(2));
    /// # Ok::<(), brickwire_sandbox::ParseFaultError>(())
    /// ```
    ///
    /// # Errors
    /// A line cannot be read; the error knows which.
    pub fn parse_lines(text: &str) -> Result<Vec<Self>, ParseFaultError> {
        let lines = (1..).zip(text.lines().map(str::trim));
        let rules = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        rules
            .map(|(number, line)| {
                line.parse().map_err(|error| ParseFaultError { line: Some(number), ..error })
            })
            .collect()
    }

    pub(super) fn matches(&self, method: &Method, path: &str) -> bool {
        self.parts.method.as_ref().is_none_or(|own| own == method) && self.parts.path.matches(path)
    }

    pub(super) fn when(&self) -> When {
        self.parts.when
    }

    pub(super) fn runs_handler_first(&self) -> bool {
        self.parts.after
    }

    pub(super) fn delay(&self) -> Option<Duration> {
        self.parts.delay
    }

    pub(super) fn skew(&self) -> Option<Skew> {
        self.parts.skew
    }

    pub(super) fn effect(&self) -> &Effect {
        &self.parts.effect
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
        if text.len() > TEXT_LIMIT {
            return Err(ParseFaultError::new(format!(
                "a rule may have {TEXT_LIMIT} bytes; this one has {}",
                text.len()
            )));
        }
        match parse(text) {
            Ok(parts) => Ok(Self { text: text.to_owned(), parts }),
            Err(why) => {
                let shown: String = text.chars().take(TEXT_SHOWN).collect();
                let more = if shown.len() < text.len() { "…" } else { "" };
                Err(ParseFaultError::new(format!("{why}: {shown}{more}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;
    use crate::fault::kind::{At, RetryAfter};

    fn rule(text: &str) -> FaultRule {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_full_rule_reads_as_written() {
        let rule = rule(
            r#"POST /api/2.0/sql/*: skip 1 every 2 times 3 after 503 retry-after=+2s header=X-A:b message="a b" delay=1s"#,
        );
        assert!(rule.matches(&Method::POST, "/api/2.0/sql/statements"));
        assert!(!rule.matches(&Method::GET, "/api/2.0/sql/statements"));
        assert_eq!(rule.when(), When { skip: 1, every: 2, times: Some(3), chance: 1.0 });
        assert!(rule.runs_handler_first());
        assert_eq!(rule.delay(), Some(Duration::from_secs(1)));
        let Effect::Answer(answer) = rule.effect() else { panic!("an answer") };
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.message.as_deref(), Some("a b"));
        assert_eq!(answer.retry_after, Some(RetryAfter::DateIn(Duration::from_secs(2))));
        assert_eq!(answer.headers.len(), 1);
    }

    #[test]
    fn what_is_at_its_bound_or_repeatable_is_accepted() {
        for text in [
            "GET /x: refuse=1h",
            "GET /x: delay=8784h skew=-8784h",
            "GET /x: 200 header=X-A:1 header=X-A:2",
            "GET /x: set=/a:1 set=/b:2 unset=/c unset=/d",
            "GET /x: html 503",
        ] {
            rule(text);
        }
    }

    #[test]
    fn a_body_keeps_its_quotation_marks() {
        let rule = rule(r#"GET /x: 200 body={"n": "9007199254740993", "a": [null, "b c"]} times 1"#);
        let Effect::Answer(answer) = rule.effect() else { panic!("an answer") };
        assert_eq!(answer.body.as_deref(), Some(r#"{"n": "9007199254740993", "a": [null, "b c"]}"#));
        assert_eq!(rule.when().times, Some(1));
    }

    #[test]
    fn the_method_may_be_left_out() {
        for text in ["/api/2.1/*: reset", "* /api/2.1/*: reset"] {
            assert!(rule(text).matches(&Method::PATCH, "/api/2.1/clusters/list"), "{text}");
        }
        assert!(rule("*: hang").matches(&Method::GET, "/anything"));
    }

    #[test]
    fn a_place_in_the_body_belongs_to_what_happens_there() {
        assert_eq!(rule("*: at=0 reset").effect(), &Effect::Reset(Some(0)));
        assert_eq!(rule("*: reset").effect(), &Effect::Reset(None));
        assert_eq!(rule("*: corrupt at=7").effect(), &Effect::Corrupt(At(Some(7))));
        assert_eq!(rule("*: stall=1s").effect(), &Effect::Stall(At(None), Some(Duration::from_secs(1))));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_reason() {
        for (text, why) in [
            ("", "expected `METHOD PATH: words`"),
            ("GET /x", "expected `METHOD PATH: words`"),
            ("GET x: 503", "a path begins with `/`"),
            ("GET /x: ", "doesn't say what goes wrong"),
            ("GET /x:", "doesn't say what goes wrong"),
            ("GET /x: every 429", "doesn't say what goes wrong"),
            ("GET /x: every 0 429", "whole number from 1 must follow `every`"),
            ("GET /x: times -1 429", "whole number from 0 must follow `times`"),
            ("GET /x: 99", "unknown word `99`"),
            ("GET /x: 100", "unknown word `100`"),
            ("GET /x: 1000", "unknown word `1000`"),
            ("GET /x: reset 429", "only one effect"),
            ("GET /x: maybe", "unknown word `maybe`"),
            ("GET /x: maybe=1", "unknown word `maybe=1`"),
            ("GET /x: reset=1", "unknown word `reset=1`"),
            ("GET /x: chance 2 429", "number from 0 to 1"),
            ("GET /x: chance NaN 429", "number from 0 to 1"),
            ("GET /x: 429 message=\"a", "is not JSON"),
            ("GET /x: 200 body={a:1}", "is not JSON"),
            ("GET /x: delay=soon", "such as 500ms"),
            ("GET /x: skew=1", "such as -1h"),
            ("GET /x: retry-after=+1", "+2s or +1h"),
            ("GET /x: header=a", "header=Name:value"),
            ("GET /x: 503 at=1", "goes with reset"),
            ("GET /x: corrupt at=-1", "a whole number is expected"),
            ("GET /x: set=state:1", "set=/state:"),
            ("/results/*: late", "unknown word `late`"),
            ("GET /x: refuse=61m", "the longest time for `refuse` is 1h"),
            ("GET /x: refuse=9999999999h", "the longest time for `refuse` is 1h"),
            ("/results/*: late=99999999999999h", "the longest time for `late` is 8784h"),
            ("GET /x: delay=8785h", "the longest time for `delay` is 8784h"),
            ("GET /x: stall=8785h", "the longest time for `stall`"),
            ("GET /x: slow=8785h", "the longest time for `slow`"),
            ("GET /x: skew=-8785h", "the longest time for `skew`"),
            ("GET /x: 503 retry-after=+8785h", "the longest time for `retry-after`"),
            ("GET /x: 200 204", "a rule can have a status only once; got another, `204`"),
            ("GET /x: 503 code=A code=B", "a rule can have `code` only once; got another, `code=B`"),
            ("GET /x: 503 times 1 times 2", "`times` only once"),
            ("GET /x: 503 after after", "`after` only once"),
            ("GET /x: stall stall=1s", "`stall` only once"),
            ("GET /x: overcount overcount", "`overcount` only once"),
            ("GET /x: 200 header=Content-Length:5", "`content-length` can't be given"),
            ("GET /x: 200 header=transfer-encoding:chunked", "`transfer-encoding` can't be given"),
            ("GET /x: 200 header=Connection:upgrade", "`connection` can't be given"),
            ("GET /api/*: late=1s", "the path must be `/results/*`"),
            ("GET /api/*: foreign", "the path must be `/results/*`"),
        ] {
            let error = text.parse::<FaultRule>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
            assert!(error.ends_with(text), "{error}");
        }
        let long = format!("GET /{}: maybe", "é".repeat(5000)).parse::<FaultRule>().unwrap_err().to_string();
        assert!(long.len() < 1500, "{}", long.len());
        let longer = format!("GET /{}: 503", "x".repeat(TEXT_LIMIT)).parse::<FaultRule>().unwrap_err();
        assert!(longer.to_string().contains("65536 bytes"), "{longer}");
    }

    #[test]
    fn a_file_has_a_rule_to_a_line() {
        let rules = FaultRule::parse_lines("# a\r\n\r\nGET *: 503\r\n  POST *: reset  \n").unwrap();
        assert_eq!(
            rules.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["GET *: 503", "POST *: reset"]
        );
        assert_eq!(FaultRule::parse_lines("").unwrap(), []);
        let error = FaultRule::parse_lines("GET *: 503\n# a\nGET *: sometimes 503").unwrap_err();
        assert_eq!(error.line(), Some(3));
        assert!(
            error.to_string().starts_with("line 3: ") && error.to_string().contains("`sometimes`"),
            "{error}"
        );
    }
}
