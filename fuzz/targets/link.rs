//! Presigned links: https or this machine, and never shown.

#![no_main]

use brickwire_actions::{Host, fuzzing::link, types::ExternalLink};
use brickwire_fuzz::response;
use brickwire_wire::is_loopback;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (_, headers, body) = response(data);
    let Ok(answer) = serde_json::from_slice::<ExternalLink>(&body) else { return };
    for host in ["https://w.cloud.databricks.com", "http://127.0.0.1:8080"] {
        let host = Host::parse(host).expect("it is a host");
        let Ok((url, shown)) = link(&host, &answer, &headers) else { continue };
        // What is no address in particular leads to this machine, too.
        let is_here = is_loopback(&url) || matches!(url.host_str(), Some("0.0.0.0" | "[::]"));
        assert!(url.scheme() == "https" || is_here && host.is_loopback(), "{host}: {url}");
        assert!(!shown.contains("://"), "{shown}");
    }
});
