//! `sql_query` and `sql_execute`.

use std::time::Duration;

use brickwire_actions::{Defaults, Parameter, ParameterValue, PreviewLimits, Script, Statement};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::call::{Time, warehouse, within};
use crate::{
    context::Context,
    failure::{Failure, Place, Result},
};

/// The most rows that are shown: as many as are fetched for a preview.
pub(super) const MOST_ROWS: u64 = 1000;

/// The hint for a statement that `sql_query` refuses.
const WRITES: &str = "use the tool sql_execute, which a user can allow: brick mcp --allow-writes";

/// The most bytes of the results of several statements.
const LONGEST: usize = 16_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    sql: String,
    #[serde(default)]
    params: Map<String, Value>,
    catalog: Option<String>,
    schema: Option<String>,
    warehouse: Option<String>,
    max_rows: Option<u64>,
    timeout_s: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Execute {
    sql: String,
    #[serde(default)]
    params: Map<String, Value>,
    catalog: Option<String>,
    schema: Option<String>,
    warehouse: Option<String>,
    timeout_s: Option<u64>,
}

/// Runs a statement that only reads. The read-only workspace would refuse all others, too, with another hint.
pub(super) async fn query(query: Query, context: &Context) -> Result<String> {
    // A quote that isn't closed is a mistake, and no reason to ask for more rights.
    Script::parse(&query.sql)?;
    let time = Time::of(query.timeout_s)?;
    let limits = limits(query.max_rows)?;
    let parameters = parameters(query.params)?;
    Statement::check(&query.sql, &parameters)?;
    let reads = Statement::check_reads(&query.sql);
    reads.map_err(|error| Failure::from(error).with_hint(WRITES))?;
    let workspace = time.workspace(context).await?.as_read_only();
    let warehouse = warehouse(query.warehouse.as_deref(), &workspace, context).await?;
    let statement = workspace.sql(warehouse).statement(query.sql).with_parameters(parameters);
    let statement = Defaults::new(query.catalog, query.schema).apply(statement);
    preview(statement, limits, &time).await
}

/// Runs statements in order, up to the first one that fails.
pub(super) async fn execute(execute: Execute, context: &Context) -> Result<String> {
    let time = Time::of(execute.timeout_s)?;
    let parameters = parameters(execute.params)?;
    let script = Script::parse(&execute.sql)?;
    let unused = script.check_parameters(&parameters)?;
    if let Some(name) = unused.first() {
        return Err(Failure::usage(format!("no statement has the parameter {name}")));
    }
    script.check_sessions()?;
    let statements = script.statements();
    let count = statements.len();
    if count == 0 {
        return Err(Failure::usage("the SQL has no statement"));
    }
    let workspace = time.workspace(context).await?;
    let sql = workspace.sql(warehouse(execute.warehouse.as_deref(), &workspace, context).await?);
    let mut defaults = Defaults::new(execute.catalog, execute.schema);
    let limits = PreviewLimits::default();
    let limits = limits.with_bytes(limits.bytes() / count).with_heading(limits.heading() / count);
    let mut shown = Shown::default();
    for (index, part) in statements.iter().enumerate() {
        // The service allows parameters that a statement doesn't use.
        let statement = defaults.apply(sql.statement(part.text()).with_parameters(parameters.clone()));
        let done = preview(statement, limits, &time).await;
        let text = done.map_err(|failure| match count {
            1 => failure,
            _ => failure
                .at(Place {
                    line: Some(part.line()),
                    index: Some(index + 1),
                    count: Some(count),
                    ..Place::default()
                })
                .with_hint(others(index + 1, count)),
        })?;
        defaults.follow(part);
        if count > 1 {
            shown.push(&format!(
                "# statement {} of {count}, line {}: {}\n",
                index + 1,
                part.line(),
                part.title()
            ));
        }
        shown.push(&text);
    }
    Ok(shown.finish())
}

/// A statement that fetches what a preview shows and ends with the time of its call.
///
/// The service answers the submission at once. By default it waits for the end of the statement for up to 5 seconds, and
/// until it answers there is nothing to cancel; but clients kill a server 2 to 4 seconds after they close its stdin.
pub(super) fn bounded(statement: Statement, limits: PreviewLimits, time: &Time) -> Statement {
    statement
        .with_preview(limits)
        .with_wait_timeout(Duration::ZERO)
        .with_deadline(time.limit)
        .until(time.end())
}

/// What became of the statements before and after the one that failed.
fn others(failed: usize, count: usize) -> String {
    let before = match failed {
        1 => None,
        2 => Some("statement 1 has completed".to_owned()),
        _ => Some(format!("statements 1 to {} have completed", failed - 1)),
    };
    let after = match count - failed {
        0 => None,
        1 => Some(format!("statement {count} was not run")),
        _ => Some(format!("statements {} to {count} were not run", failed + 1)),
    };
    before.into_iter().chain(after).collect::<Vec<_>>().join("; ")
}

/// Runs a statement. Returns the beginning of its rows.
async fn preview(statement: Statement, limits: PreviewLimits, time: &Time) -> Result<String> {
    let result = bounded(statement, limits, time).execute().await?;
    let id = result.statement_id().to_owned();
    let preview = result.preview(limits).await?;
    let next = match preview.rows() < preview.total() {
        true => {
            format!("tool statement with id={id} offset={}, or aggregate and filter in SQL", preview.rows())
        }
        false => "aggregate and filter in SQL, select fewer columns, or shorten text with left(column, n)"
            .to_owned(),
    };
    Ok(time.summary(&preview, &id, Some(&next)))
}

/// The results of several statements, with a limit.
#[derive(Default)]
struct Shown {
    text: String,
    is_full: bool,
}

impl Shown {
    fn push(&mut self, text: &str) {
        self.is_full |= self.text.len() + text.len() > LONGEST;
        if !self.is_full {
            self.text.push_str(text);
        }
    }

    fn finish(mut self) -> String {
        if self.is_full {
            self.text.push_str("# the results of the other statements are not shown; all have completed\n");
        }
        self.text
    }
}

pub(super) fn limits(max_rows: Option<u64>) -> Result<PreviewLimits> {
    let limits = PreviewLimits::default();
    Ok(within("max_rows", max_rows, MOST_ROWS)?.map_or(limits, |rows| limits.with_rows(rows)))
}

/// The values of markers. JSON numbers keep their digits.
fn parameters(values: Map<String, Value>) -> Result<Vec<Parameter>> {
    values
        .into_iter()
        .map(|(name, value)| Ok(Parameter::new(name.clone(), parameter(&name, value)?)))
        .collect()
}

fn parameter(name: &str, value: Value) -> Result<ParameterValue> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Typed {
        #[serde(rename = "type")]
        type_name: String,
        value: Option<Value>,
    }
    let refused = || {
        Failure::usage(format!(
            "parameter {name} is not a string, number, boolean, null, or {{\"type\", \"value\"}}"
        ))
    };
    Ok(match value {
        Value::Null => ParameterValue::null("STRING"),
        Value::Bool(value) => value.into(),
        Value::String(text) => text.into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => {
                i32::try_from(integer).map_or_else(|_| integer.into(), ParameterValue::from)
            }
            (None, Some(float)) if number.is_f64() => float.into(),
            _ => ParameterValue::typed("DECIMAL(38, 0)", number.to_string()),
        },
        Value::Object(_) => {
            let Typed { type_name, value } = serde_json::from_value(value).map_err(|_| refused())?;
            match value {
                None | Some(Value::Null) => ParameterValue::null(type_name),
                Some(Value::String(text)) => ParameterValue::typed(type_name, text),
                Some(value @ (Value::Number(_) | Value::Bool(_))) => {
                    ParameterValue::typed(type_name, value.to_string())
                }
                Some(_) => return Err(refused()),
            }
        }
        Value::Array(_) => return Err(refused()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> ParameterValue {
        parameter("p", value).unwrap()
    }

    #[test]
    fn a_value_has_the_type_that_it_looks_like_or_names() {
        assert_eq!(read(json!(5)), ParameterValue::typed("INT", "5"));
        assert_eq!(read(json!(5_000_000_000_i64)), ParameterValue::typed("BIGINT", "5000000000"));
        assert_eq!(read(json!(u64::MAX)), ParameterValue::typed("DECIMAL(38, 0)", "18446744073709551615"));
        assert_eq!(read(json!(1.5)), ParameterValue::typed("DOUBLE", "1.5"));
        assert_eq!(read(json!(true)), ParameterValue::typed("BOOLEAN", "true"));
        assert_eq!(read(json!("x")), ParameterValue::from("x"));
        assert_eq!(read(json!(null)), ParameterValue::null("STRING"));
        assert_eq!(read(json!({"type": "DATE", "value": "2024-01-31"})), ParameterValue::date("2024-01-31"));
        assert_eq!(read(json!({"type": "DATE"})), ParameterValue::null("DATE"));
        for wrong in [
            json!([1]),
            json!({"value": 1}),
            json!({"type": "INT", "value": [1]}),
            json!({"type": "INT", "x": 1}),
        ] {
            assert!(parameter("p", wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn many_results_have_a_limit() {
        let mut shown = Shown::default();
        (0..1000).for_each(|n| shown.push(&format!("# statement {n} of 1000, line {n}: CREATE TABLE\n")));
        let text = shown.finish();
        assert!(
            text.len() < LONGEST + 100 && text.ends_with("not shown; all have completed\n"),
            "{}",
            text.len()
        );
    }

    #[test]
    fn more_rows_than_are_fetched_are_refused() {
        assert_eq!(limits(Some(1000)).unwrap().rows(), 1000);
        assert!(limits(Some(1001)).is_err() && limits(Some(0)).is_err());
    }
}
