//! Reads claims of an access token that is a JWT. Nothing is verified, so the claims are only used in messages, for the
//! expiry, and to compare scopes.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok().filter(Value::is_object)
}

/// The scopes that the token names; `None` if it names none or isn't a JWT.
pub(crate) fn scopes(token: &str) -> Option<Vec<String>> {
    let claims = claims(token)?;
    let scope = claims.get("scope").or_else(|| claims.get("scp"))?;
    Some(match scope {
        Value::Array(items) => items.iter().filter_map(|i| i.as_str().map(str::to_owned)).collect(),
        _ => scope.as_str()?.split_whitespace().map(str::to_owned).collect(),
    })
}

/// When the token expires, in seconds since 1970.
pub(crate) fn expiry(token: &str) -> Option<Value> {
    claims(token)?.get("exp").filter(|e| e.is_number()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_claims_of_a_jwt_only() {
        let jwt = |claims: &str| format!("h.{}.s", BASE64_URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(scopes(&jwt(r#"{"scope":"sql offline_access"}"#)).unwrap(), ["sql", "offline_access"]);
        assert_eq!(scopes(&jwt(r#"{"scp":["a","b"]}"#)).unwrap(), ["a", "b"]);
        assert_eq!(expiry(&jwt(r#"{"exp":12}"#)), Some(12.into()));
        for no in ["dapi123", "a.b", "a.%%%.c", &jwt("[]"), &jwt("{}")] {
            assert_eq!(scopes(no), None, "{no}");
        }
    }
}
