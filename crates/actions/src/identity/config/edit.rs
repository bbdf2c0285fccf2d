//! Changes one section in the text of a configuration file. Only lines of that section change: comments, blank lines,
//! the order, line ends, and all other sections stay as they are.
//!
//! A section may be written in several parts, and a key several times. The last value is the one that counts, so that
//! line gets the new value, and the earlier ones are removed: an old token must not stay in the file.

use super::ini::{DEFAULT, split_value};
use crate::{Error, Result, Secret};

/// A key, in lower case, with its new value; `None` removes the key.
pub(crate) type Change = (&'static str, Option<Secret>);

/// The text with these changes in a section, which is added at the end if it is missing.
pub(crate) fn edit(text: &str, section: &str, changes: &[Change]) -> Result<String> {
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text),
    };
    let end = if body.split_inclusive('\n').next().is_some_and(|line| line.ends_with("\r\n")) {
        "\r\n"
    } else {
        "\n"
    };
    let mut lines: Vec<String> = body.split_inclusive('\n').map(str::to_owned).collect();
    let found = Found::of(&lines, section);
    let mut added = Vec::new();
    for (key, value) in changes {
        let places: Vec<_> = found.keys.iter().filter(|(known, _)| known == key).map(|(_, at)| *at).collect();
        let last = match value {
            Some(value) => {
                let value = encoded(value)?;
                match places.last() {
                    Some(at) => lines[*at] = with_value(&lines[*at], &value),
                    None => added.push(format!("{key} = {value}")),
                }
                places.last()
            }
            None => None,
        };
        for at in places.iter().filter(|at| Some(*at) != last) {
            lines[*at].clear();
        }
    }
    if !added.is_empty() {
        let mut new: Vec<String> = added.iter().map(|line| format!("{line}{end}")).collect();
        let at = match found.last {
            Some(last) => {
                // The line may have been removed.
                if !lines[last].is_empty() {
                    terminate(&mut lines[last], end);
                }
                last + 1
            }
            None => {
                if let Some(last) = lines.last_mut() {
                    terminate(last, end);
                    let gap = if last.trim().is_empty() { "" } else { end };
                    new.insert(0, gap.to_owned());
                }
                new.insert(new.len() - added.len(), format!("[{section}]{end}"));
                lines.len()
            }
        };
        lines.splice(at..at, new);
    }
    Ok(mark.to_owned() + &lines.concat())
}

/// Where a section is.
#[derive(Default)]
struct Found {
    /// Its keys, each with the number of its line.
    keys: Vec<(String, usize)>,
    /// The last line that is a key of it or its heading.
    last: Option<usize>,
}

impl Found {
    /// Looks for a section by the rules of [`Ini`](super::ini::Ini), which has accepted the text.
    fn of(lines: &[String], section: &str) -> Self {
        let mut found = Self::default();
        let mut current = DEFAULT.to_owned();
        for (at, line) in lines.iter().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some((name, _)) = line.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')) {
                current = name.trim().to_owned();
            } else if let (Some((key, _)), true) = (line.split_once(['=', ':']), current == section) {
                found.keys.push((key.trim().to_ascii_lowercase(), at));
            }
            if current == section {
                found.last = Some(at);
            }
        }
        found
    }
}

/// The line of a key with another value. Its comment and line end stay.
fn with_value(line: &str, value: &str) -> String {
    let Some(at) = line.find(['=', ':']) else { return line.to_owned() };
    let (head, rest) = line.split_at(at + 1);
    let text = rest.trim_start_matches([' ', '\t']);
    let blanks = &rest[..rest.len() - text.len()];
    let old = text.trim_end();
    let comment = split_value(old).1;
    let gap = if comment.starts_with(['#', ';']) { " " } else { "" };
    format!("{head}{blanks}{value}{gap}{comment}{}", &text[old.len()..])
}

fn terminate(line: &mut String, end: &str) {
    if !line.ends_with('\n') {
        line.push_str(end);
    }
}

/// The value as it is written, in quotes if it would be read differently without them.
fn encoded(value: &Secret) -> Result<String> {
    let text = value.expose();
    // A line break would begin another setting or another profile.
    if !text.contains(char::is_control) {
        let quoted = ['"', '\'', '`'].map(|quote| format!("{quote}{text}{quote}"));
        let is_same = |written: &&str| written.trim() == *written && split_value(written).0 == text;
        if let Some(written) = [text].into_iter().chain(quoted.iter().map(String::as_str)).find(is_same) {
            return Ok(written.to_owned());
        }
    }
    Err(Error::usage(
        "a value cannot be written to the configuration file: it has control characters or mixed quotes",
    ))
}

#[cfg(test)]
mod tests {
    use super::{super::ini::Ini, *};

    fn edited(text: &str, section: &str, changes: &[(&'static str, Option<&str>)]) -> String {
        let changes: Vec<Change> =
            changes.iter().map(|(key, value)| (*key, value.map(Secret::new))).collect();
        let new = edit(text, section, &changes).unwrap();
        // What was written is read back.
        let ini = Ini::parse(&new, "f").unwrap();
        for (key, value) in &changes {
            let read = ini.section(section).and_then(|section| section.get(key));
            assert_eq!(read, value.as_ref().map(Secret::expose), "{key}: {new:?}");
        }
        new
    }

    const FILE: &str = "\
# my workspaces
[DEFAULT]
host  = https://d.example   ; the old one
token = dapi-d

; for reports
[work]
Host: https://w.example
token = dapi-w # expires in May
warehouse_id = w

[last]
host = https://l.example";

    #[test]
    fn only_the_lines_of_the_profile_change() {
        let new = edited(
            FILE,
            "work",
            &[("token", Some("dapi-new")), ("warehouse_id", None), ("cluster_id", Some("c"))],
        );
        let expected =
            FILE.replace("dapi-w #", "dapi-new #").replace("warehouse_id = w\n", "cluster_id = c\n");
        assert_eq!(new, expected);
        let new = edited(FILE, "work", &[("host", Some("https://x.example"))]);
        assert_eq!(new, FILE.replace("https://w.example", "https://x.example"));
        let new = edited(FILE, "DEFAULT", &[("host", Some("https://x.example"))]);
        assert_eq!(new, FILE.replace("https://d.example ", "https://x.example "));
        let new = edited(FILE, "last", &[("token", Some("t"))]);
        assert_eq!(new, format!("{FILE}\ntoken = t\n"));
        assert_eq!(edited(FILE, "work", &[]), FILE);
        assert_eq!(edited(FILE, "missing", &[("token", None)]), FILE);
    }

    #[test]
    fn a_new_profile_goes_to_the_end() {
        let keys = [("host", Some("https://n.example")), ("token", Some("t"))];
        let section = "[new]\nhost = https://n.example\ntoken = t\n";
        assert_eq!(edited("", "new", &keys), section);
        assert_eq!(edited(FILE, "new", &keys), format!("{FILE}\n\n{section}"));
        assert_eq!(edited("[a]\nhost = h\n\n", "new", &keys), format!("[a]\nhost = h\n\n{section}"));
    }

    #[test]
    fn line_ends_and_the_mark_stay() {
        let file = "\u{feff}[a]\r\nhost = h\r\n\r\n[b]\r\nhost = i";
        assert_eq!(
            edited(file, "a", &[("host", Some("j")), ("token", Some("t"))]),
            "\u{feff}[a]\r\nhost = j\r\ntoken = t\r\n\r\n[b]\r\nhost = i"
        );
        assert_eq!(edited(file, "c", &[("host", Some("k"))]), format!("{file}\r\n\r\n[c]\r\nhost = k\r\n"));
        // The mark is before the first line, which is a key.
        assert_eq!(edited("\u{feff}host: h\n", "DEFAULT", &[("host", Some("i"))]), "\u{feff}host: i\n");
    }

    #[test]
    fn repeated_sections_and_keys_are_one() {
        let file = "[p]\ntoken = 1\nTOKEN = 2\n[q]\ntoken = q\n[p] ; again\ntoken = 3\nhost = h\n# end\n";
        assert_eq!(
            edited(file, "p", &[("token", Some("4")), ("cluster_id", Some("c"))]),
            "[p]\n[q]\ntoken = q\n[p] ; again\ntoken = 4\nhost = h\ncluster_id = c\n# end\n"
        );
        assert_eq!(
            edited(file, "p", &[("token", None)]),
            "[p]\n[q]\ntoken = q\n[p] ; again\nhost = h\n# end\n"
        );
    }

    #[test]
    fn keys_before_the_first_section_belong_to_the_default() {
        assert_eq!(
            edited("host = h\n[a]\nhost = i\n", "DEFAULT", &[("token", Some("t"))]),
            "host = h\ntoken = t\n[a]\nhost = i\n"
        );
        assert_eq!(
            edited("[a]\nhost = i\n", "DEFAULT", &[("token", Some("t"))]),
            "[a]\nhost = i\n\n[DEFAULT]\ntoken = t\n"
        );
    }

    #[test]
    fn values_are_read_back_or_refused() {
        for value in ["a=b==", "a#b;c", "a b", "\"a", "it's # 1", "x ; y", "#1", "'a'", "日本"] {
            edited("[p]\ntoken = old # kept\n", "p", &[("token", Some(value))]);
            edited("[p]\ntoken=\n", "p", &[("token", Some(value))]);
            edited("[p]\ntoken = # nothing\n", "p", &[("token", Some(value))]);
        }
        for value in ["a\nhost = evil", "a\r", "a\0", "\"'` # x"] {
            let error = edit("", "p", &[("token", Some(Secret::new(value)))]).unwrap_err();
            assert!(!error.to_string().contains("evil"), "{error}");
        }
    }
}
