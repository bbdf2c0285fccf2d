//! Catalogs, schemas and what names mean: `catalog.schema.table`, completed from the session.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use datafusion::catalog::memory::{MemoryCatalogProvider, MemoryCatalogProviderList};
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::common::TableReference;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::ObjectName;

use super::{
    errors::{no_such_table, quoted},
    samples,
};
use crate::{
    engine::{
        contents::{FullName, StoredView},
        error::EngineError,
    },
    lock::lock,
};

/// Holds what no statement may name: temporary views and unfinished tables.
pub(super) const HIDDEN: &str = "__sandbox";

/// The catalog and schema that short names belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) catalog: String,
    pub(super) schema: String,
}

impl Default for Place {
    fn default() -> Self {
        Self { catalog: "main".to_owned(), schema: "default".to_owned() }
    }
}

/// A table's full name, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableName {
    pub(super) catalog: String,
    pub(super) schema: String,
    pub(super) table: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", quoted(&self.catalog), quoted(&self.schema), quoted(&self.table))
    }
}

impl From<FullName> for TableName {
    fn from([catalog, schema, table]: FullName) -> Self {
        Self { catalog, schema, table }
    }
}

impl TableName {
    pub(super) fn parts(&self) -> FullName {
        [self.catalog.clone(), self.schema.clone(), self.table.clone()]
    }

    pub(super) fn of_reference(reference: &TableReference, place: &Place) -> Self {
        let reference = reference.clone().resolve(&place.catalog, &place.schema);
        Self {
            catalog: reference.catalog.to_string(),
            schema: reference.schema.to_string(),
            table: reference.table.to_string(),
        }
    }
}

/// A name's parts, in lower case.
pub(super) fn parts(name: &ObjectName) -> Vec<String> {
    name.0.iter().map(|part| part.as_ident().map(|i| i.value.to_lowercase()).unwrap_or_default()).collect()
}

impl Place {
    pub(super) fn table(&self, name: &ObjectName) -> Result<TableName, EngineError> {
        let (catalog, schema, table) = match &parts(name)[..] {
            [table] => (&self.catalog, &self.schema, table.clone()),
            [schema, table] => (&self.catalog, &schema.clone(), table.clone()),
            [catalog, schema, table] => (&catalog.clone(), &schema.clone(), table.clone()),
            _ => {
                let text = format!("Table name {name} has more than three parts.");
                return Err(EngineError::of_class("IDENTIFIER_TOO_MANY_NAME_PARTS", "42601", text));
            }
        };
        Ok(TableName { catalog: catalog.clone(), schema: schema.clone(), table })
    }

    pub(super) fn schema(&self, name: &ObjectName) -> Result<Place, EngineError> {
        match &parts(name)[..] {
            [schema] => Ok(Place { catalog: self.catalog.clone(), schema: schema.clone() }),
            [catalog, schema] => Ok(Place { catalog: catalog.clone(), schema: schema.clone() }),
            _ => {
                let text = format!("Schema name {name} has more than two parts.");
                Err(EngineError::of_class("IDENTIFIER_TOO_MANY_NAME_PARTS", "42601", text))
            }
        }
    }
}

/// A schema in memory. Unlike DataFusion's own, it replaces a table in one step, so that readers always find one.
#[derive(Debug, Default)]
struct MemorySchema(Mutex<HashMap<String, Arc<dyn TableProvider>>>);

#[async_trait]
impl SchemaProvider for MemorySchema {
    fn table_names(&self) -> Vec<String> {
        lock(&self.0).keys().cloned().collect()
    }

    async fn table(&self, name: &str) -> datafusion::common::Result<Option<Arc<dyn TableProvider>>> {
        Ok(lock(&self.0).get(name).cloned())
    }

    fn register_table(
        &self,
        name: String,
        table: Arc<dyn TableProvider>,
    ) -> datafusion::common::Result<Option<Arc<dyn TableProvider>>> {
        Ok(lock(&self.0).insert(name, table))
    }

    fn deregister_table(&self, name: &str) -> datafusion::common::Result<Option<Arc<dyn TableProvider>>> {
        Ok(lock(&self.0).remove(name))
    }

    fn table_exist(&self, name: &str) -> bool {
        lock(&self.0).contains_key(name)
    }
}

/// The catalogs of one engine, shared by its sessions.
#[derive(Clone)]
pub(super) struct Catalogs {
    context: SessionContext,
    /// The context's own list, which can remove a catalog.
    list: Arc<MemoryCatalogProviderList>,
    /// How the views were made. A change of any catalog but the hidden one holds this lock from its checks to its end, so
    /// that two statements never create the same thing.
    views: Arc<Mutex<BTreeMap<FullName, StoredView>>>,
}

impl Catalogs {
    /// Registers `main.default` and `samples`.
    pub(super) fn create(
        context: &SessionContext,
        list: Arc<MemoryCatalogProviderList>,
    ) -> datafusion::common::Result<Self> {
        let main = MemoryCatalogProvider::new();
        main.register_schema("default", Arc::new(MemorySchema::default()))?;
        context.register_catalog("main", Arc::new(main));
        context.register_catalog(samples::CATALOG, samples::catalog()?);
        context.register_catalog(HIDDEN, Arc::new(MemoryCatalogProvider::new()));
        Ok(Self { context: context.clone(), list, views: Arc::default() })
    }

    pub(super) fn names(&self) -> Vec<String> {
        let mut names = self.context.catalog_names();
        names.retain(|name| name != HIDDEN);
        names.sort();
        names
    }

    pub(super) fn catalog(&self, name: &str) -> Result<Arc<dyn CatalogProvider>, EngineError> {
        self.context.catalog(name).filter(|_| name != HIDDEN).ok_or_else(|| {
            let text =
                format!("Catalog '{name}' was not found. Please verify the catalog name and then retry.");
            EngineError::of_class("NO_SUCH_CATALOG_EXCEPTION", "42704", text)
        })
    }

    pub(super) fn schema(&self, place: &Place) -> Result<Arc<dyn SchemaProvider>, EngineError> {
        self.catalog(&place.catalog)?.schema(&place.schema).ok_or_else(|| no_such_schema(place))
    }

    /// The table of this name, or `None`; the schema must exist.
    pub(super) async fn table(
        &self,
        name: &TableName,
    ) -> Result<Option<Arc<dyn TableProvider>>, EngineError> {
        let place = Place { catalog: name.catalog.clone(), schema: name.schema.clone() };
        let Ok(schema) = self.schema(&place) else { return Ok(None) };
        schema.table(&name.table).await.map_err(EngineError::internal)
    }

    pub(super) async fn existing_table(
        &self,
        name: &TableName,
    ) -> Result<Arc<dyn TableProvider>, EngineError> {
        self.table(name).await?.ok_or_else(|| no_such_table(&name.to_string()))
    }

    /// Puts a table, or a view and how it was made, in place of whatever has its name.
    pub(super) fn put(
        &self,
        name: &TableName,
        table: Arc<dyn TableProvider>,
        view: Option<StoredView>,
    ) -> Result<(), EngineError> {
        self.put_if(name, table, view, true).map(drop)
    }

    /// As [`put`](Self::put), but without `replaces` it does nothing and returns `false` if the name is taken.
    pub(super) fn put_if(
        &self,
        name: &TableName,
        table: Arc<dyn TableProvider>,
        view: Option<StoredView>,
        replaces: bool,
    ) -> Result<bool, EngineError> {
        writable(&name.catalog)?;
        let mut views = lock(&self.views);
        let schema = self.schema(&Place { catalog: name.catalog.clone(), schema: name.schema.clone() })?;
        if !replaces && schema.table_exist(&name.table) {
            return Ok(false);
        }
        schema.register_table(name.table.clone(), table).map_err(EngineError::internal)?;
        match view {
            Some(view) => views.insert(name.parts(), view),
            None => views.remove(&name.parts()),
        };
        Ok(true)
    }

    /// Remembers how a view was made that can't be made again now.
    pub(super) fn store_view(&self, view: StoredView) {
        lock(&self.views).insert(view.name.clone(), view);
    }

    pub(super) fn stored_views(&self) -> Vec<StoredView> {
        lock(&self.views).values().cloned().collect()
    }

    pub(super) fn remove(&self, name: &TableName) -> Result<(), EngineError> {
        writable(&name.catalog)?;
        let mut views = lock(&self.views);
        let schema = self.schema(&Place { catalog: name.catalog.clone(), schema: name.schema.clone() })?;
        schema.deregister_table(&name.table).map_err(EngineError::internal)?;
        views.remove(&name.parts());
        Ok(())
    }

    pub(super) fn create_catalog(&self, name: &str, if_not_exists: bool) -> Result<(), EngineError> {
        let _changing = lock(&self.views);
        if self.context.catalog(name).is_some() {
            if if_not_exists && name != HIDDEN {
                return Ok(());
            }
            let text = format!("Catalog '{name}' already exists.");
            return Err(EngineError::of_class("CATALOG_ALREADY_EXISTS", "42710", text));
        }
        let catalog = MemoryCatalogProvider::new();
        catalog
            .register_schema("default", Arc::new(MemorySchema::default()))
            .map_err(EngineError::internal)?;
        self.context.register_catalog(name, Arc::new(catalog));
        Ok(())
    }

    /// Removes a catalog with all that is in it.
    pub(super) fn drop_catalog(&self, name: &str) -> Result<(), EngineError> {
        writable(name)?;
        let mut views = lock(&self.views);
        self.catalog(name)?;
        self.list.catalogs.remove(name);
        views.retain(|[catalog, ..], _| catalog != name);
        Ok(())
    }

    pub(super) fn create_schema(&self, place: &Place, if_not_exists: bool) -> Result<(), EngineError> {
        writable(&place.catalog)?;
        let _changing = lock(&self.views);
        let catalog = self.catalog(&place.catalog)?;
        if catalog.schema(&place.schema).is_some() {
            if if_not_exists {
                return Ok(());
            }
            let text = format!(
                "Cannot create schema {} because it already exists. Choose a different name, drop the existing schema, \
                 or add the IF NOT EXISTS clause to tolerate pre-existing schema.",
                of_schema(place)
            );
            return Err(EngineError::of_class("SCHEMA_ALREADY_EXISTS", "42P06", text));
        }
        let schema = Arc::new(MemorySchema::default());
        catalog.register_schema(&place.schema, schema).map_err(EngineError::internal)?;
        Ok(())
    }

    pub(super) fn drop_schema(
        &self,
        place: &Place,
        if_exists: bool,
        cascade: bool,
    ) -> Result<(), EngineError> {
        writable(&place.catalog)?;
        let mut views = lock(&self.views);
        let schema = match self.schema(place) {
            Ok(schema) => schema,
            Err(_) if if_exists => return Ok(()),
            Err(error) => return Err(error),
        };
        if !cascade && !schema.table_names().is_empty() {
            let text = format!(
                "Cannot drop a schema {} because it contains objects. Use DROP SCHEMA ... CASCADE to drop the schema and \
                 all its objects.",
                of_schema(place)
            );
            return Err(EngineError::of_class("SCHEMA_NOT_EMPTY", "2BP01", text));
        }
        self.catalog(&place.catalog)?
            .deregister_schema(&place.schema, true)
            .map_err(EngineError::internal)?;
        views.retain(|[catalog, schema, _], _| (catalog, schema) != (&place.catalog, &place.schema));
        Ok(())
    }

    /// A schema in the hidden catalog, made when it is first asked for.
    pub(super) fn hidden_schema(&self, name: &str) -> Result<Arc<dyn SchemaProvider>, EngineError> {
        let _changing = lock(&self.views);
        let hidden =
            self.context.catalog(HIDDEN).ok_or_else(|| EngineError::internal("its own catalog is gone"))?;
        if let Some(schema) = hidden.schema(name) {
            return Ok(schema);
        }
        let schema: Arc<dyn SchemaProvider> = Arc::new(MemorySchema::default());
        hidden.register_schema(name, Arc::clone(&schema)).map_err(EngineError::internal)?;
        Ok(schema)
    }
}

pub(super) fn of_schema(place: &Place) -> String {
    format!("{}.{}", quoted(&place.catalog), quoted(&place.schema))
}

pub(super) fn no_such_schema(place: &Place) -> EngineError {
    let text = format!(
        "The schema {} cannot be found. Verify the spelling and correctness of the schema and catalog.\n\
         If you did not qualify the name with a catalog, verify the current_schema() output, or qualify the name with the \
         correct catalog.\n\
         To tolerate the error on drop use DROP SCHEMA IF EXISTS.",
        of_schema(place)
    );
    EngineError::of_class("SCHEMA_NOT_FOUND", "42704", text)
}

/// Fails for `samples`, which is read-only.
pub(super) fn writable(catalog: &str) -> Result<(), EngineError> {
    if catalog == samples::CATALOG {
        let text = "User does not have MODIFY on Catalog 'samples'.";
        return Err(EngineError::of_class("INSUFFICIENT_PERMISSIONS", "42501", text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use arrow_schema::Schema;
    use datafusion::catalog::MemTable;

    use super::*;

    fn catalogs() -> Catalogs {
        let list = Arc::new(MemoryCatalogProviderList::new());
        let context = SessionContext::new();
        context.register_catalog_list(list.clone());
        Catalogs::create(&context, list).unwrap()
    }

    fn table() -> Arc<dyn TableProvider> {
        Arc::new(MemTable::try_new(Arc::new(Schema::empty()), vec![vec![]]).unwrap())
    }

    fn name(schema: &str, table: &str) -> TableName {
        TableName::from(["main", schema, table].map(str::to_owned))
    }

    #[test]
    fn a_table_is_there_while_another_takes_its_place() {
        let (catalogs, name, done) = (catalogs(), name("default", "t"), AtomicBool::new(false));
        catalogs.put(&name, table(), None).unwrap();
        let schema = catalogs.schema(&Place::default()).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    catalogs.put(&name, table(), None).unwrap();
                }
                done.store(true, Ordering::SeqCst);
            });
            while !done.load(Ordering::SeqCst) {
                assert!(schema.table_exist("t"));
            }
        });
    }

    #[test]
    fn what_two_statements_create_at_once_is_created_once() {
        let catalogs = catalogs();
        for n in 0..2_000 {
            let (schema, start) = (format!("s{n}"), Barrier::new(2));
            let place = Place { catalog: "main".to_owned(), schema: schema.clone() };
            let create = |own: &str| {
                start.wait();
                catalogs.create_schema(&place, true).unwrap();
                catalogs.put(&name(&schema, own), table(), None).unwrap();
                catalogs.put_if(&name(&schema, "both"), table(), None, false).unwrap()
            };
            let created = thread::scope(|scope| {
                let other = scope.spawn(|| create("a"));
                [create("b"), other.join().unwrap()]
            });
            let mut tables = catalogs.schema(&place).unwrap().table_names();
            tables.sort();
            assert_eq!(tables, ["a", "b", "both"]);
            assert_ne!(created[0], created[1], "one of them finds the name taken");
        }
    }
}
