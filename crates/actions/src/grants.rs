//! Grants: who may do what with an object of Unity Catalog.

mod securable;

use brickwire_client::{Call, OperationInfo, ResponseValue, operations, types};
use serde_json::value::RawValue;

pub use self::securable::Securable;
use crate::{Error, List, Result, Workspace, list};

/// The field of a page with its items.
const ASSIGNMENTS: &str = "privilege_assignments";

/// The privileges in a workspace.
#[derive(Debug, Clone)]
pub struct Grants {
    workspace: Workspace,
}

impl Workspace {
    /// Privileges on objects of Unity Catalog.
    pub fn grants(&self) -> Grants {
        Grants { workspace: self.clone() }
    }
}

impl Grants {
    /// Gets the privileges that are granted on an object itself, of all principals or of one.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::Securable;
    /// let schema = Securable::parse("schema", "main.default")?;
    /// for assignment in &workspace.grants().get(&schema, None).await? {
    ///     println!("{:?} {:?}", assignment.principal, assignment.privileges);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown object; no privileges is not an error. Operation:
    /// `grants_get`.
    pub async fn get(
        &self,
        securable: &Securable,
        principal: Option<&str>,
    ) -> Result<List<types::PrivilegeAssignment>> {
        list::decoded(self.get_json(securable, principal).await?, ASSIGNMENTS)
    }

    /// Gets the privileges granted on an object as JSON, each assignment as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::Securable;
    /// let table = Securable::parse("table", "main.default.sales")?;
    /// for assignment in workspace.grants().get_json(&table, Some("ada@example.com")).await? {
    ///     println!("{assignment}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(
        &self,
        securable: &Securable,
        principal: Option<&str>,
    ) -> Result<Vec<Box<RawValue>>> {
        self.all(&operations::GRANTS_GET, securable, principal).await
    }

    /// Gets the privileges that hold for an object, including those that it inherits from its schema, its catalog or the
    /// metastore.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::Securable;
    /// let table = Securable::parse("table", "main.default.sales")?;
    /// for assignment in &workspace.grants().get_effective(&table, None).await? {
    ///     for privilege in assignment.privileges.iter().flatten() {
    ///         println!("{:?} from {:?}", privilege.privilege, privilege.inherited_from_name);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get). Operation: `grants_get_effective`.
    pub async fn get_effective(
        &self,
        securable: &Securable,
        principal: Option<&str>,
    ) -> Result<List<types::EffectivePrivilegeAssignment>> {
        list::decoded(self.get_effective_json(securable, principal).await?, ASSIGNMENTS)
    }

    /// Gets the privileges that hold for an object as JSON, each assignment as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::Securable;
    /// let table = Securable::parse("table", "main.default.sales")?;
    /// for assignment in workspace.grants().get_effective_json(&table, None).await? {
    ///     println!("{assignment}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get_effective`](Self::get_effective).
    pub async fn get_effective_json(
        &self,
        securable: &Securable,
        principal: Option<&str>,
    ) -> Result<Vec<Box<RawValue>>> {
        self.all(&operations::GRANTS_GET_EFFECTIVE, securable, principal).await
    }

    /// Adds and removes privileges, and returns those that are granted on the object afterwards. To add what is there, or to
    /// remove what isn't, is no error.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::{Securable, types::{PermissionsChange, Privilege}};
    /// let change = PermissionsChange {
    ///     principal: Some("ada@example.com".to_owned()),
    ///     add: Some(vec![Privilege::Select]),
    ///     remove: Some(vec![Privilege::Modify]),
    /// };
    /// let table = Securable::parse("table", "main.default.sales")?;
    /// workspace.grants().update(&table, &[change]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a change without a principal or a privilege, and for a privilege
    /// that is both added and removed; [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown object or
    /// principal. Operation: `grants_update`.
    pub async fn update(
        &self,
        securable: &Securable,
        changes: &[types::PermissionsChange],
    ) -> Result<ResponseValue<types::UpdatePermissionsResponse>> {
        if changes.is_empty() {
            return Err(Error::usage("no privileges to add or remove"));
        }
        changes.iter().try_for_each(check)?;
        let body = types::UpdatePermissions { changes: Some(changes.to_vec()), ..Default::default() };
        self.workspace.client().grants_update(securable.kind(), &securable.full_name(), &body).await
    }

    async fn all(
        &self,
        operation: &'static OperationInfo,
        securable: &Securable,
        principal: Option<&str>,
    ) -> Result<Vec<Box<RawValue>>> {
        if principal.is_some_and(|principal| principal.trim().is_empty()) {
            return Err(Error::usage("the principal is empty"));
        }
        let page = |page_token: Option<String>| -> Call {
            // The two operations take the same parameters.
            let principal = principal.map(str::to_owned);
            let query = types::GrantsGetQuery { page_token, principal, max_results: Some(0) };
            let call = self.workspace.client().call(operation);
            call.path("securable_type", &securable.kind())
                .path("full_name", &securable.full_name())
                .query_object(&query)
        };
        list::json(page, ASSIGNMENTS).await
    }
}

/// Refuses a change that can't be meant.
fn check(change: &types::PermissionsChange) -> Result<()> {
    let principal = change.principal.as_deref().unwrap_or_default();
    if principal.trim().is_empty() {
        return Err(Error::usage("a change of privileges has no principal")
            .with_hint("give a user's e-mail address, a group, or an application id"));
    }
    let add = change.add.as_deref().unwrap_or_default();
    let remove = change.remove.as_deref().unwrap_or_default();
    if add.is_empty() && remove.is_empty() {
        return Err(Error::usage(format!("no privileges to add or remove for {principal}")));
    }
    for privilege in add.iter().chain(remove) {
        if privilege.as_str().is_empty() {
            return Err(Error::usage(format!("a privilege for {principal} is empty")));
        }
    }
    match add.iter().find(|privilege| remove.contains(privilege)) {
        Some(both) => {
            Err(Error::usage(format!("the same privilege is both added and removed for {principal}: {both}"))
                .with_hint("add it or remove it, or make two calls"))
        }
        None => Ok(()),
    }
}
