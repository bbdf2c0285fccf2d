//! Users, groups and service principals: what their SCIM lists, names and changes have in common.
//!
//! A page starts at a place, counted from 1, and the list goes on until a page is empty: pages may be shorter than was
//! asked for, and the number of all entries isn't relied on. An entry that moves to the next page while the list is read
//! counts once. A page that brings nothing new is an error, since the list would never end.

use std::collections::HashSet;

use brickwire_client::{Call, types};
use brickwire_wire::{Pages, json};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Candidate, Error, ErrorKind, Result, names};

/// How many entries a page has, unless the caller says otherwise.
const ENTRIES_IN_PAGE: i64 = 100;

/// What the entries of all pages may take as JSON, in bytes.
const LARGEST: usize = 256 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(rename = "Resources")]
    resources: Option<Vec<Box<RawValue>>>,
}

/// What a list and a name need of an entry. Something else may be of an unexpected type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    id: Option<String>,
    user_name: Option<String>,
    display_name: Option<String>,
    application_id: Option<String>,
}

impl Reference {
    /// What an entry is called: a user by `userName`, others by `displayName`.
    fn name(&self) -> Option<&str> {
        self.user_name.as_deref().or(self.display_name.as_deref())
    }

    /// Whether an entry has this name or application id. The service compares without regard to case.
    fn is_called(&self, name: &str) -> bool {
        [self.name(), self.application_id.as_deref()]
            .into_iter()
            .flatten()
            .any(|own| own.eq_ignore_ascii_case(name))
    }
}

/// The entries of all pages as JSON. `call` makes the call for a place and a number of entries.
pub(crate) async fn entries(
    call: impl Fn(i64, i64) -> Call,
    start: Option<i64>,
    count: Option<i64>,
) -> Result<Vec<Box<RawValue>>> {
    let (mut all, mut seen, mut pages, mut size) = (Vec::new(), HashSet::new(), Pages::default(), 0);
    let (mut start, count) = (start.unwrap_or(1).max(1), count.unwrap_or(ENTRIES_IN_PAGE));
    if count < 1 {
        return Err(Error::usage(format!("a page must have at least one entry: {count}")));
    }
    loop {
        let answer = call(start, count).send_raw().await?;
        size += answer.body.len();
        let page = json::decode::<Page>(&answer.body).map_err(|error| answer.blame(error))?;
        let page = page.resources.unwrap_or_default();
        if page.is_empty() {
            return Ok(all);
        }
        let (came, known) = (page.len(), all.len());
        for entry in page {
            let id = json::decode::<Reference>(entry.get().as_bytes()).ok().and_then(|entry| entry.id);
            if id.is_none_or(|id| seen.insert(id)) {
                all.push(entry);
            }
        }
        if all.len() == known {
            let text = format!("the service returned the page that starts at {start} twice");
            return Err(answer.blame(Error::unexpected(text)));
        }
        if size > LARGEST {
            let text = format!("the list is longer than {} MiB after {} items", LARGEST >> 20, all.len());
            return Err(answer.blame(Error::unexpected(text)));
        }
        start = start.saturating_add(i64::try_from(came).unwrap_or(i64::MAX));
        pages.next(Some(start.to_string()), came)?;
    }
}

/// Ids and names of entries: of all, or of those with this name. A service that ignores the filter sends others, too.
pub(crate) fn candidates(entries: &[Box<RawValue>], name: Option<&str>) -> Vec<Candidate> {
    let candidate = |entry: Reference| {
        let name = entry.name().map(str::to_owned);
        Candidate::new(entry.id, name, None::<&str>)
    };
    let read = entries.iter().filter_map(|entry| json::decode::<Reference>(entry.get().as_bytes()).ok());
    read.filter(|entry| name.is_none_or(|name| entry.is_called(name))).map(candidate).collect()
}

/// Digits.
pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The condition that an attribute is this text.
pub(crate) fn equal(attribute: &str, text: &str) -> String {
    format!("{attribute} eq \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The only one of the entries that the service found by name.
pub(crate) fn choose(what: &str, name: &str, found: Vec<Candidate>) -> Result<String> {
    match &found[..] {
        [one] if !one.id.is_empty() => Ok(one.id.clone()),
        [] => Err(Error::new(ErrorKind::NotFound, format!("no {what} has this id or name: {name:?}"))
            .with_hint(format!("list the {what}s"))),
        several => Err(Error::usage(format!("several {what}s have this name: {name:?}"))
            .with_hint(format!("use an id: {}", names::listed(several)))),
    }
}

/// The body of a change, with the name of its schema if the caller left it out.
pub(crate) fn change(
    operations: Vec<types::ScimPatch>,
) -> Result<(Vec<types::ScimPatch>, Vec<types::ScimPatchSchema>)> {
    if operations.is_empty() {
        return Err(Error::usage("the change has no operations"));
    }
    Ok((operations, vec![types::ScimPatchSchema::UrnIetfParamsScimApiMessages20PatchOp]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_leave_its_condition() {
        assert_eq!(equal("userName", r#"a" or id eq "1\"#), r#"userName eq "a\" or id eq \"1\\""#);
    }
}
