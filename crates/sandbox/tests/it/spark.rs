//! `spark`, `display` and figures in the sandbox's Python.

use brickwire_sandbox::seed::RUNNING_CLUSTER;
use serde_json::{Value, json};

use crate::{
    client::{Client, start},
    contexts::{create, run, submit, text},
};

async fn results(client: &Client, context: &str, code: &str) -> Value {
    let answer = run(client, context, "python", code).await;
    assert_eq!(answer["status"], "Finished", "{code}: {answer}");
    answer["results"].clone()
}

#[tokio::test]
async fn a_data_frame_is_a_query() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    for (code, data) in [
        ("print(spark.range(5).count())", "5"),
        ("spark.range(3)", "DataFrame[id: bigint]"),
        ("spark.range(2, 8, 3).collect()", "[Row(id=2), Row(id=5)]"),
        (
            "row = spark.sql('SELECT 1 AS a, \"x\" AS b').first()\nrow.a, row['b'], row[0], row.asDict()",
            "(1, 'x', 1, {'a': 1, 'b': 'x'})",
        ),
        (
            "spark.table('samples.nyctaxi.trips').columns[:2]",
            "['tpep_pickup_datetime', 'tpep_dropoff_datetime']",
        ),
        ("spark.table('samples.nyctaxi.trips').select('fare_amount').limit(3).count()", "3"),
        (
            "spark.range(9).filter('id % 2 = 1').orderBy('id', ascending=False).take(2)",
            "[Row(id=7), Row(id=5)]",
        ),
        (
            "spark.range(9).orderBy('id', ascending=False).limit(4).limit(9).selectExpr('max(id) AS m').first().m",
            "8",
        ),
        (
            "spark.sql('SELECT :a + 1 AS n, :b AS t, :c AS z', {'a': 41, 'b': \"it's\", 'c': None}).collect()",
            "[Row(n=42, t=\"it's\", z=None)]",
        ),
        (
            "spark.range(0).first(), spark.range(0).isEmpty(), spark.range(4).distinct().count()",
            "(None, True, 4)",
        ),
        (
            "r = spark.sql(\"SELECT DATE'2024-01-31' d, TIMESTAMP'2024-01-31 01:02:03' t, 1.50BD x, true b, double('NaN') n, array(1, 2) l, map('k', 1.5D) m, named_struct('a', 1, 'b', array(date'2024-01-31')) s\").first()\n\
             r.d.isoformat(), r.t.isoformat(), str(r.x), r.b, r.n, r.l, r.m, r.s",
            "('2024-01-31', '2024-01-31T01:02:03', '1.50', True, nan, [1, 2], {'k': 1.5}, Row(a=1, b=[datetime.date(2024, 1, 31)]))",
        ),
    ] {
        assert_eq!(results(&client, &context, code).await, text(data), "{code}");
    }
}

#[tokio::test]
async fn rows_are_spark_s() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let query = "r = spark.sql(\"SELECT 1 AS id, named_struct('a:b', 1, 'c, `d', array(named_struct('x', 2))) AS s, timestamp'2024-01-31 01:02:03.123456' AS t\").first()";
    assert_eq!(results(&client, &context, query).await, text(""));
    for (code, data) in [
        ("'id' in r, 'nope' in r, 1 in r", "(True, False, False)"),
        ("r.s", "Row(a:b=1, c, `d=[Row(x=2)])"),
        (
            "r.s.asDict(), r.s.asDict(True)",
            "({'a:b': 1, 'c, `d': [Row(x=2)]}, {'a:b': 1, 'c, `d': [{'x': 2}]})",
        ),
        (
            "import copy, pickle\ncopy.deepcopy(r) == r == pickle.loads(pickle.dumps(r)), copy.copy(r).id",
            "(True, 1)",
        ),
        ("r.t.isoformat()", "'2024-01-31T01:02:03.123456'"),
        (
            "spark.sql(\"SELECT array(timestamp'2024-01-31 01:02:03.5') AS t\").first().t[0].microsecond",
            "500000",
        ),
    ] {
        assert_eq!(results(&client, &context, code).await, text(data), "{code}");
    }
}

#[tokio::test]
async fn orders_and_limits_are_checked() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let by = "[tuple(row) for row in spark.sql('SELECT id % 2 AS a, id FROM range(4)').orderBy";
    for (code, data) in [
        ("[row.id for row in spark.range(3).orderBy('id', ascending=[False]).collect()]", "[2, 1, 0]"),
        (
            &format!("{by}(['a', 'id'], ascending=[True, False]).collect()]"),
            "[(0, 2), (0, 0), (1, 3), (1, 1)]",
        ),
        ("spark.range(3).take(0), spark.range(3).limit(0).count()", "([], 0)"),
        ("spark.range(3).show(-1)", "+---+\n| id|\n+---+\nonly showing top 0 rows\n"),
    ] {
        assert_eq!(results(&client, &context, code).await, text(data), "{code}");
    }
    for (code, words) in [
        ("spark.range(3).take(-1)", "AnalysisException</span>: [INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE]"),
        ("spark.range(3).head(-1)", "IS_NEGATIVE"),
        ("spark.range(3).limit(-1)", "IS_NEGATIVE"),
        ("spark.range(3).orderBy('id', ascending=[])", "0 entries for 1 columns"),
    ] {
        let refused = results(&client, &context, code).await;
        assert!(refused["summary"].as_str().unwrap_or_default().contains(words), "{code}: {refused}");
    }
}

#[tokio::test]
async fn a_query_is_told_from_a_statement_by_its_first_word() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let code = "spark.sql('CREATE TABLE t1 (n INT)')\n\
                spark.sql('/* a */ insert into t1 /* b */ select 2')\n\
                spark.sql('-- a\\n(/* ** */ table t1)').count(), spark.sql('TABLE t1').filter('n > 1').collect()";
    assert_eq!(results(&client, &context, code).await, text("(1, [Row(n=2)])"));
    // In linear time: with 200 comments, each of which may be read in two ways, it would not end.
    let code = "spark.sql('/* a */ ' * 200 + 'show tables').createOrReplaceTempView('s')";
    let refused = results(&client, &context, code).await;
    assert!(refused["summary"].as_str().unwrap().contains("has no queries over the rows"), "{refused}");
}

/// The engine drops the order of a query inside another one.
#[tokio::test]
async fn rows_keep_their_order_through_what_follows() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    for (code, ids) in [
        ("spark.sql('SELECT id FROM range(9) ORDER BY id DESC').filter('id > 6')", "[8, 7]"),
        ("spark.sql('SELECT id FROM range(9) ORDER BY id DESC').limit(3).filter('id % 2 = 0')", "[8, 6]"),
        ("spark.sql('SELECT id FROM range(9) ORDER BY id DESC LIMIT 5').limit(2).select('id')", "[8, 7]"),
        (
            "spark.sql('SELECT id FROM (SELECT id FROM range(9) LIMIT 9) ORDER BY id DESC -- last').limit(2).select('*')",
            "[8, 7]",
        ),
        ("spark.range(4).orderBy('id', ascending=False).selectExpr('id AS id').where('id < 3')", "[2, 1, 0]"),
    ] {
        let found = results(&client, &context, &format!("[row.id for row in {code}.collect()]")).await;
        assert_eq!(found, text(ids), "{code}");
    }
}

#[tokio::test]
async fn statements_run_at_once_and_share_the_session_of_sql_commands() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let code =
        "spark.sql('CREATE TABLE made AS SELECT 7 AS n')\nspark.range(3).createOrReplaceTempView('three')";
    assert_eq!(results(&client, &context, code).await, text(""));
    let answer = run(&client, &context, "sql", "SELECT n, count(*) AS c FROM made, three GROUP BY n").await;
    assert_eq!(answer["results"]["data"], json!([[7, 3]]), "{answer}");
    let shown = results(&client, &context, "spark.sql('SHOW TABLES').select('tableName')").await;
    assert!(
        shown["summary"].as_str().unwrap().contains("the sandbox's Spark has no queries over"),
        "{shown}"
    );
    let names =
        results(&client, &context, "[row.tableName for row in spark.sql('SHOW TABLES').collect()]").await;
    assert!(names["data"].as_str().unwrap().contains("'made'"), "{names}");
}

#[tokio::test]
async fn show_prints_as_spark_does() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let code =
        "spark.sql(\"SELECT id, CASE WHEN id > 0 THEN repeat('long ', 6) END AS t FROM range(3)\").show(2)";
    let table = "+---+--------------------+\n\
                 | id|                   t|\n\
                 +---+--------------------+\n\
                 |  0|                NULL|\n\
                 |  1|long long long lo...|\n\
                 +---+--------------------+\n\
                 only showing top 2 rows\n";
    assert_eq!(results(&client, &context, code).await, text(table));
    let code = "spark.sql(\"SELECT 'a' AS x WHERE false\").show()";
    assert_eq!(results(&client, &context, code).await, text("+---+\n|  x|\n+---+\n"));
    assert_eq!(
        results(&client, &context, "spark.range(1).printSchema()").await,
        text("root\n |-- id: long (nullable = true)\n")
    );
}

#[tokio::test]
async fn show_and_print_schema_have_sparks_texts() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let code = "frame = spark.sql(\"SELECT array(1, NULL) AS a, named_struct('x', 1, 'y', 'z') AS s, map('k', array(1.5D)) AS m, cast('ab' AS BINARY) AS b, timestamp'2024-01-31 01:02:03.5' AS t, 'a\\\\nb' AS l\")\nframe.show(truncate=False)";
    let table = "+---------+------+------------+-------+---------------------+----+\n\
                 |a        |s     |m           |b      |t                    |l   |\n\
                 +---------+------+------------+-------+---------------------+----+\n\
                 |[1, NULL]|{1, z}|{k -> [1.5]}|[61 62]|2024-01-31 01:02:03.5|a\\nb|\n\
                 +---------+------+------------+-------+---------------------+----+\n";
    assert_eq!(results(&client, &context, code).await, text(table));
    let schema = "root\n |-- a: array (nullable = true)\n |    |-- element: integer (containsNull = true)\n \
                  |-- s: struct (nullable = true)\n |    |-- x: integer (nullable = true)\n \
                  |    |-- y: string (nullable = true)\n \
                  |-- m: map (nullable = true)\n |    |-- key: string\n \
                  |    |-- value: array (valueContainsNull = true)\n \
                  |    |    |-- element: double (containsNull = true)\n \
                  |-- b: binary (nullable = true)\n |-- t: timestamp (nullable = true)\n \
                  |-- l: string (nullable = true)\n";
    assert_eq!(results(&client, &context, "frame.printSchema()").await, text(schema));
}

#[tokio::test]
async fn what_spark_has_and_the_sandbox_has_not_says_so() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    for (code, kind, words) in [
        (
            "spark.range(1).groupBy('id')",
            "AttributeError",
            "has no DataFrame.groupBy: write it as SQL, in spark.sql(...)",
        ),
        ("spark.read.csv('x')", "AttributeError", "has no spark.read"),
        ("dbutils.notebook.exit('x')", "AttributeError", "the sandbox has no dbutils.notebook"),
        ("spark.range(1).filter(1)", "NotImplementedError", "has no conditions that aren't text"),
        ("import pyspark.sql", "ModuleNotFoundError", "the sandbox has no pyspark: use spark.sql(...)"),
        ("spark.table('nope')", "AnalysisException", "[TABLE_OR_VIEW_NOT_FOUND]"),
        ("spark.table('t; DROP TABLE x')", "AnalysisException", "not the name of a table"),
        ("spark.sql('SELEKT 1')", "AnalysisException", "[PARSE_SYNTAX_ERROR]"),
        ("spark.range(1).select('nope')", "AnalysisException", "[UNRESOLVED_COLUMN"),
        (
            "spark.sql(\"SELECT repeat('x', 100000) AS x FROM range(1000)\").collect()",
            "AnalysisException",
            "Add a LIMIT",
        ),
    ] {
        let results = results(&client, &context, code).await;
        let summary = results["summary"].as_str().unwrap_or_default();
        assert!(summary.contains(kind) && summary.contains(words), "{code}: {results}");
    }
    assert_eq!(results(&client, &context, "spark.range(1).count()").await, text("1"));
    // Programs look for pyspark before they import it.
    let code = "import importlib.util\nimportlib.util.find_spec('pyspark').name";
    assert_eq!(results(&client, &context, code).await, text("'pyspark'"));
}

#[tokio::test]
async fn a_displayed_table_is_the_result() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let shown = results(&client, &context, "print('before')\ndisplay(spark.range(2))").await;
    assert_eq!(
        shown,
        json!({
            "resultType": "table", "data": [[0], [1]], "truncated": false, "isJsonSchema": true,
            "schema": [{ "name": "id", "type": "\"long\"", "metadata": "{}" }],
        })
    );
    let cut = results(&client, &context, "display(spark.range(5000))").await;
    assert_eq!((cut["data"].as_array().unwrap().len(), &cut["truncated"]), (1000, &json!(true)));
    let limited = results(&client, &context, "display(spark.range(5000).limit(3))").await;
    assert_eq!(limited["data"], json!([[0], [1], [2]]));
    let files = results(&client, &context, "display(dbutils.fs.ls('/FileStore'))").await;
    assert_eq!(files["data"][0][0], "dbfs:/FileStore/readme.txt", "{files}");
    assert_eq!(files["schema"][2], json!({ "name": "size", "type": "\"long\"", "metadata": "{}" }));
    assert_eq!(results(&client, &context, "display(1)\ndisplay('x')").await, text("1\nx"));
    // A command that fails has its error, and the next one starts anew.
    let failed = results(&client, &context, "display(spark.range(1))\n1 / 0").await;
    assert_eq!(failed["resultType"], "error");
    assert_eq!(results(&client, &context, "'next'").await, text("'next'"));
}

/// What JSON doesn't have must not cost the context.
#[tokio::test]
async fn cells_without_a_form_in_json_are_shown() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let rows = "from collections import namedtuple\nRow = namedtuple('Row', 'x')\n";
    for (cells, kind, data) in [
        ("1.0, float('inf'), -float('inf')", "double", json!([[1.0], ["Infinity"], ["-Infinity"]])),
        ("'\\ud800', '\\ud83d\\ude00'", "string", json!([["\u{fffd}"], ["😀"]])),
        ("10 ** 400 // 10 ** 380", "string", json!([["100000000000000000000"]])),
        ("-(1 << 63)", "long", json!([[i64::MIN]])),
        // As pandas.NA and an array of numpy: they have no truth.
        (
            "type('NAType', (), {})(), type('A', (), {'shape': (2,), '__ne__': lambda a, b: a, '__bool__': lambda a: int('x'), '__str__': lambda a: '[1 2]', 'item': None})()",
            "string",
            json!([[null], ["[1 2]"]]),
        ),
    ] {
        let code = format!("{rows}display([Row(cell) for cell in [{cells}]])");
        let shown = results(&client, &context, &code).await;
        assert_eq!(shown["data"], data, "{cells}: {shown}");
        assert_eq!(shown["schema"][0]["type"], format!("\"{kind}\""), "{cells}");
    }
    let code = "display(spark.sql(\"SELECT double('inf') AS x\").collect())";
    assert_eq!(results(&client, &context, code).await["data"], json!([["Infinity"]]));
    let code = "spark.sql(\"SELECT '\\ud800' AS x\").first().x == '\\ufffd'";
    assert_eq!(results(&client, &context, code).await, text("True"));
    let code = "class Names(tuple):\n    __fields__ = [b'x']\ndisplay([Names([1])])";
    let refused = results(&client, &context, code).await;
    assert!(refused["summary"].as_str().unwrap().contains("not JSON serializable"), "{refused}");
    assert_eq!(results(&client, &context, "'next'").await, text("'next'"));
}

#[tokio::test]
async fn a_table_shows_no_secret() {
    let (_sandbox, client) = start().await;
    client.posted("/api/2.0/secrets/scopes/create", json!({ "scope": "s" })).await;
    client
        .posted("/api/2.0/secrets/put", json!({ "scope": "s", "key": "k", "string_value": "hidden-1" }))
        .await;
    for (key, value) in [("quotes", r#"a"b\c"#), ("number", "84021")] {
        client
            .posted("/api/2.0/secrets/put", json!({ "scope": "s", "key": key, "string_value": value }))
            .await;
    }
    let context = create(&client, "python").await;
    let code = "display(spark.sql('SELECT :s AS s', {'s': dbutils.secrets.get('s', 'k')}))";
    let shown = results(&client, &context, code).await;
    assert_eq!(shown["data"], json!([["[REDACTED]"]]));
    let code = "q = dbutils.secrets.get('s', 'quotes')\ndisplay(spark.sql(\"SELECT :q AS q, array(:q) AS a, named_struct('x', :q) AS s\", {'q': q}))";
    let shown = results(&client, &context, code).await;
    let expected = json!([["[REDACTED]", r#"["[REDACTED]"]"#, r#"{"x":"[REDACTED]"}"#]]);
    assert_eq!(shown["data"], expected, "{shown}");
    let code = "n = dbutils.secrets.get('s', 'number')\ndisplay(spark.sql('SELECT int(:n) AS n, double(:n) AS d, 7 AS o', {'n': n}))";
    let shown = results(&client, &context, code).await;
    assert_eq!(shown["data"], json!([["[REDACTED]", "[REDACTED].0", 7]]), "{shown}");
}

#[tokio::test]
async fn a_table_has_a_bound_in_bytes_and_only_the_last_one_is_kept() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let wide = "SELECT repeat('x', 100000) AS x FROM range(900)";
    let rows = "from collections import namedtuple\nRow = namedtuple('Row', 'x')\ndisplay([Row('x' * 100_000)] * 900)";
    for code in [&format!("display(spark.sql(\"{wide}\"))"), rows] {
        let refused = results(&client, &context, code).await;
        assert!(
            refused["summary"].as_str().unwrap_or_default().contains("at most 64 MiB of rows"),
            "{code}: {}",
            refused["resultType"]
        );
    }
    let code = "import __main__\ndisplay(spark.range(1), spark.range(2))\nprint(len(__main__.shown))\n__main__.shown.clear()";
    assert_eq!(results(&client, &context, code).await, text("1"));
}

/// A figure as matplotlib's, for machines without it. `tests/pytest.sh` has the real one.
const FIGURE: &str = "class Figure:\n    def savefig(self, file, format):\n        file.write(b'image of ' + format.encode())\n";

#[tokio::test]
async fn a_figure_is_an_image() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let url = "data:image/png;base64,aW1hZ2Ugb2YgcG5n";
    let one = results(&client, &context, &format!("{FIGURE}display(Figure())")).await;
    assert_eq!(one, json!({ "resultType": "image", "fileName": url }));
    let two = results(&client, &context, "display(Figure(), Figure())").await;
    assert_eq!(two, json!({ "resultType": "images", "fileNames": [url, url] }));
    let large = "class Large:\n    def savefig(self, file, format):\n        file.write(b'x' * 16_000_000)\ndisplay(Large())";
    let note = "Note: an image is left out: those of a command may have 20000000 bytes together.";
    assert_eq!(results(&client, &context, large).await, text(note));
}

/// What matplotlib keeps of open figures.
const PYPLOT: &str = "
import sys, types
pyplot = types.ModuleType('matplotlib.pyplot')
opened = {1: Figure()}
pyplot.get_fignums = lambda: list(opened)
pyplot.figure = opened.get
pyplot.close = lambda figure: opened.clear()
sys.modules['matplotlib.pyplot'] = pyplot
'text'
";

#[tokio::test]
async fn an_open_figure_is_shown_at_the_end_of_the_command_and_once() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let shown = results(&client, &context, &format!("{FIGURE}{PYPLOT}")).await;
    assert_eq!(shown["resultType"], "image", "{shown}");
    assert_eq!(results(&client, &context, "'text'").await, text("'text'"));
    // One that is displayed is not shown at the end again, and pyplot stands for its figure.
    for code in ["display(opened[1])", "pyplot.gcf = lambda: opened[1]\npyplot.savefig = 1\ndisplay(pyplot)"]
    {
        let shown = results(&client, &context, &format!("opened[1] = Figure()\n{code}")).await;
        assert_eq!(shown["resultType"], "image", "{code}: {shown}");
    }
}

#[tokio::test]
async fn a_figure_fails_no_command_and_ends_with_a_failed_one() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    results(&client, &context, &format!("{FIGURE}{PYPLOT}")).await;
    let failed = results(&client, &context, "opened[1] = Figure()\n1 / 0").await;
    assert_eq!(failed["resultType"], "error", "{failed}");
    assert_eq!(results(&client, &context, "'its value'").await, text("'its value'"));
    let canceled = run(&client, &context, "python", "opened[1] = Figure()\nraise KeyboardInterrupt").await;
    assert_eq!(canceled["status"], "Cancelled", "{canceled}");
    assert_eq!(results(&client, &context, "'its value'").await, text("'its value'"));
    let broken = "class Broken:\n    def savefig(self, file, format): raise ValueError('no such font')\nopened[1] = Broken()\n'value'";
    let shown = results(&client, &context, broken).await;
    assert_eq!(shown, text("Note: a figure is left out: ValueError: no such font\n'value'"));
}

/// A variable would choose it in children, which don't have it.
#[tokio::test]
async fn matplotlib_begins_with_a_backend_that_displays_and_children_have_theirs() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let code = "import os, sys\nos.mkdir('matplotlib')\n\
                with open('matplotlib/__init__.py', 'w') as file: file.write('rcParams = {}')\n\
                sys.path.insert(0, os.getcwd())\n\
                import matplotlib\n\
                matplotlib.rcParams, 'MPLBACKEND' in os.environ";
    let chosen = results(&client, &context, code).await;
    assert_eq!(chosen, text("({'backend': 'module://brickwire_pyplot'}, False)"));
}

#[tokio::test]
async fn a_query_of_python_is_canceled_with_its_command() {
    let (_sandbox, client) = start().await;
    let context = create(&client, "python").await;
    let query = "spark.sql('SELECT count(*) FROM range(100000000) a, range(100000000) b')";
    let thread = "import threading\n\
                  def count():\n    \
                  try: frame.collect()\n    \
                  except Exception: pass\n\
                  thread = threading.Thread(target=count)\nthread.start()\nthread.join()";
    for code in ["frame.collect()", thread] {
        let code = format!("frame = {query}\n{code}");
        let path = submit(&client, &context, "python", &code).await;
        client.until(&path, |answer| answer["status"] == "Running").await;
        let id = path.rsplit('=').next().unwrap();
        let body = json!({ "clusterId": RUNNING_CLUSTER, "contextId": context, "commandId": id });
        client.posted("/api/1.2/commands/cancel", body).await;
        client.until(&path, |answer| answer["status"] == "Cancelled").await;
        assert_eq!(results(&client, &context, "spark.range(2).count()").await, text("2"), "{code}");
    }
}
