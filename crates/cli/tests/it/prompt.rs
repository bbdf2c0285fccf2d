//! The prompt of `brick sql` and `brick run`: several lines, Tab, Ctrl-C, history, and its own commands.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use brickwire_sandbox::seed::RUNNING_WAREHOUSE;
use serde_json::json;

use crate::{
    program::{Brick, Ran},
    terminal::on_terminal,
    workspace::Workspace,
};

const STATEMENTS: &str = "/api/2.0/sql/statements";
const CONVERSATION: &str = include_str!("prompt.py");

/// Runs `brick` on a terminal, and types keys once the words before them are shown.
fn talk(brick: Brick, state: &Path, steps: &[(&str, &str)]) -> Ran {
    let brick = brick.behind("python3", &["-c", CONVERSATION]);
    let brick = brick.env("TERM", "xterm-256color").env("XDG_STATE_HOME", state);
    brick.stdin(json!(steps).to_string()).run()
}

/// The statements that were sent.
fn texts(workspace: &Workspace) -> Vec<String> {
    let sent = workspace.requests("POST", STATEMENTS).into_iter().filter(|sent| sent.path == STATEMENTS);
    sent.map(|sent| sent.body.unwrap()["statement"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn statements_have_several_lines_and_use_is_carried() {
    let workspace = Workspace::fresh();
    let state = tempfile::tempdir().unwrap();
    let steps = [
        ("\\? for help", ""),
        ("sql> ", "SELECT 40 + 2\r"),
        ("  -> ", "AS n;\r"),
        ("42", ""),
        ("sql> ", "USE main.default;\r"),
        ("main.default> ", "SELECT 1 +\r"),
        // Ctrl-C drops what was typed.
        ("           -> ", "\u{3}"),
        ("main.default> ", "SELECT * FROM prompt_missing;\r"),
        ("error: ", ""),
        ("main.default> ", "SELECT 50 + 5\r"),
        // A command leaves the statement as it is.
        ("           -> ", "\\timing\r"),
        ("timing is on", ""),
        ("           -> ", "AS m \\g\r"),
        ("55", ""),
        ("main.default> ", "\\x\r"),
        ("is on", ""),
        ("main.default> ", "SELECT 60 + 6 AS name;\r"),
        ("name  66", ""),
        ("main.default> ", "\\nope\r"),
        ("unknown command: \\nope", ""),
        ("main.default> ", "\\q\r"),
    ];
    let ran = talk(workspace.brick("sql"), state.path(), &steps).exits(0, &[]);
    assert!(ran.text().contains(RUNNING_WAREHOUSE), "{}", ran.text());
    let expected = [
        "SELECT 40 + 2\nAS n",
        "USE main.default",
        "SELECT * FROM prompt_missing",
        "SELECT 50 + 5\nAS m",
        "SELECT 60 + 6 AS name",
    ];
    assert_eq!(texts(&workspace), expected);
    let last = workspace.requests("POST", STATEMENTS).pop().unwrap().body.unwrap();
    assert_eq!((&last["catalog"], &last["schema"]), (&json!("main"), &json!("default")));
}

#[test]
fn names_are_completed_without_sql() {
    let workspace = Workspace::fresh();
    let state = tempfile::tempdir().unwrap();
    let steps = [
        ("sql> ", "sel\t"),
        ("select", " 40 * 100 + 242 + 0 * count(*) AS n FROM samples.nyc\t"),
        ("nyctaxi", ".tri\t"),
        ("trips", ";\r"),
        ("4242", ""),
        ("sql> ", "\u{4}"),
    ];
    talk(workspace.brick("sql"), state.path(), &steps).exits(0, &[]);
    assert_eq!(texts(&workspace), ["select 40 * 100 + 242 + 0 * count(*) AS n FROM samples.nyctaxi.trips"]);
    assert_eq!(
        workspace.requests("GET", "/api/2.1/unity-catalog/catalogs").len(),
        1,
        "names are kept for a while"
    );
}

#[test]
fn ctrl_c_cancels_what_runs_and_the_prompt_comes_back() {
    let workspace = Workspace::with_endless_statements();
    let state = tempfile::tempdir().unwrap();
    let steps = [
        ("sql> ", "SELECT 1;\r"),
        ("statement 01ef", "\u{3}"),
        ("canceled", ""),
        ("sql> ", "\\timing\r"),
        ("timing is on", ""),
        ("sql> ", "\\q\r"),
    ];
    talk(workspace.brick("sql"), state.path(), &steps).exits(0, &[]);
    let posts = workspace.requests("POST", STATEMENTS);
    let cancels = posts.iter().filter(|sent| sent.path.ends_with("/cancel")).count();
    assert_eq!((posts.len(), cancels), (2, 1));
}

#[test]
fn the_history_is_private_and_holds_no_secret() {
    let workspace = Workspace::fresh();
    let state = tempfile::tempdir().unwrap();
    let steps = [
        ("sql> ", "SELECT 40 +\r"),
        ("  -> ", "2 AS kept;\r"),
        ("42", ""),
        ("sql> ", "SELECT 'PassWord hush' || 40 + 2;\r"),
        ("sql> ", "  SELECT 30 + 3 AS blank;\r"),
        ("33", ""),
        ("sql> ", "\\q\r"),
    ];
    talk(workspace.brick("sql"), state.path(), &steps).exits(0, &[]);
    let path = state.path().join("brickwire/sql_history");
    let kept = fs::read_to_string(&path).unwrap();
    assert!(kept.contains("kept") && !kept.contains("hush") && !kept.contains("blank"), "{kept}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // What was typed comes back, and nothing is written if that is not wanted.
    let steps = [
        ("sql> ", "\u{1b}[A\u{1b}[A\r"),
        ("42", ""),
        ("sql> ", "SELECT 50 + 5 AS more;\r"),
        ("55", ""),
        ("sql> ", "\\q\r"),
    ];
    talk(workspace.brick("sql"), state.path(), &steps).exits(0, &[]);
    let other = tempfile::tempdir().unwrap();
    let steps = [("sql> ", "SELECT 50 + 5 AS more;\r"), ("55", ""), ("sql> ", "\\q\r")];
    talk(workspace.brick("sql").env("BRICK_HISTORY", "off"), other.path(), &steps).exits(0, &[]);
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
}

#[test]
fn results_go_to_files_and_scripts_come_from_them() {
    let workspace = Workspace::fresh();
    let state = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (out, script) = (folder.path().join("out.csv"), folder.path().join("a.sql"));
    fs::write(&script, "SELECT 1 AS a;\n\nSELECT * FROM prompt_missing;\nSELECT 3").unwrap();
    let edit = folder.path().join("edit.sh");
    fs::write(&edit, "#!/bin/sh\necho 'SELECT 70 + 7 AS edited;' > \"$1\"\n").unwrap();
    fs::set_permissions(&edit, fs::Permissions::from_mode(0o755)).unwrap();
    let (to, from) = (format!("\\o {}\r", out.display()), format!("\\i {}\r", script.display()));
    let steps = [
        ("sql> ", to.as_str()),
        ("the next result goes to", ""),
        ("sql> ", "SELECT 40 + 2 AS n;\r"),
        ("sql> ", from.as_str()),
        ("statement 2 of 3 failed (", ""),
        ("a.sql:3)", ""),
        ("sql> ", "\\d samples.nyctaxi.trips\r"),
        ("fare_amount", ""),
        ("sql> ", "\\d t; DROP TABLE t\r"),
        ("not the name of a table", ""),
        ("sql> ", "\\e\r"),
        ("77", ""),
        ("sql> ", "\\w nope\r"),
        ("error: ", ""),
        ("sql> ", "\\q\r"),
    ];
    let ran = talk(workspace.brick("sql").env("EDITOR", &edit), state.path(), &steps).exits(0, &[]);
    assert_eq!(fs::read_to_string(&out).unwrap().replace("\r\n", "\n"), "n\n42\n");
    let texts = texts(&workspace);
    assert!(
        !texts.contains(&"SELECT 3".to_owned()) && texts.iter().all(|text| !text.contains("DROP")),
        "{texts:?}"
    );
    assert!(!ran.printed().contains(&workspace.token));
}

#[test]
fn code_shares_one_context_that_is_destroyed_at_the_end() {
    let workspace = Workspace::fresh();
    let state = tempfile::tempdir().unwrap();
    let steps = [
        ("python> ", "def f(x):\r"),
        ("     -> ", "    return x + 2\r"),
        ("     -> ", "\r"),
        ("python> ", "print(f(40))\r"),
        ("42", ""),
        ("python> ", "1/0\r"),
        ("ZeroDivisionError", ""),
        ("python> ", "\u{4}"),
    ];
    talk(workspace.brick("run -c shared-analytics"), state.path(), &steps).exits(0, &[]);
    assert_eq!(workspace.requests("POST", "/api/1.2/contexts/create").len(), 1);
    assert_eq!(workspace.requests("POST", "/api/1.2/contexts/destroy").len(), 1);
    assert_eq!(workspace.requests("POST", "/api/1.2/commands/execute").len(), 3);
}

#[test]
fn a_terminal_without_a_cursor_has_no_prompt() {
    let workspace = Workspace::fresh();
    let ran = on_terminal("012", workspace.brick("sql")).env("TERM", "dumb").run().exits(2, &[]);
    assert!(
        ran.text().contains("TERM is dumb") && ran.text().contains("hint: pass the text"),
        "{}",
        ran.text()
    );
    // What isn't for people is no prompt.
    for arguments in ["sql -o csv", "sql --detach", "sql --dry-run"] {
        let ran = on_terminal("012", workspace.brick(arguments)).run().exits(2, &[]);
        assert!(ran.text().contains("no statement given"), "{}", ran.text());
    }
    assert!(workspace.requests("", "").is_empty());
}
