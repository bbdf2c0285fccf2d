//! Dates, times and intervals as text. Days and seconds count from 1970-01-01, in the proleptic Gregorian calendar.

/// Appends `2024-01-31`. A year beyond 9999 has a sign, and one before the year 0, too.
pub(super) fn write_date(days: i64, out: &mut String) {
    // Eras of 400 years, which begin on March 1 so that a leap day is the last of its year. From Howard Hinnant,
    // "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    match year {
        0..=9999 => {}
        _ if year < 0 => out.push('-'),
        _ => out.push('+'),
    }
    write_digits(year.unsigned_abs(), 4, out);
    out.push('-');
    write_digits(month.unsigned_abs(), 2, out);
    out.push('-');
    write_digits(day.unsigned_abs(), 2, out);
}

/// Appends `2024-01-31T12:00:00.123456`; nine digits after the point only if the last three aren't zero.
pub(super) fn write_timestamp(seconds: i64, nanos: u64, out: &mut String) {
    write_date(seconds.div_euclid(86_400), out);
    out.push('T');
    write_time(seconds.rem_euclid(86_400).unsigned_abs(), out);
    out.push('.');
    match nanos % 1_000 {
        0 => write_digits(nanos / 1_000, 6, out),
        _ => write_digits(nanos, 9, out),
    }
}

/// Appends `12:00:00`.
fn write_time(seconds: u64, out: &mut String) {
    write_digits(seconds / 3_600, 2, out);
    out.push(':');
    write_digits(seconds / 60 % 60, 2, out);
    out.push(':');
    write_digits(seconds % 60, 2, out);
}

/// Appends one of Spark's two kinds of interval, `1-2` for years and months, `1 02:03:04.000000000` for the others. A
/// value with both parts, which the service doesn't have, is `14 months 1 02:03:04.000000000`.
pub(super) fn interval(months: Option<i32>, nanos: i128, out: &mut String) {
    if let Some(months) = months.filter(|_| nanos == 0) {
        if months < 0 {
            out.push('-');
        }
        write_digits((months.unsigned_abs() / 12).into(), 1, out);
        out.push('-');
        return write_digits((months.unsigned_abs() % 12).into(), 1, out);
    }
    if let Some(months) = months {
        out.push_str(&format!("{months} months "));
    }
    if nanos < 0 {
        out.push('-');
    }
    let (seconds, nanos) = (nanos.unsigned_abs() / 1_000_000_000, nanos.unsigned_abs() % 1_000_000_000);
    // Every number fits: an Arrow interval has at most 2⁶³ seconds.
    let [seconds, nanos] = [seconds, nanos].map(|number| u64::try_from(number).unwrap_or(u64::MAX));
    write_digits(seconds / 86_400, 1, out);
    out.push(' ');
    write_time(seconds % 86_400, out);
    out.push('.');
    write_digits(nanos, 9, out);
}

/// Appends a number with at least as many digits.
pub(super) fn write_digits(mut value: u64, least: usize, out: &mut String) {
    // The longest number has 20 digits.
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    while value > 0 || at > digits.len() - least {
        at -= 1;
        // A digit fits into a byte.
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    out.push_str(std::str::from_utf8(&digits[at..]).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn dates_of_all_years() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (19_782, "2024-02-29"),
            (11_016, "2000-02-29"),
            (-25_509, "1900-02-28"),
            (-25_508, "1900-03-01"),
            (-719_162, "0001-01-01"),
            (-719_528, "0000-01-01"),
            (-719_529, "-0001-12-31"),
            (2_932_896, "9999-12-31"),
            (2_932_897, "+10000-01-01"),
            (i32::MAX.into(), "+5881580-07-11"),
        ] {
            assert_eq!(written(|out| write_date(days, out)), expected);
        }
    }

    #[test]
    fn timestamps_have_six_digits() {
        for (seconds, nanos, expected) in [
            (0, 0, "1970-01-01T00:00:00.000000"),
            (-1, 999_999_000, "1969-12-31T23:59:59.999999"),
            (86_399, 120_000_000, "1970-01-01T23:59:59.120000"),
            (0, 1, "1970-01-01T00:00:00.000000001"),
            (i64::MIN / 1_000_000, 0, "-290308-12-21T19:59:06.000000"),
        ] {
            assert_eq!(written(|out| write_timestamp(seconds, nanos, out)), expected);
        }
    }

    #[test]
    fn intervals_have_sparks_two_forms() {
        for (months, nanos, expected) in [
            (Some(14), 0, "1-2"),
            (Some(-14), 0, "-1-2"),
            (Some(0), 0, "0-0"),
            (None, 0, "0 00:00:00.000000000"),
            (None, 86_400_000_000_000, "1 00:00:00.000000000"),
            (None, -3_661_000_001_000, "-0 01:01:01.000001000"),
            (Some(1), 1_000_000_000, "1 months 0 00:00:01.000000000"),
        ] {
            assert_eq!(written(|out| interval(months, nanos, out)), expected);
        }
        let longest = i128::from(i64::MAX) * 1_000_000_000;
        assert_eq!(written(|out| interval(None, longest, out)), "106751991167300 15:30:07.000000000");
    }
}
