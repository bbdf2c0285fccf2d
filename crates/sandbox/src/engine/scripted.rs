//! A small engine without a SQL engine: literal SELECTs and `range(n)`, enough for tests of HTTP, chunks and retries.
//!
//! Understands `SELECT item [AS name], … [FROM range([start,] end)]` where an item is a number, a text, NULL, true,
//! false, `:parameter`, `current_user()`, `*` or `id`; and CREATE, DROP, USE and SET, which do nothing. The rest is
//! refused.

use std::iter::repeat_n;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Int32Array, Int64Array, NullArray, RecordBatch,
    RecordBatchOptions, StringArray,
};
use arrow_schema::{DataType, Field, Schema};
use futures_util::future::{self, BoxFuture, FutureExt};
use futures_util::{StreamExt, stream};

use super::{EngineError, Query, QueryStream, SqlEngine, types};

mod words;

use words::Words;

/// Rows in one batch of `range(n)`: DataFusion's batch size.
const BATCH_ROWS: usize = 8192;

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct ScriptedEngine;

impl SqlEngine for ScriptedEngine {
    fn query<'a>(&'a self, query: Query<'a>) -> BoxFuture<'a, Result<QueryStream, EngineError>> {
        future::ready(run(&query)).boxed()
    }

    fn session(&self) -> Arc<dyn SqlEngine> {
        Arc::new(Self)
    }
}

/// What a column holds: the range's number, or the same value in every row.
#[derive(Debug, Clone)]
enum Value {
    Id,
    Void,
    Boolean(Option<bool>),
    Int(Option<i32>),
    BigInt(Option<i64>),
    Decimal(i128, u8, i8),
    Text(Option<String>),
}

impl Value {
    fn data_type(&self) -> DataType {
        match self {
            Value::Void => DataType::Null,
            Value::Boolean(_) => DataType::Boolean,
            Value::Int(_) => DataType::Int32,
            Value::Id | Value::BigInt(_) => DataType::Int64,
            Value::Decimal(_, precision, scale) => DataType::Decimal128(*precision, *scale),
            Value::Text(_) => DataType::Utf8,
        }
    }

    fn array(&self, rows: Range<i64>) -> ArrayRef {
        let count = usize::try_from(rows.end - rows.start).unwrap_or_default();
        match self {
            Value::Id => Arc::new(Int64Array::from_iter_values(rows)),
            Value::Void => Arc::new(NullArray::new(count)),
            Value::Boolean(value) => Arc::new(repeat_n(*value, count).collect::<BooleanArray>()),
            Value::Int(value) => Arc::new(repeat_n(*value, count).collect::<Int32Array>()),
            Value::BigInt(value) => Arc::new(repeat_n(*value, count).collect::<Int64Array>()),
            Value::Decimal(value, ..) => Arc::new(
                Decimal128Array::from_iter_values(repeat_n(*value, count)).with_data_type(self.data_type()),
            ),
            Value::Text(value) => Arc::new(repeat_n(value.as_deref(), count).collect::<StringArray>()),
        }
    }

    fn of_literal(word: &str) -> Option<Self> {
        if let Some(text) = word.strip_prefix('\'') {
            return Some(Value::Text(Some(text.strip_suffix('\'')?.replace("''", "'"))));
        }
        if let Ok(number) = word.parse() {
            return Some(Value::Int(Some(number)));
        }
        if let Ok(number) = word.parse() {
            return Some(Value::BigInt(Some(number)));
        }
        if let Some((whole, fraction)) = word.split_once('.') {
            let digits = format!("{whole}{fraction}");
            let precision = u8::try_from(digits.trim_start_matches('-').len()).ok().filter(|p| *p <= 38)?;
            return Some(Value::Decimal(digits.parse().ok()?, precision, i8::try_from(fraction.len()).ok()?));
        }
        match word.to_ascii_lowercase().as_str() {
            "null" => Some(Value::Void),
            "true" => Some(Value::Boolean(Some(true))),
            "false" => Some(Value::Boolean(Some(false))),
            _ => None,
        }
    }

    fn of_parameter(name: &str, query: &Query<'_>) -> Result<Self, EngineError> {
        let Some(parameter) = query.parameters.iter().find(|p| p.name == name) else {
            let text = format!("Found the unbound parameter: {name}.");
            return Err(EngineError::of_class("UNBOUND_SQL_PARAMETER", "42P02", text));
        };
        let type_name = parameter.type_name.as_deref().unwrap_or("STRING").to_ascii_uppercase();
        let value = parameter.value.as_deref();
        let parsed = match type_name.as_str() {
            "STRING" => Some(Value::Text(parameter.value.clone())),
            "INT" => value.map(str::parse).transpose().ok().map(Value::Int),
            "BIGINT" => value.map(str::parse).transpose().ok().map(Value::BigInt),
            "BOOLEAN" => value.map(str::parse).transpose().ok().map(Value::Boolean),
            other => {
                return Err(EngineError::unsupported(format_args!("parameters of type {other} without SQL")));
            }
        };
        parsed.ok_or_else(|| {
            let value = value.unwrap_or_default();
            let text = format!(
                "The value '{value}' of the type \"STRING\" cannot be cast to \"{type_name}\" because it is malformed."
            );
            EngineError::of_class("CAST_INVALID_INPUT", "22018", text)
        })
    }
}

fn run(query: &Query<'_>) -> Result<QueryStream, EngineError> {
    let mut words = Words::of(query.sql);
    if ["CREATE", "DROP", "USE", "SET"].iter().any(|word| words.accept(word)) {
        return Ok(answer(vec![], 0..0));
    }
    if !words.accept("SELECT") {
        return Err(words.syntax_error());
    }
    let mut items = vec![item(&mut words, query)?];
    while words.accept(",") {
        items.push(item(&mut words, query)?);
    }
    let rows = if words.accept("FROM") { Some(range(&mut words, query)?) } else { None };
    words.accept(";");
    if words.peek().is_some() {
        return Err(words.refusal());
    }
    if rows.is_none() && items.iter().any(|(_, value)| matches!(value, Value::Id)) {
        let text = "A column, variable, or function parameter with name `id` cannot be resolved.";
        return Err(EngineError::of_class("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", text));
    }
    Ok(answer(items, rows.unwrap_or(0..1)))
}

fn item(words: &mut Words<'_>, query: &Query<'_>) -> Result<(String, Value), EngineError> {
    let Some(word) = words.next() else { return Err(words.syntax_error()) };
    let mut name = word.trim_matches('\'').to_owned();
    let value = if word == "*" || word.eq_ignore_ascii_case("id") {
        "id".clone_into(&mut name);
        Value::Id
    } else if let Some(parameter) = word.strip_prefix(':') {
        Value::of_parameter(parameter, query)?
    } else if word.eq_ignore_ascii_case("current_user") && words.accept("(") && words.accept(")") {
        "current_user()".clone_into(&mut name);
        Value::Text(Some(query.user.to_owned()))
    } else {
        Value::of_literal(word).ok_or_else(|| words.refusal())?
    };
    let aliased = words.accept("AS");
    let alias = words
        .peek()
        .filter(|next| aliased || !([",", ";"].contains(next) || next.eq_ignore_ascii_case("FROM")));
    if let Some(alias) = alias {
        alias.trim_matches('`').clone_into(&mut name);
        words.next();
    }
    Ok((name, value))
}

fn range(words: &mut Words<'_>, query: &Query<'_>) -> Result<Range<i64>, EngineError> {
    if !words.accept("range") {
        let table = words.next().unwrap_or_default().replace('.', "`.`");
        let text = format!("The table or view `{table}` cannot be found.");
        return Err(EngineError::of_class("TABLE_OR_VIEW_NOT_FOUND", "42P01", text));
    }
    let mut bounds = Vec::new();
    let mut separator = "(";
    while words.accept(separator) {
        let Some(word) = words.next() else { return Err(words.syntax_error()) };
        let number = match word.strip_prefix(':') {
            Some(name) => query.parameters.iter().find(|p| p.name == name).and_then(|p| p.value.as_deref()),
            None => Some(word),
        };
        bounds.push(number.and_then(|n| n.parse::<i64>().ok()).ok_or_else(|| words.refusal())?);
        separator = ",";
    }
    match (words.accept(")"), &bounds[..]) {
        (true, &[end]) => Ok(0..end.max(0)),
        (true, &[start, end]) => Ok(start..end.max(start)),
        _ => Err(words.syntax_error()),
    }
}

/// Streams the rows batch by batch, so that a long `range` can be cancelled.
fn answer(items: Vec<(String, Value)>, rows: Range<i64>) -> QueryStream {
    let fields: Vec<Field> =
        items.iter().map(|(name, value)| Field::new(name, value.data_type(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let of_batches = Arc::clone(&schema);
    let batches = stream::iter(rows.clone().step_by(BATCH_ROWS)).map(move |start| {
        let part = start..rows.end.min(start.saturating_add(BATCH_ROWS as i64));
        let columns = items.iter().map(|(_, value)| value.array(part.clone())).collect();
        let options = RecordBatchOptions::new().with_row_count(usize::try_from(part.end - part.start).ok());
        RecordBatch::try_new_with_options(Arc::clone(&of_batches), columns, &options)
            .map_err(EngineError::internal)
    });
    QueryStream { columns: types::columns(&schema), schema, batches: Box::pin(batches) }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::super::Parameter;
    use super::super::encode::{Format, encode};
    use super::*;

    fn rows(sql: &str) -> Result<String, EngineError> {
        let parameters =
            vec![Parameter { name: "n".into(), value: Some("3".into()), type_name: Some("INT".into()) }];
        let stream = run(&Query { sql, user: "a@b.example", parameters, ..Query::default() })?;
        let batches: Vec<_> =
            stream.batches.try_collect::<Vec<_>>().now_or_never().expect("a scripted answer never waits")?;
        let names: Vec<_> = stream.columns.iter().map(|c| format!("{} {}", c.name, c.type_text)).collect();
        let json = encode(Format::JsonArray, &stream.schema, &batches, true)?;
        Ok(format!("{}: {}", names.join(", "), String::from_utf8(json).unwrap()))
    }

    #[test]
    fn literals_come_back_typed() {
        assert_eq!(
            rows("SELECT 1, 'it''s' AS s, NULL, true b, 1.50, 3000000000, :n, current_user();").unwrap(),
            "1 INT, s STRING, NULL VOID, b BOOLEAN, 1.50 DECIMAL(3,2), 3000000000 BIGINT, :n INT, current_user() STRING: \
             [[\"1\",\"it's\",null,\"true\",\"1.50\",\"3000000000\",\"3\",\"a@b.example\"]]"
        );
    }

    #[test]
    fn range_counts_and_crosses_batches() {
        assert_eq!(
            rows("select id, 'x' as k from range(:n)").unwrap(),
            r#"id BIGINT, k STRING: [["0","x"],["1","x"],["2","x"]]"#
        );
        let stream = run(&Query { sql: "SELECT * FROM range(0, 20000)", ..Query::default() }).unwrap();
        let batches: Vec<_> = stream.batches.try_collect().now_or_never().unwrap().unwrap();
        let counts: Vec<_> = batches.iter().map(RecordBatch::num_rows).collect();
        assert_eq!(counts, [8192, 8192, 3616]);
    }

    #[test]
    fn what_it_does_not_know_is_refused_with_a_class() {
        let cases = [
            ("SELEC 1", "PARSE_SYNTAX_ERROR"),
            ("SELECT", "PARSE_SYNTAX_ERROR"),
            ("SELECT 1 + 1", "UNSUPPORTED_FEATURE.SANDBOX"),
            ("SELECT upper('a')", "UNSUPPORTED_FEATURE.SANDBOX"),
            ("SELECT * FROM missing", "TABLE_OR_VIEW_NOT_FOUND"),
            ("SELECT id", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"),
            ("SELECT :unknown", "UNBOUND_SQL_PARAMETER"),
        ];
        for (sql, class) in cases {
            assert_eq!(rows(sql).unwrap_err().class(), Some(class), "{sql}");
        }
    }

    #[test]
    fn statements_without_rows_answer_no_columns() {
        assert_eq!(rows("CREATE TABLE t (a INT)").unwrap(), ": []");
    }
}
