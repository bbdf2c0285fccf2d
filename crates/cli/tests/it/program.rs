//! Runs the real `brick`: a clean environment, a home of its own, and a deadline on everything.

use std::{
    ffi::OsStr,
    io::{Read, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        Arc, Condvar, Mutex,
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// What Python is called.
pub(crate) const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// No run takes longer; one that does hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// A command line to be run.
pub(crate) struct Brick {
    command: Command,
    stdin: Option<Vec<u8>>,
    line: String,
    home: TempDir,
}

impl Brick {
    /// `brick` with these arguments, separated by blanks; no connection is configured.
    pub(crate) fn new(arguments: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_brick"));
        command.args(arguments.split_ascii_whitespace()).env_clear().current_dir(home.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home.path());
        #[cfg(windows)]
        {
            // Without these no program of Windows opens a connection or a temporary file.
            let needed = ["SystemRoot", "TEMP", "TMP", "ComSpec", "PATHEXT"];
            command.envs(needed.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
            command.envs(["USERPROFILE", "APPDATA", "LOCALAPPDATA"].map(|name| (name, home.path())));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, stdin: None, line: format!("brick {arguments}"), home }
    }

    /// One more argument, as it is.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.line.push_str(&format!(" {:?}", argument.as_ref()));
        self.command.arg(argument);
        self
    }

    /// More arguments, separated by blanks.
    pub(crate) fn args(self, arguments: &str) -> Self {
        arguments.split_ascii_whitespace().fold(self, Self::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.command.stdin(Stdio::piped());
        self.stdin = Some(bytes.into());
        self
    }

    /// Leaves stdin open, for [`Running::answer`].
    pub(crate) fn with_open_stdin(mut self) -> Self {
        self.command.stdin(Stdio::piped());
        self
    }

    /// A file in the home, which is the working directory too.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.home.path().join(name), content).unwrap();
        self
    }

    /// The same run, started by another program, which is given these arguments and then brick's whole command line.
    #[cfg(unix)]
    pub(crate) fn behind(mut self, program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).arg(self.command.get_program()).args(self.command.get_args());
        command.env_clear().envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        self.command = command;
        self
    }

    /// The same run, with SIGHUP's default action. A test suite that `nohup` starts passes on that SIGHUP is ignored, and
    /// the standard library can't change that.
    #[cfg(unix)]
    pub(crate) fn with_hang_ups(self) -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let is_ignored = mask.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1);
        if is_ignored { self.behind("env", &["--default-signal=HUP"]) } else { self }
    }

    /// The command to start by hand, and the home, which is deleted when it is dropped.
    #[cfg(feature = "mcp")]
    pub(crate) fn into_command(self) -> (Command, TempDir) {
        (self.command, self.home)
    }

    /// Runs to the end.
    pub(crate) fn run(self) -> Ran {
        self.start().end()
    }

    /// Begins to run.
    pub(crate) fn start(self) -> Running {
        let mut running = self.spawn();
        let stdout = running.child.stdout.take().unwrap();
        running.stdout = Some(reading(stdout));
        running
    }

    /// Runs, and closes its stdout after the first line.
    pub(crate) fn run_into_head(self) -> Ran {
        let mut running = self.spawn();
        let mut stdout = running.child.stdout.take().unwrap();
        let (give, take) = mpsc::channel();
        thread::spawn(move || {
            let (mut line, mut byte) = (Vec::new(), [0]);
            while line.last() != Some(&b'\n') && stdout.read(&mut byte).is_ok_and(|read| read == 1) {
                line.push(byte[0]);
            }
            drop(stdout);
            give.send(line).unwrap();
        });
        running.stdout = Some(take);
        running.end()
    }

    /// Runs with this file as its stdout.
    pub(crate) fn run_into(mut self, file: std::fs::File) -> Ran {
        self.command.stdout(file);
        let mut running = self.spawn();
        running.stdout = Some(reading(std::io::empty()));
        running.end()
    }

    fn spawn(mut self) -> Running {
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take();
        if let Some(bytes) = self.stdin.take()
            && let Some(mut pipe) = stdin.take()
        {
            // A program that doesn't read its input is no failure here.
            thread::spawn(move || drop(pipe.write_all(&bytes)));
        }
        let said = Arc::default();
        let stderr = reading(Noting(child.stderr.take().unwrap(), Arc::clone(&said)));
        Running {
            child,
            stdin,
            line: self.line,
            stdout: None,
            stderr,
            said,
            started: Instant::now(),
            _home: self.home,
        }
    }
}

/// A run that hasn't ended.
pub(crate) struct Running {
    child: Child,
    /// Open if it was asked for.
    stdin: Option<ChildStdin>,
    line: String,
    stdout: Option<Receiver<Vec<u8>>>,
    stderr: Receiver<Vec<u8>>,
    /// What it has said so far.
    said: Arc<(Mutex<Vec<u8>>, Condvar)>,
    started: Instant,
    /// Deleted when the run has ended.
    _home: TempDir,
}

impl Running {
    /// Sends a signal such as INT.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    }

    /// Waits until these words stand on stderr.
    pub(crate) fn until_said(self, words: &str) -> Self {
        let (said, more) = &*self.said;
        let is_missing = |said: &mut Vec<u8>| !String::from_utf8_lossy(said).contains(words);
        let (said, waited) = more.wait_timeout_while(said.lock().unwrap(), LIMIT, is_missing).unwrap();
        let text = String::from_utf8_lossy(&said).into_owned();
        drop(said);
        assert!(!waited.timed_out(), "{} doesn't say {words:?}: {text}", self.line);
        self
    }

    /// Waits for a question on stderr, and types an answer and Enter. Nothing but the answer is typed if it is a control
    /// character.
    pub(crate) fn answer(self, question: &str, answer: &str) -> Self {
        let mut running = self.until_said(question);
        let end = if answer.starts_with(|c: char| c.is_control()) { "" } else { "\n" };
        running.stdin.as_mut().unwrap().write_all(format!("{answer}{end}").as_bytes()).unwrap();
        running
    }

    /// What stands on stderr so far.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.0.lock().unwrap()).into_owned()
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ran {
        let left = || LIMIT.saturating_sub(self.started.elapsed());
        let stdout = self.stdout.as_ref().unwrap().recv_timeout(left());
        let stderr = self.stderr.recv_timeout(left());
        let (Ok(stdout), Ok(stderr)) = (stdout, stderr) else {
            self.child.kill().unwrap();
            panic!("it hangs: {}", self.line);
        };
        let status = self.child.wait().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{}: {stderr}", self.line);
        Ran { line: self.line, status, stdout, stderr }
    }
}

/// Notes what is read.
struct Noting<R>(R, Arc<(Mutex<Vec<u8>>, Condvar)>);

impl<R: Read> Read for Noting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1.0.lock().unwrap().extend_from_slice(&buffer[..read]);
        self.1.1.notify_all();
        Ok(read)
    }
}

fn reading(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (give, take) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        // The test may have ended already.
        drop(give.send(bytes));
    });
    take
}

/// How a run ended.
pub(crate) struct Ran {
    line: String,
    status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    /// Asserts that it succeeded.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.status.code(), Some(0), "{}: {}{}", self.line, self.text(), self.stderr);
        self
    }

    /// Asserts that it failed in this way, with nothing on stdout, and said these words.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, words: &[&str]) -> Self {
        let ran = self.exits(code, words);
        assert_eq!(ran.text(), "", "{} failed and has output all the same", ran.line);
        ran
    }

    /// Asserts that it ended with this exit status and said these words on stderr.
    #[track_caller]
    pub(crate) fn exits(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}: {}{}", self.line, self.text(), self.stderr);
        self.says(words)
    }

    /// The exit code, unless a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Asserts that these words stand on stderr.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "{} doesn't say {word:?}: {}", self.line, self.stderr);
        }
        self
    }

    /// Asserts that stderr is empty.
    #[track_caller]
    pub(crate) fn silent(self) -> Self {
        assert_eq!(self.stderr, "", "{}", self.line);
        self
    }

    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or_else(|e| panic!("{}: {e}: {}", self.line, self.text()))
    }

    /// The error that stands on stderr as one line of JSON, after what was told on the way.
    #[track_caller]
    pub(crate) fn json_error(&self) -> Value {
        let last = self.stderr.lines().last().unwrap_or_default();
        let error: Value =
            serde_json::from_str(last).unwrap_or_else(|e| panic!("{}: {e}: {}", self.line, self.stderr));
        error["error"].clone()
    }

    /// Everything that was printed.
    pub(crate) fn printed(&self) -> String {
        format!("{}\n{}", String::from_utf8_lossy(&self.stdout), self.stderr)
    }
}
