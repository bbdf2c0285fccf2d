//! Models that are registered in Unity Catalog, their versions and aliases. MLflow's clients make versions.

mod arguments;
mod versions;

use brickwire_client::{Call, ResponseValue, operations, types};
use serde_json::value::RawValue;

use self::arguments::{named, numbered};
use crate::{
    List, Result, Workspace, document,
    full_name::{FullName, check_new},
    list,
};

const NOUN: &str = "model";

/// The registered models of a workspace.
#[derive(Debug, Clone)]
pub struct Models {
    workspace: Workspace,
}

impl Workspace {
    /// Models that are registered in Unity Catalog.
    pub fn models(&self) -> Models {
        Models { workspace: self.clone() }
    }
}

impl Models {
    /// Lists all registered models of a schema, or of all catalogs, that the caller may see.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for model in &workspace.models().list(Some("main.default")).await? {
    ///     println!("{:?} {:?}", model.full_name, model.comment);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown schema; no models is not an error. Operation:
    /// `models_list`.
    pub async fn list(&self, schema: Option<&str>) -> Result<List<types::RegisteredModelInfo>> {
        list::decoded(self.list_json(schema).await?, "registered_models")
    }

    /// Lists all registered models as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for model in workspace.models().list_json(None).await? {
    ///     println!("{model}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self, schema: Option<&str>) -> Result<Vec<Box<RawValue>>> {
        let schema = schema.map(|schema| FullName::parse("schema", 2, schema)).transpose()?;
        let part = |n: usize| schema.as_ref().map(|schema| schema.part(n).to_owned());
        let page = |page_token: Option<String>| -> Call {
            let query = types::ModelsListQuery {
                catalog_name: part(0),
                schema_name: part(1),
                max_results: Some(0),
                page_token,
                ..Default::default()
            };
            self.workspace.client().call(&operations::MODELS_LIST).query_object(&query)
        };
        list::json(page, "registered_models").await
    }

    /// Gets the registered model with this full name, with its aliases.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for alias in workspace.models().get("main.default.churn").await?.aliases.iter().flatten() {
    ///     println!("{:?} is version {:?}", alias.alias_name, alias.version_num);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown name,
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a text that can't be one. Operation: `models_get`.
    pub async fn get(&self, full_name: &str) -> Result<ResponseValue<types::RegisteredModelInfo>> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        let answer = self.workspace.client().models_get(&name.to_string(), &with_aliases()).await?;
        is_about(answer, &name)
    }

    /// Gets one registered model as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.models().get_json("main.default.churn").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, full_name: &str) -> Result<Box<RawValue>> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        let call = self.workspace.client().call(&operations::MODELS_GET);
        let call = call.path("full_name", &name).query_object(&with_aliases());
        document::object_about(call, NOUN, name.compared("full_name"), &name.to_string()).await
    }

    /// Creates a registered model without versions. It needs `catalog_name`, `schema_name` and `name`; the service stores
    /// them in lower case.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::CreateRegisteredModelRequest;
    /// let model = CreateRegisteredModelRequest {
    ///     catalog_name: Some("main".to_owned()),
    ///     schema_name: Some("default".to_owned()),
    ///     name: Some("churn".to_owned()),
    ///     ..Default::default()
    /// };
    /// println!("{:?}", workspace.models().create(&model).await?.full_name);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a name that is taken,
    /// [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if the answer is lost. Operation: `models_create`.
    pub async fn create(
        &self,
        model: &types::CreateRegisteredModelRequest,
    ) -> Result<ResponseValue<types::RegisteredModelInfo>> {
        let parts = [&model.catalog_name, &model.schema_name, &model.name].map(Option::as_deref);
        for (what, part) in ["model's catalog", "model's schema", NOUN].iter().zip(parts) {
            check_new(what, part)?;
        }
        let name = FullName::parse(NOUN, 3, &parts.map(Option::unwrap_or_default).join("."))?;
        let answer = self.workspace.client().models_create(model).await?;
        is_about(answer, &name).map_err(|e| e.into_unknown_outcome("models_create"))
    }

    /// Changes the name, the owner or the comment, and keeps what is not given.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::UpdateRegisteredModelRequest;
    /// let change =
    ///     UpdateRegisteredModelRequest { comment: Some("who leaves".to_owned()), ..Default::default() };
    /// workspace.models().update("main.default.churn", &change).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get). After a change of the name whose answer was lost, the old name is not found. Operation:
    /// `models_update`.
    pub async fn update(
        &self,
        full_name: &str,
        change: &types::UpdateRegisteredModelRequest,
    ) -> Result<ResponseValue<types::RegisteredModelInfo>> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        self.workspace.client().models_update(&name.to_string(), change).await
    }

    /// Deletes a registered model with all of its versions.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.models().delete("main.default.churn").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown name, or if an attempt whose answer was lost has
    /// deleted it. Operation: `models_delete`.
    pub async fn delete(&self, full_name: &str) -> Result<()> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        self.workspace.client().models_delete(&name.to_string()).await.map(drop)
    }

    /// Gives a version an alias, such as `champion`. If another version has the alias, it is moved.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.models().set_alias("main.default.churn", "champion", 2).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown model or version. Operation: `models_set_alias`.
    pub async fn set_alias(
        &self,
        full_name: &str,
        alias: &str,
        version: i64,
    ) -> Result<ResponseValue<types::RegisteredModelAlias>> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        let alias = named(alias)?;
        let body = types::SetRegisteredModelAliasRequest { version_num: numbered(version)? };
        self.workspace.client().models_set_alias(&name.to_string(), alias, &body).await
    }

    /// Removes an alias. The version that has it stays.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.models().delete_alias("main.default.churn", "challenger").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown model. Operation: `models_delete_alias`.
    pub async fn delete_alias(&self, full_name: &str, alias: &str) -> Result<()> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        let alias = named(alias)?;
        self.workspace.client().models_delete_alias(&name.to_string(), alias).await.map(drop)
    }
}

fn with_aliases() -> types::ModelsGetQuery {
    types::ModelsGetQuery { include_aliases: Some(true), ..Default::default() }
}

fn is_about(
    answer: ResponseValue<types::RegisteredModelInfo>,
    name: &FullName,
) -> Result<ResponseValue<types::RegisteredModelInfo>> {
    document::about(answer, NOUN, &name.to_string(), |model| {
        model.full_name.as_deref().filter(|_| !name.compared("full_name").is_empty())
    })
}
