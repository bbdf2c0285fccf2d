//! The pager: which program it is, and its process. While it runs, Ctrl-C is the pager's.

use std::{
    env,
    io::{self, Write},
    process::{Child, ChildStdin, Stdio},
};

use crate::{command_line, failure::Failure, signals::LeftToPager};

/// The command line of the pager, if there is one: BRICK_PAGER, PAGER, or `less`. A blank value and `cat` mean none. The
/// `more` of Windows is not used unless it is named: it reads text in the code page of the console, which is not UTF-8.
pub(super) fn command() -> Option<String> {
    chosen(|name| env::var(name).ok(), is_installed)
}

fn chosen(variable: impl Fn(&str) -> Option<String>, is_installed: impl Fn(&str) -> bool) -> Option<String> {
    if variable("TERM").is_some_and(|name| name == "dumb") {
        return None;
    }
    let given = variable("BRICK_PAGER").or_else(|| variable("PAGER"));
    let command = given.or_else(|| is_installed("less").then(|| "less".to_owned()))?;
    let command = command.trim();
    (!command.is_empty() && command != "cat").then(|| command.to_owned())
}

fn is_installed(program: &str) -> bool {
    let name = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(&name).is_file()))
}

/// A pager that runs.
pub(super) struct Pager {
    child: Child,
    /// `None` once the pager has all the text, or has ended.
    text: Option<ChildStdin>,
    command: String,
    _interrupts: LeftToPager,
}

impl Pager {
    pub(super) fn start(command: &str) -> io::Result<Self> {
        let mut program = command_line::program(command);
        // less: leave if the text fits, show colors, cut long lines, and leave the text on the screen.
        for (name, value) in [("LESS", "FRSX"), ("LESSCHARSET", "utf-8")] {
            if env::var_os(name).is_none() {
                program.env(name, value);
            }
        }
        // Before it starts, so that no interrupt of its time is taken for one of ours.
        let interrupts = LeftToPager::begin();
        let mut child = program.stdin(Stdio::piped()).spawn()?;
        let text = child.stdin.take();
        Ok(Self { child, text, command: command.to_owned(), _interrupts: interrupts })
    }

    /// Gives the pager more text. Does nothing once it has ended.
    pub(super) fn write(&mut self, text: &[u8]) -> io::Result<()> {
        let Some(pipe) = &mut self.text else { return Ok(()) };
        match pipe.write_all(text) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.text = None;
                Ok(())
            }
            written => written,
        }
    }

    /// Whether the pager wants no more text, because it has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.text.is_none()
    }

    /// Waits until the reader leaves the pager, whatever its exit code. Fails if it could not be started.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        self.text = None;
        match self.child.wait()?.code() {
            // A shell's codes for a program that it can't run.
            Some(126 | 127) => Err(Failure::local(format!("cannot run the pager: {}", self.command))
                .with_hint("use --no-pager, or set BRICK_PAGER to another program")),
            _ => Ok(()),
        }
    }
}

impl Drop for Pager {
    /// Leaves the terminal to the pager until it ends, when an error follows.
    fn drop(&mut self) {
        self.text = None;
        // After `end`, the process is known to have ended.
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::chosen;

    #[test]
    fn the_environment_chooses_the_pager() {
        for (variables, has_less, expected) in [
            (&[][..], true, Some("less")),
            (&[], false, None),
            (&[("PAGER", "more -s ")], true, Some("more -s")),
            (&[("PAGER", "more"), ("BRICK_PAGER", "less -S")], true, Some("less -S")),
            (&[("PAGER", "more"), ("BRICK_PAGER", "")], true, None),
            (&[("PAGER", " ")], true, None),
            (&[("PAGER", "cat")], true, None),
            (&[("PAGER", "more"), ("TERM", "dumb")], true, None),
        ] {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(chosen(variable, |_| has_less).as_deref(), expected, "{variables:?}");
        }
    }
}
