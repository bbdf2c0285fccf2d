//! `brick sandbox --detach` and `--stop`.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    program::Brick,
    sandbox_command::{is_served, variables},
};

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
    stop("http://127.0.0.1:1").says(&["no sandbox runs in the background at 127.0.0.1:1", "--all"]);
    assert!(is_served(url));
    let stopped = stop(url).says(&[&format!("stopped {url}")]);
    assert!(stopped.text().lines().any(|line| line == "unset DATABRICKS_TOKEN"), "{}", stopped.text());
    assert!(!is_served(url) && state.files().is_empty());
    stop(url).says(&["no sandbox runs"]);
    assert_eq!(state.brick("sandbox --stop").run().done().text(), "");
}

#[test]
fn only_a_stop_without_a_host_or_of_all_stops_all() {
    let state = State::new();
    let start = || {
        variables(state.brick("sandbox --detach --shell env").run().done().text())["DATABRICKS_HOST"].clone()
    };
    let other = "https://prod.example.com";
    for arguments in ["sandbox --stop", "sandbox --stop --all"] {
        let urls = [start(), start()];
        for host in [other, "http://localhost:9"] {
            let ran = state.brick("sandbox --stop").env("DATABRICKS_HOST", host).run().done();
            assert!(urls.iter().all(|url| is_served(url)) && ran.says(&["--stop --all"]).text().is_empty());
        }
        let brick = state.brick(arguments);
        let ran = if arguments.ends_with("--all") { brick.env("DATABRICKS_HOST", other) } else { brick }
            .run()
            .done();
        for url in urls {
            assert!(!is_served(&url) && ran.stderr.contains(&url), "{}", ran.stderr);
        }
        assert_eq!(ran.text(), "");
    }
    let url = start();
    let host = url.replace("127.0.0.1", "localhost");
    let ran = state.brick("sandbox --stop").env("DATABRICKS_HOST", host).run().done().says(&["stopped"]);
    assert!(!is_served(&url) && ran.text().contains("unset DATABRICKS_HOST"), "{}", ran.text());
}

#[cfg(target_os = "linux")]
#[test]
fn the_background_has_neither_the_streams_nor_the_token_of_the_first_program() {
    let state = State::new();
    let brick = state.brick("sandbox --token dapi-planted --detach");
    // Ends when the sandbox doesn't hold the pipe any more.
    let ran = brick.behind("sh", &["-c", "\"$0\" \"$@\" 9>&1 >exports && cat exports"]).run().done();
    assert_eq!(variables(ran.text())["DATABRICKS_TOKEN"], "dapi-planted");
    let record: Value = serde_json::from_slice(&std::fs::read(state.file("json")).unwrap()).unwrap();
    let line = std::fs::read_to_string(format!("/proc/{}/cmdline", record["pid"])).unwrap();
    assert!(line.contains("--detach") && !line.contains("dapi-planted"), "{line}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_sandbox_whose_exports_cannot_be_printed_is_stopped() {
    let state = State::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    state.brick("sandbox --detach").run_into(full).fails(1, &["stopped the sandbox", "No space left"]);
    assert!(state.files().is_empty(), "{:?}", state.files());
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    let closed = std::os::fd::OwnedFd::from(closed).into();
    state.brick("sandbox --detach").run_into(closed).done().says(&["stopped the sandbox"]);
    assert!(state.files().is_empty(), "{:?}", state.files());
}

#[test]
fn a_sandbox_in_the_background_ends_with_its_time() {
    let state = State::new();
    let ran = state.brick("sandbox --detach --for 50ms").run().done();
    let url = variables(ran.text())["DATABRICKS_HOST"].clone();
    let since = Instant::now();
    while is_served(&url) || !state.files().is_empty() {
        assert!(since.elapsed() < Duration::from_secs(120), "{url} still serves: {:?}", state.files());
        std::thread::sleep(Duration::from_millis(5));
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
        sh.env("BRICK_SANDBOX_TOKEN", "a'$(id)`b`\\").output().unwrap()
    };
    let command = "eval \"$(\"$BRICK\" -q sandbox --detach)\" && printf %s \"$DATABRICKS_TOKEN\" && \
                   eval \"$(\"$BRICK\" -q sandbox --stop)\" && printf %s \"${DATABRICKS_TOKEN-gone}\"";
    let ran = brick(command, state.0.path());
    assert_eq!(String::from_utf8(ran.stderr).unwrap(), "");
    assert_eq!(String::from_utf8(ran.stdout).unwrap(), "a'$(id)`b`\\gone");
}
