//! Whom TLS trusts: the system's authorities (on Linux those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, where these are set)
//! and, in addition, those of a file that the user names.
//!
//! Difference from curl and the SDKs, on purpose: the file adds and replaces nothing. Results are downloaded from a
//! cloud's storage, which has a public certificate even where the workspace doesn't.

use std::path::Path;

use reqwest::{Certificate, ClientBuilder};

use crate::{Error, Result, file};

/// Certificate authorities that are trusted in addition to the system's.
#[derive(Debug, Clone, Default)]
pub struct Authorities(Vec<Certificate>);

impl Authorities {
    /// Reads the authorities of a PEM file.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the file can't be read or holds no certificate.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let bytes = file::read(path, file::LIMIT).map_err(|e| {
            Error::configuration(format!("the file of certificates can't be read: {shown}")).with_source(e)
        })?;
        let found = Certificate::from_pem_bundle(&bytes).unwrap_or_default();
        if found.is_empty() {
            return Err(Error::configuration(format!("the file holds no certificate: {shown}"))
                .with_hint("it must be PEM: -----BEGIN CERTIFICATE-----"));
        }
        Ok(Self(found))
    }

    /// Makes a client trust them.
    pub(super) fn apply(&self, builder: ClientBuilder) -> ClientBuilder {
        let all = self.0.iter().cloned().chain(from_environment());
        all.fold(builder, ClientBuilder::add_root_certificate)
    }
}

/// The certificates that `SSL_CERT_FILE` names, on systems whose own verifier doesn't look at the variable.
fn from_environment() -> Vec<Certificate> {
    let file =
        if cfg!(any(windows, target_vendor = "apple")) { std::env::var_os("SSL_CERT_FILE") } else { None };
    let read = file.and_then(|file| Authorities::read(Path::new(&file)).ok());
    read.unwrap_or_default().0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let missing = Authorities::read(&file).unwrap_err().to_string();
        assert!(missing.contains("ca.pem"), "{missing}");
        std::fs::write(&file, "no certificate").unwrap();
        let empty = Authorities::read(&file).unwrap_err();
        assert!(empty.to_string().contains("no certificate") && empty.hint().is_some(), "{empty}");
    }
}
