//! Redirects: followed on the same origin only.

#![no_main]

use brickwire_fuzz::{line, response, text};
use brickwire_wire::fuzzing::redirect;
use http::Method;
use libfuzzer_sys::fuzz_target;
use reqwest::{Request, Url};

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    let Some((method, url)) = text(line(&mut rest)).and_then(|line| line.split_once(' ')) else { return };
    let (Ok(method), Ok(url)) = (Method::from_bytes(method.as_bytes()), Url::parse(url)) else { return };
    let (status, headers, _) = response(rest);
    for changes_method in [false, true] {
        let sent = Request::new(method.clone(), url.clone());
        if let Some(next) = redirect(&sent, status, &headers, changes_method) {
            assert_eq!(next.origin(), url.origin());
            assert!(next.username().is_empty(), "{next}");
        }
    }
});
