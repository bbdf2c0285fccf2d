//! Functions that end: DataFusion runs a function of a batch of rows to its end, whatever it takes.
//!
//! Each function is wrapped. A result that would be larger than [`MOST_BYTES`] is refused before it is computed, and a
//! batch with large values is computed in pieces, between which the statement may be canceled.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{DataType, FieldRef};
use datafusion::arrow::compute::concat;
use datafusion::common::config::ConfigOptions;
use datafusion::common::{DataFusionError, ExprSchema, Result, ScalarValue};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::SessionState;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ExpressionPlacement, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, StructFieldMapping,
};

use super::{
    bounds::{Cost, Growth, Operands, bytes},
    cancel::Canceled,
};

/// What a function's result for a batch of rows may take: more than any answer that a client takes at once.
pub(super) const MOST_BYTES: u64 = 128 << 20;
/// What is computed between two looks at the flag: a fraction of a second.
const BYTES_AT_ONCE: u64 = 8 << 20;
/// The same for work that isn't seen in the result's size.
const STEPS_AT_ONCE: u64 = 100_000_000;
/// What one row may take: some minutes.
const MOST_STEPS: u64 = 20_000_000_000;

/// Functions that DataFusion's planner knows by their type. They only pass on what they are given.
const UNWRAPPED: [&str; 5] = ["coalesce", "get_field", "named_struct", "nvl", "struct"];

/// Wraps every function of the engine.
pub(super) fn wrap_functions(state: &mut SessionState) -> Result<()> {
    let known: Vec<_> = state.scalar_functions().iter().map(|(name, f)| (name.clone(), f.clone())).collect();
    // A function's own name comes last, so that it wins over the alias of another.
    for own in [false, true] {
        for (name, function) in &known {
            if (name == function.name()) == own && !UNWRAPPED.contains(&function.name()) {
                state.register_udf(Arc::new(wrapped(function.as_ref().clone())))?;
            }
        }
    }
    Ok(())
}

/// The function, with the limits.
pub(super) fn wrapped(function: ScalarUDF) -> ScalarUDF {
    let growth = Growth::of(function.name());
    ScalarUDF::from(Limited { function, growth })
}

/// A function that refuses what would not fit.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Limited {
    function: ScalarUDF,
    growth: Growth,
}

impl Limited {
    fn inner(&self) -> &dyn ScalarUDFImpl {
        self.function.inner().as_ref()
    }

    /// The rows that are computed at once.
    fn pieces(&self, args: &ScalarFunctionArgs) -> Result<Vec<Range<usize>>> {
        let operands = Operands::new(self.growth, &args.args)?;
        let rows = if args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_))) {
            1
        } else {
            args.number_rows
        };
        let (mut pieces, mut start, mut sum) = (Vec::new(), 0, Cost::default());
        for row in 0..rows {
            let cost = operands.cost(self.growth, row);
            self.refuse_too_large(&operands, cost, row)?;
            let next = Cost {
                bytes: sum.bytes.saturating_add(cost.bytes),
                steps: sum.steps.saturating_add(cost.steps),
            };
            sum = if row > start && (next.bytes > BYTES_AT_ONCE || next.steps > STEPS_AT_ONCE) {
                pieces.push(start..row);
                start = row;
                cost
            } else {
                next
            };
        }
        pieces.push(start..rows);
        Ok(pieces)
    }

    /// Refuses a row that alone is too much.
    fn refuse_too_large(&self, operands: &Operands, cost: Cost, row: usize) -> Result<()> {
        let most = match self.growth {
            // These bounds are rough, so only what cannot be right is refused; the result is measured.
            Growth::Sum => 2 * MOST_BYTES,
            Growth::Matching => 8 * MOST_BYTES,
            _ => MOST_BYTES,
        };
        if cost.steps > MOST_STEPS {
            return Err(exhausted(format!(
                "`{}` would compare texts in {} steps, and may take {MOST_STEPS}.",
                self.shown(),
                cost.steps
            )));
        }
        if cost.bytes <= most {
            return Ok(());
        }
        if self.growth == Growth::Series {
            return Err(DataFusionError::Execution(format!(
                "[COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION] Can't create array with {} elements which exceeding the array \
                 size limit {} of the sandbox, unsuccessful try to create arrays in the function `{}`. SQLSTATE: 54000",
                operands.elements(row),
                MOST_BYTES / 8,
                self.shown()
            )));
        }
        Err(self.too_large(cost.bytes))
    }

    fn too_large(&self, bytes: u64) -> DataFusionError {
        exhausted(format!(
            "`{}` would make {bytes} bytes, and the result of a function may have {MOST_BYTES} for one batch of rows.",
            self.shown()
        ))
    }

    /// The function's name as a statement spells it.
    fn shown(&self) -> &str {
        match self.function.name() {
            "generate_series" => "sequence",
            name => name,
        }
    }

    fn invoke_in_pieces(
        &self,
        args: &ScalarFunctionArgs,
        pieces: Vec<Range<usize>>,
    ) -> Result<ColumnarValue> {
        let (mut results, mut size) = (Vec::<ArrayRef>::new(), 0);
        for rows in pieces {
            Canceled::check(&args.config_options)?;
            let part = |arg: &ColumnarValue| match arg {
                ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(rows.start, rows.len())),
                ColumnarValue::Scalar(scalar) => ColumnarValue::Scalar(scalar.clone()),
            };
            let result = self.inner().invoke_with_args(ScalarFunctionArgs {
                args: args.args.iter().map(part).collect(),
                arg_fields: args.arg_fields.clone(),
                number_rows: rows.len(),
                return_field: args.return_field.clone(),
                config_options: args.config_options.clone(),
            })?;
            let result = result.into_array(rows.len())?;
            size += bytes(result.as_ref());
            if size > MOST_BYTES {
                return Err(self.too_large(size));
            }
            results.push(result);
        }
        let results: Vec<_> = results.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(concat(&results)?))
    }

    fn measured(&self, result: ColumnarValue) -> Result<ColumnarValue> {
        let size = match &result {
            ColumnarValue::Array(array) => bytes(array.as_ref()),
            ColumnarValue::Scalar(scalar) => scalar.size() as u64,
        };
        if size > MOST_BYTES { Err(self.too_large(size)) } else { Ok(result) }
    }
}

fn exhausted(what: String) -> DataFusionError {
    DataFusionError::ResourcesExhausted(what)
}

/// A quick bound of what all rows take, scalars counted for each.
fn at_once(args: &ScalarFunctionArgs) -> u64 {
    let size = |arg: &ColumnarValue| match arg {
        ColumnarValue::Array(array) => bytes(array.as_ref()),
        ColumnarValue::Scalar(scalar) => (scalar.size() as u64).saturating_mul(args.number_rows as u64),
    };
    args.args.iter().fold(0, |sum: u64, arg| sum.saturating_add(size(arg)))
}

#[warn(clippy::missing_trait_methods, reason = "all but the call is the wrapped function's")]
impl ScalarUDFImpl for Limited {
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Canceled::check(&args.config_options)?;
        if args.number_rows == 0 || (self.growth == Growth::Sum && at_once(&args) <= BYTES_AT_ONCE) {
            return self.inner().invoke_with_args(args);
        }
        let pieces = self.pieces(&args)?;
        if pieces.len() <= 1 {
            return self.measured(self.inner().invoke_with_args(args)?);
        }
        self.invoke_in_pieces(&args, pieces)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        self.inner().with_updated_config(config).map(wrapped)
    }

    fn name(&self) -> &str {
        self.inner().name()
    }

    fn aliases(&self) -> &[String] {
        self.inner().aliases()
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        #[expect(deprecated, reason = "the wrapped function may have its own")]
        self.inner().display_name(args)
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        self.inner().schema_name(args)
    }

    fn signature(&self) -> &Signature {
        self.inner().signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner().return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner().return_field_from_args(args)
    }

    fn is_nullable(&self, args: &[Expr], schema: &dyn ExprSchema) -> bool {
        #[expect(deprecated, reason = "the wrapped function may have its own")]
        self.inner().is_nullable(args, schema)
    }

    fn is_strict(&self) -> bool {
        self.inner().is_strict()
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.inner().simplify(args, info)
    }

    fn preimage(&self, args: &[Expr], literal: &Expr, info: &SimplifyContext) -> Result<PreimageResult> {
        self.inner().preimage(args, literal, info)
    }

    fn conditional_arguments<'a>(&self, args: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.inner().conditional_arguments(args)
    }

    fn short_circuits(&self) -> bool {
        self.inner().short_circuits()
    }

    fn evaluate_bounds(&self, input: &[&Interval]) -> Result<Interval> {
        self.inner().evaluate_bounds(input)
    }

    fn propagate_constraints(
        &self,
        interval: &Interval,
        inputs: &[&Interval],
    ) -> Result<Option<Vec<Interval>>> {
        self.inner().propagate_constraints(interval, inputs)
    }

    fn struct_field_mapping(&self, literals: &[Option<ScalarValue>]) -> Option<StructFieldMapping> {
        self.inner().struct_field_mapping(literals)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.inner().output_ordering(inputs)
    }

    fn preserves_lex_ordering(&self, inputs: &[ExprProperties]) -> Result<bool> {
        self.inner().preserves_lex_ordering(inputs)
    }

    fn strictly_order_preserving(&self, inputs: &[ExprProperties]) -> Result<bool> {
        self.inner().strictly_order_preserving(inputs)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner().coerce_types(types)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner().documentation()
    }

    fn placement(&self, args: &[ExpressionPlacement]) -> ExpressionPlacement {
        self.inner().placement(args)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use datafusion::prelude::SessionContext;

    use super::*;

    #[test]
    fn wrapping_keeps_what_each_name_means() {
        let mut state = SessionContext::new().state();
        let names = |state: &SessionState| -> BTreeMap<String, String> {
            let functions = state.scalar_functions().iter();
            functions.map(|(name, function)| (name.clone(), function.name().to_owned())).collect()
        };
        let before = names(&state);
        wrap_functions(&mut state).unwrap();
        assert_eq!(names(&state), before);
    }
}
