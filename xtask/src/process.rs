//! Programs that a task runs.

use std::{
    ffi::OsStr,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

/// Runs the command; its output goes where ours goes.
pub(crate) fn finish(command: &mut Command) -> Result<()> {
    let line = line(command);
    let status = command.status().with_context(|| format!("cannot run {line}"))?;
    ensure!(status.success(), "{line} ended with {status}");
    Ok(())
}

/// Runs the command and returns its stdout.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot run {line}"))?;
    ensure!(output.status.success(), "{line} ended with {}", output.status);
    String::from_utf8(output.stdout).with_context(|| format!("{line} printed something that is not UTF-8"))
}

/// The command for a message, without its environment.
fn line(command: &Command) -> String {
    let words: Vec<_> =
        [command.get_program()].into_iter().chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::{capture, finish};

    #[test]
    fn a_failed_command_is_named_with_its_arguments() {
        let error = finish(Command::new("rustc").args(["--print", "no-such-thing"]).stderr(Stdio::null()))
            .unwrap_err();
        let text = format!("{error:#}");
        assert!(text.starts_with("`rustc --print no-such-thing` ended with "), "{text}");
        let error = format!("{:#}", capture(&mut Command::new("no-such-program-anywhere")).unwrap_err());
        assert!(error.starts_with("cannot run `no-such-program-anywhere`: "), "{error}");
        assert!(capture(Command::new("rustc").arg("--version")).unwrap().starts_with("rustc "));
    }
}
