//! Keeps a panic of a library that writes rows from ending the program: it becomes an error.

use std::{
    cell::Cell,
    io,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

use crate::failure::Failure;

thread_local! {
    /// Whether this thread runs a writer, whose panic is reported as an error.
    static IS_WRITING: Cell<bool> = const { Cell::new(false) };
}

/// Runs one call of a writer. After an error, the writer must not be used again.
pub(super) fn guarded<T, E: std::error::Error>(call: impl FnOnce() -> Result<T, E>) -> Result<T, Failure> {
    static HOOK: Once = Once::new();
    // Otherwise the panic's own message is printed, too.
    HOOK.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_WRITING.get() {
                hook(info);
            }
        }));
    });
    let before = IS_WRITING.replace(true);
    let ended = panic::catch_unwind(AssertUnwindSafe(call));
    IS_WRITING.set(before);
    match ended {
        Ok(written) => written.map_err(unwritable),
        Err(_) => {
            Err(Failure::local("cannot write the rows: this format's writer failed on their types or values")
                .with_hint("CAST unusual columns AS STRING in the statement, or write another format"))
        }
    }
}

/// Keeps the kind of an I/O error, so that a closed pipe isn't reported.
fn unwritable(error: impl std::error::Error) -> Failure {
    match error.source().and_then(|cause| cause.downcast_ref::<io::Error>()) {
        Some(error) => io::Error::new(error.kind(), error.to_string()).into(),
        None => Failure::local(format!("cannot write the rows: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use brickwire_actions::ErrorKind;

    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        let failure = guarded(|| -> io::Result<()> { panic!("not reported") }).unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::Local);
        assert!(failure.message().starts_with("cannot write the rows: "), "{}", failure.message());
        assert!(!IS_WRITING.get());
        assert_eq!(guarded(|| io::Result::Ok(1)).unwrap(), 1);
    }
}
