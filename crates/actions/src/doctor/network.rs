//! Checks the route to the host below TLS: proxy, DNS and TCP. With a proxy, DNS and TCP are checked for the proxy, because
//! the host's own name may be unknown on this network.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use brickwire_wire::Step;
use hyper_util::client::proxy::matcher::Matcher;
use tokio::{net::TcpStream, time::Instant};

use super::check::Check;
use crate::{Error, ErrorKind, Host};

/// The time limit of each check.
const LIMIT: Duration = Duration::from_secs(5);
/// The variables that the HTTP stack reads.
const VARIABLES: [&str; 8] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// What connections are made to: the host or the proxy.
pub(super) struct Route {
    name: String,
    port: u16,
}

/// Finds the proxy for a host, by the same rules as the HTTP client.
pub(super) fn route_to(host: &Host) -> (Check, Route) {
    const NAME: &str = "proxy";
    // For Windows both spellings are one variable.
    let names = VARIABLES.into_iter().step_by(if cfg!(windows) { 2 } else { 1 });
    let set: Vec<_> = names.filter(|v| std::env::var_os(v).is_some_and(|v| !v.is_empty())).collect();
    let set = if set.is_empty() { "none is set".to_owned() } else { format!("set: {}", set.join(", ")) };
    let url = host.join("/").ok();
    let port = url.as_ref().and_then(reqwest::Url::port_or_known_default).unwrap_or(443);
    let direct = Route { name: without_brackets(host.name()), port };
    if host.is_loopback() {
        return (Check::ok(NAME, "none: the host is this machine"), direct);
    }
    let target = host.as_str().parse::<http::Uri>().ok();
    let Some(proxy) = target.and_then(|target| Matcher::from_system().intercept(&target)) else {
        return (Check::ok(NAME, format!("none for {host} ({set})")), direct);
    };
    let uri = proxy.uri();
    let (name, scheme) = (uri.host().unwrap_or_default(), uri.scheme_str().unwrap_or("http"));
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    let user = match (proxy.basic_auth(), proxy.raw_auth()) {
        (None, None) => "",
        _ => ", with a user",
    };
    let detail = format!("{scheme}://{name}:{port}{user} ({set})");
    let check = match scheme {
        "http" | "https" => Check::ok(NAME, detail),
        _ => Check::warning(NAME, detail).with_hint("only HTTP proxies are supported: http:// or https://"),
    };
    (check, Route { name: without_brackets(name), port })
}

/// A host name for the resolver, which takes IPv6 addresses without brackets.
fn without_brackets(name: &str) -> String {
    name.trim_start_matches('[').trim_end_matches(']').to_owned()
}

/// Resolves the name.
pub(super) async fn resolve(route: &Route) -> (Check, Option<Vec<SocketAddr>>) {
    const NAME: &str = "dns";
    if let Ok(address) = route.name.parse::<IpAddr>() {
        return (
            Check::ok(NAME, format!("{address} is an address already")),
            Some(vec![(address, route.port).into()]),
        );
    }
    let start = Instant::now();
    let found = tokio::time::timeout(LIMIT, tokio::net::lookup_host((route.name.as_str(), route.port))).await;
    let why = match found {
        Ok(Ok(found)) => {
            let mut found: Vec<SocketAddr> = found.collect();
            found.dedup();
            if !found.is_empty() {
                let shown: Vec<_> = found.iter().take(4).map(|a| a.ip().to_string()).collect();
                let detail = format!("{} is {} ({})", route.name, shown.join(", "), elapsed(start));
                return (Check::ok(NAME, detail), Some(found));
            }
            "it has no address".to_owned()
        }
        Ok(Err(e)) => e.to_string(),
        Err(_) => format!("no answer within {} s", LIMIT.as_secs()),
    };
    let error = Error::new(ErrorKind::Unreachable, format!("cannot resolve {}: {why}", route.name))
        .with_hint(Step::hint(Some(Step::Dns)));
    (Check::fault(NAME, &error), None)
}

/// Connects to the first address that accepts the connection.
pub(super) async fn connect(route: &Route, addresses: &[SocketAddr]) -> Check {
    const NAME: &str = "tcp";
    let start = Instant::now();
    let (why, step) = match tokio::time::timeout(LIMIT, TcpStream::connect(addresses)).await {
        Ok(Ok(stream)) => {
            let peer = stream.peer_addr().map(|a| a.to_string()).unwrap_or_default();
            return Check::ok(NAME, format!("connected to {peer} ({})", elapsed(start)));
        }
        Ok(Err(e)) => (e.to_string(), Step::of(&e)),
        Err(_) => (format!("no answer within {} s", LIMIT.as_secs()), None),
    };
    let text = format!("cannot connect to {}:{}: {why}", route.name, route.port);
    Check::fault(NAME, &Error::new(ErrorKind::Unreachable, text).with_hint(Step::hint(step)))
}

fn elapsed(start: Instant) -> String {
    format!("{} ms", start.elapsed().as_millis())
}
