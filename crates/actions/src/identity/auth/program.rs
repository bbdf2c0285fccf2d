//! Runs another program that prints a token: without a shell, with a deadline, and with no secret among its arguments.

use std::{ffi::OsStr, path::Path, process::Stdio, time::Duration};

use super::token_request::one_line;
use crate::{Environment, Error, ErrorKind, Result};

/// Renewing a login over the network takes seconds; a program that takes longer is waiting for a person.
const DEADLINE: Duration = Duration::from_secs(30);

/// Runs `program` with exactly the variables of `environment`, and returns what it prints.
///
/// Errors call the program `name`; they contain its standard error and never its standard output. `hint` is that of a
/// program that fails.
pub(crate) async fn run<A: AsRef<OsStr>>(
    name: &str,
    program: &Path,
    arguments: &[A],
    environment: &Environment,
    hint: &str,
) -> Result<Vec<u8>> {
    let local = |what: &str| Error::new(ErrorKind::Local, format!("{name} {what}: {}", program.display()));
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
            std::io::ErrorKind::NotFound => {
                local("not found").with_kind(ErrorKind::Configuration).with_hint(hint)
            }
            _ => local("can't be started").with_hint(hint).with_source(e),
        })?;
    // At the deadline the future is dropped, which kills the program.
    let output = tokio::time::timeout(DEADLINE, child.wait_with_output())
        .await
        .map_err(|_| {
            Error::new(ErrorKind::DeadlineExceeded, format!("{name} gave no token within {DEADLINE:?}"))
                .with_hint("run it by hand: it may be waiting for an answer")
        })?
        .map_err(|e| local("can't be waited for").with_source(e))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let message = one_line(&String::from_utf8_lossy(&output.stderr));
    let text = format!("{name} gave no token ({}): {message}", output.status);
    Err(Error::new(ErrorKind::Unauthenticated, text).with_hint(hint))
}

#[cfg(test)]
pub(crate) mod tests {
    /// Held while a test writes and runs a program: a file that one thread has open for writing can't be run by another.
    pub(crate) static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

    #[cfg(unix)]
    #[tokio::test(start_paused = true)]
    async fn a_program_that_waits_for_a_person_is_killed() {
        use super::*;
        let _alone = ALONE.lock().await;
        let dir = tempfile::tempdir().unwrap();
        // A reader of this pipe waits until a writer opens the other end, which never happens.
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let environment = Environment::new([("PATH", "/usr/bin:/bin")]);
        let error = run("sleeper", Path::new("/bin/cat"), &[&pipe], &environment, "").await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
        assert!(error.to_string().contains("sleeper gave no token within 30s"), "{error}");

        tokio::time::resume();
        let error =
            run("nothing", &dir.path().join("nothing"), &["x"], &environment, "").await.err().unwrap();
        assert!(error.to_string().starts_with("nothing not found"), "{error}");
        let error =
            run("failing", Path::new("/bin/sh"), &["-c", "echo why >&2; exit 3"], &environment, "").await;
        let error = error.err().unwrap();
        assert!(error.to_string().ends_with("(exit status: 3): why"), "{error}");
    }
}
