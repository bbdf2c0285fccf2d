//! Ids of jobs and runs: positive numbers of 64 bits.

use crate::{Error, Result};

/// Refuses what can't be an id before it is sent; 0 is an id that was not set.
pub(super) fn numbered(what: &str, id: i64) -> Result<()> {
    if id > 0 { Ok(()) } else { Err(Error::usage(format!("the {what}'s id is not a positive number: {id}"))) }
}
