//! One Python process per execution context: how it is started, called, interrupted and ended.
//!
//! The process runs in a temporary directory with a clean environment and in a process group of its own. It always
//! ends with the sandbox, even when the sandbox is killed: a closed pipe makes the driver kill its process group. On
//! Windows, where a group can't be killed, it and what it has started are ended by `taskkill`.

use std::collections::HashSet;
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
    include_str!("python_rows.py"),
    include_str!("python_spark.py"),
    include_str!("python_display.py"),
    include_str!("python_dbutils.py"),
    include_str!("python_driver.py")
);
/// Runs the driver, which is too long for a command line of Windows: a line with its length, then its text, on stdin. It
/// reads no byte of the requests that follow.
const LOADER: &str = r#"def load():
    import os

    def read(length):
        text = b""
        while len(text) < length:
            piece = os.read(0, length - len(text))
            if not piece:
                os._exit(1)
            text += piece
        return text

    length = b""
    while not length.endswith(b"\n"):
        length += read(1)
    return compile(read(int(length)), "<driver>", "exec")


exec(load())
"#;
/// What Python is called. On Windows a virtual environment has a `python` only, the installer adds `py`, and `python3` may
/// be a link to the store that runs nothing.
const PROGRAMS: &[&str] = if cfg!(windows) { &["python", "py", "python3"] } else { &["python3"] };
/// Variables that the process inherits. Windows needs most of them to start a program.
const INHERITED: &[&str] = if cfg!(windows) {
    &["PATH", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT"]
} else {
    &["PATH"]
};
/// Variables that name the process's own directory.
const OWN_DIRECTORY: &[&str] = if cfg!(windows) {
    &["HOME", "TMPDIR", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP"]
} else {
    &["HOME", "TMPDIR"]
};
/// `CREATE_NEW_PROCESS_GROUP`.
#[cfg(windows)]
const NEW_PROCESS_GROUP: u32 = 0x200;

/// How long an interrupted command may keep running before its process is killed.
const GRACE: Duration = Duration::from_secs(10);

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

/// A process that takes commands.
struct Process {
    child: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Process {
    async fn start(program: &str, directory: &Path, driver: &str) -> io::Result<Self> {
        let mut command = Command::new(program);
        command
            .args(["-u", "-I", "-X", "utf8", "-c", LOADER])
            .current_dir(directory)
            .env_clear()
            .envs(OWN_DIRECTORY.iter().map(|name| (name, directory)))
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        command.envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        // Ctrl-C is the sandbox's to handle.
        #[cfg(unix)]
        command.process_group(0);
        #[cfg(windows)]
        command.creation_flags(NEW_PROCESS_GROUP);
        let mut child =
            command.spawn().map_err(|error| io::Error::new(error.kind(), format!("{program}: {error}")))?;
        let (Some(mut requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other(format!("{program} has no pipes")));
        };
        // A program that has ended takes none of it, which shows in the answer.
        let _ = requests.write_all(format!("{}\n{driver}", driver.len()).as_bytes()).await;
        let mut answers = BufReader::new(answers).lines();
        match answers.next_line().await? {
            Some(line) if line.contains("\"ready\"") => Ok(Self { child, requests, answers }),
            _ => Err(io::Error::other(format!("{program} ended before it was ready"))),
        }
    }
}

/// A running interpreter.
pub(crate) struct Interpreter {
    child: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    host: Option<Host>,
    /// Whether what commands display is of use.
    shows: bool,
    /// The values of secrets that code has read, which its output doesn't show.
    secrets: Vec<String>,
    /// The question that a cancellation has left without a reply.
    open_question: Option<Value>,
    /// The commands that were canceled: what their threads ask later is refused.
    canceled: HashSet<String>,
    _directory: TempDir,
}

impl Interpreter {
    /// Starts Python and waits until it takes commands.
    pub(crate) async fn start(directory: TempDir) -> io::Result<Self> {
        Self::start_driver(directory, DRIVER).await
    }

    async fn start_driver(directory: TempDir, driver: &str) -> io::Result<Self> {
        let mut failed = io::Error::from(io::ErrorKind::NotFound);
        for program in PROGRAMS {
            match Process::start(program, directory.path(), driver).await {
                Ok(Process { child, requests, answers }) => {
                    return Ok(Self {
                        child,
                        requests,
                        answers,
                        host: None,
                        shows: true,
                        secrets: Vec::new(),
                        open_question: None,
                        canceled: HashSet::new(),
                        _directory: directory,
                    });
                }
                // What one that is there says is worth more than that another one isn't.
                Err(error) if failed.kind() == io::ErrorKind::NotFound => failed = error,
                Err(_) => {}
            }
        }
        Err(match (failed.kind(), PROGRAMS) {
            (io::ErrorKind::NotFound, [_, _, ..]) => {
                io::Error::new(failed.kind(), format!("no Python on the PATH: tried {}", PROGRAMS.join(", ")))
            }
            _ => failed,
        })
    }

    /// Sets what answers the questions of code. Without it, each is an error.
    pub(crate) fn with_host(mut self, host: Host) -> Self {
        self.host = Some(host);
        self
    }

    /// Commands have no results but text: figures aren't drawn, and tables aren't made.
    pub(crate) fn without_display(mut self) -> Self {
        self.shows = false;
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
        self.send(&json!({ "id": id, "command": code, "show": self.shows })).await?;
        if let Some(reply) = self.reply(id, Some(cancel)).await? {
            return Ok(reply);
        }
        self.canceled.insert(id.to_owned());
        let unanswered = self.open_question.take();
        self.send(&json!({ "interrupt": id, "unanswered": unanswered })).await?;
        match tokio::time::timeout(GRACE, self.reply(id, None)).await {
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
            // A secret that is a number may have been made one.
            Value::Number(number) if !self.secrets.is_empty() => {
                let text = number.to_string();
                let redacted = self.redacted(&text);
                if redacted == text { Value::Number(number) } else { Value::String(redacted) }
            }
            other => other,
        }
    }

    /// The answer to a command; `None` if it is canceled before. Questions that come before it are answered, or refused if
    /// there is no `cancel` because the command is canceled already. A message is always sent whole, and work for an answer
    /// ends with the cancellation.
    async fn reply(&mut self, id: &str, cancel: Option<&Notify>) -> io::Result<Option<Reply>> {
        let canceled = async || match cancel {
            Some(cancel) => cancel.notified().await,
            None => std::future::pending().await,
        };
        loop {
            let line = tokio::select! {
                biased;
                () = canceled() => return Ok(None),
                line = self.answers.next_line() => line?,
            };
            let line = line.ok_or_else(|| io::Error::other("the Python process ended"))?;
            let answer: Value = match serde_json::from_str(&line) {
                Ok(answer) => answer,
                Err(error) => {
                    let summary = format!("the sandbox can't read an answer of Python: {error}");
                    return Ok(Some(Reply::Raised { cause: summary.clone(), summary }));
                }
            };
            if answer.get("ask").is_none() {
                // That of an earlier command, which has ended with an answer that can't be read.
                if answer["id"] != id {
                    continue;
                }
                return Ok(Some(self.read(&answer)));
            }
            let number = answer["number"].clone();
            let is_late = answer["command"].as_str().is_some_and(|command| self.canceled.contains(command));
            let mut reply = match &self.host {
                _ if cancel.is_none() || is_late => json!({ "error": "canceled" }),
                Some(host) => tokio::select! {
                    biased;
                    () = canceled() => {
                        self.open_question = Some(number);
                        return Ok(None);
                    }
                    reply = host(answer) => reply,
                },
                None => json!({ "error": "nothing answers here" }),
            };
            self.note_secret(&reply);
            reply["number"] = number;
            self.send(&json!({ "reply": reply })).await?;
        }
    }

    /// Takes note of the secret in a reply: as it is, as HTML shows it, and as the JSON of an array or a struct has it.
    fn note_secret(&mut self, reply: &Value) {
        let value = reply.get("value").and_then(Value::as_str).and_then(|value| STANDARD.decode(value).ok());
        let Some(value) = value.and_then(|value| String::from_utf8(value).ok()) else { return };
        let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let quoted = Value::from(value.as_str()).to_string();
        let in_json = quoted[1..quoted.len() - 1].to_owned();
        for form in [value, escaped, in_json] {
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
        // Before the process itself: once that is gone, what it has started can't be told from other processes.
        #[cfg(windows)]
        if let Some(id) = self.child.id() {
            let mut end = std::process::Command::new("taskkill");
            end.args(["/T", "/F", "/PID", &id.to_string()]);
            let _ = end.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
        let _ = self.child.start_kill();
    }
}

impl Drop for Interpreter {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
