//! Candidates that follow from the rest of the line that is being typed: headings of a list, and parameters of the SQL.

use std::{ffi::OsStr, fs, path::Path};

use brickwire_actions::{Script, decode_text};
use clap_complete::CompletionCandidate;

use crate::{commands, shells, terminal::is_control};

/// The longest SQL file that is read while someone types, in bytes.
const LONGEST: u64 = 1 << 20;

/// The headings of the list that is being typed, for `--columns`.
pub(super) fn columns(current: &OsStr) -> Vec<CompletionCandidate> {
    // The first word that names a command, for words before it may be values of options.
    let words = shells::words();
    let columns = words.iter().skip(1).map(|word| commands::columns_of(word)).find(|found| !found.is_empty());
    let names =
        columns.unwrap_or_default().iter().map(|(heading, _)| heading.to_lowercase().replace(' ', "_"));
    starting(current, names)
}

/// The parameters of the statements in the file or the text on the line, for `-P`.
pub(super) fn parameters(current: &OsStr) -> Vec<CompletionCandidate> {
    let words = shells::words();
    let texts = words.iter().filter(|word| word.contains(char::is_whitespace)).cloned();
    let texts = files(&words).into_iter().filter_map(read).chain(texts);
    let mut names: Vec<String> = Vec::new();
    for script in texts.filter_map(|text| Script::parse(&text).ok()) {
        for name in script.statements().iter().flat_map(|statement| statement.parameters()) {
            if !names.contains(name) && !name.contains(is_control) {
                names.push(name.clone());
            }
        }
    }
    starting(current, names.into_iter().map(|name| format!("{name}=")))
}

/// The files that `-f` and `--file` name.
fn files(words: &[String]) -> Vec<&str> {
    let named = words.windows(2).filter(|pair| ["-f", "--file"].contains(&pair[0].as_str()));
    let inline = words.iter().filter_map(|word| word.strip_prefix("--file="));
    named.map(|pair| pair[1].as_str()).chain(inline).collect()
}

/// The text of a regular file: a pipe would wait.
fn read(path: &str) -> Option<String> {
    let path = Path::new(path);
    let known = fs::metadata(path).ok()?;
    if !known.is_file() || known.len() > LONGEST {
        return None;
    }
    decode_text(&fs::read(path).ok()?, &path.display().to_string()).ok()
}

fn starting(current: &OsStr, names: impl Iterator<Item = String>) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy().to_lowercase();
    names.filter(|name| name.to_lowercase().starts_with(&current)).map(CompletionCandidate::new).collect()
}
