//! What an unnamed column is called: close to Spark's text of its expression (`1`, `(id * 2)`, `count(1)`).
//!
//! The columns of the outermost SELECT get internal, unique names (`SELECT 1, 1` is fine in Databricks and an error in
//! DataFusion) and are renamed at the end; those of inner SELECTs get the text itself as their name.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Query, Select, SelectItem, SetExpr,
    UnaryOperator, Value,
};

use super::parse::Spelling;

/// Internal name → name to show.
pub(super) type Shown = HashMap<String, String>;

/// Names the columns of the outermost SELECT (of a set operation: its left side's).
pub(super) fn name_outer_columns(query: &mut Query, spelling: &Spelling) -> Shown {
    let mut shown = Shown::new();
    if let SetExpr::Values(values) = query.body.as_ref() {
        let columns = values.rows.first().map_or(0, |row| row.content.len());
        return (1..=columns).map(|i| (format!("column{i}"), format!("col{i}"))).collect();
    }
    let Some(select) = leftmost(&mut query.body) else { return shown };
    for (i, item) in select.projection.iter_mut().enumerate() {
        match item {
            SelectItem::UnnamedExpr(column @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_)))
                if column_name(column).is_some() =>
            {
                let Some(name) = column_name(column) else { continue };
                let spelled = spelled(name, spelling);
                if shown.contains_key(&name.value.to_lowercase()) {
                    let internal = format!("__c{i}");
                    *item = SelectItem::ExprWithAlias {
                        expr: column.clone(),
                        alias: Ident::new(internal.clone()),
                    };
                    shown.insert(internal, spelled);
                } else {
                    shown.insert(name.value.to_lowercase(), spelled);
                }
            }
            SelectItem::UnnamedExpr(expression) => {
                let internal = format!("__c{i}");
                shown.insert(internal.clone(), display_name(expression));
                *item = SelectItem::ExprWithAlias { expr: expression.clone(), alias: Ident::new(internal) };
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                let internal = format!("__c{i}");
                shown.insert(internal.clone(), spelled(alias, spelling));
                // The alias may be used in ORDER BY and QUALIFY, so it keeps its name unless it repeats.
                let name = alias.value.to_lowercase();
                let spelled = spelled(alias, spelling);
                match shown.entry(name) {
                    Entry::Vacant(free) => {
                        free.insert(spelled);
                    }
                    Entry::Occupied(_) => {
                        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::new(internal) };
                    }
                }
            }
            _ => {}
        }
    }
    shown
}

/// Gives the unnamed columns of an inner SELECT their text as name, where that is unique.
pub(super) fn name_inner_columns(select: &mut Select) {
    let mut taken: HashSet<String> = HashSet::new();
    for item in &mut select.projection {
        let SelectItem::UnnamedExpr(expression) = item else { continue };
        if matches!(expression, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
            continue;
        }
        let name = display_name(expression).to_lowercase();
        if taken.insert(name.clone()) {
            let alias = Ident::with_quote('`', name);
            *item = SelectItem::ExprWithAlias { expr: expression.clone(), alias };
        }
    }
}

fn leftmost(body: &mut SetExpr) -> Option<&mut Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::SetOperation { left, .. } => leftmost(left),
        SetExpr::Query(query) => leftmost(&mut query.body),
        _ => None,
    }
}

fn column_name(column: &Expr) -> Option<&Ident> {
    match column {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(parts) => parts.last(),
        _ => None,
    }
}

fn spelled(name: &Ident, spelling: &Spelling) -> String {
    match name.quote_style {
        Some(_) => spelling.get(&name.value).unwrap_or(&name.value).clone(),
        None => name.value.clone(),
    }
}

fn display_name(expression: &Expr) -> String {
    match expression {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(parts) => parts.last().map(|name| name.value.clone()).unwrap_or_default(),
        Expr::Nested(inner) => display_name(inner),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.clone(),
            Value::Number(digits, _) => digits.clone(),
            Value::Null => "NULL".to_owned(),
            other => other.to_string(),
        },
        Expr::BinaryOp { left, op, right } => {
            format!("({} {op} {})", display_name(left), display_name(right))
        }
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } if matches!(expr.as_ref(), Expr::Value(_)) => {
            format!("-{}", display_name(expr))
        }
        Expr::UnaryOp { op, expr } => format!("({op} {})", display_name(expr)),
        Expr::IsNull(inner) => format!("({} IS NULL)", display_name(inner)),
        Expr::IsNotNull(inner) => format!("({} IS NOT NULL)", display_name(inner)),
        // Spark shows the value of a suffixed number, not the cast that stands for it here.
        Expr::Cast { expr, data_type, .. } => {
            format!("CAST({} AS {})", display_name(expr), data_type.to_string().to_uppercase())
        }
        Expr::TypedString(typed) => format!("{} {}", typed.data_type, typed.value),
        Expr::Trim { expr, trim_where: None, trim_what: None, trim_characters: None } => {
            format!("trim({})", display_name(expr))
        }
        Expr::Like { negated: false, expr, pattern, .. } => {
            format!("{} LIKE {}", display_name(expr), display_name(pattern))
        }
        Expr::Struct { values, .. } => {
            let values: Vec<String> = values.iter().map(display_name).collect();
            format!("struct({})", values.join(", "))
        }
        Expr::Named { expr, name } => format!("{} AS {name}", display_name(expr)),
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            let parts = [Some(expr), substring_from.as_ref(), substring_for.as_ref()];
            let parts: Vec<String> = parts.into_iter().flatten().map(|part| display_name(part)).collect();
            format!("substring({})", parts.join(", "))
        }
        Expr::Function(function) => {
            let name = function.name.to_string().to_lowercase();
            let FunctionArguments::List(list) = &function.args else { return format!("{name}()") };
            if name == "explode" {
                return "col".to_owned();
            }
            let arguments: Vec<String> = list
                .args
                .iter()
                .map(|argument| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => display_name(expression),
                    FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => "1".to_owned(),
                    other => other.to_string(),
                })
                .collect();
            let distinct = if list.duplicate_treatment.is_some() { "DISTINCT " } else { "" };
            let over = function.over.as_ref().map(|over| match over {
                datafusion::sql::sqlparser::ast::WindowType::WindowSpec(spec) => format!(" OVER ({spec})"),
                datafusion::sql::sqlparser::ast::WindowType::NamedWindow(name) => format!(" OVER {name}"),
            });
            format!("{name}({distinct}{}){}", arguments.join(", "), over.unwrap_or_default())
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parser_of;
    use super::*;

    #[test]
    fn unnamed_columns_read_as_in_spark() {
        let cases = [
            ("1", "1"),
            ("'a'", "a"),
            ("NULL", "NULL"),
            ("id * 2 + 1", "((id * 2) + 1)"),
            ("COUNT(*)", "count(1)"),
            ("count(DISTINCT Id)", "count(DISTINCT Id)"),
            ("t.Name", "Name"),
            ("cast(x as int)", "CAST(x AS INT)"),
            ("substr(a, 1, 2)", "substring(a, 1, 2)"),
            ("current_date()", "current_date()"),
        ];
        for (sql, name) in cases {
            assert_eq!(display_name(&parser_of(sql).unwrap().parse_expr().unwrap()), name, "{sql}");
        }
    }
}
