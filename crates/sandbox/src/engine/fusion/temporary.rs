//! Temporary views: they live in a hidden schema of their session and take precedence over tables of the same name.

use std::ops::ControlFlow;

use datafusion::catalog::SchemaProvider;
use datafusion::sql::sqlparser::ast::{
    Ident, ObjectName, ObjectType, Statement, VisitMut, visit_relations_mut,
};

use super::catalogs::{HIDDEN, parts};

/// Gives the short names of temporary views their full ones. The name that a CREATE defines stays as it is.
pub(super) fn name_views(statement: &mut Statement, views: &dyn SchemaProvider, schema: &str) {
    if views.table_names().is_empty() {
        return;
    }
    let rename = |name: &mut ObjectName| {
        if let [table] = &parts(name)[..]
            && views.table_exist(table)
        {
            *name = hidden_name(schema, table);
        }
    };
    match statement {
        Statement::Drop { names, object_type: ObjectType::View, .. } => names.iter_mut().for_each(rename),
        Statement::CreateView(create) => rename_all(create.query.as_mut(), rename),
        Statement::CreateTable(create) => {
            if let Some(query) = &mut create.query {
                rename_all(query.as_mut(), rename);
            }
        }
        other => rename_all(other, rename),
    }
}

fn rename_all(tree: &mut impl VisitMut, rename: impl Fn(&mut ObjectName)) {
    let _: ControlFlow<()> = visit_relations_mut(tree, |name| {
        rename(name);
        ControlFlow::Continue(())
    });
}

/// A name in the hidden catalog.
pub(super) fn hidden_name(schema: &str, table: &str) -> ObjectName {
    ObjectName::from([HIDDEN, schema, table].map(|part| Ident::with_quote('`', part)).to_vec())
}
