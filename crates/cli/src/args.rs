//! The command line as a whole: global options and one command.

use std::{
    ffi::{OsStr, OsString},
    time::Duration,
};

use clap::{
    CommandFactory, FromArgMatches, Parser,
    error::{ContextKind, ContextValue, Error, ErrorKind},
    parser::ValueSource,
};

use crate::{
    commands::Command,
    options::{BRICK_OUTPUT, Format, Global},
    tree,
};

/// Databricks from the command line: clusters, SQL warehouses, statements, jobs, code, raw requests
#[derive(Debug, Parser)]
#[command(name = "brick", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
    /// The time between two looks, with --watch.
    #[arg(skip)]
    pub(crate) watch: Option<Duration>,
    /// The words of the command, such as `jobs run`.
    #[arg(skip)]
    pub(crate) words: String,
    /// Whether the words name a format.
    #[arg(skip)]
    has_format: bool,
}

const EXIT_CODES: &str = "\
Connection:
  DATABRICKS_HOST with DATABRICKS_TOKEN,
  or with DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET,
  or a profile in ~/.databrickscfg, which `brick configure` writes

Exit codes:
  0    done, or already in the requested state
  1    unexpected error
  2    invalid usage
  3    not configured, or refused locally
  4    not authenticated or not allowed
  5    not found
  6    request rejected
  7    unreachable, unavailable, or outcome unknown
  8    remote work failed
  9    timed out
  129  hangup
  130  interrupted
  143  terminated

Example:
  brick clusters list -o table";

/// The commands that take SQL or code.
const TAKE_TEXT: [&str; 4] = ["sql", "run", "submit", "execute"];

impl Args {
    /// Parses the command line of this process.
    pub(crate) fn read() -> Result<Self, Error> {
        Self::read_with_help(std::env::args_os().collect())
    }

    /// Parses a command line. Requests for help end here, because only this place knows all commands.
    fn read_with_help(mut words: Vec<OsString>) -> Result<Self, Error> {
        // The tree is not made for nothing.
        if words.iter().skip(2).any(|word| word == "help") {
            move_help_to_front(&mut words, &Self::tree());
        }
        let mut args = Self::read_from(&words)?;
        if let (false, Some(format)) = (args.has_format, std::env::var_os(BRICK_OUTPUT)) {
            args.global.prefer(&format.to_string_lossy()).map_err(|(problem, tip)| {
                Error::raw(ErrorKind::InvalidValue, format!("{problem}\n\ntip: {tip}\n"))
            })?;
        }
        if let Command::help(help) = &mut args.command {
            let is_json = args.global.output == Format::Json || args.global.agent;
            help.look_up(Self::tree(), is_json)?;
            if let Some(words) = help.as_option() {
                return Self::parse(&words.collect::<Vec<_>>());
            }
        }
        Ok(args)
    }

    /// The whole command line, as it is parsed, completed, and documented.
    pub(crate) fn tree() -> clap::Command {
        tree::complete(Self::command())
    }

    fn parse(words: &[OsString]) -> Result<Self, Error> {
        let mut root = Self::tree();
        let matches = root.try_get_matches_from_mut(words)?;
        let args = Self::from_arg_matches(&matches).map_err(|error| error.format(&mut root))?;
        let has_format = matches.value_source("output") == Some(ValueSource::CommandLine);
        Ok(Self { watch: tree::watched(&matches), words: tree::words(&matches), has_format, ..args })
    }

    /// SQL that starts with a comment looks like an option to clap. It is parsed as text if nothing else makes sense.
    fn read_from(words: &[OsString]) -> Result<Self, Error> {
        let error = match Self::parse(words) {
            Err(error) if error.kind() == ErrorKind::UnknownArgument => error,
            parsed => return parsed.map_err(|error| with_right_tips(error, words)),
        };
        let options = words.iter().take_while(|word| *word != "--").count();
        for at in (1..options).filter(|at| is_text(&words[*at])) {
            // With a byte-order mark before it, it can't be an option. `Source` drops the mark.
            let mut marked = words.to_vec();
            marked[at] = "\u{feff}".into();
            marked[at].push(&words[at]);
            match Self::parse(&marked) {
                Err(error) if error.kind() == ErrorKind::UnknownArgument => {}
                parsed => return parsed.map_err(|error| with_right_tips(error, words)),
            }
        }
        Err(with_right_tips(error, words))
    }
}

/// Turns `brick clusters help list` into `brick help clusters list`, which means the same.
fn move_help_to_front(words: &mut Vec<OsString>, root: &clap::Command) {
    let mut group = root;
    for at in 1..words.len() {
        if group.has_subcommands() && words[at] == "help" {
            let help = words.remove(at);
            words.insert(1, help);
            return;
        }
        match group.find_subcommand(&words[at]) {
            Some(inner) => group = inner,
            None => return,
        }
    }
}

/// Whether this can't be an option: `-- a comment`, `--comment` and a new line, `-1 + 2`.
fn is_text(word: &OsStr) -> bool {
    let word = word.to_string_lossy();
    let name = word.split('=').next().unwrap_or_default();
    match word.strip_prefix('-') {
        Some(rest) if rest.starts_with('-') => name.contains(char::is_whitespace) || word.contains('\n'),
        Some(rest) => name.contains(char::is_whitespace) && !rest.starts_with(char::is_alphabetic),
        None => false,
    }
}

/// Makes clap's tips right or drops them: an unknown option is not a value, a word that starts with another letter is
/// not a typo, and SQL or code that the shell has split needs quotes.
fn with_right_tips(mut error: Error, words: &[OsString]) -> Error {
    let Some(ContextValue::String(found)) =
        error.get(ContextKind::InvalidArg).or_else(|| error.get(ContextKind::InvalidSubcommand)).cloned()
    else {
        return error;
    };
    for kind in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand] {
        let similar = match error.remove(kind) {
            Some(ContextValue::String(word)) => vec![word],
            Some(ContextValue::Strings(words)) => words,
            _ => continue,
        };
        let first = |word: &str| word.trim_start_matches('-').chars().next();
        let mut similar: Vec<_> = similar.into_iter().filter(|word| first(word) == first(&found)).collect();
        match similar.len() {
            0 => None,
            1 => error.insert(kind, ContextValue::String(similar.remove(0))),
            _ => error.insert(kind, ContextValue::Strings(similar)),
        };
    }
    if let Some(ContextValue::StyledStrs(mut tips)) = error.remove(ContextKind::Suggested) {
        tips.retain(|tip| !tip.to_string().starts_with("to pass "));
        if !tips.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        }
    }
    let is_option = found.starts_with('-') && first_is_letter(&found);
    let takes_text = words.iter().any(|word| TAKE_TEXT.iter().any(|name| word == name));
    if error.kind() == ErrorKind::UnknownArgument && takes_text && !is_option {
        let tip =
            "quote the SQL or code so that the shell passes it as one argument, for example \"SELECT 1\"";
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

fn first_is_letter(option: &str) -> bool {
    option.trim_start_matches('-').starts_with(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<String, String> {
        let words: Vec<_> =
            std::iter::once("brick").chain(words.iter().copied()).map(OsString::from).collect();
        let read = Args::read_from(&words);
        read.map(|args| format!("{:?}", args.command)).map_err(|error| error.render().to_string())
    }

    #[test]
    fn text_that_starts_with_a_comment_is_an_argument() {
        for text in ["-- daily\nSELECT 1", "--daily\nSELECT a=1", "--limit 5", "--\nSELECT 1", "-1 + 2"] {
            for words in [
                &["sql", text][..],
                &["sql", "-w", "x", text, "-o", "csv"],
                &["-o", "csv", "sql", text, "--limit=5"],
                &["run", text, "-c", "x"],
                &["commands", "submit", "-c", "x", text, "--context", "1"],
                &["sql", "--", text],
            ] {
                assert!(read(words).unwrap().contains(&format!("text: Some({text:?})")), "{words:?}");
            }
        }
        assert!(read(&["commands", "submit", "-c", "x", "-- x"]).unwrap_err().contains("--context"));
    }

    #[test]
    fn a_format_is_given_before_or_after_the_command() {
        for (words, expected) in [
            (&["whoami"][..], false),
            (&["-o", "auto", "whoami"], true),
            (&["whoami", "-ojson"], true),
            (&["config", "show", "--output=csv"], true),
        ] {
            let words: Vec<_> =
                std::iter::once("brick").chain(words.iter().copied()).map(OsString::from).collect();
            assert_eq!(Args::read_from(&words).unwrap().has_format, expected, "{words:?}");
        }
    }

    #[test]
    fn tips_are_right_or_absent() {
        for (words, told) in [
            (&["sql", "select", "1"][..], "tip: quote the SQL or code"),
            (&["sql", "select", "-1"], "tip: quote the SQL or code"),
            (&["run", "-c", "x", "print(1)", "+", "2"], "tip: quote the SQL or code"),
            (&["sql", "SELECT 1", "--limt", "5"], "'--limit'"),
            (&["-o", "jsn", "whoami"], "'json'"),
            (&["clusters", "lst"], "'list'"),
            (&["clster", "list"], "'clusters'"),
            (&["--limit", "5", "sql", "SELECT 1"], "'sql --limit'"),
        ] {
            let error = read(words).unwrap_err();
            assert!(error.contains(told) && !error.contains("to pass"), "{words:?}: {error}");
        }
        for words in [
            &["clusters", "get", "--id", "x"][..],
            &["sql", "--zzz", "SELECT 1"],
            &["contexts", "status", "x", "y", "z"],
        ] {
            let error = read(words).unwrap_err();
            assert!(!error.contains("tip:") && !error.contains("\n\n\n"), "{words:?}: {error}");
        }
    }

    #[test]
    fn help_is_a_command_wherever_it_stands() {
        let moved = |line: &str| {
            let mut words: Vec<_> = line.split(' ').map(OsString::from).collect();
            move_help_to_front(&mut words, &Args::tree());
            words.join(OsStr::new(" ")).into_string().unwrap()
        };
        assert_eq!(moved("brick clusters help list"), "brick help clusters list");
        assert_eq!(moved("brick help clusters"), "brick help clusters");
        for line in ["brick sql help", "brick clusters list help", "brick -o json help"] {
            assert_eq!(moved(line), line);
        }
    }

    #[test]
    fn the_help_of_every_command_is_small_as_json() {
        let Command::help(help) = Args::try_parse_from(["brick", "help"]).unwrap().command else {
            panic!("another command")
        };
        let documents = help.documents(Args::tree());
        assert!(documents.len() > 150, "{}", documents.len());
        for (n, document) in documents.iter().enumerate() {
            let bytes = document.to_string().len();
            assert!(bytes <= if n == 0 { 10_000 } else { 3000 }, "{}: {bytes}", document["name"]);
            let is_leaf = document.get("commands").is_none();
            assert!(
                !is_leaf || document["exit_codes"]["0"].is_string() && document["usage"].is_string(),
                "{document}"
            );
        }
    }

    /// The words of a line as a shell reads them.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quote, mut is_new) = (Vec::new(), None, true);
        for character in line.chars() {
            match (character, quote) {
                (' ', None) => is_new = true,
                ('"' | '\'', None) => quote = Some(character),
                (end, Some(open)) if end == open => quote = None,
                (other, _) => {
                    if std::mem::take(&mut is_new) {
                        words.push(String::new());
                    }
                    words.last_mut().unwrap().push(other);
                }
            }
        }
        words
    }

    #[test]
    fn every_command_of_the_skill_parses() {
        let lines = include_str!("commands/skill.md").lines().filter(|line| line.starts_with("brick "));
        let all: Vec<_> = lines.map(words).collect();
        assert!(all.len() > 12, "{}", all.len());
        for words in all {
            if let Err(error) = Args::try_parse_from(&words) {
                panic!("{words:?}: {error}");
            }
        }
    }
}
