//! The command line as a whole: global options and one command.

use std::ffi::{OsStr, OsString};

use clap::{
    CommandFactory, FromArgMatches, Parser,
    error::{ContextKind, ContextValue, Error, ErrorKind},
    parser::ValueSource,
};

use crate::{
    commands::Command,
    options::{BRICK_OUTPUT, Global},
};

/// Databricks from the command line: clusters, SQL warehouses, statements, jobs, code, raw requests
#[derive(Debug, Parser)]
#[command(name = "brick", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Connection:
  DATABRICKS_HOST with DATABRICKS_TOKEN, or with DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET,
  or a profile in ~/.databrickscfg, which `brick configure` sets up

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
        let (mut args, has_format) = Self::read_from(&std::env::args_os().collect::<Vec<_>>())?;
        if let (false, Some(format)) = (has_format, std::env::var_os(BRICK_OUTPUT)) {
            args.global.prefer(&format.to_string_lossy()).map_err(|(problem, tip)| {
                Error::raw(ErrorKind::InvalidValue, format!("{problem}\n\ntip: {tip}\n"))
            })?;
        }
        Ok(args)
    }

    /// Parses these words, and says whether they name a format.
    fn parse(words: &[OsString]) -> Result<(Self, bool), Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(words)?;
        let args = Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        Ok((args, matches.value_source("output") == Some(ValueSource::CommandLine)))
    }

    /// SQL that starts with a comment looks like an option to clap. It is parsed as text if nothing else makes sense.
    fn read_from(words: &[OsString]) -> Result<(Self, bool), Error> {
        let error = match Self::parse(words) {
            Err(error) if error.kind() == ErrorKind::UnknownArgument => error,
            parsed => return parsed.map_err(|error| with_right_tips(error, words)),
        };
        let options = words.iter().take_while(|word| *word != "--").count();
        for at in (1..options).filter(|at| is_text(&words[*at])) {
            let mut moved = words.to_vec();
            let text = moved.remove(at);
            if options == words.len() {
                moved.push("--".into());
            }
            moved.push(text);
            match Self::parse(&moved) {
                Err(error) if error.kind() == ErrorKind::UnknownArgument => {}
                parsed => return parsed.map_err(|error| with_right_tips(error, words)),
            }
        }
        Err(with_right_tips(error, words))
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
        let tip = "quote the SQL or code so that the shell passes it as one argument, as in \"SELECT 1\"";
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
        read.map(|(args, _)| format!("{:?}", args.command)).map_err(|error| error.render().to_string())
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
            assert_eq!(Args::read_from(&words).unwrap().1, expected, "{words:?}");
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
}
