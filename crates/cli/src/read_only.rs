//! Read-only mode, told early: a command that changes something is refused before its first request, even before the
//! search for a name. This only makes the refusal early. What is never sent is decided in the library, for every request.

use brickwire_actions::ErrorKind;

use crate::{
    failure::{Failure, Result},
    hint::READ_ONLY,
};

/// The last words of commands that change something.
const CHANGES: &[&str] = &[
    "add-members",
    "alias",
    "cancel",
    "create",
    "create-scope",
    "delete",
    "delete-acl",
    "delete-alias",
    "delete-permanently",
    "delete-scope",
    "destroy",
    "edit",
    "execute",
    "import",
    "install",
    "mkdir",
    "mkdirs",
    "pin",
    "put",
    "put-acl",
    "query",
    "remove-members",
    "repair",
    "resize",
    "restart",
    "rm",
    "run",
    "set",
    "start",
    "stop",
    "submit",
    "terminate",
    "transition",
    "uninstall",
    "unpin",
    "update",
    "update-config",
];

/// Commands that are allowed although they end with one of these words: a canceled statement changes nothing more.
const ALLOWED: &[&str] = &["statements cancel"];

/// Whether a command changes something, by its words without `brick`. For a command that may do either, what it sends
/// decides.
pub(crate) fn is_change(command: &str) -> bool {
    let last = command.rsplit(' ').next().unwrap_or_default();
    CHANGES.contains(&last) && !ALLOWED.contains(&command)
}

/// Refuses a command that changes something.
pub(crate) fn refuse(command: &str) -> Result {
    let message = format!("read-only mode refuses this command: brick {command}");
    Err(Failure::new(ErrorKind::ReadOnly, message).with_hint(READ_ONLY))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::args::Args;

    /// The last words of commands that only read, or that change nothing but files on this machine.
    const READS: &[&str] = &[
        "acls",
        "cat",
        "completions",
        "configure",
        "doctor",
        "events",
        "export",
        "get",
        "help",
        "levels",
        "list",
        "login",
        "logout",
        "logs",
        "ls",
        "node-types",
        "output",
        "profiles",
        "runs",
        "sandbox",
        "scopes",
        "show",
        "skill",
        "spark-versions",
        "status",
        "token",
        "updates",
        "use",
        "versions",
        "wait",
        "whoami",
        "zones",
    ];

    /// Commands that may do either. What they send decides.
    const EITHER: &[&str] = &["api", "cp", "mcp", "sql"];

    fn leaves<'a>(command: &'a clap::Command, path: &str, found: &mut Vec<(String, &'a str)>) {
        for inner in command.get_subcommands() {
            let path = format!("{path} {}", inner.get_name()).trim_start().to_owned();
            match inner.has_subcommands() {
                true => leaves(inner, &path, found),
                false => found.push((path, inner.get_name())),
            }
        }
    }

    /// A new command has to be in one of the lists.
    #[test]
    fn every_command_is_known_to_change_or_to_read() {
        let (root, mut found) = (Args::tree(), Vec::new());
        leaves(&root, "", &mut found);
        assert!(found.len() > 130, "{}", found.len());
        for (path, word) in &found {
            let lists = [CHANGES, READS, EITHER].iter().filter(|list| list.contains(word)).count();
            assert_eq!(lists, 1, "{path}: add it to one of the lists");
        }
        let words: BTreeSet<_> = found.iter().map(|(_, word)| *word).collect();
        assert!(CHANGES.iter().all(|word| words.contains(word)), "a command of the list is gone");
        let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert!(ALLOWED.iter().all(|path| paths.contains(path)));
        for (command, expected) in [
            ("jobs run", true),
            ("run", true),
            ("statements cancel", false),
            ("commands cancel", true),
            ("sql", false),
        ] {
            assert_eq!(is_change(command), expected, "{command}");
        }
    }
}
