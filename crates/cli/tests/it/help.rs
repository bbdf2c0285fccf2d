//! The whole help, as people read it: a snapshot, reviewed like code.

use std::{collections::BTreeSet, fmt::Write, path::Path};

use crate::program::Brick;

/// Set it to write `help.txt` anew.
const REGENERATE: &str = "BRICK_WRITE_HELP";

fn help(command: &str) -> String {
    let ran = Brick::new(&format!("{command} --help")).env("COLUMNS", "100").run().done().silent();
    ran.text().to_owned()
}

/// The subcommands that a help lists, in its order.
fn subcommands(help: &str) -> Vec<String> {
    let Some((_, list)) = help.split_once("\nCommands:\n") else { return Vec::new() };
    list.lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_ascii_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Every command with its help, a command before its subcommands.
fn tree() -> Vec<(String, String)> {
    let mut tree = Vec::new();
    let mut open = vec![String::new()];
    while let Some(command) = open.pop() {
        let help = help(&command);
        let own = subcommands(&help).into_iter().rev();
        open.extend(own.map(|name| format!("{command} {name}").trim_start().to_owned()));
        tree.push((command, help));
    }
    tree
}

/// The sandbox's own options depend on the build.
fn is_everywhere(command: &str) -> bool {
    command != "sandbox"
}

#[test]
fn the_help_is_as_reviewed() {
    let mut now = String::new();
    for (command, help) in tree().iter().filter(|(command, _)| is_everywhere(command)) {
        let line = format!("brick {command} --help").replace("  ", " ");
        writeln!(now, "$ {line}\n\n{}\n", help.trim_end()).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/help.txt");
    if std::env::var_os(REGENERATE).is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let reviewed = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    let differs = now.lines().zip(reviewed.lines()).find(|(now, reviewed)| now != reviewed);
    let why = format!("the help changed; {REGENERATE}=1 writes {}: {differs:?}", path.display());
    assert!(now == reviewed, "{why}");
}

#[test]
fn every_command_has_an_example_that_is_one() {
    for (command, help) in tree().iter().filter(|(_, help)| subcommands(help).is_empty()) {
        let (_, examples) = help
            .split_once("\nExample:\n")
            .or_else(|| help.split_once("\nExamples:\n"))
            .unwrap_or_else(|| panic!("no example: brick {command}"));
        let own = examples.lines().any(|line| line.contains(&format!("brick {command}")));
        assert!(own, "no example of brick {command}: {examples}");
    }
}

#[test]
fn the_sixteen_actions_have_their_commands() {
    let tree: BTreeSet<String> = tree().into_iter().map(|(command, _)| command).collect();
    for command in [
        "contexts create",
        "clusters get",
        "commands get",
        "whoami",
        "warehouses get",
        "clusters list",
        "clusters node-types",
        "warehouses list",
        "api",
        "clusters restart",
        "commands execute",
        "sql",
        "warehouses start",
        "clusters start",
        "warehouses stop",
        "clusters terminate",
    ] {
        assert!(tree.contains(command), "{command}");
    }
}

#[test]
fn no_paragraph_is_too_wide_to_read() {
    for (command, help) in tree() {
        let longest = help.lines().filter(|line| !line.starts_with(' ')).max_by_key(|line| line.len());
        assert!(longest.is_none_or(|line| line.len() <= 120), "brick {command}: {longest:?}");
    }
}
