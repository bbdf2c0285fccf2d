//! What `brick sql` prints of each type: the text of JSON_ARRAY, from Arrow with all digits of a TIMESTAMP; and in JSON,
//! numbers, booleans and NULL at every depth.

use serde_json::json;

use crate::{scripted::Server, workspace::squeezed};

/// A column of each type that the sandbox has. The last row is NULL in all of them but the intervals.
#[cfg(feature = "arrow")]
const TYPES: &str = r#"
  SELECT b, CAST(n AS TINYINT) AS tiny, CAST(n AS SMALLINT) AS small, CAST(n AS INT) AS mid, big,
    CAST(d AS FLOAT) AS f, CAST(d AS DOUBLE) AS d, CAST(p AS DECIMAL(38,3)) AS p, CAST(n AS DECIMAL(5,0)) AS whole, s,
    CAST(s AS BINARY) AS bin, CAST(at AS DATE) AS day, CAST(at AS TIMESTAMP) AS at, CAST(at AS TIMESTAMP_NTZ) AS wall,
    INTERVAL '14' MONTH AS months, CAST(at AS TIMESTAMP) - TIMESTAMP'2024-01-01 00:00:00' AS span, NULL AS void,
    array(n, NULL) AS list, array(array(b), array()) AS lists, map('k"', CAST(d AS DOUBLE)) AS pairs,
    array(CAST(at AS TIMESTAMP)) AS times, named_struct('n', big, 'b', b, 's', s, 'p', CAST(p AS DECIMAL(38,3)),
      'day', CAST(at AS DATE), 'bin', CAST(s AS BINARY), 'list', array(s)) AS record
  FROM VALUES
    (true, -100, 9007199254740993, '1e10', '12345678901234567890123456789012345.678', '', '1969-12-31 23:59:59.999999'),
    (false, 127, -9223372036854775808, '-0.0', '-0.1', 'say "hi", \\ é漢😀\n', '2024-02-29 02:30:00.120456'),
    (true, 0, 0, 'NaN', '0', 'NULL', '0001-01-01 00:00:00'),
    (false, 1, 1, '0.001', '1.5', '{"a": 1}', '9999-12-31 23:59:59.999'),
    (false, 1, 1, '-Infinity', '7', '\u0001', '1582-10-04 12:00:00'),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS t(b, n, big, d, p, s, at)"#;

#[cfg(feature = "arrow")]
#[test]
fn every_type_has_the_same_text_from_arrow_and_from_json() {
    use brickwire_actions::Connection;
    use brickwire_sandbox::seed::RUNNING_WAREHOUSE;

    /// The text with three digits after the point of each second.
    fn cut(text: &str) -> String {
        let mut parts = text.to_owned();
        if let Some(point) = text.find('.') {
            let digits = text[point + 1..].bytes().take_while(u8::is_ascii_digit).count();
            assert_eq!(digits, 6, "{text}");
            parts.replace_range(point + 4..point + 7, "");
        }
        parts
    }

    let workspace = crate::workspace::Workspace::fresh();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let [json, arrow] = runtime.block_on(async {
        let connection = Connection::token(workspace.sandbox.url(), workspace.token.as_str()).unwrap();
        let client = brickwire_actions::Workspace::builder().connection(connection).build().unwrap();
        let statement = client.sql(RUNNING_WAREHOUSE).statement(TYPES);
        let json = statement.clone().execute().await.unwrap().collect().await.unwrap();
        [json, statement.with_rows_from_arrow().execute().await.unwrap().collect().await.unwrap()]
    });
    let asked = workspace.requests("POST", "/api/2.0/sql/statements");
    let format = |at: usize| asked[at].body.as_ref().unwrap()["format"].clone();
    assert_eq!([format(0), format(1)], ["JSON_ARRAY", "ARROW_STREAM"]);
    assert_eq!((json.len(), arrow.len()), (6, 6));
    for (json, arrow) in json.iter().zip(&arrow) {
        for (column, (json, arrow)) in json.columns().iter().zip(json.iter().zip(arrow.iter())) {
            let (name, json, arrow) = (column.name.as_deref().unwrap(), json.as_str(), arrow.as_str());
            match name {
                "at" | "wall" | "times" => assert_eq!(arrow.map(cut).as_deref(), json, "{name}: {arrow:?}"),
                _ => assert_eq!(arrow, json, "{name}"),
            }
        }
    }
    let at = |row: usize, name: &str| arrow[row].get(name).and_then(|cell| cell.as_str()).unwrap().to_owned();
    assert_eq!(at(0, "at"), "1969-12-31T23:59:59.999999Z");
    assert_eq!(at(1, "wall"), "2024-02-29T02:30:00.120456");
    assert_eq!(at(1, "times"), r#"["2024-02-29T02:30:00.120456Z"]"#);
}

/// Six digits where Arrow is built in, and three in the JSON that the service sends to other builds.
#[test]
fn timestamps_keep_their_microseconds_in_every_text_format() {
    let workspace = crate::workspace::Workspace::fresh();
    let statement =
        "SELECT TIMESTAMP'2024-01-31 12:00:00.123456' AS at, TIMESTAMP_NTZ'2024-01-31 12:00:00' AS wall";
    let digits = if cfg!(feature = "arrow") { ["123456", "000000"] } else { ["123", "000"] };
    for format in ["csv", "json", "jsonl", "table", "record"] {
        let ran = workspace.sql(&format!("-o {format}"), statement).run().done();
        for text in
            [format!("2024-01-31T12:00:00.{}Z", digits[0]), format!("2024-01-31T12:00:00.{}", digits[1])]
        {
            assert!(ran.text().contains(&text), "{format}: {}", ran.text());
        }
    }
    // A statement that is read later.
    let ran = workspace.sql("--detach", statement).run().done();
    let wait = format!("statements wait -o csv {}", ran.json()["statement_id"].as_str().unwrap());
    let ran = workspace.brick(&wait).run().done();
    assert!(ran.text().contains(&format!(":00.{}Z,", digits[0])), "{}", ran.text());
}

#[test]
fn nested_values_keep_their_types_in_json() {
    let workspace = crate::workspace::Workspace::fresh();
    let statement = "SELECT array(1, NULL) AS list, map('k', 9007199254740993) AS pairs, \
        named_struct('b', true, 'p', CAST(1.5 AS DECIMAL(5,2)), 's', '5', 'd', array(0.5D, CAST('NaN' AS DOUBLE)), \
        'day', DATE'2024-02-29') AS record";
    let record = r#"{"b":true,"p":1.50,"s":"5","d":[0.5,"NaN"],"day":"2024-02-29"}"#;
    let expected = format!(r#"{{"list":[1,null],"pairs":{{"k":9007199254740993}},"record":{record}}}"#);
    let ran = workspace.sql("-o json", statement).run().done();
    assert_eq!(squeezed(ran.text()), format!("[{expected}]"));
    let ran = workspace.sql("-o jsonl", statement).run().done();
    assert_eq!(ran.text(), format!("{expected}\n"));
    // Other formats have the service's text.
    let ran = workspace.sql("-o csv", statement).run().done();
    let record =
        r#"{""b"":""true"",""p"":""1.50"",""s"":""5"",""d"":[""0.5"",""NaN""],""day"":""2024-02-29""}"#;
    assert_eq!(
        ran.text(),
        format!(
            "list,pairs,record\n\"[\"\"1\"\",null]\",\"{{\"\"k\"\":\"\"9007199254740993\"\"}}\",\"{record}\"\n"
        )
    );
}

/// What the sandbox has no type for.
#[test]
fn variants_are_json_at_every_depth() {
    let columns = json!([
        { "name": "v", "type_name": "VARIANT", "type_text": "VARIANT" },
        { "name": "vs", "type_name": "ARRAY", "type_text": "ARRAY<STRUCT<v: VARIANT, i: INTERVAL DAY TO SECOND>>" },
    ]);
    let rows = json!([
        [r#"{"a":[1,"1",null]}"#, r#"[{"v":"{\"b\":true}","i":"1 00:00:00.000000000"},null]"#],
        ["\"text\"", null],
        [null, "[]"],
    ]);
    let answer = json!({
        "statement_id": "01f0", "status": { "state": "SUCCEEDED" },
        "manifest": { "format": "JSON_ARRAY", "schema": { "columns": columns }, "total_chunk_count": 1,
            "total_row_count": 3, "chunks": [{ "chunk_index": 0, "row_count": 3 }] },
        "result": { "chunk_index": 0, "row_count": 3, "data_array": rows },
    });
    let ran = Server::json(&answer.to_string())
        .brick("sql -w 0123456789abcdef -o jsonl")
        .arg("SELECT 1")
        .run()
        .done();
    let expected = [
        r#"{"v":{"a":[1,"1",null]},"vs":[{"v":{"b":true},"i":"1 00:00:00.000000000"},null]}"#,
        r#"{"v":"text","vs":null}"#,
        r#"{"v":null,"vs":[]}"#,
    ];
    assert_eq!(ran.text().lines().collect::<Vec<_>>(), expected);
}
