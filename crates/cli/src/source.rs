//! SQL, code, settings, or a request body: from an argument, a file, or standard input. What is read has a limit, because a pipe
//! or a device may never end.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
};

use brickwire_actions::{decode_text, refuse_notebook, without_mark};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::failure::{Failure, Result};

/// What stands for standard input where a file is expected.
const STDIN: &str = "-";

/// The longest SQL or code, in bytes: the service's own limit for a statement.
pub(crate) const TEXT_LIMIT: u64 = 16 << 20;
/// The longest body or file of a raw request, in bytes.
pub(crate) const DATA_LIMIT: u64 = 256 << 20;
/// The longest content of a workspace object that is read, in bytes: more than one can have; the library knows the limit.
pub(crate) const OBJECT_LIMIT: u64 = 64 << 20;

/// Where SQL or code comes from.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Source {
    /// The SQL or code; - reads standard input
    #[arg(value_name = "TEXT", conflicts_with = "file", value_parser = plain)]
    text: Option<String>,
    /// Read the SQL or code from this file; - reads standard input
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Source {
    /// Reads the text without changing it, except that a byte-order mark is dropped. Blank text is an error; most likely
    /// a shell variable wasn't set. So is a notebook.
    pub(crate) fn read(&self, what: &str) -> Result<String> {
        let text = self.read_any(what)?;
        refuse_notebook(&text)?;
        Ok(text)
    }

    /// Whether there is no text, and a person who could type it.
    pub(crate) fn is_missing(&self) -> bool {
        self.text.is_none() && self.file.is_none() && io::stdin().is_terminal()
    }

    /// As [`read`](Self::read), for those who know notebooks.
    pub(crate) fn read_any(&self, what: &str) -> Result<String> {
        if let Some(name) = self.text.as_deref().filter(|text| is_file_name(text)) {
            return Err(Failure::usage(format!("this is the name of a file: {name}"))
                .with_hint(format!("did you mean -f {name}?")));
        }
        let text = match (&self.text, &self.file) {
            (Some(text), _) if text != STDIN => without_mark(text).to_owned(),
            (_, Some(path)) => Input::read(path, TEXT_LIMIT)?.text()?,
            (None, None) if io::stdin().is_terminal() => {
                return Err(Failure::usage(format!("no {what} given"))
                    .with_hint("pass it as an argument, name a file with -f, or pipe it in"));
            }
            _ => Input::read(STDIN, TEXT_LIMIT)?.text()?,
        };
        if text.trim().is_empty() {
            return Err(Failure::usage(format!("the {what} is empty")));
        }
        Ok(text)
    }

    /// What a program that is run from here is called, as Python does.
    pub(crate) fn program_name(&self) -> String {
        match &self.file {
            Some(file) => file.display().to_string(),
            None if self.text.as_deref().is_some_and(|text| text != STDIN) => "-c".to_owned(),
            None => STDIN.to_owned(),
        }
    }

    /// The file, if the text comes from one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.as_deref().filter(|path| path.as_os_str() != STDIN)
    }
}

/// Whether a text is only the name of a file of code that exists.
fn is_file_name(text: &str) -> bool {
    const ENDINGS: [&str; 5] = [".sql", ".py", ".ipynb", ".scala", ".r"];
    let is_one_word = !text.contains(char::is_whitespace);
    let lower = text.to_ascii_lowercase();
    is_one_word && ENDINGS.iter().any(|ending| lower.ends_with(ending)) && Path::new(text).is_file()
}

/// A text without the mark that `Args` puts before one that looks like an option.
#[allow(clippy::unnecessary_wraps, reason = "clap expects a result")]
fn plain(text: &str) -> std::result::Result<String, std::convert::Infallible> {
    Ok(without_mark(text).to_owned())
}

/// Members of a JSON object, each as its JSON: nothing that this version doesn't know is lost.
pub(crate) type Fields = BTreeMap<String, Box<RawValue>>;

/// Settings as JSON.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Settings {
    /// JSON object with settings: text, @FILE, or - (or @-) for standard input; other options override its members
    #[arg(long, short, value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    data: Option<String>,
}

impl Settings {
    /// The members of the object; none without one.
    pub(crate) fn read(&self) -> Result<Fields> {
        let text = match &self.data {
            None => return Ok(Fields::new()),
            Some(data) => match data.strip_prefix('@') {
                Some(path) => Input::read(path, TEXT_LIMIT)?.text()?,
                None if data == STDIN => Input::read(STDIN, TEXT_LIMIT)?.text()?,
                None => data.clone(),
            },
        };
        serde_json::from_str(&text).map_err(|error| {
            // Without what the parser found: that may be a secret.
            let place = match error.is_data() {
                true => String::new(),
                false => format!(": line {} column {}", error.line(), error.column()),
            };
            Failure::usage(format!("the settings are not a JSON object{place}"))
                .with_hint("pass --data '{\"name\": \"value\"}', or name a file with --data @FILE")
        })
    }
}

/// Sets a member to what an option gives, if it was given.
pub(crate) fn set(fields: &mut Fields, name: &str, value: Option<impl Serialize>) -> Result {
    if let Some(value) = value {
        fields.insert(name.to_owned(), to_raw_value(&value)?);
    }
    Ok(())
}

/// What a file or standard input holds.
pub(crate) struct Input {
    pub(crate) bytes: Vec<u8>,
    /// What errors call it.
    name: String,
}

impl Input {
    /// Reads a file, or standard input if the path is `-`. More than `limit` bytes are an error.
    pub(crate) fn read(path: impl AsRef<Path>, limit: u64) -> Result<Self> {
        let path = path.as_ref();
        if path.as_os_str() == STDIN {
            let name = "standard input".to_owned();
            return Ok(Self { bytes: up_to(limit, io::stdin(), &name)?, name });
        }
        let name = path.display().to_string();
        Ok(Self { bytes: up_to(limit, open(path)?, &name).map_err(|failure| at(path, failure))?, name })
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

/// Reads a JSON document: `@FILE` names a file, `-` or `@-` standard input, and anything else is the document itself.
/// `what` names it in errors.
pub(crate) fn json_data(what: &str, data: &str) -> Result<String> {
    let text = match data.strip_prefix('@') {
        Some(path) => Input::read(path, TEXT_LIMIT)?.text()?,
        None if data == STDIN => Input::read(STDIN, TEXT_LIMIT)?.text()?,
        None => without_mark(data).to_owned(),
    };
    if text.trim().is_empty() {
        return Err(Failure::usage(format!("the {what} is empty")));
    }
    Ok(text)
}

/// Reads a file of a form.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>> {
    up_to(DATA_LIMIT, open(path)?, &path.display().to_string()).map_err(|failure| at(path, failure))
}

fn up_to(limit: u64, from: impl Read, name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Failure::local(format!("the input is larger than {} MiB: {name}", limit >> 20)));
    }
    Ok(bytes)
}

/// Names the file in an error of reading it.
fn at(path: &Path, failure: Failure) -> Failure {
    match failure.io() {
        Some(error) => Failure::file(path, error),
        None => failure,
    }
}

/// Opens a file or a pipe. A device such as `/dev/zero` is refused, but for a terminal, `/dev/null`, and `/dev/stdin`.
fn open(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(|e| Failure::file(path, &e))?;
    #[cfg(unix)]
    if is_endless(path, &file).map_err(|e| Failure::file(path, &e))? {
        return Err(Failure::local(format!("this is a device, not a file: {}", path.display())));
    }
    Ok(file)
}

#[cfg(unix)]
fn is_endless(path: &Path, file: &File) -> io::Result<bool> {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let known = file.metadata()?;
    let is_null = || std::fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == known.rdev());
    Ok(known.file_type().is_char_device()
        && path != Path::new("/dev/stdin")
        && !is_null()
        && !file.is_terminal())
}

#[cfg(test)]
mod tests {
    use brickwire_actions::ErrorKind;

    use super::*;

    #[test]
    fn settings_keep_what_they_are_and_no_error_quotes_them() {
        let read = |data: &str| Settings { data: Some(data.to_owned()) }.read();
        let mut fields = read(r#"{"a":18446744073709551616,"b":{"c":null}}"#).unwrap();
        set(&mut fields, "b", Some("d")).unwrap();
        set(&mut fields, "e", None::<&str>).unwrap();
        let text = serde_json::to_string(&fields).unwrap();
        assert_eq!(text, r#"{"a":18446744073709551616,"b":"d"}"#);
        for wrong in ["hush", "[\"hush\"]", "{\"a\": hush}"] {
            let failure = read(wrong).unwrap_err();
            assert_eq!(failure.kind(), ErrorKind::Usage);
            assert!(!failure.message().contains("hush"), "{}", failure.message());
        }
        assert!(Settings { data: None }.read().unwrap().is_empty());
    }

    #[test]
    fn what_is_read_has_a_limit() {
        assert_eq!(up_to(3, &b"abc"[..], "x").unwrap(), b"abc");
        let failure = up_to(1 << 20, io::repeat(0), "a.sql").unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::Local);
        assert_eq!(failure.message(), "the input is larger than 1 MiB: a.sql");
    }
}
