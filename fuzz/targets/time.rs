//! Moments as services and command lines write them.

#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use brickwire_fuzz::text;
use brickwire_wire::time::{format_rfc3339, parse_http_date, parse_rfc3339};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    for moment in [parse_rfc3339(text), parse_http_date(text)].into_iter().flatten() {
        let written = format_rfc3339(moment);
        let read = parse_rfc3339(&written).unwrap_or_else(|| panic!("{text:?} is written as {written:?}"));
        let apart = read.duration_since(moment).unwrap_or_else(|error| error.duration());
        assert!(apart < Duration::from_secs(1), "{text:?} is written as {written:?}");
        let _ = moment.duration_since(UNIX_EPOCH);
    }
});
