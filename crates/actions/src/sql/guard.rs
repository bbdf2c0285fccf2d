//! Whether an SQL text only reads, for read-only mode. What can't be read with certainty is refused: this lexer and the
//! service's must see the same words, whatever the text is.
//!
//! - `SELECT`, `VALUES`, `TABLE`, `SHOW`, `DESCRIBE`, `EXPLAIN`, `LIST` and `USE` read, also in parentheses. `USE` changes
//!   only its own session.
//! - `WITH` and `FROM` read if no word in them is `INSERT`, `UPDATE`, `DELETE` or `MERGE`. A name can be one of these words
//!   in backticks.
//! - All else is refused: `CALL`, `EXECUTE IMMEDIATE` and `BEGIN`, which may do anything, `SET`, `CACHE`, `REFRESH`,
//!   `ANALYZE`, and each statement that this version doesn't know.
//! - So are the built-in functions that act outside of the query.
//!
//! A function of the user that a query calls runs with all rights of the user. The guard doesn't know what it does.

use super::lexer::{Lexer, Placed, Token};
use crate::{Error, ErrorKind, Result, notebook::refuse_notebook};

/// Statements that only read, whatever follows.
const READS: [&str; 5] = ["DESC", "DESCRIBE", "LIST", "SHOW", "USE"];

/// Statements that start a query and can't be anything else, except after a pipe.
const QUERIES: [&str; 3] = ["SELECT", "TABLE", "VALUES"];

/// Statements that are a query or a change.
const EITHER: [&str; 2] = ["FROM", "WITH"];

/// The changes that may follow these.
const CHANGES: [&str; 4] = ["DELETE", "INSERT", "MERGE", "UPDATE"];

/// Built-in functions that send something elsewhere, or run code.
const ACTS: [&str; 5] = ["HTTP_REQUEST", "JAVA_METHOD", "REFLECT", "REMOTE_QUERY", "TRY_REFLECT"];

/// Refuses a text with a statement that may change something.
pub(super) fn check_reads(text: &str) -> Result<()> {
    refuse_notebook(text)?;
    let mut lexer = Lexer::new(text);
    let tokens: Vec<Placed<'_>> = lexer.by_ref().collect();
    if let Some((_, at)) = lexer.open {
        return Err(unread(text, at, "a quote or a comment that isn't closed"));
    }
    check_gaps(text, &tokens)?;
    tokens.split(|(token, ..)| *token == Token::Symbol(';')).try_for_each(|one| check_one(text, one))
}

/// Checks the tokens of one statement.
fn check_one(text: &str, tokens: &[Placed<'_>]) -> Result<()> {
    let opening = tokens.iter().take_while(|(token, ..)| *token == Token::Symbol('(')).count();
    let (first, at) = match &tokens[opening..] {
        [] if opening == 0 => return Ok(()),
        [(Token::Word(first), at, _), ..] => (upper(first), *at),
        [(_, at, _), ..] => return Err(unread(text, *at, "it starts with neither a word nor a parenthesis")),
        [] => return Err(unread(text, tokens[0].1, "it is nothing but parentheses")),
    };
    let has = |words: &[&str]| words.contains(&first.as_str());
    let is_explained =
        first == "EXPLAIN" && !tokens.get(opening + 1).is_some_and(|second| is_any(second, &["ANALYZE"]));
    if has(&READS) || is_explained {
        return Ok(());
    }
    if !has(&QUERIES) && !has(&EITHER) {
        return Err(refused(text, at, &first));
    }
    let is_pipe = |pair: &[Placed<'_>]| pair[0].0 == Token::Symbol('|') && pair[1].0 == Token::Symbol('>');
    if has(&EITHER) || opening > 0 || tokens.windows(2).any(is_pipe) {
        // Wherever it stands: if the parentheses were counted otherwise than by the service, a change could hide in them.
        if let Some((Token::Word(word), at, _)) = tokens.iter().find(|token| is_any(token, &CHANGES)) {
            let hint = "leave out `read_only` to allow it; if this is a name, write it in backticks";
            return Err(refused(text, *at, &upper(word)).with_hint(hint));
        }
    }
    if let Some(at) = called_by_value(tokens) {
        return Err(unread(text, at, "a function that an expression names"));
    }
    let is_call = |pair: &&[Placed<'_>]| {
        let name = matches!(pair[0].0, Token::Word(name) | Token::Name(name) if ACTS.contains(&upper(name).as_str()));
        name && pair[1].0 == Token::Symbol('(')
    };
    match tokens.windows(2).find(is_call) {
        Some([(Token::Word(name) | Token::Name(name), at, _), ..]) => {
            Err(refused(text, *at, &format!("{}()", name.to_lowercase())))
        }
        _ => Ok(()),
    }
}

/// Where `IDENTIFIER(…)` is called as a function.
fn called_by_value(tokens: &[Placed<'_>]) -> Option<usize> {
    let is = |at: usize, symbol: char| tokens.get(at).is_some_and(|(t, ..)| *t == Token::Symbol(symbol));
    tokens.iter().enumerate().filter(|(_, token)| is_any(token, &["IDENTIFIER"])).find_map(
        |(i, (_, at, _))| {
            let mut depth = 0_usize;
            let end = (i + 1..tokens.len()).find(|at| {
                depth = if is(*at, '(') { depth + 1 } else { depth - usize::from(is(*at, ')') && depth > 0) };
                depth == 0
            })?;
            (is(end, ')') && is(end + 1, '(')).then_some(*at)
        },
    )
}

/// A word as the service compares it: it folds each character to upper case, the dotless i and the long s included.
fn upper(word: &str) -> String {
    word.to_uppercase()
}

fn is_any((token, ..): &Placed<'_>, words: &[&str]) -> bool {
    matches!(token, Token::Word(word) if words.contains(&upper(word).as_str()))
}

/// Refuses what versions of Spark's lexer read in different ways, so that the text behind it could be code to one of them
/// and a comment or a string to the other.
fn check_gaps(text: &str, tokens: &[Placed<'_>]) -> Result<()> {
    let mut end = 0;
    for (token, start, after) in tokens {
        check_gap(text, end, *start)?;
        let own = &text[*start..*after];
        if *token == Token::Text && own.starts_with('$') {
            return Err(unread(text, *start, "a body in dollar signs"));
        }
        let is_raw = own.starts_with(['r', 'R']);
        if *token == Token::Text && is_raw && own.trim_end_matches(['\'', '"']).ends_with('\\') {
            return Err(unread(text, *start, "a raw string that ends with a backslash"));
        }
        end = *after;
    }
    check_gap(text, end, text.len())
}

/// Checks what is between two tokens: blanks and comments.
fn check_gap(text: &str, start: usize, end: usize) -> Result<()> {
    let mut at = start;
    while at < end {
        let rest = &text[at..end];
        let comment = if rest.starts_with("--") {
            let line = rest.split_inclusive('\n').next().unwrap_or(rest);
            let content = line.trim_end_matches(['\n', '\r']);
            if content.ends_with('\\') && line.ends_with('\n') {
                return Err(unread(text, at, "a comment that a backslash continues"));
            }
            line
        } else if let Some(inner) = rest.strip_prefix("/*") {
            let comment = &rest[..inner.find("*/").map_or(rest.len(), |end| end + 4)];
            if comment[2..].contains("/*") {
                return Err(unread(text, at, "a comment in a comment"));
            }
            if let Some(hint) = comment.strip_prefix("/*+")
                && !is_plain_hint(hint.trim_end_matches("*/"))
            {
                return Err(unread(text, at, "a hint of more than names and numbers"));
            }
            comment
        } else {
            &rest[..rest.chars().next().map_or(1, char::len_utf8)]
        };
        // To the service, a carriage return ends a line.
        if comment.trim_end_matches("\r\n").contains('\r') && !comment.starts_with("/*") && comment != "\r" {
            return Err(unread(text, at, "a comment with a carriage return"));
        }
        at += comment.len();
    }
    Ok(())
}

/// Whether a hint can only be a hint: the service reads it as code.
fn is_plain_hint(hint: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "_.,()".contains(c);
    let is_change = |word: &str| CHANGES.contains(&upper(word).as_str());
    hint.chars().all(is_plain) && !hint.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(is_change)
}

fn refused(text: &str, at: usize, what: &str) -> Error {
    let line = line_of(text, at);
    Error::new(ErrorKind::ReadOnly, format!("read-only mode refuses this statement in line {line}: {what}"))
        .with_hint("leave out `read_only` to allow it")
}

fn unread(text: &str, at: usize, why: &str) -> Error {
    let line = line_of(text, at);
    Error::new(ErrorKind::ReadOnly, format!("read-only mode can't judge the text in line {line}: {why}"))
        .with_hint("write it another way, or leave out `read_only`")
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[cfg(test)]
mod tests;
