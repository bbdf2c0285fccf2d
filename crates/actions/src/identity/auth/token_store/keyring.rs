//! The operating system's keyring: Keychain, Credential Manager, or the Secret Service over D-Bus.

use std::{sync::mpsc, thread, time::Duration};

use keyring::v1::{Entry, Error};

use crate::Secret;

const SERVICE: &str = "brickwire";
/// A keyring may ask a person for its own password; a program that runs unattended doesn't wait for that.
const PATIENCE: Duration = Duration::from_secs(3);

/// What became of a request to the keyring.
pub(super) enum Outcome<T> {
    Done(T),
    /// It holds nothing under that key.
    Nothing,
    /// There is none, or it doesn't answer.
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

/// On a thread of its own: the clients block, and one that hangs is left behind.
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

    /// With a keyring and without; nothing is written into it.
    #[test]
    fn what_is_not_there_is_not_found() {
        assert!(!matches!(get("a key that nobody has"), Outcome::Done(_)));
    }
}
