//! Model serving endpoints: what they serve, whether they are ready, and requests to their models.
//!
//! - An endpoint is called by its name, which is its id here; the service has another id for permissions.
//! - Waiting ends when the update has ended, and then looks at whether the endpoint is ready: an endpoint whose first
//!   deployment failed may say that it isn't being updated.
//! - A query is sent once: a model may cost, and an agent may act.

mod endpoint;
mod query;
mod readiness;

use brickwire_client::{Call, ResponseValue, operations, types};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Candidate, Error, List, Named, Result, WaitOptions, Workspace, document, list, names};

/// The model serving endpoints of a workspace.
#[derive(Debug, Clone)]
pub struct Serving {
    workspace: Workspace,
}

impl Workspace {
    /// Model serving endpoints: list, get, create, query.
    pub fn serving(&self) -> Serving {
        Serving { workspace: self.clone() }
    }
}

impl Named for Serving {
    const NOUN: &'static str = endpoint::NOUN;

    /// Letters, digits, `-` and `_`: every name is an id.
    fn is_id(text: &str) -> bool {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        let found = list::all::<Reference>(|_| self.list_call(), "endpoints").await?.into_iter();
        let ready = |state: Option<types::EndpointState>| state.and_then(|state| state.ready);
        Ok(found.map(|one| Candidate::new(one.name.clone(), one.name, ready(one.state))).collect())
    }
}

/// What a name needs of an endpoint. A list may hold endpoints of which something else can't be decoded.
#[derive(Deserialize)]
struct Reference {
    name: Option<String>,
    state: Option<types::EndpointState>,
}

impl Serving {
    /// Lists all endpoints that the caller may see, those of the workspace's foundation models among them.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for endpoint in &workspace.serving().list().await? {
    ///     println!("{:?} {:?}", endpoint.name, endpoint.task);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call; no endpoints is not an error. Operation: `serving_list`.
    pub async fn list(&self) -> Result<List<types::ServingEndpoint>> {
        list::all(|_| self.list_call(), "endpoints").await
    }

    /// Lists all endpoints as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for endpoint in workspace.serving().list_json().await? {
    ///     println!("{endpoint}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self) -> Result<Vec<Box<RawValue>>> {
        list::json(|_| self.list_call(), "endpoints").await
    }

    /// Gets one endpoint, with what it serves and what is being deployed.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let endpoint = workspace.serving().get("churn").await?;
    /// println!("{:?}", endpoint.state.as_ref().and_then(|state| state.ready.clone()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown name. Operation: `serving_get`.
    pub async fn get(&self, name: &str) -> Result<ResponseValue<types::ServingEndpointDetailed>> {
        endpoint::get(&self.workspace, name).await
    }

    /// Gets one endpoint as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.serving().get_json("churn").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, name: &str) -> Result<Box<RawValue>> {
        names::required(Self::NOUN, name)?;
        let call = self.workspace.client().call(&operations::SERVING_GET).path("name", &name);
        document::object_about(call, Self::NOUN, "name", name).await
    }

    /// Creates an endpoint, and returns at once, before it is ready.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::{CreateServingEndpoint, EndpointCoreConfigInput, ServedEntityInput};
    /// let entity = ServedEntityInput {
    ///     entity_name: Some("main.models.churn".into()),
    ///     entity_version: Some("3".into()),
    ///     workload_size: Some("Small".into()),
    ///     scale_to_zero_enabled: Some(true),
    ///     ..Default::default()
    /// };
    /// let config = EndpointCoreConfigInput { served_entities: Some(vec![entity]), ..Default::default() };
    /// let endpoint = CreateServingEndpoint { name: "churn".into(), config: Some(config), ..Default::default() };
    /// let serving = workspace.serving();
    /// serving.create(&endpoint).await?;
    /// serving.wait_until_ready("churn", Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a configuration that the service refuses, and for a name
    /// that is taken. Operation: `serving_create`.
    pub async fn create(
        &self,
        endpoint: &types::CreateServingEndpoint,
    ) -> Result<ResponseValue<types::ServingEndpointDetailed>> {
        named(&endpoint.name)?;
        self.workspace.client().serving_create(endpoint).await
    }

    /// Creates an endpoint that a JSON object describes, which is sent as it is.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let entity = r#"{"entity_name": "main.models.churn", "entity_version": "3", "workload_size": "Small"}"#;
    /// let endpoint = format!(r#"{{"name": "churn", "config": {{"served_entities": [{entity}]}}}}"#);
    /// println!("{}", workspace.serving().create_json(&endpoint).await?.get());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`create`](Self::create), and [`ErrorKind::Usage`](crate::ErrorKind::Usage) for text that is not a JSON object.
    pub async fn create_json(&self, endpoint: &str) -> Result<ResponseValue<Box<RawValue>>> {
        let members = document::members("description of the endpoint", endpoint)?;
        let name = members.get("name").and_then(|name| serde_json::from_str::<String>(name.get()).ok());
        named(&name.unwrap_or_default())?;
        let call = self.workspace.client().call(&operations::SERVING_CREATE);
        call.json(&document::raw(endpoint)?).send().await
    }

    /// Replaces what an endpoint serves, and returns at once. The old configuration serves until the new one is ready.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::{EndpointCoreConfigInput, ServedEntityInput};
    /// let entity = ServedEntityInput {
    ///     entity_name: Some("main.models.churn".into()),
    ///     entity_version: Some("4".into()),
    ///     ..Default::default()
    /// };
    /// let config = EndpointCoreConfigInput { served_entities: Some(vec![entity]), ..Default::default() };
    /// workspace.serving().update_config("churn", &config).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown name,
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) while another update is in progress. Operation:
    /// `serving_update_config`.
    pub async fn update_config(
        &self,
        name: &str,
        config: &types::EndpointCoreConfigInput,
    ) -> Result<ResponseValue<types::ServingEndpointDetailed>> {
        names::required(Self::NOUN, name)?;
        self.workspace.client().serving_update_config(name, config).await
    }

    /// Replaces what an endpoint serves by what a JSON object describes, which is sent as it is.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let config = r#"{"served_entities": [{"entity_name": "main.models.churn", "entity_version": "4"}]}"#;
    /// workspace.serving().update_config_json("churn", config).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`update_config`](Self::update_config), and [`ErrorKind::Usage`](crate::ErrorKind::Usage) for text that is not a JSON
    /// object.
    pub async fn update_config_json(&self, name: &str, config: &str) -> Result<ResponseValue<Box<RawValue>>> {
        names::required(Self::NOUN, name)?;
        document::members("configuration", config)?;
        let call = self.workspace.client().call(&operations::SERVING_UPDATE_CONFIG).path("name", &name);
        call.json(&document::raw(config)?).send().await
    }

    /// Deletes an endpoint. Requests that it is answering fail.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.serving().delete("churn").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown name, or if an attempt whose answer was lost has
    /// deleted it. Operation: `serving_delete`.
    pub async fn delete(&self, name: &str) -> Result<()> {
        names::required(Self::NOUN, name)?;
        self.workspace.client().serving_delete(name).await.map(drop)
    }

    /// Waits until no update of an endpoint is in progress and it is ready, and returns it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let endpoint = workspace.serving().wait_until_ready("churn", Default::default()).await?;
    /// println!("{:?}", endpoint.config.as_ref().and_then(|config| config.config_version));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::RemoteFailed`](crate::ErrorKind::RemoteFailed) if the update failed or was canceled, with what each
    /// failed entity says, even if the configuration from before still serves;
    /// [`ErrorKind::DeadlineExceeded`](crate::ErrorKind::DeadlineExceeded) at the end of the time. Operation: `serving_get`.
    pub async fn wait_until_ready(
        &self,
        name: &str,
        options: WaitOptions,
    ) -> Result<ResponseValue<types::ServingEndpointDetailed>> {
        readiness::wait(&self.workspace, name, options).await
    }

    /// Sends a request to an endpoint's model, in one of the usual forms.
    ///
    /// The answer's header `served-model-name` tells which of the served entities has answered.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::{ChatMessage, ChatMessageRole, QueryEndpointInput};
    /// let message = ChatMessage {
    ///     role: Some(ChatMessageRole::User),
    ///     content: Some("What is a lakehouse?".into()),
    ///     ..Default::default()
    /// };
    /// let request = QueryEndpointInput { messages: Some(vec![message]), ..Default::default() };
    /// let answer = workspace.serving().query("databricks-example-chat", &request).await?;
    /// for choice in answer.choices.iter().flatten() {
    ///     println!("{:?}", choice.message.as_ref().and_then(|message| message.content.as_ref()));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a request without input, with several, or with `stream`;
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for an input that the model doesn't take, with the model's own
    /// error; [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if the answer is lost, because a query isn't
    /// sent again. If the endpoint isn't ready, the hint says so. Operations: `serving_query`, and `serving_get` after a
    /// failure.
    pub async fn query(
        &self,
        name: &str,
        request: &types::QueryEndpointInput,
    ) -> Result<ResponseValue<types::QueryEndpointResponse>> {
        query::typed(&self.workspace, name, request).await
    }

    /// Sends a JSON object to an endpoint's model as it is, and returns whatever JSON the model answers: for agents and
    /// other models of a form of their own.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let request = r#"{"input": [{"role": "user", "content": "What is a lakehouse?"}]}"#;
    /// let answer = workspace.serving().query_json("docs-agent", request).await?;
    /// println!("{}", answer.get());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`query`](Self::query), and [`ErrorKind::Usage`](crate::ErrorKind::Usage) for text that is not a JSON object.
    pub async fn query_json(&self, name: &str, request: &str) -> Result<ResponseValue<Box<RawValue>>> {
        query::raw(&self.workspace, name, request).await
    }

    /// Gets the latest log lines of a served entity.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// print!("{}", workspace.serving().logs("churn", "churn-3").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown endpoint or entity. Operation: `serving_logs`.
    pub async fn logs(&self, name: &str, served_entity: &str) -> Result<String> {
        let answer = self.workspace.client().serving_logs(name, served_entity).await?;
        Ok(answer.into_inner().logs.unwrap_or_default())
    }

    /// Gets the log of building a served entity's container, which tells why a deployment failed.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// print!("{}", workspace.serving().build_logs("churn", "churn-3").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown endpoint or entity. Operation:
    /// `serving_build_logs`.
    pub async fn build_logs(&self, name: &str, served_entity: &str) -> Result<String> {
        let answer = self.workspace.client().serving_build_logs(name, served_entity).await?;
        Ok(answer.into_inner().logs.unwrap_or_default())
    }

    fn list_call(&self) -> Call {
        self.workspace.client().call(&operations::SERVING_LIST)
    }
}

/// Refuses a name that no endpoint can have.
fn named(name: &str) -> Result<()> {
    if Serving::is_id(name) {
        return Ok(());
    }
    let text = format!("this is not a name for a serving endpoint: {name:?}");
    Err(Error::usage(text).with_hint("use letters, digits, `-` and `_`"))
}
