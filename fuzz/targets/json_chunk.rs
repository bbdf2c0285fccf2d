//! Chunks of JSON: read as serde_json reads them, wherever the bytes are cut, or refused.

#![no_main]

use brickwire_actions::{
    fuzzing::rows,
    types::{StatementColumnInfo, StatementFormat},
};
use brickwire_fuzz::{cuts, line, text};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

type Cells = Vec<Vec<Option<String>>>;

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    // The number of columns, and the lengths of the portions.
    let first = line(&mut rest);
    let columns: usize = text(first).and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or(1);
    let columns = vec![StatementColumnInfo::default(); columns.clamp(1, 8)];
    let ours = rows(&StatementFormat::JsonArray, &columns, rest, &cuts(first, rest.len()));
    let ours: Option<Cells> = ours.ok().map(|pages| {
        let rows = pages.iter().flat_map(|page| page.iter());
        rows.map(|row| row.iter().map(|cell| cell.as_str().map(str::to_owned)).collect()).collect()
    });
    assert_eq!(ours, reference(rest, columns.len()), "{}", String::from_utf8_lossy(rest));
});

/// The rows as serde_json reads them. A chunk without rows may be empty, or blank.
fn reference(chunk: &[u8], columns: usize) -> Option<Cells> {
    if chunk.iter().all(|byte| b" \t\r\n".contains(byte)) {
        return Some(Vec::new());
    }
    let rows: Option<Vec<Vec<Box<RawValue>>>> = serde_json::from_slice(chunk).ok()?;
    let rows: Option<Cells> = rows
        .unwrap_or_default()
        .into_iter()
        .map(|row| row.into_iter().map(|raw| cell(&raw)).collect())
        .collect();
    rows.filter(|rows| rows.iter().all(|row| row.len() == columns))
}

/// A text, NULL, or the text of a number or a boolean.
fn cell(raw: &RawValue) -> Option<Option<String>> {
    match raw.get().as_bytes().first()? {
        b'"' => serde_json::from_str(raw.get()).ok(),
        b'n' => Some(None),
        b'[' | b'{' => None,
        _ => Some(Some(raw.get().to_owned())),
    }
}
