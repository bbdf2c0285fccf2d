//! Which streams get colors, and which colors there are. `--color` decides, then NO_COLOR and CLICOLOR_FORCE, then whether
//! the stream is a terminal.

use std::{
    borrow::Cow,
    io::{self, IsTerminal},
};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

/// When to use colors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// In pipes and files, too
    Always,
    /// Nowhere
    Never,
}

/// Headings of tables, and names of fields.
pub(crate) const HEADING: Style = Style::new().bold();
/// NULL, and what a footer says.
pub(crate) const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const CHANGING: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::BrightRed.on_default();

/// The words that begin a message, and their styles.
const LABELS: [(&str, Style); 3] = [
    ("error:", AnsiColor::BrightRed.on_default().bold()),
    ("hint:", AnsiColor::Cyan.on_default()),
    ("warning:", AnsiColor::Yellow.on_default()),
];

/// Sets when to use colors, for all output of this process, including clap's.
pub(crate) fn choose(when: Color) {
    match when {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::AlwaysAnsi,
        Color::Never => ColorChoice::Never,
    }
    .write_global();
}

/// Whether data on stdout gets colors. In a pipe, data keeps its bytes unless `--color always` is given.
pub(crate) fn is_for_data() -> bool {
    let stdout = io::stdout();
    let is_asked = matches!(ColorChoice::global(), ColorChoice::Always | ColorChoice::AlwaysAnsi);
    let has_colors = (stdout.is_terminal() || is_asked) && AutoStream::choice(&stdout) != ColorChoice::Never;
    if has_colors {
        // Older consoles of Windows have to be told that colors follow.
        let _ = AutoStream::always_ansi(stdout);
    }
    has_colors
}

/// Whether messages on stderr get colors.
pub(crate) fn is_for_messages() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// The text in a style.
pub(crate) fn painted(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

/// A message whose first word is painted if it says what kind of message follows.
pub(crate) fn labeled(message: &str) -> Cow<'_, str> {
    let labeled = LABELS.iter().find_map(|(label, style)| {
        let rest = message.strip_prefix(label)?;
        Some(format!("{}{rest}", painted(label, *style)))
    });
    labeled.map_or(Cow::Borrowed(message), Cow::Owned)
}

/// The style of a state word. An unknown word has none.
pub(crate) fn of_state(word: &str) -> Option<Style> {
    Some(match word.to_ascii_uppercase().as_str() {
        "RUNNING" | "SUCCEEDED" | "SUCCESS" | "ACTIVE" | "READY" | "ONLINE" | "INSTALLED" | "HEALTHY"
        | "COMPLETED" => GOOD,
        "PENDING"
        | "STARTING"
        | "RESTARTING"
        | "RESIZING"
        | "TERMINATING"
        | "STOPPING"
        | "DELETING"
        | "QUEUED"
        | "INSTALLING"
        | "INITIALIZING"
        | "WAITING_FOR_RESOURCES"
        | "IN_PROGRESS"
        | "IDLE" => CHANGING,
        "ERROR" | "FAILED" | "UNHEALTHY" | "INTERNAL_ERROR" | "TIMEDOUT" | "UPDATE_FAILED" | "NOT_READY" => {
            BAD
        }
        "TERMINATED" | "STOPPED" | "DELETED" => DIM,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_word_of_a_message_is_painted() {
        assert_eq!(labeled("hint: error: x"), "\x1b[36mhint:\x1b[0m error: x");
        assert!(matches!(labeled("an error: x"), Cow::Borrowed(_)));
        assert_eq!(painted("x", HEADING), "\x1b[1mx\x1b[0m");
        assert_eq!(of_state("running"), Some(GOOD));
        assert_eq!(of_state("x\x1b[2J"), None);
    }
}
