//! Questions on a terminal. They are written to stderr, because stdout is for data, and answers are read from stdin.
//!
//! A line is read by a thread that blocks. If its answer is no longer needed, because the login has come back in another
//! way, the line goes to the next question. For a secret the echo is off; the guard that turns it on again belongs to the
//! command's future, which an interrupt drops, and not to the thread, which an interrupt leaves behind.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use brickwire_actions::Secret;
use tokio::{sync::Mutex, task::JoinHandle};

use crate::{
    failure::{Failure, Result},
    terminal,
};

/// The longest answer, in bytes.
const LONGEST: u64 = 64 << 10;

/// The line that is being read; `None` at the end of the input.
static READING: Mutex<Option<JoinHandle<io::Result<Option<String>>>>> = Mutex::const_new(None);

/// Whether there is a person to ask.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a line, without the blanks around it.
pub(crate) async fn line(question: &str) -> Result<String> {
    show(question);
    Ok(read().await?.trim().to_owned())
}

/// Asks for a line; an empty one stands for the default, if there is one. Otherwise the question is repeated.
pub(crate) async fn line_or(question: &str, default: Option<&str>) -> Result<String> {
    let question = match default {
        Some(default) => format!("{question} [{default}]: "),
        None => format!("{question}: "),
    };
    loop {
        match (line(&question).await?, default) {
            (answer, Some(default)) if answer.is_empty() => return Ok(default.to_owned()),
            (answer, None) if answer.is_empty() => continue,
            (answer, _) => return Ok(answer),
        }
    }
}

/// Asks a question that is answered with yes or no.
pub(crate) async fn yes(question: &str, default: bool) -> Result<bool> {
    let choices = if default { "[Y/n]" } else { "[y/N]" };
    loop {
        let answer = line(&format!("{question} {choices} ")).await?;
        match answer.to_ascii_lowercase().as_str() {
            "" => return Ok(default),
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => terminal::tell("answer y or n"),
        }
    }
}

/// Asks for a secret, which is not shown.
pub(crate) async fn secret(question: &str) -> Result<Secret> {
    loop {
        let answer = hidden(question).await?;
        if !answer.trim().is_empty() {
            return Ok(Secret::new(answer.trim()));
        }
    }
}

#[cfg(unix)]
async fn hidden(question: &str) -> Result<String> {
    let echo = EchoOff::new()?;
    show(question);
    let answer = read().await;
    drop(echo);
    end_line();
    answer
}

#[cfg(not(unix))]
async fn hidden(question: &str) -> Result<String> {
    show(question);
    let read = tokio::task::spawn_blocking(|| console::Term::stderr().read_secure_line());
    Ok(read.await.map_err(io::Error::other)??)
}

/// Ends the line of a question that needs no answer any more.
pub(crate) fn end_line() {
    show("\n");
}

/// Writes a question. Defaults in it may come from the workspace.
fn show(question: &str) {
    let mut stderr = io::stderr().lock();
    // Ignore the error: the stream may be closed.
    let _ = stderr.write_all(terminal::escaped(question).as_bytes()).and_then(|()| stderr.flush());
}

async fn read() -> Result<String> {
    let mut reading = READING.lock().await;
    let line = reading.get_or_insert_with(|| tokio::task::spawn_blocking(read_line)).await;
    *reading = None;
    line.map_err(io::Error::other)??
        .ok_or_else(|| Failure::usage("the input ended before the question was answered"))
}

fn read_line() -> io::Result<Option<String>> {
    let mut line = Vec::new();
    io::stdin().lock().take(LONGEST).read_until(b'\n', &mut line)?;
    Ok((!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned()))
}

/// The terminal's echo is off while this exists.
#[cfg(unix)]
struct EchoOff(rustix::termios::Termios);

#[cfg(unix)]
impl EchoOff {
    fn new() -> io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes -= LocalModes::ECHO;
        // What was typed ahead has been shown, and is no secret.
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(before))
    }
}

#[cfg(unix)]
impl Drop for EchoOff {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
