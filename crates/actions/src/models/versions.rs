//! The versions of a registered model.

use brickwire_client::{Call, ResponseValue, operations, types};
use serde_json::value::RawValue;

use super::{
    Models, NOUN,
    arguments::{named, numbered},
};
use crate::{List, Result, document, full_name::FullName, list};

impl Models {
    /// Lists all versions of a model, without their aliases.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for version in &workspace.models().versions("main.default.churn").await? {
    ///     println!("{:?} {:?}", version.version, version.status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown model; no versions is not an error. Operation:
    /// `model_versions_list`.
    pub async fn versions(&self, full_name: &str) -> Result<List<types::ModelVersionInfo>> {
        list::decoded(self.versions_json(full_name).await?, "model_versions")
    }

    /// Lists all versions of a model as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for version in workspace.models().versions_json("main.default.churn").await? {
    ///     println!("{version}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`versions`](Self::versions).
    pub async fn versions_json(&self, full_name: &str) -> Result<Vec<Box<RawValue>>> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        let page = |page_token: Option<String>| -> Call {
            let query =
                types::ModelVersionsListQuery { page_token, max_results: Some(0), ..Default::default() };
            let call = self.workspace.client().call(&operations::MODEL_VERSIONS_LIST);
            call.path("full_name", &name).query_object(&query)
        };
        list::json(page, "model_versions").await
    }

    /// Gets one version of a model, with its aliases.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.models().version("main.default.churn", 2).await?.storage_location);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown model or version. Operation:
    /// `model_versions_get`.
    pub async fn version(
        &self,
        full_name: &str,
        version: i64,
    ) -> Result<ResponseValue<types::ModelVersionInfo>> {
        let name = FullName::parse(NOUN, 3, full_name)?.to_string();
        let query = types::ModelVersionsGetQuery { include_aliases: Some(true), ..Default::default() };
        let answer = self.workspace.client().model_versions_get(&name, numbered(version)?, &query).await?;
        let came = answer.version.map(|came| came.to_string());
        document::check_id("version", &version.to_string(), came.as_deref())?;
        Ok(answer)
    }

    /// Gets the version of a model that an alias points to.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.models().version_by_alias("main.default.churn", "champion").await?.version);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown model or alias. Operation:
    /// `model_versions_get_by_alias`.
    pub async fn version_by_alias(
        &self,
        full_name: &str,
        alias: &str,
    ) -> Result<ResponseValue<types::ModelVersionInfo>> {
        let name = FullName::parse(NOUN, 3, full_name)?.to_string();
        let query = types::ModelVersionsGetByAliasQuery { include_aliases: Some(true) };
        self.workspace.client().model_versions_get_by_alias(&name, named(alias)?, &query).await
    }
}
