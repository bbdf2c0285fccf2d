//! Pages of a list: decides when the next page is asked for, and when a list that never ends is given up.

use std::collections::HashSet;

use crate::{Error, Result};

/// Pages in a row without an item; the service sends some where a filter leaves nothing.
const MOST_EMPTY: u32 = 1000;

/// The pages of one list: at 15 requests a second, more than ten minutes of them.
const MOST: usize = 10_000;

/// The longest token, in bytes. It has to fit into an address, and every one is kept.
const LONGEST_TOKEN: usize = 8 << 10;

/// What is known of the pages that came.
#[derive(Debug, Clone, Default)]
pub struct Pages {
    seen: HashSet<String>,
    empty: u32,
}

impl Pages {
    /// The token of the next page, if there is one; `items` is how many the page that names it has.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) for a token that came before or is longer
    /// than 8 KiB, after a thousand pages in a row without items, and after ten thousand pages.
    pub fn next(&mut self, token: Option<String>, items: usize) -> Result<Option<String>> {
        let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
        self.empty = if items == 0 { self.empty + 1 } else { 0 };
        if self.empty >= MOST_EMPTY {
            return Err(Error::unexpected(format!("{MOST_EMPTY} pages in a row have no items")));
        }
        if token.len() > LONGEST_TOKEN {
            return Err(Error::unexpected(format!("a page token is too long: {} bytes", token.len())));
        }
        if self.seen.len() == MOST {
            return Err(Error::unexpected(format!("the list has more than {MOST} pages")));
        }
        if !self.seen.insert(token.clone()) {
            return Err(Error::unexpected("the service returned the same page token twice"));
        }
        Ok(Some(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_tokens_until_there_is_none() {
        let mut pages = Pages::default();
        assert_eq!(pages.next(Some("a".to_owned()), 0).unwrap().as_deref(), Some("a"));
        assert_eq!(pages.next(Some(String::new()), 1).unwrap(), None);
        assert_eq!(pages.next(None, 1).unwrap(), None);
    }

    #[test]
    fn a_circle_of_tokens_and_endless_empty_pages_are_errors() {
        let mut pages = Pages::default();
        for token in ["a", "b"] {
            pages.next(Some(token.to_owned()), 1).unwrap();
        }
        let error = pages.next(Some("a".to_owned()), 1).unwrap_err();
        assert!(error.to_string().contains("same page token"), "{error}");
        let mut pages = Pages::default();
        let error = (0..).find_map(|n| pages.next(Some(n.to_string()), 0).err()).unwrap();
        assert!(error.to_string().contains("no items"), "{error}");
        let mut pages = Pages::default();
        let error = (0..).find_map(|n| pages.next(Some(n.to_string()), 1).err()).unwrap();
        assert!(error.to_string().contains("more than 10000 pages"), "{error}");
        let error = Pages::default().next(Some("x".repeat(9000)), 1).unwrap_err();
        assert_eq!(error.to_string(), "a page token is too long: 9000 bytes");
    }
}
