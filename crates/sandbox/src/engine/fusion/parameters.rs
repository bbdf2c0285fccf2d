//! `:name` markers become typed literals on the tree, never in the text.
//!
//! DataFusion's own binding leaves out `INSERT … VALUES (:a)` and `range(:n)`; this one reaches every expression.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::common::{Result, ScalarValue, plan_datafusion_err, plan_err};
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, Statement, UnaryOperator, Value, visit_expressions_mut,
};

use super::{parse::parser_of, sql_types::arrow_type};
use crate::engine::parameter::Parameter;

/// Replaces every marker.
///
/// # Errors
/// `CAST_INVALID_INPUT` for a value that isn't of its type, `UNSUPPORTED_DATATYPE`, `UNBOUND_SQL_PARAMETER`.
pub(super) fn bind(statement: &mut Statement, parameters: &[Parameter]) -> Result<()> {
    let values: HashMap<&str, Expr> =
        parameters.iter().map(|p| Ok((p.name.as_str(), literal(p)?))).collect::<Result<_>>()?;
    let unbound = visit_expressions_mut(statement, |expression| {
        if let Expr::Value(value) = expression
            && let Value::Placeholder(marker) = &value.value
        {
            let name = marker.trim_start_matches(':');
            match values.get(name) {
                Some(bound) => *expression = bound.clone(),
                None => return ControlFlow::Break(name.to_owned()),
            }
        }
        ControlFlow::Continue(())
    });
    match unbound {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(name) if name == "?" => plan_err!(
            "[UNSUPPORTED_FEATURE.SANDBOX] The feature is not supported: positional parameters; the API takes named \
             ones. SQLSTATE: 0A000"
        ),
        ControlFlow::Break(name) => plan_err!(
            "[UNBOUND_SQL_PARAMETER] Found the unbound parameter: {name}. Please, fix `args` and provide a mapping of the \
             parameter to either a SQL literal or collection constructor functions such as `map()`, `array()`, \
             `struct()`. SQLSTATE: 42P02"
        ),
    }
}

fn literal(parameter: &Parameter) -> Result<Expr> {
    let type_name = parameter.type_name.as_deref().unwrap_or("STRING");
    let shown_type = type_name.to_uppercase();
    let sql_type =
        parser_of(type_name).ok().and_then(|mut parser| parser.parse_data_type().ok()).ok_or_else(|| {
            plan_datafusion_err!(
                "[UNSUPPORTED_DATATYPE] Unsupported data type \"{shown_type}\". SQLSTATE: 0A000"
            )
        })?;
    let arrow_type = arrow_type(&sql_type)?;
    if arrow_type.is_nested() {
        return plan_err!("[UNSUPPORTED_DATATYPE] Unsupported data type \"{shown_type}\". SQLSTATE: 0A000");
    }
    let Some(value) = &parameter.value else {
        return Ok(cast(Value::Null, sql_type));
    };
    let text = if matches!(sql_type, DataType::String(_)) { value } else { value.trim() };
    ScalarValue::try_from_string(text.to_owned(), &arrow_type).map_err(|_| {
        plan_datafusion_err!(
            "[CAST_INVALID_INPUT] The value '{value}' of the type \"STRING\" cannot be cast to \"{shown_type}\" because it \
             is malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate \
             malformed input and return NULL instead. SQLSTATE: 22018"
        )
    })?;
    Ok(match &sql_type {
        // A bare number, so that LIMIT :n and range(:n) work.
        DataType::Int(_) | DataType::Integer(_) | DataType::BigInt(_) => {
            let long = matches!(sql_type, DataType::BigInt(_));
            let digits = text.trim_start_matches(['+', '-']).to_owned();
            let number = Expr::Value(Value::Number(digits, long).into());
            if text.starts_with('-') {
                Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(number) }
            } else {
                number
            }
        }
        DataType::String(_) => Expr::Value(Value::SingleQuotedString(value.clone()).into()),
        _ => cast(Value::SingleQuotedString(text.to_owned()), sql_type),
    })
}

fn cast(value: Value, data_type: DataType) -> Expr {
    let expr = Box::new(Expr::Value(value.into()));
    Expr::Cast { kind: CastKind::Cast, expr, data_type, array: false, format: None }
}

#[cfg(test)]
mod tests {
    use super::super::parse::{Parsed, parse};
    use super::*;

    fn bound(sql: &str, value: Option<&str>, type_name: Option<&str>) -> Result<String> {
        let Parsed::Statement { mut statement, .. } = parse(sql)? else { panic!("not a statement") };
        let parameter = Parameter {
            name: "a".to_owned(),
            value: value.map(str::to_owned),
            type_name: type_name.map(str::to_owned),
        };
        bind(&mut statement, &[parameter])?;
        Ok(statement.to_string())
    }

    #[test]
    fn values_are_literals_wherever_the_marker_stands() {
        let cases = [
            ("SELECT :a", Some("x' OR '1'='1"), None, "SELECT 'x'' OR ''1''=''1'"),
            ("SELECT ':a' -- :a\n, :a", Some("y"), None, "SELECT ':a', 'y'"),
            ("SELECT id FROM range(:a)", Some("-3"), Some("INT"), "SELECT id FROM range(-3)"),
            ("SELECT :a", Some("9007199254740993"), Some("bigint"), "SELECT 9007199254740993L"),
            (
                "INSERT INTO t VALUES (:a)",
                Some("1.50"),
                Some("DECIMAL(10,2)"),
                "INSERT INTO t VALUES (CAST('1.50' AS DECIMAL(10,2)))",
            ),
            ("SELECT :a", None, Some("DATE"), "SELECT CAST(NULL AS DATE)"),
            ("SELECT :a", Some(""), None, "SELECT ''"),
        ];
        for (sql, value, type_name, expected) in cases {
            assert_eq!(bound(sql, value, type_name).unwrap(), expected);
        }
    }

    #[test]
    fn what_cannot_be_bound_is_named() {
        let error = |sql, value, type_name| bound(sql, value, type_name).unwrap_err().to_string();
        assert!(
            error("SELECT :a", Some("abc"), Some("INT")).contains("[CAST_INVALID_INPUT] The value 'abc'")
        );
        assert!(error("SELECT :a", Some("1"), Some("NUMBERISH")).contains("[UNSUPPORTED_DATATYPE]"));
        assert!(error("SELECT :b", Some("1"), None).contains("unbound parameter: b."));
    }
}
