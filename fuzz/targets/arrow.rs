//! Chunks of Arrow: rows, an error, or a panic that can be caught; never more memory than the limit of the run.

#![no_main]

use brickwire_actions::{
    fuzzing::rows,
    types::{StatementColumnInfo, StatementFormat},
};
use brickwire_fuzz::{allow_catching, caught, cuts, line, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: allow_catching(), |data: &[u8]| {
    let mut rest = data;
    // The number of columns in the manifest, or 0 for none, and the lengths of the portions.
    let first = line(&mut rest);
    let columns: usize = text(first).and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or(0);
    let columns = vec![StatementColumnInfo::default(); columns.min(8)];
    let cuts = cuts(first, rest.len());
    // The Arrow crates panic at damaged metadata. Each decode job catches that.
    let decoded = caught(|| rows(&StatementFormat::ArrowStream, &columns, rest, &cuts));
    let Some(Ok(pages)) = decoded else { return };
    for row in pages.iter().flat_map(|page| page.iter()) {
        assert!(columns.is_empty() || row.iter().count() == columns.len());
        let length: usize = row.iter().filter_map(|cell| cell.as_str()).map(str::len).sum();
        std::hint::black_box(length);
    }
});
