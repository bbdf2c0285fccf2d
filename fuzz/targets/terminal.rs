//! What reaches a terminal.

#![no_main]

use brickwire_fuzz::{program::check_terminal, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some(text) = text(data) {
        check_terminal(text);
    }
});
