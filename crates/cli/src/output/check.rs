//! What can be wrong with an output and is known before anything is sent: the filter and the format.

use std::io::{self, IsTerminal};

use clap::ValueEnum;

use super::{filter, rows_only};
use crate::{
    failure::{Failure, Result},
    options::Format,
};

/// Checks that the filter compiles, and that the format exists in this build and suits the filter and the command.
/// `has_batches` says whether the command can write Arrow and Parquet.
pub(crate) fn check(format: Format, jq: Option<&str>, has_batches: bool) -> Result {
    if let Some(code) = jq {
        if !matches!(format, Format::Auto | Format::Json | Format::Jsonl | Format::Envelope) {
            let name =
                format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
            return Err(Failure::usage(format!("--jq filters JSON and can't print this format: {name}"))
                .with_hint(
                    "omit -o: each result of the filter is printed in one line, and a string without quotes",
                ));
        }
        filter::check(code)?;
    }
    match format {
        Format::Arrow | Format::Parquet if !has_batches => Err(rows_only()),
        #[cfg(not(feature = "arrow"))]
        Format::Arrow | Format::Parquet => Err(Failure::not_built("Arrow and no Parquet", "full")),
        _ => Ok(()),
    }
}

/// Checks that a format can have a text for NULL.
pub(crate) fn check_null(format: Format, null: Option<&str>, jq: Option<&str>) -> Result {
    let is_text = match format {
        Format::Auto => io::stdout().is_terminal(),
        Format::Table | Format::Record | Format::Csv | Format::Tsv | Format::Markdown => true,
        Format::Json | Format::Jsonl | Format::Envelope | Format::Agent => false,
        Format::Name | Format::Arrow | Format::Parquet => false,
    };
    if null.is_none() || (is_text && jq.is_none()) {
        return Ok(());
    }
    Err(Failure::usage("--null needs a format in which NULL is text").with_hint("add -o csv or -o table"))
}
