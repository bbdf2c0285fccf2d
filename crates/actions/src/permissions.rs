//! Permissions of any object: who may do what with a job, a warehouse, a notebook, an endpoint.
//!
//! [`set`](Permissions::set) replaces all direct permissions; [`update`](Permissions::update) adds and changes, and cannot
//! remove. Inherited ones, such as those of the workspace's admins, stay either way.

use brickwire_client::{Call, ResponseValue, operations, types};
use brickwire_wire::OperationInfo;
use serde_json::value::RawValue;

use crate::{Error, List, Result, Workspace, document, list};

/// The permissions of the objects of a workspace.
///
/// An object has a type, a plural noun such as `jobs`, `clusters`, `notebooks`, `serving-endpoints` or `sql/warehouses`, and
/// an id. Notebooks and directories go by their object ids, serving endpoints and registered models by their ids, not by
/// their names.
#[derive(Debug, Clone)]
pub struct Permissions {
    workspace: Workspace,
}

impl Workspace {
    /// Permissions of any object.
    pub fn permissions(&self) -> Permissions {
        Permissions { workspace: self.clone() }
    }
}

impl Permissions {
    /// Gets the direct and inherited permissions of an object.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let permissions = workspace.permissions().get("sql/warehouses", "0123456789abcdef").await?;
    /// for entry in permissions.access_control_list.iter().flatten() {
    ///     println!("{:?} {:?} {:?}", entry.user_name, entry.group_name, entry.all_permissions);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown object,
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for an unknown type. Operation: `permissions_get`.
    pub async fn get(
        &self,
        object_type: &str,
        object_id: &str,
    ) -> Result<ResponseValue<types::ObjectPermissions>> {
        self.workspace.client().permissions_get(object_type, object_id).await
    }

    /// Gets the same as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.permissions().get_json("jobs", "1234567890123456").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, object_type: &str, object_id: &str) -> Result<Box<RawValue>> {
        document::object(self.call(&operations::PERMISSIONS_GET, object_type, object_id)).await
    }

    /// Replaces all direct permissions of an object; an empty list removes them. Jobs and pipelines need an owner.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::{AccessControlRequest, PermissionLevel};
    /// let owner = AccessControlRequest {
    ///     user_name: Some("ada@example.com".into()),
    ///     permission_level: Some(PermissionLevel::IsOwner),
    ///     ..Default::default()
    /// };
    /// workspace.permissions().set("jobs", "1234567890123456", &[owner]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for an entry without a level or without exactly one principal,
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a list that the object can't have. Operation:
    /// `permissions_set`.
    pub async fn set(
        &self,
        object_type: &str,
        object_id: &str,
        list: &[types::AccessControlRequest],
    ) -> Result<ResponseValue<types::ObjectPermissions>> {
        check(list)?;
        let body = types::SetObjectPermissions { access_control_list: Some(list.to_vec()) };
        self.workspace.client().permissions_set(object_type, object_id, &body).await
    }

    /// Gives each principal in the list its level. All others keep theirs: nothing is removed.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::{AccessControlRequest, PermissionLevel};
    /// let analysts = AccessControlRequest {
    ///     group_name: Some("analysts".into()),
    ///     permission_level: Some(PermissionLevel::CanUse),
    ///     ..Default::default()
    /// };
    /// workspace.permissions().update("sql/warehouses", "0123456789abcdef", &[analysts]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`set`](Self::set), and [`ErrorKind::Usage`](crate::ErrorKind::Usage) for an empty list. Operation:
    /// `permissions_update`.
    pub async fn update(
        &self,
        object_type: &str,
        object_id: &str,
        list: &[types::AccessControlRequest],
    ) -> Result<ResponseValue<types::ObjectPermissions>> {
        if list.is_empty() {
            return Err(Error::usage("there are no permissions to add or to change")
                .with_hint("use `set` to remove permissions"));
        }
        check(list)?;
        let body = types::UpdateObjectPermissions { access_control_list: Some(list.to_vec()) };
        self.workspace.client().permissions_update(object_type, object_id, &body).await
    }

    /// Lists the levels that permissions of an object may have.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for level in &workspace.permissions().levels("jobs", "1234567890123456").await? {
    ///     println!("{:?} {:?}", level.permission_level, level.description);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get). Operation: `permissions_get_permission_levels`.
    pub async fn levels(
        &self,
        object_type: &str,
        object_id: &str,
    ) -> Result<List<types::PermissionsDescription>> {
        list::decoded(self.levels_json(object_type, object_id).await?, "permission_levels")
    }

    /// Lists the same as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for level in workspace.permissions().levels_json("jobs", "1234567890123456").await? {
    ///     println!("{level}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`levels`](Self::levels).
    pub async fn levels_json(&self, object_type: &str, object_id: &str) -> Result<Vec<Box<RawValue>>> {
        let operation = &operations::PERMISSIONS_GET_PERMISSION_LEVELS;
        list::json(|_| self.call(operation, object_type, object_id), "permission_levels").await
    }

    fn call(&self, operation: &OperationInfo, object_type: &str, object_id: &str) -> Call {
        let call = self.workspace.client().call(operation);
        call.path_with_slashes("request_object_type", &object_type).path("request_object_id", &object_id)
    }
}

/// Refuses an entry that the service would read as another one, or as none.
fn check(list: &[types::AccessControlRequest]) -> Result<()> {
    for entry in list {
        let names = [&entry.user_name, &entry.group_name, &entry.service_principal_name];
        let given: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
        match given[..] {
            [name] if !name.trim().is_empty() => {}
            [] | [_] => return Err(Error::usage("a permission names no user, group or service principal")),
            _ => {
                return Err(Error::usage(format!(
                    "a permission names several principals: {}",
                    given.join(", ")
                )));
            }
        }
        if entry.permission_level.is_none() {
            return Err(Error::usage(format!("the permission for {} has no level", given.join(""))));
        }
    }
    Ok(())
}
