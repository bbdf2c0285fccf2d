//! The loopback URL that the browser is redirected to after a login (RFC 8252): a server for one page and one login.

use std::{collections::HashMap, ops::RangeInclusive, time::Duration};

use reqwest::Url;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::token_request::one_line;
use crate::{Error, ErrorKind, Result};

/// The longest request head that is read, in bytes.
const LONGEST: usize = 16 * 1024;
/// A browser sends its request at once, so a connection that is silent for longer is dropped.
const PATIENCE: Duration = Duration::from_secs(10);

/// The server that waits for the browser.
#[derive(Debug)]
pub(crate) struct Callback {
    listener: TcpListener,
    port: u16,
}

impl Callback {
    /// Listens on the first free port.
    pub(crate) async fn listen(ports: RangeInclusive<u16>) -> Result<Self> {
        for port in ports.clone() {
            if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await {
                let port = listener.local_addr().map_or(port, |a| a.port());
                return Ok(Self { listener, port });
            }
        }
        Err(Error::new(
            ErrorKind::Local,
            format!("no free port for the login's answer: {} to {}", ports.start(), ports.end()),
        )
        .with_hint("close the programs that listen there, such as another login"))
    }

    /// The URL that the browser opens first, and that the login redirects it to.
    pub(crate) fn address(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Redirects the browser to `login`, and returns the code that it comes back with. Every program on this machine can
    /// connect, so requests without `state` are refused and the wait goes on.
    pub(crate) async fn code(&self, login: &Url, state: &str) -> Result<String> {
        loop {
            let accepted = self.listener.accept().await;
            let (mut stream, _) = accepted.map_err(|e| {
                Error::new(ErrorKind::Local, "the login's answer can't be received").with_source(e)
            })?;
            let Ok(Some(query)) = tokio::time::timeout(PATIENCE, read(&mut stream)).await else { continue };
            if query.is_empty() {
                reply(&mut stream, "302 Found", &format!("Location: {login}\r\n"), "").await;
                continue;
            }
            if query.get("state").map(String::as_str) != Some(state) {
                reply(&mut stream, "400 Bad Request", "", "This is not the answer to the current login.")
                    .await;
                continue;
            }
            if let Some(code) = query.get("code").filter(|c| !c.is_empty()) {
                reply(&mut stream, "200 OK", "", "You are logged in. You can close this window.").await;
                return Ok(code.clone());
            }
            reply(&mut stream, "200 OK", "", "The login failed. Return to the terminal.").await;
            let part = |key: &str| query.get(key).map(String::as_str).unwrap_or_default();
            let text = format!("the login was refused: {} {}", part("error"), part("error_description"));
            return Err(Error::new(ErrorKind::Unauthenticated, one_line(&text)));
        }
    }
}

/// The query of a GET request for `/`; `None` for anything else.
async fn read(stream: &mut TcpStream) -> Option<HashMap<String, String>> {
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
    let url = Url::parse(&format!("http://localhost{target}")).ok()?;
    if url.path() != "/" {
        reply(stream, "404 Not Found", "", "").await;
        return None;
    }
    Some(url.query_pairs().into_owned().collect())
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
