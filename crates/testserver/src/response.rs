use std::{
    io::{self, Write},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::Request;

/// What happens to a connection after a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum End {
    /// It serves the next request, unless a `connection: close` header of either side says otherwise.
    #[default]
    KeepAlive,
    /// It closes, unannounced.
    Close,
    /// It is reset. Bytes still on their way to the client may be lost.
    Reset,
    /// It stays open and silent until the client gives up.
    Stall,
}

/// A response, right or wrong.
///
/// It carries a `content-length` unless it sets that header itself, is chunked, or can't have a body (204, 304).
#[derive(Debug, Clone, Default)]
pub struct Response {
    head: Option<(u16, String)>,
    body: Vec<Bytes>,
    chunked: bool,
    limit: Option<usize>,
    bytes_per_second: Option<f64>,
    pub(crate) end: End,
}

/// A paced response is sent in portions of this many bytes.
const PORTION: usize = 64 << 10;

impl Response {
    /// A response with an empty body.
    pub fn new(status: u16) -> Self {
        Self { head: Some((status, String::new())), ..Self::default() }
    }

    /// Status 200 and a JSON body.
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self::new(200).with_header("content-type", "application/json").with_body(body)
    }

    /// Bytes that are sent as they are, in place of a response; then the connection closes.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self { body: vec![bytes.into()], end: End::Close, ..Self::default() }
    }

    /// No response at all.
    pub fn none(end: End) -> Self {
        Self { end, ..Self::default() }
    }

    /// Adds a header; the same name may be added twice.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Some((_, headers)) = &mut self.head {
            headers.push_str(&format!("{name}: {value}\r\n"));
        }
        self
    }

    /// Adds to the body. A body may have several parts, which are never copied; each is a chunk if it is sent in chunks.
    pub fn with_body(mut self, part: impl Into<Bytes>) -> Self {
        self.body.push(part.into());
        self
    }

    /// Sends the body in chunks, without its length.
    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// Announces the whole body but sends only the first `length` bytes of it.
    pub fn cut(mut self, length: usize, end: End) -> Self {
        (self.limit, self.end) = (Some(length), end);
        self
    }

    /// Sends the body no faster than this.
    pub fn with_pace(mut self, bytes_per_second: f64) -> Self {
        self.bytes_per_second = Some(bytes_per_second);
        self
    }

    /// What happens to the connection afterwards.
    pub fn with_end(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    pub(crate) fn closes(&self) -> bool {
        self.head
            .as_ref()
            .is_some_and(|(_, headers)| headers.to_lowercase().contains("connection: close\r\n"))
    }

    /// Writes the response to a request, up to where it is cut. A server does this itself; it is public for tests that put
    /// TLS on a connection.
    pub fn write(&self, stream: &mut impl Write, request: &Request) -> io::Result<()> {
        let length: usize = self.body.iter().map(Bytes::len).sum();
        if let Some((status, headers)) = &self.head {
            let has_body = !matches!(status, 100..200 | 204 | 304);
            let framing = match has_body {
                true if self.chunked => "transfer-encoding: chunked\r\n".to_owned(),
                true if !headers.to_lowercase().contains("content-length:") => {
                    format!("content-length: {length}\r\n")
                }
                _ => String::new(),
            };
            stream.write_all(format!("HTTP/1.1 {status} \r\n{headers}{framing}\r\n").as_bytes())?;
            if request.method == "HEAD" || !has_body {
                return stream.flush();
            }
        }
        let (start, mut sent) = (Instant::now(), 0);
        for part in self.body.iter().filter(|part| !part.is_empty()) {
            let allowed = part.len().min(self.limit.unwrap_or(length) - sent);
            if allowed == 0 {
                break;
            }
            if self.chunked {
                stream.write_all(format!("{:x}\r\n", part.len()).as_bytes())?;
            }
            let portion = self.bytes_per_second.map_or(allowed, |_| PORTION);
            for portion in part[..allowed].chunks(portion) {
                stream.write_all(portion)?;
                sent += portion.len();
                if let Some(bytes_per_second) = self.bytes_per_second {
                    let due = Duration::from_secs_f64(sent as f64 / bytes_per_second);
                    thread::sleep(due.saturating_sub(start.elapsed()));
                }
            }
            if self.chunked && allowed == part.len() {
                stream.write_all(b"\r\n")?;
            }
        }
        if self.chunked && self.limit.is_none() {
            stream.write_all(b"0\r\n\r\n")?;
        }
        stream.flush()
    }
}
