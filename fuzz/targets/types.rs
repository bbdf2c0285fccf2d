//! Every generated type: what is read can be written and is read again as the same; what isn't known is kept; an error
//! quotes no value.

#![no_main]

use brickwire_fuzz::{PLANTED, types::ALL};
use brickwire_wire::json;
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::Value;

fuzz_target!(|data: &[u8]| -> Corpus {
    // No document is read that is nested deeper, and a planted value has to be ours.
    if json::excess(data).is_some() || data.windows(PLANTED.len()).any(|part| part == PLANTED.as_bytes()) {
        return Corpus::Reject;
    }
    for each in ALL {
        each.check(data);
    }
    if let Ok(mut document) = serde_json::from_slice::<Value>(data) {
        plant(&mut document);
        let planted = document.to_string();
        for each in ALL {
            each.check(planted.as_bytes());
        }
    }
    Corpus::Keep
});

/// Makes each text one that must not be seen.
fn plant(value: &mut Value) {
    match value {
        Value::String(text) => PLANTED.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(plant),
        Value::Object(members) => members.values_mut().for_each(plant),
        _ => {}
    }
}
