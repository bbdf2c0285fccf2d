//! Moments in lists. The service sends milliseconds since 1970, and the headings of such columns say so. On a terminal, a
//! date and a time are shown in their place; pipes and files get what was sent.

use std::{
    borrow::Cow,
    time::{Duration, UNIX_EPOCH},
};

/// What the heading of a column of milliseconds ends with.
const UNIT: &str = " (MS)";
/// The first millisecond of the year 10000, which RFC 3339 can't write.
const END: u64 = 253_402_300_800_000;

/// A heading without its unit.
pub(super) fn without_unit(heading: &str) -> &str {
    heading.strip_suffix(UNIT).unwrap_or(heading)
}

/// A cell as a terminal shows it. 0 is what the service sends for a moment that has not come, and is shown as nothing.
pub(super) fn shown<'a>(heading: &str, cell: &'a str) -> Cow<'a, str> {
    match cell.parse() {
        _ if !heading.ends_with(UNIT) => Cow::Borrowed(cell),
        Ok(0) => Cow::Borrowed(""),
        Ok(ms @ 1..END) => {
            humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(ms)).to_string().into()
        }
        _ => Cow::Borrowed(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::{END, shown};

    #[test]
    fn milliseconds_are_shown_as_a_date_and_a_time() {
        let last = (END - 1).to_string();
        for (cell, moment) in [
            ("1764172085123", "2025-11-26T15:48:05Z"),
            ("1", "1970-01-01T00:00:00Z"),
            (&last, "9999-12-31T23:59:59Z"),
            ("0", ""),
            ("", ""),
        ] {
            assert_eq!(shown("STARTED (MS)", cell), moment);
        }
        for cell in [&END.to_string(), "18446744073709551616", "-1", "1.5", "soon"] {
            assert_eq!(shown("STARTED (MS)", cell), cell);
        }
        assert_eq!(shown("ID", "1764172085123"), "1764172085123");
    }
}
