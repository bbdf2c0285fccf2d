//! Messages on stdin and stdout, one JSON document per line.
//!
//! rmcp's own transport ignores lines that aren't JSON and reports a closed stdin only after a delay of five seconds.
//! This one answers the former with an error, and says at once that the client has gone, so that statements don't run
//! on. A thread reads stdin, because a pending read of tokio's can't be canceled.

use std::{
    io::{self, BufRead, Read},
    sync::Arc,
    thread,
};

use rmcp::{
    ErrorData, RoleServer,
    model::{JsonRpcMessage, RequestId, ServerJsonRpcMessage},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use serde_json::Value;
use tokio::{
    io::{AsyncWriteExt, Stdout},
    sync::{Mutex, mpsc, oneshot},
    task::JoinSet,
};

/// The longest message, in bytes: more than the longest statement (16 MiB), whose JSON has escapes.
const LONGEST: u64 = 20 << 20;

/// How many lines are read ahead, and how many answers to wrong ones may wait to be written. A client that sends more
/// waits.
const AHEAD: usize = 4;

pub(super) struct Stdio {
    lines: mpsc::Receiver<Line>,
    stdout: Arc<Mutex<Stdout>>,
    /// Answers to wrong lines. They are tasks, because the future that reads may be dropped before one is written.
    answers: JoinSet<io::Result<()>>,
    /// Dropped when stdin is closed.
    open: Option<oneshot::Sender<()>>,
}

/// A line of stdin.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Whole(Vec<u8>),
    TooLong,
}

impl Stdio {
    /// Starts to read stdin. The second value resolves when it is closed.
    pub(super) fn open() -> (Self, oneshot::Receiver<()>) {
        let (give, lines) = mpsc::channel(AHEAD);
        // It ends with the program at the latest, since a read can't be interrupted.
        thread::spawn(move || read(io::stdin().lock(), LONGEST, |line| give.blocking_send(line).is_ok()));
        let (open, closed) = oneshot::channel();
        let stdout = Arc::new(Mutex::new(tokio::io::stdout()));
        (Self { lines, stdout, answers: JoinSet::new(), open: Some(open) }, closed)
    }
}

/// Reads lines until the input ends or `give` returns false. A line that is too long is skipped to its end.
fn read(mut input: impl BufRead, longest: u64, give: impl Fn(Line) -> bool) {
    loop {
        let mut line = Vec::new();
        match input.by_ref().take(longest + 1).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let is_too_long = line.len() as u64 > longest;
        if is_too_long && line.last() != Some(&b'\n') && skip_line(&mut input).is_err() {
            return;
        }
        if !give(if is_too_long { Line::TooLong } else { Line::Whole(line) }) {
            return;
        }
    }
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (used, is_end) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(used);
        if is_end {
            return Ok(());
        }
    }
}

/// What a line is.
enum Parsed {
    Message(Box<RxJsonRpcMessage<RoleServer>>),
    /// An empty line, or a notification that this version doesn't know.
    Nothing,
    Wrong(Option<RequestId>, ErrorData),
}

fn parse(line: &Line) -> Parsed {
    let Line::Whole(line) = line else {
        let limit = format!("the message is longer than {} MiB", LONGEST >> 20);
        return Parsed::Wrong(None, ErrorData::invalid_request(limit, None));
    };
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    if line.is_empty() {
        return Parsed::Nothing;
    }
    let value: Value = match serde_json::from_slice(line) {
        Ok(value) => value,
        Err(error) => {
            let message = format!("the message is not JSON (column {})", error.column());
            return Parsed::Wrong(None, ErrorData::parse_error(message, None));
        }
    };
    if let Ok(message) = serde_json::from_slice(line) {
        return Parsed::Message(Box::new(message));
    }
    match (&value["id"], &value["method"]) {
        (Value::Null, Value::String(_)) => Parsed::Nothing,
        (id, _) => {
            let id = serde_json::from_value(id.clone()).ok();
            Parsed::Wrong(id, ErrorData::invalid_request("not a JSON-RPC 2.0 request", None))
        }
    }
}

impl Transport<RoleServer> for Stdio {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        write(self.stdout.clone(), message)
    }

    // This is dropped and called anew whenever the service has something else to do. So nothing is in its hands while it
    // waits.
    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            let waiting = if self.open.is_some() { AHEAD } else { 1 };
            while self.answers.len() >= waiting {
                // A client that doesn't read its answers is its own problem.
                let _ = self.answers.join_next().await;
            }
            // Closed: all answers are written.
            self.open.as_ref()?;
            let Some(line) = self.lines.recv().await else {
                self.open = None;
                continue;
            };
            match parse(&line) {
                Parsed::Message(message) => return Some(*message),
                Parsed::Nothing => {}
                Parsed::Wrong(id, error) => {
                    let answer: ServerJsonRpcMessage = JsonRpcMessage::error(error, id);
                    self.answers.spawn(write(self.stdout.clone(), answer));
                }
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.open = None;
        self.stdout.lock().await.flush().await
    }
}

async fn write(stdout: Arc<Mutex<Stdout>>, message: ServerJsonRpcMessage) -> io::Result<()> {
    let mut line = serde_json::to_vec(&message)?;
    line.push(b'\n');
    let mut stdout = stdout.lock().await;
    stdout.write_all(&line).await?;
    stdout.flush().await
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_one_is_read() {
        let lines = RefCell::new(Vec::new());
        read(&b"12345678\n123456789\n12345678901234567890\n\nlast"[..], 9, |line| {
            lines.borrow_mut().push(line);
            true
        });
        let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
        let expected = [whole("12345678\n"), Line::TooLong, Line::TooLong, whole("\n"), whole("last")];
        assert_eq!(lines.into_inner(), expected);
    }

    #[test]
    fn wrong_lines_are_errors_with_the_id_if_there_is_one() {
        let wrong = |line: &str| match parse(&Line::Whole(line.as_bytes().to_vec())) {
            Parsed::Wrong(id, error) => (id.map(|id| id.to_string()), error.code.0),
            Parsed::Nothing => panic!("nothing: {line}"),
            Parsed::Message(_) => panic!("a message: {line}"),
        };
        for line in ["hello", "{", "{\"a\":1}}", "\u{1}", &"[".repeat(500)] {
            assert_eq!(wrong(line), (None, -32700), "{line}");
        }
        for line in
            ["5", "[]", "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", "{\"jsonrpc\":\"2.0\"}"]
        {
            assert_eq!(wrong(line), (None, -32600), "{line}");
        }
        assert_eq!(wrong("{\"id\":7,\"method\":\"ping\"}"), (Some("7".to_owned()), -32600));
        assert!(matches!(parse(&Line::Whole(b"  \r\n".to_vec())), Parsed::Nothing));
    }
}
