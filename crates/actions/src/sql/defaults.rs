//! The default catalog and schema of a script. Each statement is a call of its own, with its own SQL session, so what
//! `USE` sets would be lost; instead the following requests carry it.

use super::{Statement, facts::Use, script::ScriptStatement};

/// The default catalog and schema for the next statement of a script.
///
/// The `USE` itself is sent, too, so that the service judges it; call [`follow`](Self::follow) once it has succeeded.
///
/// ```no_run
/// # async fn example(sql: brickwire_actions::Sql) -> brickwire_actions::Result<()> {
/// use brickwire_actions::{Defaults, Script};
/// let mut defaults = Defaults::default();
/// for statement in Script::parse("USE CATALOG main; SELECT * FROM sales.daily")?.statements() {
///     defaults.apply(sql.statement(statement.text())).execute().await?;
///     defaults.follow(statement);
/// }
/// assert_eq!(defaults.catalog(), Some("main"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    catalog: Option<String>,
    schema: Option<String>,
}

impl Defaults {
    /// The catalog and schema to start with.
    pub fn new(catalog: Option<String>, schema: Option<String>) -> Self {
        Self { catalog, schema }
    }

    /// The default catalog; `None` stands for the workspace's.
    pub fn catalog(&self) -> Option<&str> {
        self.catalog.as_deref()
    }

    /// The default schema; `None` stands for `default`.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// Takes over what a statement that succeeded has set.
    pub fn follow(&mut self, statement: &ScriptStatement) {
        match statement.changes() {
            Some(Use::Catalog(catalog)) => (self.catalog, self.schema) = (Some(catalog.clone()), None),
            Some(Use::Schema(schema)) => self.schema = Some(schema.clone()),
            Some(Use::CatalogAndSchema(catalog, schema)) => {
                (self.catalog, self.schema) = (Some(catalog.clone()), Some(schema.clone()));
            }
            None => {}
        }
    }

    /// Sets the catalog and schema of a statement to these.
    pub fn apply(&self, mut statement: Statement) -> Statement {
        if let Some(catalog) = &self.catalog {
            statement = statement.with_catalog(catalog);
        }
        if let Some(schema) = &self.schema {
            statement = statement.with_schema(schema);
        }
        statement
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Script;

    #[test]
    fn the_last_use_counts_and_a_catalog_clears_the_schema() {
        let after = |text: &str| {
            let mut defaults = Defaults::new(Some("c0".to_owned()), Some("s0".to_owned()));
            Script::parse(text).unwrap().statements().iter().for_each(|s| defaults.follow(s));
            (defaults.catalog, defaults.schema)
        };
        let names =
            |catalog: &str, schema: Option<&str>| (Some(catalog.to_owned()), schema.map(str::to_owned));
        assert_eq!(after("SELECT 1"), names("c0", Some("s0")));
        assert_eq!(after("USE s1"), names("c0", Some("s1")));
        assert_eq!(after("USE CATALOG c1"), names("c1", None));
        assert_eq!(after("USE CATALOG c1; USE s1"), names("c1", Some("s1")));
        assert_eq!(after("USE c1.s1; SET CATALOG c2"), names("c2", None));
    }
}
