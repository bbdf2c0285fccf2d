//! Private parsers of raw requests for the fuzz targets.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use reqwest::Url;

use super::{FilePart, headers, multipart, url};
use crate::{Host, Result};

/// Resolves the address of a raw request and appends parameters.
///
/// # Errors
/// For an address that the credential must not go to.
pub fn raw_url(host: &Host, text: &str, parameters: &[(String, String)]) -> Result<Url> {
    Ok(url::with_query(url::resolve(host, text)?, parameters, false))
}

/// Writes a multipart form; the header has its boundary.
///
/// # Errors
/// For what can't be sent.
pub fn multipart(
    fields: &[(String, String)],
    files: &[FilePart],
    names: &[(String, String)],
) -> Result<(Bytes, HeaderValue)> {
    multipart::encode(fields, files, names)
}

/// Merges the caller's headers.
///
/// # Errors
/// For what can't be set.
pub fn headers(pairs: &[(String, String)]) -> Result<HeaderMap> {
    headers::merged(pairs)
}
