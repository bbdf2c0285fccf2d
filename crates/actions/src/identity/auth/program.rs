//! Runs another program that hands out tokens: without a shell, with a deadline, with no secret among its arguments.

use std::{ffi::OsStr, path::Path, process::Stdio, time::Duration};

use crate::{Environment, Error, ErrorKind, Result};

/// A login that has to be renewed over the network takes seconds; more is a program that waits for a person.
const DEADLINE: Duration = Duration::from_secs(30);

/// What it printed, if it ended well.
pub(crate) struct Output {
    pub(crate) stdout: Vec<u8>,
}

/// Runs `program` with exactly the variables of `environment`.
///
/// `name` is how the error calls it. Its standard error goes into the error, never its standard output.
pub(crate) async fn run<A: AsRef<OsStr>>(
    name: &str,
    program: &Path,
    arguments: &[A],
    environment: &Environment,
) -> Result<Output> {
    let child = tokio::process::Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment.variables())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => not_found(name, program),
            _ => Error::new(ErrorKind::Local, format!("{name} can't be started: {}", program.display()))
                .with_source(e),
        })?;
    // Dropped at the deadline, and killed with it.
    let output = tokio::time::timeout(DEADLINE, child.wait_with_output())
        .await
        .map_err(|_| {
            Error::new(ErrorKind::DeadlineExceeded, format!("{name} gave no token within {DEADLINE:?}"))
                .with_hint("run it by hand: it may be waiting for an answer")
        })?
        .map_err(|e| Error::new(ErrorKind::Local, format!("{name} can't be waited for")).with_source(e))?;
    if output.status.success() {
        return Ok(Output { stdout: output.stdout });
    }
    let said: String = String::from_utf8_lossy(&output.stderr)
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(500)
        .collect();
    Err(Error::new(ErrorKind::Unauthenticated, format!("{name} gave no token ({}): {said}", output.status)))
}

pub(crate) fn not_found(name: &str, program: &Path) -> Error {
    Error::configuration(format!("{name} not found: {}", program.display()))
}

#[cfg(test)]
pub(super) mod tests {
    /// Held by whoever writes and runs a program: a file still open for writing in one thread can't be run by another.
    pub(crate) static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

    #[cfg(unix)]
    #[tokio::test(start_paused = true)]
    async fn a_program_that_waits_for_a_person_is_ended() {
        use super::*;
        let _alone = ALONE.lock().await;
        let dir = tempfile::tempdir().unwrap();
        // Ends by itself only when nobody holds the other end of the pipe any more.
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let environment = Environment::new([("PATH", "/usr/bin:/bin")]);
        let error = run("sleeper", Path::new("/bin/cat"), &[&pipe], &environment).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
        assert!(error.to_string().contains("sleeper gave no token within 30s"), "{error}");

        tokio::time::resume();
        let error = run("nothing", &dir.path().join("nothing"), &["x"], &environment).await.err().unwrap();
        assert!(error.to_string().starts_with("nothing not found"), "{error}");
        let error = run("failing", Path::new("/bin/sh"), &["-c", "echo why >&2; exit 3"], &environment).await;
        let error = error.err().unwrap();
        assert!(error.to_string().ends_with("(exit status: 3): why"), "{error}");
    }
}
