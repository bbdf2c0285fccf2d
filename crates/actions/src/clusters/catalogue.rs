//! What clusters can be made of, and where.

use brickwire_client::{ResponseValue, operations, types};
use serde_json::value::RawValue;

use super::Clusters;
use crate::{List, Result, list};

impl Clusters {
    /// Lists the node types that this workspace can use.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for node_type in &workspace.clusters().list_node_types().await? {
    ///     println!("{:?}", node_type.node_type_id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call. Operation: `clusters_list_node_types`.
    pub async fn list_node_types(&self) -> Result<List<types::NodeType>> {
        list::all(|_| self.workspace.client().call(&operations::CLUSTERS_LIST_NODE_TYPES), "node_types").await
    }

    /// Lists the node types as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{} node types", workspace.clusters().list_node_types_json().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call. Operation: `clusters_list_node_types`.
    pub async fn list_node_types_json(&self) -> Result<Vec<Box<RawValue>>> {
        list::json(|_| self.workspace.client().call(&operations::CLUSTERS_LIST_NODE_TYPES), "node_types")
            .await
    }

    /// Lists the Spark versions that a cluster can be created with.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for version in &workspace.clusters().list_spark_versions().await? {
    ///     println!("{:?}", version.key);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call. Operation: `clusters_spark_versions`.
    pub async fn list_spark_versions(&self) -> Result<List<types::SparkVersion>> {
        list::all(|_| self.workspace.client().call(&operations::CLUSTERS_SPARK_VERSIONS), "versions").await
    }

    /// Lists the Spark versions as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{} versions", workspace.clusters().list_spark_versions_json().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call. Operation: `clusters_spark_versions`.
    pub async fn list_spark_versions_json(&self) -> Result<Vec<Box<RawValue>>> {
        list::json(|_| self.workspace.client().call(&operations::CLUSTERS_SPARK_VERSIONS), "versions").await
    }

    /// Gets the availability zones in which clusters can be made, and the one that counts if a cluster names none. Only
    /// AWS has them.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.clusters().zones().await?.zones);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call. Operation: `clusters_list_zones`.
    pub async fn zones(&self) -> Result<ResponseValue<types::ListAvailableZonesResponse>> {
        self.workspace.client().clusters_list_zones().await
    }
}
