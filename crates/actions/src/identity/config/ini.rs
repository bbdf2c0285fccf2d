//! Parses `~/.databrickscfg` as the Databricks CLI and SDKs do.
//!
//! Values may be quoted. ` # text` and ` ; text` after a value are comments; `#` and `;` inside a word are data. A key
//! ends at `=` or `:`. Keys before the first section belong to `DEFAULT`. If a key is repeated, the last value is used;
//! sections of the same name are merged. A byte-order mark and Windows line ends are accepted.
//!
//! Differences from the SDKs, on purpose: keys are compared without regard to case (as in Python; Go ignores `Host`),
//! and a comment sign inside quotes is data (in Go it ends the value).

use std::collections::HashMap;

use crate::{Error, Result};

/// The section for settings of the file itself, which is not a profile.
pub(crate) const SETTINGS: &str = "__settings__";
/// The profile that is used if none is named.
pub(crate) const DEFAULT: &str = "DEFAULT";

/// A parsed file: sections and their keys, in the file's order. Files that programs write may have very many of both, so
/// none is searched for from the start.
#[derive(Clone, Default)]
pub(crate) struct Ini {
    sections: Vec<Section>,
    /// Where each section is.
    places: HashMap<String, usize>,
}

#[derive(Clone)]
pub(crate) struct Section {
    pub(crate) name: String,
    entries: Vec<(String, String)>,
    /// Where each key is.
    places: HashMap<String, usize>,
}

impl Ini {
    /// Parses the text. `file` is named in errors, which never quote a line, because it may contain a secret.
    pub(crate) fn parse(text: &str, file: &str) -> Result<Self> {
        let mut ini = Self::default();
        // The section of the line, once it is known to have a key.
        let mut current = None;
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let refuse = |why: &str| Err(Error::configuration(format!("{why}: {file}, line {}", number + 1)));
            if let Some(rest) = line.strip_prefix('[') {
                let Some((name, _)) = rest.rsplit_once(']') else { return refuse("a section without `]`") };
                current = Some(ini.place_of(name.trim()));
                continue;
            }
            let Some((key, value)) = line.split_once(['=', ':']) else {
                return refuse("a line that is neither section, key nor comment");
            };
            let key = key.trim().to_ascii_lowercase();
            if key.is_empty() {
                return refuse("a value without a key");
            }
            let at = *current.get_or_insert_with(|| ini.place_of(DEFAULT));
            ini.sections[at].set(key, value_of(value.trim()).to_owned());
        }
        Ok(ini)
    }

    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.places.get(name).map(|at| &self.sections[*at])
    }

    /// The profiles, in the file's order.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter().filter(|s| s.name != SETTINGS)
    }

    /// Where the section of this name is. It is added if it is new.
    fn place_of(&mut self, name: &str) -> usize {
        if let Some(at) = self.places.get(name) {
            return *at;
        }
        let at = self.sections.len();
        self.places.insert(name.to_owned(), at);
        self.sections.push(Section { name: name.to_owned(), entries: Vec::new(), places: HashMap::new() });
        at
    }
}

impl Section {
    /// The value of a key; an empty value counts as missing.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.places.get(key).map(|at| self.entries[*at].1.as_str()).filter(|v| !v.is_empty())
    }

    /// Sets a key; the last value counts.
    fn set(&mut self, key: String, value: String) {
        match self.places.get(&key) {
            Some(at) => self.entries[*at].1 = value,
            None => {
                self.places.insert(key.clone(), self.entries.len());
                self.entries.push((key, value));
            }
        }
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(k, _)| k.as_str())
    }
}

/// Removes quotes and a comment.
fn value_of(text: &str) -> &str {
    split_value(text).0
}

/// The value in the text after a separator, and what follows it: a comment, if any, with the blanks before it.
pub(crate) fn split_value(text: &str) -> (&str, &str) {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))
        && let Some((inside, after)) = text[1..].split_once(quote)
        && (after.trim().is_empty()
            || after.starts_with(char::is_whitespace) && comment_start(after) == Some(0))
    {
        return (inside, after);
    }
    match comment_start(text) {
        Some(at) => (text[..at].trim_end(), &text[text[..at].trim_end().len()..]),
        None => (text, ""),
    }
}

/// Finds the start of a comment, including the blanks before it.
fn comment_start(text: &str) -> Option<usize> {
    if text.starts_with(['#', ';']) {
        return Some(0);
    }
    let sign = text
        .char_indices()
        .zip(text.chars().skip(1))
        .find_map(|((at, blank), sign)| (blank.is_whitespace() && matches!(sign, '#' | ';')).then_some(at))?;
    Some(text[..sign].trim_end().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(text: &str, section: &str, key: &str) -> Option<String> {
        Ini::parse(text, "f").unwrap().section(section).and_then(|s| s.get(key).map(str::to_owned))
    }

    #[test]
    fn values_as_the_sdks_read_them() {
        for (written, read) in [
            ("t", "t"),
            ("t # mine", "t"),
            ("t\t; mine", "t"),
            ("ab#cd;ef", "ab#cd;ef"),
            ("a=b==", "a=b=="),
            ("\"%Y#X$Z\" # comment", "%Y#X$Z"),
            ("'%Y #X' ; c", "%Y #X"),
            ("\"a\"b", "\"a\"b"),
            ("\"open", "\"open"),
            ("a b", "a b"),
        ] {
            assert_eq!(
                get(&format!("[p]\ntoken = {written}\n"), "p", "token").as_deref(),
                Some(read),
                "{written}"
            );
        }
        for empty in ["", "# nothing", "\"\""] {
            assert_eq!(get(&format!("[p]\ntoken = {empty}\n"), "p", "token"), None, "{empty}");
        }
    }

    #[test]
    fn files_as_editors_leave_them() {
        let text =
            "\u{feff}host: h\r\n\r\n[ my work ] ; c\r\nHost=a\r\n  host = b\r\n[DEFAULT]\r\ntoken = t\r\n";
        assert_eq!(get(text, "DEFAULT", "host").as_deref(), Some("h"));
        assert_eq!(get(text, "DEFAULT", "token").as_deref(), Some("t"));
        assert_eq!(get(text, "my work", "host").as_deref(), Some("b"), "the last value is used");
        assert_eq!(Ini::parse(text, "f").unwrap().profiles().count(), 2);
    }

    /// Searching from the start for each of these would take minutes.
    #[test]
    fn very_many_sections_and_keys_are_read() {
        let sections: String = (0..200_000).map(|n| format!("[s{n}]\nhost=h{n}\n")).collect();
        assert_eq!(get(&sections, "s199999", "host").as_deref(), Some("h199999"));
        let keys: String = (0..50_000).map(|n| format!("k{n}=v{n}\n")).collect();
        assert_eq!(get(&keys, DEFAULT, "k49999").as_deref(), Some("v49999"));
        assert_eq!(Ini::parse(&keys, "f").unwrap().section(DEFAULT).unwrap().keys().count(), 50_000);
    }

    #[test]
    fn errors_name_the_line_and_not_its_text() {
        for text in ["[p]\ndapiSECRET\n", "[p]\n=dapiSECRET\n", "#\n[dapiSECRET\n"] {
            let error = format!("{:?}", Ini::parse(text, "the-file").err().unwrap());
            assert!(error.contains("the-file, line 2") && !error.contains("SECRET"), "{error}");
        }
    }
}
