//! Patterns: what a path with `*`, `?` and `[...]` stands for. Each part of a path is matched on its own.

use glob::{MatchOptions, Pattern};

use super::{
    item::Item,
    location::{Location, is_pattern},
    store::Stores,
};
use crate::failure::{Failure, Result};

/// As in a shell, `*` doesn't find hidden files.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// What a path leads to, or all that a pattern finds.
pub(super) async fn expand(stores: &Stores, given: &Location) -> Result<Vec<Item>> {
    // The shell may have expanded a pattern to names that look like one.
    if !given.is_pattern() || given.is_local() && stores.find(given).await?.is_some() {
        return Ok(vec![stores.existing(given).await?]);
    }
    let parts: Vec<_> = given.path.split('/').collect();
    let plain = parts.iter().take_while(|part| !is_pattern(part)).count();
    let start = Location { path: parts[..plain].join("/"), says_directory: false, ..given.clone() };
    let start =
        if start.path.is_empty() && plain > 0 { Location { path: "/".to_owned(), ..start } } else { start };
    let (mut places, mut found) = (vec![start], Vec::new());
    for (n, part) in parts.iter().enumerate().skip(plain) {
        found = match is_pattern(part) {
            true => matching(stores, &places, part).await?,
            false => {
                let mut named = Vec::new();
                for place in &places {
                    named.extend(stores.find(&place.join(part)).await?);
                }
                named
            }
        };
        if n + 1 < parts.len() || given.says_directory {
            found.retain(|item| item.is_directory());
        }
        places = found.iter().map(|item| item.location.clone()).collect();
    }
    if found.is_empty() {
        return Err(Failure::new(given.missing(), format!("nothing matches this pattern: {given}"))
            .with_hint(
                "to name a file with *, ? or [ in its name, put that letter in brackets, for example [*]",
            ));
    }
    Ok(found)
}

/// What is in these directories and has a name that matches.
async fn matching(stores: &Stores, directories: &[Location], part: &str) -> Result<Vec<Item>> {
    if part.contains("**") {
        return Err(Failure::usage(format!("** is not supported in a pattern: {part}"))
            .with_hint("use -r for everything below a directory"));
    }
    let pattern = Pattern::new(part).map_err(|error| Failure::usage(format!("{error}: {part}")))?;
    let mut found = Vec::new();
    for directory in directories {
        let items = stores.list(directory).await?.into_iter();
        let matches =
            |item: &Item| item.location.name().is_some_and(|name| pattern.matches_with(name, OPTIONS));
        found.extend(items.filter(matches));
    }
    Ok(found)
}
