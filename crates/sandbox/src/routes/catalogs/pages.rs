//! The pages of Unity Catalog's lists.
//!
//! Without `max_results` a list comes at once. Of pages, every third is empty and has a token all the same, as when the
//! service leaves out what the caller may not see.

use axum::Json;
use serde_json::{Value, json};

use crate::{
    call::{Answer, Call},
    error::ApiError,
    page::page_of,
};

/// The most items in a page.
const MOST: usize = 1000;

/// One page of a list, with the items under this name. Empty members are left out.
pub(crate) fn page(call: &Call, name: &str, items: Vec<Value>, filter: &str) -> Answer {
    let size = match call.query("max_results") {
        None | Some("") if call.query("page_token").is_none_or(str::is_empty) && call.paging.is_none() => {
            items.len().max(1)
        }
        None | Some("" | "0") => call.server.options.page_size.min(MOST),
        Some(text) => match text.parse::<usize>() {
            Ok(size) => size.min(MOST),
            Err(_) => {
                return Err(ApiError::invalid(format!("max_results must be zero or more, got {text}")));
            }
        },
    };
    let (mut page, next) = page_of(call, size, with_gaps(items, size), &format!("{name} {filter}"))?;
    page.retain(|item| !item.is_null());
    let mut answer = json!({});
    if !page.is_empty() {
        answer[name] = json!(page);
    }
    if let Some(token) = next {
        answer["next_page_token"] = json!(token);
    }
    Ok(Json(answer))
}

/// The items with a page of nulls after every second page, unless it were the last.
fn with_gaps(items: Vec<Value>, size: usize) -> Vec<Value> {
    let mut all = Vec::new();
    for (n, item) in items.into_iter().enumerate() {
        if n > 0 && n % (2 * size) == 0 {
            all.resize(all.len() + size, Value::Null);
        }
        all.push(item);
    }
    all
}
