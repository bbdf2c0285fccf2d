//! Arguments that are checked before they are sent.

use crate::{Error, Result};

/// Refuses a number that no version has.
pub(super) fn numbered(version: i64) -> Result<i64> {
    match version {
        1.. => Ok(version),
        _ => Err(Error::usage(format!("not the number of a version: {version}"))
            .with_hint("versions are numbered from 1")),
    }
}

/// Refuses an alias that is empty, before it turns a request into another one.
pub(super) fn named(alias: &str) -> Result<&str> {
    if alias.trim().is_empty() { Err(Error::usage("the alias is empty")) } else { Ok(alias) }
}
