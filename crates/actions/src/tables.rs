//! Tables and views of Unity Catalog. They are created by SQL.

use brickwire_client::{Call, ResponseValue, operations, types};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{List, Result, Workspace, document, full_name::FullName, list};

const NOUN: &str = "table";

/// The codes of the answer to a question about a table that can't exist, because what it would be in doesn't.
const MISSING: [&str; 3] = ["TABLE_DOES_NOT_EXIST", "SCHEMA_DOES_NOT_EXIST", "CATALOG_DOES_NOT_EXIST"];

/// The tables of a workspace.
#[derive(Debug, Clone)]
pub struct Tables {
    workspace: Workspace,
}

impl Workspace {
    /// Tables and views of Unity Catalog.
    pub fn tables(&self) -> Tables {
        Tables { workspace: self.clone() }
    }
}

/// A table without all that the service may leave out.
#[derive(Deserialize)]
struct Reference {
    full_name: Option<String>,
}

impl Tables {
    /// Lists all tables and views of a schema that the caller may see, page after page.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for table in &workspace.tables().list("main.default").await? {
    ///     println!("{:?} {:?}", table.full_name, table.table_type);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown schema; no tables is not an error. Operation:
    /// `tables_list`.
    pub async fn list(&self, schema: &str) -> Result<List<types::TableInfo>> {
        let schema = FullName::parse("schema", 2, schema)?;
        list::all(|token| self.page(&schema, token), "tables").await
    }

    /// Lists all tables and views of a schema as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for table in workspace.tables().list_json("main.default").await? {
    ///     println!("{table}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self, schema: &str) -> Result<Vec<Box<RawValue>>> {
        let schema = FullName::parse("schema", 2, schema)?;
        list::json(|token| self.page(&schema, token), "tables").await
    }

    /// Lists the full names of all tables and views of a schema. The service leaves out the columns, which makes its answers
    /// much smaller.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for name in workspace.tables().names("main.default").await? {
    ///     println!("{name}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn names(&self, schema: &str) -> Result<Vec<String>> {
        let schema = FullName::parse("schema", 2, schema)?;
        let omit = Some(true);
        let light =
            types::TablesListQuery { omit_columns: omit, omit_properties: omit, ..Default::default() };
        let page = |token| self.page(&schema, token).query_object(&light);
        let all = list::all::<Reference>(page, "tables").await?;
        Ok(all.into_iter().filter_map(|table| table.full_name).collect())
    }

    /// Gets the table or view with this full name, with its columns. A part that has dots stands in backticks.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for column in workspace.tables().get("main.default.`odd.name`").await?.columns.iter().flatten() {
    ///     println!("{:?} {:?}", column.name, column.type_text);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown name,
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a text that can't be one. Operation: `tables_get`.
    pub async fn get(&self, full_name: &str) -> Result<ResponseValue<types::TableInfo>> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        let answer = self.workspace.client().tables_get(&name.to_string(), &Default::default()).await?;
        document::about(answer, NOUN, &name.to_string(), |table| {
            table.full_name.as_deref().filter(|_| !name.compared("full_name").is_empty())
        })
    }

    /// Gets one table as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.tables().get_json("main.default.sales").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, full_name: &str) -> Result<Box<RawValue>> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        let call = self.workspace.client().call(&operations::TABLES_GET).path("full_name", &name);
        document::object_about(call, NOUN, name.compared("full_name"), &name.to_string()).await
    }

    /// Says whether a table or view exists and the caller may see it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// if !workspace.tables().exists("main.default.sales").await? {
    ///     println!("no sales yet");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call. A missing table, schema or catalog is `false` and no error. Operation: `tables_exists`.
    pub async fn exists(&self, full_name: &str) -> Result<bool> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        match self.workspace.client().tables_exists(&name.to_string()).await {
            Ok(answer) => Ok(answer.table_exists.unwrap_or(false)),
            Err(error) if error.error_code().is_some_and(|code| MISSING.contains(&code)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Drops a table or view. The data of an external table stays.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.tables().delete("main.default.sales").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown name, or if an attempt whose answer was lost has
    /// dropped it. Operation: `tables_delete`.
    pub async fn delete(&self, full_name: &str) -> Result<()> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        self.workspace.client().tables_delete(&name.to_string()).await.map(drop)
    }

    fn page(&self, schema: &FullName, page_token: Option<String>) -> Call {
        let query = types::TablesListQuery { page_token, max_results: Some(0), ..Default::default() };
        let call = self.workspace.client().call(&operations::TABLES_LIST);
        call.query("catalog_name", &schema.part(0)).query("schema_name", &schema.part(1)).query_object(&query)
    }
}
