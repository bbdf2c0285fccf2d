//! SQL, code, or a request body: from an argument, a file, or standard input.

use std::{
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
};

use brickwire_actions::{decode_text, refuse_notebook, without_mark};

use crate::failure::{Failure, Result};

/// What stands for standard input where a file is expected.
const STDIN: &str = "-";

/// Where SQL or code comes from.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Source {
    /// The SQL or code; - reads standard input
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    text: Option<String>,
    /// Read the SQL or code from this file; - reads standard input
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Source {
    /// Reads the text without changing it, except that a byte-order mark is dropped. Blank text is an error; most likely
    /// a shell variable wasn't set. So is a notebook.
    pub(crate) fn read(&self, what: &str) -> Result<String> {
        let text = match (&self.text, &self.file) {
            (Some(text), _) if text != STDIN => without_mark(text).to_owned(),
            (_, Some(path)) => Input::read(path)?.text()?,
            (None, None) if io::stdin().is_terminal() => {
                return Err(Failure::usage(format!("no {what} given"))
                    .with_hint("pass it as an argument, name a file with -f, or pipe it in"));
            }
            _ => Input::read(STDIN)?.text()?,
        };
        if text.trim().is_empty() {
            return Err(Failure::usage(format!("the {what} is empty")));
        }
        refuse_notebook(&text)?;
        Ok(text)
    }

    /// The file, if the text comes from one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.as_deref().filter(|path| path.as_os_str() != STDIN)
    }
}

/// What a file or standard input holds.
pub(crate) struct Input {
    pub(crate) bytes: Vec<u8>,
    /// What errors call it.
    name: String,
}

impl Input {
    /// Reads a file, or standard input if the path is `-`.
    pub(crate) fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if path.as_os_str() == STDIN {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes)?;
            return Ok(Self { bytes, name: "standard input".to_owned() });
        }
        Ok(Self { bytes: read_file(path)?, name: path.display().to_string() })
    }

    /// The content as text, without its byte-order mark.
    pub(crate) fn text(&self) -> Result<String> {
        Ok(decode_text(&self.bytes, &self.name)?)
    }

    /// Whether its name or its content says that it is JSON. Content counts only if it could be text.
    pub(crate) fn is_json(&self) -> bool {
        let is_text = self.bytes.iter().all(|byte| *byte >= b' ' || byte.is_ascii_whitespace());
        let is_json = matches!(self.bytes.trim_ascii_start(), [b'{' | b'[', ..]);
        self.name.to_ascii_lowercase().ends_with(".json") || is_text && is_json
    }
}

pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| Failure::file(path, &e))
}
