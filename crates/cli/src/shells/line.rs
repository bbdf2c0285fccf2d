//! A command line as it is being typed: its words without their quotes, and the quotes for the rest of the last word.

use std::ffi::OsString;

/// How a shell quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    /// Bash and zsh: a backslash, single quotes, and double quotes, in which some characters need a backslash.
    Bash,
    /// As bash, except that a backslash escapes in single quotes, too.
    Fish,
    /// A backtick, except in single quotes, and a doubled quote.
    Powershell,
}

impl Quote {
    fn escape(self) -> char {
        if self == Self::Powershell { '`' } else { '\\' }
    }

    /// The quote that this shell takes a character for. PowerShell takes curly quotes for straight ones.
    fn straight(self, character: char) -> char {
        match character {
            '‘' | '’' | '‚' | '‛' if self == Self::Powershell => '\'',
            '“' | '”' | '„' if self == Self::Powershell => '"',
            other => other,
        }
    }

    /// Whether the escape character escapes this one within such a quote, if any.
    fn escapes(self, character: char, open: Option<char>) -> bool {
        match (self, open) {
            (_, None) => true,
            (Self::Bash, Some('\'')) | (Self::Powershell, Some('\'')) => false,
            (Self::Bash, Some(_)) => matches!(character, '$' | '`' | '"' | '\\' | '\n'),
            (Self::Fish, Some('\'')) => matches!(character, '\'' | '\\'),
            (Self::Fish, Some(_)) => matches!(character, '$' | '"' | '\\' | '\n'),
            (Self::Powershell, Some(_)) => true,
        }
    }

    /// The text in a form that this shell reads as exactly this text, within an open quote if there is one.
    pub(super) fn quoted(self, text: &str, open: Option<char>) -> String {
        let is_plain = |c: char| {
            c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '@' | '%' | '+' | '=' | ',')
        };
        if self == Self::Powershell {
            let needs_none =
                |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '\\' | ':' | '=');
            // A leading @, among others, has a meaning of its own.
            let doubled = |c: char| match c {
                '\'' | '‘' | '’' | '‚' | '‛' => format!("{c}{c}"),
                other => other.to_string(),
            };
            return match text.chars().all(needs_none) && !text.is_empty() {
                true => text.to_owned(),
                false => format!("'{}'", text.chars().map(doubled).collect::<String>()),
            };
        }
        let quoted = |c: char| match (open, c) {
            (Some('\''), '\'') => r"'\''".to_owned(),
            (Some('\''), c) => c.to_string(),
            // A backslash keeps `!` from being expanded in double quotes, but stays itself.
            (Some(_), '!') => r#""'!'""#.to_owned(),
            (Some(_), '$' | '`' | '"' | '\\') => format!("\\{c}"),
            (Some(_), c) => c.to_string(),
            (None, c) if is_plain(c) => c.to_string(),
            (None, c) => format!("\\{c}"),
        };
        text.chars().map(quoted).collect()
    }
}

/// A line up to the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Typed {
    /// The words without quotes; the last one is being completed.
    words: Vec<String>,
    /// The part of the last word that the shell keeps. It replaces the rest.
    kept: usize,
    /// The quote that is open at the cursor.
    open: Option<char>,
    quote: Quote,
}

impl Typed {
    /// Reads a line. The shell replaces what follows the last of the `breaks`, or the quote that is open.
    pub(super) fn read(line: &str, breaks: &str, quote: Quote) -> Self {
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        // What is kept if the quote that is open gets closed: only an open quote is a place where the shell cuts a word.
        let (mut kept, mut kept_before, mut open) = (0, 0, None);
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            let current = word.as_mut();
            match (open, character) {
                (open, escape)
                    if escape == quote.escape()
                        && quote.escapes(*characters.peek().unwrap_or(&escape), open) =>
                {
                    // At the end of the line it escapes nothing yet.
                    let escaped = characters.next().filter(|escaped| *escaped != '\n');
                    word.get_or_insert_default().extend(escaped);
                }
                (Some(quoting), character) if quote.straight(character) == quoting => {
                    // PowerShell's doubled quote.
                    let second = characters
                        .next_if(|next| quote == Quote::Powershell && quote.straight(*next) == quoting);
                    if let Some(second) = second {
                        word.get_or_insert_default().push(second);
                    } else {
                        open = None;
                        kept = kept_before;
                    }
                }
                (None, character) if matches!(quote.straight(character), '\'' | '"') => {
                    open = Some(quote.straight(character));
                    kept_before = kept;
                    kept = current.map_or(0, |word| word.len());
                    word.get_or_insert_default();
                }
                (None, blank) if blank.is_whitespace() => {
                    words.extend(word.take());
                    kept = 0;
                }
                (None, character) if breaks.contains(character) => {
                    let word = word.get_or_insert_default();
                    word.push(character);
                    kept = word.len();
                }
                (_, character) => word.get_or_insert_default().push(character),
            }
        }
        words.push(word.unwrap_or_default());
        Self { words, kept, open, quote }
    }

    /// The last word without quotes.
    pub(super) fn last(&self) -> &str {
        self.words.last().map_or("", String::as_str)
    }

    /// The words without quotes, from the program's name on.
    pub(super) fn words(&self) -> Vec<OsString> {
        let is_assignment = |word: &&String| {
            word.split_once('=').is_some_and(|(name, _)| {
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            })
        };
        self.words.iter().skip_while(is_assignment).map(OsString::from).collect()
    }

    /// What the shell has to insert so that the last word becomes `value`, or `None` if it can't.
    pub(super) fn rest_of(&self, value: &str) -> Option<String> {
        let rest = value.strip_prefix(&self.last()[..self.kept])?;
        let mut rest = self.quote.quoted(rest, self.open);
        // Readline closes the quote, unless the text ends with that character, escaped or not.
        rest.extend(self.open.filter(|open| rest.ends_with(*open)));
        (!rest.is_empty()).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BREAKS: &str = " \t\n\"'><=;|&(:";

    fn read(line: &str) -> (Vec<String>, usize, Option<char>) {
        let typed = Typed::read(line, BREAKS, Quote::Bash);
        (typed.words, typed.kept, typed.open)
    }

    #[test]
    fn a_line_is_read_as_bash_reads_it() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(read("brick  sql "), (words(&["brick", "sql", ""]), 0, None));
        assert_eq!(read(r"brick My\ Cl"), (words(&["brick", "My Cl"]), 0, None));
        assert_eq!(read("brick \"My Cl"), (words(&["brick", "My Cl"]), 0, Some('"')));
        assert_eq!(read("brick --w='My \"Cl"), (words(&["brick", "--w=My \"Cl"]), 4, Some('\'')));
        assert_eq!(read("brick --w=a:b"), (words(&["brick", "--w=a:b"]), 6, None));
        assert_eq!(read("brick a:b'c d'e"), (words(&["brick", "a:bc de"]), 2, None));
        assert_eq!(read(r#"brick "a\$b\c" x\"#), (words(&["brick", r"a$b\c", "x"]), 0, None));
        assert_eq!(read(r"brick 'a\").0, ["brick", r"a\"], "a backslash in single quotes is one");
        assert_eq!(Typed::read("A=1 brick x", BREAKS, Quote::Bash).words(), ["brick", "x"]);
    }

    #[test]
    fn what_is_inserted_reads_as_the_name() {
        let names = [
            "My Cluster",
            "x$(touch y)",
            "it's \"a\" `b` \\ ! #~*?[{",
            "a=b:c;d|e&f>g<h",
            "日本 語",
            "a\"",
            "a'",
            "a!",
        ];
        for name in names {
            for typed in ["brick ", "brick '", "brick \"", "brick --name=", "brick --name=\"", "brick -n'"] {
                let prefix = Typed::read(typed, BREAKS, Quote::Bash);
                let value = format!("{}{name}", prefix.last());
                let line = format!("{typed}{}", prefix.rest_of(&value).unwrap());
                let is_closed = prefix.open.is_none_or(|open| line.ends_with(open));
                assert_eq!(Typed::read(&line, BREAKS, Quote::Bash).open, prefix.open.filter(|_| !is_closed));
                assert_eq!(Typed::read(&line, BREAKS, Quote::Bash).last(), value, "{line}");
            }
            let line = Quote::Powershell.quoted(name, None);
            assert_eq!(Typed::read(&line, "", Quote::Powershell).last(), name, "{line}");
        }
        assert_eq!(Quote::Bash.quoted("x$(y) !", None), r"x\$\(y\)\ \!");
        assert_eq!(Quote::Bash.quoted("x$(y) !", Some('"')), r#"x\$(y) "'!'""#);
        assert_eq!(Quote::Powershell.quoted("it's $x", None), "'it''s $x'");
    }

    #[test]
    fn every_printable_character_goes_round_in_every_shell() {
        let all: String = (' '..='~').chain("é日’‘“”".chars()).collect();
        for quote in [Quote::Bash, Quote::Powershell] {
            let names = all.chars().map(String::from).chain([all.clone(), format!("{all}{all}")]);
            for name in names.filter(|name| !name.trim().is_empty()) {
                let line = format!("brick {}", quote.quoted(&name, None));
                let read = Typed::read(&line, "", quote);
                assert_eq!((read.last(), read.open, read.words.len()), (name.as_str(), None, 2), "{line}");
            }
        }
        // PowerShell expands nothing in single quotes, and a quote of any shape is doubled there.
        for (name, quoted) in [
            ("$(x)", "'$(x)'"),
            ("a`b", "'a`b'"),
            ("it’s", "'it’’s'"),
            ("@x", "'@x'"),
            ("C:\\x-y.z", "C:\\x-y.z"),
        ] {
            assert_eq!(Quote::Powershell.quoted(name, None), quoted);
        }
    }

    #[test]
    fn words_of_other_shells() {
        assert_eq!(Typed::read(r"'it\'s a", "", Quote::Fish).last(), "it's a");
        assert_eq!(Typed::read("brick 'it''s a", "", Quote::Powershell).last(), "it's a");
        assert_eq!(Typed::read("brick \"a`\"b ", "", Quote::Powershell).last(), "a\"b ");
    }
}
