//! The parameters of a statement: `:name`.
//!
//! Where the text is ambiguous, the service decides: `raw:field` and `x::INT` are not parameters; a colon in the type
//! `STRUCT<a: INT>` is none either.

use super::{
    Parameter,
    lexer::{Placed, Token},
};
use crate::{Error, Result};

/// The names of the parameters, each once.
pub(super) fn parameter_names<'a>(tokens: &[Placed<'a>]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for (name, ..) in markers(tokens) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The parameters in order, each with its name, where its colon stands, and where it ends.
pub(super) fn markers<'a>(tokens: &[Placed<'a>]) -> Vec<(&'a str, usize, usize)> {
    let mut found = Vec::new();
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
                if let Some((Token::Word(name) | Token::Name(name), at, after)) = tokens.get(i + 1)
                    && at == end
                    && !follows
                {
                    found.push((*name, *start, *after));
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether two names are those of one parameter.
pub(super) fn is_same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// Refuses a parameter that is malformed or given twice.
pub(crate) fn check_given(parameters: &[Parameter]) -> Result<()> {
    for (i, parameter) in parameters.iter().enumerate() {
        parameter.clone().into_item()?;
        let name = parameter.name();
        if parameters[..i].iter().any(|other| is_same(other.name(), name)) {
            return Err(Error::usage(format!("the parameter is given more than once: {name}")));
        }
    }
    Ok(())
}

/// Checks that a statement's parameters and those given are the same.
pub(super) fn check_names(named: &[&str], parameters: &[Parameter]) -> Result<()> {
    for parameter in parameters {
        let name = parameter.name();
        if !named.iter().any(|other| is_same(other, name)) {
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
    match named.iter().find(|name| !parameters.iter().any(|p| is_same(p.name(), name))) {
        Some(missing) => Err(no_value(missing, "the statement's parameter has no value")),
        None => Ok(()),
    }
}

/// The error for a parameter without a value.
pub(super) fn no_value(name: &str, message: &str) -> Error {
    Error::usage(format!("{message}: {name}"))
        .with_hint(format!("give a value for :{name} with `parameters`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::lexer::Lexer;

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
            assert_eq!(parameter_names(&Lexer::new(text).collect::<Vec<_>>()), expected, "{text}");
        }
    }
}
