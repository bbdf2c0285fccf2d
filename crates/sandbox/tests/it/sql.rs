//! The SQL engine against tables of statements: `sql/*.txt`.
//!
//! A file is one session. A block is a statement and what it answers, each answer line after `=> `: the columns with
//! their types, the first row as JSON_ARRAY has it and the number of rows; or `!` with the error's class and SQLSTATE.

use std::fmt::Write as _;

use brickwire_sandbox::engine::encode::{Format, encode};
use brickwire_sandbox::engine::{EngineError, Parameter, Query, SqlEngine, new_engine};
use futures_util::{FutureExt, StreamExt, TryStreamExt};

async fn answer(engine: &dyn SqlEngine, sql: &str) -> Result<String, EngineError> {
    let stream = engine.query(Query { sql, user: "someone@example.com", ..Query::default() }).await?;
    let columns: Vec<String> = stream.columns.iter().map(|c| format!("{} {}", c.name, c.type_text)).collect();
    let schema = stream.schema;
    let batches: Vec<_> = stream.batches.try_collect().await?;
    let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
    let mut out = format!("=> {}", columns.join(", "));
    if let Some(first) = batches.iter().find(|batch| batch.num_rows() > 0) {
        let json = encode(Format::JsonArray, &schema, &[first.slice(0, 1)], true)?;
        let json = String::from_utf8(json).expect("JSON is UTF-8");
        write!(out, "\n=> {}", &json[1..json.len() - 1]).expect("a String takes it");
    }
    write!(out, "\n=> {rows} rows").expect("a String takes it");
    Ok(out)
}

async fn replay(name: &str, text: &str) {
    let engine = new_engine();
    let mut actual = String::new();
    for block in text.split("\n\n") {
        let sql: Vec<&str> =
            block.lines().filter(|line| !line.starts_with("=>") && !line.starts_with("# ")).collect();
        let sql = sql.join("\n");
        for comment in block.lines().filter(|line| line.starts_with("# ")) {
            writeln!(actual, "{comment}").expect("a String takes it");
        }
        let answer = answer(engine.as_ref(), &sql).await.unwrap_or_else(|error| {
            let state = error.sql_state.as_deref().unwrap_or("-");
            format!("=> ! {} {state}", error.class().unwrap_or(&error.message))
        });
        write!(actual, "{}\n{answer}\n\n", sql.trim_end()).expect("a String takes it");
    }
    let differing: Vec<String> = actual
        .trim_end()
        .split("\n\n")
        .zip(text.trim_end().split("\n\n"))
        .filter(|(actual, expected)| actual != expected)
        .map(|(actual, expected)| format!("--- expected\n{expected}\n--- actual\n{actual}\n"))
        .collect();
    assert!(differing.is_empty(), "{name}:\n{}", differing.join("\n"));
}

macro_rules! replays {
    ($($name:ident),*) => {$(
        #[tokio::test]
        async fn $name() {
            replay(stringify!($name), include_str!(concat!("sql/", stringify!($name), ".txt"))).await;
        }
    )*};
}

replays!(probe, semantics, tables);

/// The rows as JSON_ARRAY has them.
async fn rows(engine: &dyn SqlEngine, query: Query<'_>) -> Result<String, EngineError> {
    let stream = engine.query(query).await?;
    let schema = stream.schema;
    let batches: Vec<_> = stream.batches.try_collect().await?;
    let json = encode(Format::JsonArray, &schema, &batches, true)?;
    Ok(String::from_utf8(json).expect("JSON is UTF-8"))
}

fn text(sql: &str) -> Query<'_> {
    Query { sql, user: "someone@example.com", ..Query::default() }
}

fn parameter(name: &str, value: Option<&str>, type_name: Option<&str>) -> Parameter {
    Parameter {
        name: name.to_owned(),
        value: value.map(str::to_owned),
        type_name: type_name.map(str::to_owned),
    }
}

#[tokio::test]
async fn parameters_are_values_of_their_types() {
    let engine = new_engine();
    let parameters = vec![
        parameter("i", Some("42"), Some("INT")),
        parameter("l", Some("9007199254740993"), Some("BIGINT")),
        parameter("d", Some("1.5e3"), Some("DOUBLE")),
        parameter("dec", Some("12.34"), Some("DECIMAL(10,2)")),
        parameter("s", Some("it's :i"), None),
        parameter("dt", Some("2024-02-29"), Some("DATE")),
        parameter("ts", Some("2024-02-29 12:34:56.789"), Some("TIMESTAMP")),
        parameter("b", Some("true"), Some("BOOLEAN")),
        parameter("n", None, Some("INT")),
        parameter("empty", Some(""), None),
    ];
    let with = |sql| Query { parameters: parameters.clone(), ..text(sql) };
    assert_eq!(
        rows(engine.as_ref(), with("SELECT :i, :l, :d, :dec, :s, :dt, :ts, :b, :n, :empty")).await.unwrap(),
        r#"[["42","9007199254740993","1500.0","12.34","it's :i","2024-02-29","2024-02-29T12:34:56.789Z","true",null,""]]"#
    );
    let sql = "SELECT id FROM range(:i) WHERE id IN (:i, 41) OR id < :n ORDER BY id LIMIT :i";
    assert_eq!(rows(engine.as_ref(), with(sql)).await.unwrap(), r#"[["41"]]"#);
    rows(engine.as_ref(), with("CREATE TABLE bound AS SELECT :s AS s")).await.unwrap();
    rows(engine.as_ref(), with("INSERT INTO bound VALUES (:empty), (CAST(:n AS STRING))")).await.unwrap();
    assert_eq!(
        rows(engine.as_ref(), with("SELECT s FROM bound WHERE s LIKE '%''s%'")).await.unwrap(),
        r#"[["it's :i"]]"#
    );
    let error = rows(engine.as_ref(), with("SELECT :missing")).await.unwrap_err();
    assert_eq!((error.class(), error.sql_state.as_deref()), (Some("UNBOUND_SQL_PARAMETER"), Some("42P02")));
}

#[tokio::test]
async fn a_request_names_its_catalog_and_schema_for_itself() {
    let engine = new_engine();
    let sql = "SELECT current_catalog(), current_schema(), current_user(), count(*) FROM trips";
    let query = Query { catalog: Some("samples"), schema: Some("nyctaxi"), ..text(sql) };
    assert_eq!(
        rows(engine.as_ref(), query).await.unwrap(),
        r#"[["samples","nyctaxi","someone@example.com","21932"]]"#
    );
    let missing = rows(engine.as_ref(), text("SELECT * FROM trips")).await.unwrap_err();
    assert_eq!(missing.class(), Some("TABLE_OR_VIEW_NOT_FOUND"));
}

#[tokio::test]
async fn sessions_share_tables_and_nothing_else() {
    let engine = new_engine();
    let (one, other) = (engine.session(), engine.session());
    rows(one.as_ref(), text("CREATE SCHEMA mine")).await.unwrap();
    rows(one.as_ref(), text("USE mine")).await.unwrap();
    rows(one.as_ref(), text("CREATE TABLE t AS SELECT 7 AS a")).await.unwrap();
    rows(one.as_ref(), text("CREATE TEMPORARY VIEW v AS SELECT a + 1 AS b FROM t")).await.unwrap();
    assert_eq!(rows(one.as_ref(), text("SELECT a, b FROM t, v")).await.unwrap(), r#"[["7","8"]]"#);
    assert_eq!(
        rows(other.as_ref(), text("SELECT current_schema(), a FROM mine.t")).await.unwrap(),
        r#"[["default","7"]]"#
    );
    let error = rows(other.as_ref(), text("SELECT * FROM v")).await.unwrap_err();
    assert_eq!(error.class(), Some("TABLE_OR_VIEW_NOT_FOUND"));
}

#[tokio::test]
async fn errors_say_where() {
    let engine = new_engine();
    let message = async |sql| rows(engine.as_ref(), text(sql)).await.unwrap_err().message;
    assert!(
        message("SELECT *\nFROM  Main.missing")
            .await
            .starts_with("[TABLE_OR_VIEW_NOT_FOUND] The table or view `Main`.`missing` cannot"),
    );
    let missing = message("SELECT *\nFROM  Main.missing").await;
    assert!(missing.ends_with("SQLSTATE: 42P01; line 2 pos 6"), "{missing}");
    assert_eq!(
        message("SELECT ID, foo FROM range(1)").await,
        "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name `foo` cannot be resolved. \
         Did you mean one of the following? [`id`]. SQLSTATE: 42703; line 1 pos 11"
    );
    assert_eq!(
        message("SELECT 1 +").await,
        "\n[PARSE_SYNTAX_ERROR] Syntax error at or near end of input. SQLSTATE: 42601 (line 1, pos 10)\n\n== SQL ==\n\
         SELECT 1 +\n----------^^^\n"
    );
}

#[tokio::test]
async fn rows_stream_and_a_dropped_stream_is_cancelled() {
    let engine = new_engine();
    // More than memory holds, at once and without end: only what is taken is made.
    let mut endless =
        engine.query(text("SELECT id, concat('row ', id) FROM range(9000000000000)")).await.unwrap();
    let first = endless.batches.next().await.unwrap().unwrap();
    assert!(first.num_rows() > 0);
    drop(endless);
    // As many as the engine has threads, and more: each must let go.
    for _ in 0..6 {
        let join = "SELECT sum(a.id * 2) FROM range(9000000000000) a";
        let mut busy = engine.query(text(join)).await.unwrap();
        assert!(busy.batches.next().now_or_never().is_none());
    }
    let table = "CREATE TABLE big AS SELECT sum(id) AS s FROM range(9000000000000)";
    assert!(engine.query(text(table)).now_or_never().is_none());
    assert_eq!(rows(engine.as_ref(), text("SELECT 1")).await.unwrap(), r#"[["1"]]"#);
    assert_eq!(rows(engine.as_ref(), text("SHOW TABLES")).await.unwrap(), "[]");
}

#[tokio::test]
async fn deep_statements_run_or_are_refused() {
    let engine = new_engine();
    let deep = [
        (format!("SELECT 1{} AS n", " + 1".repeat(499)), r#"[["500"]]"#),
        (format!("SELECT id{} AS n FROM range(1)", " + id".repeat(100)), r#"[["0"]]"#),
        (format!("SELECT count(*) FROM range(1) WHERE id = 0{}", " OR id = 1".repeat(200)), r#"[["1"]]"#),
        (format!("{}SELECT 1 AS a{}", "SELECT * FROM (".repeat(40), ")".repeat(40)), r#"[["1"]]"#),
        (
            format!("SELECT count(*) FROM (SELECT 1 AS a{})", " UNION ALL SELECT 1".repeat(100)),
            r#"[["101"]]"#,
        ),
    ];
    for (sql, expected) in deep {
        assert_eq!(rows(engine.as_ref(), text(&sql)).await.unwrap(), expected, "{}", &sql[..40]);
    }
    for sql in [
        format!("SELECT 1{}", " + 1".repeat(5000)),
        format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000)),
        format!("{}SELECT 1{}", "SELECT * FROM (".repeat(1000), ")".repeat(1000)),
    ] {
        let error = rows(engine.as_ref(), text(&sql)).await.unwrap_err();
        assert_eq!(error.class(), Some("UNSUPPORTED_FEATURE.SANDBOX"), "{}", &sql[..40]);
    }
}
