//! `-o agent`: at most 10 KB of text that says what it leaves out, for programs with little room for text. Rows and lists
//! are previews of the library; all other text is cut at the same limit.

use std::{path::Path, time::Duration};

use brickwire_actions::{Preview, PreviewLimits};

use crate::terminal;

/// What to do to see the rest of a list.
const LIST: &str = "choose items with the command's filters or fields with --columns; print all with -o tsv";

/// What to do to see the rest of a record.
const RECORD: &str = "choose fields with --columns; print all with -o json";

/// What to do to see the rest of a document.
pub(super) const DOCUMENT: &str = "choose parts with --jq; print all with -o json";

/// What to do to see the rest of what code has printed.
pub(super) const PRINTED: &str = "print less, or leave out -o agent and --agent";

/// A list in its columns.
pub(super) fn list(heading: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let columns = heading.iter().map(|name| (name.as_str(), ""));
    let mut preview = Preview::new(columns, PreviewLimits::default());
    for row in rows {
        preview.push(row.iter().map(|cell| Some(cell.as_str())));
    }
    preview.to_text(&[], Some(LIST))
}

/// A record with a field on each line.
pub(super) fn record(fields: &[(String, String)]) -> String {
    let mut preview = Preview::new([("field", ""), ("value", "")], PreviewLimits::default());
    for (name, value) in fields {
        preview.push([Some(name.as_str()), Some(value)]);
    }
    preview.to_text(&[], Some(RECORD))
}

/// Any text, as it is if it is short. Otherwise its beginning, and a line that says how much that is.
pub(super) fn text(text: &str, next: &str) -> String {
    let limit = PreviewLimits::default().bytes();
    if text.len() <= limit {
        return text.to_owned();
    }
    let start = &text[..text.floor_char_boundary(limit)];
    let gap = if start.ends_with('\n') { "" } else { "\n" };
    format!("{start}{gap}# bytes={} of={} complete=no\n# next: {next}\n", start.len(), text.len())
}

/// The preview of a result with what is known of it. `is_safe_to_repeat`: whether the statement may run again.
pub(crate) fn result(
    preview: &Preview,
    statement_id: Option<&str>,
    elapsed: Duration,
    is_safe_to_repeat: bool,
) -> String {
    let elapsed = format!("{:.1}", elapsed.as_secs_f64());
    let statement = statement_id.map(|id| ("statement", id));
    let facts: Vec<_> = statement.into_iter().chain([("elapsed_s", elapsed.as_str())]).collect();
    preview.to_text(&facts, Some(&advice(preview, is_safe_to_repeat)))
}

/// What to say of a file with rows.
pub(crate) fn saved(file: &Path) -> String {
    let bytes = std::fs::metadata(file).ok().filter(std::fs::Metadata::is_file).map(|known| known.len());
    let bytes = bytes.map(|bytes| format!(" bytes={bytes}")).unwrap_or_default();
    format!("# saved{bytes} file={}\n", terminal::escaped_line(&file.display().to_string()))
}

fn advice(preview: &Preview, is_safe_to_repeat: bool) -> String {
    if !is_safe_to_repeat {
        return "do not run it again to see more: it may have changed something".to_owned();
    }
    let parts = [
        (
            preview.hides_rows(),
            "filter or aggregate in SQL, raise --max-rows and --max-bytes, or save all with --out rows.parquet",
        ),
        (preview.hides_columns(), "select fewer columns"),
        (preview.cuts_cells(), "raise --max-cell"),
    ];
    parts.iter().filter(|(applies, _)| *applies).map(|(_, text)| *text).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(text("short\n", PRINTED), "short\n");
        let long = "é".repeat(5_000);
        let cut = text(&long, PRINTED);
        assert!(cut.len() <= 10_240 && cut.starts_with(&"é".repeat(4_000)));
        assert!(cut.contains("\n# bytes=8000 of=10000 complete=no\n# next: "), "{}", &cut[7_990..]);
    }

    #[test]
    fn what_is_missing_decides_what_to_do_next() {
        let limits = PreviewLimits::default().with_rows(1).with_cell(3);
        let mut preview = Preview::new([("a", "INT")], limits);
        preview.push([Some("1")]);
        let text = result(&preview, Some("01f0"), Duration::from_millis(840), true);
        assert_eq!(text, "a:INT\n1\n# rows=1 of=1 complete=yes statement=01f0 elapsed_s=0.8\n");
        preview.push([Some("2")]);
        let text = result(&preview, None, Duration::ZERO, true);
        assert!(
            text.contains("# rows=1 of=2 complete=no elapsed_s=0.0\n# next: filter or aggregate"),
            "{text}"
        );
        assert!(!text.contains("--max-cell"));
        let text = result(&preview, None, Duration::ZERO, false);
        assert!(
            text.ends_with("# next: do not run it again to see more: it may have changed something\n"),
            "{text}"
        );
        let mut cut = Preview::new([("a", "")], limits);
        cut.push([Some("long cell")]);
        assert!(result(&cut, None, Duration::ZERO, true).ends_with("# next: raise --max-cell\n"));
    }
}
