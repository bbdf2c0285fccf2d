//! `brick sandbox -- PROGRAM` and `brick sandbox --detach`.

use std::{
    collections::BTreeMap,
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Brick, Ran};

/// The variables in lines of `export NAME=VALUE` or `NAME=VALUE`.
fn variables(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.trim_start_matches("export ").split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn is_served(url: &str) -> bool {
    TcpStream::connect(url.strip_prefix("http://").unwrap()).is_ok()
}

#[test]
fn a_program_gets_the_environment_and_gives_the_exit_code() {
    let ran = Brick::new("sandbox -- sh -c")
        .arg("env; exit 7")
        .env("DATABRICKS_HOST", "https://prod.example.com")
        .env("DATABRICKS_CLIENT_ID", "id-of-prod")
        .env("DATABRICKS_CLIENT_SECRET", "secret-of-prod")
        .env("DATABRICKS_CONFIG_PROFILE", "prod")
        .env("ARM_CLIENT_SECRET", "secret-of-azure")
        .env("DATABRICKS_CATALOG", "tests")
        .run()
        .exits(7, &[])
        .silent();
    let known = variables(ran.text());
    assert!(known["DATABRICKS_HOST"].starts_with("http://127.0.0.1:"), "{known:?}");
    assert!(known["DATABRICKS_TOKEN"].starts_with("dapi"), "{known:?}");
    assert_eq!(known["DATABRICKS_WAREHOUSE_ID"], brickwire_sandbox::seed::RUNNING_WAREHOUSE);
    assert_eq!(known["DATABRICKS_CLUSTER_ID"], brickwire_sandbox::seed::RUNNING_CLUSTER);
    assert_eq!(known["DATABRICKS_CATALOG"], "tests");
    for gone in
        ["DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET", "DATABRICKS_CONFIG_PROFILE", "ARM_CLIENT_SECRET"]
    {
        assert!(!known.contains_key(gone), "{gone}");
    }
    assert!(!is_served(&known["DATABRICKS_HOST"]) && !Path::new(&known["DATABRICKS_CONFIG_FILE"]).exists());
}

#[test]
fn a_program_reaches_the_workspace_and_no_other_profile() {
    let brick = env!("CARGO_BIN_EXE_brick");
    let profiles = "[prod]\nhost = https://prod.example.com\ntoken = dapi-of-prod\n";
    let sandbox = |command: &str| {
        let brick =
            Brick::new("sandbox --").arg(brick).args(command).env("DATABRICKS_CONFIG_PROFILE", "prod");
        brick.file(".databrickscfg", profiles)
    };
    let ran = sandbox("sql -o csv").arg("SELECT 6 * 7 AS n").run().done();
    assert_eq!(ran.text().replace("\r\n", "\n"), "n\n42\n");
    sandbox("-p DEFAULT whoami").run().done();
    sandbox("-p prod whoami").run().fails(3, &["prod"]);
}

#[test]
fn a_program_has_the_streams_of_brick() {
    let ran = Brick::new("sandbox -- sh -c").arg("cat; echo said >&2").stdin("typed").run().done();
    assert_eq!((ran.text(), ran.stderr.as_str()), ("typed", "said\n"));
}

#[test]
fn a_program_that_cannot_run_has_the_exit_code_of_a_shell() {
    Brick::new("sandbox -- no-such-program")
        .run()
        .fails(127, &["program not found: no-such-program", "PATH"]);
    Brick::new("sandbox -- ./data").file("data", "x").run().fails(126, &["cannot run ./data"]);
    let error = Brick::new("sandbox -o json -- no-such-program").run().fails(127, &[]).json_error();
    assert_eq!((&error["kind"], &error["exit_code"]), (&"local".into(), &127.into()));
    // The sandbox's own trouble has brick's exit codes, and no program is started.
    Brick::new("sandbox --token-file none -- sh -c").arg("echo ran").run().fails(3, &["cannot read none"]);
}

#[test]
fn the_signal_that_ends_a_program_is_in_the_exit_code() {
    Brick::new("sandbox -- sh -c").arg("kill -KILL $$").run().fails(137, &[]);
}

/// A program that waits for a signal, and ends by its own choice.
const WAITS: &str = "trap 'kill $!; echo got; exit 5' TERM INT HUP; sleep 30 & echo ready >&2; wait";

#[test]
fn signals_are_passed_on_and_the_program_decides() {
    for signal in ["TERM", "HUP"] {
        let running = Brick::new("sandbox -- sh -c").arg(WAITS).start().until_said("ready");
        running.signal(signal);
        assert_eq!(running.end().exits(5, &[]).text(), "got\n", "{signal}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_is_passed_on_where_no_terminal_does_it() {
    let running = Brick::new("sandbox -- sh -c").arg(WAITS).behind("setsid", &[]).start().until_said("ready");
    running.signal("INT");
    assert_eq!(running.end().exits(5, &[]).text(), "got\n");
}

/// The folder in which sandboxes in the background are known. Those that live are stopped when it is dropped.
struct State(TempDir);

impl State {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn brick(&self, arguments: &str) -> Brick {
        Brick::new(arguments).env("XDG_STATE_HOME", self.0.path())
    }

    fn files(&self) -> Vec<std::path::PathBuf> {
        let folder = std::fs::read_dir(self.0.path().join("brickwire/sandboxes")).unwrap();
        folder.map(|entry| entry.unwrap().path()).collect()
    }

    fn file(&self, extension: &str) -> std::path::PathBuf {
        let found =
            self.files().into_iter().find(|path| path.extension().is_some_and(|one| one == extension));
        found.unwrap_or_else(|| panic!("no .{extension} in {:?}", self.files()))
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.brick("sandbox --stop").run();
    }
}

#[test]
fn a_sandbox_in_the_background_serves_until_it_is_stopped() {
    let state = State::new();
    let ran = state.brick("sandbox --detach --for 10m").env("DATABRICKS_CLIENT_SECRET", "s").run();
    let ran = ran.done().says(&["in the background for 10m", "brick sandbox --stop"]);
    assert!(ran.text().lines().any(|line| line == "unset DATABRICKS_CLIENT_SECRET"), "{}", ran.text());
    let known = variables(ran.text());
    let (url, token) = (&known["DATABRICKS_HOST"], &known["DATABRICKS_TOKEN"]);
    let ask = Brick::new("sql -o csv").arg("SELECT 6 * 7 AS n");
    let asked = known.iter().fold(ask, |brick, (name, value)| brick.env(name, value)).run().done();
    assert_eq!(asked.text().replace("\r\n", "\n"), "n\n42\n");

    // The token is nowhere but on stdout.
    assert!(!ran.stderr.contains(token.as_str()));
    for file in state.files() {
        assert!(!std::fs::read_to_string(&file).unwrap().contains(token.as_str()), "{}", file.display());
    }
    let record: Value = serde_json::from_slice(&std::fs::read(state.file("json")).unwrap()).unwrap();
    assert_eq!(record["url"], url.as_str());
    #[cfg(target_os = "linux")]
    {
        let line = std::fs::read_to_string(format!("/proc/{}/cmdline", record["pid"])).unwrap();
        assert!(line.contains("--detach") && !line.contains(token.as_str()), "{line}");
    }

    // Another host's sandbox is not stopped, this one is, and again is no failure.
    let stop = |host: &str| state.brick("sandbox --stop").env("DATABRICKS_HOST", host).run().done();
    stop("http://127.0.0.1:1").says(&["no sandbox runs in the background at http://127.0.0.1:1"]);
    assert!(is_served(url));
    let stopped = stop(url).says(&[&format!("stopped {url}")]);
    assert!(stopped.text().lines().any(|line| line == "unset DATABRICKS_TOKEN"), "{}", stopped.text());
    assert!(!is_served(url) && state.files().is_empty());
    stop(url).says(&["no sandbox runs"]);
    assert_eq!(state.brick("sandbox --stop").run().done().text(), "");
}

#[test]
fn a_stop_without_a_host_stops_all() {
    let state = State::new();
    let start = || {
        variables(state.brick("sandbox --detach --shell env").run().done().text())["DATABRICKS_HOST"].clone()
    };
    let urls = [start(), start()];
    let ran = state.brick("sandbox --stop").env("DATABRICKS_HOST", "https://prod.example.com").run().done();
    for url in urls {
        assert!(!is_served(&url) && ran.stderr.contains(&url), "{}", ran.stderr);
    }
    assert_eq!(ran.text(), "");
}

#[test]
fn a_sandbox_in_the_background_ends_with_its_time() {
    let state = State::new();
    let ran = state.brick("sandbox --detach --for 50ms").run().done();
    let url = variables(ran.text())["DATABRICKS_HOST"].clone();
    let since = Instant::now();
    while is_served(&url) || !state.files().is_empty() {
        assert!(since.elapsed() < Duration::from_secs(20), "{url} still serves: {:?}", state.files());
        std::thread::yield_now();
    }
}

#[test]
fn a_sandbox_that_cannot_start_says_why_and_leaves_nothing() {
    let state = State::new();
    state
        .brick("sandbox --detach --token-file none")
        .run()
        .fails(3, &["cannot run the sandbox", "cannot read none"]);
    assert!(state.files().is_empty());
}

#[test]
fn the_exports_are_one_word_for_the_shell() {
    let state = State::new();
    let brick = |command: &str, home: &Path| {
        let mut sh = std::process::Command::new("sh");
        sh.args(["-c", command]).env_clear().env("XDG_STATE_HOME", home).env("HOME", home);
        sh.env("PATH", std::env::var_os("PATH").unwrap()).env("BRICK", env!("CARGO_BIN_EXE_brick"));
        sh.env("BRICK_SANDBOX_TOKEN", "a'$(touch made)`b`\\").output().unwrap()
    };
    let command = "eval \"$(\"$BRICK\" -q sandbox --detach)\" && printf %s \"$DATABRICKS_TOKEN\" && \
                   eval \"$(\"$BRICK\" -q sandbox --stop)\" && printf %s \"${DATABRICKS_TOKEN-gone}\"";
    let ran = brick(command, state.0.path());
    assert_eq!(String::from_utf8(ran.stdout).unwrap(), "a'$(touch made)`b`\\gone");
    assert_eq!(String::from_utf8(ran.stderr).unwrap(), "");
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let refused = |arguments: &str, words: &[&str]| -> Ran { Brick::new(arguments).run().fails(2, words) };
    refused("sandbox --detach -- sh", &["cannot be used with"]);
    refused("sandbox --stop --detach", &["cannot be used with"]);
    refused("sandbox --stop -- sh", &["cannot be used with"]);
    refused("sandbox --for 1h", &["--detach"]);
    refused("sandbox --detach --for 31d", &["at most 30 days"]);
    refused("sandbox --detach --for 0s", &["greater than zero"]);
    refused("sandbox --detach --shell csh", &["invalid value 'csh'", "fish"]);
}
