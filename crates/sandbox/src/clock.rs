//! The sandbox's time: which moment it is, and how a moment is written.
//!
//! Every delay, expiry and signature asks this clock, never the machine's. Tests step it with [`Clock::advance`], so
//! an hour passes at once and nothing sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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
        self.0.start_ms + ran + self.0.ahead_ms.load(Ordering::SeqCst)
    }

    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        self.0.ahead_ms.fetch_add(millis(by), Ordering::SeqCst);
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

/// A duration in whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Year, month, day of a day counted from 1970-01-01 (Howard Hinnant's `civil_from_days`, for days after year 0).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468; // days from 0000-03-01 to 1970-01-01
    let era = shifted / 146_097; // days in 400 years
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// `2026-11-23T20:35:33.120Z`, as the API writes the expiry of a link.
pub(crate) fn rfc3339(epoch_ms: u64) -> String {
    let (seconds, fraction) = (epoch_ms / 1000, epoch_ms % 1000);
    let (year, month, day) = civil(seconds / 86_400);
    let time = seconds % 86_400;
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z")
}

/// `Mon, 23 Nov 2026 20:35:33 GMT`, as HTTP headers write it.
pub(crate) fn http_date(epoch_ms: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]; // 1970-01-01 was a Thursday
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = epoch_ms / 1000;
    let (year, month, day) = civil(seconds / 86_400);
    let weekday = DAYS[usize::try_from(seconds / 86_400 % 7).unwrap_or(0)];
    let month = MONTHS[usize::try_from(month - 1).unwrap_or(0)];
    let time = seconds % 86_400;
    format!(
        "{weekday}, {day:02} {month} {year} {:02}:{:02}:{:02} GMT",
        time / 3600,
        time / 60 % 60,
        time % 60
    )
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
    }

    #[test]
    fn a_standing_clock_moves_only_when_told() {
        let clock = Clock::standing_at(1000);
        let other = clock.clone();
        assert_eq!(clock.now_ms(), 1000);
        other.advance(Duration::from_secs(3600));
        assert_eq!(clock.now_ms(), 3_601_000);
    }
}
