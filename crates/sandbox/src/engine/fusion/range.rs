//! `range([start,] end [, step [, partitions]])`: DataFusion's generator with Spark's column name.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions_table::generate_series::{GenSeriesArgs, GenerateSeriesTable};
use datafusion::logical_expr::Expr;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct SparkRange;

impl TableFunctionImpl for SparkRange {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let numbers = args.exprs().iter().map(number).collect::<Result<Vec<_>>>()?;
        let (start, end, step) = match numbers[..] {
            [end] => (0, end, 1),
            [start, end] => (start, end, 1),
            [start, end, step] | [start, end, step, _] => (start, end, step),
            _ => {
                return plan_err!(
                    "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `range` requires [1, 2, 3, 4] parameters but the actual \
                     number is {}. SQLSTATE: 42605",
                    numbers.len()
                );
            }
        };
        if step == 0 {
            return plan_err!("[INVALID_PARAMETER_VALUE] The step of `range` cannot be 0. SQLSTATE: 22023");
        }
        let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false)]));
        let series = GenSeriesArgs::Int64Args { start, end, step, include_end: false, name: "range" };
        Ok(Arc::new(GenerateSeriesTable::new(schema, series)))
    }
}

fn number(argument: &Expr) -> Result<i64> {
    match argument {
        Expr::Literal(value, _) => match value.cast_to(&DataType::Int64)? {
            ScalarValue::Int64(Some(number)) => Ok(number),
            _ => not_a_number(argument),
        },
        Expr::Cast(cast) => number(&cast.expr),
        Expr::Negative(inner) => match number(inner)?.checked_neg() {
            Some(number) => Ok(number),
            None => not_a_number(argument),
        },
        _ => not_a_number(argument),
    }
}

fn not_a_number(argument: &Expr) -> Result<i64> {
    plan_err!(
        "[UNSUPPORTED_FEATURE.SANDBOX] The feature is not supported: the sandbox's SQL engine takes only whole numbers as \
         arguments of `range`, not {argument}. SQLSTATE: 0A000"
    )
}
