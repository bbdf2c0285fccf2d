//! A minimal HTTP/1.1 client to measure the limits with: plain sockets, keep-alive, known lengths.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use crate::process::Failure;

/// Reads the head of a response and returns the length of its body.
fn read_head(stream: &mut BufReader<TcpStream>) -> Result<usize, Failure> {
    let (mut status, mut length) = (String::new(), 0);
    if stream.read_line(&mut status)? == 0 {
        return Err("the server hung up".into());
    }
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            return if status.contains(" 200 ") { Ok(length) } else { Err(status.into()) };
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
}

/// One connection.
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
        read_head(&mut self.stream)
    }

    /// Reads the whole body.
    pub(crate) fn fetch(&mut self, method: &str, path: &str, body: &str) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; self.send(method, path, body)?];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads a body, drops it, and returns its length.
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
