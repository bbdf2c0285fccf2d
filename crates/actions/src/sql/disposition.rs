//! How a result travels: in the answer of the service, or by links to an object store.
//!
//! An `INLINE` result saves a request for the link and a connection to the store, but one of more than 25 MiB fails the
//! statement, and running that again might do its work twice. So rows as text come by links, except:
//!
//! - Statements that never have many rows ask for `INLINE`.
//! - A query whose rows are bounded by a row limit, a byte limit or a `LIMIT` at its end asks for `INLINE` with a byte
//!   limit. If that limit is what cut the result off, the query runs again with links. Only a statement that surely
//!   changes no data is run that way.
//!
//! Record batches come by links. What the caller sets is sent as it is.

use brickwire_client::types::{Disposition, ExecuteStatementRequest, ResultManifest, StatementFormat};

use super::verb;

/// The most rows for which a result is expected to fit into the answer.
const MOST_ROWS: i64 = 10_000;

/// The limit for a result in the answer. The service counts bytes of its own representation: text takes up to six times
/// as many (a TINYINT of one byte is `"-128",`), which stays below 25 MiB.
const MOST_BYTES: i64 = 4 << 20;

/// A request, and the one to send if the result of the first doesn't fit into the answer.
#[derive(Debug)]
pub(super) struct Requests {
    pub(super) first: ExecuteStatementRequest,
    pub(super) by_links: Option<ExecuteStatementRequest>,
}

impl Requests {
    /// Sets format and disposition where the caller hasn't. `reads_result`: whether the caller waits for the result, so
    /// that the statement can be run again.
    pub(super) fn new(mut request: ExecuteStatementRequest, reads_result: bool) -> Self {
        let format = request.format.get_or_insert(StatementFormat::JsonArray);
        if request.disposition.is_some() {
            return Self { first: request, by_links: None };
        }
        let is_text = *format == StatementFormat::JsonArray;
        let is_small = is_text && verb::has_few_rows(&request.statement);
        request.disposition = Some(if is_small { Disposition::Inline } else { Disposition::ExternalLinks });
        if is_small || !is_text || !reads_result || !is_bounded(&request) {
            return Self { first: request, by_links: None };
        }
        let mut inline = request.clone();
        inline.disposition = Some(Disposition::Inline);
        match request.byte_limit {
            Some(bytes) if bytes <= MOST_BYTES => Self { first: inline, by_links: None },
            _ => {
                inline.byte_limit = Some(MOST_BYTES);
                Self { first: inline, by_links: Some(request) }
            }
        }
    }
}

/// Whether the caller bounds the result, and the statement may run again in case it is larger than expected.
fn is_bounded(request: &ExecuteStatementRequest) -> bool {
    let rows = request.row_limit.or_else(|| verb::trailing_limit(&request.statement));
    let is_short = rows.is_some_and(|rows| rows <= MOST_ROWS)
        || request.byte_limit.is_some_and(|bytes| bytes <= MOST_BYTES);
    is_short && verb::only_reads(&request.statement)
}

/// Whether the byte limit cut a result off: it is truncated, and not since it has all rows that the row limit allows.
pub(super) fn is_cut_by_bytes(manifest: &ResultManifest, row_limit: Option<i64>) -> bool {
    let has_all_rows = row_limit.is_some_and(|limit| manifest.total_row_count.is_some_and(|rows| rows >= limit));
    manifest.truncated == Some(true) && !has_all_rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(statement: &str, change: impl FnOnce(&mut ExecuteStatementRequest)) -> Requests {
        let mut request = ExecuteStatementRequest { statement: statement.to_owned(), ..Default::default() };
        change(&mut request);
        Requests::new(request, true)
    }

    #[test]
    fn a_bounded_query_asks_for_its_rows_in_the_answer() {
        for (statement, rows) in [("SELECT * FROM t", Some(1000)), ("SELECT * FROM t LIMIT 1000", None)] {
            let Requests { first, by_links } = requests(statement, |r| r.row_limit = rows);
            assert_eq!((first.disposition, first.byte_limit), (Some(Disposition::Inline), Some(MOST_BYTES)));
            let by_links = by_links.unwrap();
            assert_eq!(
                (by_links.disposition, by_links.byte_limit, by_links.row_limit),
                (Some(Disposition::ExternalLinks), None, rows)
            );
        }
        // The caller's own limit is no reason to run it again.
        let Requests { first, by_links } = requests("SELECT 1", |r| r.byte_limit = Some(1000));
        assert_eq!((first.disposition, first.byte_limit), (Some(Disposition::Inline), Some(1000)));
        assert!(by_links.is_none());
    }

    #[test]
    fn all_else_comes_by_links_unless_it_is_set() {
        for (statement, rows) in [
            ("SELECT * FROM t", None),
            ("SELECT * FROM t", Some(MOST_ROWS + 1)),
            ("CALL p()", Some(10)),
            ("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", Some(10)),
        ] {
            let Requests { first, by_links } = requests(statement, |r| r.row_limit = rows);
            assert_eq!(first.disposition, Some(Disposition::ExternalLinks), "{statement}");
            assert!(by_links.is_none() && first.byte_limit.is_none());
        }
        for set in [Disposition::Inline, Disposition::ExternalLinks] {
            let Requests { first, by_links } = requests("SELECT 1", |r| {
                (r.disposition, r.row_limit) = (Some(set.clone()), Some(1));
            });
            assert_eq!((first.disposition, first.byte_limit, by_links.is_none()), (Some(set), None, true));
        }
        let batches = requests("SELECT 1", |r| {
            (r.format, r.row_limit) = (Some(StatementFormat::ArrowStream), Some(1));
        });
        assert_eq!(batches.first.disposition, Some(Disposition::ExternalLinks));
        let submitted = ExecuteStatementRequest { statement: "SELECT 1".into(), row_limit: Some(1), ..Default::default() };
        assert_eq!(Requests::new(submitted, false).first.disposition, Some(Disposition::ExternalLinks));
    }

    #[test]
    fn rows_that_are_all_there_were_not_cut_off_by_bytes() {
        let manifest = |rows, truncated| ResultManifest {
            total_row_count: Some(rows),
            truncated: Some(truncated),
            ..Default::default()
        };
        assert!(is_cut_by_bytes(&manifest(700, true), Some(1000)));
        assert!(is_cut_by_bytes(&manifest(700, true), None));
        assert!(!is_cut_by_bytes(&manifest(1000, true), Some(1000)));
        assert!(!is_cut_by_bytes(&manifest(700, false), Some(1000)));
    }
}
