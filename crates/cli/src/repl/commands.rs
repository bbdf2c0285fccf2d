//! The prompt's own commands, which start with a backslash. The names are those of psql and DuckDB.

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Quit,
    /// Whether records are printed one field a line; `None` for what fits.
    Expanded(Toggle),
    Timing,
    /// Where the next result goes.
    Out(Option<String>),
    Describe(Option<String>),
    Include(String),
    Edit,
    Warehouse(String),
}

/// A switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Toggle {
    On,
    Off,
    Auto,
    /// The other way than now.
    Flip,
}

/// The commands' names, for completion.
pub(super) const NAMES: &[&str] = &["\\?", "\\d", "\\e", "\\i", "\\o", "\\q", "\\timing", "\\w", "\\x"];

/// What `\?` prints.
pub(crate) const HELP: &str = "\
A statement ends with ; or \\g and may have several lines. Tab completes names; Ctrl-C cancels; Ctrl-D quits.
  \\d [NAME]         list the tables, or describe one
  \\e                edit the last statement in $EDITOR
  \\i FILE           run the statements of a file
  \\o [FILE]         write the next result to a file (.csv, .json, .parquet), or to the screen again
  \\q                quit
  \\timing           print how long each statement takes, or stop that
  \\w WAREHOUSE      run on another warehouse
  \\x [on|off|auto]  print one field a line";

/// Reads a line that starts with a backslash.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(line: &str) -> Result<Command, String> {
    let line = line.trim().trim_end_matches(';').trim_end();
    let (name, argument) = match line.split_once(char::is_whitespace) {
        Some((name, argument)) => (name, Some(unquoted(argument.trim())).filter(|a| !a.is_empty())),
        None => (line, None),
    };
    let required = || argument.clone().ok_or_else(|| format!("{name} needs a value; \\? lists the commands"));
    match name {
        "\\?" | "\\h" => Ok(Command::Help),
        "\\q" => Ok(Command::Quit),
        "\\timing" => Ok(Command::Timing),
        "\\e" => Ok(Command::Edit),
        "\\o" => Ok(Command::Out(argument)),
        "\\d" => Ok(Command::Describe(argument)),
        "\\i" => required().map(Command::Include),
        "\\w" => required().map(Command::Warehouse),
        "\\x" => match argument.as_deref() {
            None => Ok(Command::Expanded(Toggle::Flip)),
            Some("on") => Ok(Command::Expanded(Toggle::On)),
            Some("off") => Ok(Command::Expanded(Toggle::Off)),
            Some("auto") => Ok(Command::Expanded(Toggle::Auto)),
            Some(other) => Err(format!("\\x takes on, off, or auto: {other}")),
        },
        _ => Err(format!("unknown command: {name}; \\? lists the commands")),
    }
}

fn unquoted(text: &str) -> String {
    for quote in ['\'', '"'] {
        if let Some(inside) = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)) {
            return inside.to_owned();
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_commands() {
        for (line, command) in [
            ("\\?", Ok(Command::Help)),
            (" \\q ;", Ok(Command::Quit)),
            ("\\x", Ok(Command::Expanded(Toggle::Flip))),
            ("\\x on", Ok(Command::Expanded(Toggle::On))),
            ("\\o 'my file.csv'", Ok(Command::Out(Some("my file.csv".to_owned())))),
            ("\\o", Ok(Command::Out(None))),
            ("\\d main.default.t;", Ok(Command::Describe(Some("main.default.t".to_owned())))),
            ("\\i a b.sql", Ok(Command::Include("a b.sql".to_owned()))),
            ("\\i", Err("\\i needs a value; \\? lists the commands".to_owned())),
            ("\\x maybe", Err("\\x takes on, off, or auto: maybe".to_owned())),
            ("\\z", Err("unknown command: \\z; \\? lists the commands".to_owned())),
        ] {
            assert_eq!(parse(line), command, "{line}");
        }
        assert!(NAMES.iter().all(|name| HELP.contains(name) || *name == "\\?"));
    }
}
