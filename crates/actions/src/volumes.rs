//! Volumes of Unity Catalog, where files are kept next to tables. Their files are [`Files`](crate::Files)' business.

use brickwire_client::{Call, ResponseValue, operations, types};
use serde_json::value::RawValue;

use crate::{Error, ErrorKind, List, Result, Workspace, document, full_name::FullName, list};

/// What messages call one.
const NOUN: &str = "volume";

/// The volumes of a workspace.
#[derive(Debug, Clone)]
pub struct Volumes {
    workspace: Workspace,
}

impl Workspace {
    /// Volumes of Unity Catalog: list, get, create, update, delete.
    pub fn volumes(&self) -> Volumes {
        Volumes { workspace: self.clone() }
    }
}

impl Volumes {
    /// Lists the volumes of a schema that the caller may see, page after page.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for volume in &workspace.volumes().list("main", "default").await? {
    ///     println!("{:?} {:?}", volume.full_name, volume.volume_type);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a catalog or schema that doesn't exist; no volumes is not an error. Operation:
    /// `volumes_list`.
    pub async fn list(&self, catalog: &str, schema: &str) -> Result<List<types::VolumeInfo>> {
        list::all(|page_token| self.page(catalog, schema, page_token), "volumes").await
    }

    /// Lists the volumes of a schema as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for volume in workspace.volumes().list_json("main", "default").await? {
    ///     println!("{volume}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self, catalog: &str, schema: &str) -> Result<Vec<Box<RawValue>>> {
        list::json(|page_token| self.page(catalog, schema, page_token), "volumes").await
    }

    /// Gets one volume by its full name.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.volumes().get("main.default.files").await?.storage_location);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a volume that doesn't exist. Operation: `volumes_get`.
    pub async fn get(&self, full_name: &str) -> Result<ResponseValue<types::VolumeInfo>> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        let answer = self.workspace.client().volumes_get(&name.to_string(), &Default::default()).await?;
        document::about(answer, NOUN, &name.to_string(), |volume| {
            volume.full_name.as_deref().filter(|_| !name.compared("full_name").is_empty())
        })
    }

    /// Gets one volume as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.volumes().get_json("main.default.files").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, full_name: &str) -> Result<Box<RawValue>> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        let call = self.workspace.client().call(&operations::VOLUMES_GET).path("name", &name);
        document::object_about(call, NOUN, name.compared("full_name"), &name.to_string()).await
    }

    /// Creates a volume.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::{CreateVolumeRequestContent, VolumeType};
    /// let volume = CreateVolumeRequestContent {
    ///     catalog_name: "main".into(),
    ///     schema_name: "default".into(),
    ///     name: "raw".into(),
    ///     volume_type: VolumeType::Managed,
    ///     ..Default::default()
    /// };
    /// workspace.volumes().create(&volume).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a managed volume with a storage location and for an external one without,
    /// [`ErrorKind::Rejected`] for a name that is taken, [`ErrorKind::UnknownOutcome`] if the answer is lost. Operation:
    /// `volumes_create`.
    pub async fn create(
        &self,
        volume: &types::CreateVolumeRequestContent,
    ) -> Result<ResponseValue<types::VolumeInfo>> {
        check(volume)?;
        self.workspace.client().volumes_create(volume).await
    }

    /// Changes the name, the owner or the comment of a volume, whichever is given.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::UpdateVolumeRequestContent;
    /// let change = UpdateVolumeRequestContent { comment: Some("as delivered".into()), ..Default::default() };
    /// workspace.volumes().update("main.default.raw", &change).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a volume that doesn't exist, or if an attempt whose answer was lost has renamed it.
    /// Operation: `volumes_update`.
    pub async fn update(
        &self,
        full_name: &str,
        change: &types::UpdateVolumeRequestContent,
    ) -> Result<ResponseValue<types::VolumeInfo>> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        self.workspace.client().volumes_update(&name.to_string(), change).await
    }

    /// Deletes a volume. The files of a managed one are deleted with it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.volumes().delete("main.default.raw").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a volume that doesn't exist, or if an attempt whose answer was lost has deleted it.
    /// Operation: `volumes_delete`.
    pub async fn delete(&self, full_name: &str) -> Result<()> {
        let name = FullName::parse(NOUN, 3, full_name)?;
        self.workspace.client().volumes_delete(&name.to_string()).await.map(drop)
    }

    fn page(&self, catalog: &str, schema: &str, page_token: Option<String>) -> Call {
        // Without a size the service may send all in one answer.
        let query = types::VolumesListQuery { page_token, max_results: Some(0), ..Default::default() };
        let call = self.workspace.client().call(&operations::VOLUMES_LIST);
        call.query("catalog_name", &catalog).query("schema_name", &schema).query_object(&query)
    }
}

fn check(volume: &types::CreateVolumeRequestContent) -> Result<()> {
    let refuse = |text: String| Err(Error::new(ErrorKind::Usage, text));
    for (what, part) in
        [("catalog", &volume.catalog_name), ("schema", &volume.schema_name), ("volume", &volume.name)]
    {
        if part.trim().is_empty() || part.contains(['.', ' ', '/']) {
            return refuse(format!(
                "a {what}'s name is not empty and has no dots, spaces or slashes: {part:?}"
            ));
        }
    }
    match (&volume.volume_type, &volume.storage_location) {
        (types::VolumeType::Managed, Some(location)) => {
            refuse(format!("a managed volume gets its storage location from the service: {location:?}"))
        }
        (types::VolumeType::External, None) => {
            refuse(format!("an external volume needs a storage location: {}", volume.name))
        }
        _ => Ok(()),
    }
}
