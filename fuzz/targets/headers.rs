//! The headers of a raw request: none that belongs to the connection, and none within another.

#![no_main]

use brickwire_actions::fuzzing::headers;
use brickwire_fuzz::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    // Names and values alternate, so that they can hold anything but a form feed.
    let words: Vec<&str> = text.split('\x0c').collect();
    let pairs: Vec<(String, String)> = words
        .chunks(2)
        .filter_map(|pair| Some(((*pair.first()?).to_owned(), (*pair.get(1)?).to_owned())))
        .collect();
    let Ok(merged) = headers(&pairs) else { return };
    for (name, value) in &merged {
        assert!(!value.as_bytes().iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')), "{name}: {value:?}");
    }
    for refused in ["authorization", "host", "connection", "transfer-encoding", "upgrade", "te", "trailer"] {
        assert!(!merged.contains_key(refused), "{refused}");
    }
});
