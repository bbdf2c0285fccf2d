//! Groups: what they are and who is in them. Where groups belong to the account, the workspace refuses most changes.

use brickwire_client::{ResponseValue, operations, types};
use serde_json::{json, value::RawValue};

use crate::{Candidate, Error, List, Named, Result, Workspace, document, list, names, scim};

/// The groups of a workspace.
#[derive(Debug, Clone)]
pub struct Groups {
    workspace: Workspace,
}

impl Workspace {
    /// Groups and their members.
    pub fn groups(&self) -> Groups {
        Groups { workspace: self.clone() }
    }
}

impl Named for Groups {
    const NOUN: &'static str = "group";

    /// Digits.
    fn is_id(text: &str) -> bool {
        scim::is_id(text)
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        self.named(None).await
    }

    /// The service looks for the name itself, since there may be thousands of groups.
    async fn find(&self, id_or_name: &str) -> Result<String> {
        if Self::is_id(id_or_name) {
            return Ok(id_or_name.to_owned());
        }
        names::required(Self::NOUN, id_or_name)?;
        scim::choose(Self::NOUN, id_or_name, self.named(Some(id_or_name)).await?)
    }
}

impl Groups {
    /// Lists the groups that fit a query, page after page; all groups if it is empty. `count` is the size of a page.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::GroupsListQuery;
    /// let of_sales = GroupsListQuery {
    ///     filter: Some(r#"displayName sw "sales-""#.into()),
    ///     attributes: Some("id,displayName".into()),
    ///     ..Default::default()
    /// };
    /// for group in &workspace.groups().list(&of_sales).await? {
    ///     println!("{:?} {:?}", group.id, group.display_name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a filter that the service doesn't understand,
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) for a page that comes twice. Operation:
    /// `groups_list`.
    pub async fn list(&self, query: &types::GroupsListQuery) -> Result<List<types::Group>> {
        list::decoded(self.list_json(query).await?, "Resources")
    }

    /// Lists the same as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for group in workspace.groups().list_json(&Default::default()).await? {
    ///     println!("{group}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self, query: &types::GroupsListQuery) -> Result<Vec<Box<RawValue>>> {
        let page = |start_index, count| {
            let query = types::GroupsListQuery {
                start_index: Some(start_index),
                count: Some(count),
                ..query.clone()
            };
            self.workspace.client().call(&operations::GROUPS_LIST).query_object(&query)
        };
        scim::entries(page, query.start_index, query.count).await
    }

    /// Returns the id of the group with this id or name. An id costs no request.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let id = workspace.groups().find("data-engineers").await?;
    /// # let _ = id;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Named::find`]. Operation: `groups_list`.
    pub async fn find(&self, id_or_name: &str) -> Result<String> {
        Named::find(self, id_or_name).await
    }

    /// Gets one group by id, with its members.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.groups().get("7400000000000001").await?.members);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id. Operation: `groups_get`.
    pub async fn get(&self, id: &str) -> Result<ResponseValue<types::Group>> {
        names::required(Self::NOUN, id)?;
        let answer = self.workspace.client().groups_get(id).await?;
        document::about(answer, Self::NOUN, id, |group| group.id.as_deref())
    }

    /// Gets one group as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.groups().get_json("7400000000000001").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, id: &str) -> Result<Box<RawValue>> {
        names::required(Self::NOUN, id)?;
        let call = self.workspace.client().call(&operations::GROUPS_GET).path("id", &id);
        document::object_about(call, Self::NOUN, "id", id).await
    }

    /// Creates a group, with the members that it names.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::CreateGroupRequest;
    /// let group = CreateGroupRequest { display_name: Some("data-engineers".into()), ..Default::default() };
    /// println!("{:?}", workspace.groups().create(&group).await?.id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) without a `display_name`;
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for one that is there already.
    /// Operation: `groups_create`.
    pub async fn create(&self, group: &types::CreateGroupRequest) -> Result<ResponseValue<types::Group>> {
        names::required(Self::NOUN, group.display_name.as_deref().unwrap_or_default())?;
        self.workspace.client().groups_create(group).await
    }

    /// Applies operations to a group, in order.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::{ScimPatch, ScimPatchOp};
    /// let rename = ScimPatch {
    ///     op: Some(ScimPatchOp::Replace),
    ///     path: Some("displayName".into()),
    ///     value: Some("Data engineers".into()),
    /// };
    /// workspace.groups().patch("7400000000000001", vec![rename]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id,
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) without operations. Operation: `groups_patch`.
    pub async fn patch(&self, id: &str, operations: Vec<types::ScimPatch>) -> Result<()> {
        names::required(Self::NOUN, id)?;
        let (operations, schemas) = scim::change(operations)?;
        let body = types::PatchGroupRequest { operations: Some(operations), schemas: Some(schemas) };
        self.workspace.client().groups_patch(id, &body).await.map(drop)
    }

    /// Adds members to a group: users, service principals or groups, by their ids. Those who are members already stay members.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let group = workspace.groups().find("data-engineers").await?;
    /// let user = workspace.users().find("ada@example.com").await?;
    /// workspace.groups().add_members(&group, &[user]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown group, and
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) or [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for an
    /// unknown member; [`ErrorKind::Usage`](crate::ErrorKind::Usage) without members. Operation: `groups_patch`.
    pub async fn add_members(&self, id: &str, members: &[impl AsRef<str>]) -> Result<()> {
        let ids = checked(members)?;
        let value = ids.iter().map(|id| json!({ "value": id })).collect();
        let (op, path) = (Some(types::ScimPatchOp::Add), Some("members".to_owned()));
        self.patch(id, vec![types::ScimPatch { op, path, value: Some(value) }]).await
    }

    /// Removes members from a group, by their ids.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.groups().remove_members("7400000000000002", &["7400000000000001"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`add_members`](Self::add_members); removing someone who isn't a member is not an error. Operation: `groups_patch`.
    pub async fn remove_members(&self, id: &str, members: &[impl AsRef<str>]) -> Result<()> {
        let remove = |member: &str| types::ScimPatch {
            op: Some(types::ScimPatchOp::Remove),
            path: Some(format!("members[{}]", scim::equal("value", member))),
            value: None,
        };
        let operations = checked(members)?.into_iter().map(remove).collect();
        self.patch(id, operations).await
    }

    /// Deletes a group. Its members stay.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.groups().delete("7400000000000001").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id, or if an attempt whose answer was lost has
    /// deleted it. Operation: `groups_delete`.
    pub async fn delete(&self, id: &str) -> Result<()> {
        names::required(Self::NOUN, id)?;
        self.workspace.client().groups_delete(id).await.map(drop)
    }

    /// Ids and names of all groups, or of those with this name.
    async fn named(&self, name: Option<&str>) -> Result<Vec<Candidate>> {
        let filter = name.map(|name| scim::equal("displayName", name));
        let attributes = Some("id,displayName".to_owned());
        let query = types::GroupsListQuery { filter, attributes, ..Default::default() };
        Ok(scim::candidates(&self.list_json(&query).await?, name))
    }
}

/// The ids of members, each of which must be one.
fn checked(members: &[impl AsRef<str>]) -> Result<Vec<&str>> {
    let ids: Vec<&str> = members.iter().map(AsRef::as_ref).collect();
    if ids.is_empty() {
        return Err(Error::usage("no members are given"));
    }
    match ids.iter().find(|id| !scim::is_id(id)) {
        Some(wrong) => {
            Err(Error::usage(format!("a member is given by its id, which has digits only: {wrong:?}"))
                .with_hint("find the id of the user, service principal or group by its name"))
        }
        None => Ok(ids),
    }
}
