//! Signals for a program that this one runs: they are passed on to it, and don't end this program.
//!
//! Ctrl-C on a terminal reaches both programs, so it is not passed on: many programs take a second one for "end at once".

use std::{io, sync::atomic::Ordering};

use super::FORWARDED;

#[cfg(unix)]
pub(crate) use unix::Forwarded;
#[cfg(not(unix))]
pub(crate) use windows::Forwarded;

#[cfg(unix)]
mod unix {
    use rustix::process::{Pid, Signal, kill_process};
    use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

    use super::{FORWARDED, Ordering, io};
    use crate::signals::HANG_UP;

    /// While this exists, signals are for [`next`](Self::next).
    pub(crate) struct Forwarded {
        interrupt: Signals,
        terminate: Signals,
        /// Not listened to if `nohup` has it ignored, for both programs.
        hang_up: Option<Signals>,
    }

    /// A signal that was received.
    pub(crate) struct Received(Signal);

    impl Forwarded {
        pub(crate) fn begin() -> io::Result<Self> {
            let is_listened_to = *HANG_UP;
            let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
            let hang_up = if is_listened_to { Some(signal(SignalKind::hangup())?) } else { None };
            FORWARDED.store(true, Ordering::Relaxed);
            Ok(Self { interrupt, terminate, hang_up })
        }

        /// Waits for a signal.
        pub(crate) async fn next(&mut self) -> Received {
            let hang_up = async {
                match &mut self.hang_up {
                    Some(signals) => signals.recv().await,
                    None => std::future::pending().await,
                }
            };
            Received(tokio::select! {
                _ = self.interrupt.recv() => Signal::INT,
                _ = self.terminate.recv() => Signal::TERM,
                _ = hang_up => Signal::HUP,
            })
        }
    }

    impl Received {
        /// Passes it on to a process, unless the terminal has sent it to both.
        pub(crate) fn send(&self, id: Option<u32>) {
            if self.0 == Signal::INT && has_terminal() {
                return;
            }
            let pid = id.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
            if let Some(pid) = pid {
                // It may have ended.
                let _ = kill_process(pid, self.0);
            }
        }
    }

    /// Whether Ctrl-C on a terminal reaches this program's group of processes.
    fn has_terminal() -> bool {
        let terminal = std::fs::File::open("/dev/tty");
        let group = terminal.ok().and_then(|terminal| rustix::termios::tcgetpgrp(terminal).ok());
        group == Some(rustix::process::getpgrp())
    }
}

#[cfg(not(unix))]
mod windows {
    use super::{FORWARDED, Ordering, io};

    /// While this exists, Ctrl-C doesn't end this program. The console sends it to the other program, too.
    pub(crate) struct Forwarded(());

    /// Ctrl-C, which needs no passing on.
    pub(crate) struct Received(());

    impl Forwarded {
        pub(crate) fn begin() -> io::Result<Self> {
            FORWARDED.store(true, Ordering::Relaxed);
            Ok(Self(()))
        }

        /// Waits for a signal.
        pub(crate) async fn next(&mut self) -> Received {
            match tokio::signal::ctrl_c().await {
                Ok(()) => Received(()),
                Err(_) => std::future::pending().await,
            }
        }
    }

    impl Received {
        pub(crate) fn send(&self, _: Option<u32>) {}
    }
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        FORWARDED.store(false, Ordering::Relaxed);
    }
}
