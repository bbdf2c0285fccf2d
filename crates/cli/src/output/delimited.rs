//! Rows on one line each, for other programs and for texts: TSV and Markdown. CSV is in `cell.rs`.

/// What stands for NULL in a TSV cell, as PostgreSQL and MySQL write and read it. No text looks like it, because
/// backslashes are escaped.
pub(super) const TSV_NULL: &str = "\\N";

/// Appends one line of TSV; `None` is NULL, which is `null` or else [`TSV_NULL`]. Every row is one line, and every cell is between two tabs: tabs, line breaks,
/// and backslashes are escaped.
pub(super) fn tsv_line<'a>(
    out: &mut Vec<u8>,
    cells: impl Iterator<Item = Option<&'a str>>,
    null: Option<&str>,
) {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            out.push(b'\t');
        }
        for byte in cell.unwrap_or_default().bytes() {
            match byte {
                b'\t' => out.extend_from_slice(b"\\t"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\\' => out.extend_from_slice(b"\\\\"),
                other => out.push(other),
            }
        }
        if cell.is_none() {
            out.extend_from_slice(null.unwrap_or(TSV_NULL).as_bytes());
        }
    }
    out.push(b'\n');
}

/// Appends the heading of a Markdown table and the line below it, which aligns some columns to the right.
pub(super) fn markdown_heading<'a>(
    out: &mut Vec<u8>,
    names: impl Iterator<Item = &'a str>,
    right: impl Iterator<Item = bool>,
) {
    markdown_line(out, names);
    for is_right in right {
        out.extend_from_slice(if is_right { b"|---:" } else { b"|---" });
    }
    out.extend_from_slice(b"|\n");
}

/// Appends one row of a Markdown table. What a cell holds is shown and not interpreted: an image in a name would be loaded
/// from anywhere.
pub(super) fn markdown_line<T: AsRef<str>>(out: &mut Vec<u8>, cells: impl Iterator<Item = T>) {
    for cell in cells {
        out.extend_from_slice(b"| ");
        markdown_cell(out, cell.as_ref());
        out.push(b' ');
    }
    out.extend_from_slice(b"|\n");
}

fn markdown_cell(out: &mut Vec<u8>, cell: &str) {
    let mut before = ' ';
    let mut rest = cell.chars().peekable();
    while let Some(character) = rest.next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        match character {
            '\r' if rest.peek() == Some(&'\n') => {}
            '\n' | '\r' => out.extend_from_slice(b"<br>"),
            '<' => out.extend_from_slice(b"&lt;"),
            '&' => out.extend_from_slice(b"&amp;"),
            // Within a word, an underscore is only an underscore.
            '_' if is_word(before) && before != '_' && rest.peek().is_some_and(|c| c.is_alphanumeric()) => {
                out.push(b'_');
            }
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '~' => out.extend([b'\\', character as u8]),
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        before = character;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tsv_row_is_one_line_whose_cells_can_be_read_back() {
        let mut out = Vec::new();
        tsv_line(&mut out, [Some("a\tb\r\n"), None, Some(""), Some("\\N"), Some("日")].into_iter(), None);
        tsv_line(&mut out, [None, Some("")].into_iter(), Some("-"));
        assert_eq!(String::from_utf8(out).unwrap(), "a\\tb\\r\\n\t\\N\t\t\\\\N\t日\n-\t\n");
    }

    #[test]
    fn a_markdown_cell_is_text() {
        for (cell, shown) in [
            ("nightly_etl", "nightly_etl"),
            ("_x_ __y__", "\\_x\\_ \\_\\_y\\_\\_"),
            ("a|b", "a\\|b"),
            ("a\\|b", "a\\\\\\|b"),
            ("![x](http://a/b)", "!\\[x\\](http://a/b)"),
            ("<img src=x> & `c` *d* ~~e~~", "&lt;img src=x> &amp; \\`c\\` \\*d\\* \\~\\~e\\~\\~"),
            ("1\r\n2\n3", "1<br>2<br>3"),
            ("日本", "日本"),
        ] {
            let mut out = Vec::new();
            markdown_line(&mut out, [cell, ""].into_iter());
            assert_eq!(String::from_utf8(out).unwrap(), format!("| {shown} |  |\n"));
        }
        let mut out = Vec::new();
        markdown_heading(&mut out, ["a", "n"].into_iter(), [false, true].into_iter());
        assert_eq!(String::from_utf8(out).unwrap(), "| a | n |\n|---|---:|\n");
    }
}
