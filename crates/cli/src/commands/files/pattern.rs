//! Patterns: what a path with `*`, `?` and `[...]` stands for. Each part of a path is matched on its own.

use glob::{MatchOptions, Pattern};

use super::{
    item::Item,
    location::{Location, is_drive, is_pattern},
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
    let (start, parts) = split(&given.path, given.is_local() && cfg!(windows));
    let (mut places, mut found) =
        (vec![Location { path: start, says_directory: false, ..given.clone() }], Vec::new());
    for (n, part) in parts.iter().enumerate() {
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

/// The directory in which a pattern begins, and the parts from the first one that has to be matched.
fn split(pattern: &str, is_windows: bool) -> (String, Vec<&str>) {
    let mut parts: Vec<_> = pattern.split(|letter| letter == '/' || is_windows && letter == '\\').collect();
    let rest = parts.split_off(parts.iter().take_while(|part| !is_pattern(part)).count());
    let start = parts.join("/");
    let start = match start.as_str() {
        "" if !parts.is_empty() => "/".to_owned(),
        // `C:` alone is the current directory of the drive.
        drive if is_windows && is_drive(drive) => format!("{drive}/"),
        _ => start,
    };
    (start, rest)
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

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_pattern_begins_in_a_directory() {
        for (pattern, start, parts) in [
            ("*.csv", "", &["*.csv"][..]),
            ("/*.csv", "/", &["*.csv"]),
            ("data/2026/*/a?.csv", "data/2026", &["*", "a?.csv"]),
            ("./*/b", ".", &["*", "b"]),
            (r"a\*", "", &[r"a\*"]),
        ] {
            assert_eq!(split(pattern, false), (start.to_owned(), parts.to_vec()), "{pattern}");
        }
        for (pattern, start, parts) in [
            (r"data\2026\*\a?.csv", "data/2026", &["*", "a?.csv"][..]),
            (r"C:\*.csv", "C:/", &["*.csv"]),
            (r"C:\data/*.csv", "C:/data", &["*.csv"]),
            (r"\\server\share\*", "//server/share", &["*"]),
            (r"..\*", "..", &["*"]),
        ] {
            assert_eq!(split(pattern, true), (start.to_owned(), parts.to_vec()), "{pattern}");
        }
    }
}
