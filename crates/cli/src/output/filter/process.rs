//! The process in which a filter runs: `brick __filter CODE`. It reads the JSON from its stdin and writes frames to its
//! stdout, which the parent prints as they come.
//!
//! What the process bounds:
//!
//! - Ctrl-C ends a filter at once: the parent kills the process. If the parent dies, the process sees the end of its stdin.
//! - Recursion ends with the stack, and is an error of the command instead of a crash.
//! - Memory is limited, on systems that can: [`memory`].
//! - The number of results is limited: [`results`].
//! - The environment is empty, so `env` and `$ENV` show no secrets.

use std::{
    env,
    io::{self, Read, Write},
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::Duration,
};

use crate::{
    failure::Failure,
    output::jq::{End, STACK, apply, shortened},
    signals, terminal,
};

/// The argument that makes a process a filter.
const CHILD: &str = "__filter";

/// `CREATE_NEW_PROCESS_GROUP`.
#[cfg(windows)]
const NEW_PROCESS_GROUP: u32 = 0x200;

/// How often the parent looks whether it was interrupted.
const LOOK: Duration = Duration::from_millis(50);

/// How much of what a filter writes to stderr is shown, in bytes.
const MESSAGES: usize = 64 << 10;

/// How much memory a filter may use for this many bytes of JSON: 1 GiB, and 64 times the JSON. A small object takes about 30
/// times its text.
fn memory(json: usize) -> u64 {
    (1 << 30) + STACK as u64 + 64 * json as u64
}

/// How many results a filter may have for this many bytes of JSON: ten million, or one for each byte if those are more.
fn results(json: usize) -> u64 {
    (json as u64).max(10_000_000)
}

/// A frame starts with this byte and the length of its content.
const RESULT: u8 = b'r';
/// What `stderr` and `debug` write.
const MESSAGE: u8 = b'm';
const FAILED: u8 = b'f';
/// The exit code of `halt` or `halt_error`.
const HALTED: u8 = b'h';
const DONE: u8 = b'd';
/// Not sent: nothing has come for a while.
const IDLE: u8 = b' ';

/// Applies a filter to JSON text, and writes each result on a line.
///
/// A filter that fails on the data is not a wrong command line: by then the work is done.
pub(in crate::output) fn filter(code: &str, json: &[u8], out: &mut dyn Write) -> Result<(), Failure> {
    let mut process = Process::start(code, json)?;
    let mut message = None::<String>;
    let (mut count, mut shown) = (0_u64, 0_usize);
    loop {
        let (kind, content) = match process.frame()? {
            Some(frame) => frame,
            None => {
                message.iter().for_each(|message: &String| terminal::tell(message));
                return Err(failed(&process.why_it_died(json.len())));
            }
        };
        if kind != HALTED
            && let Some(message) = message.take()
        {
            terminal::tell(&message);
        }
        match kind {
            RESULT => {
                count += 1;
                if count > results(json.len()) {
                    let most = results(json.len());
                    return Err(failed(&format!("the filter produced more than {most} results")));
                }
                out.write_all(&content)?;
                out.write_all(b"\n")?;
            }
            MESSAGE => {
                shown += content.len();
                let text = String::from_utf8_lossy(&content);
                message = (shown <= MESSAGES).then(|| text.trim_end().to_owned());
            }
            IDLE => {}
            DONE => return Ok(()),
            HALTED if content == b"0" => {
                message.iter().for_each(|message| terminal::tell(message));
                return Ok(());
            }
            HALTED => {
                let said = message.map(|text| format!(": {text}")).unwrap_or_default();
                let code = String::from_utf8_lossy(&content);
                return Err(failed(&format!("the filter exited with {code}{said}")));
            }
            _ => return Err(failed(&String::from_utf8_lossy(&content))),
        }
    }
}

fn failed(why: &str) -> Failure {
    let hint = "the command itself succeeded; only its output could not be filtered";
    Failure::from(io::Error::other(format!("--jq: {why}"))).with_hint(hint)
}

/// The process, as its parent sees it. Dropping it kills it.
struct Process {
    child: Child,
    blocks: Receiver<Vec<u8>>,
    /// What has been received and not been read.
    text: Vec<u8>,
    at: usize,
    errors: thread::JoinHandle<Vec<u8>>,
}

impl Process {
    fn start(code: &str, json: &[u8]) -> io::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.args([CHILD, code]).env_clear();
        // Windows finds its own libraries by these.
        #[cfg(windows)]
        command.envs(env::vars_os().filter(|(name, _)| {
            ["SystemRoot", "PATH"].iter().any(|needed| name.eq_ignore_ascii_case(needed))
        }));
        // Ctrl-C is the parent's to handle.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        #[cfg(windows)]
        std::os::windows::process::CommandExt::creation_flags(&mut command, NEW_PROCESS_GROUP);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (mut stdin, mut stdout, mut stderr) =
            match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
                (Some(stdin), Some(stdout), Some(stderr)) => (stdin, stdout, stderr),
                _ => return Err(io::Error::other("a process has no pipes")),
            };
        let errors = thread::spawn(move || {
            let mut errors = Vec::new();
            let _ = stderr.by_ref().take(MESSAGES as u64).read_to_end(&mut errors);
            let _ = io::copy(&mut stderr, &mut io::sink());
            errors
        });
        let (give, blocks) = sync_channel(4);
        thread::spawn(move || {
            loop {
                let mut block = vec![0; 64 << 10];
                match stdout.read(&mut block) {
                    Ok(read) if read > 0 => block.truncate(read),
                    _ => return,
                }
                if give.send(block).is_err() {
                    return;
                }
            }
        });
        // A process that dies early doesn't read all of it, and says why in another way.
        let _ = stdin.write_all(&(json.len() as u64).to_le_bytes()).and_then(|()| stdin.write_all(json));
        child.stdin = Some(stdin);
        Ok(Self { child, blocks, text: Vec::new(), at: 0, errors })
    }

    /// The next frame, or `None` if the process has died.
    fn frame(&mut self) -> Result<Option<(u8, Vec<u8>)>, Failure> {
        const HEAD: usize = 9;
        loop {
            let text = &self.text[self.at..];
            if let Some((head, rest)) = text.split_first_chunk::<HEAD>() {
                let length = usize::try_from(u64::from_le_bytes([
                    head[1], head[2], head[3], head[4], head[5], head[6], head[7], head[8],
                ]));
                if let Some(content) = length.ok().and_then(|length| rest.get(..length)) {
                    let frame = (head[0], content.to_vec());
                    self.at += HEAD + frame.1.len();
                    return Ok(Some(frame));
                }
            }
            match self.blocks.recv_timeout(LOOK) {
                Ok(block) => {
                    self.text.drain(..self.at);
                    self.at = 0;
                    self.text.extend_from_slice(&block);
                }
                Err(RecvTimeoutError::Timeout) => {
                    if signals::received().is_none() {
                        return Ok(Some((IDLE, Vec::new())));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
            if signals::received().is_some() {
                return Err(Failure::from(io::Error::from(io::ErrorKind::Interrupted)));
            }
        }
    }

    /// Why the process ended without saying so.
    fn why_it_died(&mut self, json: usize) -> String {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let errors = std::mem::replace(&mut self.errors, thread::spawn(Vec::new)).join().unwrap_or_default();
        let errors = String::from_utf8_lossy(&errors);
        if errors.contains("overflowed its stack") {
            return format!("the filter recurses too deeply: its stack is limited to {} MiB", STACK >> 20);
        }
        if errors.contains("memory allocation of") {
            return format!("the filter needs more memory than its limit: {} MiB", memory(json) >> 20);
        }
        let last = errors.trim().lines().last().unwrap_or("it was killed");
        format!("the filter ended unexpectedly: {}", shortened(last))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a filter if this process was started for that. Returns whether it was.
pub(crate) fn run_if_child() -> bool {
    let mut words = env::args_os().skip(1);
    let (Some(CHILD), Some(code), None) =
        (words.next().as_ref().and_then(|word| word.to_str()), words.next(), words.next())
    else {
        return false;
    };
    let code = code.to_string_lossy().into_owned();
    let run = thread::Builder::new().stack_size(STACK).spawn(move || run(&code));
    // The parent reports a process that has not said how it ended.
    drop(run.map(thread::JoinHandle::join));
    true
}

fn run(code: &str) {
    let mut length = [0; 8];
    let mut stdin = io::stdin();
    if stdin.read_exact(&mut length).is_err() {
        return;
    }
    let length = u64::from_le_bytes(length);
    let Ok(size) = usize::try_from(length) else { return };
    limit(size);
    let mut json = Vec::with_capacity(size);
    if stdin.by_ref().take(length).read_to_end(&mut json).is_err() {
        return;
    }
    thread::spawn(|| {
        // Nothing more comes: this is the end of the parent.
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(1);
    });
    if log::set_logger(&Messages).is_ok() {
        log::set_max_level(log::LevelFilter::Debug);
    }
    match apply(code, &json, |result| write(RESULT, result)) {
        Ok(End::Done) => write(DONE, b""),
        Ok(End::Halted(code)) => write(HALTED, code.to_string().as_bytes()),
        Err(error) => write(FAILED, error.as_bytes()),
    };
    if let Ok(mut out) = OUT.lock() {
        let _ = out.as_mut().map(Write::flush);
    }
}

/// Limits the memory of this process, where the system can. A crash leaves no file with the data in it.
fn limit(json: usize) {
    #[cfg(unix)]
    {
        use rlimit::Resource;
        let _ = Resource::CORE.set(0, 0);
        let most = memory(json);
        let _ = Resource::DATA.set(most, most);
    }
    #[cfg(not(unix))]
    let _ = json;
}

static OUT: Mutex<Option<io::BufWriter<io::Stdout>>> = Mutex::new(None);

/// Writes a frame. Returns whether it is worth going on.
fn write(kind: u8, content: &[u8]) -> bool {
    let Ok(mut out) = OUT.lock() else { return false };
    let out = out.get_or_insert_with(|| io::BufWriter::with_capacity(64 << 10, io::stdout()));
    let length = (content.len() as u64).to_le_bytes();
    let is_written = [&[kind][..], &length, content].iter().all(|part| out.write_all(part).is_ok());
    // A message is for someone who waits.
    is_written && (kind != MESSAGE || out.flush().is_ok())
}

/// The interpreter logs what `stderr` and `debug` write.
struct Messages;

impl log::Log for Messages {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let text = record.args();
        let text = if record.level() == log::Level::Debug {
            format!("[\"DEBUG:\",{text}]")
        } else {
            text.to_string()
        };
        write(MESSAGE, text.as_bytes());
    }

    fn flush(&self) {}
}
