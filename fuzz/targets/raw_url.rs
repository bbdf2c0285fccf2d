//! Addresses of raw requests: never another origin than those that may have the credential.

#![no_main]

use brickwire_actions::{Host, fuzzing::raw_url};
use brickwire_fuzz::{PLANTED, shown, text};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some(text) = text(data).filter(|text| !text.contains(PLANTED)) else { return Corpus::Reject };
    let hosts =
        ["https://w.cloud.databricks.com", "https://adb-1.2.azuredatabricks.net", "http://127.0.0.1:8080"];
    let parameters = [("a b".to_owned(), text.to_owned()), ("page_token".to_owned(), "\u{e9}&=#".to_owned())];
    for host in hosts.map(|host| Host::parse(host).expect("it is a host")) {
        for address in
            [text.to_owned(), format!("{text}?sig={PLANTED}"), format!("https://u:{PLANTED}@{text}")]
        {
            match raw_url(&host, &address, &parameters) {
                Ok(url) => {
                    assert!(host.may_receive_credential(&url), "{address:?} leads to {url}");
                    assert!(url.username().is_empty() && url.password().is_none(), "{url}");
                    assert!(url.fragment().is_none(), "{url}");
                    // The parameters are the last of the query, and whole.
                    let pairs: Vec<_> = url.query_pairs().collect();
                    let last = pairs.get(pairs.len() - 2..).expect("there are at least two");
                    for ((key, value), (name, text)) in last.iter().zip(&parameters) {
                        assert_eq!((key.as_ref(), value.as_ref()), (name.as_str(), text.as_str()));
                    }
                }
                Err(error) => assert!(!shown(&error).contains(PLANTED), "{}", shown(&error)),
            }
        }
    }
    Corpus::Keep
});
