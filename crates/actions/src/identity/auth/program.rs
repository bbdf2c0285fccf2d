//! Runs another program that prints a token: without a shell, with a deadline, and with no secret among its arguments.
//!
//! What the program may cost is bounded. It and everything that it has started is ended after 30 seconds, and as soon
//! as it prints more than a token can be. What it leaves running in the background after it has ended is left alone,
//! and not waited for.
//!
//! A token is fetched by a task of its own, which a process that exits doesn't drop. [`end_programs`] is for that exit.

use std::{
    ffi::OsStr,
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
};

use super::token_request::one_line;
use crate::{Environment, Error, ErrorKind, Result, redact};

/// Renewing a login over the network takes seconds; a program that takes longer is waiting for a person.
const DEADLINE: Duration = Duration::from_secs(30);
/// The most that a program may print, in bytes; a token has some thousand.
const MOST: usize = 1 << 20;
/// A program that has ended may have left another one running that holds the pipe. What was printed is in the pipe by
/// then, and is read within this time.
const AFTERMATH: Duration = Duration::from_millis(200);

/// `CREATE_NEW_PROCESS_GROUP`.
#[cfg(windows)]
const NEW_PROCESS_GROUP: u32 = 0x200;

/// The programs that run, for [`end_programs`].
static PROGRAMS: Mutex<Programs> = Mutex::new(Programs { running: Vec::new(), is_closed: false });

struct Programs {
    /// Their ids, which on Unix are those of their process groups, too.
    running: Vec<u32>,
    /// No further program is started.
    is_closed: bool,
}

fn programs() -> MutexGuard<'static, Programs> {
    PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the programs that are being asked for a token, such as `az` and `databricks`, and what they have started. No
/// other one is started after that.
///
/// This is for a program that is about to exit. Dropping a workspace doesn't end them, because a token is fetched for
/// all calls that wait for it, and neither does a runtime that is shut down in the background. Without this they run for
/// up to 30 seconds more.
///
/// ```no_run
/// brickwire_actions::end_programs();
/// std::process::exit(1);
/// ```
pub fn end_programs() {
    let mut programs = programs();
    programs.is_closed = true;
    programs.running.drain(..).for_each(end_group);
}

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
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(environment.variables())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // Ctrl-C is for this program, which ends the other one.
    #[cfg(unix)]
    command.process_group(0);
    #[cfg(windows)]
    command.creation_flags(NEW_PROCESS_GROUP);
    let running = Running::start(&mut command).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => local("not found").with_kind(ErrorKind::Configuration).with_hint(hint),
        _ => local("can't be started").with_hint(hint).with_source(e),
    })?;
    // At the deadline the future is dropped, which ends the program.
    let output = tokio::time::timeout(DEADLINE, output(running)).await.map_err(|_| {
        Error::new(ErrorKind::DeadlineExceeded, format!("{name} gave no token within {DEADLINE:?}"))
            .with_hint("run it by hand: it may be waiting for an answer")
    })?;
    let (status, stdout, stderr) = output.map_err(|e| match e.kind() {
        io::ErrorKind::FileTooLarge => {
            Error::unexpected(format!("{name} printed more than {} KiB instead of a token", MOST >> 10))
                .with_hint("run it by hand, and see what it prints")
        }
        _ => local("can't be waited for").with_source(e),
    })?;
    if status.success() {
        return Ok(stdout);
    }
    // With --debug these programs print requests and tokens.
    let stderr = String::from_utf8_lossy(&stderr);
    let message = one_line(&redact::value("stderr", &stderr));
    let text = format!("{name} gave no token ({status}): {message}");
    Err(Error::new(ErrorKind::Unauthenticated, text).with_hint(hint))
}

/// Waits for the program and collects what it prints.
async fn output(mut running: Running) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let (stdout, stderr) = (running.child.stdout.take(), running.child.stderr.take());
    let (mut printed, mut said) = (Vec::new(), Vec::new());
    let status = {
        let mut reading =
            std::pin::pin!(async { tokio::try_join!(read(stdout, &mut printed), read(stderr, &mut said)) });
        let ended = tokio::select! {
            status = running.wait() => Some(status?),
            read = &mut reading => {
                read?;
                None
            }
        };
        match ended {
            Some(status) => {
                if let Ok(read) = tokio::time::timeout(AFTERMATH, reading).await {
                    read?;
                }
                status
            }
            None => running.wait().await?,
        }
    };
    Ok((status, printed, said))
}

async fn read(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) -> io::Result<()> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    while pipe.read_buf(into).await? > 0 {
        if into.len() > MOST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    }
    Ok(())
}

/// A program and the processes that it started. Dropping this kills them, unless the program has exited.
struct Running {
    child: Child,
    /// `None` once the program has ended: the id may be another one's by then.
    id: Option<u32>,
}

impl Running {
    fn start(command: &mut Command) -> io::Result<Self> {
        // The lock is held meanwhile, so that none is started unseen while the others are ended.
        let mut programs = programs();
        if programs.is_closed {
            return Err(io::Error::other("this program is ending"));
        }
        let child = command.spawn()?;
        let id = child.id();
        programs.running.extend(id);
        Ok(Self { child, id })
    }

    /// Waits until the program exits.
    async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        if let Some(id) = self.id.take() {
            forget(id);
        }
        Ok(status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(id) = self.id.take()
            && forget(id)
        {
            end_group(id);
        }
    }
}

/// Whether it was still listed, so that nothing else has killed it.
fn forget(id: u32) -> bool {
    let mut programs = programs();
    let place = programs.running.iter().position(|known| *known == id);
    place.map(|place| programs.running.swap_remove(place)).is_some()
}

#[cfg(unix)]
fn end_group(id: u32) {
    if let Some(group) = id.try_into().ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

/// A process of Windows knows who started it, but its end doesn't end what it has started: `az.cmd` runs Python, which
/// would go on. `taskkill`, a part of Windows, ends all of it. Waits for that, since the program's own end would hide
/// the rest.
#[cfg(not(unix))]
fn end_group(id: u32) {
    let mut end = std::process::Command::new("taskkill");
    end.args(["/T", "/F", "/PID", &id.to_string()]);
    let _ = end.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

#[cfg(test)]
pub(crate) mod tests {
    /// Held while a test writes and runs a program: a file that one thread has open for writing can't be run by another.
    pub(crate) static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

    #[cfg(unix)]
    mod on_unix {
        use super::{super::*, ALONE};

        fn environment() -> Environment {
            Environment::new([("PATH", "/usr/bin:/bin")])
        }

        async fn shell(script: &str, argument: &Path) -> Result<Vec<u8>> {
            let arguments = [OsStr::new("-c"), OsStr::new(script), OsStr::new("sh"), argument.as_os_str()];
            run("the shell", Path::new("/bin/sh"), &arguments, &environment(), "").await
        }

        fn pipe(folder: &Path) -> std::path::PathBuf {
            let pipe = folder.join("pipe");
            assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            pipe
        }

        #[tokio::test(start_paused = true)]
        async fn a_program_that_waits_for_a_person_is_killed() {
            let _alone = ALONE.lock().await;
            let dir = tempfile::tempdir().unwrap();
            // A reader of this pipe waits until a writer opens the other end, which never happens.
            let pipe = pipe(dir.path());
            let error =
                run("sleeper", Path::new("/bin/cat"), &[&pipe], &environment(), "").await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
            assert!(error.to_string().contains("sleeper gave no token within 30s"), "{error}");

            tokio::time::resume();
            let error =
                run("nothing", &dir.path().join("nothing"), &["x"], &environment(), "").await.err().unwrap();
            assert!(error.to_string().starts_with("nothing not found"), "{error}");
            let error = shell("echo why >&2; exit 3", dir.path()).await.err().unwrap();
            assert!(error.to_string().ends_with("(exit status: 3): why"), "{error}");
        }

        /// The grandchild holds the only writing end of the pipe, whose reader sees its end when that is killed.
        #[tokio::test]
        async fn what_a_program_has_started_ends_with_it() {
            let _alone = ALONE.lock().await;
            let dir = tempfile::tempdir().unwrap();
            let pipe = pipe(dir.path());
            let reading = tokio::task::spawn_blocking({
                let pipe = pipe.clone();
                move || std::fs::read(pipe).unwrap()
            });
            // It floods once the grandchild runs, which ends both.
            let script = r#"exec 3> "$1"; sleep 600 & exec 3>&-; cat /dev/zero"#;
            let error = shell(script, &pipe).await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
            assert!(error.to_string().contains("printed more than 1024 KiB"), "{error}");
            let read = tokio::time::timeout(Duration::from_secs(20), reading).await;
            assert!(read.is_ok(), "the grandchild still runs");
        }

        #[tokio::test]
        async fn a_program_that_leaves_another_one_running_succeeds_at_once() {
            let _alone = ALONE.lock().await;
            let dir = tempfile::tempdir().unwrap();
            let began = std::time::Instant::now();
            let printed = shell("sleep 20 & echo token", dir.path()).await.unwrap();
            assert_eq!(printed, b"token\n");
            assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        }

        #[tokio::test]
        async fn errors_repeat_no_secret_of_the_program() {
            let _alone = ALONE.lock().await;
            for said in [
                r#"{"accessToken":"S3CR3T"}"#,
                r#"{"expiresOn": "now", "accessToken": "S3CR3T"}, and more"#,
                "DEBUG: Authorization: Bearer S3CR3T",
                "set ARM_CLIENT_SECRET=S3CR3T",
            ] {
                let error = shell("echo why; echo \"$1\" >&2; exit 3", Path::new(said)).await.err().unwrap();
                assert_eq!(error.kind(), ErrorKind::Unauthenticated);
                let error = format!("{error} {error:?}");
                assert!(error.contains("***") && !error.contains("S3CR3T"), "{error}");
            }
        }

        #[tokio::test]
        async fn errors_are_bounded_too() {
            let _alone = ALONE.lock().await;
            let dir = tempfile::tempdir().unwrap();
            let error = shell("cat /dev/zero >&2", dir.path()).await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
        }
    }
}
