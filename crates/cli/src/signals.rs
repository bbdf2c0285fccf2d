//! The signals that end the program: Ctrl-C, SIGTERM, and SIGHUP, which a closed terminal or a lost connection sends. All
//! of them cancel what runs remotely. So do the events that Windows has in their place.
//!
//! `nohup` starts a program with SIGHUP ignored, and that is respected: then the program continues.

#[cfg(feature = "sandbox")]
mod forwarded;
#[cfg(all(feature = "sandbox", unix))]
mod witness;

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

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

/// The exit code of a program that Ctrl-C ends.
const INTERRUPTED: u8 = 130;

/// From now on, Ctrl-C is for [`interrupt`], and the program goes on.
pub(crate) fn belong_to_prompt() {
    AT_PROMPT.store(true, Ordering::Relaxed);
}

/// Waits for Ctrl-C.
pub(crate) async fn interrupt() {
    while wait().await != INTERRUPTED {}
}

/// The exit code for the first signal that was received, if any. For work that blocks its thread.
pub(crate) fn received() -> Option<u8> {
    Some(RECEIVED.load(Ordering::Relaxed)).filter(|code| *code != 0)
}

/// Waits for the next signal. Returns the exit code for it.
pub(crate) async fn next() -> u8 {
    let mut code = wait().await;
    while FORWARDED.load(Ordering::Relaxed) || code == INTERRUPTED && AT_PROMPT.load(Ordering::Relaxed) {
        code = wait().await;
    }
    let _ = RECEIVED.compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed);
    code
}

/// Whether SIGHUP is listened to. Listening replaces what the program was started with, so this is asked first, and once.
#[cfg(unix)]
static HANG_UP: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| !is_hang_up_ignored());

#[cfg(unix)]
async fn wait() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let next = async |kind: SignalKind, code: u8| {
        if let Ok(mut signals) = signal(kind) {
            signals.recv().await;
            while kind == SignalKind::interrupt() && IS_PAGING.load(Ordering::Relaxed) {
                signals.recv().await;
            }
            return code;
        }
        std::future::pending().await
    };
    let hang_up = async {
        match *HANG_UP {
            true => next(SignalKind::hangup(), 129).await,
            false => std::future::pending().await,
        }
    };
    tokio::select! {
        code = next(SignalKind::interrupt(), INTERRUPTED) => code,
        code = next(SignalKind::terminate(), 143) => code,
        code = hang_up => code,
    }
}

/// Windows has events of the console instead, and they get the same exit codes: a closed window is a hang-up, and
/// Ctrl-Break, which other programs send to a program that they have started, and the end of the system are SIGTERM.
/// After a window is closed or the system ends, Windows leaves five seconds.
#[cfg(windows)]
async fn wait() -> u8 {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
    /// Waits for one kind of event, unless it can't be listened to.
    macro_rules! next {
        ($event:ident, $code:expr) => {
            async {
                match $event() {
                    Ok(mut events) => {
                        events.recv().await;
                        while $code == INTERRUPTED && IS_PAGING.load(Ordering::Relaxed) {
                            events.recv().await;
                        }
                        $code
                    }
                    Err(_) => std::future::pending().await,
                }
            }
        };
    }
    tokio::select! {
        code = next!(ctrl_c, INTERRUPTED) => code,
        code = next!(ctrl_break, 143) => code,
        code = next!(ctrl_close, 129) => code,
        code = next!(ctrl_shutdown, 143) => code,
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
    use super::is_first_ignored;

    #[test]
    fn the_mask_says_whether_a_hang_up_is_ignored() {
        assert!(is_first_ignored("Name:\tbrick\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\n"));
        assert!(!is_first_ignored("SigIgn:\t0000000000001000\nSigCgt:\t0000000000000001\n"));
        assert!(!is_first_ignored("SigIgn:\tx\n") && !is_first_ignored(""));
    }
}
