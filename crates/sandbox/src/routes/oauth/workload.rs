//! Identity tokens of workloads, as a CI system would issue them: JWTs that this sandbox signs itself, so that no one
//! exchanges one that they wrote.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::secrets::random_hex;

/// The workloads' identity provider.
pub(crate) struct Provider {
    key: String,
}

impl Provider {
    pub(crate) fn new() -> Self {
        Self { key: random_hex(64) }
    }

    /// A token for a workload of this sandbox.
    pub(crate) fn issue(&self, issuer: &str) -> String {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({ "iss": issuer, "sub": "workload:sandbox", "aud": "brickwire-sandbox" });
        let signed = format!("{}.{}", part(json!({ "alg": "HS256", "typ": "JWT" })), part(claims));
        let signature = self.mac(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Whether [`issue`](Self::issue) made it.
    pub(crate) fn issued(&self, token: &str) -> bool {
        let Some((signed, signature)) = token.rsplit_once('.') else { return false };
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
        self.mac(signed).verify_slice(&signature).is_ok()
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.key.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_tokens_are_known() {
        let provider = Provider::new();
        let token = provider.issue("http://127.0.0.1:1");
        assert!(provider.issued(&token));
        assert!(!Provider::new().issued(&token), "another sandbox's");
        let (signed, _) = token.rsplit_once('.').unwrap();
        for forged in
            [format!("{signed}."), signed.to_owned(), format!("{signed}.c2ln"), "e30.e30.".to_owned()]
        {
            assert!(!provider.issued(&forged), "{forged}");
        }
    }
}
