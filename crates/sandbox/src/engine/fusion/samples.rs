//! The catalog `samples`: the tables a Databricks workspace comes with, small and generated.
//!
//! Nothing is stored: row *i* is a pure function of *i*, made when a scan asks for it, the same each time. The columns
//! and types are the real ones, the values are not.

use std::sync::Arc;

use datafusion::catalog::memory::{MemoryCatalogProvider, MemorySchemaProvider};
use datafusion::catalog::{CatalogProvider, SchemaProvider};
use datafusion::common::Result;

mod nyctaxi;
mod table;
mod tpch;

/// The catalog's name; it is read-only.
pub(super) const CATALOG: &str = "samples";

pub(super) fn catalog() -> Result<Arc<dyn CatalogProvider>> {
    let catalog = MemoryCatalogProvider::new();
    for (name, tables) in [("nyctaxi", vec![nyctaxi::trips()]), ("tpch", tpch::tables())] {
        let schema = MemorySchemaProvider::new();
        for table in tables {
            schema.register_table(table.name.to_owned(), Arc::new(table))?;
        }
        catalog.register_schema(name, Arc::new(schema))?;
    }
    Ok(Arc::new(catalog))
}
