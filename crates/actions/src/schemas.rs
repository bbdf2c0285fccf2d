//! Schemas of Unity Catalog: the second part of a full name.

use brickwire_client::{Call, ResponseValue, operations, types};
use serde_json::value::RawValue;

use crate::{
    List, Result, Workspace, document,
    full_name::{FullName, check_new},
    list,
};

const NOUN: &str = "schema";

/// The schemas of a workspace.
#[derive(Debug, Clone)]
pub struct Schemas {
    workspace: Workspace,
}

impl Workspace {
    /// Schemas of Unity Catalog.
    pub fn schemas(&self) -> Schemas {
        Schemas { workspace: self.clone() }
    }
}

impl Schemas {
    /// Lists all schemas of a catalog that the caller may see, page after page.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for schema in &workspace.schemas().list("main").await? {
    ///     println!("{:?}", schema.full_name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown catalog; no schemas is not an error. Operation:
    /// `schemas_list`.
    pub async fn list(&self, catalog: &str) -> Result<List<types::SchemaInfo>> {
        let catalog = FullName::parse("catalog", 1, catalog)?;
        list::all(|token| self.page(&catalog, token), "schemas").await
    }

    /// Lists all schemas of a catalog as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for schema in workspace.schemas().list_json("main").await? {
    ///     println!("{schema}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self, catalog: &str) -> Result<Vec<Box<RawValue>>> {
        let catalog = FullName::parse("catalog", 1, catalog)?;
        list::json(|token| self.page(&catalog, token), "schemas").await
    }

    /// Gets the schema with this full name.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.schemas().get("main.default").await?.owner);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown name,
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a text that can't be one. Operation: `schemas_get`.
    pub async fn get(&self, full_name: &str) -> Result<ResponseValue<types::SchemaInfo>> {
        let name = FullName::parse(NOUN, 2, full_name)?;
        let answer = self.workspace.client().schemas_get(&name.to_string(), &Default::default()).await?;
        is_about(answer, &name)
    }

    /// Gets one schema as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.schemas().get_json("main.default").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, full_name: &str) -> Result<Box<RawValue>> {
        let name = FullName::parse(NOUN, 2, full_name)?;
        let call = self.workspace.client().call(&operations::SCHEMAS_GET).path("full_name", &name);
        document::object_about(call, NOUN, name.compared("full_name"), &name.to_string()).await
    }

    /// Creates a schema. The service stores its name in lower case.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::CreateSchema;
    /// let schema =
    ///     CreateSchema { catalog_name: "main".to_owned(), name: "sales".to_owned(), ..Default::default() };
    /// println!("{:?}", workspace.schemas().create(&schema).await?.full_name);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a name that is taken,
    /// [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if the answer is lost. Operation: `schemas_create`.
    pub async fn create(&self, schema: &types::CreateSchema) -> Result<ResponseValue<types::SchemaInfo>> {
        check_new("schema's catalog", Some(&schema.catalog_name))?;
        check_new(NOUN, Some(&schema.name))?;
        let name = FullName::parse(NOUN, 2, &format!("{}.{}", schema.catalog_name, schema.name))?;
        let answer = self.workspace.client().schemas_create(schema).await?;
        is_about(answer, &name).map_err(|e| e.into_unknown_outcome("schemas_create"))
    }

    /// Changes the settings that are given, and keeps all others. `properties` are replaced as a whole.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::UpdateSchema;
    /// let change = UpdateSchema { comment: Some("raw data".to_owned()), ..Default::default() };
    /// workspace.schemas().update("main.sales", &change).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get). After a change of the name whose answer was lost, the old name is not found. Operation:
    /// `schemas_update`.
    pub async fn update(
        &self,
        full_name: &str,
        change: &types::UpdateSchema,
    ) -> Result<ResponseValue<types::SchemaInfo>> {
        let name = FullName::parse(NOUN, 2, full_name)?;
        self.workspace.client().schemas_update(&name.to_string(), change).await
    }

    /// Deletes a schema that is empty.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.schemas().delete("main.sales").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) if it is not empty,
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown name, or if an attempt whose answer was lost has
    /// deleted it. Operation: `schemas_delete`.
    pub async fn delete(&self, full_name: &str) -> Result<()> {
        self.delete_if(full_name, None).await
    }

    /// Deletes a schema with everything in it: tables, volumes, functions, and models.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.schemas().delete_with_contents("main.sales").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`delete`](Self::delete).
    pub async fn delete_with_contents(&self, full_name: &str) -> Result<()> {
        self.delete_if(full_name, Some(true)).await
    }

    async fn delete_if(&self, full_name: &str, force: Option<bool>) -> Result<()> {
        let name = FullName::parse(NOUN, 2, full_name)?;
        let query = types::SchemasDeleteQuery { force };
        let deleted = self.workspace.client().schemas_delete(&name.to_string(), &query).await;
        deleted.map(drop).map_err(document::about_contents)
    }

    fn page(&self, catalog: &FullName, page_token: Option<String>) -> Call {
        let query = types::SchemasListQuery { page_token, max_results: Some(0), ..Default::default() };
        let call = self.workspace.client().call(&operations::SCHEMAS_LIST);
        call.query("catalog_name", &catalog.part(0)).query_object(&query)
    }
}

fn is_about(
    answer: ResponseValue<types::SchemaInfo>,
    name: &FullName,
) -> Result<ResponseValue<types::SchemaInfo>> {
    document::about(answer, NOUN, &name.to_string(), |schema| {
        schema.full_name.as_deref().filter(|_| !name.compared("full_name").is_empty())
    })
}
