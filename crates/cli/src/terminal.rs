//! Decides what may reach a terminal. Names, cells, and messages come from the workspace and from files. Their
//! authors must not be able to clear the screen, move the cursor, set the title, or reorder what is read.
//!
//! Control characters and bidirectional controls are shown as `\u001b`, in JSON's notation, so that JSON on a terminal
//! remains JSON. Line breaks and tabs stay, except where a text has to fit on one line. Data in files and pipes stays
//! byte for byte. Messages on stderr are always escaped: a log file is read on a terminal, too.

mod escape;

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
};

use anstream::AutoStream;
use brickwire_actions::redact;

use crate::color;

use escape::Escaping;
pub(crate) use escape::{cut, escaped, escaped_but_for_colors, escaped_line, is_control, without_colors};

/// Writes lines to stderr for people, in one piece and without the credentials in use. Errors are ignored: stderr may be closed.
pub(crate) fn tell(text: &str) {
    tell_all(&[text]);
}

/// As [`tell`], for several messages.
pub(crate) fn tell_all(messages: &[&str]) {
    let has_colors = color::is_for_messages();
    let mut lines = String::new();
    for message in messages {
        let message = redact::text(message);
        let message = escaped(&message);
        lines.push_str(&if has_colors { color::labeled(&message) } else { Cow::Borrowed(message.as_ref()) });
        lines.push('\n');
    }
    let _ = match has_colors {
        // Older consoles of Windows have to be told that colors follow.
        true => AutoStream::always_ansi(io::stderr()).write_all(lines.as_bytes()),
        false => io::stderr().write_all(lines.as_bytes()),
    };
}

/// Stderr for text that comes in whole lines, such as a log.
pub(crate) struct Messages;

impl Write for Messages {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        io::stderr().write_all(escaped(&redact::text(&text)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Stdout: escaped on a terminal, and byte for byte everywhere else.
pub(crate) fn stdout() -> Box<dyn Write + Send> {
    let stdout = io::stdout();
    if stdout.is_terminal() { Box::new(Escaping::new(stdout)) } else { Box::new(stdout) }
}
