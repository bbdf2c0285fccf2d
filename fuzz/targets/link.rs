//! Presigned links: https, unless the workspace itself is on this machine and has no TLS; and never shown.

#![no_main]

use brickwire_actions::{Host, fuzzing::link, types::ExternalLink};
use brickwire_fuzz::response;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (_, headers, body) = response(data);
    let Ok(answer) = serde_json::from_slice::<ExternalLink>(&body) else { return };
    for host in ["https://w.cloud.databricks.com", "http://127.0.0.1:8080"] {
        let host = Host::parse(host).expect("it is a host");
        let Ok((url, shown)) = link(&host, &answer, &headers) else { continue };
        // Only a workspace on this machine without TLS has links without it.
        assert!(
            url.scheme() == "https" || url.scheme() == "http" && host.as_str().starts_with("http:"),
            "{url}"
        );
        assert!(!shown.contains("://"), "{shown}");
    }
});
