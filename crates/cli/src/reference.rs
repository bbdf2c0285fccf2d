//! `brick reference FOLDER`, which `cargo xtask docs` runs: all commands as Markdown and as man pages.

use std::{env, fs, path::Path};

use crate::failure::{Failure, Result};

/// Writes commands.md and man/*.1 if the program was started to do that. This needs the whole tree of commands, so it
/// can't be one of them.
pub(crate) fn write_if_asked(root: clap::Command) -> Option<Result> {
    let words: Vec<_> = env::args_os().skip(1).collect();
    match &words[..] {
        [word, folder] if word == "reference" => Some(write(Path::new(folder), root)),
        _ => None,
    }
}

fn write(folder: &Path, root: clap::Command) -> Result {
    let mut root = root.disable_help_subcommand(true);
    root.build();
    let man = folder.join("man");
    fs::create_dir_all(&man).map_err(|e| Failure::file(&man, &e))?;
    let mut text = String::from(
        "# `brick`, command by command\n\nGenerated from the program's help by `cargo xtask docs`; do not edit.\nEvery command also has the options of `brick` itself, which are listed once.\n",
    );
    document(&root, "brick", &mut text);
    let commands = folder.join("commands.md");
    fs::write(&commands, text).map_err(|e| Failure::file(&commands, &e))?;
    Ok(clap_mangen::generate_to(root, &man)?)
}

/// Writes the help of a command and of those below it. The options of all commands are part of `brick` only: in each of a
/// hundred commands, they would be most of the text.
fn document(command: &clap::Command, name: &str, text: &mut String) {
    let is_root = name == "brick";
    let mut shown = command.clone().bin_name(name).term_width(100);
    if !is_root {
        shown = shown.mut_args(|arg| match arg.get_id().as_str() {
            "help" | "version" => arg.hide(true),
            _ if arg.is_global_set() => arg.hide(true),
            _ => arg,
        });
    }
    let help = if is_root { shown.render_long_help() } else { shown.render_help() }.to_string();
    let help: Vec<_> = help.lines().map(str::trim_end).collect();
    text.push_str(&format!("\n## `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim_end()));
    for inner in command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help") {
        document(inner, &format!("{name} {}", inner.get_name()), text);
    }
}
