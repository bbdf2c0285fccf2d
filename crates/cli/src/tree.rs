//! The tree of commands, with what holds for all of it: hidden second names, `--watch` for what shows something, and the
//! headings of options. Each command is described in its own module.

use std::time::Duration;

use clap::{Arg, ArgMatches, Command};

use crate::options::{OUTPUT, duration};

const INPUT: &str = "Input";
const COMPUTE: &str = "Compute";
const WAITING: &str = "Waiting";

/// The heading of an option. One that is not listed stands below `Options`.
const HEADINGS: [(&str, &[&str]); 4] = [
    (INPUT, &["file", "parameters", "param", "data", "language", "catalog", "schema", "task", "tasks"]),
    (COMPUTE, &["warehouse", "cluster", "context", "keep_context", "start", "no_start", "session"]),
    (OUTPUT, &["out", "limit", "inline", "images", "max_rows", "null", "no_pager", "color"]),
    (WAITING, &["no_wait", "detach", "timeout", "cancel_on_interrupt", WATCH]),
];

/// The id of the option that shows something again and again.
const WATCH: &str = "watch";
/// The commands that have it. The values of secrets are not shown again and again.
const WATCHED: [&str; 4] = ["list", "get", "runs", "updates"];
const UNWATCHED: [&str; 2] = ["secrets", "config"];

/// The shortest time between two looks. The service limits how often it answers.
const SHORTEST: Duration = Duration::from_millis(200);

/// Completes the tree that the modules of the commands describe.
pub(crate) fn complete(root: Command) -> Command {
    arrange(root)
}

fn arrange(command: Command) -> Command {
    let parent = command.get_name().to_owned();
    let has = |name: &str| command.get_subcommands().any(|inner| inner.get_name() == name);
    let (has_list, has_ls) = (has("list"), has("ls"));
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

fn under_heading(arg: Arg) -> Arg {
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

/// The time between two looks, if the command is to be watched.
pub(crate) fn watched(matches: &ArgMatches) -> Option<Duration> {
    let mut leaf = matches;
    while let Some((_, inner)) = leaf.subcommand() {
        leaf = inner;
    }
    leaf.try_get_one::<Duration>(WATCH).ok().flatten().copied()
}

/// The commands by topic.
const TOPICS: [(&str, &[&str]); 7] = [
    ("SQL and code", &["sql", "run", "statements", "contexts", "commands"]),
    ("Compute", &["clusters", "warehouses", "cluster-policies", "instance-pools", "libraries"]),
    ("Work", &["jobs", "pipelines", "serving", "registry"]),
    ("Unity Catalog", &["catalogs", "schemas", "tables", "volumes", "functions", "models", "grants"]),
    ("Files", &["files", "workspace", "repos"]),
    ("People", &["users", "groups", "service-principals", "permissions", "secrets"]),
    ("Setup", &["configure", "auth", "config", "whoami", "doctor", "completions", "sandbox"]),
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
            lines.push(format!("  {topic:<14}  {}", names.join(", ")));
        }
    };
    for (topic, names) in TOPICS {
        let names: Vec<_> = names.iter().copied().filter(|name| all.contains(name)).collect();
        line(topic, &names);
    }
    let is_rest = |name: &&str| *name != "help" && TOPICS.iter().all(|(_, names)| !names.contains(name));
    line(REST, &all.iter().copied().filter(is_rest).collect::<Vec<_>>());
    lines.push(String::new());
    lines.push(
        "brick COMMAND -h shows a command, and brick --help shows all options and exit codes.".to_owned(),
    );
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
        assert!(longest <= 85, "{longest}: {text}");
        let words: Vec<_> = text.split([' ', ',', '\n']).collect();
        for inner in root.get_subcommands().filter(|inner| !inner.is_hide_set()) {
            assert!(words.contains(&inner.get_name()), "{}", inner.get_name());
        }
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
