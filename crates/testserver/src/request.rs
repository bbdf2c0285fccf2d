use std::io::{self, BufRead, ErrorKind, Read};

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`
    pub method: String,
    /// Path and query as sent: `/api/2.0/x?a=b`.
    pub target: String,
    /// Names in lower case; values byte by byte as Latin-1.
    pub headers: Vec<(String, String)>,
    /// The decoded body if it was sent in chunks.
    pub body: Vec<u8>,
    /// `127.0.0.1:PORT` of the server that received it.
    pub authority: String,
    /// The index of its connection among those of the server, from 0.
    pub connection: usize,
    /// Whether it is the first one on its connection.
    pub is_first: bool,
    /// Its index in the log, from 0.
    pub number: usize,
}

impl Request {
    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// What follows the question mark; empty without one.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// Method and target: `GET /api/2.0/x?a=b`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    /// The first header of that name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Reads the next request; `None` if the client closed the connection instead. A server does this itself; it is
    /// public for tests that put TLS on a connection.
    pub fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(first) = line(reader)? else { return Ok(None) };
        let mut words = first.split(' ').map(str::to_owned);
        let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next()) else {
            return Err(ErrorKind::InvalidData.into());
        };
        if !version.starts_with("HTTP/1.") {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut request = Self { method, target, ..Self::default() };
        loop {
            let line = line(reader)?.ok_or(ErrorKind::UnexpectedEof)?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or(ErrorKind::InvalidData)?;
            request.headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        if request.header("transfer-encoding").is_some() {
            loop {
                let size = line(reader)?.ok_or(ErrorKind::UnexpectedEof)?;
                let size = u64::from_str_radix(&size, 16).map_err(|_| ErrorKind::InvalidData)?;
                request.read_body(reader, size)?;
                line(reader)?;
                if size == 0 {
                    break;
                }
            }
        } else if let Some(length) = request.header("content-length") {
            let length = length.parse().map_err(|_| ErrorKind::InvalidData)?;
            request.read_body(reader, length)?;
        }
        Ok(Some(request))
    }

    fn read_body(&mut self, reader: &mut impl BufRead, length: u64) -> io::Result<()> {
        let read = reader.take(length).read_to_end(&mut self.body)? as u64;
        if read == length { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }
}

/// A line without its end; `None` at the end of the stream.
fn line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if reader.read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    let text: String = bytes.into_iter().map(char::from).collect();
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}
