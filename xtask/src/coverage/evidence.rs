//! The tests: which of them name an operation.
//!
//! A test names an operation by its id, by its constant, by a path with the right number of segments, or, in the tests of
//! the program, by a command that leads to it.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result};

use super::{operation::Operation, rust};

/// The places with tests, and whether the folder is one of sources, of which only a part is tests.
const PLACES: [(&str, &str, bool); 7] = [
    ("client", "crates/client/tests", false),
    ("actions", "crates/actions/tests", false),
    ("actions", "crates/actions/src", true),
    ("cli", "crates/cli/tests", false),
    ("sandbox", "crates/sandbox/tests", false),
    ("sandbox", "crates/sandbox/src", true),
    ("contract", "tests", false),
];

/// Fills in where each operation is named.
pub(super) fn find(root: &Path, operations: &mut [Operation]) -> Result<()> {
    for (place, folder, is_source) in PLACES {
        let folder = root.join(folder);
        if !folder.is_dir() {
            continue;
        }
        let mut seen = Seen::default();
        for path in rust::files(&folder, "rs")?.into_iter().chain(rust::files(&folder, "py")?) {
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let is_tests = !is_source || path.file_stem().is_some_and(|stem| stem == "tests");
            seen.add(if is_tests {
                &text
            } else {
                text.split_once("#[cfg(test)]").map_or("", |(_, tests)| tests)
            });
        }
        for operation in operations.iter_mut() {
            if !operation.tests.contains(&place) && seen.names(operation, place == "cli") {
                operation.tests.push(place);
            }
        }
    }
    Ok(())
}

/// What texts contain.
#[derive(Default)]
struct Seen {
    words: BTreeSet<String>,
    /// Each with the method before it, if there is one.
    paths: BTreeSet<(Option<String>, String)>,
    /// All words with one space between them, so that `["jobs", "list"]` reads like `jobs list`.
    line: String,
}

impl Seen {
    fn add(&mut self, text: &str) {
        let mut before = "";
        for piece in
            text.split(|c: char| c.is_whitespace() || "\"'`(),=[]".contains(c)).filter(|it| !it.is_empty())
        {
            if let Some(start) = piece.find("/api/").or_else(|| piece.find("/serving-endpoints/")) {
                let path = piece[start..].split(['?', '\\']).next().unwrap_or_default();
                let method = before.trim_matches(|c: char| !c.is_ascii_alphanumeric());
                let is_method = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"].contains(&method);
                self.paths.insert((is_method.then(|| method.to_owned()), path.to_owned()));
            }
            let word = |c: char| !(c.is_alphanumeric() || c == '_');
            self.words.extend(piece.split(word).filter(|word| word.contains('_')).map(str::to_owned));
            self.line.push(' ');
            self.line.push_str(piece);
            before = piece;
        }
    }

    fn names(&self, operation: &Operation, by_command: bool) -> bool {
        self.words.contains(&operation.id)
            || self.words.contains(&operation.id.to_uppercase())
            || self.paths.iter().any(|(method, path)| {
                method.as_ref().is_none_or(|method| *method == operation.method)
                    && fits(path, &operation.path)
            })
            || by_command && operation.commands.iter().any(|command| self.runs(command))
    }

    /// Whether the words of a command, without `brick`, stand together.
    fn runs(&self, command: &str) -> bool {
        let words = command.trim_start_matches("brick");
        self.line.match_indices(words).any(|(index, _)| {
            self.line[index + words.len()..]
                .chars()
                .next()
                .is_none_or(|next| !next.is_alphanumeric() && next != '-')
        })
    }
}

/// Whether a path that a test has is one of the description, with values in place of its parameters.
fn fits(path: &str, template: &str) -> bool {
    let (mut path, mut template) = (path.split('/'), template.split('/').peekable());
    while let Some(segment) = template.next() {
        let Some(value) = path.next() else { return false };
        if !segment.starts_with('{') && segment != value || segment.starts_with('{') && value.is_empty() {
            return false;
        }
        // A parameter at the end may keep its slashes.
        if segment.starts_with('{') && template.peek().is_none() && segment.ends_with("_path}") {
            return true;
        }
    }
    path.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::{Operation, Seen, fits};

    fn operation(id: &str, method: &str, path: &str, command: &str) -> Operation {
        Operation {
            id: id.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            commands: vec![command.to_owned()],
            ..Operation::default()
        }
    }

    #[test]
    fn a_test_names_an_operation_in_several_ways() {
        let list = operation("toys_list", "GET", "/api/2.0/toys", "brick toys list");
        let get = operation("toys_get", "GET", "/api/2.0/toys/{id}", "brick toys get");
        for (text, is_list, is_get) in [
            ("client.toys_list(&query)", true, false),
            ("call(&operations::TOYS_GET)", false, true),
            ("assert_eq!(sent, [\"GET /api/2.0/toys\"])", true, false),
            ("(\"GET\", \"/api/2.0/toys/17?full=true\")", false, true),
            ("\"POST /api/2.0/toys\"", false, false),
            ("my_toys_list, \"/api/2.0/toyshop\"", false, false),
            ("brick(&[\"toys\", \"list\", \"-o\"])", true, false),
            ("run(\"toys get-all 1\")", false, false),
            ("run(\"toys get 1\")", false, true),
        ] {
            let mut seen = Seen::default();
            seen.add(text);
            assert_eq!((seen.names(&list, true), seen.names(&get, true)), (is_list, is_get), "{text}");
        }
        let mut seen = Seen::default();
        seen.add("run(\"toys get 1\")");
        assert!(!seen.names(&get, false));
    }

    #[test]
    fn a_parameter_is_a_segment_or_the_rest() {
        assert!(fits("/api/toys/1/parts", "/api/toys/{id}/parts"));
        assert!(fits("/api/fs/files/Volumes/a/b.csv", "/api/fs/files/{file_path}"));
        for path in ["/api/toys", "/api/toys/1", "/api/toys//parts", "/api/toys/1/parts/2"] {
            assert!(!fits(path, "/api/toys/{id}/parts"), "{path}");
        }
    }
}
