//! Claims of access tokens.

#![no_main]

use brickwire_actions::fuzzing::jwt;
use brickwire_fuzz::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(token) = text(data) else { return };
    let (scopes, expiry) = jwt(token);
    if scopes.is_some() || expiry.is_some() {
        assert_eq!(token.matches('.').count().min(2), 2, "{token:?}");
    }
    assert!(expiry.is_none_or(|expiry| expiry.is_number()));
});
