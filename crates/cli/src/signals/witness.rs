//! Tells Ctrl-C from a signal for this program alone. A signal doesn't say where it comes from, but Ctrl-C reaches every
//! program of the terminal's group. So there is one more in this program's group, which does nothing: if it ends with this
//! program's SIGINT, the whole group has got it.

use std::{os::unix::process::ExitStatusExt, process::Stdio, time::Duration};

use rustix::process::Signal;
use tokio::process::{Child, ChildStdin, Command};

/// How long the witness may take to end. If it takes longer, a program gets Ctrl-C twice.
const END: Duration = Duration::from_secs(1);

/// What some shells end with, instead of with the signal.
const INTERRUPTED: i32 = 130;

/// A shell that waits for an input that never comes. It ends with this program, too, since its input is closed then.
pub(super) struct Witness(Option<(Child, ChildStdin)>);

impl Witness {
    /// Starts one. Without it, no signal is known to be for the whole group.
    pub(super) fn begin() -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "read -r _"]).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().ok().and_then(|mut child| {
            // Waiting would close it.
            let stdin = child.stdin.take()?;
            Some((child, stdin))
        }))
    }

    /// Whether the SIGINT that this program has just got was for the whole group.
    pub(super) async fn was_interrupted(&mut self) -> bool {
        let Some((child, _)) = &mut self.0 else { return false };
        let Ok(ended) = tokio::time::timeout(END, child.wait()).await else { return false };
        *self = Self::begin();
        ended.is_ok_and(|status| {
            status.signal() == Some(Signal::INT.as_raw()) || status.code() == Some(INTERRUPTED)
        })
    }
}
