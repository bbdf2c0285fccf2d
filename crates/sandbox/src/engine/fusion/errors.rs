//! DataFusion's errors in Databricks' words: class, SQLSTATE, text and position.
//!
//! Errors that this crate raises inside DataFusion already carry their class in brackets and pass through.

use datafusion::common::{DataFusionError, SchemaError};
use datafusion::sql::sqlparser::parser::ParserError;

use crate::engine::error::EngineError;

/// A relation as the statement names it: its parts, line and column (from 1).
#[derive(Debug, Clone)]
pub(super) struct Mention {
    pub(super) parts: Vec<String>,
    pub(super) line: u64,
    pub(super) column: u64,
}

pub(super) fn of(error: &DataFusionError, sql: &str, mentions: &[Mention]) -> EngineError {
    let position = error
        .diagnostic()
        .and_then(|diagnostic| diagnostic.span)
        .map(|span| (span.start.line, span.start.column));
    let root = error.find_root();
    let text = root.strip_backtrace();
    if let Some(own) = own_words(&text) {
        return at(own, position);
    }
    match root {
        DataFusionError::SQL(parser_error, _) => syntax_error(parser_error, sql),
        DataFusionError::SchemaError(error, _) => at(schema_error(error), position),
        DataFusionError::ResourcesExhausted(what) => EngineError {
            error_code: "RESOURCE_EXHAUSTED".to_owned(),
            message: format!(
                "[RESOURCE_EXHAUSTED] The sandbox's SQL engine ran out of memory: {what} SQLSTATE: 53200"
            ),
            sql_state: Some("53200".to_owned()),
        },
        DataFusionError::NotImplemented(what) => at(EngineError::unsupported(what), position),
        DataFusionError::Internal(what) => EngineError::internal(what),
        _ => at(by_text(&text, mentions), position),
    }
}

/// The message of a refusal, for errors that travel through DataFusion.
pub(super) fn unsupported(what: &str) -> String {
    EngineError::unsupported(what).message
}

/// An error raised by this crate: `… [CLASS] text SQLSTATE: 12345`.
fn own_words(text: &str) -> Option<EngineError> {
    let message = &text[text.find('[')?..];
    let (class, _) = message[1..].split_once("] ")?;
    let named = !class.is_empty() && class.chars().all(|c| c.is_ascii_uppercase() || matches!(c, '_' | '.'));
    let (_, state) = message.rsplit_once("SQLSTATE: ")?;
    named.then(|| EngineError {
        error_code: "BAD_REQUEST".to_owned(),
        message: message.to_owned(),
        sql_state: Some(state.chars().take(5).collect()),
    })
}

fn at(mut error: EngineError, position: Option<(u64, u64)>) -> EngineError {
    let placed = error.message.contains("; line ");
    if let Some((line, column)) = position.filter(|(line, _)| *line > 0 && !placed) {
        error.message.push_str(&format!("; line {line} pos {}", column.saturating_sub(1)));
    }
    error
}

fn schema_error(error: &SchemaError) -> EngineError {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let parts: Vec<String> =
                field.flat_name().split('.').map(|p| quoted(p.trim_matches('"'))).collect();
            let cannot = format!(
                "A column, variable, or function parameter with name {} cannot be resolved.",
                parts.join(".")
            );
            let near: Vec<String> = valid_fields.iter().take(5).map(|column| quoted(column.name())).collect();
            if near.is_empty() {
                return EngineError::of_class("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", cannot);
            }
            let text = format!("{cannot} Did you mean one of the following? [{}].", near.join(", "));
            EngineError::of_class("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", text)
        }
        SchemaError::AmbiguousReference { field } => {
            let text = format!("Reference {} is ambiguous.", quoted(field.name()));
            EngineError::of_class("AMBIGUOUS_REFERENCE", "42704", text)
        }
        // DataFusion names an expression without its casts.
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name }
            if name.contains('(') =>
        {
            EngineError::unsupported(format_args!("two expressions that differ in casts only, of {name}"))
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => {
            let text = format!(
                "The column {} already exists. Choose another name or rename the existing column.",
                quoted(name)
            );
            EngineError::of_class("COLUMN_ALREADY_EXISTS", "42711", text)
        }
    }
}

/// Errors that DataFusion reports only as text.
fn by_text(text: &str, mentions: &[Mention]) -> EngineError {
    if let Some(table) = between(text, "table '", "' not found") {
        return table_not_found(table, mentions);
    }
    if let Some((value, rest)) =
        text.split_once("Cannot cast string '").and_then(|(_, rest)| rest.split_once('\''))
    {
        let target = between(rest, "to value of ", " type").unwrap_or("the type");
        return malformed(value, sql_name(target));
    }
    if let Some(value) = between(text, "Error parsing timestamp from '", "'") {
        return malformed(value, "TIMESTAMP");
    }
    if text.contains("ivide by zero") {
        let text = "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead.";
        return EngineError::of_class("DIVIDE_BY_ZERO", "22012", text);
    }
    if text.contains("Can't cast value") {
        let what = text.rsplit("Can't cast value ").next().unwrap_or(text);
        return EngineError::of_class(
            "CAST_OVERFLOW",
            "22003",
            format!("The value {what} overflows its target type."),
        );
    }
    if text.contains("verflow") {
        return EngineError::of_class("ARITHMETIC_OVERFLOW", "22003", text);
    }
    if text.contains("unique expression names") && !text.contains(" AS ") {
        return EngineError::unsupported("two expressions of the same name in an inner query");
    }
    if text.contains("unique expression names") {
        let text = "Two columns have the same name. Choose another name or rename the existing column.";
        return EngineError::of_class("COLUMN_ALREADY_EXISTS", "42711", text);
    }
    if text.contains("Column count doesn't match") || text.contains("Inconsistent data length") {
        let text =
            "Cannot write to the table: the number of data columns differs from the number of table columns.";
        return EngineError::of_class("INSERT_COLUMN_ARITY_MISMATCH", "21S01", text);
    }
    if text.contains("more than one row") {
        let text = "More than one row returned by a subquery used as an expression.";
        return EngineError::of_class("SCALAR_SUBQUERY_TOO_MANY_ROWS", "21000", text);
    }
    if text.contains("non-nullable") || text.contains("contains null values") {
        let text = format!("Assigning a NULL is not allowed here: {text}.");
        return EngineError::of_class("NOT_NULL_CONSTRAINT_VIOLATION", "42000", text);
    }
    if text.contains("must appear in the GROUP BY") || text.contains("not in GROUP BY") {
        let text = format!("A select expression is neither aggregated nor in the GROUP BY clause: {text}.");
        return EngineError::of_class("MISSING_AGGREGATION", "42803", text);
    }
    if text.contains("nvalid function '") {
        return EngineError::of_class("UNRESOLVED_ROUTINE", "42883", text);
    }
    if text.contains("not implemented") || text.contains("not supported") || text.contains("Unsupported") {
        return EngineError::unsupported(text);
    }
    if ["coerce", "No function matches", "cannot be converted", "does not support"]
        .iter()
        .any(|w| text.contains(w))
    {
        let text = format!("Cannot resolve the expression due to data type mismatch: {text}.");
        return EngineError::of_class("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", text);
    }
    EngineError::of_class("SANDBOX_ENGINE_ERROR", "XX000", format!("The sandbox's SQL engine says: {text}."))
}

fn table_not_found(full: &str, mentions: &[Mention]) -> EngineError {
    let full: Vec<&str> = full.split('.').collect();
    let mention = mentions.iter().find(|mention| {
        full.len() >= mention.parts.len()
            && full[full.len() - mention.parts.len()..]
                .iter()
                .zip(&mention.parts)
                .all(|(a, b)| a.eq_ignore_ascii_case(b))
    });
    let name: Vec<String> = match mention {
        Some(mention) => mention.parts.iter().map(|part| quoted(part)).collect(),
        None => full.iter().map(|part| quoted(part)).collect(),
    };
    at(no_such_table(&name.join(".")), mention.map(|mention| (mention.line, mention.column)))
}

/// `name` comes in backticks.
pub(super) fn no_such_table(name: &str) -> EngineError {
    let text = format!(
        "The table or view {name} cannot be found. Verify the spelling and correctness of the schema and catalog.\n\
         If you did not qualify the name with a schema, verify the current_schema() output, or qualify the name with the \
         correct schema and catalog.\n\
         To tolerate the error on drop use DROP VIEW IF EXISTS or DROP TABLE IF EXISTS."
    );
    EngineError::of_class("TABLE_OR_VIEW_NOT_FOUND", "42P01", text)
}

fn malformed(value: &str, sql_type: &str) -> EngineError {
    let text = format!(
        "The value '{value}' of the type \"STRING\" cannot be cast to \"{sql_type}\" because it is malformed. Correct the \
         value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed input and return NULL \
         instead."
    );
    EngineError::of_class("CAST_INVALID_INPUT", "22018", text)
}

/// Arrow's name of a type, as its cast errors have it.
fn sql_name(arrow: &str) -> &str {
    match arrow {
        "Int8" => "TINYINT",
        "Int16" => "SMALLINT",
        "Int32" => "INT",
        "Int64" => "BIGINT",
        "Float32" => "FLOAT",
        "Float64" => "DOUBLE",
        "Date32" => "DATE",
        "Boolean" => "BOOLEAN",
        other if other.starts_with("Decimal") => "DECIMAL",
        other if other.starts_with("Timestamp") => "TIMESTAMP",
        other => other,
    }
}

fn syntax_error(error: &ParserError, sql: &str) -> EngineError {
    let text = error.to_string();
    let near = match between(&text, "found: ", " at Line").or_else(|| text.split("found: ").nth(1)) {
        Some("EOF") | None => "end of input".to_owned(),
        Some(token) => format!("'{token}'"),
    };
    let position = text.rsplit_once("Line: ").and_then(|(_, rest)| {
        let (line, column) = rest.split_once(", Column: ")?;
        let column: String = column.chars().take_while(char::is_ascii_digit).collect();
        Some((line.parse::<usize>().ok()?, column.parse::<usize>().ok()?.saturating_sub(1)))
    });
    let last = || (sql.lines().count().max(1), sql.lines().last().map_or(0, |line| line.chars().count()));
    let (line, column) = position.unwrap_or_else(last);
    let mut excerpt = String::new();
    for (i, source) in sql.lines().enumerate() {
        excerpt.push_str(source);
        excerpt.push('\n');
        if i + 1 == line {
            excerpt.push_str(&"-".repeat(column));
            excerpt.push_str("^^^\n");
        }
    }
    let mut error =
        EngineError::of_class("PARSE_SYNTAX_ERROR", "42601", format!("Syntax error at or near {near}."));
    error.message = format!("\n{} (line {line}, pos {column})\n\n== SQL ==\n{excerpt}", error.message);
    error
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(inside, _)| inside)
}

pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_our_own_pass_through() {
        let raised = DataFusionError::Plan(
            "[SCHEMA_NOT_FOUND] The schema `x` cannot be found. SQLSTATE: 42704".into(),
        );
        let error = of(&raised, "", &[]);
        assert_eq!(error.message, "[SCHEMA_NOT_FOUND] The schema `x` cannot be found. SQLSTATE: 42704");
        assert_eq!(error.sql_state.as_deref(), Some("42704"));
    }

    #[test]
    fn a_syntax_error_shows_the_place() {
        let error = syntax_error(
            &ParserError::ParserError("Expected: an expression, found: FROM at Line: 2, Column: 3".into()),
            "SELECT\n  FROM t",
        );
        assert_eq!(
            error.message,
            "\n[PARSE_SYNTAX_ERROR] Syntax error at or near 'FROM'. SQLSTATE: 42601 (line 2, pos 2)\n\n== SQL ==\n\
             SELECT\n  FROM t\n--^^^\n"
        );
        assert_eq!(error.class(), Some("PARSE_SYNTAX_ERROR"));
    }

    #[test]
    fn a_missing_table_is_named_as_written_and_placed() {
        let mentions = [Mention { parts: vec!["S1".into(), "t".into()], line: 1, column: 15 }];
        let raised = DataFusionError::Plan("table 'main.s1.t' not found".into());
        let error = of(&raised, "SELECT * FROM S1.t", &mentions);
        assert!(
            error
                .message
                .starts_with("[TABLE_OR_VIEW_NOT_FOUND] The table or view `S1`.`t` cannot be found.")
        );
        assert!(error.message.ends_with("SQLSTATE: 42P01; line 1 pos 14"), "{}", error.message);
    }
}
