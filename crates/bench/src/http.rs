//! The least HTTP/1.1 that will do, for the server and for the limits: plain sockets, keep-alive, known lengths.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use crate::Failure;

/// A request or a response: its first line, the length of its body, and whether it carries a token.
pub(crate) struct Head {
    pub(crate) line: String,
    pub(crate) length: usize,
    pub(crate) token: bool,
}

/// Reads a head; `None` where the other side is done.
pub(crate) fn read_head(stream: &mut BufReader<TcpStream>) -> Result<Option<Head>, Failure> {
    let mut head = Head { line: String::new(), length: 0, token: false };
    if stream.read_line(&mut head.line)? == 0 {
        return Ok(None);
    }
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            return Ok(Some(head));
        }
        if let Some(length) = line.strip_prefix("content-length:") {
            head.length = length.trim().parse()?;
        }
        head.token |= line.starts_with("authorization:");
    }
}

/// A connection of a client.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    authority: String,
}

impl Client {
    pub(crate) fn connect(host: &str) -> Result<Self, Failure> {
        let authority = host.strip_prefix("http://").ok_or("the limits speak plain http only")?.to_owned();
        let stream = TcpStream::connect(&authority)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(256 << 10, stream), authority })
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> Result<usize, Failure> {
        let token = if path.starts_with("/api/") { "authorization: Bearer x\r\n" } else { "" };
        let length = body.len();
        let authority = &self.authority;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {authority}\r\n{token}content-length: {length}\r\n\r\n"
        );
        self.stream.get_mut().write_all(format!("{head}{body}").as_bytes())?;
        let head = read_head(&mut self.stream)?.ok_or("the server hung up")?;
        if head.line.contains(" 200 ") { Ok(head.length) } else { Err(head.line.into()) }
    }

    /// The whole body.
    pub(crate) fn fetch(&mut self, method: &str, path: &str, body: &str) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; self.send(method, path, body)?];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// The length of a body that is read and dropped.
    pub(crate) fn drain(&mut self, path: &str) -> Result<usize, Failure> {
        let length = self.send("GET", path, "")?;
        let mut left = length;
        while left > 0 {
            let taken = self.stream.fill_buf()?.len().min(left);
            if taken == 0 {
                return Err("the server hung up".into());
            }
            self.stream.consume(taken);
            left -= taken;
        }
        Ok(length)
    }
}
