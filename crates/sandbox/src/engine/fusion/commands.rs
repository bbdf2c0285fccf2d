//! SHOW, USE, SET and DESCRIBE: answered from the catalogs, in Spark's columns.

use datafusion::catalog::TableProvider;
use datafusion::logical_expr::TableType;
use datafusion::sql::sqlparser::ast::{
    ObjectName, Set, ShowStatementFilter, ShowStatementFilterPosition, ShowStatementOptions, Statement, Use,
};

use super::{
    answers::{SPELLING, of_tables, of_texts},
    catalogs::{Catalogs, Place, TableName, no_such_schema, parts},
    sql_types::sent_type,
};
use crate::engine::{error::EngineError, query::QueryStream, types::type_text};

/// `None`: not a command, plan it.
pub(super) async fn run(
    statement: &Statement,
    catalogs: &Catalogs,
    place: &Place,
    extended: bool,
) -> Result<Option<QueryStream>, EngineError> {
    Ok(Some(match statement {
        Statement::ShowCatalogs { show_options, .. } => {
            of_texts(["catalog"], &named(catalogs.names(), show_options)?)
        }
        Statement::ShowSchemas { show_options, .. } | Statement::ShowDatabases { show_options, .. } => {
            let catalog =
                scope(show_options).map_or_else(|| place.catalog.clone(), |name| parts(name).join("."));
            let mut names = catalogs.catalog(&catalog)?.schema_names();
            names.sort();
            of_texts(["databaseName"], &named(names, show_options)?)
        }
        Statement::ShowTables { show_options, .. } => {
            let (place, names) = tables(catalogs, place, show_options, None).await?;
            of_tables(["database", "tableName"], &place.schema, &names)
        }
        Statement::ShowViews { show_options, .. } => {
            let (place, names) = tables(catalogs, place, show_options, Some(TableType::View)).await?;
            of_tables(["namespace", "viewName"], &place.schema, &names)
        }
        Statement::ShowColumns { show_options, .. } => {
            let Some(name) = scope(show_options) else {
                return Err(EngineError::unsupported("SHOW COLUMNS without a table"));
            };
            let table = catalogs.existing_table(&place.table(name)?).await?;
            let names = columns(table.as_ref()).into_iter().map(|[name, ..]| name).collect();
            of_texts(["col_name"], &named(names, show_options)?)
        }
        Statement::ExplainTable { table_name, .. } => {
            let name = place.table(table_name)?;
            let table = catalogs.existing_table(&name).await?;
            let mut rows = columns(table.as_ref());
            if extended {
                rows.extend(details(&name, table.as_ref()));
            }
            of_texts(["col_name", "data_type", "comment"], &rows)
        }
        Statement::Set(set) => setting(set)?,
        _ => return Ok(None),
    }))
}

/// Where USE leads.
pub(super) fn used(statement: &Use, catalogs: &Catalogs, place: &Place) -> Result<Place, EngineError> {
    let to = match statement {
        Use::Catalog(name) => Place { catalog: parts(name).join("."), schema: "default".to_owned() },
        Use::Schema(name) | Use::Database(name) | Use::Object(name) => place.schema(name)?,
        other => return Err(EngineError::unsupported(format_args!("{other}"))),
    };
    let catalog = catalogs.catalog(&to.catalog)?;
    // A catalog without a schema `default` may still be used.
    if !matches!(statement, Use::Catalog(_)) && catalog.schema(&to.schema).is_none() {
        return Err(no_such_schema(&to));
    }
    Ok(to)
}

/// Accepts settings that don't change the meaning of statements; refuses the others.
fn setting(set: &Set) -> Result<QueryStream, EngineError> {
    let (name, value) = match set {
        Set::SetTimeZone { value, .. } => ("timezone".to_owned(), value.to_string()),
        Set::SingleAssignment { variable, values, .. } if values.len() == 1 => {
            (variable.to_string().to_lowercase().replace('`', ""), values[0].to_string())
        }
        other => return Err(EngineError::unsupported(format_args!("{other}"))),
    };
    let value = value.trim_matches('\'').to_owned();
    let same_meaning = match name.as_str() {
        "timezone" | "spark.sql.session.timezone" => {
            matches!(value.to_uppercase().as_str(), "UTC" | "ETC/UTC" | "Z" | "+00:00")
        }
        "ansi_mode" | "spark.sql.ansi.enabled" => value.eq_ignore_ascii_case("true"),
        "use_cached_result" | "statement_timeout" => true,
        name => name.starts_with("spark.") && !name.starts_with("spark.sql.legacy"),
    };
    if !same_meaning {
        return Err(EngineError::unsupported(format_args!("SET {name} = {value}")));
    }
    Ok(of_texts(["key", "value"], &[[name, value]]))
}

fn scope(options: &ShowStatementOptions) -> Option<&ObjectName> {
    options.show_in.as_ref().and_then(|scope| scope.parent_name.as_ref())
}

async fn tables(
    catalogs: &Catalogs,
    place: &Place,
    options: &ShowStatementOptions,
    kind: Option<TableType>,
) -> Result<(Place, Vec<String>), EngineError> {
    let place = match scope(options) {
        Some(name) => place.schema(name)?,
        None => place.clone(),
    };
    let schema = catalogs.schema(&place)?;
    let mut names = schema.table_names();
    names.sort();
    let mut kept = Vec::new();
    for [name] in named(names, options)? {
        let table = schema.table(&name).await.map_err(EngineError::internal)?;
        if table.is_some_and(|table| kind.is_none_or(|kind| table.table_type() == kind)) {
            kept.push(name);
        }
    }
    Ok((place, kept))
}

/// The names that the statement's LIKE lets through.
fn named(names: Vec<String>, options: &ShowStatementOptions) -> Result<Vec<[String; 1]>, EngineError> {
    let filter = match &options.filter_position {
        Some(ShowStatementFilterPosition::Infix(filter) | ShowStatementFilterPosition::Suffix(filter)) => {
            Some(filter)
        }
        None => None,
    };
    let pattern = match filter {
        Some(ShowStatementFilter::Like(pattern) | ShowStatementFilter::NoKeyword(pattern)) => Some(pattern),
        None => None,
        Some(other) => return Err(EngineError::unsupported(format_args!("SHOW … {other}"))),
    };
    let kept = names.into_iter().filter(|name| {
        pattern.is_none_or(|pattern| {
            pattern.split('|').any(|one| like(&one.trim().to_lowercase(), &name.to_lowercase()))
        })
    });
    Ok(kept.map(|name| [name]).collect())
}

/// SHOW's own patterns: `*` is any text; `%` means the same.
fn like(pattern: &str, name: &str) -> bool {
    match pattern.find(['*', '%']) {
        None => pattern == name,
        Some(star) => name.strip_prefix(&pattern[..star]).is_some_and(|rest| {
            let after = &pattern[star + 1..];
            (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| like(after, &rest[at..]))
        }),
    }
}

fn columns(table: &dyn TableProvider) -> Vec<[String; 3]> {
    table
        .schema()
        .fields()
        .iter()
        .map(|field| {
            let name = field.metadata().get(SPELLING).unwrap_or(field.name()).clone();
            let sent = sent_type(field.data_type()).unwrap_or_else(|| field.data_type().clone());
            [name, type_text(&sent).to_lowercase(), String::new()]
        })
        .collect()
}

/// What DESCRIBE EXTENDED adds.
fn details(name: &TableName, table: &dyn TableProvider) -> Vec<[String; 3]> {
    let kind = if table.table_type() == TableType::View { "VIEW" } else { "MANAGED" };
    let rows = [
        ("", ""),
        ("# Detailed Table Information", ""),
        ("Catalog", &name.catalog),
        ("Database", &name.schema),
        ("Table", &name.table),
        ("Type", kind),
    ];
    rows.iter().map(|(key, value)| [(*key).to_owned(), (*value).to_owned(), String::new()]).collect()
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn patterns_have_stars() {
        let cases = [
            ("trips", "trips", true),
            ("tr*", "trips", true),
            ("*ip*", "trips", true),
            ("ip*", "trips", false),
            ("*", "", true),
        ];
        for (pattern, name, matches) in cases {
            assert_eq!(like(pattern, name), matches, "{pattern} {name}");
        }
    }
}
