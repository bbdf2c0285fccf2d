//! The sandbox's time: which moment it is, and how a moment is written.
//!
//! Every delay, expiry and signature asks this clock, never the machine's. Tests step it with [`Clock::advance`], so
//! an hour passes at once and nothing sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// 9999-12-30T22:00:00.999Z, the last moment that [`Timestamp`] can write in every time zone. No clock goes beyond.
pub(crate) const LAST_MS: u64 = 253_402_207_200_999;

/// A clock that runs with the machine's or stands still, and that can be moved forward. Clones share the time.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    start_ms: u64,
    running_since: Option<Instant>,
    ahead_ms: AtomicU64,
}

impl Clock {
    /// A clock that runs with the machine's.
    #[must_use]
    pub fn system() -> Self {
        let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::new(millis(start), Some(Instant::now()))
    }

    /// A clock that runs with the machine's but is off: the service's clock as clients find it wrong.
    pub(crate) fn skewed(skew: Skew) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::new(skew.apply(millis(now)), Some(Instant::now()))
    }

    /// A clock that stands at `epoch_ms` and moves only by [`advance`](Self::advance).
    #[must_use]
    pub fn standing_at(epoch_ms: u64) -> Self {
        Self::new(epoch_ms, None)
    }

    fn new(start_ms: u64, running_since: Option<Instant>) -> Self {
        Self(Arc::new(Inner { start_ms, running_since, ahead_ms: AtomicU64::new(0) }))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        let ran = self.0.running_since.map_or(0, |since| millis(since.elapsed()));
        let ahead = self.0.ahead_ms.load(Ordering::SeqCst);
        self.0.start_ms.saturating_add(ran).saturating_add(ahead).min(LAST_MS)
    }

    /// Moves the time forward, at most to 9999-12-30T22:00:00Z.
    pub fn advance(&self, by: Duration) {
        let add = |ahead: u64| Some(ahead.saturating_add(millis(by)).min(LAST_MS));
        // The closure always returns a value, so there is no error.
        let _ = self.0.ahead_ms.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add);
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

/// How far a clock is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skew {
    Ahead(Duration),
    Behind(Duration),
}

impl Skew {
    /// `+90s`, `-1h`; without a sign it is ahead.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('-') {
            Some(behind) => parse_duration(behind).map(Self::Behind),
            None => parse_duration(text.strip_prefix('+').unwrap_or(text)).map(Self::Ahead),
        }
    }

    /// How far, in either direction.
    pub(crate) fn amount(self) -> Duration {
        match self {
            Self::Ahead(by) | Self::Behind(by) => by,
        }
    }

    /// The moment as a clock shows it that is off so far; never before 1970.
    pub(crate) fn apply(self, epoch_ms: u64) -> u64 {
        match self {
            Self::Ahead(by) => epoch_ms.saturating_add(millis(by)).min(LAST_MS),
            Self::Behind(by) => epoch_ms.saturating_sub(millis(by)),
        }
    }
}

/// A duration in whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A duration as the flags write it: `200ms`, `2s`, `1m`, or `0`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    match &text[digits.len()..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        "" if number == 0 => Some(Duration::ZERO),
        _ => None,
    }
}

/// `2026-11-23T20:35:33.120Z`, as the API writes the expiry of a link.
pub(crate) fn rfc3339(epoch_ms: u64) -> String {
    format!("{:.3}", timestamp(epoch_ms))
}

/// `1123-203533`, as the ids of clusters and pools begin.
pub(crate) fn id_date(epoch_ms: u64) -> String {
    timestamp(epoch_ms).strftime("%m%d-%H%M%S").to_string()
}

/// `Mon, 23 Nov 2026 20:35:33 GMT`, as HTTP headers write it.
pub(crate) fn http_date(epoch_ms: u64) -> String {
    timestamp(epoch_ms).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A moment beyond the year 9999 becomes the last one of it.
fn timestamp(epoch_ms: u64) -> Timestamp {
    i64::try_from(epoch_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_around_leap_days_and_centuries() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(1_709_164_800_000), "2024-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(4_107_542_399_999), "2100-02-28T23:59:59.999Z");
        assert_eq!(http_date(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(id_date(784_111_777_000), "1106-084937");
    }

    #[test]
    fn no_step_goes_beyond_the_last_year() {
        for clock in [Clock::system(), Clock::standing_at(5), Clock::standing_at(u64::MAX)] {
            clock.advance(Duration::MAX);
            clock.advance(Duration::from_millis(u64::MAX));
            assert_eq!(clock.now_ms(), LAST_MS);
        }
        assert_eq!(rfc3339(LAST_MS), "9999-12-30T22:00:00.999Z");
    }

    #[test]
    fn a_skew_has_a_sign() {
        assert_eq!(Skew::parse("-1h").map(|skew| skew.apply(3_600_001)), Some(1));
        assert_eq!(Skew::parse("-1h").map(|skew| skew.apply(5)), Some(0));
        assert_eq!(Skew::parse("+2s"), Skew::parse("2s"));
        assert_eq!(Skew::parse("2s").map(|skew| skew.apply(5)), Some(2005));
        assert_eq!(Skew::parse("+"), None);
        assert_eq!(Skew::parse("--1h"), None);
    }

    #[test]
    fn a_standing_clock_moves_only_when_advanced() {
        let clock = Clock::standing_at(1000);
        let other = clock.clone();
        assert_eq!(clock.now_ms(), 1000);
        other.advance(Duration::from_secs(3600));
        assert_eq!(clock.now_ms(), 3_601_000);
    }
}
