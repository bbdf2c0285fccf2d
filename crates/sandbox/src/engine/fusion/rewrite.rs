//! Spark's meaning on DataFusion's tree: number types, NULLs, functions, and refusal of what would be read wrongly.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::common::{DataFusionError, Result};
use datafusion::sql::sqlparser::ast::{
    DataType, DateTimeField, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, LimitClause,
    OrderBy, OrderByExpr, OrderByKind, OrderByOptions, Query, Select, SelectItem, SetExpr, SetOperator,
    Statement, TableAlias, TableFactor, UnaryOperator, Value, VisitMut, VisitorMut, visit_expressions,
};

use super::{
    calls,
    errors::unsupported,
    functions::{AGGREGATES, Standing, expand, standing},
    names, patterns,
};

/// Answers of `current_user()` and its like.
pub(super) type Constants = HashMap<&'static str, String>;

/// # Errors
/// `UNSUPPORTED_FEATURE.SANDBOX` and `UNRESOLVED_ROUTINE`.
pub(super) fn rewrite(statement: &mut Statement, constants: Constants) -> Result<()> {
    let mut rewriter = Rewriter { constants };
    match statement.visit(&mut rewriter) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(message) => Err(DataFusionError::Plan(message)),
    }
}

struct Rewriter {
    constants: Constants,
}

fn refuse(what: &str) -> ControlFlow<String> {
    ControlFlow::Break(unsupported(what))
}

/// Marks a number that must stay a bare one: an ordinal, a limit, an argument of a table function.
fn keep(expression: &mut Expr) {
    match expression {
        Expr::Value(value) => {
            if let Value::Number(_, long) = &mut value.value {
                *long = true;
            }
        }
        Expr::UnaryOp { expr, .. } => keep(expr),
        _ => {}
    }
}

impl VisitorMut for Rewriter {
    type Break = String;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<String> {
        order_by_all(query);
        if let Some(order_by) = &mut query.order_by
            && let OrderByKind::Expressions(keys) = &mut order_by.kind
        {
            keys.iter_mut().for_each(|key| keep(&mut key.expr));
        }
        match &mut query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                limit.iter_mut().for_each(keep);
                offset.iter_mut().for_each(|offset| keep(&mut offset.value));
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
                keep(offset);
                keep(limit);
            }
            None => {}
        }
        minus_is_except(&mut query.body);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<String> {
        if !select.lateral_views.is_empty() {
            return refuse("LATERAL VIEW");
        }
        if !select.sort_by.is_empty() || !select.connect_by.is_empty() || select.top.is_some() {
            return refuse("SORT BY, CONNECT BY and TOP");
        }
        // Where rows lie has no meaning on one machine.
        select.cluster_by.clear();
        select.distribute_by.clear();
        match &mut select.group_by {
            GroupByExpr::Expressions(keys, _) => keys.iter_mut().for_each(keep),
            GroupByExpr::All(modifiers) => {
                let keys = select.projection.iter().filter_map(|item| match item {
                    SelectItem::UnnamedExpr(e) | SelectItem::ExprWithAlias { expr: e, .. }
                        if !has_aggregate(e) =>
                    {
                        Some(e.clone())
                    }
                    _ => None,
                });
                select.group_by = GroupByExpr::Expressions(keys.collect(), modifiers.clone());
            }
        }
        names::name_inner_columns(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<String> {
        match table {
            TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => {
                return refuse("TABLESAMPLE");
            }
            TableFactor::Table { version: Some(_), .. } => return refuse("time travel"),
            TableFactor::Pivot { .. } | TableFactor::Unpivot { .. } => return refuse("PIVOT and UNPIVOT"),
            TableFactor::Table { args: Some(arguments), name, .. } => {
                if name.to_string().to_lowercase() != "range" {
                    return refuse(&format!("the table function `{name}`"));
                }
                for argument in &mut arguments.args {
                    if let FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) = argument {
                        keep(expression);
                    }
                }
            }
            TableFactor::Derived { subquery, alias, .. } => name_values(subquery, alias),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<String> {
        if let Expr::Interval(interval) = expression {
            keep(&mut interval.value);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<String> {
        match expression {
            // 1 is INT, 3000000000 is BIGINT; DataFusion would make both BIGINT.
            Expr::Value(value) => match &value.value {
                Value::Number(digits, false) if digits.parse::<i32>().is_ok() => {
                    let mut bare = expression.clone();
                    keep(&mut bare);
                    *expression = calls::cast(bare, DataType::Int(None));
                }
                Value::Placeholder(marker) => {
                    return refuse(&format!("the marker {marker} here"));
                }
                _ => {}
            },
            // A bare short number again, or DataFusion refuses it.
            Expr::Interval(interval) => {
                if let Expr::Cast { expr, .. } = interval.value.as_ref() {
                    interval.value = expr.clone();
                }
                if let Expr::Value(value) = interval.value.as_mut()
                    && let Value::Number(_, long) = &mut value.value
                {
                    *long = false;
                }
            }
            Expr::RLike { negated, expr, pattern, .. } => {
                let call = calls::call("regexp_like", vec![expr.as_ref().clone(), pattern.as_ref().clone()]);
                *expression = if *negated {
                    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(call) }
                } else {
                    call
                };
            }
            // DataFusion's own substr knows no negative positions; the Spark function does.
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let arguments = [Some(&*expr), substring_from.as_ref(), substring_for.as_ref()];
                let arguments =
                    arguments.into_iter().flatten().map(|argument| argument.as_ref().clone()).collect();
                *expression = calls::call("substring", arguments);
            }
            Expr::Position { expr, r#in } => {
                let call = calls::call("strpos", vec![r#in.as_ref().clone(), expr.as_ref().clone()]);
                *expression = calls::cast(call, DataType::Int(None));
            }
            Expr::Extract { field, .. } => match field {
                DateTimeField::Year
                | DateTimeField::Quarter
                | DateTimeField::Month
                | DateTimeField::Week(_)
                | DateTimeField::Day
                | DateTimeField::Dow
                | DateTimeField::Doy
                | DateTimeField::Hour
                | DateTimeField::Minute => {}
                other => return refuse(&format!("EXTRACT({other} FROM …)")),
            },
            Expr::UnaryOp { op: op @ UnaryOperator::BangNot, .. } => *op = UnaryOperator::Not,
            Expr::Struct { values, fields } if fields.is_empty() => *expression = calls::named_struct(values),
            Expr::SimilarTo { .. } | Expr::JsonAccess { .. } | Expr::Convert { .. } => {
                return refuse(&format!("the expression {expression}"));
            }
            Expr::Function(_) => return self.function(expression),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Rewriter {
    fn function(&self, expression: &mut Expr) -> ControlFlow<String> {
        let Expr::Function(function) = expression else { return ControlFlow::Continue(()) };
        let name = function.name.to_string().to_lowercase();
        let arguments: Vec<Expr> = match &function.args {
            FunctionArguments::List(list) => list
                .args
                .iter()
                .filter_map(|argument| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => Some(argument.clone()),
                    _ => None,
                })
                .collect(),
            _ => vec![],
        };
        if arguments.is_empty()
            && let Some(constant) = self.constants.get(name.as_str())
        {
            *expression = calls::text(constant);
            return ControlFlow::Continue(());
        }
        if let Some(meaning) = special(&name, &arguments) {
            match meaning {
                Ok(meaning) => *expression = meaning,
                Err(what) => return refuse(&what),
            }
            return ControlFlow::Continue(());
        }
        if let Some(mut meaning) = expand(&name, &arguments) {
            // The window and filter of an aggregate go to the aggregate inside.
            match &mut meaning {
                Expr::Function(inner) => calls::carry_over(function, inner),
                Expr::Cast { expr, .. } => match expr.as_mut() {
                    Expr::Function(inner) => calls::carry_over(function, inner),
                    _ if function.over.is_some() || function.filter.is_some() => {
                        return refuse(&format!("`{name}` with OVER or FILTER"));
                    }
                    _ => {}
                },
                _ if function.over.is_some() || function.filter.is_some() => {
                    return refuse(&format!("`{name}` with OVER or FILTER"));
                }
                _ => {}
            }
            *expression = match meaning {
                Expr::Function(_) | Expr::Cast { .. } => meaning,
                other => Expr::Nested(Box::new(other)),
            };
            return ControlFlow::Continue(());
        }
        match standing(&name) {
            Standing::Same => {
                // INT in Spark, an unsigned 64-bit number in DataFusion.
                if ["row_number", "rank", "dense_rank", "ntile"].contains(&name.as_str()) {
                    *expression = calls::cast(expression.clone(), DataType::Int(None));
                }
                ControlFlow::Continue(())
            }
            Standing::Missing => {
                refuse(&format!("the function `{name}` with {} argument(s)", arguments.len()))
            }
            Standing::Unknown => ControlFlow::Break(format!(
                "[UNRESOLVED_ROUTINE] Cannot resolve routine `{name}` on search path [`system`.`builtin`, \
                 `system`.`session`, `{}`.`{}`]. Verify the spelling of `{name}`, check that the routine exists, and \
                 confirm you have `USE` privilege on the catalog and schema, and EXECUTE on the routine. SQLSTATE: 42883",
                self.constants.get("current_catalog").map_or("", String::as_str),
                self.constants.get("current_schema").map_or("", String::as_str),
            )),
        }
    }
}

/// Functions whose meaning depends on a literal argument. `Err` names what is refused.
fn special(name: &str, arguments: &[Expr]) -> Option<Result<Expr, String>> {
    let literal = |index: usize| match arguments.get(index) {
        Some(Expr::Value(value)) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text.as_str()),
            _ => None,
        },
        _ => None,
    };
    let timestamp = |value: &Expr| calls::cast(value.clone(), calls::timestamp_type());
    let with_pattern = |function: &str, value: Expr, index: usize| {
        let java = literal(index).ok_or_else(|| format!("`{name}` with a pattern that isn't a literal"))?;
        let chrono = patterns::of_java(java).ok_or_else(|| format!("the date pattern '{java}'"))?;
        Ok(calls::call(function, vec![value, calls::text(&chrono)]))
    };
    Some(match (name, arguments) {
        ("date_format", [value, _]) => with_pattern("to_char", timestamp(value), 1),
        ("to_date", [value, _]) => with_pattern("to_date", value.clone(), 1),
        ("to_timestamp", [value, _]) => with_pattern("to_timestamp", value.clone(), 1)
            .map(|call| calls::cast(call, calls::timestamp_type())),
        ("from_unixtime", [seconds]) => Ok(calls::call(
            "to_char",
            vec![
                timestamp(&calls::cast(seconds.clone(), DataType::BigInt(None))),
                calls::text("%Y-%m-%d %H:%M:%S"),
            ],
        )),
        ("from_unixtime", [seconds, _]) => {
            with_pattern("to_char", timestamp(&calls::cast(seconds.clone(), DataType::BigInt(None))), 1)
        }
        ("split", [value, _]) => match literal(1).and_then(plain_separator) {
            Some(separator) => {
                Ok(calls::call("string_to_array", vec![value.clone(), calls::text(&separator)]))
            }
            None => Err("`split` at a regular expression".to_owned()),
        },
        _ => return None,
    })
}

/// The text that a regular expression without operators matches.
fn plain_separator(pattern: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(chars.next().filter(|escaped| !escaped.is_alphanumeric())?),
            '.' | '[' | ']' | '{' | '}' | '(' | ')' | '*' | '+' | '?' | '^' | '$' | '|' => return None,
            plain => out.push(plain),
        }
    }
    (!out.is_empty()).then_some(out)
}

/// `ORDER BY ALL`: every column, from left to right.
fn order_by_all(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_ref() else { return };
    let columns = select.projection.len();
    let named = select
        .projection
        .iter()
        .all(|item| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. }));
    if let Some(OrderBy { kind, .. }) = &mut query.order_by
        && let OrderByKind::All(options) = kind
        && named
    {
        let OrderByOptions { asc, nulls_first } = *options;
        let key = |i: usize| OrderByExpr {
            expr: Expr::Value(Value::Number((i + 1).to_string(), true).into()),
            options: OrderByOptions { asc, nulls_first },
            with_fill: None,
        };
        *kind = OrderByKind::Expressions((0..columns).map(key).collect());
    }
}

fn minus_is_except(body: &mut SetExpr) {
    if let SetExpr::SetOperation { op, left, right, .. } = body {
        if *op == SetOperator::Minus {
            *op = SetOperator::Except;
        }
        minus_is_except(left);
        minus_is_except(right);
    }
}

/// `VALUES (…)` has the columns col1, col2, ….
fn name_values(query: &Query, alias: &mut Option<TableAlias>) {
    let SetExpr::Values(values) = query.body.as_ref() else { return };
    let columns = values.rows.first().map_or(0, |row| row.content.len());
    let named = alias.as_ref().is_some_and(|alias| !alias.columns.is_empty());
    if !named {
        let columns = (1..=columns).map(|i| format!("col{i}"));
        *alias = Some(calls::table_alias(alias.take(), columns));
    }
}

fn has_aggregate(expression: &Expr) -> bool {
    visit_expressions(expression, |inner| match inner {
        Expr::Function(call)
            if call.over.is_none() && AGGREGATES.contains(&call.name.to_string().to_lowercase().as_str()) =>
        {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}
