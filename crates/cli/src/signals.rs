//! The signals that end the program: Ctrl-C, SIGTERM, and SIGHUP, which a closed terminal or a lost connection sends. All
//! of them cancel what runs remotely. So do the events that Windows has in their place.
//!
//! `nohup` starts a program with SIGHUP ignored, and that is respected: then the program continues.

#[cfg(feature = "sandbox")]
mod forwarded;
#[cfg(all(feature = "sandbox", unix))]
mod witness;

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
#[cfg(unix)]
use std::task::Poll;

/// The exit code for the first signal; 0 if there was none.
static RECEIVED: AtomicU8 = AtomicU8::new(0);

/// Whether a pager runs.
static IS_PAGING: AtomicBool = AtomicBool::new(false);

/// While this exists, Ctrl-C is the pager's, and this program ignores it. It still gets it, as every program on the
/// terminal does.
pub(crate) struct LeftToPager(());

impl LeftToPager {
    pub(crate) fn begin() -> Self {
        IS_PAGING.store(true, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for LeftToPager {
    fn drop(&mut self) {
        IS_PAGING.store(false, Ordering::Relaxed);
    }
}

/// Whether Ctrl-C ends the work of a prompt, and not the program.
static AT_PROMPT: AtomicBool = AtomicBool::new(false);

/// Whether signals belong to a program that this one runs, and this one goes on.
static FORWARDED: AtomicBool = AtomicBool::new(false);

#[cfg(feature = "sandbox")]
pub(crate) use forwarded::Forwarded;

/// The exit code of a program that SIGHUP ends.
const HUNG_UP: u8 = 129;
/// The exit code of a program that Ctrl-C ends.
const INTERRUPTED: u8 = 130;
/// The exit code of a program that SIGTERM ends.
const TERMINATED: u8 = 143;

/// From now on, Ctrl-C is for [`interrupt`], and the program goes on.
pub(crate) fn belong_to_prompt() {
    AT_PROMPT.store(true, Ordering::Relaxed);
}

/// Waits for Ctrl-C.
pub(crate) async fn interrupt() {
    let mut streams = Streams::open();
    loop {
        if streams.next().await == INTERRUPTED && !IS_PAGING.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// The exit code for the first signal that was received, if any. For work that blocks its thread.
pub(crate) fn received() -> Option<u8> {
    Some(RECEIVED.load(Ordering::Relaxed)).filter(|code| *code != 0)
}

/// Listens to signals from its beginning: one that comes while nothing waits for it is there for the next wait.
pub(crate) struct Listener(Streams);

impl Listener {
    pub(crate) fn begin() -> Self {
        Self(Streams::open())
    }

    /// Waits for the next signal that is for this program. Returns the exit code for it.
    pub(crate) async fn next(&mut self) -> u8 {
        loop {
            let code = self.0.next().await;
            let is_left = IS_PAGING.load(Ordering::Relaxed) || AT_PROMPT.load(Ordering::Relaxed);
            if FORWARDED.load(Ordering::Relaxed) || code == INTERRUPTED && is_left {
                continue;
            }
            let _ = RECEIVED.compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed);
            return code;
        }
    }
}

/// Whether SIGHUP is listened to. Listening replaces what the program was started with, so this is asked first, and once.
#[cfg(unix)]
static HANG_UP: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| !is_hang_up_ignored());

/// The signals, as the exit codes for them. What can't be listened to never comes.
#[cfg(unix)]
struct Streams([(Option<tokio::signal::unix::Signal>, u8); 3]);

#[cfg(unix)]
impl Streams {
    fn open() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let hang_up = if *HANG_UP { signal(SignalKind::hangup()).ok() } else { None };
        Self([
            (signal(SignalKind::interrupt()).ok(), INTERRUPTED),
            (signal(SignalKind::terminate()).ok(), TERMINATED),
            (hang_up, HUNG_UP),
        ])
    }

    async fn next(&mut self) -> u8 {
        std::future::poll_fn(|context| {
            for (stream, code) in &mut self.0 {
                if let Some(stream) = stream
                    && stream.poll_recv(context).is_ready()
                {
                    return Poll::Ready(*code);
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// Windows has events of the console instead, and they get the same exit codes: a closed window is a hang-up, and
/// Ctrl-Break, which other programs send to a program that they have started, and the end of the system are SIGTERM.
/// After a window is closed or the system ends, Windows leaves five seconds.
#[cfg(windows)]
struct Streams {
    interrupt: Option<tokio::signal::windows::CtrlC>,
    break_off: Option<tokio::signal::windows::CtrlBreak>,
    close: Option<tokio::signal::windows::CtrlClose>,
    shut_down: Option<tokio::signal::windows::CtrlShutdown>,
}

#[cfg(windows)]
impl Streams {
    fn open() -> Self {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        Self {
            interrupt: ctrl_c().ok(),
            break_off: ctrl_break().ok(),
            close: ctrl_close().ok(),
            shut_down: ctrl_shutdown().ok(),
        }
    }

    async fn next(&mut self) -> u8 {
        /// Waits for one kind of event. What can't be listened to never comes.
        macro_rules! received {
            ($events:expr) => {
                async {
                    match &mut $events {
                        Some(events) => events.recv().await,
                        None => std::future::pending().await,
                    }
                }
            };
        }
        tokio::select! {
            _ = received!(self.interrupt) => INTERRUPTED,
            _ = received!(self.break_off) => TERMINATED,
            _ = received!(self.close) => HUNG_UP,
            _ = received!(self.shut_down) => TERMINATED,
        }
    }
}

/// Whether the program was started with SIGHUP ignored. Linux says so; elsewhere a program that `nohup` starts is known by
/// its stderr, which is never a terminal.
#[cfg(unix)]
fn is_hang_up_ignored() -> bool {
    use std::io::IsTerminal;
    match std::fs::read_to_string("/proc/self/status") {
        Ok(status) => is_first_ignored(&status),
        Err(_) => !std::io::stderr().is_terminal(),
    }
}

/// Whether the mask of ignored signals has the first one, SIGHUP.
#[cfg(unix)]
fn is_first_ignored(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::process::Command;

    use super::{Streams, TERMINATED, is_first_ignored};

    #[test]
    fn the_mask_says_whether_a_hang_up_is_ignored() {
        assert!(is_first_ignored("Name:\tbrick\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\n"));
        assert!(!is_first_ignored("SigIgn:\t0000000000001000\nSigCgt:\t0000000000000001\n"));
        assert!(!is_first_ignored("SigIgn:\tx\n") && !is_first_ignored(""));
    }

    #[tokio::test]
    async fn a_signal_that_comes_between_two_waits_is_there_for_the_second() {
        let mut streams = Streams::open();
        for _ in 0..2 {
            let kill = Command::new("kill").args(["-TERM", &std::process::id().to_string()]).status();
            assert!(kill.unwrap().success());
            assert_eq!(streams.next().await, TERMINATED);
        }
    }
}
