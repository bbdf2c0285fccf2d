//! What statements have made of an engine's catalogs, so that another engine can start with it.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use serde::{Deserialize, Serialize};

use super::parameter::Parameter;

/// Catalog, schema and name, in lower case.
pub type FullName = [String; 3];

/// The catalogs of an engine with all that is in them, without the sample data and without what belongs to sessions.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// The schemas of each catalog.
    pub catalogs: BTreeMap<String, BTreeSet<String>>,
    /// All tables.
    pub tables: Vec<StoredTable>,
    /// All views, and those that could not be made again because what they read is gone.
    pub views: Vec<StoredView>,
}

/// A table with its rows. Its clones share them.
#[derive(Debug, Clone)]
pub struct StoredTable {
    /// Where it is.
    pub name: FullName,
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows.
    pub batches: Vec<RecordBatch>,
    /// The default values of columns, as SQL.
    pub defaults: BTreeMap<String, String>,
}

/// A view as the statement that makes it, with all that the statement depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredView {
    /// Where it is.
    pub name: FullName,
    /// The statement.
    pub sql: String,
    /// The catalog that unqualified names belong to.
    pub catalog: String,
    /// The schema that unqualified names belong to.
    pub schema: String,
    /// Who made it.
    pub user: String,
    /// Values of the markers in the statement.
    pub parameters: Vec<Parameter>,
}
