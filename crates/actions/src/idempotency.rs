//! Idempotency tokens: starting something so that after a lost answer it is neither given up nor started twice.

use brickwire_client::{Call, ResponseValue};
use ring::rand::SecureRandom;
use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind, Result, document};

/// The longest token that the service takes.
const LONGEST_TOKEN: usize = 64;

/// Sends a request that has this token, and returns the id of what it started.
pub(crate) async fn start<T: DeserializeOwned, I>(
    what: &str,
    call: Call,
    operation: &str,
    token: &str,
    id: impl FnOnce(T) -> Option<I>,
) -> Result<I> {
    let answer: Result<ResponseValue<T>> = call.with_idempotency_token().send().await;
    let started =
        answer.and_then(|answer| id(answer.into_inner()).ok_or_else(|| document::nameless(what, operation)));
    started.map_err(|error| match error.is_unknown_outcome() {
        true => error.with_hint(format!(
            "send it again with this `idempotency_token`, which starts no second {what}: {token}"
        )),
        false => error,
    })
}

/// The caller's token, or a random one.
pub(crate) fn token(given: Option<&str>) -> Result<String> {
    match given {
        Some(given) if given.trim().is_empty() => Err(Error::usage("the idempotency token is empty")),
        Some(given) if given.chars().count() > LONGEST_TOKEN => Err(Error::usage(format!(
            "the idempotency token is longer than {LONGEST_TOKEN} characters: {given}"
        ))),
        Some(given) => Ok(given.to_owned()),
        None => {
            let mut bytes = [0; 16];
            ring::rand::SystemRandom::new()
                .fill(&mut bytes)
                .map_err(|_| Error::new(ErrorKind::Local, "the system provides no random numbers"))?;
            Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_the_callers_or_random() {
        assert_eq!(token(Some("nightly-2026-11-26")).unwrap(), "nightly-2026-11-26");
        let random = [token(None).unwrap(), token(None).unwrap()];
        assert!(random[0] != random[1] && random.iter().all(|token| token.len() == 32), "{random:?}");
        for wrong in ["", " ", &"x".repeat(65)] {
            assert_eq!(token(Some(wrong)).unwrap_err().kind(), ErrorKind::Usage, "{wrong:?}");
        }
    }
}
