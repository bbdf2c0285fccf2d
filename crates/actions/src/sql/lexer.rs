//! The tokens of an SQL text, in one pass: what is left once blanks and comments are gone.
//!
//! The rules are Spark's: comments (`/* */` nests, a backslash at its end continues a `--` comment), strings with
//! backslash escapes or raw (`r'…'`), `` `names` `` (a doubled backtick is one), and `$tag$ bodies $tag$`.

/// A part of the text that is not blank and no comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A keyword, a name, or a number.
    Word(&'a str),
    /// A string or a dollar-quoted body.
    Text,
    /// The inside of backticks, as written.
    Name(&'a str),
    Symbol(char),
}

impl Token<'_> {
    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(self, Token::Word(own) if own.eq_ignore_ascii_case(word))
    }

    pub(crate) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is_word(word))
    }
}

/// A token and where it starts and ends.
pub(crate) type Placed<'a> = (Token<'a>, usize, usize);

/// What a text opens and doesn't close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    /// A string in this quote.
    Text(char),
    Name,
    Comment,
    Dollars,
    Block,
}

/// Reads the tokens one by one.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// What the text opened and didn't close, and where that starts. Known at the end.
    pub(crate) open: Option<(Open, usize)>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, open: None }
    }

    /// Passes what the text opens here, and notes if it is never closed.
    fn pass(&mut self, open: Open, length: Option<usize>) -> usize {
        length.unwrap_or_else(|| {
            self.open = Some((open, self.at));
            self.text.len() - self.at
        })
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Placed<'a>;

    fn next(&mut self) -> Option<Placed<'a>> {
        loop {
            let rest = &self.text[self.at..];
            let first = rest.chars().next()?;
            let is_raw = matches!(rest.as_bytes(), [b'r' | b'R', b'\'' | b'"', ..]);
            let (token, length) = if first.is_whitespace() || first == '\u{feff}' {
                (None, first.len_utf8())
            } else if rest.starts_with("--") {
                (None, line_comment(rest))
            } else if rest.starts_with("/*") {
                (None, self.pass(Open::Comment, block_comment(rest)))
            } else if is_raw {
                let quote = char::from(rest.as_bytes()[1]);
                let length = quoted(&rest[1..], false).map(|length| length + 1);
                (Some(Token::Text), self.pass(Open::Text(quote), length))
            } else if matches!(first, '\'' | '"') {
                (Some(Token::Text), self.pass(Open::Text(first), quoted(rest, true)))
            } else if first == '`' {
                let (length, inside) = match name(rest) {
                    Some(length) => (length, &rest[1..length - 1]),
                    None => (self.pass(Open::Name, None), &rest[1..]),
                };
                (Some(Token::Name(inside)), length)
            } else if let Some(tag) = dollar_tag(rest) {
                let closing = rest[tag.len()..].find(tag).map(|at| at + 2 * tag.len());
                (Some(Token::Text), self.pass(Open::Dollars, closing))
            } else if is_word(first) {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                (Some(Token::Word(&rest[..length])), length)
            } else {
                (Some(Token::Symbol(first)), first.len_utf8())
            };
            let start = self.at;
            self.at += length;
            if let Some(token) = token {
                return Some((token, start, self.at));
            }
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A carriage return ends a comment, too. A backslash before the line feed continues it.
fn line_comment(text: &str) -> usize {
    let mut end = 0;
    loop {
        end += text[end..].find(['\r', '\n']).unwrap_or(text.len() - end);
        if !(text[..end].ends_with('\\') && text[end..].starts_with('\n')) {
            return end;
        }
        end += 1;
    }
}

fn block_comment(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The length of what the first character quotes. A doubled quote is read as two texts side by side, which is the same
/// here.
fn quoted(text: &str, has_escapes: bool) -> Option<usize> {
    let mut characters = text.char_indices();
    let (_, quote) = characters.next()?;
    while let Some((at, c)) = characters.next() {
        if c == '\\' && has_escapes {
            characters.next();
        } else if c == quote {
            return Some(at + c.len_utf8());
        }
    }
    None
}

/// The length of a name in backticks. A doubled backtick is a part of it.
fn name(text: &str) -> Option<usize> {
    let mut at = 1;
    loop {
        at += text[at..].find('`')? + 1;
        if !text[at..].starts_with('`') {
            return Some(at);
        }
        at += 1;
    }
}

/// `$$` or `$tag$`, which starts the body of a function in another language.
fn dollar_tag(text: &str) -> Option<&str> {
    let tag_end = text.strip_prefix('$')?.find(|c| !is_word(c))? + 1;
    text.get(..=tag_end).filter(|tag| tag.ends_with('$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_read_to_its_end() {
        for text in [
            "$",
            "$a",
            "$$",
            "'",
            "`",
            "``",
            "```",
            "r'",
            "\\",
            "/*/",
            "--",
            ":",
            "a:",
            "é`ü",
            "$é$x",
            "😀;😀",
            "`a``b`",
        ] {
            let mut lexer = Lexer::new(text);
            let all: Vec<_> = lexer.by_ref().collect();
            assert!(all.iter().all(|(_, start, end)| text.get(*start..*end).is_some()), "{text}");
            assert_eq!(lexer.at, text.len(), "{text}");
        }
    }

    #[test]
    fn what_is_not_closed_is_known_by_its_start() {
        for (text, open) in [
            ("SELECT 'a", Some((Open::Text('\''), 7))),
            ("SELECT r\"a\\", Some((Open::Text('"'), 7))),
            ("SELECT 1 /* /* */", Some((Open::Comment, 9))),
            ("SELECT `a``", Some((Open::Name, 7))),
            ("AS $x$ $$", Some((Open::Dollars, 3))),
            ("SELECT 'a\\'b' -- '", None),
            ("SELECT `a``b`, $a, '$$'", None),
        ] {
            let mut lexer = Lexer::new(text);
            lexer.by_ref().for_each(drop);
            assert_eq!(lexer.open, open, "{text}");
        }
    }
}
