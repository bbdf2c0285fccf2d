//! Completion: what was typed, and a name on the next line.

#![no_main]

use brickwire_fuzz::{program::check_completion, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some((typed, name)) = text(data).and_then(|text| text.split_once('\n')) {
        check_completion(typed, name);
    }
});
