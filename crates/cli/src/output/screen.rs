//! A terminal that text is written to. A text that is longer than the terminal goes to the pager.
//!
//! The text is held until it is longer than the terminal or at its end. Its control characters have been escaped where it
//! was laid out; only the sequences that set colors pass here.

use std::io::{self, Write};

use super::{
    grid::Size,
    pager::{self, Pager},
};
use crate::{failure::Failure, terminal};

/// A terminal.
pub(super) struct Screen {
    state: State,
    /// The pager's command line.
    pager: Option<String>,
    size: Size,
}

enum State {
    /// A text that may fit, and the number of lines that it takes.
    Held(String, usize),
    Direct,
    Paged(Pager),
}

impl Screen {
    pub(super) fn new(may_page: bool) -> Self {
        let pager = if may_page { pager::command() } else { None };
        let size = Size::of_stdout();
        let pager = pager.filter(|_| size.lines.is_some());
        let state = if pager.is_some() { State::Held(String::new(), 0) } else { State::Direct };
        Self { state, pager, size }
    }

    /// Writes whole lines, and leaves the buffer empty.
    pub(super) fn write(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        let text = terminal::escaped_but_for_colors(&String::from_utf8_lossy(lines));
        lines.clear();
        match &mut self.state {
            State::Direct => direct(&text),
            State::Paged(pager) => pager.write(text.as_bytes()),
            State::Held(held, height) => {
                let plain = terminal::without_colors(&text);
                *height += plain.lines().map(|line| self.size.height(line)).sum::<usize>();
                held.push_str(&text);
                if *height <= self.size.most_lines() {
                    return Ok(());
                }
                let held = std::mem::take(held);
                self.page(&held)
            }
        }
    }

    fn page(&mut self, text: &str) -> io::Result<()> {
        let command = self.pager.as_deref().unwrap_or_default();
        match Pager::start(command) {
            Ok(mut pager) => {
                pager.write(text.as_bytes())?;
                self.state = State::Paged(pager);
                Ok(())
            }
            Err(error) => {
                terminal::tell(&format!("warning: cannot start the pager {command}: {error}"));
                self.state = State::Direct;
                direct(text)
            }
        }
    }

    /// Whether the reader has left the pager, so that more text would not be seen.
    pub(super) fn is_left(&self) -> bool {
        matches!(&self.state, State::Paged(pager) if pager.has_ended())
    }

    /// Shows what is left, and waits for the pager.
    pub(super) fn end(self) -> Result<(), Failure> {
        match self.state {
            State::Held(text, _) => Ok(direct(&text)?),
            State::Direct => Ok(()),
            State::Paged(pager) => pager.end(),
        }
    }
}

fn direct(text: &str) -> io::Result<()> {
    let mut stdout = anstream::AutoStream::always_ansi(io::stdout().lock());
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
