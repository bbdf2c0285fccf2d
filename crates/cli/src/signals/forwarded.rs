//! Signals for a program that this one runs: they are passed on to it, and don't end this program.
//!
//! Ctrl-C on a terminal reaches both programs if they are in the same group of processes, so it is not passed on: many
//! programs take a second one for "end at once". A witness tells it from a SIGINT for this program alone, which is passed on.
//! If the witness is late, the other program gets Ctrl-C twice, which is better than never.

use std::{io, sync::atomic::Ordering};

use super::FORWARDED;

#[cfg(unix)]
pub(crate) use unix::Forwarded;
#[cfg(not(unix))]
pub(crate) use windows::Forwarded;

#[cfg(unix)]
mod unix {
    use rustix::process::{Pid, Signal, getpgid, getpgrp, kill_process};
    use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

    use super::{FORWARDED, Ordering, io};
    use crate::signals::{HANG_UP, witness::Witness};

    /// While this exists, signals are for [`next`](Self::next).
    pub(crate) struct Forwarded {
        interrupt: Signals,
        terminate: Signals,
        /// Not listened to if `nohup` has it ignored, for both programs.
        hang_up: Option<Signals>,
        /// Only a terminal interrupts whole groups.
        witness: Option<Witness>,
    }

    /// A signal that was received.
    pub(crate) struct Received(Signal);

    impl Forwarded {
        pub(crate) fn begin() -> io::Result<Self> {
            let is_listened_to = *HANG_UP;
            let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
            let hang_up = if is_listened_to { Some(signal(SignalKind::hangup())?) } else { None };
            FORWARDED.store(true, Ordering::Relaxed);
            let witness = std::fs::File::open("/dev/tty").is_ok().then(Witness::begin);
            Ok(Self { interrupt, terminate, hang_up, witness })
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

        /// Passes a signal on to a process, unless it has got it already.
        pub(crate) async fn pass_on(&mut self, signal: Received, id: Option<u32>) {
            let pid = id.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
            let Some(pid) = pid else { return };
            if signal.0 == Signal::INT && self.was_for_group_of(pid).await {
                return;
            }
            // It may have ended.
            let _ = kill_process(pid, signal.0);
        }

        /// Whether the last SIGINT was for the whole group of this program, and this process is in the group.
        async fn was_for_group_of(&mut self, pid: Pid) -> bool {
            match &mut self.witness {
                Some(witness) => witness.was_interrupted().await && getpgid(Some(pid)) == Ok(getpgrp()),
                None => false,
            }
        }
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

        /// Does nothing.
        pub(crate) async fn pass_on(&mut self, _: Received, _: Option<u32>) {}
    }
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        FORWARDED.store(false, Ordering::Relaxed);
    }
}
