//! Pages of a list: how a token names the place to go on from.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::{call::Call, error::ApiError, fault::kind::Paging, request_log::fingerprint};

/// The page a request asks for, and the token of the next one. A token belongs to the filter it was made for.
pub(crate) fn page(
    call: &Call,
    entries: Vec<Value>,
    filter: &str,
    most: usize,
) -> Result<(Vec<Value>, Option<String>), ApiError> {
    page_by(call, "page_size", entries, filter, most)
}

/// As [`page`], for a service that calls the size of a page something else.
pub(crate) fn page_by(
    call: &Call,
    size_name: &str,
    entries: Vec<Value>,
    filter: &str,
    most: usize,
) -> Result<(Vec<Value>, Option<String>), ApiError> {
    let size = match call.query(size_name) {
        None | Some("" | "0") => call.server.options.page_size.min(most),
        Some(text) => match text.parse::<usize>() {
            Ok(size) if size <= most => size,
            _ => {
                return Err(ApiError::invalid(format!(
                    "{size_name} must be between 1 and {most}, got {text}"
                )));
            }
        },
    };
    page_of(call, size, entries, filter)
}

/// The page of this size that a request asks for.
pub(crate) fn page_of(
    call: &Call,
    size: usize,
    entries: Vec<Value>,
    filter: &str,
) -> Result<(Vec<Value>, Option<String>), ApiError> {
    let offset = match call.query("page_token") {
        None | Some("") => 0,
        Some(token) => offset_of(token, filter).ok_or_else(|| ApiError::invalid("Invalid page token"))?,
    };
    match call.paging {
        // The number makes it a new token each time.
        Some(Paging::Empty) => {
            return Ok((vec![], Some(token_at(offset, filter) + "." + &call.server.hex(8))));
        }
        Some(Paging::Repeat) => {
            let again = token_at(offset, filter);
            return Ok((entries.into_iter().skip(offset).take(size).collect(), Some(again)));
        }
        None => {}
    }
    let end = offset.saturating_add(size);
    let next = (end < entries.len()).then(|| token_at(end, filter));
    Ok((entries.into_iter().skip(offset).take(size).collect(), next))
}

/// Leaves every second page of a list empty, as the service does now and then: an empty page is no end.
pub(crate) fn sparse(mut call: Call) -> Call {
    let is_first = call.query("page_token").is_none_or(|token| token.is_empty() || token.contains('.'));
    if !is_first {
        call.paging.get_or_insert(Paging::Empty);
    }
    call
}

fn token_at(offset: usize, filter: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{offset}:{}", fingerprint(filter)))
}

fn offset_of(token: &str, filter: &str) -> Option<usize> {
    let token = token.split_once('.').map_or(token, |(token, _)| token);
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (offset, digest) = text.split_once(':')?;
    (digest == fingerprint(filter)).then(|| offset.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_works_for_its_own_filter_only() {
        let token = token_at(4, "state=RUNNING");
        assert_eq!(offset_of(&token, "state=RUNNING"), Some(4));
        assert_eq!(offset_of(&token, ""), None);
        assert_eq!(offset_of("nonsense", ""), None);
    }
}
