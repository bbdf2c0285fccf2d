//! Panics of Arrow's decoder, which has dozens of them for malformed bytes: caught, and not reported as a bug.
//!
//! What a panic prints comes from the process's panic hook, before anything can catch the panic. So the first call here
//! puts a hook before the one that is there, and passes everything on to it except what panics within [`quietly`] on
//! the same thread. A hook that the program sets later replaces this one as usual; it then sees these panics, too.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

thread_local! {
    /// Whether the code that runs on this thread is expected to panic.
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Ends the quiet, however the code ends.
struct Quiet;

impl Drop for Quiet {
    fn drop(&mut self) {
        IS_QUIET.set(false);
    }
}

/// Runs code; `None` if it panics. Programs built with `panic = "abort"` end then, and say why.
pub(super) fn quietly<T>(run: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    if cfg!(panic = "unwind") {
        HOOK.call_once(|| {
            let earlier = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                // The thread may be ending, and then its panic isn't one of these.
                if IS_QUIET.try_with(Cell::get).unwrap_or_default() {
                    let place = info.location().map(ToString::to_string);
                    tracing::debug!(target: "brickwire", place, "malformed bytes made the decoder panic");
                } else {
                    earlier(info);
                }
            }));
        });
        IS_QUIET.set(true);
    }
    let _quiet = Quiet;
    panic::catch_unwind(AssertUnwindSafe(run)).ok()
}
