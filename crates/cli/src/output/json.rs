//! Re-indents JSON text without parsing it, so that numbers, escapes, key order, and duplicate keys don't change.

/// JSON with an indentation of two spaces.
pub(crate) fn pretty(text: &str) -> String {
    reformat(text, true)
}

/// JSON on one line.
pub(crate) fn compact(text: &str) -> String {
    reformat(text, false)
}

/// A statement without its presigned links and their headers, with which anyone can read the rows.
pub(crate) fn without_links(raw: &[u8]) -> Vec<u8> {
    masked(&String::from_utf8_lossy(raw), &["external_link", "http_headers"]).into_bytes()
}

/// The JSON with `***` in place of the values of these keys, at any depth. All other tokens stay as they are.
pub(crate) fn masked(text: &str, keys: &[&str]) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let (mut at, mut copied) = (0, 0);
    while at < bytes.len() {
        if bytes[at] != b'"' {
            at += 1;
            continue;
        }
        let end = end_of_string(bytes, at);
        let key: Option<String> = serde_json::from_str(&text[at..end]).ok();
        at = end;
        let rest = text[end..].trim_ascii_start();
        let Some(value) =
            rest.strip_prefix(':').filter(|_| key.is_some_and(|key| keys.contains(&key.as_str())))
        else {
            continue;
        };
        let mut values =
            serde_json::Deserializer::from_str(value).into_iter::<Option<serde::de::IgnoredAny>>();
        let is_null = matches!(values.next(), Some(Ok(None)));
        let next = text.len() - value.len() + values.byte_offset();
        if !is_null {
            out.push_str(&text[copied..text.len() - value.len()]);
            out.push_str("\"***\"");
            copied = next;
        }
        at = next.max(end);
    }
    out.push_str(&text[copied..]);
    out
}

fn reformat(text: &str, indent: bool) -> String {
    let bytes = text.trim_start_matches('\u{feff}').as_bytes();
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 2);
    let mut depth = 0_usize;
    let newline = |out: &mut Vec<u8>, depth: usize| {
        if indent {
            out.push(b'\n');
            out.extend(std::iter::repeat_n(b' ', 2 * depth));
        }
    };
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let mut next = at + 1;
        match byte {
            b'"' => {
                next = end_of_string(bytes, at);
                out.extend_from_slice(&bytes[at..next]);
            }
            b'{' | b'[' => {
                out.push(byte);
                next += bytes[next..].iter().take_while(|b| b.is_ascii_whitespace()).count();
                match bytes.get(next) {
                    Some(close @ (b'}' | b']')) => {
                        out.push(*close);
                        next += 1;
                    }
                    _ => {
                        depth += 1;
                        newline(&mut out, depth);
                    }
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                newline(&mut out, depth);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                newline(&mut out, depth);
            }
            b':' => out.extend_from_slice(if indent { b": " } else { b":" }),
            b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => out.push(byte),
        }
        at = next;
    }
    // Only ASCII was added or removed.
    String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// The position after the string that starts here, including its quotes.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::{compact, masked, pretty};

    #[test]
    fn masks_the_values_of_keys_and_nothing_else() {
        let text = r#"{"link":"https://\"s","a":[{"link" : {"x":["link"]},"b":1.0},{"link":null}],"c":"link","l\u0069nk":1}"#;
        assert_eq!(
            masked(text, &["link"]),
            r#"{"link":"***","a":[{"link" :"***","b":1.0},{"link":null}],"c":"link","l\u0069nk":"***"}"#
        );
        assert_eq!(masked(r#"{"link":"#, &["link"]), r#"{"link":"***""#);
    }

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
