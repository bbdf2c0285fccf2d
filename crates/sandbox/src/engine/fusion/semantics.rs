//! An analyzer rule that runs when all types are known: casts and sums as Spark makes them.
//!
//! Without it DataFusion would give wrong answers: integers wrap around, `CAST(0 AS TIMESTAMP)` counts microseconds,
//! a TIMESTAMP or a DOUBLE becomes another text. What has no counterpart (a text of a nested value) is refused.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, Datum, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow_schema::{ArrowError, DataType};
use datafusion::arrow::compute::cast as arrow_cast;
use datafusion::arrow::compute::kernels::numeric;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use datafusion::optimizer::analyzer::AnalyzerRule;
use datafusion::physical_expr_common::datum::apply;

use super::{
    errors::unsupported,
    sql_types::{TIME_ZONE, sent_type, timestamp},
};
use crate::engine::{text::float, types::type_text};

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct SparkSemantics;

impl AnalyzerRule for SparkSemantics {
    fn name(&self) -> &'static str {
        "spark_semantics"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|plan| {
            let inputs = plan.inputs();
            let schema =
                if inputs.is_empty() { plan.schema().as_ref().clone() } else { merge_schema(&inputs) };
            let names = NamePreserver::new(&plan);
            plan.map_expressions(|expression| {
                let name = names.save(&expression);
                let expression = expression.transform_up(|inner| in_spark(inner, &schema))?;
                Ok(expression.update_data(|expression| name.restore(expression)))
            })?
            .map_data(LogicalPlan::recompute_schema)
        })?;
        Ok(plan.data)
    }
}

fn in_spark(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match &expression {
        Expr::Cast(cast) => {
            let target = cast.field.data_type().clone();
            in_spark_cast(&expression, &cast.expr, target, schema)
        }
        Expr::TryCast(cast) => {
            let target = cast.field.data_type().clone();
            in_spark_cast(&expression, &cast.expr, target, schema)
        }
        Expr::BinaryExpr(binary) => {
            let op = match binary.op {
                Operator::Plus => CheckedOperator::Add,
                Operator::Minus => CheckedOperator::Subtract,
                Operator::Multiply => CheckedOperator::Multiply,
                _ => return Ok(Transformed::no(expression)),
            };
            let date = |side: &Expr| side.get_type(schema).is_ok_and(|t| t == DataType::Date32);
            if binary.op == Operator::Minus && date(&binary.left) && date(&binary.right) {
                return plan_err!("{}", unsupported("DATE - DATE as an interval; `datediff` gives the days"));
            }
            let whole = |side: &Expr| side.get_type(schema).is_ok_and(|t| t.is_signed_integer());
            if !(whole(&binary.left) && whole(&binary.right)) {
                return Ok(Transformed::no(expression));
            }
            // A chain of constants becomes one, or planning it would take minutes.
            if let (Some(left), Some(right)) = (constant(&binary.left), constant(&binary.right))
                && let Ok(sum) = (op.kernel())(&left.to_scalar()?, &right.to_scalar()?)
            {
                return Ok(Transformed::yes(Expr::Literal(ScalarValue::try_from_array(&sum, 0)?, None)));
            }
            let call = ScalarUDF::from(Checked { op, signature: Signature::any(2, Volatility::Immutable) });
            Ok(Transformed::yes(call.call(vec![binary.left.as_ref().clone(), binary.right.as_ref().clone()])))
        }
        _ => Ok(Transformed::no(expression)),
    }
}

fn constant(expression: &Expr) -> Option<&ScalarValue> {
    match expression {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    }
}

fn in_spark_cast(
    whole: &Expr,
    inner: &Expr,
    target: DataType,
    schema: &DFSchema,
) -> Result<Transformed<Expr>> {
    let Ok(source) = inner.get_type(schema) else { return Ok(Transformed::no(whole.clone())) };
    let (from_number, to_number) = (source.is_numeric(), target.is_numeric());
    if source.is_signed_integer()
        && target.is_signed_integer()
        && let Some(Ok(folded)) = constant(inner).map(|value| value.cast_to(&target))
    {
        return Ok(Transformed::yes(Expr::Literal(folded, None)));
    }
    let text = matches!(target, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8);
    let ours = match &source {
        DataType::Timestamp(..) => to_number || text,
        DataType::Float32 | DataType::Float64 if text => true,
        _ => from_number && matches!(target, DataType::Timestamp(..)),
    };
    if ours {
        let target = if matches!(target, DataType::Timestamp(_, Some(_))) { timestamp() } else { target };
        let call = ScalarUDF::from(Convert { target, signature: Signature::any(1, Volatility::Immutable) });
        return Ok(Transformed::yes(call.call(vec![inner.clone()])));
    }
    if text && (source.is_nested() || matches!(source, DataType::Interval(_) | DataType::Duration(_))) {
        return plan_err!("{}", unsupported("a text of a nested value or an interval"));
    }
    if (source.is_temporal() && to_number) || (from_number && matches!(target, DataType::Date32)) {
        return plan_err!(
            "[DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION] Cannot resolve the cast due to data type mismatch: cannot cast \
             \"{}\" to \"{}\". SQLSTATE: 42K09",
            shown(&source),
            shown(&target)
        );
    }
    Ok(Transformed::no(whole.clone()))
}

fn shown(data_type: &DataType) -> String {
    type_text(&sent_type(data_type).unwrap_or_else(|| data_type.clone()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum CheckedOperator {
    Add,
    Subtract,
    Multiply,
}

impl CheckedOperator {
    fn kernel(self) -> Kernel {
        match self {
            CheckedOperator::Add => numeric::add,
            CheckedOperator::Subtract => numeric::sub,
            CheckedOperator::Multiply => numeric::mul,
        }
    }
}

type Kernel = fn(&dyn Datum, &dyn Datum) -> Result<ArrayRef, ArrowError>;

/// Whole numbers that fail instead of wrapping around.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    op: CheckedOperator,
    signature: Signature,
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &'static str {
        match self.op {
            CheckedOperator::Add => "spark_add",
            CheckedOperator::Subtract => "spark_subtract",
            CheckedOperator::Multiply => "spark_multiply",
        }
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let kernel = self.op.kernel();
        let instead = match self.op {
            CheckedOperator::Add => "try_add",
            CheckedOperator::Subtract => "try_subtract",
            CheckedOperator::Multiply => "try_multiply",
        };
        let size = match args.return_type() {
            DataType::Int64 => "long",
            _ => "integer",
        };
        apply(&args.args[0], &args.args[1], kernel).map_err(|error| match error.find_root() {
            DataFusionError::ArrowError(arrow, _) if matches!(**arrow, ArrowError::ArithmeticOverflow(_)) => {
                DataFusionError::Execution(format!(
                    "[ARITHMETIC_OVERFLOW] {size} overflow. Use '{instead}' to tolerate overflow and return NULL instead. \
                     SQLSTATE: 22003"
                ))
            }
            _ => error,
        })
    }
}

/// Casts between numbers, texts and timestamps that Arrow makes differently.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Convert {
    target: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for Convert {
    fn name(&self) -> &'static str {
        "spark_convert"
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.target.clone())
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match &args.args[0] {
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(convert(array, &self.target)?)),
            ColumnarValue::Scalar(value) => {
                let array = convert(&value.to_array()?, &self.target)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?))
            }
        }
    }
}

const SECOND: i64 = 1_000_000;

fn convert(array: &ArrayRef, target: &DataType) -> Result<ArrayRef> {
    let out: ArrayRef = match (array.data_type(), target) {
        (DataType::Float32, _) => {
            let values = array.as_primitive::<Float32Type>();
            Arc::new(
                values
                    .iter()
                    .map(|v| v.map(|v| float_text(|out| float(v, f64::from(v), out))))
                    .collect::<StringArray>(),
            )
        }
        (DataType::Float64, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8) => {
            let values = array.as_primitive::<Float64Type>();
            Arc::new(
                values.iter().map(|v| v.map(|v| float_text(|out| float(v, v, out)))).collect::<StringArray>(),
            )
        }
        (DataType::Timestamp(_, zone), target) => {
            let micros = DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, zone.clone());
            let array = arrow_cast(array, &micros)?;
            let values = array.as_primitive::<TimestampMicrosecondType>();
            match target {
                DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => {
                    let seconds = values.iter().map(|v| v.map(|v| v as f64 / SECOND as f64));
                    Arc::new(seconds.collect::<arrow_array::Float64Array>())
                }
                _ if target.is_numeric() => {
                    Arc::new(values.iter().map(|v| v.map(|v| v.div_euclid(SECOND))).collect::<Int64Array>())
                }
                _ => Arc::new(
                    (0..values.len()).map(|row| timestamp_text(values, row)).collect::<StringArray>(),
                ),
            }
        }
        (source, DataType::Timestamp(_, zone)) => {
            let micros: Vec<Option<i64>> = if source.is_integer() {
                let seconds = arrow_cast(array, &DataType::Int64)?;
                let seconds = seconds.as_primitive::<arrow_array::types::Int64Type>();
                let micros = seconds.iter().map(|v| v.map(|v| v.checked_mul(SECOND).ok_or(())).transpose());
                match micros.collect::<Result<_, ()>>() {
                    Ok(micros) => micros,
                    Err(()) => {
                        return exec_err!(
                            "[CAST_OVERFLOW] The value of the type \"BIGINT\" cannot be cast to \"TIMESTAMP\" due to an \
                             overflow. SQLSTATE: 22003"
                        );
                    }
                }
            } else {
                let seconds = arrow_cast(array, &DataType::Float64)?;
                let seconds = seconds.as_primitive::<Float64Type>();
                seconds
                    .iter()
                    .map(|v| v.filter(|v| v.is_finite()).map(|v| (v * SECOND as f64) as i64))
                    .collect()
            };
            let zone = zone.as_ref().map(|_| TIME_ZONE);
            Arc::new(TimestampMicrosecondArray::from(micros).with_timezone_opt(zone))
        }
        (source, target) => return exec_err!("no conversion from {source} to {target}"),
    };
    Ok(arrow_cast(&out, target)?)
}

fn float_text(write: impl Fn(&mut String)) -> String {
    let mut out = String::new();
    write(&mut out);
    out
}

/// `2024-01-02 03:04:05.5`: no zone, no zeros at the end of the fraction.
fn timestamp_text(values: &TimestampMicrosecondArray, row: usize) -> Option<String> {
    if values.is_null(row) {
        return None;
    }
    let text = values.value_as_datetime(row)?.format("%Y-%m-%d %H:%M:%S%.6f").to_string();
    Some(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

/// `typeof(x)`: the type's name in lower case.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct TypeOf(Signature);

impl Default for TypeOf {
    fn default() -> Self {
        Self(Signature::any(1, Volatility::Immutable))
    }
}

impl ScalarUDFImpl for TypeOf {
    fn name(&self) -> &'static str {
        "typeof"
    }
    fn signature(&self) -> &Signature {
        &self.0
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let name = shown(args.arg_fields[0].data_type()).to_lowercase();
        Ok(ColumnarValue::Scalar(ScalarValue::Utf8(Some(name))))
    }
}
