//! `sql_query` and `sql_execute`.

use brickwire_actions::{Parameter, ParameterValue, PreviewLimits, Statement};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::call::{Time, warehouse, within};
use crate::{
    context::Context,
    failure::{Failure, Result},
};

/// The most rows that are shown: as many as are fetched for a preview.
pub(super) const MOST_ROWS: u64 = 1000;

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

/// Runs a statement that only reads.
pub(super) async fn query(query: Query, context: &Context) -> Result<String> {
    run(query, context).await
}

/// Runs a statement, whatever it does.
pub(super) async fn execute(query: Query, context: &Context) -> Result<String> {
    run(query, context).await
}

async fn run(query: Query, context: &Context) -> Result<String> {
    let time = Time::of(query.timeout_s)?;
    let limits = limits(query.max_rows)?;
    let parameters = parameters(query.params)?;
    Statement::check(&query.sql, &parameters)?;
    let workspace = time.workspace(context).await?;
    let warehouse = warehouse(query.warehouse.as_deref(), &workspace, context).await?;
    let mut statement = workspace.sql(warehouse).statement(query.sql).with_parameters(parameters).with_preview(limits);
    if let Some(catalog) = query.catalog {
        statement = statement.with_catalog(catalog);
    }
    if let Some(schema) = query.schema {
        statement = statement.with_schema(schema);
    }
    let result = statement.with_deadline(time.limit).until(time.end()).execute().await?;
    let id = result.statement_id().to_owned();
    let preview = result.preview(limits).await?;
    let next = match preview.hides_rows() && preview.rows() < preview.total() {
        true => format!("tool statement with id={id} offset={}, or aggregate and filter in SQL", preview.rows()),
        false => "select fewer columns, or cut long text in SQL with left(column, n)".to_owned(),
    };
    Ok(time.summary(&preview, &id, Some(&next)))
}

pub(super) fn limits(max_rows: Option<u64>) -> Result<PreviewLimits> {
    let limits = PreviewLimits::default();
    Ok(within("max_rows", max_rows, MOST_ROWS)?.map_or(limits, |rows| limits.with_rows(rows)))
}

/// The values of markers. JSON numbers keep their digits.
fn parameters(values: Map<String, Value>) -> Result<Vec<Parameter>> {
    values.into_iter().map(|(name, value)| Ok(Parameter::new(name.clone(), parameter(&name, value)?))).collect()
}

fn parameter(name: &str, value: Value) -> Result<ParameterValue> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Typed {
        #[serde(rename = "type")]
        type_name: String,
        value: Option<Value>,
    }
    let refused = || Failure::usage(format!("parameter {name} is not a string, number, boolean, null, or {{\"type\", \"value\"}}"));
    Ok(match value {
        Value::Null => ParameterValue::null("STRING"),
        Value::Bool(value) => value.into(),
        Value::String(text) => text.into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => i32::try_from(integer).map_or_else(|_| integer.into(), ParameterValue::from),
            (None, Some(float)) if number.is_f64() => float.into(),
            _ => ParameterValue::typed("DECIMAL(38, 0)", number.to_string()),
        },
        Value::Object(_) => {
            let Typed { type_name, value } = serde_json::from_value(value).map_err(|_| refused())?;
            match value {
                None | Some(Value::Null) => ParameterValue::null(type_name),
                Some(Value::String(text)) => ParameterValue::typed(type_name, text),
                Some(value @ (Value::Number(_) | Value::Bool(_))) => ParameterValue::typed(type_name, value.to_string()),
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
        for wrong in [json!([1]), json!({"value": 1}), json!({"type": "INT", "value": [1]}), json!({"type": "INT", "x": 1})] {
            assert!(parameter("p", wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn more_rows_than_are_fetched_are_refused() {
        assert_eq!(limits(Some(1000)).unwrap().rows(), 1000);
        assert!(limits(Some(1001)).is_err() && limits(Some(0)).is_err());
    }
}
