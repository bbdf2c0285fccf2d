use super::*;

#[test]
fn what_only_reads_passes() {
    for text in [
        "",
        " ;; ",
        "-- nothing",
        "SELECT 1",
        "select\t1;",
        "\u{feff}SELECT 1",
        "-- daily\r\nSELECT 1\r\n",
        "/* a */ SELECT /* b */ 1 /* c */",
        "((SELECT 1))",
        "(SELECT 1) UNION (SELECT 2)",
        "(WITH a AS (SELECT 1) SELECT * FROM a)",
        "VALUES (1), (2)",
        "TABLE main.sales.daily",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT 2) TABLE a",
        "WITH a AS (SELECT `delete` FROM t) SELECT `update` FROM a",
        "WITH a AS (SELECT 'INSERT' AS b, \"UPDATE\" AS c) SELECT * FROM a -- MERGE",
        "WITH a AS (SELECT 1) SELECT deleted, updates, insert_date FROM a",
        "FROM t SELECT a",
        "FROM t |> WHERE a > 1 |> SELECT a",
        "SELECT update, delete FROM t WHERE insert = 1",
        "SELECT * FROM t |> WHERE a = 'DELETE'",
        "SELECT a | b, c || d FROM t",
        "SHOW TABLES",
        "SHOW CREATE TABLE t",
        "SHOW GRANTS ON TABLE t",
        "DESCRIBE t",
        "desc extended t",
        "DESCRIBE HISTORY t",
        "EXPLAIN SELECT 1",
        "EXPLAIN FORMATTED INSERT INTO t VALUES (1)",
        "LIST '/Volumes/main/raw/files'",
        "USE main.sales",
        "USE CATALOG main; USE SCHEMA sales; SELECT 1",
        "SELECT 'a;b'; SHOW TABLES",
        "SELECT r'\\d+' AS a",
        "SELECT 'it\\'s', 'it''s', \"a\\\"b\"",
        "SELECT `a``b`, `c;d` FROM t",
        "SELECT /*+ BROADCAST(b) */ * FROM a JOIN b",
        "SELECT :a, raw:b.c, x::INT",
        "SELECT * FROM read_files('/Volumes/a', format => 'csv')",
        "SELECT * FROM t TIMESTAMP AS OF '2024-01-01'",
        "SELECT http_request FROM t",
        "SELECT ai_query('m', 'x')",
        "SELECT my_function(1)",
    ] {
        assert!(check_reads(text).is_ok(), "{text}");
    }
}

#[test]
fn a_function_that_an_expression_names_is_refused() {
    for text in [
        "SELECT IDENTIFIER('http' || '_request')(conn => 'c')",
        "SELECT identifier ( 'ref' || lower('LECT') ) ('java.lang.System', 'exit', 1)",
        "WITH a AS (SELECT 1) /*/ /* */ INSERT INTO t SELECT * FROM a -- */",
    ] {
        assert_eq!(check_reads(text).expect_err(text).kind(), ErrorKind::ReadOnly, "{text}");
    }
    for text in [
        "SELECT * FROM IDENTIFIER(:t)",
        "SELECT IDENTIFIER('a'), (1)",
        "SELECT * FROM IDENTIFIER(f(1)) AS t(a)",
    ] {
        assert!(check_reads(text).is_ok(), "{text}");
    }
}

#[test]
fn what_may_change_something_is_refused_by_its_word() {
    for (text, word) in [
        ("INSERT INTO t VALUES (1)", "INSERT"),
        ("insert overwrite t select 1", "INSERT"),
        ("UPDATE t SET a = 1", "UPDATE"),
        ("DELETE FROM t", "DELETE"),
        ("MERGE INTO t USING s ON a = b WHEN MATCHED THEN DELETE", "MERGE"),
        ("-- SELECT\nDELETE FROM t", "DELETE"),
        ("/* SELECT */ DROP TABLE t", "DROP"),
        ("(INSERT INTO t VALUES (1))", "INSERT"),
        ("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", "INSERT"),
        ("WITH a AS (SELECT 1) DELETE FROM t", "DELETE"),
        ("WITH a AS (SELECT 1) MERGE INTO t USING a ON b WHEN MATCHED THEN UPDATE SET *", "MERGE"),
        ("WITH a AS (SELECT 1) UPDATE t SET a = 1", "UPDATE"),
        ("with a as (select 1) InSeRt into t select 1", "INSERT"),
        ("WITH a AS (SELECT 1)/**/INSERT/**/INTO t SELECT 1", "INSERT"),
        ("FROM a INSERT INTO t SELECT b", "INSERT"),
        ("FROM a INSERT INTO t SELECT b INSERT INTO u SELECT c", "INSERT"),
        ("FROM t TIMESTAMP AS OF 1.INSERT INTO u SELECT *", "INSERT"),
        ("(FROM a INSERT INTO t SELECT b)", "INSERT"),
        ("SELECT * FROM t |> INSERT INTO u", "INSERT"),
        // The service folds the dotless i and the long s to I and S.
        ("WITH a AS (SELECT 1) ınſert INTO t SELECT * FROM a", "INSERT"),
        ("ınsert INTO t VALUES (1)", "INSERT"),
        ("CREATE TABLE t AS SELECT 1", "CREATE"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", "CREATE"),
        ("CREATE TEMPORARY VIEW v AS SELECT 1", "CREATE"),
        ("ALTER TABLE t ADD COLUMN a INT", "ALTER"),
        ("DROP SCHEMA s CASCADE", "DROP"),
        ("UNDROP TABLE t", "UNDROP"),
        ("TRUNCATE TABLE t", "TRUNCATE"),
        ("REPLACE TABLE t AS SELECT 1", "REPLACE"),
        ("COPY INTO t FROM '/x'", "COPY"),
        ("OPTIMIZE t", "OPTIMIZE"),
        ("VACUUM t", "VACUUM"),
        ("RESTORE TABLE t TO VERSION AS OF 1", "RESTORE"),
        ("REORG TABLE t APPLY (PURGE)", "REORG"),
        ("MSCK REPAIR TABLE t", "MSCK"),
        ("REPAIR TABLE t", "REPAIR"),
        ("ANALYZE TABLE t COMPUTE STATISTICS", "ANALYZE"),
        ("CACHE SELECT * FROM t", "CACHE"),
        ("UNCACHE TABLE t", "UNCACHE"),
        ("CLEAR CACHE", "CLEAR"),
        ("REFRESH TABLE t", "REFRESH"),
        ("LOAD DATA INPATH '/x' INTO TABLE t", "LOAD"),
        ("GRANT SELECT ON TABLE t TO `a`", "GRANT"),
        ("REVOKE SELECT ON TABLE t FROM `a`", "REVOKE"),
        ("DENY SELECT ON TABLE t TO `a`", "DENY"),
        ("COMMENT ON TABLE t IS 'x'", "COMMENT"),
        ("SYNC SCHEMA a FROM b", "SYNC"),
        ("CALL p()", "CALL"),
        ("EXECUTE IMMEDIATE 'SELECT 1'", "EXECUTE"),
        ("BEGIN SELECT 1; END", "BEGIN"),
        ("BEGIN ATOMIC DELETE FROM t; END", "BEGIN"),
        ("l: BEGIN SELECT 1; END", "L"),
        ("BEGIN TRANSACTION", "BEGIN"),
        ("COMMIT", "COMMIT"),
        ("ROLLBACK", "ROLLBACK"),
        ("DECLARE VARIABLE a INT", "DECLARE"),
        ("SET", "SET"),
        ("SET a = 1", "SET"),
        ("RESET a", "RESET"),
        ("PUT '/a' INTO '/Volumes/b'", "PUT"),
        ("GET '/Volumes/a' TO '/b'", "GET"),
        ("REMOVE '/Volumes/a'", "REMOVE"),
        ("EXPLAIN ANALYZE INSERT INTO t VALUES (1)", "EXPLAIN"),
        ("SELECTED", "SELECTED"),
        ("SELECT_ALL", "SELECT_ALL"),
        ("é", "É"),
        ("SELECT 1; DELETE FROM t", "DELETE"),
        ("SELECT ';'; SELECT 2; DROP TABLE t", "DROP"),
        ("SELECT http_request(conn => 'c')", "http_request()"),
        ("SELECT `http_request` (conn => 'c')", "http_request()"),
        ("SELECT system.builtin.remote_query('c', 'DELETE')", "remote_query()"),
        ("SELECT reflect('java.lang.System', 'exit', 1)", "reflect()"),
        ("WITH a AS (SELECT java_method('a', 'b')) SELECT * FROM a", "java_method()"),
    ] {
        let error = check_reads(text).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{text}");
        assert!(error.to_string().ends_with(&format!(": {word}")), "{text}: {error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("`read_only`")), "{text}");
    }
}

/// Each of these is a query to a lexer that differs in one point, and a change to another.
#[test]
fn what_cannot_be_read_with_certainty_is_refused() {
    for (text, why) in [
        ("SELECT 'a", "isn't closed"),
        ("SELECT \"a\\\"", "isn't closed"),
        ("SELECT `a", "isn't closed"),
        ("SELECT 1 /* DELETE FROM t", "isn't closed"),
        ("SELECT $$ a", "isn't closed"),
        ("WITH a AS (SELECT 1) $x$ INSERT INTO t SELECT 1 $x$", "dollar"),
        ("WITH a AS (SELECT 1) -- x\rINSERT INTO t SELECT * FROM a", "carriage return"),
        ("WITH a AS (SELECT 1) -- x \\\nINSERT INTO t SELECT * FROM a", "backslash continues"),
        ("WITH a AS (SELECT 1) -- x \\\r\nINSERT INTO t SELECT * FROM a\n", "backslash continues"),
        ("WITH a AS (SELECT 1) /* /* */ INSERT INTO t SELECT 1 */ SELECT 1", "a comment in a comment"),
        ("WITH a AS (SELECT /*+ h('*/ ') */ 1) INSERT INTO t SELECT * FROM a --')", "a hint of more"),
        ("WITH a AS (SELECT 1) /*+ INSERT INTO t SELECT 1 */", "a hint of more"),
        ("WITH a AS (SELECT r'\\') INSERT INTO t SELECT '1'", "ends with a backslash"),
        ("'SELECT 1'", "neither a word"),
        ("`SELECT` 1", "neither a word"),
        ("1 + 1", "1"),
        ("()", "neither a word"),
        ("((", "nothing but parentheses"),
        ("= SELECT 1", "neither a word"),
    ] {
        let error = check_reads(text).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{text}");
        assert!(error.to_string().contains(why), "{text}: {error}");
    }
    let notebook = "-- Databricks notebook source\nSELECT 1\n\n-- COMMAND ----------\n\nDELETE FROM t";
    assert_eq!(check_reads(notebook).unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn an_error_names_the_line() {
    let error = check_reads("SELECT 1;\n\n  UPDATE t SET a = 1").unwrap_err();
    assert_eq!(error.to_string(), "read-only mode refuses this statement in line 3: UPDATE");
    let error = check_reads("SELECT 1;\nSELECT 'x").unwrap_err();
    assert!(error.to_string().starts_with("read-only mode can't judge the text in line 2: "), "{error}");
}

/// The words of each statement as a service might read them that differs in these points: comments nest, a backslash
/// continues a comment, a carriage return ends one, bodies in dollar signs, raw strings, hints are code.
fn words_as_read(
    text: &str,
    [nests, continues, returns, dollars, raw, hints]: [bool; 6],
) -> Vec<Vec<String>> {
    let mut statements = vec![Vec::new()];
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("--") {
            let ends = |at: &usize| {
                let is_end = rest[*at..].starts_with('\n') || returns && rest[*at..].starts_with('\r');
                is_end && !(continues && rest[..*at].ends_with('\\'))
            };
            (2..rest.len()).find(|at| rest.is_char_boundary(*at) && ends(at)).unwrap_or(rest.len())
        } else if hints && rest.starts_with("/*+") {
            3
        } else if rest.starts_with("/*") {
            let (mut depth, mut at) = (1, 2);
            while depth > 0 && at < rest.len() {
                (depth, at) = match &rest.as_bytes()[at..] {
                    [b'*', b'/', ..] => (depth - 1, at + 2),
                    [b'/', b'*', ..] if nests => (depth + 1, at + 2),
                    _ => (depth, at + 1),
                };
            }
            at
        } else if let (true, Some(tag)) =
            (dollars, ["$$", "$x$"].into_iter().find(|tag| rest.starts_with(tag)))
        {
            rest[tag.len()..].find(tag).map_or(rest.len(), |at| at + 2 * tag.len())
        } else if raw && rest.starts_with("r'") {
            rest[2..].find('\'').map_or(rest.len(), |at| at + 3)
        } else if matches!(first, '\'' | '"' | '`') {
            let mut is_escaped = true;
            let end = rest.char_indices().find(|(_, c)| {
                let is_end = *c == first && !is_escaped;
                is_escaped = !is_escaped && *c == '\\' && first != '`';
                is_end
            });
            end.map_or(rest.len(), |(at, _)| at + 1)
        } else if first.is_alphanumeric() {
            let length = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            statements.last_mut().unwrap().push(rest[..length].to_uppercase());
            length
        } else {
            if first == ';' {
                statements.push(Vec::new());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    statements
}

/// A text passes only if every service of these would read a query.
#[test]
fn a_change_passes_in_no_disguise() {
    const PIECES: &[&str] = &[
        "SELECT 1",
        "WITH a AS (SELECT 1)",
        "FROM t",
        "INSERT INTO t SELECT 1",
        "--",
        "\n",
        "\r",
        "\r\n",
        "/*",
        "*/",
        "/*+",
        "'",
        "\"",
        "`",
        "$$",
        "$x$",
        "\\",
        "(",
        ")",
        ";",
        " ",
        " r'",
        "|>",
        "'x'",
        "é",
    ];
    let mut random = fastrand::Rng::with_seed(3);
    let (mut passed, mut hidden) = (0, 0);
    for _ in 0..100_000 {
        let text: String = (0..random.usize(2..9)).map(|_| PIECES[random.usize(..PIECES.len())]).collect();
        if !text.contains("INSERT") || check_reads(&text).is_err() {
            continue;
        }
        passed += 1;
        for service in 0..64_u8 {
            let service = [1, 2, 4, 8, 16, 32].map(|bit| service & bit != 0);
            for words in words_as_read(&text, service) {
                let starts = words.first().map_or("", String::as_str);
                let changes = words.iter().any(|word| word == "INSERT");
                hidden += usize::from(!changes);
                assert!(
                    !changes || starts.starts_with("SELECT"),
                    "{text:?} is read as {words:?} with {service:?}"
                );
            }
        }
    }
    assert!(passed > 500 && hidden > 500, "{passed} {hidden}");
}
