//! Cells as text: RFC 4180 for CSV, in which NULL is empty and an empty text is quoted.

use std::io::{self, Write};

/// Writes one line of CSV; `None` is NULL.
pub(super) fn csv_line<'a>(
    out: &mut impl Write,
    cells: impl Iterator<Item = Option<&'a str>>,
) -> io::Result<()> {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            out.write_all(b",")?;
        }
        match cell {
            None => {}
            Some("") => out.write_all(b"\"\"")?,
            Some(text) if text.contains(['"', ',', '\n', '\r']) => {
                write!(out, "\"{}\"", text.replace('"', "\"\""))?;
            }
            Some(text) => out.write_all(text.as_bytes())?,
        }
    }
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::csv_line;

    #[test]
    fn null_is_not_an_empty_text() {
        let mut out = Vec::new();
        csv_line(&mut out, [None, Some(""), Some("a\"b,c"), Some("x")].into_iter()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), ",\"\",\"a\"\"b,c\",x\n");
    }
}
