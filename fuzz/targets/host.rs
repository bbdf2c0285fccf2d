//! Texts that are to be a workspace's address.

#![no_main]

use brickwire_fuzz::text;
use brickwire_wire::Host;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    let Ok(host) = Host::parse(text) else { return };
    let again = Host::parse(host.as_str()).expect("a host's own text is a host");
    assert_eq!(again.as_str(), host.as_str());
    assert!(
        host.as_str().starts_with("https://") || host.is_loopback(),
        "{host}: the token would be in the clear"
    );
    assert!(!host.as_str().contains(['@', '?', '#']) && !host.as_str().ends_with('/'), "{host}");
    for path in ["/api/2.0/clusters/list", "//evil.example/", "@evil.example", text] {
        let Ok(url) = host.join(path) else { continue };
        assert!(
            host.is_origin_of(&url) && host.may_receive_credential(&url),
            "{host}: {path:?} leads to {url}"
        );
        assert!(url.username().is_empty() && url.password().is_none(), "{url}");
    }
    for console in host.account_consoles() {
        assert!(console.is_account_console(), "{console}");
    }
});
