//! SQL or code from an argument, a file, or standard input.

use std::{
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
};

use crate::failure::{Failure, Result};

/// Where SQL or code comes from.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Source {
    /// The SQL or code; - reads standard input
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    text: Option<String>,
    /// Read the SQL or code from this file
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Source {
    /// Reads the text without changing it. Blank text is an error; most likely a shell variable wasn't set.
    pub(crate) fn read(&self, what: &str) -> Result<String> {
        let bytes = match (&self.text, &self.file) {
            (Some(text), _) if text != "-" => text.clone().into_bytes(),
            (_, Some(path)) => read_file(path)?,
            (None, None) if io::stdin().is_terminal() => {
                return Err(Failure::usage(format!("no {what} given"))
                    .with_hint("pass it as an argument, name a file with -f, or pipe it in"));
            }
            _ => read_stdin()?,
        };
        let text =
            String::from_utf8(bytes).map_err(|_| Failure::usage(format!("the {what} is not UTF-8 text")))?;
        if text.trim().is_empty() {
            return Err(Failure::usage(format!("the {what} is empty")));
        }
        Ok(text)
    }

    /// The file, if the text comes from one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}

pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| Failure::file(path, &e))
}

pub(crate) fn read_stdin() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}
