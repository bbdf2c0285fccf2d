//! The prompt: reads lines with editing, completion and history, and runs work that Ctrl-C cancels.
//!
//! The editor blocks its thread and has the terminal in raw mode while it reads, so it sees Ctrl-C itself. While work runs,
//! Ctrl-C is a signal, which must end the work and not the program: see `signals::belong_to_prompt`.

pub(crate) mod commands;
mod history;
pub(crate) mod names;
pub(crate) mod python;

use std::{
    env,
    io::{self, IsTerminal},
};

use rustyline::{
    CompletionType, Config, Editor, config::BellStyle, error::ReadlineError, history::FileHistory,
};

use crate::{
    context::Context,
    failure::{Failure, Result},
    report, signals, terminal,
};
use history::History;
use names::Names;

/// What was typed.
pub(crate) enum Input {
    Line(String),
    /// Ctrl-C: what was typed so far is dropped.
    Dropped,
    /// Ctrl-D.
    End,
}

/// A prompt.
pub(crate) struct Repl {
    /// With the thread that reads, while it reads.
    editor: Option<Box<Editor<Names, FileHistory>>>,
    history: History,
}

/// Whether the terminal that TERM names can move its cursor. Windows sets no TERM, and its consoles can.
fn can_move_cursor(term: Option<&str>, is_windows: bool) -> bool {
    match term {
        None | Some("") => is_windows,
        Some(name) => name != "dumb",
    }
}

/// Whether a person is at both ends.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

impl Repl {
    /// A prompt whose history is in the file of this name.
    ///
    /// # Errors
    /// Usage, for a terminal that can't move its cursor.
    pub(crate) fn new(history: &str, names: Names) -> Result<Self> {
        if !can_move_cursor(env::var("TERM").ok().as_deref(), cfg!(windows)) {
            return Err(Failure::usage(
                "the prompt needs a terminal that can move the cursor, and TERM is dumb or unset",
            )
            .with_hint("pass the text as an argument, name a file with -f, or pipe it in"));
        }
        let history = History::named(history);
        let config = Config::builder()
            .max_history_size(history::ENTRIES)
            .map_err(unreadable)?
            .history_ignore_space(true)
            .auto_add_history(false)
            .completion_type(CompletionType::List)
            .bell_style(BellStyle::None)
            .build();
        let mut editor = Editor::with_config(config).map_err(unreadable)?;
        editor.set_helper(Some(names));
        history.load(&mut editor);
        Ok(Self { editor: Some(Box::new(editor)), history })
    }

    /// Reads a line. From now on, Ctrl-C ends work and not the program.
    pub(crate) async fn read(&mut self, prompt: &str) -> Result<Input> {
        let Some(mut editor) = self.editor.take() else { return Ok(Input::End) };
        signals::belong_to_prompt();
        #[cfg(unix)]
        let _kept = KeptTerminal::begin();
        let prompt = terminal::escaped_line(prompt).into_owned();
        let reading = tokio::task::spawn_blocking(move || {
            let line = editor.readline(&prompt);
            (editor, line)
        });
        let (editor, line) = reading.await.map_err(|e| Failure::local(format!("cannot read a line: {e}")))?;
        self.editor = Some(editor);
        match line {
            Ok(line) => Ok(Input::Line(line)),
            Err(ReadlineError::Interrupted) => Ok(Input::Dropped),
            Err(ReadlineError::Eof) => Ok(Input::End),
            Err(error) => Err(unreadable(error)),
        }
    }

    /// Keeps what was typed, unless it may hold a secret.
    pub(crate) fn remember(&mut self, text: &str) {
        if let Some(editor) = &mut self.editor {
            self.history.add(editor, text);
        }
    }

    /// What completes names.
    pub(crate) fn names(&mut self) -> Option<&mut Names> {
        self.editor.as_mut()?.helper_mut()
    }
}

/// Puts the terminal back if a signal ends the command while the editor's thread still reads.
#[cfg(unix)]
struct KeptTerminal(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl KeptTerminal {
    fn begin() -> Self {
        Self(rustix::termios::tcgetattr(std::io::stdin()).ok())
    }
}

#[cfg(unix)]
impl Drop for KeptTerminal {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        if let Some(before) = &self.0 {
            // Nothing can be done about a terminal that is gone.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

fn unreadable(error: ReadlineError) -> Failure {
    match error {
        ReadlineError::Io(error) => error.into(),
        error => Failure::local(format!("cannot read from the terminal: {error}")),
    }
}

/// Runs work that Ctrl-C ends. What it started is canceled, and its end is waited for. Returns whether it succeeded; why
/// it didn't is printed.
pub(crate) async fn run(context: &Context, work: impl Future<Output = Result>) -> bool {
    context.progress().resume();
    let done = tokio::select! {
        biased;
        () = signals::interrupt() => None,
        done = work => Some(done),
    };
    context.progress().clear();
    match done {
        Some(Ok(())) => true,
        Some(Err(failure)) => {
            report::tell(&failure);
            false
        }
        None => {
            context.settle(true).await;
            terminal::tell("canceled");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::can_move_cursor;

    #[test]
    fn a_terminal_without_a_name_is_a_console_of_windows_or_none() {
        for (term, elsewhere, on_windows) in [
            (None, false, true),
            (Some(""), false, true),
            (Some("dumb"), false, false),
            (Some("xterm-256color"), true, true),
        ] {
            assert_eq!(
                (can_move_cursor(term, false), can_move_cursor(term, true)),
                (elsewhere, on_windows),
                "{term:?}"
            );
        }
    }
}
