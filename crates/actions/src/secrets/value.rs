//! The value of a secret: bytes that nothing prints.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use brickwire_client::types;

use crate::{Error, Result, Secret, encoding::from_base64};

/// The longest value that the service stores, in bytes.
const LONGEST: usize = 128 << 10;

/// The value of a secret: bytes, mostly text.
///
/// ```
/// use brickwire_actions::SecretValue;
/// let value = SecretValue::from("s3cr3t");
/// assert_eq!(format!("{value:?}"), "***");
/// assert_eq!(value.expose(), b"s3cr3t");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Vec<u8>);

impl SecretValue {
    /// The value itself.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The value as text.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) for a value that isn't UTF-8.
    pub fn expose_text(&self) -> Result<&str> {
        std::str::from_utf8(&self.0).map_err(|_| Error::unexpected("the value of the secret is not UTF-8"))
    }

    /// The value that an answer has as base64.
    pub(super) fn decode(value: Option<&str>) -> Result<Self> {
        let value = value.ok_or_else(|| Error::unexpected("the answer has no value for the secret"))?;
        let decoded = from_base64(value);
        decoded.map(Self).ok_or_else(|| Error::unexpected("the value of the secret is not base64"))
    }

    /// The request that stores it: as text if it is text that JSON carries without harm, otherwise as bytes.
    pub(super) fn body(&self, scope: &str, key: &str) -> Result<types::PutSecret> {
        if self.0.is_empty() {
            return Err(Error::usage(format!("the value of the secret is empty: {key}")));
        }
        if self.0.len() > LONGEST {
            return Err(Error::usage(format!(
                "the value of the secret is longer than {} KB: {key}",
                LONGEST >> 10
            )));
        }
        let text = std::str::from_utf8(&self.0).ok().filter(|text| !text.contains('\0'));
        Ok(types::PutSecret {
            scope: scope.to_owned(),
            key: key.to_owned(),
            string_value: text.map(str::to_owned),
            bytes_value: text.is_none().then(|| BASE64_STANDARD.encode(&self.0)),
        })
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<Vec<u8>> for SecretValue {
    fn from(value: Vec<u8>) -> Self {
        Self(value)
    }
}

impl From<&[u8]> for SecretValue {
    fn from(value: &[u8]) -> Self {
        Self(value.to_vec())
    }
}

impl From<String> for SecretValue {
    fn from(value: String) -> Self {
        Self(value.into_bytes())
    }
}

impl From<&str> for SecretValue {
    fn from(value: &str) -> Self {
        Self(value.as_bytes().to_vec())
    }
}

impl From<Secret> for SecretValue {
    fn from(value: Secret) -> Self {
        value.expose().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn text_goes_as_text_and_bytes_go_as_base64() {
        let sent = |value: &[u8]| {
            let body = SecretValue::from(value).body("s", "k").unwrap();
            assert!(!format!("{body:?}").contains("hush"), "{body:?}");
            (body.string_value, body.bytes_value)
        };
        assert_eq!(sent("hush é\n".as_bytes()), (Some("hush é\n".to_owned()), None));
        assert_eq!(sent(b"hush\0"), (None, Some("aHVzaAA=".to_owned())));
        assert_eq!(sent(b"\xff"), (None, Some("/w==".to_owned())));
        assert_eq!(sent(&[b'x'; LONGEST]).0.unwrap().len(), LONGEST);
        for wrong in [vec![], vec![b'x'; LONGEST + 1]] {
            assert_eq!(SecretValue::from(wrong).body("s", "k").unwrap_err().kind(), ErrorKind::Usage);
        }
    }

    #[test]
    fn an_answer_that_is_not_base64_is_not_quoted() {
        assert_eq!(SecretValue::decode(Some("aHVzaAA=")).unwrap().expose(), b"hush\0");
        for wrong in [Some("hush!"), None] {
            let error = SecretValue::decode(wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
        let bytes = SecretValue::decode(Some("/w==")).unwrap();
        assert!(
            bytes.expose_text().is_err() && SecretValue::from(Secret::new("a")).expose_text().unwrap() == "a"
        );
    }
}
