//! Statements that create or drop tables, views and schemas, and statements that replace a table's rows.
//!
//! Tables are in memory. Decorations that only say how a table is stored (USING, PARTITIONED BY, COMMENT,
//! TBLPROPERTIES) are accepted and ignored; those that change what it holds (GENERATED, LOCATION, CHECK) are refused.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema, SchemaRef};
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::common::Column;
use datafusion::common::metadata::FieldMetadata;
use datafusion::logical_expr::{CreateMemoryTable, Expr, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{
    ColumnOption, CreateTable, CreateTableOptions, CreateView, HiveDistributionStyle, Statement,
    TableConstraint,
};

use super::{
    answers::{SPELLING, sent_batch, sent_schema},
    catalogs::{Catalogs, Place, TableName, writable},
    names::Shown,
    parse::Spelling,
};
use crate::engine::error::EngineError;

/// A table made from a query may hold this much.
const TABLE_BYTES: usize = 512 << 20;

/// Clears the decorations and returns the columns' spelling.
///
/// # Errors
/// What would change the table's meaning.
pub(super) fn plain_table(create: &mut CreateTable, spelling: &mut Spelling) -> Result<(), EngineError> {
    let refuse = |what: &str| Err(EngineError::unsupported(format_args!("CREATE TABLE with {what}")));
    let hive_location = create.hive_formats.as_ref().is_some_and(|formats| formats.location.is_some());
    if create.location.is_some() || hive_location || create.external {
        return refuse("LOCATION");
    }
    if matches!(create.table_options, CreateTableOptions::With(_) | CreateTableOptions::Options(_)) {
        return refuse("OPTIONS");
    }
    if create.like.is_some() || create.clone.is_some() {
        return refuse("LIKE or CLONE");
    }
    if create.temporary {
        return refuse("TEMPORARY");
    }
    if let Some(constraint) = create.constraints.iter().find(|c| matches!(c, TableConstraint::Check(_))) {
        return refuse(&constraint.to_string());
    }
    // Keys say something to the optimizer of Databricks and are not enforced.
    create.constraints.clear();
    create.hive_formats = None;
    create.file_format = None;
    create.comment = None;
    create.table_options = CreateTableOptions::None;
    create.partition_by = None;
    create.cluster_by = None;
    create.clustered_by = None;
    create.hive_distribution = HiveDistributionStyle::NONE;
    for column in &mut create.columns {
        spelling.insert(column.name.value.to_lowercase(), spelled(&column.name.value, spelling));
        for option in &column.options {
            match option.option {
                ColumnOption::NotNull
                | ColumnOption::Null
                | ColumnOption::Default(_)
                | ColumnOption::Comment(_)
                | ColumnOption::PrimaryKey(_)
                | ColumnOption::ForeignKey(_) => {}
                ref other => return refuse(&format!("the column option {other}")),
            }
        }
        column.options.retain(|option| {
            matches!(option.option, ColumnOption::NotNull | ColumnOption::Null | ColumnOption::Default(_))
        });
    }
    Ok(())
}

fn spelled(name: &str, spelling: &Spelling) -> String {
    spelling.get(name).cloned().unwrap_or_else(|| name.to_owned())
}

pub(super) fn plain_view(create: &mut CreateView) -> Result<(), EngineError> {
    if create.materialized {
        return Err(EngineError::unsupported("materialized views"));
    }
    create.temporary = false;
    create.comment = None;
    create.options = CreateTableOptions::None;
    create.if_not_exists = false;
    Ok(())
}

/// Whether there is something to do: `false` if the name is taken and the statement says IF NOT EXISTS.
pub(super) async fn may_create(
    catalogs: &Catalogs,
    name: &TableName,
    or_replace: bool,
    if_not_exists: bool,
) -> Result<bool, EngineError> {
    writable(&name.catalog)?;
    let place = Place { catalog: name.catalog.clone(), schema: name.schema.clone() };
    catalogs.schema(&place)?;
    if or_replace || catalogs.table(name).await?.is_none() {
        return Ok(true);
    }
    if if_not_exists { Ok(false) } else { Err(taken(name)) }
}

/// The error about a name that is taken.
pub(super) fn taken(name: &TableName) -> EngineError {
    let text = format!(
        "Cannot create table or view {name} because it already exists. Choose a different name, drop or replace the existing \
         object, or add the IF NOT EXISTS clause to tolerate pre-existing objects."
    );
    EngineError::of_class("TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", text)
}

/// The table of a CREATE TABLE with columns or with a query's rows. A query's columns are all nullable.
pub(super) fn table(
    create: &CreateMemoryTable,
    of_query: bool,
    inner: &Schema,
    batches: Vec<RecordBatch>,
    shown: &Shown,
    spelling: &Spelling,
) -> Result<MemTable, EngineError> {
    let sent = sent_schema(inner, shown, spelling)?;
    let fields: Vec<Field> = inner
        .fields()
        .iter()
        .zip(sent.fields())
        .map(|(inner, sent)| {
            let metadata = HashMap::from([(SPELLING.to_owned(), sent.name().clone())]);
            let name = sent.name().to_lowercase();
            Field::new(name, sent.data_type().clone(), of_query || inner.is_nullable())
                .with_metadata(metadata)
        })
        .collect();
    for (i, field) in fields.iter().enumerate() {
        if fields[..i].iter().any(|before| before.name() == field.name()) {
            let text = format!(
                "The column `{}` already exists. Choose another name or rename the existing column.",
                field.name()
            );
            return Err(EngineError::of_class("COLUMN_ALREADY_EXISTS", "42711", text));
        }
    }
    let defaults = create.column_defaults.iter().cloned().collect();
    Ok(memory_table(Arc::new(Schema::new(fields)), batches)?.with_column_defaults(defaults))
}

/// The same table with other rows.
pub(super) fn with_rows(
    table: &dyn TableProvider,
    batches: Vec<RecordBatch>,
) -> Result<MemTable, EngineError> {
    let schema = table.schema();
    let defaults = schema.fields().iter().filter_map(|field| {
        table.get_column_default(field.name()).map(|default| (field.name().clone(), default.clone()))
    });
    let defaults = defaults.collect();
    Ok(memory_table(schema, batches)?.with_column_defaults(defaults))
}

fn memory_table(schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<MemTable, EngineError> {
    let batches = batches.iter().map(|batch| sent_batch(batch, &schema)).collect::<Result<Vec<_>, _>>();
    MemTable::try_new(schema, vec![batches.map_err(EngineError::internal)?]).map_err(EngineError::internal)
}

/// Its columns remember how the statement spells them.
pub(super) fn view(
    create: datafusion::logical_expr::CreateView,
    spelling: &Spelling,
) -> datafusion::common::Result<ViewTable> {
    let input = create.input.as_ref().clone();
    let columns: Vec<Expr> = input
        .schema()
        .iter()
        .map(|(table, field)| {
            let column = Expr::Column(Column::from((table, field)));
            match spelling.get(field.name()) {
                Some(spelled) => {
                    let metadata = HashMap::from([(SPELLING.to_owned(), spelled.clone())]);
                    column.alias_with_metadata(field.name(), Some(FieldMetadata::from(metadata)))
                }
                None => column,
            }
        })
        .collect();
    Ok(ViewTable::new(LogicalPlanBuilder::from(input).project(columns)?.build()?, create.definition))
}

/// Fails before the rows of a CREATE TABLE AS fill the machine.
pub(super) fn within_memory(batches: &[RecordBatch]) -> Result<(), EngineError> {
    let bytes: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();
    if bytes <= TABLE_BYTES {
        return Ok(());
    }
    Err(EngineError {
        error_code: "RESOURCE_EXHAUSTED".to_owned(),
        message: format!(
            "[RESOURCE_EXHAUSTED] A table of the sandbox holds at most {} MiB. SQLSTATE: 53200",
            TABLE_BYTES >> 20
        ),
        sql_state: Some("53200".to_owned()),
    })
}

/// The kinds of statement that get to the planner.
pub(super) fn refuse_others(statement: &Statement) -> Result<(), EngineError> {
    match statement {
        Statement::Insert(insert) => {
            let extra = insert.partitioned.is_some()
                || insert.on.is_some()
                || insert.returning.is_some()
                || insert.replace_into
                || insert.or.is_some();
            if extra {
                Err(EngineError::unsupported("INSERT with PARTITION, ON, RETURNING or REPLACE"))
            } else {
                Ok(())
            }
        }
        Statement::Update(update) if update.from.is_some() || update.returning.is_some() => {
            Err(EngineError::unsupported("UPDATE with FROM or RETURNING"))
        }
        Statement::Delete(delete) if delete.using.is_some() || delete.returning.is_some() => {
            Err(EngineError::unsupported("DELETE with USING or RETURNING"))
        }
        Statement::Query(_)
        | Statement::Update(_)
        | Statement::Delete(_)
        | Statement::CreateTable(_)
        | Statement::CreateView(_)
        | Statement::Explain { .. } => Ok(()),
        other => {
            let text = other.to_string();
            let words: Vec<&str> = text.split_whitespace().take(2).collect();
            Err(EngineError::unsupported(format_args!("the statement {}", words.join(" "))))
        }
    }
}
