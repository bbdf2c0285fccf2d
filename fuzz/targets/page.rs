//! Pages of a list: items as they came, and tokens that lead somewhere new.

#![no_main]

use std::collections::HashSet;

use brickwire_actions::fuzzing::page;
use brickwire_fuzz::text;
use brickwire_wire::Pages;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // One page to a line.
    let Some(text) = text(data) else { return };
    let mut pages = Pages::default();
    let mut seen = HashSet::new();
    for line in text.lines() {
        let Ok((items, token)) = page(line.as_bytes(), "clusters") else { return };
        for item in &items {
            assert!(line.contains(item.as_str()), "{item}");
        }
        match pages.next(token, items.len()) {
            Ok(Some(token)) => assert!(!token.is_empty() && seen.insert(token), "a page is asked for twice"),
            Ok(None) | Err(_) => return,
        }
    }
});
