//! `brick` on a terminal that asks questions.

use crate::program::{Brick, Running};

const DIALOG: &str = include_str!("dialog.py");

/// Starts `brick` with a terminal as stdin and stderr. [`Running::answer`] types.
pub(crate) fn start(brick: Brick) -> Running {
    brick.behind("python3", &["-c", DIALOG]).env("TERM", "xterm-256color").with_open_stdin().start()
}
