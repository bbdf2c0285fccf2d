//! The workspace's model registry: registered models, their versions, and the stages of these. Unity Catalog has a
//! registry of its own, without stages.
//!
//! A version's number is text here, as the service has it.

use brickwire_client::{Call, ResponseValue, operations, types};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Candidate, List, Named, Result, Workspace, document, list, names};

/// The most models that the service returns in one page.
const MODELS_IN_PAGE: i64 = 100;

/// The stages that a version can be in.
const STAGES: [&str; 4] = ["None", "Staging", "Production", "Archived"];

/// The workspace's model registry.
#[derive(Debug, Clone)]
pub struct Registry {
    workspace: Workspace,
}

impl Workspace {
    /// The workspace's model registry.
    pub fn registry(&self) -> Registry {
        Registry { workspace: self.clone() }
    }
}

impl Named for Registry {
    const NOUN: &'static str = "registered model";

    /// A model is called by its name.
    fn is_id(text: &str) -> bool {
        !text.trim().is_empty()
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        let found = list::all::<Reference>(|token| self.page(None, token), "registered_models").await?;
        let one = |model: Reference| Candidate::new(model.name.clone(), model.name, None::<&str>);
        Ok(found.into_iter().map(one).collect())
    }
}

/// What a name needs of a model.
#[derive(Deserialize)]
struct Reference {
    name: Option<String>,
}

impl Registry {
    /// Lists the models that fit a filter, page after page; all models without one.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for model in &workspace.registry().list(Some("name LIKE 'churn%'")).await? {
    ///     println!("{:?}", model.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a filter that the service doesn't understand; no models is
    /// not an error. Operation: `registry_search_models`.
    pub async fn list(&self, filter: Option<&str>) -> Result<List<types::RegistryModel>> {
        list::all(|token| self.page(filter, token), "registered_models").await
    }

    /// Lists the same as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for model in workspace.registry().list_json(None).await? {
    ///     println!("{model}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self, filter: Option<&str>) -> Result<Vec<Box<RawValue>>> {
        list::json(|token| self.page(filter, token), "registered_models").await
    }

    /// Gets one model, with the id that its permissions go by.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let model = workspace.registry().get("churn").await?;
    /// if let Some(id) = model.registered_model_databricks.as_ref().and_then(|model| model.id.as_ref()) {
    ///     workspace.permissions().get("registered-models", id).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown name. Operation: `registry_get_model`.
    pub async fn get(&self, name: &str) -> Result<ResponseValue<types::GetModelResponse>> {
        names::required(Self::NOUN, name)?;
        self.workspace.client().registry_get_model(name).await
    }

    /// Gets one model as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.registry().get_json("churn").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, name: &str) -> Result<Box<RawValue>> {
        names::required(Self::NOUN, name)?;
        document::object(self.workspace.client().call(&operations::REGISTRY_GET_MODEL).query("name", &name))
            .await
    }

    /// Lists the versions of a model, page after page.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for version in &workspace.registry().versions("churn").await? {
    ///     println!("{:?} {:?}", version.version, version.current_stage);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call; an unknown model has no versions. Operation: `registry_search_model_versions`.
    pub async fn versions(&self, name: &str) -> Result<List<types::ModelVersion>> {
        list::decoded(self.versions_json(name).await?, "model_versions")
    }

    /// Lists the same as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for version in workspace.registry().versions_json("churn").await? {
    ///     println!("{version}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`versions`](Self::versions).
    pub async fn versions_json(&self, name: &str) -> Result<Vec<Box<RawValue>>> {
        names::required(Self::NOUN, name)?;
        let filter = Some(format!("name={}", quoted(name)?));
        let page = |page_token| {
            let query = types::RegistrySearchModelVersionsQuery {
                filter: filter.clone(),
                page_token,
                ..Default::default()
            };
            self.workspace.client().call(&operations::REGISTRY_SEARCH_MODEL_VERSIONS).query_object(&query)
        };
        list::json(page, "model_versions").await
    }

    /// Gets one version of a model as JSON, as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.registry().version_json("churn", "3").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown model or version. Operation:
    /// `registry_get_model_version`.
    pub async fn version_json(&self, name: &str, version: &str) -> Result<Box<RawValue>> {
        names::required(Self::NOUN, name)?;
        let call = self.workspace.client().call(&operations::REGISTRY_GET_MODEL_VERSION);
        document::object(call.query("name", &name).query("version", &version)).await
    }

    /// Gets the latest version of a model in each of these stages, or in every stage if none is given. A stage without
    /// a version is left out.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let production = workspace.registry().latest("churn", &["Production"]).await?;
    /// println!("{:?}", production.first().and_then(|version| version.source.as_ref()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown model,
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for an unknown stage. Operation: `registry_get_latest_versions`.
    pub async fn latest(&self, name: &str, stages: &[&str]) -> Result<Vec<types::ModelVersion>> {
        names::required(Self::NOUN, name)?;
        stages.iter().try_for_each(|stage| known_stage(stage))?;
        let stages = (!stages.is_empty()).then(|| stages.iter().map(|stage| (*stage).to_owned()).collect());
        let body = types::GetLatestVersionsRequest { name: name.to_owned(), stages };
        let answer = self.workspace.client().registry_get_latest_versions(&body).await?;
        Ok(answer.into_inner().model_versions.unwrap_or_default())
    }

    /// Moves a version to another stage. If `archives_others`, all other versions in that stage move to `Archived`.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.registry().transition("churn", "3", "Production", true).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown model or version,
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for an unknown stage. Operation: `registry_transition_stage`.
    pub async fn transition(
        &self,
        name: &str,
        version: &str,
        stage: &str,
        archives_others: bool,
    ) -> Result<ResponseValue<types::TransitionStageResponse>> {
        names::required(Self::NOUN, name)?;
        known_stage(stage)?;
        let body = types::TransitionModelVersionStageDatabricks {
            archive_existing_versions: archives_others,
            name: name.to_owned(),
            version: version.to_owned(),
            stage: stage.to_owned(),
            ..Default::default()
        };
        self.workspace.client().registry_transition_stage(&body).await
    }

    /// Gets the URI of a version's files, which MLflow's clients can read from.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.registry().download_uri("churn", "3").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown model or version. Operation:
    /// `registry_get_model_version_download_uri`.
    pub async fn download_uri(&self, name: &str, version: &str) -> Result<Option<String>> {
        names::required(Self::NOUN, name)?;
        let answer = self.workspace.client().registry_get_model_version_download_uri(name, version).await?;
        Ok(answer.into_inner().artifact_uri)
    }

    fn page(&self, filter: Option<&str>, page_token: Option<String>) -> Call {
        let filter = filter.map(str::to_owned);
        let max_results = Some(MODELS_IN_PAGE);
        let query =
            types::RegistrySearchModelsQuery { filter, page_token, max_results, ..Default::default() };
        self.workspace.client().call(&operations::REGISTRY_SEARCH_MODELS).query_object(&query)
    }
}

/// A text in a filter. There is no way to write one that has both kinds of quotation marks.
fn quoted(text: &str) -> Result<String> {
    match (text.contains('\''), text.contains('"')) {
        (false, _) => Ok(format!("'{text}'")),
        (true, false) => Ok(format!("\"{text}\"")),
        (true, true) => Err(crate::Error::usage(format!("a filter can't hold this name: {text}"))),
    }
}

fn known_stage(stage: &str) -> Result<()> {
    if STAGES.contains(&stage) {
        return Ok(());
    }
    let text = format!("this is not a stage of a model version: {stage:?}");
    Err(crate::Error::usage(text).with_hint(format!("use one of {}", STAGES.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_filter() {
        assert_eq!(quoted("churn").unwrap(), "'churn'");
        assert_eq!(quoted("o'hare").unwrap(), "\"o'hare\"");
        assert!(quoted("a' or \"").is_err());
        assert!(known_stage("Production").is_ok() && known_stage("production").is_err());
    }
}
