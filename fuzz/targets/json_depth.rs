//! The depth of JSON, which is counted before anything is parsed.

#![no_main]

use brickwire_wire::json;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// No answer may be deeper.
const DEEPEST: usize = 512;

fuzz_target!(|data: &[u8]| {
    let excess = json::excess(data);
    // serde_json refuses what is deeper than 128.
    if serde_json::from_slice::<Value>(data).is_ok() {
        assert_eq!(excess, None);
    }
    // A valid document within so many arrays is as deep as these and itself.
    if let Ok(document) = serde_json::from_slice::<Value>(data) {
        for arrays in [DEEPEST - depth(&document), DEEPEST + 1 - depth(&document)] {
            let mut deep = b"[".repeat(arrays);
            deep.extend_from_slice(data);
            deep.extend(b"]".repeat(arrays));
            let is_too_deep = json::excess(&deep) == Some(json::Excess::Nesting);
            assert_eq!(is_too_deep, arrays + depth(&document) > DEEPEST);
        }
    }
});

fn depth(json: &Value) -> usize {
    match json {
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
