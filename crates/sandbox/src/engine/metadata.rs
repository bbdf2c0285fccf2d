//! What is in the catalogs, for services that show or change it without SQL.

use futures_util::future::BoxFuture;

use super::error::EngineError;

/// The catalogs of an engine. Names are in lower case.
pub trait Metadata: Send + Sync {
    /// The names of all catalogs, sorted.
    fn catalogs(&self) -> Vec<String>;

    /// The names of a catalog's schemas, sorted; `None` if there is no such catalog.
    fn schemas(&self, catalog: &str) -> Option<Vec<String>>;

    /// The names of a schema's tables and views; `None` if there is no such schema.
    fn table_names(&self, catalog: &str, schema: &str) -> Option<Vec<String>>;

    /// The tables and views of a schema, sorted by name; `None` if there is no such schema.
    fn tables<'a>(&'a self, catalog: &'a str, schema: &'a str) -> BoxFuture<'a, Option<Vec<Table>>>;

    /// Makes an empty catalog with the schema `default`.
    ///
    /// # Errors
    /// The name is taken.
    fn create_catalog(&self, name: &str) -> Result<(), EngineError>;

    /// Makes an empty schema.
    ///
    /// # Errors
    /// The name is taken, there is no such catalog, or the catalog is read-only.
    fn create_schema(&self, catalog: &str, name: &str) -> Result<(), EngineError>;

    /// Removes a catalog with all that is in it.
    ///
    /// # Errors
    /// There is no such catalog, or it is read-only.
    fn drop_catalog(&self, name: &str) -> Result<(), EngineError>;

    /// Removes a schema with all that is in it.
    ///
    /// # Errors
    /// There is no such schema, or its catalog is read-only.
    fn drop_schema(&self, catalog: &str, name: &str) -> Result<(), EngineError>;

    /// Removes a table or view; one that isn't there is no error.
    ///
    /// # Errors
    /// There is no such schema, or its catalog is read-only.
    fn drop_table(&self, catalog: &str, schema: &str, name: &str) -> Result<(), EngineError>;
}

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The name without catalog and schema.
    pub name: String,
    /// The statement that made it, if it is a view.
    pub view: Option<String>,
    /// The columns in order.
    pub columns: Vec<TableColumn>,
}

/// A column of a table, as Unity Catalog describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// The name as the statement that made the table spells it.
    pub name: String,
    /// The type in full: `bigint`, `decimal(10,2)`, `array<int>`.
    pub type_text: String,
    /// The type's base name as the API spells it: `LONG`, `DECIMAL`, `ARRAY`.
    pub type_name: String,
    /// The Spark field as JSON text.
    pub type_json: String,
    /// Digits of a DECIMAL, and those after the point.
    pub decimal: Option<(u8, i8)>,
    /// Whether a value may be NULL.
    pub nullable: bool,
}
