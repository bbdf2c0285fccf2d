//! Tables and records on a terminal: what fits, what the line below the rows says, the limit of rows, and the pager.

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::{
    program::{Brick, Ran},
    scripted::Server,
    terminal::{on_terminal, on_terminal_of},
    workspace::Workspace,
};

const STATEMENTS: &str = "/api/2.0/sql/statements";

/// The lines that a terminal shows, without colors and without the progress line before the first.
fn lines(ran: &Ran) -> Vec<String> {
    let text = anstream::adapter::strip_str(ran.text()).to_string();
    text.lines().map(|line| line.rsplit('\r').next().unwrap_or_default().to_owned()).collect()
}

/// `(5 rows, 1.2 s)`, with any time.
fn is_footer(line: &str, before_time: &str) -> bool {
    let time = line.strip_prefix(before_time).and_then(|rest| rest.strip_suffix(" s)"));
    time.is_some_and(|time| time.parse::<f64>().is_ok())
}

#[track_caller]
fn ends_with_footer(ran: &Ran, before_time: &str) {
    let lines = lines(ran);
    assert!(is_footer(lines.last().unwrap(), before_time), "{lines:?}");
}

/// What the last statement was asked to limit.
fn row_limit(workspace: &Workspace) -> Value {
    let sent = workspace.requests("POST", STATEMENTS);
    sent.last().unwrap().body.as_ref().unwrap()["row_limit"].clone()
}

#[test]
fn the_line_below_the_rows_is_for_people_only() {
    let workspace = Workspace::fresh();
    let statement = "SELECT id FROM range(5)";
    for format in ["", "-o table", "-o record"] {
        let ran = on_terminal("012", workspace.sql(format, statement)).run().done();
        ends_with_footer(&ran, "(5 rows, ");
    }
    for options in ["-q", "-o csv", "-o json", "-o jsonl"] {
        let ran = on_terminal("012", workspace.sql(options, statement)).run().done();
        assert!(!ran.text().contains("rows"), "{options}: {}", ran.text());
    }
    let ran = workspace.sql("-o table", statement).run().done().silent();
    assert_eq!(ran.text(), "id\n 0\n 1\n 2\n 3\n 4\n");
    let ran = on_terminal("012", workspace.sql("", "SELECT 1 AS n WHERE false")).run().done();
    assert_eq!(lines(&ran)[0], "n");
    ends_with_footer(&ran, "(0 rows, ");
}

#[test]
fn a_terminal_gets_a_thousand_rows() {
    let workspace = Workspace::fresh();
    let statement = "SELECT id FROM range(1500)";
    let run = |options: &str| on_terminal("012", workspace.sql(options, statement)).run().done();
    let ran = run("");
    assert_eq!((lines(&ran).len(), row_limit(&workspace)), (1 + 1000 + 2, json!(1000)));
    assert_eq!(lines(&ran)[1002], "(all: --max-rows all, --out FILE)");
    assert!(is_footer(&lines(&ran)[1001], "(first 1,000 rows, more exist; "), "{}", ran.text());
    // It is said once, and a statement that has ended is not canceled.
    assert!(!ran.text().contains("limit"), "{}", ran.text());
    assert!(workspace.requests("POST", &format!("{STATEMENTS}/")).is_empty());
    let ran = run("--max-rows all");
    // The numbers get longer, for which the heading is printed again.
    assert_eq!((lines(&ran).len(), row_limit(&workspace)), (1 + 1000 + 1 + 500 + 1, Value::Null));
    ends_with_footer(&ran, "(1,500 rows, ");
    ends_with_footer(&run("--max-rows 1500"), "(1,500 rows, ");
    assert_eq!(row_limit(&workspace), 1500);
    ends_with_footer(&run("--limit 1200"), "(first 1,200 rows, more exist; ");
    assert_eq!(row_limit(&workspace), 1200);
    assert_eq!(lines(&run("-o csv")).len(), 1501);
    assert_eq!(row_limit(&workspace), Value::Null);
}

#[test]
fn a_pipe_and_a_file_get_all_rows_unless_fewer_are_asked_for() {
    let workspace = Workspace::fresh();
    let statement = "SELECT id FROM range(1500)";
    let ran = workspace.sql("-o table", statement).run().done().silent();
    assert_eq!((ran.text().lines().count(), row_limit(&workspace)), (1501, Value::Null));
    let ran = on_terminal("012", workspace.sql("--out rows.txt", statement)).run().done();
    assert!(ran.text().contains("1,500 rows to rows.txt, "), "{}", ran.text());
    assert_eq!(row_limit(&workspace), Value::Null);
    let ran = workspace.sql("-o csv --max-rows 3", statement).run().done().says(&["limit", "3 rows"]);
    assert_eq!(ran.text(), "id\n0\n1\n2\n");
    let sent = workspace.requests("POST", STATEMENTS).len();
    for refused in ["--max-rows 0", "--max-rows -1", "--max-rows some", "--max-rows 5 --limit 5"] {
        workspace.sql(refused, statement).run().fails(2, &["--max-rows"]);
    }
    assert_eq!(workspace.requests("POST", STATEMENTS).len(), sent);
}

#[test]
fn rows_of_an_earlier_statement_have_the_same_limit() {
    let workspace = Workspace::fresh();
    workspace.sql("-o csv", "SELECT id FROM range(1500)").run().done();
    let get = workspace.requests("POST", STATEMENTS).len();
    let id = workspace.sql("--detach", "SELECT id FROM range(1500)").run().done().json();
    let id = id["statement_id"].as_str().unwrap();
    let wait = |options: &str| workspace.brick(&format!("statements wait {id} {options}"));
    let ran = on_terminal("012", wait("")).run().done();
    assert_eq!(lines(&ran).len(), 1 + 1000 + 2);
    ends_with_footer(&on_terminal("012", wait("--max-rows all")).run().done(), "(1,500 rows, ");
    assert_eq!(wait("-o csv").run().done().text().lines().count(), 1501);
    // What isn't shown is not canceled: the statement has ended.
    assert_eq!(workspace.requests("POST", STATEMENTS).len(), get + 1);
}

const WIDE: &str = "SELECT id, id * 123456789 AS big, timestamp '2016-01-07 13:21:05' AS at, \
    repeat('a long text ', 8) AS text, '日本語のテキスト' AS cjk, 'مرحبا بالعالم' AS arabic, '👩‍💻👩‍💻' AS emoji, \
    1.5 AS fare, id AS last FROM range(40)";

#[test]
fn no_line_is_wider_than_the_terminal() {
    let workspace = Workspace::fresh();
    for columns in [40, 80, 200] {
        let ran = on_terminal_of(columns, "012", workspace.sql("", WIDE)).run().done();
        let lines = lines(&ran);
        assert!(lines.iter().all(|line| line.width() < columns), "{lines:?}");
        let (table, footer) = lines.split_at(41);
        let footer = footer.join("\n");
        assert!(table[40].trim_start().starts_with("39 ") && table[40].ends_with(" 39"), "{table:?}");
        let hidden = footer.contains(" of 9 columns; ") && footer.contains("all: -o record, --columns");
        assert_eq!(hidden, table[1].contains("  …  "), "{lines:?}");
        assert!(columns == 200 || hidden, "{lines:?}");
    }
}

#[test]
fn what_is_too_wide_and_short_is_shown_in_records() {
    let workspace = Workspace::fresh();
    let statement =
        "SELECT id, id * 123456789012 AS big, timestamp '2016-01-07 13:21:05' AS at FROM range(1, 4)";
    let ran = on_terminal_of(40, "012", workspace.sql("", statement)).run().done();
    let shown = lines(&ran);
    assert_eq!(shown[..2], ["id   1", "big  123456789012"]);
    assert_eq!((shown.len(), shown[3].as_str()), (3 * 4, ""));
    ends_with_footer(&ran, "(3 rows, ");
    // The same in a table where there is room, and as a table in a pipe.
    let ran = on_terminal_of(80, "012", workspace.sql("", statement)).run().done();
    assert_eq!(lines(&ran).len(), 1 + 3 + 1);
}

#[test]
fn names_and_cells_stay_on_their_line() {
    let workspace = Workspace::fresh();
    let statement = "SELECT 1 AS `a\nb`, concat('x', chr(9), 'y', chr(10), 'z') AS c, \
        concat(chr(27), ']0;title', chr(7), chr(27), '[2J') AS d FROM range(2)";
    let ran = on_terminal_of(100, "012", workspace.sql("", statement)).run().done();
    let row = r"   1  x\ty\nz  \u001b]0;title\u0007\u001b[2J";
    assert_eq!(lines(&ran)[..3], [r"a\nb  c        d", row, row]);
}

/// A list with a name that drives the terminal.
fn hostile_clusters() -> Server {
    let name = "\x1b]0;title\x07\x1b[2J\u{202e}日本\nnext";
    let cluster = json!({ "cluster_id": "0123-456789-abcdefgh", "cluster_name": name, "state": "RUNNING",
        "creator_user_name": "someone@example.com", "num_workers": 12, "spark_version": "17.3.x-scala2.13" });
    Server::routing(move |_, _| Some(json!({ "clusters": [cluster] }).to_string()))
}

#[test]
fn a_moment_is_a_date_on_a_terminal_and_milliseconds_in_a_pipe() {
    let run = json!({ "run_id": 11, "job_id": 7, "start_time": 1_764_172_085_123_u64, "end_time": 0 });
    let server = Server::routing(move |_, _| Some(json!({ "runs": [run] }).to_string()));
    let list = "jobs runs -o table --columns id,started,ENDED";
    let ran = on_terminal("012", server.brick(list)).run().done();
    assert_eq!(lines(&ran), ["ID  STARTED               ENDED", "11  2025-11-26T15:48:05Z"]);
    let ran = server.brick(list).run().done();
    assert!(ran.text().contains("STARTED (MS)") && ran.text().contains("1764172085123"), "{}", ran.text());
}

#[test]
fn a_list_keeps_its_ids_whole_and_says_what_is_hidden() {
    let server = hostile_clusters();
    let list = |columns| {
        let ran = on_terminal_of(columns, "012", server.brick("clusters list")).run().done();
        assert!(!ran.text().contains("\x1b[2J") && !ran.text().contains("\x1b]"), "{:?}", ran.text());
        lines(&ran)
    };
    for columns in [40, 50, 80] {
        let lines = list(columns);
        assert!(lines[1].starts_with("0123-456789-abcdefgh  ") && lines[1].contains(r"\u001b"), "{lines:?}");
        assert!(lines[..2].iter().all(|line| line.chars().count() < columns), "{lines:?}");
        assert!(lines[2].ends_with(" of 7 columns; all: -o record, --columns)"), "{lines:?}");
        assert_eq!(lines[0].contains("STATE"), columns > 40, "{lines:?}");
    }
    let wide = list(200);
    assert!(
        wide.len() == 2 && wide[1].contains(r"\u001b]0;title\u0007\u001b[2J\u202e日本\nnext"),
        "{wide:?}"
    );
}

#[test]
fn null_is_told_from_the_text_null_on_a_terminal() {
    let workspace = Workspace::fresh();
    let statement =
        "SELECT CAST(NULL AS STRING) AS a, 'NULL' AS b, concat(chr(39), 'NULL', chr(39)) AS c FROM range(2)";
    let ran = on_terminal("012", workspace.sql("", statement)).run().done();
    assert_eq!(lines(&ran)[1], "NULL  'NULL'  ''NULL''");
    assert!(ran.text().contains("\x1b[2mNULL\x1b[0m  'NULL'"), "{:?}", ran.text());
    let ran = on_terminal("012", workspace.sql("-o record", statement)).run().done();
    assert_eq!(lines(&ran)[..3], ["a  NULL", "b  'NULL'", "c  ''NULL''"]);
    let ran = on_terminal("012", workspace.sql("--null -", statement)).run().done();
    assert_eq!(lines(&ran)[1], "-  NULL  'NULL'");
}

#[test]
fn null_has_the_text_that_is_asked_for() {
    let workspace = Workspace::fresh();
    let statement = "SELECT CAST(NULL AS STRING) AS a, '-' AS b, '' AS c";
    for (options, expected) in [
        ("-o csv --null -", "a,b,c\n-,\"-\",\"\"\n"),
        ("-o csv --null=", "a,b,c\n,-,\"\"\n"),
        ("-o table --null x", "a  b  c\nx  -\n"),
        ("-o record --null x", "a  x\nb  -\nc\n"),
    ] {
        assert_eq!(workspace.sql(options, statement).run().done().silent().text(), expected, "{options}");
    }
    let one = workspace.sql("-o csv --null -", "SELECT CAST(NULL AS STRING) AS a").run().done();
    assert_eq!(one.text(), "a\n-\n");
    let sent = workspace.requests("POST", STATEMENTS).len();
    for options in ["", "-o json", "-o jsonl", "-o arrow", "--out rows.json"] {
        let ran = workspace.sql(&format!("{options} --null -"), "SELECT 1").run();
        ran.fails(2, &["--null", "add -o csv"]);
    }
    assert_eq!(workspace.requests("POST", STATEMENTS).len(), sent);
    let list = workspace.brick("warehouses list -o csv --null -").run().done();
    assert!(!list.text().contains(",,"), "{}", list.text());
}

/// Counts its lines.
const COUNTING: &str = "echo \"paged $(($(wc -l))) lines, LESS=$LESS\"";

fn paged(brick: Brick, script: &str) -> Brick {
    let brick = brick.file("pager.sh", script);
    on_terminal("012", brick).env("BRICK_PAGER", "sh pager.sh")
}

#[test]
fn what_is_longer_than_the_screen_is_paged() {
    let workspace = Workspace::fresh();
    let paged = |line: &str, statement: &str| {
        let brick = workspace.brick(line);
        let brick = if statement.is_empty() { brick } else { brick.arg(statement) };
        lines(&paged(brick, COUNTING).run().done())
    };
    assert_eq!(paged("sql", "SELECT id FROM range(22)"), ["paged 24 lines, LESS=FRSX"]);
    assert_eq!(paged("sql", "SELECT id FROM range(3000)"), ["paged 1003 lines, LESS=FRSX"]);
    assert_eq!(paged("sql --max-rows all", "SELECT id FROM range(3000)"), ["paged 3003 lines, LESS=FRSX"]);
    assert_eq!(paged("sql -o record -q", "SELECT id FROM range(30)"), ["paged 59 lines, LESS=FRSX"]);
    // Fields of a resource, and a value that the terminal breaks over lines.
    assert!(paged("clusters get shared-analytics -o record", "")[0].starts_with("paged "));
    assert_eq!(paged("sql -q", "SELECT repeat('x', 1500) AS x"), ["paged 1 lines, LESS=FRSX"]);
    for (line, count) in [
        ("sql", 1 + 21 + 1),
        ("sql --no-pager", 1 + 30 + 1),
        ("sql -o csv", 1 + 30),
        ("sql -o json", 1 + 30 + 1),
    ] {
        let rows = if line == "sql" { 21 } else { 30 };
        assert_eq!(paged(line, &format!("SELECT id FROM range({rows})")).len(), count, "{line}");
    }
    let ran = workspace.sql("-o table", "SELECT id FROM range(100)").env("PAGER", "false").run().done();
    assert_eq!(ran.text().lines().count(), 101);
}

#[test]
fn the_environment_names_the_pager() {
    let workspace = Workspace::fresh();
    let run = |variables: &[(&str, &str)]| {
        let brick = on_terminal("012", workspace.sql("", "SELECT id FROM range(30)"));
        lines(&variables.iter().fold(brick, |brick, (name, value)| brick.env(name, value)).run().done())
    };
    assert_eq!(run(&[("PAGER", "tail -n 1")]).len(), 1);
    assert_eq!(run(&[("PAGER", "tail -n 1 | wc -l")]), ["1"]);
    for (name, value) in [("BRICK_PAGER", ""), ("BRICK_PAGER", "cat"), ("TERM", "dumb")] {
        assert_eq!(run(&[("PAGER", "tail -n 1"), (name, value)]).len(), 32, "{name}={value}");
    }
    // A pager that isn't there costs no rows, or at least not the exit code.
    let shown = run(&[("PAGER", "no-such-pager")]);
    assert!(
        shown.len() == 33 && shown[0].starts_with("warning: cannot start the pager no-such-pager"),
        "{shown:?}"
    );
    let ran = on_terminal("01", workspace.sql("", "SELECT id FROM range(30)"));
    ran.env("PAGER", "no-such-pager 2>/dev/null").run().exits(3, &["pager", "hint: use --no-pager"]);
}

#[test]
fn a_pager_that_ends_early_is_no_failure() {
    let workspace = Workspace::fresh();
    // More than a pipe holds.
    let statement = "SELECT id, repeat('x', 40) AS x FROM range(20000)";
    for script in ["head -n 1", "head -n 1; exit 1", "exec true"] {
        let brick = workspace.sql("--max-rows all", statement);
        let ran = paged(brick, script).run().done();
        assert!(lines(&ran).len() <= 1, "{script}: {:?}", ran.text());
    }
}

#[test]
fn ctrl_c_is_the_pagers_while_it_runs() {
    let workspace = Workspace::fresh();
    let script = "cat >/dev/null\ntrap 'echo caught; exit 0' INT\necho ready >&2\nread line </dev/tty\n";
    let brick = workspace.sql("", "SELECT id FROM range(100)").file("pager.sh", script);
    let running = on_terminal("01", brick).env("BRICK_PAGER", "sh pager.sh").start().until_said("ready");
    running.signal("INT");
    let ran = running.end().done();
    assert_eq!(lines(&ran).last().map(|line| line.trim_start_matches("^C")), Some("caught"));
    assert!(!ran.stderr.contains("interrupted"), "{}", ran.stderr);
}
