//! Service principals: identities of programs. Their names need not be unique; their application ids are.

use brickwire_client::{ResponseValue, operations, types};
use serde_json::value::RawValue;

use crate::{Candidate, Error, List, Named, Result, Workspace, document, list, names, scim};

/// The service principals of a workspace.
#[derive(Debug, Clone)]
pub struct ServicePrincipals {
    workspace: Workspace,
}

impl Workspace {
    /// Service principals: identities of programs.
    pub fn service_principals(&self) -> ServicePrincipals {
        ServicePrincipals { workspace: self.clone() }
    }
}

impl Named for ServicePrincipals {
    const NOUN: &'static str = "service principal";

    /// Digits; an application id is a UUID, and counts as a name.
    fn is_id(text: &str) -> bool {
        scim::is_id(text)
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        self.named(None).await
    }

    /// The service looks for the name itself, since there may be thousands.
    async fn find(&self, id_or_name: &str) -> Result<String> {
        if Self::is_id(id_or_name) {
            return Ok(id_or_name.to_owned());
        }
        names::required(Self::NOUN, id_or_name)?;
        scim::choose(Self::NOUN, id_or_name, self.named(Some(id_or_name)).await?)
    }
}

impl ServicePrincipals {
    /// Lists the service principals that fit a query, page after page; all if it is empty. `count` is the size of a page.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::ServicePrincipalsListQuery;
    /// let of_sales = ServicePrincipalsListQuery {
    ///     filter: Some(r#"displayName sw "sales-""#.into()),
    ///     attributes: Some("id,displayName".into()),
    ///     ..Default::default()
    /// };
    /// for principal in &workspace.service_principals().list(&of_sales).await? {
    ///     println!("{:?} {:?}", principal.id, principal.display_name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a filter that the service doesn't understand,
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) for a page that comes twice. Operation:
    /// `service_principals_list`.
    pub async fn list(
        &self,
        query: &types::ServicePrincipalsListQuery,
    ) -> Result<List<types::ServicePrincipal>> {
        list::decoded(self.list_json(query).await?, "Resources")
    }

    /// Lists the same as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for principal in workspace.service_principals().list_json(&Default::default()).await? {
    ///     println!("{principal}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self, query: &types::ServicePrincipalsListQuery) -> Result<Vec<Box<RawValue>>> {
        let page = |start_index, count| {
            let query = types::ServicePrincipalsListQuery {
                start_index: Some(start_index),
                count: Some(count),
                ..query.clone()
            };
            self.workspace.client().call(&operations::SERVICE_PRINCIPALS_LIST).query_object(&query)
        };
        scim::entries(page, query.start_index, query.count).await
    }

    /// Returns the id of the service principal with this id, application id or name. An id costs no request.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let id = workspace.service_principals().find("nightly-deployment").await?;
    /// # let _ = id;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Named::find`]. Operation: `service_principals_list`.
    pub async fn find(&self, id_or_name: &str) -> Result<String> {
        Named::find(self, id_or_name).await
    }

    /// Gets one service principal by id, with groups and entitlements.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.service_principals().get("7400000000000001").await?.groups);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id. Operation: `service_principals_get`.
    pub async fn get(&self, id: &str) -> Result<ResponseValue<types::ServicePrincipal>> {
        names::required(Self::NOUN, id)?;
        let answer = self.workspace.client().service_principals_get(id).await?;
        document::about(answer, Self::NOUN, id, |principal| principal.id.as_deref())
    }

    /// Gets one service principal as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.service_principals().get_json("7400000000000001").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, id: &str) -> Result<Box<RawValue>> {
        names::required(Self::NOUN, id)?;
        let call = self.workspace.client().call(&operations::SERVICE_PRINCIPALS_GET).path("id", &id);
        document::object_about(call, Self::NOUN, "id", id).await
    }

    /// Creates a service principal. Without an `application_id` the service makes one.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::CreateServicePrincipalRequest;
    /// let principal = CreateServicePrincipalRequest { display_name: Some("nightly-deployment".into()), ..Default::default() };
    /// println!("{:?}", workspace.service_principals().create(&principal).await?.id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for an application id that is there already;
    /// [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if the answer is lost: a repeated create would make a
    /// second service principal. Operation: `service_principals_create`.
    pub async fn create(
        &self,
        principal: &types::CreateServicePrincipalRequest,
    ) -> Result<ResponseValue<types::ServicePrincipal>> {
        if principal.display_name.is_none() && principal.application_id.is_none() {
            return Err(Error::usage(
                "the service principal has neither a display name nor an application id",
            ));
        }
        self.workspace.client().service_principals_create(principal).await
    }

    /// Applies operations to a service principal, in order.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::{ScimPatch, ScimPatchOp};
    /// let rename = ScimPatch {
    ///     op: Some(ScimPatchOp::Replace),
    ///     path: Some("displayName".into()),
    ///     value: Some("Nightly deployment".into()),
    /// };
    /// workspace.service_principals().patch("7400000000000001", vec![rename]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id,
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) without operations. Operation: `service_principals_patch`.
    pub async fn patch(&self, id: &str, operations: Vec<types::ScimPatch>) -> Result<()> {
        names::required(Self::NOUN, id)?;
        let (operations, schemas) = scim::change(operations)?;
        let body =
            types::PatchServicePrincipalRequest { operations: Some(operations), schemas: Some(schemas) };
        self.workspace.client().service_principals_patch(id, &body).await.map(drop)
    }

    /// Removes a service principal from the workspace. What it owns stays.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.service_principals().delete("7400000000000001").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id, or if an attempt whose answer was lost has
    /// deleted it. Operation: `service_principals_delete`.
    pub async fn delete(&self, id: &str) -> Result<()> {
        names::required(Self::NOUN, id)?;
        self.workspace.client().service_principals_delete(id).await.map(drop)
    }

    /// Ids and names of all service principals, or of those with this name or application id.
    async fn named(&self, name: Option<&str>) -> Result<Vec<Candidate>> {
        let attribute = |name: &str| if is_application_id(name) { "applicationId" } else { "displayName" };
        let filter = name.map(|name| scim::equal(attribute(name), name));
        let attributes = Some("id,displayName,applicationId".to_owned());
        let query = types::ServicePrincipalsListQuery { filter, attributes, ..Default::default() };
        Ok(scim::candidates(&self.list_json(&query).await?, name))
    }
}

/// Whether a text has the form of a UUID.
fn is_application_id(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_id_is_a_uuid() {
        assert!(is_application_id("5e3c9f1a-0b8d-4c6e-9a2f-7d1e8b4c0f63"));
        for name in [
            "",
            "nightly-deployment",
            "5e3c9f1a-0b8d-4c6e-9a2f-7d1e8b4c0f6g",
            "5e3c9f1a0b8d4c6e9a2f7d1e8b4c0f63",
        ] {
            assert!(!is_application_id(name), "{name}");
        }
    }
}
