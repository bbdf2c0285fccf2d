//! A job or a run whose lists come in pages: 100 tasks at a time, each page with the head of the document.

use std::collections::BTreeMap;

use brickwire_client::{Answer, Call, ResponseValue};
use brickwire_wire::{Pages, json};
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};

use crate::{Error, Result};

/// The lists that are cut.
const LISTS: [&str; 6] =
    ["tasks", "job_clusters", "parameters", "job_parameters", "environments", "iterations"];

/// What all pages may take as JSON, in bytes.
const LARGEST: usize = 256 << 20;

type Fields = BTreeMap<String, Box<RawValue>>;

/// Requests all pages, and returns the first with the lists of all. `within` is the member that has the lists, if it isn't
/// the document itself. A document of one page stays as it came.
pub(super) async fn whole(call: impl Fn(Option<String>) -> Call, within: Option<&str>) -> Result<Answer> {
    let mut first = call(None).send_raw().await?;
    let (mut pages, mut size) = (Pages::default(), first.body.len());
    let mut fields = fields_of(&first)?;
    let mut token = next(&mut fields, &mut pages, 1)?;
    if token.is_none() {
        return Ok(first);
    }
    while token.is_some() {
        let answer = call(token).send_raw().await?;
        size += answer.body.len();
        if size > LARGEST {
            let text = format!("the answer is longer than {} MiB", LARGEST >> 20);
            return Err(answer.blame(Error::unexpected(text)));
        }
        let mut page = fields_of(&answer)?;
        let added = append(&mut fields, &mut page, within).map_err(|error| answer.blame(error))?;
        token = next(&mut page, &mut pages, added).map_err(|error| answer.blame(error))?;
    }
    fields.remove("has_more");
    first.body = serde_json::to_vec(&fields).map_err(|error| Error::unexpected(error.to_string()))?.into();
    Ok(first)
}

/// Decodes a whole document. An error names the operation, as it does where a call decodes its answer itself.
pub(super) fn decode<T: DeserializeOwned>(answer: Answer, operation: &str) -> Result<ResponseValue<T>> {
    answer.decode().map_err(|error| error.with_details(|d| d.operation = Some(operation.to_owned())))
}

fn fields_of(answer: &Answer) -> Result<Fields> {
    json::decode(&answer.body).map_err(|error| answer.blame(error))
}

/// Takes the token of the next page out of a page.
fn next(page: &mut Fields, pages: &mut Pages, items: usize) -> Result<Option<String>> {
    let Some(token) = page.remove("next_page_token") else { return Ok(None) };
    pages.next(json::decode_within("next_page_token", token.get().as_bytes())?, items)
}

/// Appends the lists of a page, and returns how many items it had.
fn append(fields: &mut Fields, page: &mut Fields, within: Option<&str>) -> Result<usize> {
    if let Some(name) = within {
        let (Some(into), Some(from)) = (fields.get(name), page.get(name)) else { return Ok(0) };
        let mut into = json::decode_within(name, into.get().as_bytes())?;
        let mut from = json::decode_within(name, from.get().as_bytes())?;
        let added = append(&mut into, &mut from, None)?;
        fields.insert(name.to_owned(), raw(&into)?);
        return Ok(added);
    }
    let mut added = 0;
    for name in LISTS {
        let Some(more) = page.remove(name) else { continue };
        let more: Option<Vec<Box<RawValue>>> = json::decode_within(name, more.get().as_bytes())?;
        let Some(more) = more.filter(|more| !more.is_empty()) else { continue };
        let items: Option<Vec<Box<RawValue>>> = match fields.get(name) {
            Some(items) => json::decode_within(name, items.get().as_bytes())?,
            None => None,
        };
        let mut items = items.unwrap_or_default();
        added += more.len();
        items.extend(more);
        fields.insert(name.to_owned(), raw(&items)?);
    }
    Ok(added)
}

fn raw(value: &impl serde::Serialize) -> Result<Box<RawValue>> {
    to_raw_value(value).map_err(|error| Error::unexpected(error.to_string()))
}
