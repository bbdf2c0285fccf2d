//! Users: who the credential belongs to.

use brickwire_client::{ResponseValue, operations, types};
use serde_json::value::RawValue;

use crate::{Result, Workspace, document};

/// The users of a workspace.
#[derive(Debug, Clone)]
pub struct Users {
    workspace: Workspace,
}

impl Workspace {
    /// Users: the one that the credential belongs to.
    pub fn users(&self) -> Users {
        Users { workspace: self.clone() }
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
}
