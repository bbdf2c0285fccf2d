//! Runs a packaged `brick` as on a machine that has nothing else: an empty environment, and a `PATH` without Rust.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::place::{Kind, Place};

/// What a run must print.
const QUERY: (&str, &str) = ("SELECT 1", "[\n  {\"1\":1}\n]\n");

/// Runs `brick --version`, and the first query where the program has a sandbox. `path` is all that `PATH` has.
pub(crate) fn try_out(place: &Place, program: &Path, path: &Path) -> Result<()> {
    let home = place.empty("home")?;
    expect(program, &["--version"], &home, path, &format!("brick {}\n", place.version))?;
    if place.kind == Kind::Full {
        let (statement, rows) = QUERY;
        expect(program, &["--sandbox", "sql", statement], &home, path, rows)?;
    }
    Ok(())
}

fn expect(program: &Path, arguments: &[&str], home: &Path, path: &Path, expected: &str) -> Result<()> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", path).env("HOME", home).env("USERPROFILE", home);
    // Without these, no program of Windows can open a socket or a temporary file.
    for name in ["SystemRoot", "TEMP"] {
        if let Some(value) = env::var_os(name) {
            command.env(name, value);
        }
    }
    let line = format!("brick {}", arguments.join(" "));
    let start = Instant::now();
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let elapsed = start.elapsed();
    let printed = String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n");
    ensure!(output.status.success(), "`{line}` ended with {}", output.status);
    ensure!(printed == expected, "`{line}` printed {printed:?}, not {expected:?}");
    report(&line, elapsed);
    Ok(())
}

/// One line for what passed.
pub(crate) fn report(what: &str, elapsed: Duration) {
    eprintln!("  {:6.2} s  {what}", elapsed.as_secs_f64());
}
