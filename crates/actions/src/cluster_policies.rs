//! Cluster policies: list and get.

use brickwire_client::{Call, ResponseValue, operations, types};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Candidate, List, Named, Result, Workspace, document, list, names::required};

/// The cluster policies of a workspace.
#[derive(Debug, Clone)]
pub struct ClusterPolicies {
    workspace: Workspace,
}

impl Workspace {
    /// Cluster policies.
    pub fn cluster_policies(&self) -> ClusterPolicies {
        ClusterPolicies { workspace: self.clone() }
    }
}

impl Named for ClusterPolicies {
    const NOUN: &'static str = "cluster policy";

    /// Sixteen hexadecimal digits.
    fn is_id(text: &str) -> bool {
        text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit())
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        let all = list::all::<Reference>(|_| self.all(), "policies").await?.into_iter();
        Ok(all.map(|one| Candidate::new(one.policy_id, one.name, None::<&str>)).collect())
    }
}

/// What a name needs. A list may hold items of which something else can't be decoded.
#[derive(Deserialize)]
struct Reference {
    policy_id: Option<String>,
    name: Option<String>,
}

impl ClusterPolicies {
    /// Lists all cluster policies that the caller may use.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for one in &workspace.cluster_policies().list().await? {
    ///     println!("{:?} {:?}", one.policy_id, one.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call. Operation: `cluster_policies_list`.
    pub async fn list(&self) -> Result<List<types::ClusterPolicy>> {
        list::all(|_| self.all(), "policies").await
    }

    /// Lists them as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{} cluster policies", workspace.cluster_policies().list_json().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self) -> Result<Vec<Box<RawValue>>> {
        list::json(|_| self.all(), "policies").await
    }

    /// Gets one cluster policy.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.cluster_policies().get("E06216CAA0000360").await?.name);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id. Operation: `cluster_policies_get`.
    pub async fn get(&self, policy_id: &str) -> Result<ResponseValue<types::ClusterPolicy>> {
        required(Self::NOUN, policy_id)?;
        let answer = self.workspace.client().cluster_policies_get(policy_id).await?;
        document::about(answer, Self::NOUN, policy_id, |one| one.policy_id.as_deref())
    }

    /// Gets one as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.cluster_policies().get_json("E06216CAA0000360").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, policy_id: &str) -> Result<Box<RawValue>> {
        required(Self::NOUN, policy_id)?;
        let call =
            self.workspace.client().call(&operations::CLUSTER_POLICIES_GET).query("policy_id", &policy_id);
        document::object_about(call, Self::NOUN, "policy_id", policy_id).await
    }

    /// Returns the id of the cluster policy that has this id or name. An id costs no request.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.cluster_policies().find("small").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Named::find`]. Operation: `cluster_policies_list`.
    pub async fn find(&self, id_or_name: &str) -> Result<String> {
        Named::find(self, id_or_name).await
    }

    /// One answer holds them all.
    fn all(&self) -> Call {
        self.workspace.client().call(&operations::CLUSTER_POLICIES_LIST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_ids_from_names() {
        assert!(ClusterPolicies::is_id("E06216CAA0000360"));
        for name in ["", "small", "E06216CAA000036", "0101-120000-brick1", "0101-120000-x-pool-", "pool-1"] {
            assert!(!ClusterPolicies::is_id(name), "{name}");
        }
    }
}
