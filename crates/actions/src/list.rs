//! Lists: pages followed to the end, each item decoded and as it came.

use std::{ops::Deref, slice, vec};

use brickwire_client::ResponseValue;
use serde_json::value::RawValue;

use crate::{Error, ErrorKind, Result};

/// The items of all pages, in order.
///
/// It derefs to a slice of decoded items; [`raw`](Self::raw) has the same items as the service sent them.
#[derive(Debug, Clone)]
pub struct List<T> {
    items: Vec<T>,
    raw: Vec<Box<RawValue>>,
}

impl<T> List<T> {
    /// The items as JSON, with all that the types don't know.
    pub fn raw(&self) -> &[Box<RawValue>] {
        &self.raw
    }

    /// The decoded items alone.
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

/// What is taken out of one page.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

/// Asks for page after page, until one has no token; an empty page with a token is followed like any other.
///
/// `key` names the array in the answer, `split` takes a decoded page apart.
pub(crate) async fn all<P, T, F>(
    key: &str,
    mut fetch: impl FnMut(Option<String>) -> F,
    split: impl Fn(P) -> Page<T>,
) -> Result<List<T>>
where
    F: Future<Output = Result<ResponseValue<P>, brickwire_client::Error>>,
{
    let mut list = List::default();
    let mut token = None;
    loop {
        let response = fetch(token.clone()).await?;
        list.raw.extend(raw_items(key, response.raw())?);
        let page = split(response.into_inner());
        list.items.extend(page.items);
        match page.next.filter(|next| !next.is_empty()) {
            None => return Ok(list),
            next if next == token => {
                return Err(Error::new(
                    ErrorKind::UnexpectedResponse,
                    "the service returned the same page token twice",
                ));
            }
            next => token = next,
        }
    }
}

fn raw_items(key: &str, body: &[u8]) -> Result<Vec<Box<RawValue>>> {
    let broken = |e| Error::new(ErrorKind::UnexpectedResponse, format!("cannot read `{key}`")).with_source(e);
    if body.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let page: Option<std::collections::HashMap<String, &RawValue>> =
        serde_json::from_slice(body).map_err(broken)?;
    match page.as_ref().and_then(|page| page.get(key)) {
        Some(items) => Ok(serde_json::from_str::<Option<Vec<Box<RawValue>>>>(items.get())
            .map_err(broken)?
            .unwrap_or_default()),
        None => Ok(Vec::new()),
    }
}
