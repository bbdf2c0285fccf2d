//! The operating system's keyring: Keychain, Credential Manager, or the Secret Service over D-Bus.

use std::{sync::mpsc, thread, time::Duration};

use keyring::v1::{Entry, Error};

use crate::Secret;

const SERVICE: &str = "brickwire";
/// A keyring may ask the user for its password; unattended programs don't wait for that.
const PATIENCE: Duration = Duration::from_secs(3);

/// The result of a request to the keyring.
pub(super) enum Outcome<T> {
    Done(T),
    /// The keyring has no entry with this key.
    Nothing,
    /// There is no keyring, or it doesn't answer.
    Unavailable,
}

pub(super) fn get(key: &str) -> Outcome<Secret> {
    ask(key, |entry| entry.get_password().map(Secret::new))
}

pub(super) fn put(key: &str, secret: &Secret) -> Outcome<()> {
    let secret = secret.clone();
    ask(key, move |entry| entry.set_password(secret.expose()))
}

pub(super) fn remove(key: &str) -> Outcome<()> {
    ask(key, |entry| entry.delete_credential())
}

/// Asks on a separate thread, because clients block; a client that hangs is abandoned.
fn ask<T: Send + 'static>(
    key: &str,
    work: impl FnOnce(Entry) -> Result<T, Error> + Send + 'static,
) -> Outcome<T> {
    let (answer, answered) = mpsc::channel();
    let key = key.to_owned();
    thread::spawn(move || answer.send(Entry::new(SERVICE, &key).and_then(work)));
    match answered.recv_timeout(PATIENCE) {
        Ok(Ok(done)) => Outcome::Done(done),
        Ok(Err(Error::NoEntry)) => Outcome::Nothing,
        Ok(Err(error)) => {
            tracing::debug!(target: "brickwire", %error, "the keyring can't be used");
            Outcome::Unavailable
        }
        Err(_) => Outcome::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes with a keyring and without; nothing is written.
    #[test]
    fn an_unknown_key_is_not_found() {
        assert!(!matches!(get("a key that does not exist"), Outcome::Done(_)));
    }
}
