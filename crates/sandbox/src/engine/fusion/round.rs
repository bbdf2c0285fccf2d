//! `round(decimal, n)` with Spark's type: the package's function keeps the scale, so 2.57 would print as 2.570.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// The package's `round` with its result cast.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SparkRound(Arc<ScalarUDF>);

impl SparkRound {
    pub(super) fn of(package: Arc<ScalarUDF>) -> Self {
        Self(package)
    }
}

impl ScalarUDFImpl for SparkRound {
    fn name(&self) -> &'static str {
        "round"
    }
    fn signature(&self) -> &Signature {
        self.0.signature()
    }
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.0.coerce_types(types)
    }
    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.0.return_type(types)
    }
    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let rounded = match args.arg_fields[0].data_type() {
            DataType::Decimal128(precision, scale) => {
                places(args.scalar_arguments).map(|places| rounded_type(*precision, *scale, places))
            }
            _ => None,
        };
        let field = self.0.return_field_from_args(args)?;
        Ok(match rounded {
            Some(rounded) => Arc::new(Field::new(field.name(), rounded, field.is_nullable())),
            None => field,
        })
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rounded = args.return_type().clone();
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let inner = Arc::new(Field::new("round", self.0.return_type(&types)?, true));
        let out = self.0.invoke_with_args(ScalarFunctionArgs { return_field: inner, ..args })?;
        out.cast_to(&rounded, None)
    }
}

/// The digits asked for, if they are a constant; 0 when not said.
fn places(arguments: &[Option<&ScalarValue>]) -> Option<i32> {
    match arguments.get(1) {
        None => Some(0),
        Some(value) => match value.as_ref()?.cast_to(&DataType::Int32).ok()? {
            ScalarValue::Int32(places) => places,
            _ => None,
        },
    }
}

/// One digit more before the point than there was: 9.9 becomes 10.
fn rounded_type(precision: u8, scale: i8, places: i32) -> DataType {
    let whole = i32::from(precision) - i32::from(scale) + 1;
    if places < 0 {
        return DataType::Decimal128(whole.max(1 - places).min(38) as u8, 0);
    }
    let scale = i32::from(scale).min(places);
    DataType::Decimal128((whole + scale).min(38) as u8, scale as i8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_decimals_have_sparks_types() {
        assert_eq!(rounded_type(4, 3, 2), DataType::Decimal128(4, 2));
        assert_eq!(rounded_type(2, 1, 0), DataType::Decimal128(2, 0));
        assert_eq!(rounded_type(10, 2, 5), DataType::Decimal128(11, 2));
        assert_eq!(rounded_type(5, 2, -2), DataType::Decimal128(4, 0));
    }
}
