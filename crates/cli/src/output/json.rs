//! Re-indents JSON text without reading it: numbers, escapes, key order and duplicate keys stay as they came.

/// JSON on many lines, indented by two.
pub(crate) fn pretty(text: &str) -> String {
    reformat(text, true)
}

/// JSON on one line.
pub(crate) fn compact(text: &str) -> String {
    reformat(text, false)
}

fn reformat(text: &str, indent: bool) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth: usize = 0;
    let mut chars = text.chars().filter(|c| *c != '\u{feff}').peekable();
    let newline = |out: &mut String, depth: usize| {
        if indent {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                out.push(c);
                while let Some(c) = chars.next() {
                    out.push(c);
                    match c {
                        '\\' => out.extend(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
                match chars.next_if(|c| matches!(c, '}' | ']')) {
                    Some(close) => out.push(close),
                    None => {
                        depth += 1;
                        newline(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                newline(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                newline(&mut out, depth);
            }
            ':' => out.push_str(if indent { ": " } else { ":" }),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{compact, pretty};

    #[test]
    fn keeps_every_token() {
        let text = r#" { "a" : [ 1.0e5, 9007199254740993123, "x: {\"y\", \\" ], "e": {}, "a": [ ] } "#;
        assert_eq!(compact(text), r#"{"a":[1.0e5,9007199254740993123,"x: {\"y\", \\"],"e":{},"a":[]}"#);
        assert_eq!(
            pretty(text),
            "{\n  \"a\": [\n    1.0e5,\n    9007199254740993123,\n    \"x: {\\\"y\\\", \\\\\"\n  ],\n  \"e\": {},\n  \"a\": []\n}"
        );
    }
}
