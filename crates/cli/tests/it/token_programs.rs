//! Programs that print tokens, `az` and `databricks`, end with `brick`, however it ends.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::program::Brick;

/// The pause between two looks at a program.
const PAUSE: Duration = Duration::from_millis(5);
/// No program takes longer to start or to end.
const LIMIT: Duration = Duration::from_secs(120);

/// Programs that write down their id and then run this script.
fn programs(script: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    // A Databricks CLI of less than a megabyte is an old one, which has no logins.
    let padding = "#".repeat(1 << 20);
    for name in ["az", "databricks"] {
        let path = folder.path().join(name);
        let note = format!("echo $$ > '{0}/id.new'\nmv '{0}/id.new' '{0}/id'", folder.path().display());
        fs::write(&path, format!("#!/bin/sh\n{note}\n{script}\nexit\n{padding}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

fn brick(arguments: &str, kind: &str, programs: &Path) -> Brick {
    let path = std::env::var("PATH").unwrap_or_default();
    Brick::new(arguments)
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("DATABRICKS_HOST", "https://adb-1.1.azuredatabricks.net")
        .env("DATABRICKS_AUTH_TYPE", kind)
}

/// The id of the program, as soon as it runs.
fn id(programs: &Path) -> String {
    let began = Instant::now();
    loop {
        if let Ok(id) = fs::read_to_string(programs.join("id")) {
            return id.trim().to_owned();
        }
        assert!(began.elapsed() < LIMIT, "the program was not started");
        std::thread::sleep(PAUSE);
    }
}

/// Whether a process of this id runs. One that is dead and not yet waited for doesn't.
fn runs(id: &str) -> bool {
    let listed = Command::new("ps").args(["-o", "stat=", "-p", id]).output().unwrap();
    let state = String::from_utf8(listed.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

#[track_caller]
fn ends(id: &str, what: &str) {
    let began = Instant::now();
    while runs(id) {
        if began.elapsed() > LIMIT {
            let _ = Command::new("kill").args(["-9", id]).status();
            panic!("{what}: the program still runs");
        }
        std::thread::sleep(PAUSE);
    }
}

#[test]
fn they_end_with_a_deadline_and_with_any_signal() {
    for kind in ["azure-cli", "databricks-cli"] {
        let programs = programs("exec sleep 7001");
        let ran = brick("clusters wait 0123-456789-abcdefgh --timeout 3s", kind, programs.path()).run();
        ran.fails(9, &[]);
        ends(&id(programs.path()), kind);
        for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
            let programs = self::programs("exec sleep 7001");
            let running = brick("clusters list", kind, programs.path()).with_hang_ups().start();
            let id = id(programs.path());
            running.signal(signal);
            running.end().fails(code, &["interrupted"]);
            ends(&id, &format!("{kind}, {signal}"));
        }
    }
}
