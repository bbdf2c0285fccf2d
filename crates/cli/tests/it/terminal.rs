//! `brick` on a terminal: tables, the line that is written over, colours, Ctrl-C as it is typed.

use std::time::{Duration, Instant};

use brickwire_sandbox::{
    Delays, Sandbox,
    seed::{RUNNING_CLUSTER, RUNNING_WAREHOUSE, TERMINATED_CLUSTER},
};

use crate::{program::Brick, workspace::Workspace};

const TERMINAL: &str = include_str!("terminal.py");

/// Narrow, so that a line that is too long for it shows.
const COLUMNS: usize = 60;

/// Runs `brick` on a terminal without a pager; `streams` says which of 0, 1 and 2 are it. A warehouse is configured, so no
/// line says which one is the default.
pub(crate) fn on_terminal(streams: &str, brick: Brick) -> Brick {
    on_terminal_of(COLUMNS, streams, brick)
}

/// The same on a terminal of this width. It has 24 lines.
pub(crate) fn on_terminal_of(columns: usize, streams: &str, brick: Brick) -> Brick {
    let arguments = ["-c", TERMINAL, streams, &columns.to_string()];
    let brick = brick.behind("python3", &arguments).env("TERM", "xterm-256color").env("PAGER", "");
    brick.env("DATABRICKS_WAREHOUSE_ID", RUNNING_WAREHOUSE)
}

/// What is to be seen after all that was sent, without the blank end of each line.
#[derive(Default)]
pub(crate) struct Screen {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
    cursor_hidden: bool,
    /// How often something that stood there was erased.
    erased: usize,
}

impl Screen {
    /// As a terminal shows it; knows the controls that are used, and fails for any other.
    pub(crate) fn showing(sent: &str) -> Self {
        let mut screen = Self::default();
        let mut rest = sent.chars();
        while let Some(character) = rest.next() {
            match character {
                '\r' => screen.column = 0,
                '\n' => screen.row += 1,
                '\x1b' => {
                    assert_eq!(rest.next(), Some('['), "{sent:?}");
                    let parameters: String = rest.clone().take_while(|c| !c.is_ascii_alphabetic()).collect();
                    let command = rest.nth(parameters.len()).unwrap();
                    screen.control(&parameters, command);
                }
                shown => screen.put(shown),
            }
        }
        screen
    }

    fn control(&mut self, parameters: &str, command: char) {
        let count = parameters.parse().unwrap_or(1);
        match command {
            'm' => {}
            'A' => self.row = self.row.saturating_sub(count),
            'B' => self.row += count,
            'K' => {
                let kept = if parameters == "2" { 0 } else { self.column };
                let line = self.line();
                let erased = line.len() > kept;
                line.truncate(kept);
                self.erased += usize::from(erased);
            }
            // All below.
            'J' => {
                let (row, kept) = (self.row, self.column);
                self.line().truncate(kept);
                self.lines.truncate(row + 1);
            }
            'h' | 'l' if parameters == "?25" => self.cursor_hidden = command == 'l',
            other => panic!("an unknown control: {parameters}{other}"),
        }
    }

    fn line(&mut self) -> &mut Vec<char> {
        let row = self.row;
        self.lines.resize(self.lines.len().max(row + 1), Vec::new());
        &mut self.lines[row]
    }

    fn put(&mut self, shown: char) {
        if self.column == COLUMNS {
            (self.row, self.column) = (self.row + 1, 0);
        }
        let column = self.column;
        let line = self.line();
        line.resize(line.len().max(column + 1), ' ');
        line[column] = shown;
        self.column += 1;
    }

    pub(crate) fn text(&self) -> Vec<String> {
        let mut lines: Vec<_> =
            self.lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned()).collect();
        lines.truncate(lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1));
        lines
    }

    /// Asserts that the shell's prompt comes where it belongs: at the beginning of the line below, with a cursor.
    #[track_caller]
    fn is_left_clean(&self) {
        assert_eq!((self.row, self.column), (self.text().len(), 0), "{:?}", self.text());
        assert!(!self.cursor_hidden);
    }
}

/// Colours and the like; what moves the cursor is something else.
fn is_coloured(text: &str) -> bool {
    text.split("\x1b[")
        .skip(1)
        .any(|rest| rest.trim_start_matches(|c: char| !c.is_alphabetic()).starts_with('m'))
}

/// Contexts in it take ten seconds of its own clock.
fn with_slow_contexts() -> Workspace {
    let mut delays = Delays::NONE;
    delays.context = Duration::from_secs(10);
    Workspace::alone(Sandbox::builder().with_delays(delays))
}

/// Waits until the program has looked again: then it has shown what it saw before. Gives the id that it asked for.
fn until_looked_twice(workspace: &Workspace, path: &str, id: &str) -> String {
    let started = Instant::now();
    loop {
        let looks = workspace.requests("GET", path);
        if let [first, _, ..] = &looks[..] {
            let mut pairs =
                first.query.as_deref().unwrap().split('&').filter_map(|pair| pair.split_once('='));
            return pairs.find(|(name, _)| *name == id).unwrap().1.to_owned();
        }
        assert!(started.elapsed() < Duration::from_secs(120), "no second GET {path}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn rows_are_a_table_on_a_terminal_and_null_is_told_from_empty() {
    let workspace = Workspace::fresh();
    let statement = "SELECT 1 AS n, CAST(NULL AS STRING) AS nothing, '' AS empty, 'x' AS last";
    let ran = on_terminal("012", workspace.sql("", statement)).run().done();
    let screen = Screen::showing(ran.text());
    assert_eq!(screen.text()[..2], ["n  nothing  empty  last", "1  NULL            x"]);
    assert!(screen.text()[2].starts_with("(1 row, "), "{:?}", screen.text());
    screen.is_left_clean();
    let ran = on_terminal("012", workspace.brick("clusters list")).run().done();
    let lines = Screen::showing(ran.text()).text();
    assert!(
        lines[0].starts_with("ID ") && lines.iter().any(|line| line.contains(RUNNING_CLUSTER)),
        "{lines:?}"
    );
    // Only stdout decides, and what is asked for comes before it.
    let ran = on_terminal("02", workspace.sql("", "SELECT 1 AS n")).run().done();
    assert_eq!(ran.text(), "[\n  {\"n\":1}\n]\n");
    let ran = on_terminal("012", workspace.sql("-o csv", "SELECT 1 AS n")).run().done();
    assert_eq!(Screen::showing(ran.text()).text(), ["n", "1"]);
}

#[test]
fn a_table_is_cut_to_fit_the_terminal() {
    let workspace = Workspace::fresh();
    let statement = "SELECT repeat('word ', 20) AS words, '日本語' AS wide, 7 AS n FROM range(3)";
    let ran = on_terminal("012", workspace.sql("", statement)).run().done();
    let lines = Screen::showing(ran.text()).text();
    assert_eq!(lines.len(), 3 + 3, "{lines:?}");
    assert!(lines[1].ends_with("…  日本語  7"), "{lines:?}");
    // In a pipe and in a file lines are as long as they are.
    let ran = workspace.sql("-o table", statement).run().done();
    assert!(ran.text().lines().all(|line| line.len() > 100), "{}", ran.text());
    assert_eq!(ran.text().lines().count(), 4);
}

#[test]
fn the_line_that_says_what_is_waited_for_is_written_over_and_taken_away() {
    let workspace = with_slow_contexts();
    let running = on_terminal("012", workspace.brick("contexts create -c shared-analytics")).start();
    let id = until_looked_twice(&workspace, "/api/1.2/contexts/status", "contextId");
    workspace.sandbox.clock().advance(Duration::from_secs(10));
    let ran = running.end().done();
    let sent = ran.text();
    assert!(sent.contains(&format!("context {id}")[..30]), "{sent:?}");
    let screen = Screen::showing(sent);
    assert!(screen.erased > 0, "{sent:?}");
    assert_eq!(screen.text(), [format!("id      {id}"), "status  Running".to_owned()]);
    screen.is_left_clean();
}

#[test]
fn many_rows_dont_mix_with_the_line_that_is_written_over() {
    let mut delays = Delays::NONE;
    delays.statement = Duration::from_secs(10);
    let workspace = Workspace::alone(Sandbox::builder().with_delays(delays));
    let running = on_terminal("012", workspace.sql("-o csv", "SELECT id FROM range(3000)")).start();
    workspace.until_requested_after("GET", "/api/2.0/sql/statements", Duration::from_secs(1));
    let ran = running.end().done();
    let screen = Screen::showing(ran.text());
    assert!(screen.erased > 0, "{:?}", &ran.text()[..200]);
    let expected: Vec<_> = ["id".to_owned()].into_iter().chain((0..3000).map(|id| id.to_string())).collect();
    assert_eq!(screen.text(), expected);
    screen.is_left_clean();
}

#[test]
fn data_in_a_pipe_is_clean_while_stderr_is_a_terminal() {
    let workspace = with_slow_contexts();
    let running = on_terminal("02", workspace.brick("contexts create -c shared-analytics -o json")).start();
    until_looked_twice(&workspace, "/api/1.2/contexts/status", "contextId");
    workspace.sandbox.clock().advance(Duration::from_secs(10));
    let ran = running.end().done().says(&["context "]);
    assert_eq!(ran.json()["status"], "Running");
    let screen = Screen::showing(&ran.stderr);
    assert!(screen.erased > 0, "{:?}", ran.stderr);
    assert_eq!(screen.text(), [""; 0]);
    screen.is_left_clean();
}

#[test]
fn without_a_terminal_on_stderr_each_change_is_a_line() {
    for streams in ["01", "0"] {
        let workspace = Workspace::fresh();
        let ran =
            on_terminal(streams, workspace.brick("clusters start").arg(TERMINATED_CLUSTER)).run().done();
        let lines: Vec<_> = ran.stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        for (line, state) in lines.iter().zip(["PENDING", "RUNNING"]) {
            assert!(line.starts_with(&format!("cluster {TERMINATED_CLUSTER} is {state}")), "{lines:?}");
        }
        assert!(!ran.stderr.contains(['\x1b', '\r']), "{:?}", ran.stderr);
    }
}

#[test]
fn ctrl_c_cancels_and_leaves_the_terminal_clean() {
    let workspace = Workspace::fresh();
    let code = "import threading\nthreading.Event().wait()";
    let running = on_terminal("012", workspace.brick("run -c shared-analytics").arg(code)).start();
    let id = until_looked_twice(&workspace, "/api/1.2/commands/status", "commandId");
    running.signal("INT");
    let ran = running.end().exits(130, &[]);
    let screen = Screen::showing(ran.text());
    assert!(screen.erased > 0, "{:?}", ran.text());
    let text = screen.text();
    let [command, context, interrupted] = &text[..] else { panic!("{text:?}") };
    assert_eq!((command, interrupted.as_ref()), (&format!("canceling command {id}"), "interrupted"));
    assert!(context.starts_with("canceling context "), "{text:?}");
    screen.is_left_clean();
    assert_eq!(workspace.requests("POST", "/api/1.2/commands/cancel").len(), 1);
}

#[test]
fn a_change_is_one_line_on_a_terminal_and_all_of_the_resource_elsewhere() {
    let workspace = Workspace::fresh();
    let start = |format: &str| workspace.brick(&format!("clusters start {format}")).arg(TERMINATED_CLUSTER);
    let ran = on_terminal("012", start("")).run().done();
    let screen = Screen::showing(ran.text());
    assert_eq!(screen.text().concat(), format!("nightly-etl ({TERMINATED_CLUSTER}) is RUNNING"));
    screen.is_left_clean();
    let ran = on_terminal("012", start("")).run().done();
    let line = format!("nightly-etl ({TERMINATED_CLUSTER}) was already RUNNING");
    assert_eq!(Screen::showing(ran.text()).text().concat(), line);
    let ran = on_terminal("012", workspace.brick("clusters wait").arg(TERMINATED_CLUSTER)).run().done();
    let line = format!("nightly-etl ({TERMINATED_CLUSTER}) is RUNNING");
    assert_eq!(Screen::showing(ran.text()).text().concat(), line);
    let ran = on_terminal("012", start("-o record")).run().done();
    assert!(Screen::showing(ran.text()).text().len() > 5, "{:?}", ran.text());
    assert_eq!(start("").run().done().json()["state"], "RUNNING");
}

#[test]
fn retries_are_counted_on_one_line_that_is_taken_away() {
    let workspace = Workspace::fresh();
    workspace.fault("GET /api/2.0/preview/scim/v2/Me: times 4 429 retry-after=0");
    let ran = on_terminal("012", workspace.brick("whoami -o csv")).run().done();
    assert!(ran.text().contains("attempt 4 "), "{:?}", ran.text());
    let screen = Screen::showing(ran.text());
    assert!(screen.text().iter().all(|line| !line.contains("attempt")), "{:?}", screen.text());
    screen.is_left_clean();
}

#[test]
fn quiet_draws_nothing() {
    let workspace = with_slow_contexts();
    let running = on_terminal("02", workspace.brick("contexts create -c shared-analytics -q")).start();
    until_looked_twice(&workspace, "/api/1.2/contexts/status", "contextId");
    workspace.sandbox.clock().advance(Duration::from_secs(10));
    running.end().done().silent();
}

#[test]
fn a_terminal_that_knows_no_controls_is_sent_none() {
    let workspace = Workspace::fresh();
    let brick = workspace.brick("clusters start").arg(TERMINATED_CLUSTER);
    let ran = on_terminal("012", brick).env("TERM", "dumb").run().done();
    assert!(!ran.text().contains('\x1b'), "{:?}", ran.text());
    assert!(ran.text().starts_with(&format!("cluster {TERMINATED_CLUSTER} is PENDING")), "{:?}", ran.text());
}

#[test]
fn colours_are_for_terminals_and_obey_the_environment() {
    for (arguments, code) in [("--help", 0), ("clusters list --nope", 2)] {
        let run = |streams: &str, variable: &str| {
            on_terminal(streams, Brick::new(arguments)).env(variable, "1").run().exits(code, &[]).printed()
        };
        assert!(is_coloured(&run("012", "NOTHING")), "{arguments}");
        assert!(!is_coloured(&run("012", "NO_COLOR")), "{arguments}");
        assert!(!is_coloured(&run("0", "NOTHING")), "{arguments}");
        assert!(is_coloured(&run("0", "CLICOLOR_FORCE")), "{arguments}");
    }
}

#[test]
fn headings_states_and_errors_have_colours_on_a_terminal() {
    let workspace = Workspace::fresh();
    let run = |streams: &str, line: &str, variable: &str| {
        on_terminal(streams, workspace.brick(line)).env(variable, "1").run().printed()
    };
    let list = run("012", "clusters list", "NOTHING");
    assert!(list.contains("\x1b[1mID\x1b[0m") && list.contains("\x1b[32mRUNNING\x1b[0m"), "{list:?}");
    let error = run("012", "clusters get nobody", "NOTHING");
    assert!(error.contains("\x1b[91merror:\x1b[0m ") && error.contains("\x1b[36mhint:\x1b[0m "), "{error:?}");
    for line in ["clusters list", "clusters get shared-analytics", "clusters get nobody", "whoami -o json"] {
        // Data in a pipe keeps its bytes, whatever the environment says.
        for (streams, variable) in [("012", "NO_COLOR"), ("0", "NOTHING")] {
            let printed = run(streams, line, variable);
            assert!(printed.len() > 20 && !is_coloured(&printed), "{line}: {printed:?}");
        }
        let never = run("012", &format!("{line} --color never"), "CLICOLOR_FORCE");
        assert!(never.len() > 20 && !is_coloured(&never), "{line}: {never:?}");
    }
    let piped = |options: &str| {
        let brick = on_terminal("0", workspace.brick(&format!("clusters list {options}")));
        brick.env("CLICOLOR_FORCE", "1").run().done().text().to_owned()
    };
    for options in ["", "-o table", "-o record", "-o csv --color always", "-o json --color always"] {
        assert!(!is_coloured(&piped(options)), "{options}");
    }
    assert!(piped("-o table --color always").starts_with("\x1b[1mID "));
}

#[test]
fn no_input_is_waited_for_from_a_keyboard() {
    let workspace = Workspace::fresh();
    let words = ["pass it", "-f", "pipe it in"];
    on_terminal("0", workspace.brick("sql")).run().fails(2, &words);
    on_terminal("0", workspace.brick("run -c shared-analytics")).run().fails(2, &words);
    assert!(workspace.requests("POST", "/").is_empty());
}
