//! Presigned links: https or this machine, and never shown.

#![no_main]

use brickwire_actions::{fuzzing::link, types::ExternalLink};
use brickwire_fuzz::response;
use brickwire_wire::is_loopback;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (_, headers, body) = response(data);
    let Ok(answer) = serde_json::from_slice::<ExternalLink>(&body) else { return };
    let Ok((url, shown)) = link(&answer, &headers) else { return };
    assert!(url.scheme() == "https" || is_loopback(&url), "{url}");
    assert!(!shown.contains("://"), "{shown}");
});
