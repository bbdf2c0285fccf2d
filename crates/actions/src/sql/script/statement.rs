//! One statement of a script.

use std::ops::Range;

use super::{
    super::facts::{Facts, Use},
    position::Position,
};

/// A statement of a [`Script`](crate::Script): its text, where it stands, and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptStatement {
    text: String,
    /// Where its first word starts.
    first: usize,
    range: Range<usize>,
    /// Where the text begins, with its comments.
    begins: Position,
    /// Where its first word stands.
    place: Position,
    facts: Facts,
    parameters: Vec<String>,
}

impl ScriptStatement {
    pub(super) fn new(
        (text, first): (String, usize),
        range: Range<usize>,
        begins: Position,
        place: Position,
        facts: Facts,
        parameters: Vec<String>,
    ) -> Self {
        Self { text, first, range, begins, place, facts, parameters }
    }

    /// What is sent: the statement with its comments, without the semicolon.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text from its first word on.
    pub fn code(&self) -> &str {
        self.text.get(self.first..).unwrap_or(&self.text)
    }

    /// Where the text stands in the script, in bytes. For a notebook's cell in `%sql`, the range of the cell.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// The line of its first word in the script, from 1.
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// The column of its first word, in characters from 1.
    pub fn column(&self) -> usize {
        self.place.column
    }

    /// What it does, in upper case, such as `SELECT`. After `WITH` and `FROM` it is the change that follows, if there is
    /// one: `WITH a AS (…) INSERT …` is an `INSERT`. Empty if the statement starts with no word.
    pub fn verb(&self) -> &str {
        &self.facts.verb
    }

    /// The verb and what it is about, such as `CREATE TABLE sales.daily`. It holds no literals.
    pub fn title(&self) -> &str {
        &self.facts.title
    }

    /// Whether it returns rows, or may: a `CALL`, an `EXECUTE IMMEDIATE`, a block. The counts that an `INSERT` returns
    /// are not rows.
    pub fn returns_rows(&self) -> bool {
        self.facts.returns_rows
    }

    /// The default catalog or schema that it sets.
    pub fn changes(&self) -> Option<&Use> {
        self.facts.changes.as_ref()
    }

    /// What of it ends with its SQL session, in words: `a temporary view`.
    pub fn session(&self) -> Option<&str> {
        self.facts.session
    }

    /// The names of its parameters, without the colon, each once.
    pub fn parameters(&self) -> &[String] {
        &self.parameters
    }

    /// The script's line for a line of the text that was sent.
    pub fn line_of(&self, line: usize) -> usize {
        self.begins.line.saturating_add(line.saturating_sub(1))
    }

    /// The place in the script that a message of the service names as `line 3, pos 14`, which counts from the start of the
    /// text that was sent; and the part of the message that names it.
    ///
    /// ```
    /// # fn main() -> brickwire_actions::Result<()> {
    /// use brickwire_actions::Script;
    /// let script = Script::parse("SELECT 1;\n\nSELECT\n  x FROM t")?;
    /// let message = "[UNRESOLVED_COLUMN] … SQLSTATE: 42703; line 2 pos 2";
    /// let (place, part) = script.statements()[1].place_in(message).unwrap();
    /// assert_eq!((place.line, place.column), (4, 3));
    /// assert_eq!(&message[part], "line 2 pos 2");
    /// # Ok(())
    /// # }
    /// ```
    pub fn place_in(&self, message: &str) -> Option<(Position, Range<usize>)> {
        message.match_indices("line ").find_map(|(start, word)| {
            let is_whole_word = !message[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let (line, rest) = number(&message[start + word.len()..])?;
            let rest = rest.strip_prefix(", pos ").or_else(|| rest.strip_prefix(" pos "))?;
            let (offset, rest) = number(rest)?;
            let column = match line {
                1 => self.begins.column.saturating_add(offset),
                _ => offset.saturating_add(1),
            };
            let place = Position { line: self.line_of(line), column };
            is_whole_word.then(|| (place, start..message.len() - rest.len()))
        })
    }
}

/// The number that a text starts with, and what follows.
fn number(text: &str) -> Option<(usize, &str)> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    Some((text[..text.len() - rest.len()].parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use crate::Script;

    #[test]
    fn the_services_lines_are_counted_from_the_statement() {
        let script = Script::parse("SELECT 1; SELECT x,\n  y FROM t;\n-- third\nSELECT z").unwrap();
        let place = |at: usize, message: &str| {
            script.statements()[at].place_in(message).map(|(place, _)| (place.line, place.column))
        };
        assert_eq!(place(1, "Syntax error (line 1, pos 7)"), Some((1, 18)));
        assert_eq!(place(1, "at; line 2 pos 2;"), Some((2, 3)));
        assert_eq!(place(2, "line 2, pos 7"), Some((4, 8)));
        for without in
            ["", "line", "line x, pos 1", "line 1", "outline 1, pos 2", "line 99999999999999999999999, pos 1"]
        {
            assert_eq!(place(0, without), None, "{without}");
        }
    }
}
