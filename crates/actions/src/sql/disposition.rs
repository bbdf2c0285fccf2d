//! How a result travels: in the answer of the service, or by links to an object store.
//!
//! An `INLINE` result saves a request for the link and a connection to the store, but one of more than 25 MiB fails the
//! statement, and running that again might do its work twice. So rows as text come by links, except:
//!
//! - Statements that never have many rows ask for `INLINE`.
//! - A query whose rows are bounded by a row limit, a byte limit or a `LIMIT` at its end asks for `INLINE` with a byte
//!   limit. If that limit is what cut the result off, the query runs again with links. Only a statement that surely
//!   changes no data is run that way.
//! - Rows that were to come from Arrow lose digits of their timestamps in the answer. If there are such columns, the
//!   statement runs again with links as well.
//!
//! Record batches come by links. What the caller sets is sent as it is.

use brickwire_client::types::{Disposition, ExecuteStatementRequest, ResultManifest, StatementFormat};

use super::verb;

/// The most rows for which a result is expected to fit into the answer.
const MOST_ROWS: i64 = 10_000;

/// The limit for a result in the answer. The service counts bytes of its own representation: text takes up to six times
/// as many (a TINYINT of one byte is `"-128",`), which stays below 25 MiB.
pub(super) const MOST_BYTES: i64 = 4 << 20;

/// A request, and the one to send if the result of the first doesn't fit into the answer.
#[derive(Debug)]
pub(super) struct Requests {
    pub(super) first: ExecuteStatementRequest,
    pub(super) by_links: Option<ExecuteStatementRequest>,
}

impl Requests {
    /// Sets format and disposition where the caller hasn't. `reads_result`: whether the caller waits for the result, so
    /// that the statement can be run again. `rows_from_arrow`: whether rows that come by links come as Arrow.
    pub(super) fn new(
        mut request: ExecuteStatementRequest,
        reads_result: bool,
        rows_from_arrow: bool,
    ) -> Self {
        let by_links = match rows_from_arrow {
            true => StatementFormat::ArrowStream,
            false => StatementFormat::JsonArray,
        };
        if let Some(disposition) = &request.disposition {
            let format =
                if *disposition == Disposition::Inline { StatementFormat::JsonArray } else { by_links };
            request.format.get_or_insert(format);
            return Self { first: request, by_links: None };
        }
        let mut inline = request.clone();
        let is_text = *inline.format.get_or_insert(StatementFormat::JsonArray) == StatementFormat::JsonArray;
        inline.disposition = Some(Disposition::Inline);
        let loses_digits = *request.format.get_or_insert(by_links) == StatementFormat::ArrowStream;
        request.disposition = Some(Disposition::ExternalLinks);
        let may_run_again = reads_result && verb::only_reads(&request.statement);
        if is_text && verb::has_few_rows(&request.statement) {
            return Self { first: inline, by_links: (may_run_again && loses_digits).then_some(request) };
        }
        match request.byte_limit {
            _ if !is_text || !may_run_again || !is_bounded(&request) => {
                Self { first: request, by_links: None }
            }
            Some(_) if loses_digits => Self { first: request, by_links: None },
            Some(bytes) if bytes <= MOST_BYTES => Self { first: inline, by_links: None },
            _ => {
                inline.byte_limit = Some(MOST_BYTES);
                Self { first: inline, by_links: Some(request) }
            }
        }
    }
}

/// Whether the caller bounds the result.
fn is_bounded(request: &ExecuteStatementRequest) -> bool {
    let rows = request.row_limit.or_else(|| verb::trailing_limit(&request.statement));
    rows.is_some_and(|rows| rows <= MOST_ROWS) || request.byte_limit.is_some_and(|bytes| bytes <= MOST_BYTES)
}

/// Whether rows have timestamps, of which the answer has three digits of a second and Arrow all six.
pub(super) fn has_timestamps(manifest: &ResultManifest) -> bool {
    let columns = manifest.schema.as_ref().and_then(|schema| schema.columns.as_deref()).unwrap_or_default();
    let is_timestamp = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains("TIMESTAMP"));
    manifest.total_row_count != Some(0) && columns.iter().any(|column| is_timestamp(&column.type_text))
}

/// The limits that were set for a result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) rows: Option<i64>,
    pub(super) bytes: Option<i64>,
}

impl Limits {
    /// Whether a result was cut off, and not since it has all rows or bytes that these allow.
    pub(super) fn leave_unexplained(self, manifest: &ResultManifest) -> bool {
        let has_unknown_rows = self.rows.is_some() && manifest.total_row_count.is_none();
        self.bytes.is_none() && !has_unknown_rows && is_cut_by_bytes(manifest, self.rows)
    }
}

/// Whether the byte limit cut a result off: it is truncated, and not since it has all rows that the row limit allows.
pub(super) fn is_cut_by_bytes(manifest: &ResultManifest, row_limit: Option<i64>) -> bool {
    let has_all_rows =
        row_limit.is_some_and(|limit| manifest.total_row_count.is_some_and(|rows| rows >= limit));
    manifest.truncated == Some(true) && !has_all_rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(statement: &str, change: impl FnOnce(&mut ExecuteStatementRequest)) -> Requests {
        let mut request = ExecuteStatementRequest { statement: statement.to_owned(), ..Default::default() };
        change(&mut request);
        Requests::new(request, true, false)
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
        // The caller's own limit does not call for another run.
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
        let submitted = ExecuteStatementRequest {
            statement: "SELECT 1".into(),
            row_limit: Some(1),
            ..Default::default()
        };
        assert_eq!(
            Requests::new(submitted, false, false).first.disposition,
            Some(Disposition::ExternalLinks)
        );
    }

    #[test]
    fn rows_from_arrow_come_by_links_unless_they_are_few() {
        let (inline, links) = (Some(Disposition::Inline), Some(Disposition::ExternalLinks));
        let (json, arrow) = (Some(StatementFormat::JsonArray), Some(StatementFormat::ArrowStream));
        for (statement, disposition, first, by_links) in [
            ("SELECT * FROM t", &None, (&links, &arrow), None),
            ("SELECT * FROM t", &inline, (&inline, &json), None),
            ("SELECT * FROM t", &links, (&links, &arrow), None),
            ("SELECT * FROM t LIMIT 10", &None, (&inline, &json), Some((&links, &arrow))),
            ("DESCRIBE HISTORY t", &None, (&inline, &json), Some((&links, &arrow))),
            ("INSERT INTO t VALUES (1)", &None, (&inline, &json), None),
        ] {
            let request = ExecuteStatementRequest {
                statement: statement.into(),
                disposition: disposition.clone(),
                ..Default::default()
            };
            let requests = Requests::new(request, true, true);
            assert_eq!((&requests.first.disposition, &requests.first.format), first, "{statement}");
            let again = requests.by_links.as_ref().map(|request| (&request.disposition, &request.format));
            assert_eq!(again, by_links, "{statement}");
        }
    }

    #[test]
    fn timestamps_are_found_inside_of_other_types() {
        let manifest = |type_text: &str, rows| -> ResultManifest {
            let columns = serde_json::json!([{ "name": "a", "type_text": type_text }]);
            serde_json::from_value(
                serde_json::json!({ "schema": { "columns": columns }, "total_row_count": rows }),
            )
            .unwrap()
        };
        for text in ["TIMESTAMP", "TIMESTAMP_NTZ", "ARRAY<STRUCT<at: TIMESTAMP>>"] {
            assert!(has_timestamps(&manifest(text, 1)), "{text}");
        }
        assert!(!has_timestamps(&manifest("DATE", 1)) && !has_timestamps(&manifest("TIMESTAMP", 0)));
    }

    #[test]
    fn a_cut_is_explained_by_the_limits_that_were_set() {
        let manifest = |rows, truncated| ResultManifest {
            total_row_count: rows,
            truncated: Some(truncated),
            ..Default::default()
        };
        let limits = |rows, bytes| Limits { rows, bytes };
        assert!(limits(None, None).leave_unexplained(&manifest(Some(700), true)));
        assert!(limits(None, None).leave_unexplained(&manifest(None, true)));
        assert!(limits(Some(1000), None).leave_unexplained(&manifest(Some(700), true)));
        assert!(!limits(Some(700), None).leave_unexplained(&manifest(Some(700), true)));
        assert!(!limits(Some(1000), None).leave_unexplained(&manifest(None, true)));
        assert!(!limits(None, Some(1)).leave_unexplained(&manifest(Some(700), true)));
        assert!(!limits(None, None).leave_unexplained(&manifest(Some(700), false)));
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
