//! JSON that is printed.

#![no_main]

use brickwire_fuzz::{program::check_json, text};
use brickwire_wire::json::is_too_deep;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Its callers refuse what is nested too deep, which would cost its square.
    if let Some(text) = text(data).filter(|text| !is_too_deep(text.as_bytes())) {
        check_json(text);
    }
});
