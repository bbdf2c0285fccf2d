//! What an SQL text holds: how many statements, and which parameters. Decides what is refused before anything is sent;
//! the service accepts one statement at a time, and its own message points at the second one as a syntax error.
//!
//! The rules are Spark's: comments (`/* */` nests, a backslash at its end continues a `--` comment), strings with
//! backslash escapes or raw (`r'…'`), `` `names` ``, `$$ bodies $$`. Where the text is ambiguous, the service decides:
//! - a block (`BEGIN … END`) and what follows it count as one statement;
//! - `raw:field` and `x::INT` are not parameters; a colon in the type `STRUCT<a: INT>` is none either.

use super::{Parameter, Statement};
use crate::{Error, Result, notebook::refuse_notebook};

/// A part of the text that is not blank and no comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    /// A string or a dollar-quoted body.
    Text,
    /// The inside of backticks.
    Name(&'a str),
    Symbol(char),
}

impl Token<'_> {
    fn is_word(&self, word: &str) -> bool {
        matches!(self, Token::Word(own) if own.eq_ignore_ascii_case(word))
    }
}

/// A token and where it starts and ends.
type Placed<'a> = (Token<'a>, usize, usize);

impl Statement {
    /// Checks a statement and its parameters without sending anything. Executing and submitting check all of this but
    /// the names: a program may pass the same parameters with every statement, while a person who gives one that isn't
    /// used has made a mistake.
    ///
    /// ```
    /// use brickwire_actions::{Parameter, Statement};
    /// assert!(Statement::check("SELECT :id", &[Parameter::new("id", "1")]).is_ok());
    /// assert!(Statement::check("SELECT 1; SELECT 2", &[]).is_err());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for text without a statement or with several, for a notebook, and
    /// for a parameter that is malformed, given twice, not in the text, or missing.
    pub fn check(text: &str, parameters: &[Parameter]) -> Result<()> {
        Self::check_single(text)?;
        for parameter in parameters {
            parameter.clone().into_item()?;
        }
        check_names(&parameter_names(&tokens(text)), parameters)
    }

    /// Checks that a text is one statement, such as one to run on a cluster. Executing and submitting do the same first.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for text without a statement or with several, and for a notebook.
    pub fn check_single(text: &str) -> Result<()> {
        refuse_notebook(text)?;
        let starts = statement_starts(&tokens(text));
        match starts[..] {
            [] if text.trim().is_empty() => Err(Error::usage("the statement is empty")),
            [] => Err(Error::usage("the statement is empty: there are at most comments and semicolons")),
            [_] => Ok(()),
            [_, second, ..] => {
                let line = text[..second].matches('\n').count() + 1;
                let count = starts.len();
                Err(Error::usage(format!(
                    "only one statement can run at a time, and there are {count} statements; \
                     the second one starts in line {line}"
                ))
                .with_hint("run them one by one, or put them in a block: BEGIN … END"))
            }
        }
    }
}

/// The places of the tokens, and where the statements start, for the fuzz targets.
#[cfg(fuzzing)]
pub(crate) fn places(text: &str) -> (Vec<(usize, usize)>, Vec<usize>) {
    let tokens = tokens(text);
    (tokens.iter().map(|(_, start, end)| (*start, *end)).collect(), statement_starts(&tokens))
}

fn check_names(named: &[&str], parameters: &[Parameter]) -> Result<()> {
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    for (i, parameter) in parameters.iter().enumerate() {
        let name = parameter.name();
        if parameters[..i].iter().any(|other| same(other.name(), name)) {
            return Err(Error::usage(format!("the parameter is given more than once: {name}")));
        }
        if !named.iter().any(|other| same(other, name)) {
            let names = named.iter().map(|name| format!(":{name}")).collect::<Vec<_>>().join(", ");
            let hint = match named {
                [] => format!("write :{name} where its value belongs; :{name} in quotes is text"),
                _ => format!("the statement has these parameters: {names}"),
            };
            return Err(
                Error::usage(format!("the statement doesn't use this parameter: {name}")).with_hint(hint)
            );
        }
    }
    match named.iter().find(|name| !parameters.iter().any(|p| same(p.name(), name))) {
        Some(missing) => Err(Error::usage(format!("the statement's parameter has no value: {missing}"))
            .with_hint(format!("give a value for :{missing} with `parameters`"))),
        None => Ok(()),
    }
}

/// Where each statement starts.
fn statement_starts(tokens: &[Placed<'_>]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut rest = tokens;
    while !rest.is_empty() {
        let end = rest.iter().position(|(token, ..)| *token == Token::Symbol(';')).unwrap_or(rest.len());
        if let Some((_, start, _)) = rest[..end].first() {
            starts.push(*start);
            if opens_block(&rest[..end]) {
                break;
            }
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    starts
}

/// Whether a block starts here: `BEGIN`, `label: BEGIN`, or the body of `CREATE … PROCEDURE`. `BEGIN` alone and
/// `BEGIN TRANSACTION` are statements of their own.
fn opens_block(tokens: &[Placed<'_>]) -> bool {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|(token, ..)| token.is_word(word));
    let begin = match tokens {
        [(Token::Word(_) | Token::Name(_), ..), (Token::Symbol(':'), ..), ..] => Some(2),
        [(create, ..), ..] if create.is_word("CREATE") => {
            let is_procedure = tokens.iter().take(4).any(|(token, ..)| token.is_word("PROCEDURE"));
            tokens.iter().position(|(token, ..)| is_procedure && token.is_word("BEGIN"))
        }
        _ => Some(0),
    };
    begin.is_some_and(|at| {
        is(at, "BEGIN") && at + 1 < tokens.len() && !is(at + 1, "TRANSACTION") && !is(at + 1, "WORK")
    })
}

/// The names of the parameters, each once.
fn parameter_names<'a>(tokens: &[Placed<'a>]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    let mut struct_depth = 0_usize;
    for (i, (token, start, end)) in tokens.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|before| tokens.get(before));
        match token {
            Token::Symbol('<') if struct_depth > 0 || before.is_some_and(|(t, ..)| t.is_word("STRUCT")) => {
                struct_depth += 1;
            }
            Token::Symbol('>') => struct_depth = struct_depth.saturating_sub(1),
            Token::Symbol(':') if struct_depth == 0 => {
                // What a path or a cast follows.
                let follows = before.is_some_and(|(token, _, ended)| {
                    let is_value = !matches!(token, Token::Symbol(s) if !matches!(s, ')' | ']' | ':'));
                    ended == start && is_value
                });
                let name = match tokens.get(i + 1) {
                    Some((Token::Word(name) | Token::Name(name), at, _)) if at == end && !follows => *name,
                    _ => continue,
                };
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            _ => {}
        }
    }
    names
}

fn tokens(text: &str) -> Vec<Placed<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let raw = rest.len() > 1 && matches!(rest.as_bytes(), [b'r' | b'R', b'\'' | b'"', ..]);
        let (token, length) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if rest.starts_with("--") {
            (None, line_comment(rest))
        } else if rest.starts_with("/*") {
            (None, block_comment(rest))
        } else if raw {
            (Some(Token::Text), 1 + quoted(&rest[1..], false))
        } else if matches!(first, '\'' | '"') {
            (Some(Token::Text), quoted(rest, true))
        } else if first == '`' {
            let length = quoted(rest, false);
            (Some(Token::Name(rest[1..length].trim_end_matches('`'))), length)
        } else if let Some(length) = dollar_quoted(rest) {
            (Some(Token::Text), length)
        } else if is_word(first) {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            (Some(Token::Word(&rest[..length])), length)
        } else {
            (Some(Token::Symbol(first)), first.len_utf8())
        };
        if let Some(token) = token {
            tokens.push((token, at, at + length));
        }
        at += length;
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn line_comment(text: &str) -> usize {
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        end += line.len();
        if !line.ends_with("\\\n") {
            break;
        }
    }
    end
}

fn block_comment(text: &str) -> usize {
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
            return at;
        }
    }
    text.len()
}

/// The length of what the first character quotes. A doubled quote is read as two texts side by side, which is the same
/// here. A quote that is never closed ends with the text; the service says so.
fn quoted(text: &str, has_escapes: bool) -> usize {
    let mut characters = text.char_indices();
    let Some((_, quote)) = characters.next() else { return 0 };
    while let Some((at, c)) = characters.next() {
        if c == '\\' && has_escapes {
            characters.next();
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// `$$ body $$` or `$tag$ body $tag$`, the body of a function in another language.
fn dollar_quoted(text: &str) -> Option<usize> {
    let tag_end = text.strip_prefix('$')?.find(|c| !is_word(c))? + 1;
    let tag = text.get(..=tag_end).filter(|tag| tag.ends_with('$'))?;
    Some(text[tag.len()..].find(tag).map_or(text.len(), |at| at + 2 * tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        statement_starts(&tokens(text)).len()
    }

    #[test]
    fn statements_are_counted_through_quotes_and_comments() {
        for (text, expected) in [
            ("", 0),
            (" ;; \n", 0),
            ("-- only this", 0),
            ("SELECT 1", 1),
            ("SELECT 1;", 1),
            ("SELECT 1; -- done; really", 1),
            ("SELECT 1;;\n/* ; /* ; */ ; */", 1),
            ("SELECT ';', \"a;b\", `c;d`, 'it\\';s', 'it'';s'", 1),
            (r"SELECT r'\'; SELECT 2", 2),
            ("SELECT 1 -- a \\\n; b\n", 1),
            ("SELECT 1 /* never closed ; ", 1),
            ("SELECT 'never closed ; ", 1),
            ("SELECT 1; SELECT 2", 2),
            ("USE main;\nSELECT 2;\nSELECT 3", 3),
            ("CREATE FUNCTION f() RETURNS INT LANGUAGE PYTHON AS $$\na = 1; return a\n$$", 1),
            ("CREATE FUNCTION f() RETURNS INT LANGUAGE PYTHON AS $x$ a; $$ b $x$; SELECT 1", 2),
            ("BEGIN\n  DECLARE x INT;\n  SET x = 1;\nEND", 1),
            ("outer: BEGIN SELECT 1; SELECT 2; END;", 1),
            ("CREATE OR REPLACE PROCEDURE p() LANGUAGE SQL AS BEGIN SELECT 1; SELECT 2; END", 1),
            ("BEGIN ATOMIC INSERT INTO t VALUES (1); DELETE FROM u; END", 1),
            ("SELECT 1; BEGIN SELECT 1; END", 2),
            ("BEGIN TRANSACTION; DELETE FROM t; COMMIT", 3),
            ("BEGIN; DELETE FROM t; COMMIT", 3),
            ("SELECT begin FROM t; SELECT 2", 2),
        ] {
            assert_eq!(count(text), expected, "{text}");
        }
    }

    #[test]
    fn several_statements_are_refused_with_their_place() {
        let error = Statement::check("USE a;\n-- then\nSELECT 1;", &[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "only one statement can run at a time, and there are 2 statements; the second one starts in line 3"
        );
        for text in ["", "  ", "-- x", ";"] {
            assert!(Statement::check(text, &[]).unwrap_err().to_string().contains("empty"), "{text:?}");
        }
        assert!(Statement::check("-- Databricks notebook source\nSELECT 1", &[]).is_err());
    }

    #[test]
    fn parameters_are_found_outside_quotes() {
        for (text, expected) in [
            ("SELECT :a, :b + :a", &["a", "b"][..]),
            ("SELECT 1 LIMIT :n", &["n"]),
            ("SELECT * FROM IDENTIFIER(:t) WHERE x=:x", &["t", "x"]),
            ("SELECT ':a', \":b\", `:c` -- :d\n/* :e */", &[]),
            ("SELECT raw:owner, raw:a.b:c, raw['k']:d, f(x):e, `q`:g", &[]),
            ("SELECT x::INT, '1'::INT", &[]),
            ("SELECT CAST(x AS STRUCT<a: INT, b :ARRAY<STRUCT<c :INT>>>), :y", &["y"]),
            ("SELECT a < :b AND c > :d", &["b", "d"]),
            ("SELECT :`my name`, :_x1", &["my name", "_x1"]),
            ("lbl: BEGIN SELECT :a; END", &["a"]),
            ("SELECT :é", &["é"]),
        ] {
            assert_eq!(parameter_names(&tokens(text)), expected, "{text}");
        }
    }

    #[test]
    fn each_parameter_is_used_and_given_once() {
        let given = |names: &[&str]| names.iter().map(|name| Parameter::new(*name, "1")).collect::<Vec<_>>();
        let check = |text: &str, names: &[&str]| {
            let checked = Statement::check(text, &given(names));
            checked.map_err(|e| format!("{e} ({})", e.hint().unwrap_or_default()))
        };
        assert!(check("SELECT :a, :B", &["a", ":b"]).is_ok());
        for (text, names, words) in [
            (
                "SELECT :a",
                &["a", "b"][..],
                "doesn't use this parameter: b (the statement has these parameters: :a)",
            ),
            ("SELECT ':a'", &["a"], ":a in quotes is text"),
            ("SELECT :a", &["a", "a"], "more than once: a"),
            ("SELECT :a, :b", &["a"], "has no value: b"),
            ("SELECT :a", &["a b"], "not a parameter's name"),
        ] {
            let error = check(text, names).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        for text in ["$", "$a", "$$", "'", "`", "r'", "\\", "/*/", "--", ":", "a:", "é`ü", "$é$x", "😀;😀"]
        {
            let tokens = tokens(text);
            assert!(tokens.iter().all(|(_, start, end)| text.get(*start..*end).is_some()), "{text}");
        }
    }
}
