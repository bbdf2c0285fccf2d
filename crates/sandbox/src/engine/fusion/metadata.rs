//! The catalogs for services other than SQL.

use datafusion::catalog::TableProvider;
use datafusion::logical_expr::TableType;
use futures_util::future::{BoxFuture, FutureExt};

use super::{
    answers::SPELLING,
    catalogs::{Catalogs, Place, TableName},
    sql_types::sent_type,
};
use crate::engine::{
    error::EngineError,
    metadata::{Metadata, Table},
    spark_types::table_column,
};

fn place(catalog: &str, schema: &str) -> Place {
    Place { catalog: catalog.to_owned(), schema: schema.to_owned() }
}

impl Metadata for Catalogs {
    fn catalogs(&self) -> Vec<String> {
        self.names()
    }

    fn schemas(&self, catalog: &str) -> Option<Vec<String>> {
        let mut names = self.catalog(catalog).ok()?.schema_names();
        names.sort();
        Some(names)
    }

    fn table_names(&self, catalog: &str, schema: &str) -> Option<Vec<String>> {
        Some(self.schema(&place(catalog, schema)).ok()?.table_names())
    }

    fn tables<'a>(&'a self, catalog: &'a str, schema: &'a str) -> BoxFuture<'a, Option<Vec<Table>>> {
        async move {
            let schema = self.schema(&place(catalog, schema)).ok()?;
            let mut names = schema.table_names();
            names.sort();
            let mut tables = Vec::new();
            for name in names {
                // A statement may have dropped it since.
                if let Ok(Some(table)) = schema.table(&name).await {
                    tables.push(described(name, table.as_ref()));
                }
            }
            Some(tables)
        }
        .boxed()
    }

    fn create_catalog(&self, name: &str) -> Result<(), EngineError> {
        Self::create_catalog(self, name, false)
    }

    fn create_schema(&self, catalog: &str, name: &str) -> Result<(), EngineError> {
        Self::create_schema(self, &place(catalog, name), false)
    }

    fn drop_catalog(&self, name: &str) -> Result<(), EngineError> {
        Self::drop_catalog(self, name)
    }

    fn drop_schema(&self, catalog: &str, name: &str) -> Result<(), EngineError> {
        Self::drop_schema(self, &place(catalog, name), false, true)
    }

    fn drop_table(&self, catalog: &str, schema: &str, name: &str) -> Result<(), EngineError> {
        let (catalog, schema, table) = (catalog.to_owned(), schema.to_owned(), name.to_owned());
        self.remove(&TableName { catalog, schema, table })
    }
}

fn described(name: String, table: &dyn TableProvider) -> Table {
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| {
        let spelled = field.metadata().get(SPELLING).unwrap_or(field.name());
        let sent = sent_type(field.data_type()).unwrap_or_else(|| field.data_type().clone());
        table_column(spelled, &sent, field.is_nullable())
    });
    let is_view = table.table_type() == TableType::View;
    let view = is_view.then(|| table.get_table_definition().unwrap_or_default().to_owned());
    Table { name, view, columns: columns.collect() }
}
