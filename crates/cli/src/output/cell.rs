//! CSV by RFC 4180. NULL is an empty cell; an empty string is quoted.
//!
//! A line with nothing on it is no row for most readers: Python's csv.DictReader and pandas skip it. So a NULL that is
//! alone on its line is `""`, which pandas and DuckDB read as missing. In a column of text, where `""` is the empty
//! string, it is `NULL`, which pandas reads as missing, and the text `NULL` is quoted.

/// Appends one line of CSV; a cell that is `None` is NULL. With a text for NULL, NULL is that text, and a text that reads
/// the same is quoted.
pub(super) fn csv_line<'a>(
    out: &mut Vec<u8>,
    cells: impl Iterator<Item = Option<&'a str>>,
    null: Option<&str>,
) {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        match (cell, null) {
            (None, None) => {}
            (None, Some(null)) if needs_quotes(null) => quoted(null, out),
            (None, Some(null)) => out.extend_from_slice(null.as_bytes()),
            (Some(text), _) if text.is_empty() || needs_quotes(text) || cell == null => quoted(text, out),
            (Some(text), _) => out.extend_from_slice(text.as_bytes()),
        }
    }
    out.push(b'\n');
}

fn quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

/// Appends a line with a single cell; `None` is NULL.
pub(super) fn csv_single(out: &mut Vec<u8>, cell: Option<&str>, is_text: bool, null: Option<&str>) {
    match cell {
        _ if null.is_some() => csv_line(out, std::iter::once(cell), null),
        None if is_text => out.extend_from_slice(b"NULL\n"),
        None => out.extend_from_slice(b"\"\"\n"),
        Some("NULL") => out.extend_from_slice(b"\"NULL\"\n"),
        Some(_) => csv_line(out, std::iter::once(cell), None),
    }
}

/// Checks every byte: without an early exit the loop is vectorized, which is faster for short cells.
fn needs_quotes(text: &str) -> bool {
    text.bytes().fold(false, |found, byte| found | matches!(byte, b'"' | b',' | b'\n' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::{csv_line, csv_single};

    #[test]
    fn null_is_not_an_empty_text() {
        let mut out = Vec::new();
        csv_line(&mut out, [None, Some(""), Some("a\"b,c"), Some("x")].into_iter(), None);
        assert_eq!(String::from_utf8(out).unwrap(), ",\"\",\"a\"\"b,c\",x\n");
    }

    #[test]
    fn a_single_cell_is_never_a_blank_line() {
        let mut out = Vec::new();
        [None, Some(""), Some("NULL"), Some("a,b")]
            .into_iter()
            .for_each(|cell| csv_single(&mut out, cell, true, None));
        [None, Some("1")].into_iter().for_each(|cell| csv_single(&mut out, cell, false, None));
        assert_eq!(String::from_utf8(out).unwrap(), "NULL\n\"\"\n\"NULL\"\n\"a,b\"\n\"\"\n1\n");
    }

    #[test]
    fn a_text_for_null_is_told_from_the_same_text() {
        let mut out = Vec::new();
        let cells = [None, Some(""), Some("\\N"), Some("N")];
        csv_line(&mut out, cells.into_iter(), Some("\\N"));
        csv_line(&mut out, cells.into_iter(), Some(""));
        csv_line(&mut out, cells.into_iter(), Some("a,b"));
        cells.into_iter().for_each(|cell| csv_single(&mut out, cell, true, Some("-")));
        let expected = "\\N,\"\",\"\\N\",N\n,\"\",\\N,N\n\"a,b\",\"\",\\N,N\n-\n\"\"\n\\N\nN\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
