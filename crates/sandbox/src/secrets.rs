//! Secrets: made of the operating system's randomness, never of the seed, and compared in constant time.
//!
//! Every user of the machine can reach the listener, and anyone who holds a token runs code as the sandbox's owner. So what
//! opens something must not follow from what the sandbox shows to strangers, such as its request ids.

use subtle::ConstantTimeEq;

/// `digits` random hex digits that nothing else predicts.
pub(crate) fn random_hex(digits: usize) -> String {
    let mut bytes = vec![0; digits.div_ceil(2)];
    getrandom::fill(&mut bytes).expect("the operating system provides randomness");
    let mut text = hex(&bytes);
    text.truncate(digits);
    text
}

/// The bytes as hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether two secrets are the same. How long this takes reveals only their lengths.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_have_their_length() {
        for digits in [1, 7, 40] {
            assert_eq!(random_hex(digits).len(), digits);
        }
        assert_ne!(random_hex(40), random_hex(40));
        assert!(same("abc", "abc"));
        assert!(!same("abc", "abd") && !same("abc", "ab") && !same("", "a"));
    }
}
