//! Parameters as literals, for SQL that runs on a cluster, where the service takes no parameters.
//!
//! - `:name` becomes a literal of the parameter's type.
//! - `${name}` becomes a literal, too. Inside a string or a name in backticks its value is inserted, with escapes.
//!
//! A value never ends its literal, so it can't become code. What no parameter has as its name stays as it is.

use super::{
    Parameter,
    lexer::{Lexer, Placed, Token},
    markers::{is_same, markers},
};
use crate::{Error, Result};

/// The text with the values of parameters in it.
pub(crate) fn with_values(text: &str, parameters: &[Parameter]) -> Result<String> {
    if parameters.is_empty() {
        return Ok(text.to_owned());
    }
    let tokens: Vec<_> = Lexer::new(text).collect();
    let find = |name: &str| parameters.iter().find(|parameter| is_same(parameter.name(), name));
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let mut insert = |start: usize, end: usize, new: &str| {
        // What was inserted as a part of a longer piece is not looked at again.
        if start >= copied {
            out.push_str(&text[copied..start]);
            out.push_str(new);
            copied = end;
        }
    };
    let mut markers = markers(&tokens).into_iter().peekable();
    for (token, start, end) in &tokens {
        if let Some((name, _, marker_end)) = markers.next_if(|(_, marker_start, _)| marker_start == start) {
            if let Some(parameter) = find(name) {
                insert(*start, marker_end, &literal(parameter)?);
            }
            continue;
        }
        match token {
            Token::Symbol('$') => {
                if let Some((name, length)) = reference(&text[*start..])
                    && let Some(parameter) = find(name)
                {
                    // `r'…'` would be a raw string, in which no escape counts.
                    let gap = if text[..*start].ends_with(|c: char| c.is_alphanumeric()) { " " } else { "" };
                    insert(*start, start + length, &format!("{gap}{}", literal(parameter)?));
                }
            }
            Token::Text | Token::Name(_) => {
                if let Some(new) = inside(&text[*start..*end], find)? {
                    insert(*start, *end, &new);
                }
            }
            _ => {}
        }
    }
    out.push_str(&text[copied..]);
    Ok(out)
}

/// The name in `${name}`, which a text starts with, and the length of all of it.
fn reference(text: &str) -> Option<(&str, usize)> {
    let (name, _) = text.strip_prefix("${")?.split_once('}')?;
    Some((name.trim(), name.len() + 3))
}

/// A string or a quoted name with the values of parameters in it; none if it has no parameter.
fn inside<'a>(token: &str, find: impl Fn(&str) -> Option<&'a Parameter>) -> Result<Option<String>> {
    let is_raw = token.starts_with(['r', 'R']);
    let Some(quote) = token.chars().nth(usize::from(is_raw)).filter(|c| matches!(c, '\'' | '"' | '`')) else {
        // The body of a function in another language.
        return Ok(None);
    };
    let mut out = String::new();
    let mut copied = 0;
    for (at, _) in token.match_indices("${") {
        let Some((name, length)) = reference(&token[at..]) else { continue };
        let Some(parameter) = find(name).filter(|_| at >= copied) else { continue };
        let refuse =
            |why: &str| Error::usage(format!("the value of parameter {name} cannot stand in quotes: {why}"));
        let slashes = token[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if !is_raw && quote != '`' && slashes % 2 == 1 {
            return Err(refuse("a backslash stands before it"));
        }
        let value = parameter.text().ok_or_else(|| refuse("it is NULL"))?;
        if is_raw && value.contains(quote) {
            return Err(refuse("a raw string cannot hold its quote"));
        }
        out.push_str(&token[copied..at]);
        out.push_str(&match quote {
            _ if is_raw => value.to_owned(),
            '`' => value.replace('`', "``"),
            quote => escaped(value, quote),
        });
        copied = at + length;
    }
    out.push_str(&token[copied..]);
    Ok((copied > 0).then_some(out))
}

/// A literal of the parameter's type; a STRING without one.
fn literal(parameter: &Parameter) -> Result<String> {
    let text =
        parameter.text().map_or_else(|| "NULL".to_owned(), |text| format!("'{}'", escaped(text, '\'')));
    let Some(type_name) = parameter.type_name().map(str::trim) else { return Ok(text) };
    let is_type =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '(' | ')' | ',' | ' ' | '<' | '>' | ':');
    if !type_name.chars().all(is_type) || !is_balanced(type_name) {
        return Err(Error::usage(format!("not an SQL type: {type_name}")));
    }
    match type_name.to_ascii_uppercase().as_str() {
        "STRING" if parameter.text().is_some() => Ok(text),
        _ => Ok(format!("CAST({text} AS {type_name})")),
    }
}

/// Whether each bracket closes one that is open, so that the type can't end the expression that it stands in.
fn is_balanced(type_name: &str) -> bool {
    let mut open = Vec::new();
    type_name.chars().all(|c| match c {
        '(' | '<' => {
            open.push(c);
            true
        }
        ')' => open.pop() == Some('('),
        '>' => open.pop() == Some('<'),
        _ => true,
    }) && open.is_empty()
}

fn escaped(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for c in text.chars() {
        if c == '\\' || c == quote {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Whether the text names a parameter, as `:name` or `${name}`, anywhere but in a comment.
pub(crate) fn names_parameter(text: &str, name: &str) -> bool {
    let tokens: Vec<Placed<'_>> = Lexer::new(text).collect();
    markers(&tokens).iter().any(|(marker, ..)| is_same(marker, name))
        || tokens.iter().any(|(token, start, end)| {
            let is_reference = |text: &str| reference(text).is_some_and(|(found, _)| is_same(found, name));
            match token {
                Token::Symbol('$') => is_reference(&text[*start..]),
                Token::Text | Token::Name(_) => {
                    let rest = &text[*start..*end];
                    rest.match_indices("${").any(|(at, _)| is_reference(&rest[at..]))
                }
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ParameterValue;

    fn parameters() -> Vec<Parameter> {
        vec![
            Parameter::new("zip", "1000'1\\"),
            Parameter::new("n", 5),
            Parameter::new("none", ParameterValue::null("DATE")),
            Parameter::new("text", ParameterValue::typed("STRING", "x`\"y")),
        ]
    }

    #[test]
    fn markers_become_literals_and_all_else_stays() {
        for (text, expected) in [
            ("SELECT :zip", r"SELECT '1000\'1\\'"),
            ("SELECT :ZIP,:n", r"SELECT '1000\'1\\',CAST('5' AS INT)"),
            ("LIMIT :n", "LIMIT CAST('5' AS INT)"),
            ("SELECT :none", "SELECT CAST(NULL AS DATE)"),
            ("SELECT :other, a:zip, b::n", "SELECT :other, a:zip, b::n"),
            ("SELECT ':zip' -- :zip\n/* ${zip} */", "SELECT ':zip' -- :zip\n/* ${zip} */"),
            ("WHERE z = ${zip}", r"WHERE z = '1000\'1\\'"),
            ("WHERE z = '${zip}'", r"WHERE z = '1000\'1\\'"),
            ("WHERE z = 'a${n}b${ n }c${other}'", "WHERE z = 'a5b5c${other}'"),
            ("WHERE z = \"${text}\"", "WHERE z = \"x`\\\"y\""),
            (r"WHERE a RLIKE r${zip}", r"WHERE a RLIKE r '1000\'1\\'"),
            (r"SELECT '\\${n}'", r"SELECT '\\5'"),
            ("FROM `t_${text}`", "FROM `t_x``\"y`"),
            ("SELECT r'\\d${n}'", "SELECT r'\\d5'"),
            ("AS $$ ${n} :n $$", "AS $$ ${n} :n $$"),
            ("SELECT ${spark.x}, ${", "SELECT ${spark.x}, ${"),
        ] {
            assert_eq!(with_values(text, &parameters()).unwrap(), expected, "{text}");
        }
        assert_eq!(with_values("SELECT :a", &[]).unwrap(), "SELECT :a");
    }

    #[test]
    fn what_cannot_be_quoted_is_refused() {
        for (text, words) in [
            ("SELECT r'${zip}'", "raw string"),
            ("SELECT '${none}'", "NULL"),
            (r"SELECT '\${zip}'", "backslash"),
        ] {
            let error = with_values(text, &parameters()).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert!(!error.to_string().contains("1000"), "{error}");
        }
        for type_name in ["INT); DROP", "INT) OR (1=1", "INT) OR (a", "INT)", "(INT", "MAP<STRING"] {
            let hostile = [Parameter::new("a", ParameterValue::typed(type_name, "1"))];
            let error = with_values("SELECT :a", &hostile).unwrap_err();
            assert!(error.to_string().contains("not an SQL type"), "{error}");
        }
    }

    #[test]
    fn names_are_found_outside_of_comments() {
        for text in ["SELECT :zip", "SELECT '${zip}'", "SELECT ${ zip }"] {
            assert!(names_parameter(text, "ZIP"), "{text}");
        }
        for text in ["SELECT zip", "-- :zip", "SELECT a:zip", "SELECT ':zip'"] {
            assert!(!names_parameter(text, "zip"), "{text}");
        }
    }
}
