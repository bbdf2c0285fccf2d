//! One endpoint, by its name.

use brickwire_client::{ResponseValue, types::ServingEndpointDetailed};

use crate::{Result, Workspace, document, names};

/// What messages and events call an endpoint.
pub(super) const NOUN: &str = "serving endpoint";

pub(super) async fn get(workspace: &Workspace, name: &str) -> Result<ResponseValue<ServingEndpointDetailed>> {
    names::required(NOUN, name)?;
    let answer = workspace.client().serving_get(name).await?;
    document::about(answer, NOUN, name, |endpoint| endpoint.name.as_deref())
}
