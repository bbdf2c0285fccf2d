//! The words of a rule, read: see [`FaultRule`](super::rule::FaultRule) for their meaning.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};

use super::{
    edit::Edit,
    kind::{Answer, At, Effect, Paging, RetryAfter, Swap},
    pattern::Pattern,
    words::{Word, Words},
};
use crate::clock::{Skew, parse_duration};

/// A rule's parts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parts {
    pub(super) method: Option<Method>,
    pub(super) path: Pattern,
    pub(super) when: When,
    pub(super) after: bool,
    pub(super) delay: Option<Duration>,
    pub(super) skew: Option<Skew>,
    pub(super) effect: Effect,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct When {
    pub(super) skip: u64,
    pub(super) every: u64,
    pub(super) times: Option<u64>,
    pub(super) chance: f64,
}

const HOUR: Duration = Duration::from_secs(60 * 60);
/// The sandbox can't be reached meanwhile, not even to remove the rule.
const LONGEST_REFUSAL: Duration = HOUR;
/// How far clocks and dates may be off, and how long an answer may take.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Headers that say where a body ends and what becomes of the connection. The server sets them to what it sends; other
/// rules, such as `short` and `truncate`, make them wrong.
const FRAMING: [HeaderName; 8] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The words that a rule may have more than once.
const REPEATABLE: [&str; 3] = ["header", "set", "unset"];

const WORDS: &str = "when: every N, skip N, times N, chance P, after; or what: a status from 200 to 999, code=, message=, \
                     retry-after=, header=, body=, html, login, reset, close, hang, refuse=, stall, slow, delay=, \
                     truncate, short, half, corrupt, at=, set=, unset=, integers-as-text, overcount, empty-page, \
                     repeat-page, skew=, late=, chunk=, foreign";

pub(super) fn parse(text: &str) -> Result<Parts, String> {
    let parts = text.split_once(": ").or_else(|| text.strip_suffix(':').map(|matcher| (matcher, "")));
    let (matcher, words) =
        parts.ok_or("expected `METHOD PATH: words` or `PATH: words`, but there is no `: ` after the path")?;
    let (method, path) = match matcher.trim().split_once(' ') {
        None => (None, matcher.trim()),
        Some(("*", path)) => (None, path.trim()),
        Some((method, path)) => {
            let known =
                Method::from_bytes(method.as_bytes()).map_err(|_| format!("not an HTTP method: {method}"))?;
            (Some(known), path.trim())
        }
    };
    if !path.starts_with(['/', '*']) {
        return Err(format!("a path begins with `/` or `*`; got `{path}`"));
    }
    let mut reader = Reader::default();
    let mut words = Words::new(words);
    while let Some(word) = words.next()? {
        reader.take(&word, &mut words)?;
    }
    let path = Pattern::new(path);
    let Reader { when, after, delay, skew, .. } = reader;
    let effect = reader.effect()?;
    if matches!(effect, Effect::Late(_) | Effect::Swap(_)) && !path.reaches("/results/") {
        return Err(
            "`late`, `chunk` and `foreign` concern links, so the path must be `/results/*`".to_owned()
        );
    }
    Ok(Parts { method, path, when, after, delay, skew, effect })
}

/// What has been read so far.
struct Reader {
    /// The words that can't come again.
    seen: Vec<String>,
    when: When,
    after: bool,
    delay: Option<Duration>,
    skew: Option<Skew>,
    at: Option<usize>,
    answer: Option<Answer>,
    edits: Vec<Edit>,
    effects: Vec<Effect>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            seen: Vec::new(),
            when: When { skip: 0, every: 1, times: None, chance: 1.0 },
            after: false,
            delay: None,
            skew: None,
            at: None,
            answer: None,
            edits: Vec::new(),
            effects: Vec::new(),
        }
    }
}

impl Reader {
    fn take(&mut self, word: &Word<'_>, words: &mut Words<'_>) -> Result<(), String> {
        self.once(word)?;
        match &word.value {
            None => self.plain(word.key, words),
            Some(value) => self.valued(word, value),
        }
    }

    /// Refuses a word that the rule has already, since only one of the two could count.
    fn once(&mut self, word: &Word<'_>) -> Result<(), String> {
        let is_status = word.value.is_none() && word.key.parse::<u16>().is_ok();
        let (name, what) = match is_status {
            true => ("a status", "a status".to_owned()),
            false => (word.key, format!("`{}`", word.key)),
        };
        if self.seen.iter().any(|seen| seen == name) {
            return Err(format!("a rule can have {what} only once; got another, `{}`", word.text));
        }
        if !REPEATABLE.contains(&name) {
            self.seen.push(name.to_owned());
        }
        Ok(())
    }

    fn plain(&mut self, word: &str, words: &mut Words<'_>) -> Result<(), String> {
        let mut count = |least: u64| {
            let number = words.number().filter(|number| *number >= least);
            number.ok_or_else(|| format!("a whole number from {least} must follow `{word}`"))
        };
        match word {
            "every" => self.when.every = count(1)?,
            "skip" => self.when.skip = count(0)?,
            "times" => self.when.times = Some(count(0)?),
            "chance" => {
                let chance = words.number().filter(|chance| (0.0..=1.0).contains(chance));
                self.when.chance = chance.ok_or("a number from 0 to 1 must follow `chance`")?;
            }
            "after" => self.after = true,
            "html" => {
                let answer = self.answer.get_or_insert_default();
                answer.html = true;
                if answer.status == StatusCode::OK {
                    answer.status = StatusCode::BAD_GATEWAY;
                }
            }
            "login" => self.effects.push(Effect::Login),
            "reset" => self.effects.push(Effect::Reset(None)),
            "close" => self.effects.push(Effect::Close),
            "hang" => self.effects.push(Effect::Hang),
            "truncate" => self.effects.push(Effect::Truncate(At::default())),
            "short" => self.effects.push(Effect::Short(At::default())),
            "half" => self.effects.push(Effect::Half(At::default())),
            "corrupt" => self.effects.push(Effect::Corrupt(At::default())),
            "stall" => self.effects.push(Effect::Stall(At::default(), None)),
            "slow" => self.effects.push(Effect::Slow(Duration::from_millis(50))),
            "overcount" => self.edits.push(Edit::Overcount),
            "integers-as-text" => self.edits.push(Edit::IntegersAsText),
            "empty-page" => self.effects.push(Effect::Page(Paging::Empty)),
            "repeat-page" => self.effects.push(Effect::Page(Paging::Repeat)),
            "foreign" => self.effects.push(Effect::Swap(Swap::Foreign)),
            status => match status.parse::<u16>().ok().filter(|status| *status >= 200) {
                Some(status) => {
                    let known = StatusCode::from_u16(status).map_err(|_| unknown(word))?;
                    self.answer.get_or_insert_default().status = known;
                }
                None => return Err(unknown(word)),
            },
        }
        Ok(())
    }

    fn valued(&mut self, word: &Word<'_>, value: &str) -> Result<(), String> {
        let text = word.text;
        let bounded = |time: Duration, longest: Duration| match time > longest {
            true => Err(format!(
                "the longest time for `{}` is {}h; got `{text}`",
                word.key,
                longest.as_secs() / 3600
            )),
            false => Ok(time),
        };
        let duration = |longest| {
            let time = parse_duration(value).ok_or_else(|| {
                format!("a time is a number with ms, s, m or h, such as 500ms; got `{text}`")
            })?;
            bounded(time, longest)
        };
        let count =
            || value.parse::<usize>().map_err(|_| format!("a whole number is expected; got `{}`", word.text));
        match word.key {
            "code" => self.answer.get_or_insert_default().code = Some(value.to_owned()),
            "message" => self.answer.get_or_insert_default().message = Some(value.to_owned()),
            "body" => self.answer.get_or_insert_default().body = Some(value.to_owned()),
            "retry-after" => {
                let retry_after = match value.strip_prefix('+') {
                    Some(_) => match parse_duration(&value[1..]) {
                        Some(ahead) => RetryAfter::DateIn(bounded(ahead, LONGEST)?),
                        None => return Err(format!("a date is given as +2s or +1h; got `{}`", word.text)),
                    },
                    None => RetryAfter::Text(
                        HeaderValue::from_str(value)
                            .map_err(|_| format!("no header value: `{}`", word.text))?,
                    ),
                };
                self.answer.get_or_insert_default().retry_after = Some(retry_after);
            }
            "header" => {
                let header = value.split_once(':').and_then(|(name, value)| {
                    Some((name.trim().parse().ok()?, HeaderValue::from_str(value.trim()).ok()?))
                });
                let header: (HeaderName, HeaderValue) =
                    header.ok_or_else(|| format!("a header is header=Name:value; got `{}`", word.text))?;
                if FRAMING.contains(&header.0) {
                    return Err(format!(
                        "`{}` can't be given, because it says how the answer is sent; `short` and `truncate` make \
                         that wrong",
                        header.0
                    ));
                }
                self.answer.get_or_insert_default().headers.push(header);
            }
            "at" => self.at = Some(count()?),
            "delay" => self.delay = Some(duration(LONGEST)?),
            "skew" => {
                let skew = Skew::parse(value)
                    .ok_or_else(|| format!("a skew is a time with a sign, such as -1h; got `{text}`"))?;
                bounded(skew.amount(), LONGEST)?;
                self.skew = Some(skew);
            }
            "slow" => self.effects.push(Effect::Slow(duration(LONGEST)?)),
            "late" => self.effects.push(Effect::Late(duration(LONGEST)?)),
            "refuse" => self.effects.push(Effect::Refuse(duration(LONGEST_REFUSAL)?)),
            "stall" => self.effects.push(Effect::Stall(At::default(), Some(duration(LONGEST)?))),
            "set" => self.edits.push(Edit::parse_set(value)?),
            "unset" => self.edits.push(Edit::parse_unset(value)?),
            "chunk" => self.effects.push(Effect::Swap(Swap::Chunk(count()?))),
            _ => return Err(unknown(word.text)),
        }
        Ok(())
    }

    fn effect(mut self) -> Result<Effect, String> {
        self.effects.extend(self.answer.map(Effect::Answer));
        if !self.edits.is_empty() {
            self.effects.push(Effect::Edit(self.edits));
        }
        let mut effect = match (self.effects.pop(), self.effects.is_empty()) {
            (Some(effect), true) => effect,
            (None, _) if self.delay.is_some() || self.skew.is_some() => Effect::Nothing,
            (Some(_), false) => return Err("a rule can have only one effect".to_owned()),
            (None, _) => return Err(format!("it doesn't say what goes wrong; expected {WORDS}")),
        };
        if let Some(bytes) = self.at {
            match &mut effect {
                Effect::Reset(at) => *at = Some(bytes),
                Effect::Truncate(at)
                | Effect::Short(at)
                | Effect::Half(at)
                | Effect::Corrupt(at)
                | Effect::Stall(at, _) => *at = At(Some(bytes)),
                _ => {
                    let which = "reset, truncate, short, half, corrupt and stall";
                    return Err(format!("`at` says where in a body something happens: it goes with {which}"));
                }
            }
        }
        Ok(effect)
    }
}

fn unknown(word: &str) -> String {
    format!("unknown word `{word}`; expected {WORDS}")
}
