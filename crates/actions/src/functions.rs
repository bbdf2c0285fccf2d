//! Functions of Unity Catalog that users write. They are created by SQL.

use brickwire_client::{Call, ResponseValue, operations, types};
use serde_json::value::RawValue;

use crate::{List, Result, Workspace, document, full_name::FullName, list};

const NOUN: &str = "function";

/// The functions of a workspace.
#[derive(Debug, Clone)]
pub struct Functions {
    workspace: Workspace,
}

impl Workspace {
    /// Functions of Unity Catalog.
    pub fn functions(&self) -> Functions {
        Functions { workspace: self.clone() }
    }
}

impl Functions {
    /// Lists all functions of a schema that the caller may see, page after page.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for function in &workspace.functions().list("main.default").await? {
    ///     println!("{:?} {:?}", function.full_name, function.full_data_type);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown schema; no functions is not an error. Operation:
    /// `functions_list`.
    pub async fn list(&self, schema: &str) -> Result<List<types::FunctionInfo>> {
        let schema = FullName::parse("schema", 2, schema)?;
        list::all(|token| self.page(&schema, token), "functions").await
    }

    /// Lists all functions of a schema as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for function in workspace.functions().list_json("main.default").await? {
    ///     println!("{function}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self, schema: &str) -> Result<Vec<Box<RawValue>>> {
        let schema = FullName::parse("schema", 2, schema)?;
        list::json(|token| self.page(&schema, token), "functions").await
    }

    /// Gets the function with this full name, with its definition.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.functions().get("main.default.celsius").await?.routine_definition);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown name,
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a text that can't be one. Operation: `functions_get`.
    pub async fn get(&self, full_name: &str) -> Result<ResponseValue<types::FunctionInfo>> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        let answer = self.workspace.client().functions_get(&name.to_string(), &Default::default()).await?;
        document::about(answer, NOUN, &name.to_string(), |function| {
            function.full_name.as_deref().filter(|_| !name.compared("full_name").is_empty())
        })
    }

    /// Gets one function as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.functions().get_json("main.default.celsius").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, full_name: &str) -> Result<Box<RawValue>> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        let call = self.workspace.client().call(&operations::FUNCTIONS_GET).path("name", &name);
        document::object_about(call, NOUN, name.compared("full_name"), &name.to_string()).await
    }

    /// Deletes a function. What uses it fails from then on.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.functions().delete("main.default.celsius").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown name, or if an attempt whose answer was lost has
    /// deleted it. Operation: `functions_delete`.
    pub async fn delete(&self, full_name: &str) -> Result<()> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        self.workspace.client().functions_delete(&name.to_string(), &Default::default()).await.map(drop)
    }

    fn page(&self, schema: &FullName, page_token: Option<String>) -> Call {
        let query = types::FunctionsListQuery { page_token, max_results: Some(0), ..Default::default() };
        let call = self.workspace.client().call(&operations::FUNCTIONS_LIST);
        call.query("catalog_name", &schema.part(0)).query("schema_name", &schema.part(1)).query_object(&query)
    }
}
