//! `--watch`: shows a list or a resource again and again, until Ctrl-C ends it.
//!
//! - On a terminal, what is shown is written over what was shown before. What does not fit on the screen is counted.
//! - Elsewhere, only changes are printed: a line for each item that is new or differs, and for one that is gone
//!   `{"cluster_id":"…","removed":true}`. With `--columns`, only those columns count; with `--jq`, its results.

use std::{
    collections::{BTreeMap, HashSet},
    io::{self, IsTerminal, Write},
    time::Duration,
};

use serde_json::{Value, json};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{
    args::Args,
    commands::{self, Command},
    context::Context,
    failure::{Failure, Result},
    options::Format,
    terminal,
};

/// Runs the command again and again.
pub(crate) async fn run(command: Command, every: Duration, context: &Context) -> Result {
    let mut show = Shown::new(context.asked().0)?;
    let frame = context.watch();
    let mut next = Some(command);
    loop {
        let command = match next.take() {
            Some(command) => command,
            // It was read before, so it can be read again.
            None => Args::read().map_err(|error| Failure::usage(error.to_string()))?.command,
        };
        commands::run(command, "", context).await?;
        let (text, id) = frame.take();
        let mut out = io::stdout().lock();
        out.write_all(show.next(&text, id).as_bytes())?;
        out.flush()?;
        drop(out);
        tokio::time::sleep(every).await;
    }
}

/// What has been shown.
enum Shown {
    Screen(Screen),
    Lines(Lines),
}

impl Shown {
    fn new(format: Format) -> Result<Self> {
        match format {
            Format::Arrow | Format::Parquet => {}
            _ if io::stdout().is_terminal() => return Ok(Self::Screen(Screen::default())),
            Format::Auto | Format::Json | Format::Jsonl | Format::Csv | Format::Tsv | Format::Name => {
                return Ok(Self::Lines(Lines::default()));
            }
            _ => {}
        }
        Err(Failure::usage("--watch prints a line for each change, which this format can't")
            .with_hint("use -o jsonl, csv, tsv, or name"))
    }

    fn next(&mut self, text: &str, id: Option<&str>) -> String {
        match self {
            Self::Screen(screen) => {
                let size = console::Term::stdout().size_checked().unwrap_or((24, 80));
                screen.next(text, (usize::from(size.0), usize::from(size.1)))
            }
            Self::Lines(lines) => lines.next(text, id),
        }
    }
}

/// A part of the terminal that is written over.
#[derive(Default)]
struct Screen {
    /// How many lines it has.
    height: usize,
}

impl Screen {
    /// What to send to a terminal of this number of rows and columns.
    fn next(&mut self, text: &str, (rows, columns): (usize, usize)) -> String {
        // The cursor stands on the line below.
        let most = rows.saturating_sub(1).max(1);
        let mut lines: Vec<String> =
            text.lines().map(|line| cut(&terminal::escaped_but_for_colors(line), columns)).collect();
        if lines.len() > most {
            let hidden = lines.len() - (most - 1);
            lines.truncate(most - 1);
            lines.push(cut(&format!("… and {hidden} more lines"), columns));
        }
        let mut sent = match self.height {
            0 => String::new(),
            // After the screen became smaller, the first lines are out of reach.
            height => format!("\x1b[{}A\r", height.min(most)),
        };
        for line in &lines {
            sent.push_str(&format!("{line}\x1b[K\n"));
        }
        sent.push_str("\x1b[J");
        self.height = lines.len();
        sent
    }
}

/// The start of a line that fits: a line that wraps takes two. Colors take no room, and end where the line is cut.
fn cut(line: &str, columns: usize) -> String {
    // Some terminals wrap as soon as the last column is used.
    let most = columns.saturating_sub(1).max(1);
    let line = line.replace('\t', " ");
    if terminal::without_colors(&line).width() <= most {
        return line;
    }
    let (mut start, mut width, mut is_color) = (String::new(), 0, false);
    for character in line.chars() {
        is_color |= character == '\x1b';
        if !is_color {
            width += character.width().unwrap_or_default();
            if width >= most {
                break;
            }
        }
        start.push(character);
        is_color &= character != 'm';
    }
    let end = if start.contains('\x1b') { "\x1b[0m" } else { "" };
    format!("{start}…{end}")
}

/// Lines that have been printed.
#[derive(Default)]
struct Lines {
    before: HashSet<String>,
    /// The items of the list by ID.
    ids: BTreeMap<String, Value>,
}

impl Lines {
    /// The lines that are new, and a line for each item that is gone. `id` is the JSON pointer to an item's ID.
    fn next(&mut self, text: &str, id: Option<&str>) -> String {
        let mut printed = String::new();
        for line in text.lines().filter(|line| !self.before.contains(*line)) {
            printed.push_str(line);
            printed.push('\n');
        }
        if let Some((pointer, field)) = id.and_then(|pointer| Some((pointer, pointer.strip_prefix('/')?))) {
            let of_item = |line: &str| {
                let item: Value = serde_json::from_str(line).ok()?;
                let id = item.as_object()?.get(field).or_else(|| item.pointer(pointer))?.clone();
                Some((id.to_string(), id))
            };
            let ids: BTreeMap<String, Value> = text.lines().filter_map(of_item).collect();
            for (_, id) in self.ids.iter().filter(|(id, _)| !ids.contains_key(*id)) {
                printed.push_str(&format!("{}\n", json!({ field: id, "removed": true })));
            }
            self.ids = ids;
        }
        self.before = text.lines().map(str::to_owned).collect();
        printed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_a_line() {
        let mut lines = Lines::default();
        let id = Some("/id");
        let (a, b) = (r#"{"id":1,"state":"PENDING"}"#, r#"{"id":2,"state":"RUNNING"}"#);
        assert_eq!(lines.next(&format!("{a}\n{b}\n"), id), format!("{a}\n{b}\n"));
        assert_eq!(lines.next(&format!("{b}\n{a}\n"), id), "");
        let running = a.replace("PENDING", "RUNNING");
        assert_eq!(lines.next(&format!("{running}\n{b}\n"), id), format!("{running}\n"));
        assert_eq!(lines.next(&format!("{running}\n"), id), "{\"id\":2,\"removed\":true}\n");
        assert_eq!(lines.next("", id), "{\"id\":1,\"removed\":true}\n");
        let mut csv = Lines::default();
        assert_eq!(csv.next("ID,STATE\n1,A\n", id), "ID,STATE\n1,A\n");
        assert_eq!(csv.next("ID,STATE\n1,B\n", id), "1,B\n");
    }

    #[test]
    fn a_screen_is_written_over_and_never_scrolls() {
        let mut screen = Screen::default();
        assert_eq!(screen.next("a\nb\n", (24, 80)), "a\x1b[K\nb\x1b[K\n\x1b[J");
        assert_eq!(screen.next("c\n", (24, 80)), "\x1b[2A\rc\x1b[K\n\x1b[J");
        assert_eq!(
            screen.next("1\n2\n3\n4\n5\n", (4, 80)),
            "\x1b[1A\r1\x1b[K\n2\x1b[K\n… and 3 more lines\x1b[K\n\x1b[J"
        );
        assert_eq!(screen.next("日本語\x1b[2J\n", (4, 6)), "\x1b[3A\r日本…\x1b[K\n\x1b[J");
        let colored = screen.next("\x1b[1mabcdef\x1b[0m\n\x1b[1mabc\x1b[0m\n", (9, 6));
        assert_eq!(colored, "\x1b[1A\r\x1b[1mabcd…\x1b[0m\x1b[K\n\x1b[1mabc\x1b[0m\x1b[K\n\x1b[J");
        assert!(screen.next("\x1b[2J", (4, 80)).contains("\\u001b[2J"));
    }
}
