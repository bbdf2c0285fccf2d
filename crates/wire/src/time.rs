//! Moments in the formats that services and command lines write: RFC 3339 and HTTP dates.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// Parses `2024-01-31T12:00:00.000Z`, with any offset, `T` or a space, and a fraction or none. A moment without an
/// offset is in UTC. `None` if the text is not a moment. One before the first that the system can name, such as the
/// year 1 on Windows, whose time begins in 1601, becomes 1970: both have long passed.
pub fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let moment = match text.parse::<Timestamp>() {
        Ok(moment) => moment,
        Err(_) => text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp(),
    };
    let since = moment.as_duration();
    match since.is_negative() {
        true => Some(UNIX_EPOCH.checked_sub(since.unsigned_abs()).unwrap_or(UNIX_EPOCH)),
        false => UNIX_EPOCH.checked_add(since.unsigned_abs()),
    }
}

/// Writes a moment as RFC 3339 in UTC, in whole seconds.
pub fn format_rfc3339(moment: SystemTime) -> String {
    let moment = Timestamp::try_from(moment).unwrap_or_default();
    format!("{moment:.0}")
}

/// Parses the date of an HTTP header.
pub fn parse_http_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn reads_what_services_and_command_lines_write() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0.0),
            ("2000-02-29T00:00:00.500Z", 951_782_400.5),
            ("2024-01-01T02:00:00+02:00", 1_704_067_200.0),
            ("2023-12-31T18:30:00-05:30", 1_704_067_200.0),
            ("2024-01-01 00:00:00.000000", 1_704_067_200.0),
            ("2024-01-01 00:00:00", 1_704_067_200.0),
            (" 2024-01-01t00:00:00z ", 1_704_067_200.0),
        ] {
            assert_eq!(parse_rfc3339(text), Some(UNIX_EPOCH + Duration::from_secs_f64(seconds)), "{text}");
        }
        for bad in [
            "",
            "yesterday",
            "2024-01-01T00:00:xxZ",
            "2024-13-01T00:00:00Z",
            "ä24-01-01T",
            "2024-01-31T12:00:1e19Z",
            "2024-01-31T12:00:00-5000000000000005:30",
        ] {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
    }

    #[test]
    fn writes_whole_seconds_in_utc() {
        let moment = UNIX_EPOCH + Duration::from_millis(1_704_067_200_900);
        assert_eq!(format_rfc3339(moment), "2024-01-01T00:00:00Z");
        // The Databricks CLI writes the year 1 for an expiry that is not known.
        for (year, on_windows) in
            [("-008999", "1970"), ("0001", "1970"), ("1602", "1602"), ("1969", "1969"), ("9999", "9999")]
        {
            let text = format!("{year}-01-01T00:00:00Z");
            let read = format!("{}-01-01T00:00:00Z", if cfg!(windows) { on_windows } else { year });
            assert_eq!(parse_rfc3339(&text).map(format_rfc3339), Some(read));
        }
    }
}
