//! `brick sql` into files: what is in them, read by others; and that a file is there whole or not at all.

#[cfg(feature = "arrow")]
mod arrow;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use brickwire_sandbox::{
    Delays, Sandbox,
    seed::{NAMESAKE_WAREHOUSE, RUNNING_WAREHOUSE, STOPPED_WAREHOUSE},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    program::{Brick, PYTHON, Ran},
    workspace::Workspace,
};

const STATEMENTS: &str = "/api/2.0/sql/statements";

/// Wide numbers, NULL and the empty text, a name that comes twice, nested values.
const TYPES: &str = "SELECT big, exact, text, nested, text AS big FROM VALUES \
    (9007199254740993, CAST('12345678901234567890123456789012345.678' AS DECIMAL(38,3)), '', \
     named_struct('x', 9007199254740993, 'list', array('a', NULL))), \
    (-9223372036854775808, CAST(0.1 AS DECIMAL(38,3)), NULL, NULL) AS t(big, exact, text, nested)";

/// Both of these formats, the second where it is built.
const FILES: &[&str] = if cfg!(feature = "arrow") { &["a.csv", "a.parquet"] } else { &["a.csv"] };

/// Where results are written to.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Everything in it, hidden or not.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// Chunks of a few hundred bytes.
fn in_chunks() -> Workspace {
    Workspace::alone(Sandbox::builder().with_delays(Delays::NONE).with_chunk_bytes(500))
}

/// Whether it says in one line which file it has written.
fn is_saved(ran: &Ran, name: &str) -> bool {
    ran.stderr.lines().count() == 1
        && ran.stderr.contains(&format!("/{name}, "))
        && ran.stderr.contains(" to ")
}

fn to(brick: Brick, path: &Path) -> Brick {
    brick.arg("--out").arg(path)
}

/// Fails in this way whether the file is there or not, and leaves the folder as it was.
#[track_caller]
fn fails_without_a_trace(run: impl Fn(&str) -> Brick, code: i32, words: &[&str]) -> Ran {
    let folder = Folder::new();
    for name in FILES {
        to(run(name), &folder.path(name)).run().fails(code, words);
        assert_eq!(folder.names(), [""; 0], "{name}");
    }
    fs::write(folder.path("a.csv"), "old").unwrap();
    let ran = to(run("a.csv"), &folder.path("a.csv")).run().fails(code, words);
    assert_eq!((folder.names(), folder.text("a.csv")), (vec!["a.csv".to_owned()], "old".to_owned()));
    ran
}

/// Reads files with Python's own modules: numbers as they are written, objects as lists of pairs.
fn python_reads(folder: &Folder) -> Value {
    let program = "import csv, json, sys\n\
        read = lambda text: json.loads(text, parse_int=str, parse_float=str, object_pairs_hook=list)\n\
        lines = lambda name: open(name, encoding='utf-8', newline='')\n\
        print(json.dumps({'csv': list(csv.reader(lines('a.csv'), strict=True)),\n\
            'json': read(lines('a.json').read()), 'jsonl': [read(line) for line in lines('a.jsonl')]}))";
    let ran = Command::new(PYTHON).args(["-c", program]).current_dir(folder.0.path()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

#[test]
fn text_files_read_the_same_in_python() {
    let (workspace, folder) = (Workspace::fresh(), Folder::new());
    for name in ["a.csv", "a.json", "a.jsonl"] {
        let ran = to(workspace.sql("", TYPES), &folder.path(name)).run().done();
        assert_eq!(ran.text(), "", "{name}");
        assert!(is_saved(&ran, name), "{}", ran.stderr);
    }
    let big = "9007199254740993";
    let exact = "12345678901234567890123456789012345.678";
    let read = python_reads(&folder);
    // Within a nested value the service writes numbers as texts.
    let nested = format!(r#"{{"x":"{big}","list":["a",null]}}"#);
    assert_eq!(
        read["csv"],
        json!([
            ["big", "exact", "text", "nested", "big_2"],
            [big, exact, "", nested, ""],
            ["-9223372036854775808", "0.100", "", "", ""],
        ])
    );
    let nested = json!([["x", big], ["list", ["a", null]]]);
    let objects = json!([
        [["big", big], ["exact", exact], ["text", ""], ["nested", nested], ["big_2", ""]],
        [
            ["big", "-9223372036854775808"],
            ["exact", "0.100"],
            ["text", null],
            ["nested", null],
            ["big_2", null]
        ],
    ]);
    assert_eq!((&read["json"], &read["jsonl"]), (&objects, &objects));
    // Python's reader takes NULL and the empty text for the same.
    let csv = folder.text("a.csv");
    assert!(
        csv.contains(&format!("{exact},\"\",")) && csv.contains("\n-9223372036854775808,0.100,,,\n"),
        "{csv}"
    );
}

#[test]
fn a_null_alone_on_its_line_is_a_row_for_csv_readers() {
    let workspace = Workspace::fresh();
    let cases = [
        ("SELECT * FROM VALUES (1), (NULL), (3) AS t(x)", "x\n1\n\"\"\n3\n", ["1", "", "3"]),
        (
            "SELECT * FROM VALUES (''), (NULL), ('NULL') AS t(x)",
            "x\n\"\"\nNULL\n\"NULL\"\n",
            ["", "NULL", "NULL"],
        ),
    ];
    for (statement, text, cells) in cases {
        let ran = workspace.sql("-o csv", statement).run().done().silent();
        assert_eq!(ran.text(), text);
        // DictReader skips blank lines, as pandas does.
        let read = "import csv, io, json, sys\n\
            print(json.dumps([row['x'] for row in csv.DictReader(io.StringIO(sys.argv[1]))]))";
        let ran = Command::new(PYTHON).args(["-c", read, text]).output().unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&ran.stdout).unwrap(), json!(cells));
    }
}

#[test]
fn chunks_make_one_file_and_no_rows_still_a_header() {
    let (workspace, folder) = (in_chunks(), Folder::new());
    let ids: Vec<String> = (0..1000).map(|id| id.to_string()).collect();
    for (statement, ids) in [("SELECT id FROM range(1000)", &ids[..]), ("SELECT id FROM range(0)", &[])] {
        for name in ["a.csv", "a.json", "a.jsonl"] {
            // The second time the files are there already.
            let ran = to(workspace.sql("", statement), &folder.path(name)).run().done();
            assert!(is_saved(&ran, name), "{}", ran.stderr);
        }
        let read = python_reads(&folder);
        let objects: Vec<_> = ids.iter().map(|id| json!([["id", id]])).collect();
        let lines: Vec<_> = [&"id".to_owned()].into_iter().chain(ids).map(|cell| json!([cell])).collect();
        assert_eq!((&read["csv"], &read["json"]), (&json!(lines), &json!(objects)));
        assert_eq!(read["jsonl"], read["json"]);
        assert_eq!(folder.names(), ["a.csv", "a.json", "a.jsonl"]);
    }
}

#[test]
fn the_format_is_the_extensions_unless_it_is_given() {
    let (workspace, folder) = (Workspace::fresh(), Folder::new());
    for (options, name, expected) in [
        ("", "a.CSV", "n\n1\n"),
        ("", "a.ndjson", "{\"n\":1}\n"),
        ("", "a.b.txt", "n\n1\n"),
        ("-o jsonl", "b.csv", "{\"n\":1}\n"),
        ("-o csv", "c", "n\n1\n"),
    ] {
        to(workspace.sql(options, "SELECT 1 AS n"), &folder.path(name)).run().done().says(&["1 row to "]);
        assert_eq!(folder.text(name), expected, "{options} {name}");
    }
}

#[test]
fn an_extension_that_names_no_format_is_told_before_the_statement_runs() {
    let (workspace, folder) = (Workspace::fresh(), Folder::new());
    for name in ["a.xlsx", "a.csv.gz", "a"] {
        let ran = to(workspace.sql("", "SELECT 1"), &folder.path(name)).run();
        ran.fails(2, &["names no format", folder.path(name).to_str().unwrap(), "hint: use .csv, ", "-o csv"]);
    }
    assert_eq!(folder.names(), [""; 0]);
    assert!(workspace.requests("POST", STATEMENTS).is_empty());
}

#[cfg(unix)]
#[test]
fn a_file_that_is_replaced_keeps_its_mode_and_the_links_to_it() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let (workspace, folder) = (Workspace::fresh(), Folder::new());
    fs::write(folder.path("private.csv"), "old").unwrap();
    fs::set_permissions(folder.path("private.csv"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("private.csv", folder.path("latest.csv")).unwrap();
    to(workspace.sql("", "SELECT 1 AS n"), &folder.path("latest.csv")).run().done().says(&["/latest.csv, "]);
    assert!(fs::symlink_metadata(folder.path("latest.csv")).unwrap().is_symlink());
    assert_eq!(folder.text("private.csv"), "n\n1\n");
    assert_eq!(fs::metadata(folder.path("private.csv")).unwrap().mode() & 0o777, 0o600);
    assert_eq!(folder.names(), ["latest.csv", "private.csv"]);
    // A new one is as private as any other that this user makes.
    fs::write(folder.path("any"), "").unwrap();
    to(workspace.sql("-q", "SELECT 1 AS n"), &folder.path("new.csv")).run().done().silent();
    let mode = |name: &str| fs::metadata(folder.path(name)).unwrap().mode();
    assert_eq!(mode("new.csv"), mode("any"));
}

#[test]
fn a_statement_that_fails_leaves_no_file() {
    let workspace = Workspace::fresh();
    let (stopped, namesake) = (STOPPED_WAREHOUSE, NAMESAKE_WAREHOUSE);
    let not_started = format!("-w {stopped} --no-start");
    for (options, statement, code, words) in [
        ("", "SELEC 1", 8, &["PARSE_SYNTAX_ERROR", "'SELEC'"][..]),
        ("", "SELECT * FROM nowhere", 8, &["TABLE_OR_VIEW_NOT_FOUND", "`nowhere`"]),
        ("", "SELECT :day", 2, &["no value: day", "hint: ", "-P"]),
        ("-P n:INT=12.5", "SELECT :n", 2, &["parameter n", "INT", "\"12.5\""]),
        ("-P d:DATE=2024-13-01", "SELECT :d", 8, &["CAST_INVALID_INPUT", "'2024-13-01'", "\"DATE\""]),
        ("-w nobody", "SELECT 1", 5, &["\"nobody\"", "hint: there are: ", "Serverless Starter Warehouse"]),
        ("-w 0000000000000000", "SELECT 1", 5, &["0000000000000000 does not exist"]),
        ("-w Reporting", "SELECT 1", 2, &["several", "\"Reporting\"", "use an id", stopped, namesake]),
        (
            &not_started,
            "SELECT 1",
            3,
            &["STOPPED", "--no-start", "hint: start it with `brick warehouses start", stopped],
        ),
    ] {
        fails_without_a_trace(|_| workspace.sql(options, statement), code, words);
    }
    assert!(workspace.requests("POST", "/api/2.0/sql/warehouses").is_empty());
}

#[test]
fn a_chunk_that_stays_wrong_leaves_no_file() {
    for (fault, code, words) in [
        // What the store has is cut short, is no chunk at all, or has fewer rows than announced.
        ("GET /results/*: half", 1, &["chunk"][..]),
        ("GET /results/*: 200 body=garbage", 1, &["the rows are not the"]),
        ("POST /api/2.0/sql/statements: overcount", 1, &["chunk 0 has 1000 rows where 1001 were announced"]),
        ("GET /results/*: 403", 7, &["refuses chunk 0", "HTTP 403", "hint: ", "clock"]),
    ] {
        let workspace = Workspace::fresh();
        workspace.fault(fault);
        let ran = fails_without_a_trace(|_| workspace.sql("", "SELECT id FROM range(1000)"), code, words);
        // A link is a secret.
        assert!(!ran.stderr.contains("X-Amz") && !ran.stderr.contains("/results/"), "{}", ran.stderr);
        if fault.ends_with("403") {
            let asked = workspace.requests("GET", STATEMENTS).len();
            assert_eq!(asked, 3 * (FILES.len() + 1), "links are renewed, and not for ever");
        }
    }
}

#[test]
fn a_later_chunk_that_is_wrong_leaves_no_file() {
    for (fault, code, word) in [
        ("GET /results/*/2: 403", 7, "the store refuses chunk 2 of the result"),
        ("GET /results/*/2: half", 1, "chunk"),
        ("GET /results/*/2: 200 body=[]", 1, "chunk 2"),
    ] {
        let (workspace, folder) = (in_chunks(), Folder::new());
        workspace.fault(fault);
        let ran = to(workspace.sql("", "SELECT id FROM range(1000)"), &folder.path("a.csv")).run();
        ran.fails(code, &[word]);
        assert_eq!(folder.names(), [""; 0], "{fault}");
    }
}

#[test]
fn what_goes_wrong_in_passing_leaves_a_whole_file() {
    let expected = (0..1000).fold("id\n".to_owned(), |all, id| format!("{all}{id}\n"));
    for (fault, told) in [
        ("GET /results/*/0: times 1 truncate", "chunk 0"),
        ("GET /results/*/3: times 1 short", "chunk 3"),
        ("GET /results/*/1: times 1 reset", "chunk 1"),
        ("GET /results/*/0: times 1 403", ""),
        // The link has expired by then, and so have those that were asked for beside it.
        ("GET /results/*/0: times 1 late=20m", ""),
    ] {
        let (workspace, folder) = (in_chunks(), Folder::new());
        workspace.fault(fault);
        let ran = to(workspace.sql("", "SELECT id FROM range(1000)"), &folder.path("a.csv")).run().done();
        let is_told = ran.stderr.lines().count() > 1;
        assert!(ran.stderr.contains(told) && is_told != told.is_empty(), "{}", ran.stderr);
        assert_eq!((folder.names(), folder.text("a.csv")), (vec!["a.csv".to_owned()], expected.clone()));
        let refused = workspace.requests("GET", "/results/").iter().any(|sent| sent.status == Some(403));
        assert_eq!(refused, told.is_empty(), "{fault}");
        assert_eq!(workspace.requests("POST", STATEMENTS).len(), 1, "{fault}");
    }
}

#[test]
fn a_file_that_cant_be_written_is_told_before_the_statement_runs() {
    let (workspace, folder) = (Workspace::fresh(), Folder::new());
    fs::write(folder.path("file"), "old").unwrap();
    fs::create_dir(folder.path("folder.csv")).unwrap();
    let missing = folder.path("missing");
    for (name, words) in [
        ("missing/a.csv", &["no such folder", missing.to_str().unwrap(), "hint: "][..]),
        ("folder.csv", &["this is a folder", "folder.csv"]),
        ("a.csv/", &["this is a folder", "a.csv/"]),
        ("..", &["this is a folder", ".."]),
        // As a folder that may not be written to, but for root as well.
        ("file/a.csv", &["cannot write this file", "file/a.csv"]),
    ] {
        to(workspace.sql("-o csv", "SELECT 1"), &folder.path(name)).run().fails(3, words);
    }
    assert_eq!(
        (folder.names(), folder.text("file")),
        (vec!["file".into(), "folder.csv".into()], "old".into())
    );
    assert_eq!(fs::read_dir(folder.path("folder.csv")).unwrap().count(), 0);
    assert!(workspace.requests("POST", STATEMENTS).is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_a_device_is_never_replaced() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let (workspace, folder) = (Workspace::fresh(), Folder::new());
    // By a link of our own: a program that replaces what it is given would replace that.
    for device in ["full", "null"] {
        symlink(format!("/dev/{device}"), folder.path(device)).unwrap();
    }
    // Less than is held back before it is written, and more.
    let mut runs = vec![("csv", 1), ("json", 1), ("csv", 200_000)];
    if cfg!(feature = "arrow") {
        runs.extend([("arrow", 1), ("parquet", 1), ("arrow", 200_000)]);
    }
    for (format, rows) in runs {
        let run = || workspace.sql(&format!("-o {format}"), &format!("SELECT id FROM range({rows})"));
        let words = ["cannot write the rows", "No space left on device"];
        to(run(), &folder.path("full")).run().fails(1, &words).says(&[folder.path("full").to_str().unwrap()]);
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        run().run_into(full).exits(1, &words).says(&["stdout"]);
    }
    to(workspace.sql("-o csv", "SELECT 1"), &folder.path("null")).run().done().silent();
    assert_eq!(folder.names(), ["full", "null"]);
    for device in ["full", "null"] {
        assert!(fs::symlink_metadata(folder.path(device)).unwrap().is_symlink(), "{device}");
        assert!(fs::metadata(folder.path(device)).unwrap().file_type().is_char_device(), "{device}");
    }
}

#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_on_the_way_leaves_no_file() {
    let (workspace, folder) = (Workspace::fresh(), Folder::new());
    fs::write(folder.path("a.csv"), "old").unwrap();
    for name in FILES {
        // No file grows beyond some kilobytes, which is an error as of a full disk.
        let limited =
            "trap '' XFSZ; ulimit -f 20; exec \"$0\" sql 'SELECT id FROM range(200000)' --out \"$1\"";
        let mut brick = Command::new("sh");
        brick.args(["-c", limited, env!("CARGO_BIN_EXE_brick")]).arg(folder.path(name)).env_clear();
        brick.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder.0.path());
        brick.env("DATABRICKS_HOST", workspace.sandbox.url()).env("DATABRICKS_TOKEN", &workspace.token);
        let ran = brick.output().unwrap();
        let told = String::from_utf8(ran.stderr).unwrap();
        let says = told.starts_with("error: cannot write the rows: File too large ");
        assert!(says && told.ends_with(&format!("/{name}\n")), "{told}");
        assert_eq!((ran.status.code(), ran.stdout), (Some(1), Vec::new()));
        assert_eq!((folder.names(), folder.text("a.csv")), (vec!["a.csv".to_owned()], "old".to_owned()));
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_that_closes_is_no_failure() {
    use std::os::unix::fs::FileTypeExt;
    let (workspace, folder) = (Workspace::fresh(), Folder::new());
    // More than a pipe holds, also when it is packed.
    let statement = "SELECT id, id * id * 2654435761 AS x FROM range(50000)";
    let pipe = folder.path("pipe.csv");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader =
        Command::new("head").args(["-n", "1"]).arg(&pipe).stdout(std::process::Stdio::piped()).spawn();
    to(workspace.sql("", statement), &pipe).run().done().silent();
    assert_eq!(reader.unwrap().wait_with_output().unwrap().stdout, b"id,x\n");
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    assert_eq!(folder.names(), ["pipe.csv"]);
    for format in if cfg!(feature = "arrow") { &["arrow", "parquet"][..] } else { &[] } {
        let ran = workspace.sql(&format!("-o {format}"), statement).run_into_head().done().silent();
        assert!(ran.stdout.starts_with(if *format == "arrow" { b"\xff\xff\xff\xff" } else { b"PAR1" }));
    }
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_no_file_and_no_statement() {
    // While the statement runs.
    let workspace = Workspace::with_endless_statements();
    let folder = Folder::new();
    fs::write(folder.path("a.csv"), "old").unwrap();
    let brick = workspace.sql(&format!("-w {RUNNING_WAREHOUSE}"), "SELECT 1");
    let running = to(brick, &folder.path("a.csv")).start();
    workspace.until_requested("POST", STATEMENTS);
    // The service waits some seconds before it answers a submission; then comes the first poll.
    workspace.until_requested_after("GET", STATEMENTS, Duration::from_secs(1));
    assert_eq!(folder.names().len(), 2, "the file is begun beside the old one");
    running.signal("TERM");
    running.end().fails(143, &["canceling statement", "interrupted"]);
    assert_eq!((folder.names(), folder.text("a.csv")), (vec!["a.csv".to_owned()], "old".to_owned()));
    let sent = workspace.requests("POST", STATEMENTS);
    assert!(sent.len() == 2 && sent[1].path.ends_with("/cancel"), "{sent:?}");

    // While its rows come.
    for name in FILES {
        let (workspace, folder) = (in_chunks(), Folder::new());
        workspace.fault("GET /results/*/3: hang");
        let running = to(workspace.sql("", "SELECT id FROM range(1000)"), &folder.path(name)).start();
        workspace.until_requested("GET", "/results/");
        running.signal("TERM");
        running.end().fails(143, &["interrupted"]);
        assert_eq!(folder.names(), [""; 0], "{name}");
        let sent = workspace.requests("POST", STATEMENTS);
        assert!(sent.len() == 2 && sent[1].path.ends_with("/cancel"), "{sent:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_doesnt_wait_for_a_pipe_that_nobody_reads() {
    use std::io::Read;
    // More than is held back before it is written, and less than the writer is given at a time.
    let chunk = 3 << 19;
    let workspace = Workspace::alone(Sandbox::builder().with_delays(Delays::NONE).with_chunk_bytes(chunk));
    workspace.fault("GET /results/*/1: hang");
    let folder = Folder::new();
    let pipe = folder.path("pipe.csv");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // For both, so that to open it waits for nobody.
    let mut reader = fs::File::options().read(true).write(true).open(&pipe).unwrap();
    let statement = "SELECT id, repeat('x', 1000) AS x FROM range(5000)";
    let running = to(workspace.sql("", statement), &pipe).start();
    // What follows is more than a pipe holds.
    reader.read_exact(&mut [0; 5]).unwrap();
    running.signal("TERM");
    running.end().fails(143, &["interrupted"]);
    assert_eq!(folder.names(), ["pipe.csv"]);
}

#[test]
fn rows_that_came_as_text_are_not_written_as_arrow() {
    let (workspace, folder) = (Workspace::fresh(), Folder::new());
    let ran = workspace.sql("--detach", "SELECT 1 AS n").run().done();
    let wait = format!("statements wait {}", ran.json()["statement_id"].as_str().unwrap());
    for name in ["a.parquet", "a.arrow"] {
        let ran = to(workspace.brick(&wait), &folder.path(name)).run();
        ran.fails(2, &["arrow and parquet", "hint: write csv"]);
    }
    workspace.brick(&wait).args("-o parquet").run().fails(2, &["arrow and parquet"]);
    assert_eq!(folder.names(), [""; 0]);
}
