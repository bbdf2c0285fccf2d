//! The program: its files, its token, and what it leaves behind.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

pub(crate) fn program(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brickwire-sandbox"));
    command
        .args(arguments)
        .current_dir(home)
        .env("TMPDIR", home.join("tmp"))
        .env_remove("BRICK_SANDBOX_TOKEN");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running program, and the token that it prints.
fn started(mut command: Command) -> (Child, String) {
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut tokens =
        lines.filter_map(|line| line.strip_prefix("export DATABRICKS_TOKEN=").map(str::to_owned));
    let token = tokens.next().expect("it prints a token");
    (child, token)
}

pub(crate) fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("tmp")).unwrap();
    home
}

pub(crate) fn says(output: &Output, status: i32, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{text}");
    for word in words {
        assert!(text.contains(word), "{word}: {text}");
    }
}

/// Whether the tests run with SIGHUP ignored, as `nohup` starts them. Then the program ignores it, too.
#[cfg(unix)]
fn is_hang_up_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1)
}

#[cfg(unix)]
#[test]
fn it_leaves_nothing_behind_when_it_is_asked_to_end() {
    use rustix::process::{Pid, Signal, kill_process};
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        if signal == Signal::HUP && is_hang_up_ignored() {
            println!("SIGHUP is ignored here, so it is not tried");
            continue;
        }
        let home = home();
        let (mut child, _) = started(program(home.path(), &[]));
        let files = || std::fs::read_dir(home.path().join("tmp")).unwrap().count();
        assert_eq!(files(), 1);
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert!(child.wait().unwrap().success(), "{signal:?}");
        assert_eq!(files(), 0, "{signal:?}");
    }
}

#[test]
fn a_token_comes_from_a_file_or_the_environment() {
    let home = home();
    std::fs::write(home.path().join("token"), "dapi-of-file\n").unwrap();
    let (mut child, token) = started(program(home.path(), &["--token-file", "token"]));
    assert_eq!(token, "dapi-of-file");
    child.kill().unwrap();
    child.wait().unwrap();
    let mut command = program(home.path(), &[]);
    command.env("BRICK_SANDBOX_TOKEN", "dapi-of-environment");
    let (mut child, token) = started(command);
    assert_eq!(token, "dapi-of-environment");
    child.kill().unwrap();
    child.wait().unwrap();

    std::fs::write(home.path().join("empty"), "\n").unwrap();
    says(&program(home.path(), &["--token-file", "empty"]).output().unwrap(), 1, &["empty", "visible ASCII"]);
    says(&program(home.path(), &["--token-file", "none"]).output().unwrap(), 1, &["cannot read none"]);
    let both = program(home.path(), &["--token", "a", "--token-file", "token"]).output().unwrap();
    says(&both, 2, &["cannot be used with"]);
}

#[test]
fn a_file_of_faults_is_read_before_anything_starts() {
    let home = home();
    std::fs::write(home.path().join("bad"), "# rules\n\nGET *: 503\nGET *: sometimes 503\n").unwrap();
    let bad = program(home.path(), &["--faults", "bad"]).output().unwrap();
    says(&bad, 2, &["bad, line 4: ", "unknown word `sometimes`", "expected when: every N"]);
    assert!(bad.stdout.is_empty());
    says(&program(home.path(), &["--faults", "none"]).output().unwrap(), 2, &["cannot read none"]);
    says(&program(home.path(), &["--clock-skew", "soon"]).output().unwrap(), 2, &["such as -1h"]);
    std::fs::write(home.path().join("good"), "GET *: 503\n").unwrap();
    let (mut child, _) = started(program(home.path(), &["--faults", "good", "--clock-skew=-1h"]));
    child.kill().unwrap();
    child.wait().unwrap();
}
