//! The tree of commands, with what holds for all of it: hidden second names, `--watch` for what shows something, and the
//! headings of options. Each command is described in its own module.

mod candidates;

use std::{ffi::OsStr, time::Duration};

use clap::{Arg, ArgMatches, Command};
use clap_complete::{ArgValueCompleter, CompletionCandidate};

use crate::options::{OUTPUT, duration};

const INPUT: &str = "Input";
const COMPUTE: &str = "Compute";
const WAITING: &str = "Waiting";

/// The heading of an option. One that is not listed stands below `Options`.
const HEADINGS: [(&str, &[&str]); 4] = [
    (INPUT, &["file", "parameters", "param", "data", "language", "catalog", "schema", "task", "tasks"]),
    (COMPUTE, &["warehouse", "cluster", "context", "keep_context", "start", "no_start", "session"]),
    (OUTPUT, &["out", "limit", "inline", "images", "max_rows", "null", "no_pager", "color", WATCH]),
    (WAITING, &["no_wait", "detach", "timeout", "cancel_on_interrupt"]),
];

/// The ID of the option that shows something again and again.
const WATCH: &str = "watch";
/// The commands that have it. The values of secrets are not shown again and again.
const WATCHED: [&str; 4] = ["list", "get", "runs", "updates"];
const UNWATCHED: [&str; 2] = ["secrets", "config"];

/// The shortest time between two looks. The service limits how often it answers.
const SHORTEST: Duration = Duration::from_millis(200);

/// Completes the tree that the modules of the commands describe.
pub(crate) fn complete(root: Command) -> Command {
    let root = arrange(root).mut_arg("columns", |arg| arg.add(ArgValueCompleter::new(candidates::columns)));
    let shown = root.get_subcommands().filter(|inner| !inner.is_hide_set());
    let names: Vec<String> = shown.map(|inner| inner.get_name().to_owned()).collect();
    let completer = move |current: &OsStr| -> Vec<CompletionCandidate> {
        let current = current.to_string_lossy();
        names.iter().filter(|name| name.starts_with(&*current)).map(CompletionCandidate::new).collect()
    };
    root.mut_subcommand("help", |help| {
        help.mut_arg("words", |words| words.add(ArgValueCompleter::new(completer)))
    })
}

fn arrange(command: Command) -> Command {
    let parent = command.get_name().to_owned();
    let has = |name: &str| {
        command
            .get_subcommands()
            .any(|inner| inner.get_name() == name || inner.get_all_aliases().any(|a| a == name))
    };
    let (has_list, has_ls) = (has("list"), has("ls"));
    let command = match command.get_after_help().map(|text| paragraphs(&text.to_string())) {
        Some(text) => command.after_help(text),
        None => command,
    };
    command.mut_args(under_heading).mut_subcommands(|inner| {
        let inner = match inner.get_name() {
            "list" if !has_ls => inner.alias("ls"),
            "ls" if !has_list => inner.alias("list"),
            _ => inner,
        };
        let is_watched = WATCHED.contains(&inner.get_name()) && !UNWATCHED.contains(&parent.as_str());
        arrange(if is_watched && !inner.has_subcommands() { inner.arg(watch()) } else { inner })
    })
}

/// How wide a line of an example is. Clap breaks longer ones, and then they are no commands anymore.
const WIDTH: usize = 78;

/// The text below the options in lines that fit anywhere: paragraphs in one line, which clap breaks, and long examples
/// broken as a shell reads them.
fn paragraphs(text: &str) -> String {
    let mut joined: Vec<String> = Vec::new();
    for line in text.lines() {
        let is_prose = |line: &str| !line.is_empty() && !line.starts_with(' ');
        match joined.last_mut() {
            Some(last) if is_prose(last) && is_prose(line) => {
                last.push(' ');
                last.push_str(line);
            }
            _ if line.starts_with("  ") && line.len() > WIDTH => joined.push(broken(line)),
            _ => joined.push(line.to_owned()),
        }
    }
    joined.join("\n")
}

/// A command in several lines that end with a backslash. They end between words, not within quotes.
fn broken(command: &str) -> String {
    let (mut lines, mut open) = (vec![String::from(" ")], None);
    let mut words: Vec<String> = Vec::new();
    for word in command.trim_start().split(' ').filter(|word| !word.is_empty()) {
        match (open, words.last_mut()) {
            (Some(_), Some(last)) => *last = format!("{last} {word}"),
            // An option and its value stay together.
            (None, Some(last)) if last.starts_with('-') && !word.starts_with('-') && !last.contains(' ') => {
                *last = format!("{last} {word}");
            }
            _ => words.push(word.to_owned()),
        }
        for quote in word.chars().filter(|c| matches!(c, '\'' | '"')) {
            open = match open {
                None => Some(quote),
                Some(one) if one == quote => None,
                other => other,
            };
        }
    }
    for word in words {
        let last = lines.last().map_or(0, String::len);
        // Two more characters for the end of the line.
        if last + 1 + word.len() + 2 > WIDTH && last > 6 {
            lines.push("     ".to_owned());
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(&word);
        }
    }
    lines.join(" \\\n")
}

fn under_heading(arg: Arg) -> Arg {
    let arg = match arg.get_id().as_str() {
        "parameters" => arg.add(ArgValueCompleter::new(candidates::parameters)),
        _ => arg,
    };
    let id = arg.get_id().as_str();
    match HEADINGS.iter().find(|(_, ids)| ids.contains(&id)) {
        Some((heading, _)) if !arg.is_positional() => arg.help_heading(*heading),
        _ => arg,
    }
}

fn watch() -> Arg {
    Arg::new(WATCH)
        .long("watch")
        .value_name("INTERVAL")
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("5s")
        .value_parser(interval)
        .help("Show it again every 5 seconds, or after this time; in a pipe, print a line for each change")
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    if interval < SHORTEST {
        return Err(format!("must be at least {} ms", SHORTEST.as_millis()));
    }
    Ok(interval)
}

/// The words of the command, such as `jobs run`.
pub(crate) fn words(matches: &ArgMatches) -> String {
    let mut words = Vec::new();
    let mut leaf = matches;
    while let Some((word, inner)) = leaf.subcommand() {
        words.push(word);
        leaf = inner;
    }
    words.join(" ")
}

/// The time between two looks, if the command is to be watched.
pub(crate) fn watched(matches: &ArgMatches) -> Option<Duration> {
    let mut leaf = matches;
    while let Some((_, inner)) = leaf.subcommand() {
        leaf = inner;
    }
    leaf.try_get_one::<Duration>(WATCH).ok().flatten().copied()
}

/// The commands by topic.
const TOPICS: [(&str, &[&str]); 8] = [
    ("SQL and code", &["sql", "run", "api", "statements", "contexts", "commands"]),
    ("Compute", &["clusters", "warehouses", "cluster-policies", "instance-pools", "libraries"]),
    ("Work", &["jobs", "pipelines", "serving", "registry"]),
    ("Unity Catalog", &["catalogs", "schemas", "tables", "volumes", "functions", "models", "grants"]),
    ("Files", &["files", "workspace", "repos"]),
    ("People", &["users", "groups", "service-principals", "permissions", "secrets"]),
    ("Setup", &["configure", "auth", "config", "whoami", "doctor", "completions", "sandbox"]),
    ("Agents", &["mcp", "skill", "help"]),
];

/// What stands in none of the topics.
const REST: &str = "More";

/// What `brick` alone prints: the commands by topic, on one screen.
pub(crate) fn overview(root: &Command) -> String {
    let all: Vec<_> =
        root.get_subcommands().filter(|inner| !inner.is_hide_set()).map(Command::get_name).collect();
    let mut lines = vec![
        "Databricks from the command line".to_owned(),
        String::new(),
        "Usage: brick [OPTIONS] COMMAND".to_owned(),
        String::new(),
    ];
    let mut line = |topic: &str, names: &[&str]| {
        if !names.is_empty() {
            lines.push(format!("{topic:<13}  {}", names.join(", ")));
        }
    };
    for (topic, names) in TOPICS {
        let names: Vec<_> = names.iter().copied().filter(|name| all.contains(name)).collect();
        line(topic, &names);
    }
    let is_rest = |name: &&str| TOPICS.iter().all(|(_, names)| !names.contains(name));
    line(REST, &all.iter().copied().filter(is_rest).collect::<Vec<_>>());
    lines.push(String::new());
    lines.push("brick COMMAND -h shows a command, and brick --help all options and exit codes.".to_owned());
    lines.push("Try it without an account: brick --sandbox sql \"SELECT 1\"".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::args::Args;

    fn root() -> Command {
        complete(Args::command())
    }

    /// Every command with its path, the hidden ones, too.
    fn walk(command: &Command, path: &str, visit: &mut impl FnMut(&str, &Command)) {
        visit(path, command);
        for inner in command.get_subcommands() {
            walk(inner, &format!("{path} {}", inner.get_name()), visit);
        }
    }

    #[test]
    fn the_overview_is_one_small_screen_with_every_command() {
        let root = root();
        let text = overview(&root);
        assert!(text.lines().count() <= 15, "{text}");
        let longest = text.lines().map(UnicodeWidthStr::width).max().unwrap();
        assert!(longest <= 80, "{longest}: {text}");
        let words: Vec<_> = text.split([' ', ',', '\n']).collect();
        for inner in root.get_subcommands().filter(|inner| !inner.is_hide_set()) {
            assert!(words.contains(&inner.get_name()), "{}", inner.get_name());
        }
    }

    #[test]
    fn examples_are_broken_as_a_shell_reads_them() {
        let text = "One\ntwo.\n\nExample:\n  brick a";
        assert_eq!(paragraphs(text), "One two.\n\nExample:\n  brick a");
        let long = format!("  brick sql 'a b {}' --x 1; brick --y", "c ".repeat(30));
        let lines = broken(&long);
        assert!(lines.lines().count() == 3 && lines.lines().all(|line| line.len() <= WIDTH), "{lines}");
        assert!(lines.contains(" ' \\\n      --x 1; brick --y"), "{lines}");
        walk(&root(), "brick", &mut |path, command| {
            for line in command
                .get_after_help()
                .iter()
                .flat_map(|text| text.to_string().lines().map(str::to_owned).collect::<Vec<_>>())
            {
                assert!(!line.starts_with(' ') || line.len() <= WIDTH, "{path}: {line}");
            }
        });
    }

    #[test]
    fn the_help_fits_a_terminal_of_80_columns() {
        let mut root = root();
        root.build();
        walk(&root, "brick", &mut |path, command| {
            let mut shown = command.clone().bin_name(path).term_width(80);
            for help in [shown.render_help(), shown.render_long_help()] {
                for line in help.to_string().lines() {
                    assert!(line.width() <= 80, "{path}: {line}");
                }
            }
        });
    }

    #[test]
    fn second_names_are_hidden_and_lead_to_the_same_command() {
        let mut seen = 0;
        walk(&root(), "brick", &mut |path, command| {
            for alias in command.get_all_aliases() {
                let parent = path.rsplit_once(' ').unwrap().0;
                let line = format!("{parent} {alias} --help");
                let error = root().try_get_matches_from(line.split(' ')).unwrap_err();
                assert_eq!(error.kind(), clap::error::ErrorKind::DisplayHelp, "{line}");
                assert!(error.to_string().contains(&format!("Usage: {path}")), "{line}: {error}");
                assert!(command.get_visible_aliases().next().is_none(), "{line}");
                seen += 1;
            }
        });
        assert!(seen > 40, "{seen}");
        for line in [
            "brick clusters stop x",
            "brick contexts status -c x 1",
            "brick commands status -c x --context 1 2",
            "brick clusters ls",
            "brick files list /Volumes",
            "brick sql --detach SELECT",
            "brick clusters start x --detach",
            "brick contexts create -c x --detach",
            "brick jobs run x --detach",
            "brick pipelines run x --detach",
            "brick run -c x --detach 1",
        ] {
            let parsed = root().try_get_matches_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn what_shows_something_can_be_watched_and_nothing_else() {
        let interval = |line: &str| Some(watched(&root().try_get_matches_from(line.split(' ')).ok()?));
        assert_eq!(interval("brick clusters list"), Some(None));
        assert_eq!(interval("brick clusters list --watch"), Some(Some(Duration::from_secs(5))));
        assert_eq!(interval("brick statements get --watch=2s x"), Some(Some(Duration::from_secs(2))));
        assert_eq!(interval("brick clusters ls --watch=1m -o name"), Some(Some(Duration::from_secs(60))));
        for refused in [
            "brick clusters list --watch=1ms",
            "brick clusters list --watch=0s",
            "brick clusters list --watch=x",
            "brick clusters start x --watch",
            "brick secrets get a b --watch",
            "brick sql --watch SELECT",
            "brick whoami --watch",
        ] {
            assert_eq!(interval(refused), None, "{refused}");
        }
    }

    #[test]
    fn options_of_every_command_are_under_a_heading_and_the_short_help_is_short() {
        walk(&root(), "brick", &mut |path, command| {
            for arg in command.get_arguments().filter(|arg| arg.is_global_set()) {
                let is_shown = ["output", "profile", "jq"].contains(&arg.get_id().as_str());
                assert_eq!(!arg.is_hide_short_help_set(), is_shown, "{path} {arg}");
            }
            let timeout = command.get_arguments().find(|arg| arg.get_id() == "timeout");
            assert!(timeout.is_none_or(|arg| arg.get_help_heading() == Some(WAITING)), "{path}");
        });
    }
}
