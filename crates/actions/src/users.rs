//! Users: who the credential belongs to, and who else is in the workspace.

use brickwire_client::{ResponseValue, operations, types};
use serde_json::value::RawValue;

use crate::{Candidate, List, Named, Result, Workspace, document, list, names, scim};

/// The users of a workspace.
#[derive(Debug, Clone)]
pub struct Users {
    workspace: Workspace,
}

impl Workspace {
    /// Users: the one that the credential belongs to, and all others.
    pub fn users(&self) -> Users {
        Users { workspace: self.clone() }
    }
}

impl Named for Users {
    const NOUN: &'static str = "user";

    /// Digits; a name is an e-mail address.
    fn is_id(text: &str) -> bool {
        scim::is_id(text)
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        self.named(None).await
    }

    /// The service looks for the name itself, since there may be thousands of users.
    async fn find(&self, id_or_name: &str) -> Result<String> {
        if Self::is_id(id_or_name) {
            return Ok(id_or_name.to_owned());
        }
        names::required(Self::NOUN, id_or_name)?;
        scim::choose(Self::NOUN, id_or_name, self.named(Some(id_or_name)).await?)
    }
}

impl Users {
    /// Gets the user or service principal that the credential belongs to.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.users().me().await?.user_name);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`](crate::ErrorKind::Unauthenticated) if the credential isn't accepted. Operation:
    /// `users_me`.
    pub async fn me(&self) -> Result<ResponseValue<types::User>> {
        self.workspace.client().users_me(&types::UsersMeQuery::default()).await
    }

    /// Gets the same as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.users().me_json().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`me`](Self::me).
    pub async fn me_json(&self) -> Result<Box<RawValue>> {
        document::object(self.workspace.client().call(&operations::USERS_ME)).await
    }

    /// Lists the users that fit a query, page after page; all users if it is empty. `count` is the size of a page.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::UsersListQuery;
    /// let of_sales = UsersListQuery {
    ///     filter: Some(r#"userName sw "sales-""#.into()),
    ///     attributes: Some("id,userName".into()),
    ///     ..Default::default()
    /// };
    /// for user in &workspace.users().list(&of_sales).await? {
    ///     println!("{:?} {:?}", user.id, user.user_name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a filter that the service doesn't understand,
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) for a page that comes twice. Operation:
    /// `users_list`.
    pub async fn list(&self, query: &types::UsersListQuery) -> Result<List<types::User>> {
        list::decoded(self.list_json(query).await?, "Resources")
    }

    /// Lists the same as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for user in workspace.users().list_json(&Default::default()).await? {
    ///     println!("{user}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self, query: &types::UsersListQuery) -> Result<Vec<Box<RawValue>>> {
        let page = |start_index, count| {
            let query =
                types::UsersListQuery { start_index: Some(start_index), count: Some(count), ..query.clone() };
            self.workspace.client().call(&operations::USERS_LIST).query_object(&query)
        };
        scim::entries(page, query.start_index, query.count).await
    }

    /// Returns the id of the user with this id or e-mail address. An id costs no request.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let id = workspace.users().find("ada@example.com").await?;
    /// # let _ = id;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Named::find`]. Operation: `users_list`.
    pub async fn find(&self, id_or_name: &str) -> Result<String> {
        Named::find(self, id_or_name).await
    }

    /// Gets one user by id, with groups and entitlements.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.users().get("7400000000000001").await?.groups);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id. Operation: `users_get`.
    pub async fn get(&self, id: &str) -> Result<ResponseValue<types::User>> {
        names::required(Self::NOUN, id)?;
        let answer = self.workspace.client().users_get(id, &types::UsersGetQuery::default()).await?;
        document::about(answer, Self::NOUN, id, |user| user.id.as_deref())
    }

    /// Gets one user as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.users().get_json("7400000000000001").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, id: &str) -> Result<Box<RawValue>> {
        names::required(Self::NOUN, id)?;
        let call = self.workspace.client().call(&operations::USERS_GET).path("id", &id);
        document::object_about(call, Self::NOUN, "id", id).await
    }

    /// Adds a user to the workspace. No invitation is sent.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::CreateUserRequest;
    /// let user = CreateUserRequest { user_name: Some("ada@example.com".into()), ..Default::default() };
    /// println!("{:?}", workspace.users().create(&user).await?.id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) without a `user_name`;
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for one that is there already.
    /// Operation: `users_create`.
    pub async fn create(&self, user: &types::CreateUserRequest) -> Result<ResponseValue<types::User>> {
        names::required(Self::NOUN, user.user_name.as_deref().unwrap_or_default())?;
        self.workspace.client().users_create(user).await
    }

    /// Applies operations to a user, in order.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::{ScimPatch, ScimPatchOp};
    /// let rename = ScimPatch {
    ///     op: Some(ScimPatchOp::Replace),
    ///     path: Some("displayName".into()),
    ///     value: Some("Ada Lovelace".into()),
    /// };
    /// workspace.users().patch("7400000000000001", vec![rename]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id,
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) without operations. Operation: `users_patch`.
    pub async fn patch(&self, id: &str, operations: Vec<types::ScimPatch>) -> Result<()> {
        names::required(Self::NOUN, id)?;
        let (operations, schemas) = scim::change(operations)?;
        let body = types::PatchUserRequest { operations: Some(operations), schemas: Some(schemas) };
        self.workspace.client().users_patch(id, &body).await.map(drop)
    }

    /// Removes a user from the workspace. What the user owns stays.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.users().delete("7400000000000001").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id, or if an attempt whose answer was lost has
    /// deleted it. Operation: `users_delete`.
    pub async fn delete(&self, id: &str) -> Result<()> {
        names::required(Self::NOUN, id)?;
        self.workspace.client().users_delete(id).await.map(drop)
    }

    /// Ids and names of all users, or of those with this name.
    async fn named(&self, name: Option<&str>) -> Result<Vec<Candidate>> {
        let filter = name.map(|name| scim::equal("userName", name));
        let attributes = Some("id,userName".to_owned());
        let query = types::UsersListQuery { filter, attributes, ..Default::default() };
        Ok(scim::candidates(&self.list_json(&query).await?, name))
    }
}
