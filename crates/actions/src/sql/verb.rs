//! What a statement does, as far as its first word tells: whether running it twice has the same effect as running it once, and
//! whether it returns many rows. When in doubt, a statement may change data.

use super::split::Pieces;

/// Statements that say what they did or what exists, so their results are small.
const FEW_ROWS: &[&str] = &[
    "ALTER", "ANALYZE", "COMMENT", "COPY", "CREATE", "DELETE", "DESC", "DESCRIBE", "DROP", "EXPLAIN",
    "GRANT", "INSERT", "MERGE", "OPTIMIZE", "REFRESH", "REVOKE", "SET", "TRUNCATE", "UPDATE", "USE",
    "VACUUM",
];

/// Statements that only read, whatever follows.
const READS: &[&str] = &["DESC", "DESCRIBE", "LIST", "SHOW"];

/// Statements that only read unless one of [`WRITES`] is in them: `WITH … INSERT`, `FROM … INSERT`.
/// `EXPLAIN ANALYZE` runs what it explains.
const QUERIES: &[&str] = &["EXPLAIN", "FROM", "SELECT", "TABLE", "VALUES", "WITH"];

/// Functions are here that have effects elsewhere or run code; `ai_query` costs money each time.
const WRITES: &[&str] = &[
    "AI_QUERY",
    "DELETE",
    "HTTP_REQUEST",
    "IDENTIFIER",
    "INSERT",
    "JAVA_METHOD",
    "MERGE",
    "REFLECT",
    "REMOTE_QUERY",
    "TRY_REFLECT",
    "UPDATE",
];

/// Whether a statement only reads. One that may change data must never be sent twice, and no hint may suggest it.
pub(super) fn only_reads(statement: &str) -> bool {
    // What is sent whole may be several statements.
    if statement.contains(';') && !is_single(statement) {
        return false;
    }
    let first = first_word(statement);
    if is_in(READS, first) {
        return true;
    }
    // Words in strings and comments count, too, which errs on the safe side.
    let mut words = statement.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    is_in(QUERIES, first) && !words.any(|word| is_in(WRITES, word))
}

/// Whether a statement returns few rows, which stay below the limit of `INLINE`.
pub(super) fn has_few_rows(statement: &str) -> bool {
    is_in(FEW_ROWS, first_word(statement))
}

/// The number in `LIMIT 10` at the end of a query, if there is one.
pub(super) fn trailing_limit(statement: &str) -> Option<i64> {
    let text = statement.trim_end_matches(|c: char| c.is_whitespace() || c == ';');
    let digits = text.rsplit(|c: char| !c.is_ascii_digit()).next().filter(|digits| !digits.is_empty())?;
    let before = text[..text.len() - digits.len()].trim_end();
    let starts_apart = before.len() + digits.len() < text.len();
    let word = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
    (starts_apart && word.eq_ignore_ascii_case("LIMIT")).then(|| digits.parse().ok()).flatten()
}

fn is_single(statement: &str) -> bool {
    Pieces::of(statement).filter(|piece| !piece.tokens.is_empty()).nth(1).is_none()
}

fn is_in(words: &[&str], word: &str) -> bool {
    words.iter().any(|other| other.eq_ignore_ascii_case(word))
}

/// The first word behind blanks, comments and opening parentheses; empty if something else is there.
fn first_word(statement: &str) -> &str {
    let mut rest = statement;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(' || c == '\u{feff}');
        rest = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, rest)| rest)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            behind_comment(comment)
        } else {
            return rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        };
    }
}

/// What follows a comment of which `/*` has been read. Comments nest.
fn behind_comment(text: &str) -> &str {
    let (mut rest, mut depth) = (text, 1);
    while depth > 0 {
        let Some(at) = rest.find(['*', '/']) else { return "" };
        rest = &rest[at..];
        let step = match rest.get(..2) {
            Some("*/") => -1,
            Some("/*") => 1,
            _ => 0,
        };
        depth += step;
        rest = &rest[if step == 0 { 1 } else { 2 }..];
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_surely_reads_may_be_sent_twice() {
        for reads in [
            "SELECT 1",
            "  select\t1",
            "-- daily\nSELECT 1",
            "/* a /* b */ c */ SELECT 1",
            "((SELECT 1))",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "VALUES (1)",
            "TABLE t",
            "SHOW TABLES",
            "desc t",
            "EXPLAIN SELECT 1",
            "\u{feff}SELECT 1",
            "FROM t SELECT a",
            "SELECT deleted, updates FROM t",
            "SELECT ';' ; -- done",
        ] {
            assert!(only_reads(reads), "{reads}");
        }
        for may_write in [
            "INSERT INTO t VALUES (1)",
            "-- SELECT\nDELETE FROM t",
            "/* SELECT */ MERGE INTO t",
            "CALL p()",
            "EXPLAIN ANALYZE INSERT INTO t VALUES (1)",
            "SELECT reflect('com.x.Mailer', 'send')",
            "SELECT IDENTIFIER('ref' || 'lect')('x', 'y')",
            "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
            "FROM a INSERT INTO t SELECT b",
            "BEGIN SELECT 1; END",
            "EXECUTE IMMEDIATE 'SELECT 1'",
            "SELECT http_request(conn => 'c')",
            "CREATE TABLE t AS SELECT 1",
            "",
            "--",
            "/* SELECT 1",
            "SELECTED",
            "SELECT_ALL",
            "OPTIMIZE t",
            "é",
            "SELECT 1; DROP TABLE t",
            "SHOW TABLES; VACUUM t;",
        ] {
            assert!(!only_reads(may_write), "{may_write}");
        }
    }

    #[test]
    fn what_returns_few_rows_is_known_by_its_first_word() {
        for few in [
            "INSERT INTO t VALUES (1)",
            "  create\ttable t(a int)",
            "describe t",
            "SET x=1",
            "/* x */ DROP t",
        ] {
            assert!(has_few_rows(few), "{few}");
        }
        for many in ["SELECT 1", "WITH a AS (SELECT 1) INSERT", "", "SETTINGS", "(SELECT 1)", "SHOW"] {
            assert!(!has_few_rows(many), "{many}");
        }
    }

    #[test]
    fn a_limit_counts_at_the_end_only() {
        for (text, limit) in [
            ("SELECT * FROM t LIMIT 5", Some(5)),
            ("select * from t limit\n10 ;\n", Some(10)),
            ("SELECT * FROM (SELECT * FROM t LIMIT 5)", None),
            ("SELECT * FROM t LIMIT ALL", None),
            ("SELECT * FROM t LIMIT :n", None),
            ("SELECT * FROM t LIMIT 5 OFFSET 10", None),
            ("SELECT * FROM t LIMIT5", None),
            ("SELECT * FROM t LIMIT 99999999999999999999", None),
            ("SELECT credit_limit 5", None),
            ("5", None),
            ("SELECT 'é' 5", None),
        ] {
            assert_eq!(trailing_limit(text), limit, "{text}");
        }
    }
}
