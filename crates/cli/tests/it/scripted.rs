//! A server that answers as it is told and keeps every byte it was sent.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use crate::program::Brick;

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// `GET /api/2.0/x?a=b`
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub(crate) struct Server {
    address: String,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Server {
    /// Gives `answers` in turn, each a status, a content type and a body; the last one for good.
    pub(crate) fn answering(answers: &[(u16, &str, &[u8])]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let sent = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<Vec<u8>> = answers.iter().map(answer).collect();
        let kept = sent.clone();
        // Ends with the process; nobody but its own test knows the port.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(request) = read(&stream) else { continue };
                let mut kept = kept.lock().unwrap();
                let answer = &answers[kept.len().min(answers.len() - 1)];
                kept.push(request);
                drop(kept);
                // A client that has gone away is its own test's business.
                drop(stream.write_all(answer));
            }
        });
        Self { address, sent }
    }

    /// Answers everything with JSON.
    pub(crate) fn json(body: &str) -> Self {
        Self::answering(&[(200, "application/json", body.as_bytes())])
    }

    /// `brick` with these arguments, connected to this server.
    pub(crate) fn brick(&self, arguments: &str) -> Brick {
        Brick::new(arguments).env("DATABRICKS_HOST", &self.address).env("DATABRICKS_TOKEN", "dapi-scripted")
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// The only request.
    #[track_caller]
    pub(crate) fn only(&self) -> Sent {
        let sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent[0].clone()
    }
}

fn answer((status, content_type, body): &(u16, &str, &[u8])) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nx-scripted: yes\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn read(stream: &TcpStream) -> Option<Sent> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let target = line()?.strip_suffix(" HTTP/1.1")?.to_owned();
    let mut headers = Vec::new();
    while let Some((name, value)) = line()?.split_once(':') {
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut sent = Sent { target, headers, body: Vec::new() };
    let length = sent.header("content-length").map_or(0, |length| length.parse().unwrap());
    sent.body.resize(length, 0);
    reader.read_exact(&mut sent.body).ok()?;
    Some(sent)
}
