//! Reads all tables and views out of the catalogs, and puts them into those of a fresh engine.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::catalog::{MemTable, TableProvider};
use datafusion::common::DFSchema;
use datafusion::sql::unparser::expr_to_sql;

use super::{
    catalogs::{Catalogs, Place, TableName, writable},
    session::{Session, Shared},
    statement::Job,
};
use crate::engine::{
    contents::{Contents, StoredTable},
    error::EngineError,
    query::Query,
};

pub(super) async fn read(catalogs: &Catalogs) -> Result<Contents, EngineError> {
    let mut contents = Contents { views: catalogs.stored_views(), ..Contents::default() };
    for catalog in catalogs.names().into_iter().filter(|name| writable(name).is_ok()) {
        let provider = catalogs.catalog(&catalog)?;
        let schemas = provider.schema_names();
        for name in &schemas {
            let Some(schema) = provider.schema(name) else { continue };
            for table in schema.table_names() {
                let found = schema.table(&table).await.map_err(EngineError::internal)?;
                let Some(found) = found else { continue };
                // Anything else is a view.
                if let Some(rows) = (found.as_ref() as &dyn Any).downcast_ref::<MemTable>() {
                    contents.tables.push(stored([catalog.clone(), name.clone(), table], rows).await?);
                }
            }
        }
        contents.catalogs.insert(catalog, schemas.into_iter().collect());
    }
    Ok(contents)
}

async fn stored(name: [String; 3], table: &MemTable) -> Result<StoredTable, EngineError> {
    let mut batches = Vec::new();
    for partition in &table.batches {
        batches.extend(partition.read().await.iter().cloned());
    }
    let schema = table.schema();
    let mut defaults = BTreeMap::new();
    for field in schema.fields() {
        if let Some(default) = table.get_column_default(field.name()) {
            let sql = expr_to_sql(default).map_err(EngineError::internal)?;
            defaults.insert(field.name().clone(), sql.to_string());
        }
    }
    Ok(StoredTable { name, schema, batches, defaults })
}

/// Fills the catalogs of a fresh engine. A view that cannot be made, because what it reads is gone, is kept as it is.
pub(super) async fn load(shared: &Arc<Shared>, contents: Contents) -> Result<(), EngineError> {
    let catalogs = &shared.catalogs;
    let is_gone = |name: &String| writable(name).is_ok() && !contents.catalogs.contains_key(name);
    for catalog in catalogs.names().iter().filter(|name| is_gone(name)) {
        catalogs.drop_catalog(catalog)?;
    }
    for (catalog, schemas) in contents.catalogs {
        catalogs.create_catalog(&catalog, true)?;
        let place = |schema: &str| Place { catalog: catalog.clone(), schema: schema.to_owned() };
        for schema in &schemas {
            catalogs.create_schema(&place(schema), true)?;
        }
        if !schemas.contains("default") {
            catalogs.drop_schema(&place("default"), true, true)?;
        }
    }
    let state = shared.context.state();
    for StoredTable { name, schema, batches, defaults } in contents.tables {
        let mut parsed = HashMap::new();
        for (column, sql) in defaults {
            let default =
                state.create_logical_expr(&sql, &DFSchema::empty()).map_err(EngineError::internal)?;
            parsed.insert(column, default);
        }
        let table = MemTable::try_new(schema, vec![batches]).map_err(EngineError::internal)?;
        catalogs.put(&TableName::from(name), Arc::new(table.with_column_defaults(parsed)), None)?;
    }
    let mut waiting = contents.views;
    // Views read views, in any order.
    loop {
        let before = waiting.len();
        let mut failed = Vec::new();
        for view in waiting {
            let (catalog, schema) = (Some(view.catalog.as_str()), Some(view.schema.as_str()));
            let parameters = view.parameters.clone();
            let query = Query { sql: &view.sql, catalog, schema, user: &view.user, parameters };
            let session = Arc::new(Session::new(shared, Place::default()));
            if let Err(error) = Job::new(Arc::clone(shared), session, &query).run().await {
                failed.push((view, error));
            }
        }
        if failed.len() == before || failed.is_empty() {
            for (view, error) in failed {
                tracing::warn!(view = view.name.join("."), %error, "cannot make a view again");
                catalogs.store_view(view);
            }
            return Ok(());
        }
        waiting = failed.into_iter().map(|(view, _)| view).collect();
    }
}
