//! CSV by RFC 4180. NULL is an empty cell; an empty string is quoted.

/// Appends one line of CSV; `None` is NULL.
pub(super) fn csv_line<'a>(out: &mut Vec<u8>, cells: impl Iterator<Item = Option<&'a str>>) {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        match cell {
            None => {}
            Some("") => out.extend_from_slice(b"\"\""),
            Some(text) if needs_quotes(text) => {
                out.push(b'"');
                out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
                out.push(b'"');
            }
            Some(text) => out.extend_from_slice(text.as_bytes()),
        }
    }
    out.push(b'\n');
}

/// Checks every byte: without an early exit the loop is vectorized, which is faster for short cells.
fn needs_quotes(text: &str) -> bool {
    text.bytes().fold(false, |found, byte| found | matches!(byte, b'"' | b',' | b'\n' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::csv_line;

    #[test]
    fn null_is_not_an_empty_text() {
        let mut out = Vec::new();
        csv_line(&mut out, [None, Some(""), Some("a\"b,c"), Some("x")].into_iter());
        assert_eq!(String::from_utf8(out).unwrap(), ",\"\",\"a\"\"b,c\",x\n");
    }
}
