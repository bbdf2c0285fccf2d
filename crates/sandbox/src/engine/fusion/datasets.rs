//! The SQL of a pipeline: its statements one by one, with the definition of a materialized view or a streaming table as the
//! statement that fills an ordinary table. All rows are computed anew in each update: the engine has no streams.

use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::dialect::SandboxDialect;
use crate::engine::EngineError;

/// The statements of a pipeline's file, each as the engine can run it.
///
/// # Errors
/// The text isn't SQL, or defines something that the engine cannot keep, such as expectations.
pub fn datasets(text: &str) -> Result<Vec<String>, EngineError> {
    let tokens = Tokenizer::new(&SandboxDialect, text)
        .tokenize()
        .map_err(|error| EngineError::of_class("PARSE_SYNTAX_ERROR", "42601", error))?;
    let statements = tokens.split(|token| *token == Token::SemiColon);
    let statements = statements.filter(|tokens| tokens.iter().any(is_significant));
    statements.map(runnable).collect()
}

fn is_significant(token: &Token) -> bool {
    !matches!(token, Token::Whitespace(_) | Token::EOF)
}

fn is(token: Option<&Token>, wanted: &str) -> bool {
    matches!(token, Some(Token::Word(word)) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
}

fn text(tokens: &[Token]) -> String {
    tokens.iter().map(Token::to_string).collect::<String>().trim().to_owned()
}

fn runnable(tokens: &[Token]) -> Result<String, EngineError> {
    let significant: Vec<usize> = (0..tokens.len()).filter(|at| is_significant(&tokens[*at])).collect();
    let word = |n: usize, wanted: &str| is(significant.get(n).map(|at| &tokens[*at]), wanted);
    if !word(0, "CREATE") {
        return Ok(text(tokens));
    }
    let kinds = ["OR", "REPLACE", "REFRESH", "PRIVATE", "MATERIALIZED", "STREAMING", "LIVE"];
    let head = (1..significant.len()).take_while(|n| kinds.iter().any(|kind| word(*n, kind))).count() + 1;
    let is_dataset = (1..head).any(|n| kinds[2..].iter().any(|kind| word(n, kind)));
    if !is_dataset || !(word(head, "TABLE") || word(head, "VIEW")) {
        return Ok(text(tokens));
    }
    let mut name_at = head + 1;
    if word(name_at, "IF") {
        name_at += 3;
    }
    let (mut n, mut name) = (name_at, String::new());
    while let Some(token @ (Token::Word(_) | Token::Period)) = significant.get(n).map(|at| &tokens[*at]) {
        // A dot joins two words; without one, the next word is no part of the name.
        if matches!(token, Token::Word(_)) && !name.is_empty() && !name.ends_with('.') {
            break;
        }
        name.push_str(&token.to_string());
        n += 1;
    }
    let mut depth = 0_usize;
    let query_at = significant[n.min(significant.len())..].iter().copied().find(|at| {
        match tokens[*at] {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && is(Some(&tokens[*at]), "AS")
    });
    let Some(query_at) = query_at else {
        return Err(EngineError::unsupported(format!("a streaming table without a query: {name}")));
    };
    if tokens[..query_at].iter().any(|token| is(Some(token), "EXPECT")) {
        return Err(EngineError::unsupported(format!("expectations of a pipeline's table: {name}")));
    }
    let query = text(&without_streams(&tokens[query_at + 1..]));
    let name = unprefixed(&name);
    Ok(format!("CREATE OR REPLACE TABLE {name} AS {query}"))
}

/// `LIVE.a` is `a` of the pipeline's own schema.
fn unprefixed(name: &str) -> &str {
    match name.split_once('.') {
        Some((live, rest)) if live.eq_ignore_ascii_case("live") => rest,
        _ => name,
    }
}

/// `STREAM(a)` and `STREAM a` read all of `a`; `LIVE.a` is `a`.
fn without_streams(tokens: &[Token]) -> Vec<Token> {
    let mut out = Vec::with_capacity(tokens.len());
    let (mut at, mut closing) = (0, None);
    while at < tokens.len() {
        let token = &tokens[at];
        let next = (at + 1..tokens.len()).find(|at| is_significant(&tokens[*at]));
        match (token, next.map(|next| &tokens[next])) {
            (_, Some(Token::LParen)) if is(Some(token), "STREAM") => {
                let end = next.and_then(|open| matching(tokens, open));
                (at, closing) = (next.unwrap_or(at) + 1, end);
            }
            (_, Some(Token::Word(_))) if is(Some(token), "STREAM") => at = next.unwrap_or(at + 1),
            (_, Some(Token::Period)) if is(Some(token), "LIVE") => at = next.unwrap_or(at) + 1,
            _ => {
                if closing == Some(at) {
                    closing = None;
                } else {
                    out.push(token.clone());
                }
                at += 1;
            }
        }
    }
    out
}

/// The parenthesis that closes this one.
fn matching(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    (open..tokens.len()).find(|at| {
        match tokens[*at] {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_become_statements_that_fill_a_table() {
        for (definition, statement) in [
            (
                "-- all\nCREATE OR REFRESH MATERIALIZED VIEW a.b COMMENT 'x AS y; z' AS\nSELECT 1 AS n;",
                "CREATE OR REPLACE TABLE a.b AS SELECT 1 AS n",
            ),
            (
                "create streaming table `A b` (n INT COMMENT 'AS') as select * from stream(main.x.y) where n in (1)",
                "CREATE OR REPLACE TABLE `A b` AS select * from main.x.y where n in (1)",
            ),
            (
                "CREATE LIVE TABLE c AS SELECT * FROM STREAM live.b JOIN LIVE.d USING (n)",
                "CREATE OR REPLACE TABLE c AS SELECT * FROM b JOIN d USING (n)",
            ),
            (
                "CREATE MATERIALIZED VIEW IF NOT EXISTS LIVE.c TBLPROPERTIES ('a' = 'b') AS SELECT 1",
                "CREATE OR REPLACE TABLE c AS SELECT 1",
            ),
            ("CREATE TABLE t (n INT)", "CREATE TABLE t (n INT)"),
            ("CREATE OR REPLACE TABLE t AS SELECT 1", "CREATE OR REPLACE TABLE t AS SELECT 1"),
            ("USE SCHEMA s", "USE SCHEMA s"),
        ] {
            assert_eq!(datasets(definition).unwrap(), [statement], "{definition}");
        }
        assert_eq!(datasets("SELECT ';';\n-- end\n;;SELECT 2").unwrap(), ["SELECT ';'", "SELECT 2"]);
        assert!(datasets(" -- nothing").unwrap().is_empty());
    }

    #[test]
    fn what_the_engine_cannot_keep_is_refused() {
        for definition in [
            "CREATE STREAMING TABLE t",
            "CREATE MATERIALIZED VIEW v (CONSTRAINT c EXPECT (n > 0)) AS SELECT 1 AS n",
            "SELECT 'open",
        ] {
            assert!(datasets(definition).is_err(), "{definition}");
        }
    }
}
