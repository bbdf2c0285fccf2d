//! What the tokens of a statement say about it: its verb, whether it returns rows, the default catalog or schema that it
//! sets, and whether what it does is lost when its SQL session ends.

use super::{
    lexer::{Placed, Token},
    split::has_label,
};

/// What a statement changes of the names that the following ones are resolved with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Use {
    /// `USE CATALOG c`, `SET CATALOG c`. The service resets the schema to `default`.
    Catalog(String),
    /// `USE s`, `USE SCHEMA s`, `USE DATABASE s`.
    Schema(String),
    /// `USE c.s`: the catalog and the schema.
    CatalogAndSchema(String, String),
}

/// What is known of a statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// In upper case.
    pub(super) verb: String,
    pub(super) title: String,
    pub(super) returns_rows: bool,
    pub(super) changes: Option<Use>,
    /// What of it lasts as long as an SQL session.
    pub(super) session: Option<&'static str>,
}

/// Statements that return rows. `CALL`, `EXECUTE IMMEDIATE` and a block may.
const RETURN_ROWS: &[&str] = &[
    "SELECT", "VALUES", "TABLE", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "LIST", "CALL", "EXECUTE",
    "BEGIN",
];

/// Verbs of queries that may come after `WITH` and `FROM`.
const CHANGES: &[&str] = &["INSERT", "UPDATE", "DELETE", "MERGE"];

impl Facts {
    pub(super) fn of(text: &str, tokens: &[Placed<'_>]) -> Self {
        let opening = tokens.iter().take_while(|(token, ..)| *token == Token::Symbol('(')).count();
        let tokens = &tokens[opening..];
        let first = match tokens {
            // The label of a block.
            _ if has_label(tokens) => word_at(tokens, 2),
            _ => word_at(tokens, 0),
        };
        let verb = match first.as_str() {
            "WITH" | "FROM" => main_verb(tokens).unwrap_or(first),
            _ => first,
        };
        let session = session(tokens);
        let is_setting_shown = verb == "SET" && session.is_none() && changes(text, tokens).is_none();
        let is_transaction = verb == "BEGIN" && session.is_some();
        Self {
            title: title(text, tokens, &verb),
            returns_rows: RETURN_ROWS.contains(&verb.as_str()) && !is_transaction || is_setting_shown,
            changes: changes(text, tokens),
            session,
            verb,
        }
    }
}

/// The word at a position in upper case; empty for another token.
fn word_at(tokens: &[Placed<'_>], at: usize) -> String {
    match tokens.get(at) {
        Some((Token::Word(word), ..)) => word.to_ascii_uppercase(),
        _ => String::new(),
    }
}

fn is_at(tokens: &[Placed<'_>], at: usize, words: &[&str]) -> bool {
    tokens.get(at).is_some_and(|(token, ..)| token.is_any(words))
}

/// What `WITH …` and `FROM …` do in the end: the change that stands outside of parentheses, if there is one.
fn main_verb(tokens: &[Placed<'_>]) -> Option<String> {
    let mut depth = 0_usize;
    let mut query = None;
    for (i, (token, ..)) in tokens.iter().enumerate() {
        match token {
            Token::Symbol('(') => depth += 1,
            Token::Symbol(')') => depth = depth.saturating_sub(1),
            Token::Word(word) if depth == 0 => {
                let is_name = i > 0 && tokens[i - 1].0 == Token::Symbol('.');
                if token.is_any(CHANGES) && !is_name {
                    return Some(word.to_ascii_uppercase());
                }
                if query.is_none() && i > 0 && token.is_any(&["SELECT", "VALUES", "TABLE", "FROM"]) {
                    query = Some(word.to_ascii_uppercase());
                }
            }
            _ => {}
        }
    }
    query
}

/// What lasts as long as the SQL session, if anything.
fn session(tokens: &[Placed<'_>]) -> Option<&'static str> {
    const TEMPORARY: [&str; 2] = ["TEMP", "TEMPORARY"];
    match word_at(tokens, 0).as_str() {
        "CREATE" => {
            let at = tokens.iter().take(5).position(|(token, ..)| token.is_any(&TEMPORARY))?;
            Some(match word_at(tokens, at + 1).as_str() {
                "VIEW" => "a temporary view",
                "FUNCTION" => "a temporary function",
                "TABLE" => "a temporary table",
                _ => return None,
            })
        }
        "DECLARE" => Some("a variable"),
        "SET" => {
            let has_value = tokens.iter().any(|(token, ..)| *token == Token::Symbol('='));
            let is_variable = is_at(tokens, 1, &["VAR", "VARIABLE"]);
            match is_at(tokens, 1, &["CATALOG"]) {
                true => is_at(tokens, 2, &["IDENTIFIER"]).then_some("a catalog that an expression names"),
                false if is_variable => Some("a variable"),
                false => (has_value || is_at(tokens, 1, &["TIME"])).then_some("a setting"),
            }
        }
        "BEGIN" | "START" => {
            let is_transaction = tokens.len() == 1 || is_at(tokens, 1, &["TRANSACTION", "WORK"]);
            is_transaction.then_some("a transaction")
        }
        "USE" => {
            let at = if is_at(tokens, 1, &["CATALOG", "SCHEMA", "DATABASE"]) { 2 } else { 1 };
            let is_call = tokens.get(at + 1).is_some_and(|(token, ..)| *token == Token::Symbol('('));
            (is_at(tokens, at, &["IDENTIFIER"]) && is_call).then_some("a name that an expression gives")
        }
        _ => None,
    }
}

/// The catalog or schema that a statement makes the default.
fn changes(text: &str, tokens: &[Placed<'_>]) -> Option<Use> {
    let (verb, object) = (word_at(tokens, 0), word_at(tokens, 1));
    let rest = match (verb.as_str(), object.as_str()) {
        ("USE" | "SET", "CATALOG") if tokens.len() > 2 => {
            return match &tokens[2..] {
                [name] => name_of(text, name).map(Use::Catalog),
                _ => None,
            };
        }
        ("USE", "SCHEMA" | "DATABASE") if tokens.len() > 2 => &tokens[2..],
        ("USE", _) => tokens.get(1..)?,
        _ => return None,
    };
    match rest {
        [schema] => name_of(text, schema).map(Use::Schema),
        [catalog, (Token::Symbol('.'), ..), schema] => {
            Some(Use::CatalogAndSchema(name_of(text, catalog)?, name_of(text, schema)?))
        }
        _ => None,
    }
}

/// A name without its quotes.
fn name_of(text: &str, (token, start, end): &Placed<'_>) -> Option<String> {
    match token {
        Token::Word(word) => Some((*word).to_owned()),
        Token::Name(inside) => Some(inside.replace("``", "`")),
        // `USE CATALOG 'main'`. One with escapes is not judged here.
        Token::Text => {
            let quoted = text.get(*start..*end)?;
            let inside = quoted.strip_prefix(['\'', '"'])?.strip_suffix(['\'', '"'])?;
            (!inside.contains('\\')).then(|| inside.to_owned())
        }
        Token::Symbol(_) => None,
    }
}

/// The verb and what it is about: `CREATE TABLE sales.daily`. Never a literal, which may be a secret.
fn title(text: &str, tokens: &[Placed<'_>], verb: &str) -> String {
    const LONGEST: usize = 60;
    /// These start a part that is not in a title.
    const REST: &[&str] = &[
        "ADD",
        "AS",
        "BY",
        "COMMENT",
        "FROM",
        "LOCATION",
        "OPTIONS",
        "PARTITION",
        "RENAME",
        "RETURNS",
        "SELECT",
        "SET",
        "TBLPROPERTIES",
        "TO",
        "TYPE",
        "USING",
        "VALUES",
        "WHERE",
        "WITH",
        "ZORDER",
    ];
    const QUERIES: &[&str] = &["SELECT", "VALUES", "FROM", "BEGIN", "EXECUTE", "EXPLAIN", "DECLARE", ""];
    if QUERIES.contains(&verb) || is_at(tokens, 0, &["WITH", "FROM"]) {
        return verb.to_owned();
    }
    let mut title = String::new();
    let mut after_dot = true;
    for (i, (token, start, end)) in tokens.iter().enumerate() {
        let is_delete = i == 1 && token.is_word("FROM");
        let is_dot = *token == Token::Symbol('.');
        if i > 0 && token.is_any(REST) && !is_delete && !after_dot {
            break;
        }
        match token {
            Token::Word(_) | Token::Name(_) => {}
            Token::Symbol('.') if i > 0 => {}
            _ => break,
        }
        let part = text.get(*start..*end).unwrap_or_default();
        if title.len() + part.len() > LONGEST {
            break;
        }
        if i > 0 && !is_dot && !after_dot {
            title.push(' ');
        }
        title.push_str(part);
        after_dot = is_dot;
    }
    title
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::lexer::Lexer;

    fn facts(text: &str) -> Facts {
        Facts::of(text, &Lexer::new(text).collect::<Vec<_>>())
    }

    #[test]
    fn the_verb_is_what_a_statement_does() {
        for (text, verb, returns_rows) in [
            ("select 1", "SELECT", true),
            ("((SELECT 1))", "SELECT", true),
            ("WITH a AS (SELECT 1) SELECT * FROM a", "SELECT", true),
            ("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", "INSERT", false),
            ("WITH a AS (SELECT 'DELETE') SELECT b.delete FROM a", "SELECT", true),
            ("FROM a SELECT b", "SELECT", true),
            ("FROM a |> WHERE b", "FROM", true),
            ("FROM a INSERT INTO t SELECT b", "INSERT", false),
            ("VALUES (1)", "VALUES", true),
            ("TABLE t", "TABLE", true),
            ("SHOW TABLES", "SHOW", true),
            ("DESC t", "DESC", true),
            ("EXPLAIN INSERT INTO t VALUES (1)", "EXPLAIN", true),
            ("LIST '/Volumes/a'", "LIST", true),
            ("CALL p()", "CALL", true),
            ("EXECUTE IMMEDIATE 'SELECT 1'", "EXECUTE", true),
            ("BEGIN SELECT 1; END", "BEGIN", true),
            ("l: BEGIN SELECT 1; END", "BEGIN", true),
            ("BEGIN TRANSACTION", "BEGIN", false),
            ("COMMIT", "COMMIT", false),
            ("SET", "SET", true),
            ("SET x", "SET", true),
            ("SET x = 1", "SET", false),
            ("SET CATALOG main", "SET", false),
            ("USE main", "USE", false),
            ("INSERT INTO t SELECT 1", "INSERT", false),
            ("CREATE TABLE t AS SELECT 1", "CREATE", false),
            ("OPTIMIZE t", "OPTIMIZE", false),
            ("'x'", "", false),
            ("", "", false),
        ] {
            let facts = facts(text);
            assert_eq!((facts.verb.as_str(), facts.returns_rows), (verb, returns_rows), "{text}");
        }
    }

    #[test]
    fn what_use_sets_is_known() {
        let catalog = |name: &str| Some(Use::Catalog(name.to_owned()));
        let schema = |name: &str| Some(Use::Schema(name.to_owned()));
        for (text, expected) in [
            ("USE CATALOG main", catalog("main")),
            ("use catalog `my ``cat`", catalog("my `cat")),
            ("USE CATALOG 'main'", catalog("main")),
            ("SET CATALOG main", catalog("main")),
            ("USE sales", schema("sales")),
            ("USE SCHEMA sales", schema("sales")),
            ("USE DATABASE /* x */ sales", schema("sales")),
            ("USE schema", schema("schema")),
            ("USE main.sales", Some(Use::CatalogAndSchema("main".to_owned(), "sales".to_owned()))),
            ("USE SCHEMA `a.b`.c", Some(Use::CatalogAndSchema("a.b".to_owned(), "c".to_owned()))),
            ("USE IDENTIFIER(:x)", None),
            ("USE a.b.c", None),
            ("USE my-catalog", None),
            ("USE", None),
            ("SELECT use FROM catalog", None),
            ("SET x = catalog", None),
        ] {
            assert_eq!(facts(text).changes, expected, "{text}");
        }
    }

    #[test]
    fn what_needs_a_session_is_known() {
        for (text, expected) in [
            ("CREATE TEMP VIEW v AS SELECT 1", Some("a temporary view")),
            ("CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1", Some("a temporary view")),
            ("CREATE GLOBAL TEMPORARY VIEW v AS SELECT 1", Some("a temporary view")),
            ("CREATE TEMPORARY FUNCTION f() RETURN 1", Some("a temporary function")),
            ("CREATE TEMPORARY TABLE t (a INT)", Some("a temporary table")),
            ("DECLARE VARIABLE x INT", Some("a variable")),
            ("DECLARE OR REPLACE x = 5", Some("a variable")),
            ("SET VAR x = 5", Some("a variable")),
            ("SET ansi_mode = true", Some("a setting")),
            ("SET TIME ZONE 'UTC'", Some("a setting")),
            ("BEGIN TRANSACTION", Some("a transaction")),
            ("BEGIN", Some("a transaction")),
            ("START TRANSACTION", Some("a transaction")),
            ("USE IDENTIFIER('a' || 'b')", Some("a name that an expression gives")),
            ("USE CATALOG IDENTIFIER(:c)", Some("a name that an expression gives")),
            ("SET CATALOG IDENTIFIER(:c)", Some("a catalog that an expression names")),
            ("CREATE VIEW temp AS SELECT 1", None),
            ("CREATE TABLE temporary (a INT)", None),
            ("SET", None),
            ("SET x", None),
            ("SET CATALOG main", None),
            ("USE main.sales", None),
            ("BEGIN SELECT 1; END", None),
            ("SELECT 1", None),
        ] {
            assert_eq!(facts(text).session, expected, "{text}");
        }
    }

    #[test]
    fn a_title_has_names_and_no_values() {
        for (text, title) in [
            ("CREATE TABLE sales.daily (a INT)", "CREATE TABLE sales.daily"),
            ("CREATE OR REPLACE VIEW `my view` AS SELECT 1", "CREATE OR REPLACE VIEW `my view`"),
            ("INSERT INTO sales.daily SELECT 1", "INSERT INTO sales.daily"),
            ("DELETE FROM t WHERE a = 'hush'", "DELETE FROM t"),
            ("UPDATE a.b.c SET d = 'hush'", "UPDATE a.b.c"),
            ("MERGE INTO t USING s ON a = b", "MERGE INTO t"),
            ("COPY INTO t FROM '/x' WITH (CREDENTIAL hush)", "COPY INTO t"),
            ("SET password = hush", "SET password"),
            ("CREATE CONNECTION c TYPE mysql OPTIONS (password 'hush')", "CREATE CONNECTION c"),
            ("WITH a AS (SELECT 1) SELECT 2", "SELECT"),
            ("select 'hush'", "SELECT"),
            ("USE main.sales", "USE main.sales"),
            ("DROP TABLE IF EXISTS t", "DROP TABLE IF EXISTS t"),
            ("ALTER TABLE a.b ADD COLUMN c INT", "ALTER TABLE a.b"),
            ("VACUUM t", "VACUUM t"),
        ] {
            assert_eq!(facts(text).title, title, "{text}");
        }
    }
}
