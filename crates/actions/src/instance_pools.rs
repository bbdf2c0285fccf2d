//! Instance pools: list and get.

use brickwire_client::{Call, ResponseValue, operations, types};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Candidate, List, Named, Result, Workspace, document, list, names::required};

/// The instance pools of a workspace.
#[derive(Debug, Clone)]
pub struct InstancePools {
    workspace: Workspace,
}

impl Workspace {
    /// Instance pools.
    pub fn instance_pools(&self) -> InstancePools {
        InstancePools { workspace: self.clone() }
    }
}

impl Named for InstancePools {
    const NOUN: &'static str = "instance pool";

    /// `MMDD-HHMMSS-`, a word, `-pool-`, and another word.
    fn is_id(text: &str) -> bool {
        let has_date = text.as_bytes().first_chunk::<12>().is_some_and(|date| {
            date.iter()
                .enumerate()
                .all(|(at, b)| if matches!(at, 4 | 11) { *b == b'-' } else { b.is_ascii_digit() })
        });
        has_date && text.split_once("-pool-").is_some_and(|(_, word)| !word.is_empty())
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        let all = list::all::<Reference>(|_| self.all(), "instance_pools").await?.into_iter();
        Ok(all.map(|one| Candidate::new(one.instance_pool_id, one.instance_pool_name, one.state)).collect())
    }
}

/// What a name needs. A list may hold items of which something else can't be decoded.
#[derive(Deserialize)]
struct Reference {
    instance_pool_id: Option<String>,
    instance_pool_name: Option<String>,
    state: Option<types::InstancePoolState>,
}

impl InstancePools {
    /// Lists all instance pools.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for one in &workspace.instance_pools().list().await? {
    ///     println!("{:?} {:?}", one.instance_pool_id, one.instance_pool_name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call. Operation: `instance_pools_list`.
    pub async fn list(&self) -> Result<List<types::InstancePool>> {
        list::all(|_| self.all(), "instance_pools").await
    }

    /// Lists them as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{} instance pools", workspace.instance_pools().list_json().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self) -> Result<Vec<Box<RawValue>>> {
        list::json(|_| self.all(), "instance_pools").await
    }

    /// Gets one instance pool.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.instance_pools().get("0101-120000-brick1-pool-abcd1234").await?.instance_pool_name);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown id. Operation: `instance_pools_get`.
    pub async fn get(&self, instance_pool_id: &str) -> Result<ResponseValue<types::InstancePool>> {
        required(Self::NOUN, instance_pool_id)?;
        let answer = self.workspace.client().instance_pools_get(instance_pool_id).await?;
        document::about(answer, Self::NOUN, instance_pool_id, |one| one.instance_pool_id.as_deref())
    }

    /// Gets one as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.instance_pools().get_json("0101-120000-brick1-pool-abcd1234").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, instance_pool_id: &str) -> Result<Box<RawValue>> {
        required(Self::NOUN, instance_pool_id)?;
        let call = self
            .workspace
            .client()
            .call(&operations::INSTANCE_POOLS_GET)
            .query("instance_pool_id", &instance_pool_id);
        document::object_about(call, Self::NOUN, "instance_pool_id", instance_pool_id).await
    }

    /// Returns the id of the instance pool that has this id or name. An id costs no request.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.instance_pools().find("small").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Named::find`]. Operation: `instance_pools_list`.
    pub async fn find(&self, id_or_name: &str) -> Result<String> {
        Named::find(self, id_or_name).await
    }

    /// One answer holds them all.
    fn all(&self) -> Call {
        self.workspace.client().call(&operations::INSTANCE_POOLS_LIST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_ids_from_names() {
        assert!(InstancePools::is_id("0101-120000-brick1-pool-abcd1234"));
        for name in ["", "small", "E06216CAA000036", "0101-120000-brick1", "0101-120000-x-pool-", "pool-1"] {
            assert!(!InstancePools::is_id(name), "{name}");
        }
    }
}
