//! Lists: all pages, with each item decoded and as the service sent it.

mod filter;

use std::{collections::HashMap, fmt, ops::Deref, slice, vec};

use brickwire_client::Call;
use brickwire_wire::{Pages, json};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{Error, RawResponse, Result};

pub use filter::ListFilter;

/// The field with the token of the next page.
const NEXT: &str = "next_page_token";
/// The field with the body of the request for the next page, in older lists.
const NEXT_BODY: &str = "next_page";

/// What the items of all pages may take as JSON, in bytes.
const LARGEST: usize = 256 << 20;

/// The items of all pages, in order.
///
/// It derefs to a slice of decoded items; [`raw`](Self::raw) has the same items as the service sent them.
#[derive(Clone)]
pub struct List<T> {
    items: Vec<T>,
    raw: Vec<Box<RawValue>>,
}

/// Without the JSON, which has the secrets that the types don't show.
impl<T: fmt::Debug> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.items).finish()
    }
}

impl<T> List<T> {
    /// The items as JSON, including fields that the types don't know.
    pub fn raw(&self) -> &[Box<RawValue>] {
        &self.raw
    }

    /// The decoded items without their JSON.
    pub fn into_items(self) -> Vec<T> {
        self.items
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { items: Vec::new(), raw: Vec::new() }
    }
}

impl<T> Deref for List<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> IntoIterator for List<T> {
    type Item = T;
    type IntoIter = vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

/// Requests page after page until one has no token, and decodes the items. `call` makes the call for a page token, `key`
/// is the field with the items.
pub(crate) async fn all<T: DeserializeOwned>(
    call: impl Fn(Option<String>) -> Call,
    key: &str,
) -> Result<List<T>> {
    decoded(json(call, key).await?, key)
}

/// Decodes the items of a list.
pub(crate) fn decoded<T: DeserializeOwned>(raw: Vec<Box<RawValue>>, key: &str) -> Result<List<T>> {
    let items = raw.iter().enumerate();
    let items = items.map(|(n, item)| json::decode_within(&format!("{key}[{n}]"), item.get().as_bytes()));
    Ok(List { items: items.collect::<Result<_>>()?, raw })
}

/// The items as JSON only, which for long lists takes a fraction of the time. An empty page with a token doesn't end the
/// list.
pub(crate) async fn json(call: impl Fn(Option<String>) -> Call, key: &str) -> Result<Vec<Box<RawValue>>> {
    first(call, key, usize::MAX).await
}

/// As [`json`], but at most so many items, and no page more than they take.
pub(crate) async fn first(
    call: impl Fn(Option<String>) -> Call,
    key: &str,
    most: usize,
) -> Result<Vec<Box<RawValue>>> {
    follow(|next| call(next.map(|next| next.text)), key, most, false).await
}

/// As [`first`], for a list whose pages may name the next one by the body of its request.
pub(crate) async fn first_by_body(
    call: impl Fn(Option<Next>) -> Call,
    key: &str,
    most: usize,
) -> Result<Vec<Box<RawValue>>> {
    follow(call, key, most, true).await
}

/// What names the next page.
pub(crate) struct Next {
    /// Its token, or the JSON of its request's body.
    pub(crate) text: String,
    pub(crate) is_body: bool,
}

async fn follow(
    call: impl Fn(Option<Next>) -> Call,
    key: &str,
    most: usize,
    by_body: bool,
) -> Result<Vec<Box<RawValue>>> {
    let (mut items, mut next, mut pages, mut size) = (Vec::new(), None, Pages::default(), 0);
    loop {
        let answer = call(next).send_raw().await?;
        size += answer.body.len();
        if size > LARGEST {
            return Err(answer.blame(Error::unexpected(format!(
                "the list is longer than {} MiB after {} items",
                LARGEST >> 20,
                items.len()
            ))));
        }
        let page = read(&answer.body, key).map_err(|error| answer.blame(error))?;
        let count = page.items.len();
        items.extend(page.items);
        let body = page.body.filter(|_| by_body);
        let is_body = page.next.as_ref().is_none_or(String::is_empty) && body.is_some();
        let text = pages.next(if is_body { body } else { page.next }, count)?;
        next = text.map(|text| Next { text, is_body });
        if next.is_none() || items.len() >= most {
            items.truncate(most);
            return Ok(items);
        }
    }
}

/// Finds the next page of a list that is read by raw requests.
///
/// ```no_run
/// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
/// use brickwire_actions::{RawPages, RawRequest};
/// let (mut pages, mut token) = (RawPages::default(), None::<String>);
/// loop {
///     let mut request = RawRequest::new("GET", "/2.1/clusters/list");
///     if let Some(token) = &token {
///         request = request.with_query("page_token", token);
///     }
///     let page = workspace.raw(&request).await?;
///     println!("{}", page.text());
///     token = pages.next(&page)?;
///     if token.is_none() {
///         return Ok(());
///     }
/// }
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct RawPages(Pages);

impl RawPages {
    /// The token of the next page, if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) for a token that isn't text or came
    /// before, and for a list without end: a thousand pages in a row without items, or ten thousand pages.
    pub fn next(&mut self, page: &RawResponse) -> Result<Option<String>> {
        let Ok(fields) = json::decode::<HashMap<String, &RawValue>>(&page.body) else { return Ok(None) };
        let token = fields.get(NEXT).map_or("null", |value| value.get());
        let token: Option<String> = json::decode_within(NEXT, token.as_bytes())?;
        let has_items = |value: &&RawValue| {
            value.get().strip_prefix('[').is_some_and(|rest| !rest.trim_start().starts_with(']'))
        };
        self.0.next(token, fields.values().filter(|value| has_items(value)).count())
    }
}

struct Page {
    items: Vec<Box<RawValue>>,
    next: Option<String>,
    /// The body of the request for the next page.
    body: Option<String>,
}

fn read(body: &[u8], key: &str) -> Result<Page> {
    let fields: HashMap<String, &RawValue> = json::decode(body)?;
    let field = |key: &str| fields.get(key).map_or("null", |value| value.get()).as_bytes();
    let items: Option<Vec<Box<RawValue>>> = json::decode_within(key, field(key))?;
    let items = items.unwrap_or_default();
    if let Some(at) = items.iter().position(|item| !item.get().starts_with('{')) {
        return Err(Error::unexpected(format!("`{key}[{at}]` of the answer is not an object")));
    }
    let next: Option<String> = json::decode_within(NEXT, field(NEXT))?;
    let body = fields.get(NEXT_BODY).map(|body| body.get()).filter(|body| body.starts_with('{'));
    Ok(Page { items, next, body: body.map(str::to_owned) })
}

/// The items of a page and the token of the next, for the fuzz targets.
#[cfg(fuzzing)]
pub(crate) fn page(body: &[u8], key: &str) -> Result<(Vec<String>, Option<String>)> {
    let Page { items, next, .. } = read(body, key)?;
    Ok((items.iter().map(|item| item.get().to_owned()).collect(), next))
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_answer_of_another_type_is_not_quoted() {
        let read = |body: &str| super::read(body.as_bytes(), "clusters").map(|page| page.items);
        for (body, words) in [
            (r#""hush""#, "invalid type"),
            (r#"{"clusters":"hush"}"#, "at `clusters`"),
            (r#"{"next_page_token":["hush"]}"#, "at `next_page_token`"),
            (r#"{"clusters":[{},null]}"#, "`clusters[1]` of the answer is not an object"),
            (r#"{"clusters":["hush"]}"#, "`clusters[0]` of the answer is not an object"),
        ] {
            let error = read(body).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
        assert_eq!(read(r#"{"clusters":[{"a" : 1.0}]}"#).unwrap()[0].get(), r#"{"a" : 1.0}"#);
        let list =
            super::List { items: vec![1], raw: vec![serde_json::value::to_raw_value("hush").unwrap()] };
        assert_eq!(format!("{list:?}"), "[1]");
        assert!(read("{}").unwrap().is_empty() && read(r#"{"clusters":null}"#).unwrap().is_empty());
    }
}
