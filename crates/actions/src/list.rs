//! Lists: pages followed to the end, each item decoded and as it came.

use std::{collections::HashMap, ops::Deref, slice, vec};

use brickwire_client::{OperationInfo, ResponseValue};
use bytes::Bytes;
use http::StatusCode;
use reqwest::{Method, Request, Url};
use serde_json::{error::Category, value::RawValue};

use crate::{Error, ErrorKind, Result, Workspace};

/// What a page calls the token of the one that follows.
const NEXT: &str = "next_page_token";

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
    key: &'static str,
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
        list.raw.extend(items_of(&page_of(response.raw())?, key)?);
        let page = split(response.into_inner());
        list.items.extend(page.items);
        token = following(page.next, token)?;
        if token.is_none() {
            return Ok(list);
        }
    }
}

/// The same items as JSON and nothing else, which for long lists takes a fraction of the time.
pub(crate) async fn json(
    workspace: &Workspace,
    operation: &OperationInfo,
    key: &'static str,
) -> Result<Vec<Box<RawValue>>> {
    let client = workspace.client();
    let first = Url::parse(&format!("{}{}", client.base_url(), operation.path))
        .map_err(|e| Error::configuration("the host is not an address").with_source(e))?;
    let (mut items, mut token) = (Vec::new(), None::<String>);
    loop {
        let mut url = first.clone();
        if let Some(token) = &token {
            url.query_pairs_mut().append_pair("page_token", token);
        }
        let answer = client.transport().send(Request::new(Method::GET, url), operation).await?;
        let body = answer.body.read().await?;
        let page = page_of(&body)?;
        items.extend(items_of(&page, key)?);
        let next = page.get(NEXT).map(|next| serde_json::from_str::<Option<String>>(next.get()));
        token = following(next.transpose().map_err(unreadable(NEXT))?.flatten(), token)?;
        if token.is_none() {
            return Ok(items);
        }
    }
}

/// The token of the page that follows, if one does.
fn following(next: Option<String>, before: Option<String>) -> Result<Option<String>> {
    match next.filter(|next| !next.is_empty()) {
        Some(next) if Some(&next) == before.as_ref() => {
            Err(Error::new(ErrorKind::UnexpectedResponse, "the service returned the same page token twice"))
        }
        next => Ok(next),
    }
}

/// serde quotes a text that it found in place of something else, and that may be a secret.
fn unreadable(path: &'static str) -> impl Fn(serde_json::Error) -> Error {
    move |source| {
        let source = match source.classify() {
            Category::Data => serde::de::Error::custom("it is of another type"),
            _ => source,
        };
        let (path, status, raw) = (path.to_owned(), StatusCode::OK, Bytes::new());
        brickwire_client::Error::Decode { path, source, status, raw }.into()
    }
}

type Fields<'a> = HashMap<String, &'a RawValue>;

fn page_of(body: &[u8]) -> Result<Fields<'_>> {
    if body.trim_ascii().is_empty() {
        return Ok(Fields::new());
    }
    Ok(serde_json::from_slice::<Option<Fields<'_>>>(body).map_err(unreadable("."))?.unwrap_or_default())
}

fn items_of(page: &Fields<'_>, key: &'static str) -> Result<Vec<Box<RawValue>>> {
    let items = page.get(key).map(|items| serde_json::from_str::<Option<_>>(items.get()));
    Ok(items.transpose().map_err(unreadable(key))?.flatten().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_another_type_is_not_quoted() {
        let read = |body: &str| page_of(body.as_bytes()).and_then(|page| items_of(&page, "clusters"));
        for (body, words) in [(r#""hush""#, "another type"), (r#"{"clusters":"hush"}"#, "at `clusters`")] {
            let error = read(body).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
        assert_eq!(read(r#"{"clusters":[{"a" : 1.0}]}"#).unwrap()[0].get(), r#"{"a" : 1.0}"#);
        assert!(read("null").unwrap().is_empty() && read("").unwrap().is_empty());
    }
}
