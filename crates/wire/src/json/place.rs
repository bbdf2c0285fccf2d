//! Where in a document an error is. serde_json says the line and the column at which it stopped; the text up to there
//! tells which member or element that is. Following the path while decoding would take a second copy of each type's code.

use std::fmt::Write as _;

/// A container that the text is inside of.
enum Open<'a> {
    /// An object, and its member's name as it is written, with quotes.
    Object(Option<&'a [u8]>),
    /// An array, and its element's number.
    Array(usize),
}

/// The path to a line and column in a document, such as `toys[1].parent.count`; empty for the document itself. What
/// ends at the place counts as the value there, so an object that lacks a member is named after its last brace.
pub(super) fn path(document: &[u8], line: usize, column: usize) -> String {
    let mut open: Vec<Open<'_>> = Vec::new();
    let end = offset(document, line, column);
    let mut at = 0;
    while at < end {
        let start = at;
        at += 1;
        match document[start] {
            b'{' => open.push(Open::Object(None)),
            b'[' => open.push(Open::Array(0)),
            b'}' | b']' => drop(open.pop()),
            b',' => match open.last_mut() {
                Some(Open::Object(name)) => *name = None,
                Some(Open::Array(index)) => *index += 1,
                None => {}
            },
            b'"' => {
                at = start + string(&document[start..]);
                if let Some(Open::Object(name @ None)) = open.last_mut() {
                    *name = Some(&document[start..at]);
                }
            }
            _ => {}
        }
    }
    let mut path = String::new();
    for container in &open {
        match container {
            Open::Object(None) => {}
            Open::Object(Some(name)) => {
                let dot = if path.is_empty() { "" } else { "." };
                let name = serde_json::from_slice(name)
                    .unwrap_or_else(|_| String::from_utf8_lossy(name).trim_matches('"').to_owned());
                path.push_str(dot);
                path.push_str(&name);
            }
            // Writing to a string can't fail.
            Open::Array(index) => drop(write!(path, "[{index}]")),
        }
    }
    path
}

/// How many bytes are before a place; columns count bytes from the line's start.
fn offset(document: &[u8], line: usize, column: usize) -> usize {
    let lines = document.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines.take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    (before + column).min(document.len())
}

/// The length of the string that a document begins with.
fn string(document: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = document.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    document.len()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::path;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only decoded")]
    struct Node {
        id: u8,
        #[serde(default)]
        parent: Option<Box<Node>>,
        #[serde(default)]
        rows: Vec<Vec<Option<u8>>>,
        #[serde(default)]
        by_name: BTreeMap<String, bool>,
    }

    fn place(document: &str) -> String {
        let error = serde_json::from_str::<Vec<Node>>(document).unwrap_err();
        path(document.as_bytes(), error.line(), error.column())
    }

    #[test]
    fn an_error_of_any_kind_has_its_path() {
        for (document, expected) in [
            (r#"[{"id": "x"}]"#, "[0].id"),
            (r#"[{"id": 1}, {"id": 300}]"#, "[1].id"),
            (r#"[{"id": 1}, {"id": {}}]"#, "[1].id"),
            (r#"[{"id": 1}, {"id":[1]}]"#, "[1].id"),
            (r#"[{"id": 1}, {"id": -1, "rows": []}]"#, "[1].id"),
            (r#"[{"id": 1, "parent": {"id": 2, "parent": {}}}]"#, "[0].parent.parent"),
            (r#"[{"id": 1, "rows": [[1], [2, null, "x"]]}]"#, "[0].rows[1][2]"),
            (r#"[{"id": 1, "by_name": {"a": true, "b,{": 1}}]"#, "[0].by_name.b,{"),
            (r#"[{"id": 1, "by_name": {"\"\u00e9\\": 1}}]"#, "[0].by_name.\"é\\"),
            ("[\n{\"id\": 1,\r\n\"rows\":\n  [[\n\"é\"]]}]", "[0].rows[0][0]"),
            (r#"[{"id": 1}, {"new": "}]\"", "id": true}]"#, "[1].id"),
            (r#"[{"id": 1}, 7]"#, "[1]"),
            (r#"{"id": 1}"#, ""),
            (r#"[{"id": 1}, {"id": 1"#, "[1].id"),
            (r#"[{"id": 1}] x"#, ""),
            (r#"[{"id": 1}, {"id": "#, "[1].id"),
            (r#"[{"id": 1"x"}]"#, "[0].id"),
            ("", ""),
        ] {
            assert_eq!(place(document), expected, "{document}");
        }
    }

    #[test]
    fn a_place_outside_the_text_and_broken_text_are_no_trouble() {
        for document in ["", "]", "}}", ",", "\"", "\"\\", "{\"a\\", "[[", "{\"a\":[1,", "\u{feff}{"] {
            for line in 0..3 {
                for column in 0..12 {
                    path(document.as_bytes(), line, column);
                }
            }
        }
        assert_eq!(path(b"{\"\xff\":", 1, 9), "\u{fffd}");
    }
}
