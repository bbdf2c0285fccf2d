//! The scripted engine's reading of a statement: words, texts and single signs.

use super::super::EngineError;

/// The statement cut into words, and where reading has come to.
pub(super) struct Words<'a> {
    sql: &'a str,
    words: Vec<(usize, &'a str)>,
    next: usize,
}

impl<'a> Words<'a> {
    pub(super) fn of(sql: &'a str) -> Self {
        let mut words = Vec::new();
        let mut at = 0;
        while let Some(first) = sql[at..].chars().next() {
            let rest = &sql[at..];
            let length = match first {
                '\'' | '`' => quoted(rest, first),
                _ if part_of_word(first) => rest.find(|c| !part_of_word(c)).unwrap_or(rest.len()),
                _ => first.len_utf8(),
            };
            if !first.is_whitespace() {
                words.push((at, &rest[..length]));
            }
            at += length;
        }
        Self { sql, words, next: 0 }
    }

    pub(super) fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).map(|(_, word)| *word)
    }

    pub(super) fn next(&mut self) -> Option<&'a str> {
        let word = self.peek();
        self.next += usize::from(word.is_some());
        word
    }

    /// Takes the next word if it is this one, in any case.
    pub(super) fn accept(&mut self, expected: &str) -> bool {
        let matches = self.peek().is_some_and(|word| word.eq_ignore_ascii_case(expected));
        self.next += usize::from(matches);
        matches
    }

    pub(super) fn syntax_error(&self) -> EngineError {
        let near = self.peek().map_or_else(|| "end of input".to_owned(), |word| format!("'{word}'"));
        let position = self.words.get(self.next).map_or(self.sql.len(), |(at, _)| *at);
        let mut error = EngineError::of_class(
            "PARSE_SYNTAX_ERROR",
            "42601",
            format_args!("Syntax error at or near {near}."),
        );
        error.message.push_str(&format!(" (line 1, pos {position})"));
        error
    }

    pub(super) fn refusal(&self) -> EngineError {
        EngineError::unsupported(format_args!(
            "it was built without the feature `sql`; statement: {}",
            self.sql
        ))
    }
}

fn part_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '-')
}

/// The length of a quoted text with its quotes; a doubled quote stands for itself.
fn quoted(text: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(end) = text[at..].find(quote) {
        at += end + 1;
        if !text[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    text.len()
}
