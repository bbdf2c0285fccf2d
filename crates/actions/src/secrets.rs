//! Secrets: the scopes that hold them, their values, and who may use them.
//!
//! - A value is bytes, mostly text. It is a [`SecretValue`], which nothing prints, and is checked before it is sent.
//! - Names are checked only when they are made, since a workspace may have older ones.

mod value;

use brickwire_client::{Call, operations, types};
use serde_json::value::RawValue;

pub use self::value::SecretValue;
use crate::{
    Candidate, Error, ErrorKind, List, Named, Result, Workspace, document, list, names::required_name,
};

/// The longest name of a scope or a key, in characters.
const LONGEST_NAME: usize = 128;

/// The secrets of a workspace.
#[derive(Debug, Clone)]
pub struct Secrets {
    workspace: Workspace,
}

impl Workspace {
    /// Secrets: scopes, values, permissions.
    pub fn secrets(&self) -> Secrets {
        Secrets { workspace: self.clone() }
    }
}

/// A scope is its own id.
impl Named for Secrets {
    const NOUN: &'static str = "secret scope";

    fn is_id(text: &str) -> bool {
        !text.trim().is_empty()
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        let scopes = self.list_scopes().await?;
        Ok(scopes.into_iter().map(|scope| Candidate::new(None, scope.name, scope.backend_type)).collect())
    }
}

impl Secrets {
    /// Lists the scopes that the caller may see.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for scope in &workspace.secrets().list_scopes().await? {
    ///     println!("{:?} {:?}", scope.name, scope.backend_type);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call; no scopes is not an error. Operation: `secret_scopes_list`.
    pub async fn list_scopes(&self) -> Result<List<types::SecretScope>> {
        list::decoded(self.list_scopes_json().await?, "scopes")
    }

    /// Lists the scopes as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for scope in workspace.secrets().list_scopes_json().await? {
    ///     println!("{scope}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list_scopes`](Self::list_scopes).
    pub async fn list_scopes_json(&self) -> Result<Vec<Box<RawValue>>> {
        list::json(|_| self.workspace.client().call(&operations::SECRET_SCOPES_LIST), "scopes").await
    }

    /// Creates an empty scope, on which the caller has the permission `MANAGE`.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.secrets().create_scope("etl").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a name that no scope can have, [`ErrorKind::Rejected`] if there is one of this name.
    /// Operation: `secret_scopes_create`.
    pub async fn create_scope(&self, scope: &str) -> Result<()> {
        self.create_scope_with(&types::CreateScope { scope: scope.to_owned(), ..Default::default() }).await
    }

    /// Creates a scope with settings of its own, such as one whose secrets are in an Azure Key Vault.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::CreateScope;
    /// let everyone = Some("users".to_owned());
    /// let scope = CreateScope {
    ///     scope: "shared".to_owned(),
    ///     initial_manage_principal: everyone,
    ///     ..Default::default()
    /// };
    /// workspace.secrets().create_scope_with(&scope).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`create_scope`](Self::create_scope).
    pub async fn create_scope_with(&self, scope: &types::CreateScope) -> Result<()> {
        new_name("secret scope", &scope.scope)?;
        self.workspace.client().secret_scopes_create(scope).await.map(drop)
    }

    /// Deletes a scope for good, with all its secrets and permissions.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.secrets().delete_scope("etl").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown scope, or if an attempt whose answer was lost has deleted it. Operation:
    /// `secret_scopes_delete`.
    pub async fn delete_scope(&self, scope: &str) -> Result<()> {
        required_name("secret scope", scope)?;
        let body = types::DeleteScope { scope: scope.to_owned() };
        self.workspace.client().secret_scopes_delete(&body).await.map(drop)
    }

    /// Lists the keys of a scope, without values.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for secret in &workspace.secrets().list("etl").await? {
    ///     println!("{:?} {:?}", secret.key, secret.last_updated_timestamp);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown scope. Operation: `secrets_list`.
    pub async fn list(&self, scope: &str) -> Result<List<types::SecretMetadata>> {
        list::decoded(self.list_json(scope).await?, "secrets")
    }

    /// Lists the keys of a scope as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for secret in workspace.secrets().list_json("etl").await? {
    ///     println!("{secret}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self, scope: &str) -> Result<Vec<Box<RawValue>>> {
        required_name("secret scope", scope)?;
        list::json(|_| self.of(&operations::SECRETS_LIST, scope), "secrets").await
    }

    /// Stores a value under a key, and replaces the one that was there.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let password = std::env::var("DB_PASSWORD").unwrap_or_default();
    /// workspace.secrets().put("etl", "db-password", password).await?;
    /// workspace.secrets().put("etl", "certificate", std::fs::read("client.p12").unwrap_or_default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a value that is empty or longer than 128 KB and for a key that can't be one,
    /// [`ErrorKind::NotFound`] for an unknown scope. Operation: `secrets_put`.
    pub async fn put(&self, scope: &str, key: &str, value: impl Into<SecretValue>) -> Result<()> {
        required_name("secret scope", scope)?;
        new_name("secret", key)?;
        let body = value.into().body(scope, key)?;
        self.workspace.client().secrets_put(&body).await.map(drop)
    }

    /// Gets the value of a secret.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let password = workspace.secrets().get("etl", "db-password").await?;
    /// let length = password.expose_text()?.chars().count();
    /// println!("{length} characters");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown scope or key; [`ErrorKind::Rejected`] from workspaces that give values only
    /// to code on their clusters. Operation: `secrets_get`.
    pub async fn get(&self, scope: &str, key: &str) -> Result<SecretValue> {
        required_name("secret scope", scope)?;
        required_name("secret", key)?;
        let answer = match self.workspace.client().secrets_get(key, scope).await {
            Err(error) if error.error_code() == Some("BAD_REQUEST") => {
                return Err(error.with_hint("code on a cluster can read it with `dbutils.secrets.get`"));
            }
            answer => answer?,
        };
        document::check_id("secret", key, answer.key.as_deref())?;
        SecretValue::decode(answer.value.as_deref())
    }

    /// Deletes a secret for good.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.secrets().delete("etl", "db-password").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown scope or key, or if an attempt whose answer was lost has deleted it.
    /// Operation: `secrets_delete`.
    pub async fn delete(&self, scope: &str, key: &str) -> Result<()> {
        required_name("secret scope", scope)?;
        required_name("secret", key)?;
        let body = types::DeleteSecret { scope: scope.to_owned(), key: key.to_owned() };
        self.workspace.client().secrets_delete(&body).await.map(drop)
    }

    /// Lists who has which permission on a scope.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for acl in &workspace.secrets().list_acls("etl").await? {
    ///     println!("{:?} {:?}", acl.principal, acl.permission);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown scope, [`ErrorKind::PermissionDenied`] without `MANAGE` on it. Operation:
    /// `secret_acls_list`.
    pub async fn list_acls(&self, scope: &str) -> Result<List<types::AclItem>> {
        list::decoded(self.list_acls_json(scope).await?, "items")
    }

    /// Lists who has which permission on a scope as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for acl in workspace.secrets().list_acls_json("etl").await? {
    ///     println!("{acl}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list_acls`](Self::list_acls).
    pub async fn list_acls_json(&self, scope: &str) -> Result<Vec<Box<RawValue>>> {
        required_name("secret scope", scope)?;
        list::json(|_| self.of(&operations::SECRET_ACLS_LIST, scope), "items").await
    }

    /// Gets the permission that a user, a group, or a service principal was granted on a scope.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.secrets().get_acl("etl", "data-scientists").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown scope or a principal that was granted nothing. Operation: `secret_acls_get`.
    pub async fn get_acl(&self, scope: &str, principal: &str) -> Result<Option<types::AclPermission>> {
        required_name("secret scope", scope)?;
        required_name("principal", principal)?;
        let answer = self.workspace.client().secret_acls_get(principal, scope).await?;
        let answer = document::about(answer, "principal", principal, |acl| acl.principal.as_deref())?;
        Ok(answer.into_inner().permission)
    }

    /// Grants a user, a group, or a service principal a permission on a scope, in place of the one it had.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::AclPermission;
    /// workspace.secrets().put_acl("etl", "data-scientists", AclPermission::Read).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown scope, [`ErrorKind::Rejected`] for an unknown principal,
    /// [`ErrorKind::PermissionDenied`] without `MANAGE` on the scope. Operation: `secret_acls_put`.
    pub async fn put_acl(
        &self,
        scope: &str,
        principal: &str,
        permission: types::AclPermission,
    ) -> Result<()> {
        required_name("secret scope", scope)?;
        required_name("principal", principal)?;
        let body = types::PutAcl { scope: scope.to_owned(), principal: principal.to_owned(), permission };
        self.workspace.client().secret_acls_put(&body).await.map(drop)
    }

    /// Revokes what a user, a group, or a service principal was granted on a scope.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.secrets().delete_acl("etl", "data-scientists").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown scope or a principal that was granted nothing, or if an attempt whose answer
    /// was lost has revoked it. Operation: `secret_acls_delete`.
    pub async fn delete_acl(&self, scope: &str, principal: &str) -> Result<()> {
        required_name("secret scope", scope)?;
        required_name("principal", principal)?;
        let body = types::DeleteAcl { scope: scope.to_owned(), principal: principal.to_owned() };
        self.workspace.client().secret_acls_delete(&body).await.map(drop)
    }

    fn of(&self, operation: &brickwire_client::OperationInfo, scope: &str) -> Call {
        self.workspace.client().call(operation).query("scope", &scope)
    }
}

/// Refuses a name that the service refuses.
fn new_name(what: &str, name: &str) -> Result<()> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_plain) {
        return Err(Error::new(ErrorKind::Usage, format!("not a name for a {what}: {name:?}"))
            .with_hint(format!("use up to {LONGEST_NAME} ASCII letters, digits, and characters of `-_.@`")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_is_checked() {
        for good in ["a", "etl-prod_1.0@x", &"x".repeat(128)] {
            new_name("secret", good).unwrap();
        }
        for wrong in ["", " ", "a b", "a/b", "é", "a\n", &"x".repeat(129)] {
            assert_eq!(new_name("secret", wrong).unwrap_err().kind(), ErrorKind::Usage, "{wrong:?}");
        }
    }
}
