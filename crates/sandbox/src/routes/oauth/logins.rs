//! Logins in the browser (RFC 6749, 4.1; RFC 7636): codes and refresh tokens, each valid once.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::{
    clock::millis,
    error::ApiError,
    lock::lock,
    tenant::{ServiceState, Tenant},
};

/// The longest lifetime that RFC 6749, 4.1.2 recommends.
const CODE_LIFETIME: Duration = Duration::from_secs(600);

/// What a code stands for.
pub(crate) struct Login {
    /// Exactly as received: the program has to repeat it.
    pub(crate) redirect_uri: String,
    /// The hash of the `code_verifier`, which only the program knows.
    pub(crate) challenge: String,
    pub(crate) scope: String,
}

/// The codes and refresh tokens that are still unused.
#[derive(Default)]
pub(crate) struct Logins(Mutex<Unused>);

#[derive(Default)]
struct Unused {
    codes: HashMap<String, (Login, u64)>,
    /// The scope of each.
    refresh_tokens: HashMap<String, String>,
}

impl ServiceState for Logins {
    fn fresh(_: &Tenant) -> Self {
        Self::default()
    }
}

impl Logins {
    pub(crate) fn add_code(&self, code: String, login: Login, now_ms: u64) {
        let codes = &mut lock(&self.0).codes;
        codes.retain(|_, (_, expires_ms)| now_ms < *expires_ms);
        codes.insert(code, (login, now_ms.saturating_add(millis(CODE_LIFETIME))));
    }

    pub(crate) fn add_refresh_token(&self, token: String, scope: String) {
        lock(&self.0).refresh_tokens.insert(token, scope);
    }

    /// The scope that a code stands for. The first attempt uses the code up, whether it succeeds or not.
    pub(crate) fn redeem(
        &self,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
        now_ms: u64,
    ) -> Result<String, ApiError> {
        let Some((login, expires_ms)) = lock(&self.0).codes.remove(code) else {
            return Err(refused("The code is not known or was used before"));
        };
        if now_ms >= expires_ms {
            return Err(refused("The code is expired"));
        }
        if login.redirect_uri != redirect_uri {
            return Err(refused("The redirect_uri is not the login's"));
        }
        if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) != login.challenge {
            return Err(refused("The code_verifier does not match the code_challenge"));
        }
        Ok(login.scope)
    }

    /// The scope of a refresh token; the call uses the token up.
    pub(crate) fn refresh(&self, token: &str) -> Result<String, ApiError> {
        let scope = lock(&self.0).refresh_tokens.remove(token);
        scope.ok_or_else(|| refused("The refresh token is not known or was used before"))
    }
}

fn refused(why: &str) -> ApiError {
    ApiError::oauth(StatusCode::BAD_REQUEST, "invalid_grant", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const BACK: &str = "http://localhost:8020";

    fn with_code() -> Logins {
        let logins = Logins::default();
        let login = Login {
            redirect_uri: BACK.to_owned(),
            challenge: CHALLENGE.to_owned(),
            scope: "all-apis".to_owned(),
        };
        logins.add_code("code".to_owned(), login, 0);
        logins
    }

    #[test]
    fn a_code_is_good_once_with_all_that_belongs_to_it() {
        let logins = with_code();
        assert_eq!(logins.redeem("code", BACK, VERIFIER, 599_999).ok().as_deref(), Some("all-apis"));
        assert!(logins.redeem("code", BACK, VERIFIER, 0).is_err());
        for (code, back, verifier, now_ms) in [
            ("other", BACK, VERIFIER, 0),
            ("code", "http://localhost:8020/", VERIFIER, 0),
            ("code", BACK, CHALLENGE, 0),
            ("code", BACK, VERIFIER, 600_000),
        ] {
            assert!(with_code().redeem(code, back, verifier, now_ms).is_err(), "{code} {back} {verifier}");
        }
    }

    #[test]
    fn a_wrong_verifier_uses_the_code_up() {
        let logins = with_code();
        assert!(logins.redeem("code", BACK, "guessed", 0).is_err());
        assert!(logins.redeem("code", BACK, VERIFIER, 0).is_err());
    }
}
