//! Text to one statement's tree: sqlparser itself, not DataFusion's parser, whose COPY and CREATE EXTERNAL TABLE
//! reach the host's files.
//!
//! On the tokens, before the tree: `1.5D` and its like become casts, names in backticks become lower case (names
//! don't differ by case in Databricks) while their spelling is remembered, and what would be too deep is refused.

use std::collections::HashMap;

use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::{dialect::SandboxDialect, errors::unsupported};

/// Parentheses and subqueries in each other.
const NESTING_LIMIT: usize = 200;
/// Operators in one chain (`a + b + …`). The stack would take more, but planning time grows with the square: a debug
/// build needs seconds for this many.
const CHAIN_LIMIT: usize = 500;
/// UNIONs and JOINs of one statement; each is a level of the plan.
const RELATION_LIMIT: usize = 300;

/// Lower-case name → as the statement spells it.
pub(super) type Spelling = HashMap<String, String>;

/// What a statement's text says.
#[derive(Debug)]
pub(super) enum Parsed {
    /// `CREATE CATALOG [IF NOT EXISTS] name`, which sqlparser doesn't know.
    CreateCatalog { name: String, if_not_exists: bool },
    /// `DROP CATALOG …`, which it doesn't know either.
    DropCatalog,
    /// Anything else. `extended`: it was DESCRIBE … EXTENDED.
    Statement { statement: Box<Statement>, spelling: Spelling, extended: bool },
}

pub(super) fn parse(sql: &str) -> Result<Parsed> {
    let tokens = Tokenizer::new(&SandboxDialect, sql)
        .tokenize_with_location()
        .map_err(|error| syntax_error(ParserError::TokenizerError(error.to_string())))?;
    let raw = tokens.windows(2).any(|pair| {
        matches!(&pair[0].token, Token::Word(word) if word.value.eq_ignore_ascii_case("r") && word.quote_style.is_none())
            && matches!(pair[1].token, Token::SingleQuotedString(_) | Token::DoubleQuotedString(_))
    });
    if raw {
        return plan_err!("{}", unsupported("raw texts (r'…')"));
    }
    let mut tokens = number_suffixes(tokens);
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    while tokens.last().is_some_and(|token| matches!(token.token, Token::SemiColon | Token::EOF)) {
        tokens.pop();
    }
    if tokens.is_empty() {
        return plan_err!(
            "[PARSE_EMPTY_STATEMENT] Syntax error, unexpected empty statement. SQLSTATE: 42617"
        );
    }
    refuse_depth(&tokens)?;
    if let Some(command) = catalog_command(&tokens) {
        return Ok(command);
    }
    let spelling = lower_quoted_names(&mut tokens);
    let extended = plain_describe(&mut tokens);
    let unknown = foreign_statement(&tokens);
    let mut parser =
        Parser::new(&SandboxDialect).with_recursion_limit(NESTING_LIMIT).with_tokens_with_locations(tokens);
    let mut statements = parser.parse_statements().map_err(|error| match error {
        ParserError::RecursionLimitExceeded => too_complex("nesting", NESTING_LIMIT),
        error => match unknown {
            Some(words) => DataFusionError::Plan(unsupported(&format!("the statement {words}"))),
            None => syntax_error(error),
        },
    })?;
    match (statements.pop(), statements.len()) {
        (Some(statement), 0) => Ok(Parsed::Statement { statement: Box::new(statement), spelling, extended }),
        (_, more) => plan_err!(
            "[PARSE_SYNTAX_ERROR] Syntax error at or near ';': one statement is expected, not {}. SQLSTATE: 42601",
            more + 1
        ),
    }
}

/// A type or an expression on its own.
pub(super) fn parser_of(sql: &str) -> Result<Parser<'static>> {
    Parser::new(&SandboxDialect).with_recursion_limit(NESTING_LIMIT).try_with_sql(sql).map_err(syntax_error)
}

fn syntax_error(error: ParserError) -> DataFusionError {
    DataFusionError::SQL(Box::new(error), None)
}

fn too_complex(what: &str, limit: usize) -> DataFusionError {
    DataFusionError::Plan(format!(
        "[UNSUPPORTED_FEATURE.SANDBOX] The feature is not supported: the sandbox's SQL engine takes statements of at \
         most {limit} levels of {what}. SQLSTATE: 0A000"
    ))
}

/// `1.5D`, `2F`, `3S`, `4Y`, `5BD`: one token in Spark, two here.
fn number_suffixes(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let sql_type = match (&token.token, out.last().map(|last| &last.token)) {
            (Token::Word(word), Some(Token::Number(_, false))) if word.quote_style.is_none() => {
                match word.value.to_uppercase().as_str() {
                    "D" => Some("DOUBLE"),
                    "F" => Some("FLOAT"),
                    "S" => Some("SMALLINT"),
                    "Y" => Some("TINYINT"),
                    "BD" => Some(""),
                    _ => None,
                }
            }
            _ => None,
        };
        let Some(sql_type) = sql_type else {
            out.push(token);
            continue;
        };
        if sql_type.is_empty() {
            continue;
        }
        let Some(number) = out.pop() else { continue };
        let Token::Number(text, _) = &number.token else { continue };
        let cast = [
            Token::make_keyword("CAST"),
            Token::LParen,
            Token::SingleQuotedString(text.clone()),
            Token::make_keyword("AS"),
            Token::make_keyword(sql_type),
            Token::RParen,
        ];
        out.extend(cast.map(|token| TokenWithSpan::new(token, number.span)));
    }
    out
}

/// Depth is bounded before the parser builds a tree whose mere walking would overflow the stack.
fn refuse_depth(tokens: &[TokenWithSpan]) -> Result<()> {
    let mut relations = 0;
    let mut chains = vec![0_usize];
    for token in tokens {
        let operator = match &token.token {
            Token::LParen | Token::LBracket => {
                chains.push(0);
                false
            }
            Token::RParen | Token::RBracket => {
                if chains.len() > 1 {
                    chains.pop();
                }
                false
            }
            Token::Comma => {
                if let Some(chain) = chains.last_mut() {
                    *chain = 0;
                }
                false
            }
            Token::Word(word) => {
                use Keyword::{AND, DIV, EXCEPT, INTERSECT, JOIN, MINUS, NOT, OR, UNION, WHEN};
                relations += usize::from(matches!(word.keyword, UNION | EXCEPT | INTERSECT | MINUS | JOIN));
                matches!(word.keyword, AND | OR | NOT | WHEN | DIV)
            }
            Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) | Token::Number(..) => false,
            Token::Period | Token::Colon | Token::SemiColon | Token::Placeholder(_) => false,
            _ => true,
        };
        if let Some(chain) = chains.last_mut() {
            *chain += usize::from(operator);
            if *chain > CHAIN_LIMIT {
                return Err(too_complex("operators", CHAIN_LIMIT));
            }
        }
    }
    if relations > RELATION_LIMIT {
        return Err(too_complex("UNION and JOIN", RELATION_LIMIT));
    }
    Ok(())
}

fn lower_quoted_names(tokens: &mut [TokenWithSpan]) -> Spelling {
    let mut spelling = Spelling::new();
    let mut after_as = false;
    for token in tokens {
        let Token::Word(word) = &mut token.token else {
            after_as = false;
            continue;
        };
        let lower = word.value.to_lowercase();
        if lower != word.value && (after_as || word.quote_style.is_some()) {
            spelling.entry(lower.clone()).or_insert_with(|| word.value.clone());
        }
        if word.quote_style.is_some() {
            word.value = lower;
        }
        after_as = word.keyword == Keyword::AS;
    }
    spelling
}

/// `DESCRIBE [TABLE | QUERY] [EXTENDED] x` → `DESCRIBE x`.
fn plain_describe(tokens: &mut Vec<TokenWithSpan>) -> bool {
    if !matches!(upper(tokens, 0).as_str(), "DESCRIBE" | "DESC") {
        return false;
    }
    let mut extended = false;
    while tokens.len() > 2
        && matches!(upper(tokens, 1).as_str(), "TABLE" | "QUERY" | "EXTENDED" | "FORMATTED")
    {
        extended |= matches!(upper(tokens, 1).as_str(), "EXTENDED" | "FORMATTED");
        tokens.remove(1);
    }
    extended
}

fn catalog_command(tokens: &[TokenWithSpan]) -> Option<Parsed> {
    let words: Vec<String> = (0..tokens.len().min(8)).map(|i| upper(tokens, i)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let name = |i: usize| match tokens.get(i).map(|token| &token.token) {
        Some(Token::Word(word)) => Some(word.value.to_lowercase()),
        _ => None,
    };
    match words[..] {
        ["CREATE", "CATALOG", "IF", "NOT", "EXISTS", _, ..] => {
            Some(Parsed::CreateCatalog { name: name(5)?, if_not_exists: true })
        }
        ["CREATE", "CATALOG", _, ..] => Some(Parsed::CreateCatalog { name: name(2)?, if_not_exists: false }),
        ["DROP", "CATALOG", ..] => Some(Parsed::DropCatalog),
        _ => None,
    }
}

/// The first words of a statement that Databricks has and the grammar doesn't.
fn foreign_statement(tokens: &[TokenWithSpan]) -> Option<String> {
    const KNOWN: &[&str] = &[
        "ALTER", "ANALYZE", "BEGIN", "CACHE", "CALL", "CLEAR", "COMMENT", "CONVERT", "COPY", "DECLARE",
        "DENY", "EXECUTE", "FSCK", "GRANT", "LIST", "LOAD", "MERGE", "MSCK", "OPTIMIZE", "PUT", "REFRESH",
        "REORG", "REPAIR", "RESTORE", "REVOKE", "SYNC", "UNCACHE", "UNDROP", "VACUUM",
    ];
    const SECOND: &[&str] = &[
        "BLOOMFILTER",
        "CONNECTION",
        "CREDENTIAL",
        "EXTERNAL",
        "FOREIGN",
        "FUNCTION",
        "HISTORY",
        "MATERIALIZED",
        "POLICY",
        "PROCEDURE",
        "RECIPIENT",
        "SHARE",
        "STREAMING",
        "VOLUME",
    ];
    let (first, second) = (upper(tokens, 0), upper(tokens, 1));
    let known = KNOWN.contains(&first.as_str())
        || (["CREATE", "DROP", "DESCRIBE", "DESC", "SHOW"].contains(&first.as_str())
            && SECOND.contains(&second.as_str()));
    known.then(|| format!("{first} {second}"))
}

fn upper(tokens: &[TokenWithSpan], index: usize) -> String {
    match tokens.get(index).map(|token| &token.token) {
        Some(Token::Word(word)) => word.value.to_uppercase(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(sql: &str) -> (Statement, Spelling) {
        match parse(sql).unwrap() {
            Parsed::Statement { statement, spelling, .. } => (*statement, spelling),
            other => panic!("not a statement: {other:?}"),
        }
    }

    #[test]
    fn number_suffixes_are_casts() {
        assert_eq!(
            statement("SELECT 1.5D, 2Y, 7.25BD, 10L").0.to_string(),
            "SELECT CAST('1.5' AS DOUBLE), CAST('2' AS TINYINT), 7.25, 10L"
        );
        assert_eq!(statement("SELECT 1 d").0.to_string(), "SELECT 1 AS d", "an alias, not a suffix");
    }

    #[test]
    fn quoted_names_are_lowered_and_their_spelling_kept() {
        let (statement, spelling) = statement("SELECT `Id`, x AS Name FROM `Main`.`T` WHERE Y = 'Id'");
        assert_eq!(statement.to_string(), "SELECT `id`, x AS Name FROM `main`.`t` WHERE Y = 'Id'");
        assert_eq!(spelling["id"], "Id");
        assert_eq!(spelling["name"], "Name");
        assert!(!spelling.contains_key("y"));
    }

    #[test]
    fn host_files_are_out_of_the_grammar() {
        for sql in [
            "CREATE EXTERNAL TABLE t (a INT) STORED AS CSV LOCATION '/etc/passwd'",
            "SELECT 1; SELECT 2",
            "",
            " -- nothing\n",
        ] {
            assert!(parse(sql).is_err(), "{sql}");
        }
    }

    #[test]
    fn long_chains_are_refused_and_long_lists_are_not() {
        let check = || {
            let refused = |sql: String| parse(&sql).unwrap_err().to_string().contains("levels of");
            assert!(refused(format!("SELECT 1{}", " + 1".repeat(CHAIN_LIMIT + 1))));
            assert!(refused(format!("SELECT 1{}", " UNION SELECT 1".repeat(RELATION_LIMIT + 1))));
            assert!(refused(format!(
                "SELECT {}1{}",
                "(".repeat(2 * NESTING_LIMIT),
                ")".repeat(2 * NESTING_LIMIT)
            )));
            assert!(parse(&format!("SELECT 1 IN (-1{})", ", -2".repeat(5000))).is_ok());
        };
        // A test's own stack is smaller than the runtime's.
        let roomy = std::thread::Builder::new().stack_size(super::super::runtime::STACK_BYTES);
        roomy.spawn(check).unwrap().join().unwrap();
    }

    #[test]
    fn catalogs_are_commands_of_their_own() {
        assert!(matches!(
            parse("create catalog if not exists `Dev`;").unwrap(),
            Parsed::CreateCatalog { name, if_not_exists: true } if name == "dev"
        ));
    }
}
