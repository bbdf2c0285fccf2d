//! `brick help`: the help of a command, as text or as JSON that an agent can read.
//!
//! clap's own `help` knows no JSON, so this command replaces it. The JSON is made from the same tree as the text, and has
//! a limit, because its readers pay by the byte.

use std::ffi::OsString;

use clap::{
    Arg, ArgAction,
    builder::StyledStr,
    error::{Error, ErrorKind},
};
use serde_json::{Map, Value, json};

use crate::{context::Context, failure::Result};

/// The most bytes of the JSON of one command.
const BUDGET: usize = 3000;

/// How long the text of an option may be, and how many examples there may be, until the JSON fits.
const ATTEMPTS: [(usize, usize); 6] =
    [(usize::MAX, usize::MAX), (160, usize::MAX), (100, 6), (80, 4), (60, 3), (40, 2)];

/// Print the help of a command, or of brick
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  brick help clusters list
  brick help sql --json")]
pub(crate) struct Command {
    /// The command, such as `clusters list`
    #[arg(value_name = "COMMAND")]
    words: Vec<String>,
    /// Print options, defaults, examples, and exit codes as JSON
    #[arg(long)]
    json: bool,
    /// What the JSON is about.
    #[arg(skip)]
    document: Option<Value>,
}

impl Command {
    /// Looks the command up in the tree of all commands.
    ///
    /// # Errors
    /// clap's, for an unknown command.
    pub(crate) fn look_up(
        &mut self,
        mut root: clap::Command,
        is_json: bool,
    ) -> std::result::Result<(), Error> {
        root.build();
        let exit_codes = exit_codes(&root);
        let found = find(&mut root, &self.words)?;
        if self.json || is_json {
            self.document = Some(document(found, &exit_codes));
        }
        Ok(())
    }

    /// The JSON of each command of a tree.
    #[cfg(test)]
    pub(crate) fn documents(&self, mut root: clap::Command) -> Vec<Value> {
        fn add(command: &clap::Command, exit_codes: &Map<String, Value>, all: &mut Vec<Value>) {
            all.push(document(command, exit_codes));
            command.get_subcommands().for_each(|inner| add(inner, exit_codes, all));
        }
        root.build();
        let mut all = Vec::new();
        add(&root, &exit_codes(&root), &mut all);
        all
    }

    /// The command line that prints the same as text.
    pub(crate) fn as_option(&self) -> Option<impl Iterator<Item = OsString>> {
        let words = ["brick"].into_iter().chain(self.words.iter().map(String::as_str)).chain(["--help"]);
        self.document.is_none().then(|| words.map(OsString::from))
    }
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let document = command.document.unwrap_or_default();
    Ok(context.output().bytes(format!("{document}\n").as_bytes())?)
}

fn find<'a>(
    root: &'a mut clap::Command,
    words: &[String],
) -> std::result::Result<&'a mut clap::Command, Error> {
    let mut found = root;
    for word in words {
        if found.find_subcommand(word).is_none() {
            let name = found.get_bin_name().unwrap_or("brick").to_owned();
            let message = format!("{name} has no command {word:?}");
            return Err(found.error(ErrorKind::InvalidSubcommand, message));
        }
        found = match found.find_subcommand_mut(word) {
            Some(inner) => inner,
            None => unreachable!("it was found above"),
        };
    }
    Ok(found)
}

/// A command as JSON. A group lists its commands without their details.
fn document(command: &clap::Command, exit_codes: &Map<String, Value>) -> Value {
    let mut document = Value::Null;
    for (length, examples) in ATTEMPTS {
        document = described(command, exit_codes, length, examples);
        // A group has no other limit than the number of its commands.
        if command.has_subcommands() || document.to_string().len() <= BUDGET {
            break;
        }
    }
    document
}

fn described(
    command: &clap::Command,
    exit_codes: &Map<String, Value>,
    length: usize,
    examples: usize,
) -> Value {
    let is_root =
        command.get_version().is_some() && !command.get_bin_name().unwrap_or_default().contains(' ');
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| match &value {
        Value::Array(items) if items.is_empty() => {}
        Value::Object(members) if members.is_empty() => {}
        Value::Null => {}
        _ => drop(fields.insert(name.to_owned(), value)),
    };
    set("name", name.into());
    set("about", about(command.get_about(), usize::MAX).into());
    let aliases: Vec<&str> = command.get_visible_aliases().collect();
    set("aliases", json!(aliases));
    let shown = command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help");
    let commands =
        shown.map(|inner| json!({ "name": inner.get_name(), "about": about(inner.get_about(), usize::MAX) }));
    set("commands", commands.collect());
    if !command.has_subcommands() {
        let usage = command.clone().render_usage().to_string();
        set("usage", usage.trim_start_matches("Usage: ").trim().into());
    }
    let own =
        || command.get_arguments().filter(|arg| !arg.is_hide_set() && (is_root || !arg.is_global_set()));
    let own = || {
        own().filter(|arg| {
            !matches!(
                arg.get_action(),
                ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
            )
        })
    };
    set(
        "arguments",
        own().filter(|arg| arg.is_positional()).map(|arg| described_argument(arg, length)).collect(),
    );
    set(
        "options",
        own().filter(|arg| !arg.is_positional()).map(|arg| described_argument(arg, length)).collect(),
    );
    let more = command
        .get_after_long_help()
        .or(command.get_after_help())
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut lines = section(&more, &["Example:", "Examples:"]);
    lines.truncate(examples);
    set("examples", json!(lines));
    if is_root || !command.has_subcommands() {
        set("exit_codes", Value::Object(exit_codes.clone()));
    }
    if !is_root {
        set("global_options", "brick help --json".into());
    }
    Value::Object(fields)
}

fn described_argument(arg: &Arg, length: usize) -> Value {
    let mut fields = Map::new();
    fields.insert("name".to_owned(), flag(arg).into());
    fields.insert("about".to_owned(), about(arg.get_help(), length).into());
    if arg.is_required_set() {
        fields.insert("required".to_owned(), true.into());
    }
    let takes_values = arg.get_action().takes_values();
    if matches!(arg.get_action(), ArgAction::Append | ArgAction::Count) {
        fields.insert("repeatable".to_owned(), true.into());
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if takes_values && !defaults.is_empty() {
        fields.insert("default".to_owned(), defaults.join(",").into());
    }
    let values = arg.get_possible_values();
    let values: Vec<&str> =
        values.iter().filter(|value| !value.is_hide_set()).map(|value| value.get_name()).collect();
    if takes_values && !values.is_empty() {
        fields.insert("values".to_owned(), json!(values));
    }
    if let Some(variable) = arg.get_env() {
        fields.insert("env".to_owned(), variable.to_string_lossy().into());
    }
    Value::Object(fields)
}

/// `-f, --file <FILE>` for an option, `FILE` for an argument.
fn flag(arg: &Arg) -> String {
    let values = arg.get_value_names().unwrap_or_default();
    let value = values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    if arg.is_positional() {
        return if value.is_empty() { arg.get_id().as_str().to_uppercase() } else { value };
    }
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let names = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    match arg.get_action().takes_values() && !value.is_empty() {
        true => format!("{names} <{value}>"),
        false => names,
    }
}

/// A text on one line, cut between words.
fn about(text: Option<&StyledStr>, length: usize) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.len() <= length {
        return text;
    }
    let mut short = String::new();
    for word in text.split(' ') {
        if short.len() + word.len() + 1 > length {
            break;
        }
        short.push_str(word);
        short.push(' ');
    }
    format!("{}…", short.trim_end())
}

/// The lines below a heading, up to an empty one.
fn section(text: &str, headings: &[&str]) -> Vec<String> {
    let lines = text.lines().skip_while(|line| !headings.contains(&line.trim_end()));
    lines.skip(1).map(str::trim).take_while(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The exit codes, from the help of the whole program.
fn exit_codes(root: &clap::Command) -> Map<String, Value> {
    let help =
        root.get_after_long_help().or(root.get_after_help()).map(ToString::to_string).unwrap_or_default();
    let split = |line: &str| {
        let (code, meaning) = line.split_once(char::is_whitespace)?;
        Some((code.to_owned(), meaning.trim().into()))
    };
    section(&help, &["Exit codes:"]).iter().filter_map(|line| split(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> clap::Command {
        let option =
            |name: &'static str, length: usize| Arg::new(name).long(name).help("word ".repeat(length));
        let wide = (0..20).map(|n| option(Box::leak(format!("option-{n}").into_boxed_str()), 40));
        clap::Command::new("brick")
            .version("1")
            .after_help("Exit codes:\n  0    done\n  130  interrupted\n\nExample:\n  brick a")
            .arg(
                Arg::new("quiet").long("quiet").global(true).action(ArgAction::SetTrue).help("Print nothing"),
            )
            .subcommand(clap::Command::new("wide").about("Many options").args(wide))
            .subcommand(
                clap::Command::new("group").about("A group").subcommand(
                    clap::Command::new("one")
                        .about("One command")
                        .after_help("Examples:\n  brick group one X\n  brick group one Y")
                        .arg(Arg::new("name").value_name("NAME").required(true).help("The\nname"))
                        .arg(
                            Arg::new("size")
                                .short('s')
                                .long("size")
                                .value_name("N")
                                .default_value("5")
                                .help("Size"),
                        ),
                ),
            )
            .disable_help_subcommand(true)
    }

    fn json_of(words: &[&str]) -> Value {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let mut command = Command { words, json: true, document: None };
        command.look_up(tree(), false).unwrap();
        command.document.unwrap()
    }

    #[test]
    fn a_command_has_its_arguments_examples_and_exit_codes() {
        assert_eq!(
            json_of(&["group", "one"]),
            json!({
                "name": "brick group one",
                "about": "One command",
                "usage": "brick group one [OPTIONS] <NAME>",
                "arguments": [{ "name": "NAME", "about": "The name", "required": true }],
                "options": [{ "name": "-s, --size <N>", "about": "Size", "default": "5" }],
                "examples": ["brick group one X", "brick group one Y"],
                "exit_codes": { "0": "done", "130": "interrupted" },
                "global_options": "brick help --json",
            })
        );
    }

    #[test]
    fn a_group_lists_commands_and_the_root_has_the_global_options() {
        let group = json_of(&["group"]);
        assert_eq!(group["commands"], json!([{ "name": "one", "about": "One command" }]));
        assert!(group.get("options").is_none() && group.get("exit_codes").is_none(), "{group}");
        let root = json_of(&[]);
        assert_eq!(root["options"], json!([{ "name": "--quiet", "about": "Print nothing" }]));
        assert_eq!(root["commands"].as_array().unwrap().len(), 2);
        assert!(root.get("global_options").is_none());
    }

    #[test]
    fn long_texts_are_cut_until_the_command_fits() {
        let wide = json_of(&["wide"]);
        assert!(wide.to_string().len() <= BUDGET, "{}", wide.to_string().len());
        assert_eq!(wide["options"].as_array().unwrap().len(), 20);
        assert!(wide["options"][0]["about"].as_str().unwrap().ends_with("word…"));
    }

    #[test]
    fn an_unknown_command_is_an_error_that_names_it() {
        let mut command = Command { words: vec!["group".into(), "two".into()], json: true, document: None };
        let error = command.look_up(tree(), false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSubcommand);
        assert!(error.to_string().contains("brick group has no command \"two\""), "{error}");
    }
}
