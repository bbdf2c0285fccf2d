//! JSON that is printed.

#![no_main]

use brickwire_fuzz::{PLANTED, program::check_json, text};
use brickwire_wire::json::excess;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Its callers refuse what is nested too deep, which would cost its square.
    if let Some(text) = text(data).filter(|text| excess(text.as_bytes()).is_none() && !text.contains(PLANTED))
    {
        check_json(text);
    }
});
