//! Command lines that a person has set, such as PAGER and EDITOR, as programs to start.
//!
//! On Windows `cmd` reads them: paths there have backslashes and often blanks, which quotes keep together, and many
//! programs, such as the `code` of Visual Studio Code, are scripts that only `cmd` finds.

use std::{path::Path, process::Command};

/// What a shell reads as more than words.
#[cfg(unix)]
const SHELL: &[char] = &[
    '|', '&', ';', '<', '>', '(', ')', '$', '`', '\\', '"', '\'', '*', '?', '[', '#', '~', '=', '%', '{',
    '\n',
];

/// The editor of a system without settings.
pub(crate) const EDITOR: &str = if cfg!(windows) { "notepad" } else { "vi" };

/// The program of a command line, which a shell reads if it has more than words.
pub(crate) fn program(line: &str) -> Command {
    #[cfg(windows)]
    return cmd(line);
    #[cfg(unix)]
    match line.contains(SHELL) {
        true => {
            let mut shell = Command::new("sh");
            shell.args(["-c", line]);
            shell
        }
        false => words(line),
    }
}

/// The program of a command line, for a file.
pub(crate) fn program_for(line: &str, file: &Path) -> Command {
    #[cfg(windows)]
    return cmd(&format!("{line} \"{}\"", file.display()));
    #[cfg(unix)]
    {
        let mut program = words(line);
        program.arg(file);
        program
    }
}

#[cfg(unix)]
fn words(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut program = Command::new(words.next().unwrap_or_default());
    program.args(words);
    program
}

/// `/s` takes off the outermost quotes and leaves those within as they are; `/d` keeps settings of the registry from
/// running other programs first.
#[cfg(windows)]
fn cmd(line: &str) -> Command {
    use std::os::windows::process::CommandExt;
    let mut cmd = Command::new("cmd");
    cmd.args(["/d", "/s", "/c"]).raw_arg(format!("\"{line}\""));
    cmd
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_quotes_and_a_file_with_blanks_arrive_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a b.sql");
        std::fs::write(&file, "SELECT 1\n").unwrap();
        let show = if cfg!(windows) { "type" } else { "cat" };
        let printed = |mut program: Command| String::from_utf8(program.output().unwrap().stdout).unwrap();
        assert_eq!(printed(program_for(show, &file)), "SELECT 1\n");
        assert_eq!(printed(program(&format!("{show} \"{}\"", file.display()))), "SELECT 1\n");
    }
}
