//! Operators that mean something else in Spark: `/`, DIV, the types of decimals, `a[0]`.
//!
//! `7 / 2` is 3.5 and `1 / 0` an error; a decimal quotient has Spark's scale; `a[0]` is the first element.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Decimal128Array, Float64Array, Int64Array};
use arrow_schema::DataType;
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::i256;
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue, exec_err};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr};
use datafusion::logical_expr::{
    BinaryExpr, Cast, ColumnarValue, Expr, ExprSchemable, GetFieldAccess, Operator, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;

const DIVIDE_BY_ZERO: &str = "[DIVIDE_BY_ZERO] Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. SQLSTATE: 22012";

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct SparkOperators {
    /// What `||` of texts means. As an operator, it would know no limit of its result.
    pub(super) concat: Arc<ScalarUDF>,
}

impl ExprPlanner for SparkOperators {
    fn plan_binary_op(&self, e: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let (left, right) = (e.left.get_type(schema).ok(), e.right.get_type(schema).ok());
        let decimal = |t: &Option<DataType>| matches!(t, Some(DataType::Decimal128(..)));
        let whole = |t: &Option<DataType>| t.as_ref().is_none_or(|t| t.is_integer() || *t == DataType::Null);
        let floating = |t: &Option<DataType>| t.as_ref().is_some_and(DataType::is_floating);
        let exact =
            (decimal(&left) && (decimal(&right) || whole(&right))) || (whole(&left) && decimal(&right));
        let text = |t: &Option<DataType>| *t == Some(DataType::Utf8);
        match e.op {
            BinaryOperator::StringConcat if text(&left) && text(&right) => {
                Ok(PlannerResult::Planned(self.concat.call(vec![e.left, e.right])))
            }
            BinaryOperator::Divide if exact => {
                let divide = ScalarUDF::from(DivideDecimals::default());
                let (l, r) = (as_decimal(e.left, left.as_ref()), as_decimal(e.right, right.as_ref()));
                Ok(PlannerResult::Planned(divide.call(vec![l, r])))
            }
            BinaryOperator::Divide
                if (whole(&left) && whole(&right)) || floating(&left) || floating(&right) =>
            {
                let divide = ScalarUDF::from(DivideDoubles::default());
                let (l, r) = (cast(e.left, DataType::Float64), cast(e.right, DataType::Float64));
                Ok(PlannerResult::Planned(divide.call(vec![l, r])))
            }
            BinaryOperator::MyIntegerDivide => {
                let (l, r) = (cast(e.left, DataType::Int64), cast(e.right, DataType::Int64));
                let divide = BinaryExpr::new(Box::new(l), Operator::Divide, Box::new(r));
                Ok(PlannerResult::Planned(Expr::BinaryExpr(divide)))
            }
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Modulo
                if exact && !(decimal(&left) && decimal(&right)) =>
            {
                let (l, r) = (as_decimal(e.left, left.as_ref()), as_decimal(e.right, right.as_ref()));
                Ok(PlannerResult::Original(RawBinaryExpr { op: e.op, left: l, right: r }))
            }
            _ => Ok(PlannerResult::Original(e)),
        }
    }

    fn plan_field_access(
        &self,
        e: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let list = matches!(e.expr.get_type(schema), Ok(DataType::List(_)));
        match e.field_access {
            GetFieldAccess::ListIndex { key } if list => {
                let element = ScalarUDF::from(Element::default());
                Ok(PlannerResult::Planned(element.call(vec![e.expr, cast(*key, DataType::Int64)])))
            }
            field_access => Ok(PlannerResult::Original(RawFieldAccessExpr { expr: e.expr, field_access })),
        }
    }
}

fn cast(expression: Expr, data_type: DataType) -> Expr {
    Expr::Cast(Cast::new(Box::new(expression), data_type))
}

/// A whole number as a decimal: a literal by its digits, a column by its type.
fn as_decimal(expression: Expr, data_type: Option<&DataType>) -> Expr {
    let digits = match data_type {
        Some(DataType::Decimal128(..)) => return expression,
        Some(DataType::Int8) => 3,
        Some(DataType::Int16) => 5,
        Some(DataType::Int32) => 10,
        _ => 20,
    };
    let literal = match &expression {
        Expr::Literal(value, _) => Some(value),
        Expr::Cast(inner) => match inner.expr.as_ref() {
            Expr::Literal(value, _) => Some(value),
            _ => None,
        },
        _ => None,
    };
    let digits = literal.map_or(digits, |value| {
        let text = value.to_string();
        u8::try_from(text.trim_start_matches('-').len()).unwrap_or(digits).clamp(1, 38)
    });
    cast(expression, DataType::Decimal128(digits, 0))
}

/// double / double that fails on 0, as Spark does with ANSI on.
#[derive(Debug, PartialEq, Eq, Hash)]
struct DivideDoubles(Signature);

impl Default for DivideDoubles {
    fn default() -> Self {
        Self(Signature::exact(vec![DataType::Float64, DataType::Float64], Volatility::Immutable))
    }
}

impl ScalarUDFImpl for DivideDoubles {
    fn name(&self) -> &'static str {
        "spark_divide"
    }
    fn signature(&self) -> &Signature {
        &self.0
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        on_arrays(&args, |left, right| {
            let pairs =
                left.as_primitive::<Float64Type>().iter().zip(right.as_primitive::<Float64Type>().iter());
            let out: Float64Array = pairs
                .map(|pair| match pair {
                    (Some(_), Some(0.0)) => exec_err!("{DIVIDE_BY_ZERO}"),
                    (Some(l), Some(r)) => Ok(Some(l / r)),
                    _ => Ok(None),
                })
                .collect::<Result<_>>()?;
            Ok(Arc::new(out))
        })
    }
}

/// decimal / decimal with Spark's precision and scale.
#[derive(Debug, PartialEq, Eq, Hash)]
struct DivideDecimals(Signature);

impl Default for DivideDecimals {
    fn default() -> Self {
        Self(Signature::any(2, Volatility::Immutable))
    }
}

impl ScalarUDFImpl for DivideDecimals {
    fn name(&self) -> &'static str {
        "spark_divide_decimal"
    }
    fn signature(&self) -> &Signature {
        &self.0
    }
    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [DataType::Decimal128(p1, s1), DataType::Decimal128(p2, s2)] = types else {
            return exec_err!("decimals are divided by decimals, not {types:?}");
        };
        Ok(quotient_type((*p1, *s1), (*p2, *s2)))
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let result = args.return_type().clone();
        let DataType::Decimal128(precision, scale) = result else {
            return exec_err!("a quotient of decimals is a decimal");
        };
        on_arrays(&args, |left, right| {
            let (l, r) = (left.as_primitive::<Decimal128Type>(), right.as_primitive::<Decimal128Type>());
            let shift = i32::from(scale) - i32::from(l.scale()) + i32::from(r.scale());
            let factor = i256::from_i128(10).wrapping_pow(shift.unsigned_abs());
            let pairs = l.iter().zip(r.iter());
            let out: Decimal128Array = pairs
                .map(|pair| match pair {
                    (Some(_), Some(0)) => exec_err!("{DIVIDE_BY_ZERO}"),
                    (Some(l), Some(r)) => quotient(l, r, factor)
                        .filter(|q| q.unsigned_abs() < 10_u128.pow(u32::from(precision)))
                        .map(Some)
                        .ok_or_else(|| out_of_range(precision, scale)),
                    _ => Ok(None),
                })
                .collect::<Result<_>>()?;
            Ok(Arc::new(out.with_precision_and_scale(precision, scale)?))
        })
    }
}

/// Spark's DecimalPrecision: at least six digits after the point, 38 in all.
fn quotient_type((p1, s1): (u8, i8), (p2, s2): (u8, i8)) -> DataType {
    let (p1, s1, p2, s2) = (i32::from(p1), i32::from(s1), i32::from(p2), i32::from(s2));
    let scale = 6.max(s1 + p2 + 1);
    let precision = p1 - s1 + s2 + scale;
    let (precision, scale) =
        if precision > 38 { (38, (38 - (precision - scale)).max(scale.min(6))) } else { (precision, scale) };
    DataType::Decimal128(precision as u8, scale as i8)
}

/// Rounds half away from zero.
fn quotient(left: i128, right: i128, factor: i256) -> Option<i128> {
    let left = i256::from_i128(left).checked_mul(factor)?;
    let right = i256::from_i128(right);
    let (quotient, rest) = (left.checked_div(right)?, left.checked_rem(right)?);
    let twice = rest.wrapping_abs().checked_mul(i256::from_i128(2))?;
    let quotient = if twice >= right.wrapping_abs() {
        let one = i256::from_i128(if (left < i256::ZERO) == (right < i256::ZERO) { 1 } else { -1 });
        quotient.checked_add(one)?
    } else {
        quotient
    };
    quotient.to_i128()
}

fn out_of_range(precision: u8, scale: i8) -> DataFusionError {
    DataFusionError::Execution(format!(
        "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION] The quotient cannot be represented as DECIMAL({precision},{scale}). \
         SQLSTATE: 22003"
    ))
}

/// `a[i]`, counted from 0; an index outside is an error.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Element(Signature);

impl Default for Element {
    fn default() -> Self {
        Self(Signature::any(2, Volatility::Immutable))
    }
}

impl ScalarUDFImpl for Element {
    fn name(&self) -> &'static str {
        "spark_element"
    }
    fn signature(&self) -> &Signature {
        &self.0
    }
    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match &types[0] {
            DataType::List(element) => Ok(element.data_type().clone()),
            other => exec_err!("{other} has no elements"),
        }
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        on_arrays(&args, |lists, indices| {
            let (lists, indices) = (lists.as_list::<i32>(), indices.as_primitive::<Int64Type>());
            let offsets = lists.value_offsets();
            let places = (0..lists.len()).map(|row| {
                if lists.is_null(row) || indices.is_null(row) {
                    return Ok(None);
                }
                let (start, length) = (offsets[row], i64::from(offsets[row + 1] - offsets[row]));
                let index = indices.value(row);
                if !(0..length).contains(&index) {
                    return exec_err!(
                        "[INVALID_ARRAY_INDEX] The index {index} is out of bounds. The array has {length} elements. Use \
                         the SQL function `get()` to tolerate accessing element at invalid index and return NULL instead. \
                         SQLSTATE: 22003"
                    );
                }
                Ok(Some(i64::from(start) + index))
            });
            let places: Int64Array = places.collect::<Result<_>>()?;
            Ok(take(lists.values(), &places, None)?)
        })
    }
}

/// Runs a kernel of two arrays; two scalars give a scalar, so that constants stay constants.
pub(super) fn on_arrays(
    args: &ScalarFunctionArgs,
    kernel: impl Fn(&dyn Array, &dyn Array) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let scalar = args.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
    let arrays = ColumnarValue::values_to_arrays(&args.args)?;
    let out = kernel(arrays[0].as_ref(), arrays[1].as_ref())?;
    if scalar {
        Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&out, 0)?))
    } else {
        Ok(ColumnarValue::Array(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_have_sparks_types() {
        assert_eq!(quotient_type((2, 1), (1, 0)), DataType::Decimal128(7, 6));
        assert_eq!(quotient_type((10, 2), (10, 2)), DataType::Decimal128(23, 13));
        assert_eq!(quotient_type((38, 10), (38, 10)), DataType::Decimal128(38, 6));
    }

    #[test]
    fn quotients_are_rounded_half_up() {
        let factor = i256::from_i128(10);
        assert_eq!(quotient(1, 3, factor), Some(3));
        assert_eq!(quotient(1, 4, factor), Some(3), "2.5");
        assert_eq!(quotient(-1, 4, factor), Some(-3));
        assert_eq!(quotient(i128::MAX, 1, i256::from_i128(10).wrapping_pow(38)), None);
    }
}
