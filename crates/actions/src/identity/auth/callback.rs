//! The loopback URLs of a login (RFC 8252): one that the browser opens first, and one that it is redirected to.
//!
//! Every program on this machine can connect. Therefore:
//! - the URL to open can't be guessed, and without it nothing tells what the answer has to look like;
//! - an answer without the login's `state` changes nothing, and the wait goes on;
//! - connections are served side by side, so that one that is silent delays none. If there are too many, the oldest is
//!   dropped;
//! - the port is taken on both loopback addresses, since browsers choose one for `localhost`;
//! - where the system tells who connects, other users are turned away. They can see the URL among the arguments of the
//!   program that opens the browser.

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    ops::RangeInclusive,
    sync::Arc,
    time::Duration,
};

use reqwest::Url;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{peer, token_request::one_line};
use crate::{Error, ErrorKind, Result, Secret};

/// The longest request head that is read, in bytes.
const LONGEST: usize = 16 * 1024;
/// A browser sends its request at once, so a connection that is silent for longer is dropped.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 120 } else { 10 });
/// How many connections are served at a time.
const MOST: usize = 64;
/// The pause after a connection that could not be accepted.
const PAUSE: Duration = Duration::from_millis(50);

/// The server that waits for the browser.
#[derive(Debug)]
pub(crate) struct Callback {
    listener: TcpListener,
    /// The same port of the other loopback address; `None` where there is no IPv6.
    other: Option<TcpListener>,
    port: u16,
}

/// What a request has to have.
struct Expected {
    /// The path of the URL to open, without its slash.
    path: Secret,
    login: Url,
    state: Secret,
}

impl Callback {
    /// Listens on the first free port.
    pub(crate) async fn listen(ports: RangeInclusive<u16>) -> Result<Self> {
        for port in ports.clone() {
            let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await else { continue };
            let port = listener.local_addr().map_or(port, |a| a.port());
            let other = match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
                Ok(other) => Some(other),
                // Another program would get the answer.
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => continue,
                Err(_) => None,
            };
            return Ok(Self { listener, other, port });
        }
        Err(Error::new(
            ErrorKind::Local,
            format!("no free port for the login's answer: {} to {}", ports.start(), ports.end()),
        )
        .with_hint("close the programs that listen there, such as another login"))
    }

    /// The URL that the login redirects the browser to.
    pub(crate) fn redirect(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Redirects the browser from `path` to `login`, and returns the code that it comes back with.
    pub(crate) async fn code(&self, path: &Secret, login: &Url, state: &Secret) -> Result<String> {
        let expected = Arc::new(Expected { path: path.clone(), login: login.clone(), state: state.clone() });
        let (mut serving, mut oldest) = (JoinSet::new(), VecDeque::new());
        loop {
            let accepted = tokio::select! {
                Some(served) = serving.join_next() => match served {
                    Ok(Some(end)) => return end,
                    _ => continue,
                },
                accepted = self.accept() => accepted,
            };
            // A flood of connections may use up what the system has; the login goes on.
            let Ok((stream, peer)) = accepted else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            oldest.retain(|served: &tokio::task::AbortHandle| !served.is_finished());
            if oldest.len() == MOST {
                oldest.pop_front().inspect(tokio::task::AbortHandle::abort);
            }
            let expected = expected.clone();
            oldest.push_back(serving.spawn(async move { serve(stream, peer, &expected).await }));
        }
    }

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let other = async {
            match &self.other {
                Some(other) => other.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = self.listener.accept() => accepted,
            accepted = other => accepted,
        }
    }
}

/// Answers one request; `None` if it doesn't end the login.
async fn serve(mut stream: TcpStream, peer: SocketAddr, expected: &Expected) -> Option<Result<String>> {
    let own = stream.local_addr().ok()?;
    let is_other = tokio::task::spawn_blocking(move || peer::is_other_user(peer, own));
    if is_other.await.unwrap_or_default() {
        return None;
    }
    let url = tokio::time::timeout(PATIENCE, read(&mut stream)).await.ok()??;
    let stream = &mut stream;
    if url.path().strip_prefix('/') == Some(expected.path.expose()) {
        reply(stream, "302 Found", &format!("Location: {}\r\n", expected.login), "").await;
        return None;
    }
    if url.path() != "/" {
        reply(stream, "404 Not Found", "", "").await;
        return None;
    }
    let Some(answer) = answer_in(&url, &expected.state) else {
        reply(stream, "400 Bad Request", "", "This is not the answer to the current login.").await;
        return None;
    };
    let text = match &answer {
        Ok(_) => "You are logged in. You can close this window.",
        Err(_) => "The login failed. Return to the terminal.",
    };
    reply(stream, "200 OK", "", text).await;
    Some(answer)
}

/// The code in the answer of the login page, or why the login was refused; `None` for an answer to another login.
pub(crate) fn answer_in(url: &Url, state: &Secret) -> Option<Result<String>> {
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    if query.get("state").map(String::as_str) != Some(state.expose()) {
        return None;
    }
    if let Some(code) = query.get("code").filter(|code| !code.is_empty()) {
        return Some(Ok(code.clone()));
    }
    let part = |key: &str| query.get(key).map(String::as_str).unwrap_or_default();
    let text = format!("the login was refused: {} {}", part("error"), part("error_description"));
    Some(Err(Error::new(ErrorKind::Unauthenticated, one_line(&text))))
}

/// The URL of a GET request; `None` for anything else.
async fn read(stream: &mut TcpStream) -> Option<Url> {
    let mut head = Vec::new();
    let mut part = [0; 1024];
    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
        let count = stream.read(&mut part).await.ok().filter(|n| *n > 0)?;
        head.extend_from_slice(&part[..count]);
        if head.len() > LONGEST {
            return None;
        }
    }
    let line = std::str::from_utf8(&head).ok()?.lines().next()?.to_owned();
    let target = line.strip_prefix("GET ")?.split(' ').next()?;
    Url::parse(&format!("http://localhost{target}")).ok()
}

async fn reply(stream: &mut TcpStream, status: &str, header: &str, text: &str) {
    let page = format!(
        "HTTP/1.1 {status}\r\n{header}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    // If the browser has closed the connection, nothing is lost.
    let _ = stream.write_all(page.as_bytes()).await;
    let _ = stream.shutdown().await;
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    /// What the server says to a request.
    async fn ask(address: SocketAddr, target: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("GET {target} HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        said
    }

    #[tokio::test]
    async fn silent_connections_and_strangers_neither_delay_nor_end_a_login() {
        let callback = Callback::listen(0..=0).await.unwrap();
        let address = callback.listener.local_addr().unwrap();
        let login =
            Url::parse("https://login.example/?state=the-state&code_challenge=the-challenge").unwrap();
        let (path, state) = (Secret::new("the-path"), Secret::new("the-state"));
        let browser = async {
            let mut silent = Vec::new();
            for _ in 0..3 * MOST {
                silent.push(TcpStream::connect(address).await.unwrap());
            }
            for (target, status) in [
                ("/", "400"),
                ("/?", "400"),
                ("/the-pat", "404"),
                ("//the-path", "404"),
                ("/?code=theirs", "400"),
                ("/?code=theirs&state=guessed", "400"),
                ("/?error=access_denied", "400"),
            ] {
                let said = ask(address, target).await;
                assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{target}: {said}");
                assert!(!said.contains("the-") && !said.contains("login.example"), "{target}: {said}");
            }
            // A browser may load a page twice.
            for _ in 0..2 {
                assert!(ask(address, "/the-path").await.contains(&format!("Location: {login}\r\n")));
            }
            let said = ask(address, "/?code=ours&state=the-state").await;
            assert!(said.contains("You are logged in"), "{said}");
            silent.len()
        };
        let both = async { tokio::join!(callback.code(&path, &login, &state), browser) };
        // Waiting for a silent connection would take longer.
        let (code, silent) = tokio::time::timeout(PATIENCE / 2, both).await.unwrap();
        assert_eq!((code.unwrap().as_str(), silent), ("ours", 3 * MOST));
    }

    #[tokio::test]
    async fn a_port_that_another_program_has_on_one_address_is_not_used() {
        let Ok(other) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await else { return };
        let port = other.local_addr().unwrap().port();
        let error = Callback::listen(port..=port).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Local);
    }
}
