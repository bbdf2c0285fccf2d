//! What the fuzz targets see of private parsers. No normal build has this module.

use crate::{Host, Result, identity, list, markup, sql, warehouse_address};

pub use crate::{
    raw::fuzzing::{headers, multipart, raw_url},
    results::fuzzing::{decompress, layout, link, rows},
};

/// The sections of a configuration file with their keys and values.
///
/// # Errors
/// For a malformed line.
#[allow(clippy::type_complexity)]
pub fn ini(text: &str, file: &str) -> Result<Vec<(String, Vec<(String, Option<String>)>)>> {
    let ini = identity::config::ini::Ini::parse(text, file)?;
    let entries = |section: &identity::config::ini::Section| {
        section.keys().map(|key| (key.to_owned(), section.get(key).map(str::to_owned))).collect()
    };
    Ok(ini.profiles().map(|section| (section.name.clone(), entries(section))).collect())
}

/// The places of an SQL text's tokens, and where its statements start.
pub fn script(text: &str) -> (Vec<(usize, usize)>, Vec<usize>) {
    sql::places(text)
}

/// The items of a page and the token of the next.
///
/// # Errors
/// If the answer is no page.
pub fn page(body: &[u8], key: &str) -> Result<(Vec<String>, Option<String>)> {
    list::page(body, key)
}

/// The scopes and the expiry of a token.
pub fn jwt(token: &str) -> (Option<Vec<String>>, Option<serde_json::Value>) {
    (identity::auth::jwt::scopes(token), identity::auth::jwt::expiry(token))
}

/// HTML as text, and a traceback as text.
pub fn markup(text: &str) -> (String, String) {
    (markup::text_of(text), markup::text_of_traceback(text))
}

/// The id in a warehouse's address.
///
/// # Errors
/// For the address of another workspace.
pub fn warehouse_id(text: &str, host: &Host) -> Result<Option<String>> {
    warehouse_address::warehouse_id(text, host)
}
