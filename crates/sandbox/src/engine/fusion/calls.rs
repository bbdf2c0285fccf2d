//! Small trees that the rewriting puts in place of others.

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, TableAlias, TableAliasColumnDef, TimezoneInfo, Value,
};

pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let args = arguments.into_iter().map(|e| FunctionArg::Unnamed(FunctionArgExpr::Expr(e))).collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: vec![],
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    })
}

pub(super) fn cast(expression: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expression), data_type, array: false, format: None }
}

pub(super) fn text(value: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(value.to_owned()).into())
}

pub(super) fn timestamp_type() -> DataType {
    DataType::Timestamp(None, TimezoneInfo::None)
}

/// What surrounds a call (DISTINCT, FILTER, OVER, IGNORE NULLS) belongs to the call that replaces it.
pub(super) fn carry_over(from: &Function, to: &mut Function) {
    to.filter.clone_from(&from.filter);
    to.over.clone_from(&from.over);
    to.null_treatment.clone_from(&from.null_treatment);
    if let (FunctionArguments::List(from), FunctionArguments::List(to)) = (&from.args, &mut to.args) {
        to.duplicate_treatment.clone_from(&from.duplicate_treatment);
    }
}

pub(super) fn table_alias(alias: Option<TableAlias>, columns: impl Iterator<Item = String>) -> TableAlias {
    let mut alias =
        alias.unwrap_or(TableAlias { explicit: true, name: Ident::new("values"), columns: vec![], at: None });
    alias.columns =
        columns.map(|name| TableAliasColumnDef { name: Ident::new(name), data_type: None }).collect();
    alias
}

/// `struct(a, 1)`: a column keeps its name, another value is col1, col2, ….
pub(super) fn named_struct(values: &[Expr]) -> Expr {
    let arguments = values.iter().enumerate().flat_map(|(i, value)| {
        let (name, value) = match value {
            Expr::Named { expr, name } => (name.value.clone(), expr.as_ref().clone()),
            Expr::Identifier(name) => (name.value.clone(), value.clone()),
            Expr::CompoundIdentifier(parts) if !parts.is_empty() => {
                (parts[parts.len() - 1].value.clone(), value.clone())
            }
            _ => (format!("col{}", i + 1), value.clone()),
        };
        [text(&name), value]
    });
    call("named_struct", arguments.collect())
}
