//! The connector's connections against ours: which host results from what a user gives.

use brickwire_actions::{Connection, ErrorKind::Configuration, Host, ServicePrincipal};
use serde_json::Value;

use crate::vector;

/// Hosts that we treat differently from the connector: our result, and the reason.
const HOSTS: &[(&str, Result<&str, &str>, &str)] = &[
    (" https://x.com ", Ok("https://x.com"), "blanks are removed"),
    ("http://x.cloud.databricks.com", Err("must be https"), "the token would travel in the clear"),
    ("HTTPS://x.com", Ok("https://x.com"), "a scheme in any case"),
    ("user:pw@x.com", Err("user information"), "not silently removed"),
    ("x.com@evil.example", Err("user information"), "the host would be another one"),
    ("https:/x.com", Err("malformed"), "not guessed"),
    ("ftp://x.com", Err("scheme other than https"), "the host would be ftp"),
    ("http-internal.corp", Ok("https://http-internal.corp"), "a name that looks like a scheme"),
];

#[test]
fn hosts() {
    let file: Value = serde_json::from_str(include_str!("../vectors/connector.json")).unwrap();
    let vectors = file["connection_host"].as_array().unwrap();
    for (host, ..) in HOSTS {
        assert!(vectors.iter().any(|vector| vector["host"] == *host), "no such vector: {host:?}");
    }
    for vector in vectors {
        let host = vector["host"].as_str().unwrap();
        let ours = HOSTS.iter().find(|(known, ..)| *known == host).map(|(_, ours, _)| *ours);
        let ours = ours.unwrap_or(vector["expect"]["host"].as_str().ok_or("no host configured"));
        match (Host::parse(host), ours) {
            (Ok(parsed), Ok(expected)) => assert_eq!(parsed.as_str(), expected, "{host:?}"),
            (Err(error), Err(text)) => {
                vector::check_our_error(&error, Configuration, text).unwrap();
                assert!(!error.to_string().contains("pw"), "{error}");
            }
            (parsed, expected) => panic!("{host:?}: expected {expected:?}, got {parsed:?}"),
        }
    }
    println!("hosts: {} vectors met, {} of them differing on purpose", vectors.len(), HOSTS.len());
}

/// A token URL that doesn't contain the workspace's host; the connector calls the API there.
const ENTRA: &str = "https://login.microsoftonline.com/tid/oauth2/v2.0/token";

#[test]
fn hosts_of_token_urls() {
    let file: Value = serde_json::from_str(include_str!("../vectors/connector.json")).unwrap();
    let vectors = file["token_url_host"].as_array().unwrap();
    for vector in vectors {
        let url = vector["tokenUrl"].as_str().unwrap();
        let made = ServicePrincipal::new(url, "c", "s").and_then(Connection::service_principal);
        match vector["expect"]["host"].as_str().filter(|_| url != ENTRA) {
            Some(host) => assert_eq!(made.unwrap().host().as_str(), host),
            None => assert_eq!(made.unwrap_err().kind(), Configuration, "{url:?}"),
        }
    }
    println!("token URLs: {} vectors met, 1 of them differing on purpose", vectors.len());
}
