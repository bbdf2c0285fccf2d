//! One `python3` per execution context: how it is started, called, interrupted and ended.
//!
//! The process runs in a temporary directory with a clean environment and in a process group of its own. It always
//! ends with the sandbox, even when the sandbox is killed: a closed pipe makes the driver kill its process group.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Notify;

const DRIVER: &str = concat!(
    include_str!("python_spark.py"),
    include_str!("python_display.py"),
    include_str!("python_driver.py")
);
/// How long an interrupted command may keep running before its process is killed.
const GRACE: Duration = Duration::from_secs(2);

/// The outcome of a command.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    /// What was printed, and the last expression's value.
    Text(String),
    /// What was displayed, a result of type table, image or images, and what was printed.
    Shown {
        results: Value,
        printed: String,
    },
    Raised {
        summary: String,
        cause: String,
    },
    Cancelled,
}

/// Answers what code asks the sandbox.
pub(super) type Host = Box<dyn Fn(Value) -> BoxFuture<'static, Value> + Send + Sync>;

/// A running interpreter.
pub(crate) struct Interpreter {
    child: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    host: Option<Host>,
    /// The values of secrets that code has read, which its output doesn't show.
    secrets: Vec<String>,
    _directory: TempDir,
}

impl Interpreter {
    /// Starts `python3` and waits until it takes commands.
    pub(crate) async fn start(directory: TempDir) -> io::Result<Self> {
        let mut command = Command::new("python3");
        command
            .args(["-u", "-I", "-c", DRIVER])
            .current_dir(directory.path())
            .env_clear()
            .env("HOME", directory.path())
            .env("TMPDIR", directory.path())
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        for kept in ["PATH", "SYSTEMROOT"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        #[cfg(unix)]
        command.process_group(0);
        let mut child =
            command.spawn().map_err(|error| io::Error::new(error.kind(), format!("python3: {error}")))?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("python3 has no pipes"));
        };
        let answers = BufReader::new(answers).lines();
        let mut interpreter =
            Self { child, requests, answers, host: None, secrets: Vec::new(), _directory: directory };
        match interpreter.answers.next_line().await? {
            Some(line) if line.contains("\"ready\"") => Ok(interpreter),
            _ => Err(io::Error::other("python3 ended before it was ready")),
        }
    }

    /// Sets what answers the questions of code. Without it, each is an error.
    pub(crate) fn with_host(mut self, host: Host) -> Self {
        self.host = Some(host);
        self
    }

    /// Lets the code reach the files in this folder by their paths on a cluster: `/Volumes/…` and `/dbfs/…`.
    pub(crate) async fn with_files(mut self, folder: &Path) -> io::Result<Self> {
        self.send(&json!({ "files": folder })).await?;
        Ok(self)
    }

    /// Runs a command to its end. `cancel` interrupts it.
    ///
    /// # Errors
    /// The process is gone: it crashed, it was killed by its own code, or it ignored the interrupt.
    pub(crate) async fn run(&mut self, id: &str, code: &str, cancel: &Notify) -> io::Result<Reply> {
        self.send(&json!({ "id": id, "command": code })).await?;
        if let Some(reply) = self.reply(cancel).await? {
            return Ok(reply);
        }
        self.send(&json!({ "interrupt": id })).await?;
        match tokio::time::timeout(GRACE, self.reply(&Notify::new())).await {
            Ok(Ok(Some(reply))) => Ok(reply),
            Ok(Err(error)) => Err(error),
            Ok(Ok(None)) | Err(_) => {
                self.kill();
                Err(io::Error::other("the command ignored its interrupt, so its process was killed"))
            }
        }
    }

    /// The text with `[REDACTED]` in place of the secrets that code has read.
    pub(crate) fn redacted(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[REDACTED]"))
    }

    /// As [`redacted`](Self::redacted), for all texts in a result.
    fn without_secrets(&self, value: Value) -> Value {
        match value {
            Value::String(text) if !self.secrets.is_empty() => Value::String(self.redacted(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.without_secrets(item)).collect(),
            Value::Object(fields) => {
                fields.into_iter().map(|(name, value)| (name, self.without_secrets(value))).collect()
            }
            other => other,
        }
    }

    /// The answer to a command; `None` if it is canceled before. Questions that come before it are answered. A message is
    /// always sent whole, and work for an answer ends with the cancellation.
    async fn reply(&mut self, cancel: &Notify) -> io::Result<Option<Reply>> {
        loop {
            let line = tokio::select! {
                line = self.answers.next_line() => line?,
                () = cancel.notified() => return Ok(None),
            };
            let line = line.ok_or_else(|| io::Error::other("the Python process ended"))?;
            let answer: Value = serde_json::from_str(&line)?;
            if answer.get("ask").is_none() {
                return Ok(Some(self.read(&answer)));
            }
            let number = answer["number"].clone();
            let mut reply = match &self.host {
                Some(host) => tokio::select! {
                    reply = host(answer) => reply,
                    () = cancel.notified() => return Ok(None),
                },
                None => json!({ "error": "nothing answers here" }),
            };
            self.note_secret(&reply);
            reply["number"] = number;
            self.send(&json!({ "reply": reply })).await?;
        }
    }

    /// Takes note of the secret in a reply, as it is and as HTML shows it.
    fn note_secret(&mut self, reply: &Value) {
        let value = reply.get("value").and_then(Value::as_str).and_then(|value| STANDARD.decode(value).ok());
        let Some(value) = value.and_then(|value| String::from_utf8(value).ok()) else { return };
        let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        for form in [value, escaped] {
            if !form.trim().is_empty() && !self.secrets.contains(&form) {
                self.secrets.push(form);
            }
        }
        // One may contain another.
        self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    fn read(&self, answer: &Value) -> Reply {
        let text = |key: &str| answer.get(key).and_then(Value::as_str).map(|text| self.redacted(text));
        if answer.get("cancelled").is_some() {
            return Reply::Cancelled;
        }
        if let (Some(summary), Some(cause)) = (text("summary"), text("cause")) {
            return Reply::Raised { summary, cause };
        }
        let mut data = text("printed").unwrap_or_default();
        if let Some(results) = answer.get("shown").filter(|results| !results.is_null()) {
            return Reply::Shown { results: self.without_secrets(results.clone()), printed: data };
        }
        match text("value") {
            Some(value) => data.push_str(&value),
            None => {
                // `print` ends its line; the service's text doesn't.
                if data.ends_with('\n') {
                    data.pop();
                }
            }
        }
        Reply::Text(data)
    }

    async fn send(&mut self, request: &Value) -> io::Result<()> {
        self.requests.write_all(format!("{request}\n").as_bytes()).await
    }

    fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(pid) =
            self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
        let _ = self.child.start_kill();
    }
}

impl Drop for Interpreter {
    fn drop(&mut self) {
        self.kill();
    }
}
