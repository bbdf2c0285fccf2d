//! Workspace objects: notebooks, files, and folders.
//!
//! - A path is absolute and reaches the service as it is, whatever characters it has. `/Workspace` in front of a path
//!   makes no difference to the service.
//! - An import that may replace an object is sent again when its answer is lost. One that may not is sent once: the
//!   second one would fail because the first has succeeded.
//! - The content of an object has at most 10 MB, both ways. Larger content is refused before it is sent.

mod content;
mod folder;
mod import;
mod path;
mod tree;

use std::path::Path;

use brickwire_client::{Call, ResponseValue, operations, types};
use serde_json::value::RawValue;

use self::path::checked;
pub use self::{
    content::Exported,
    folder::{FolderCopy, ObjectFile},
    import::ImportOptions,
};
use crate::{Error, List, Result, Workspace, document, encoding::from_base64, list, local_file::LocalFile};

/// The notebooks, files, and folders of a workspace.
#[derive(Debug, Clone)]
pub struct Objects {
    workspace: Workspace,
}

impl Workspace {
    /// Workspace objects: notebooks, files, folders.
    pub fn objects(&self) -> Objects {
        Objects { workspace: self.clone() }
    }
}

impl Objects {
    /// Lists the objects directly in a folder. The path of an object that isn't a folder lists that object.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for object in &workspace.objects().list("/Shared").await? {
    ///     println!("{:?} {:?}", object.object_type, object.path);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for a path that doesn't exist,
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for one that isn't absolute. An empty folder is not an error.
    /// Operation: `workspace_list`.
    pub async fn list(&self, path: &str) -> Result<List<types::WorkspaceObjectInfo>> {
        list::decoded(self.list_json(path).await?, "objects")
    }

    /// Lists the objects directly in a folder as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for object in workspace.objects().list_json("/Shared").await? {
    ///     println!("{object}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self, path: &str) -> Result<Vec<Box<RawValue>>> {
        let path = checked(path)?;
        list::json(|_| self.call_about(&operations::WORKSPACE_LIST, path), "objects").await
    }

    /// Gets what an object is, without its content.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.objects().get("/Shared/report").await?.object_id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list). Operation: `workspace_get_status`.
    pub async fn get(&self, path: &str) -> Result<ResponseValue<types::WorkspaceObjectInfo>> {
        self.workspace.client().workspace_get_status(checked(path)?).await
    }

    /// Gets what an object is as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.objects().get_json("/Shared/report").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, path: &str) -> Result<Box<RawValue>> {
        document::object(self.call_about(&operations::WORKSPACE_GET_STATUS, checked(path)?)).await
    }

    /// Creates a folder and those above it that are missing. A folder that exists is left as it is.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.objects().mkdirs("/Shared/reports/2026").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) if an object that isn't a folder is in the way. Operation:
    /// `workspace_mkdirs`.
    pub async fn mkdirs(&self, path: &str) -> Result<()> {
        let body = types::MakeWorkspaceDirectory { path: checked(path)?.to_owned() };
        self.workspace.client().workspace_mkdirs(&body).await.map(drop)
    }

    /// Deletes an object for good. A folder must be empty.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.objects().delete("/Shared/report").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for a path that doesn't exist, or if an attempt whose answer was
    /// lost has deleted it; [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a folder that isn't empty;
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a folder that every workspace has. Operation: `workspace_delete`.
    pub async fn delete(&self, path: &str) -> Result<()> {
        self.delete_with(path, false).await
    }

    /// Deletes a folder for good, with everything in it. If it fails, a part may have been deleted.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.objects().delete_recursive("/Shared/reports").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`delete`](Self::delete), but that the folder may be full.
    pub async fn delete_recursive(&self, path: &str) -> Result<()> {
        self.delete_with(path, true).await
    }

    /// Exports an object: a notebook as its source or in another format, a file as it is, a folder as an archive.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::ExportFormat;
    /// let exported = workspace.objects().export("/Shared/report", ExportFormat::Auto).await?;
    /// println!("{}", String::from_utf8_lossy(exported.content()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for a path that doesn't exist,
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for an object of more than 10 MB or a format that doesn't fit.
    /// Operation: `workspace_export`.
    pub async fn export(&self, path: &str, format: types::ExportFormat) -> Result<Exported> {
        let query = types::WorkspaceExportQuery { format: Some(format) };
        let answer = self.workspace.client().workspace_export(checked(path)?, &query).await?;
        let content = answer.content.as_deref().unwrap_or_default();
        let content = from_base64(content).ok_or_else(|| {
            let error = Error::unexpected("the content of the object is not base64");
            error.with_details(|d| d.status = Some(answer.status().as_u16()))
        })?;
        Ok(Exported::new(content, answer.file_type.clone()))
    }

    /// Exports an object to a local file, which appears when it is complete, and returns how many bytes that were.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use std::path::Path;
    /// use brickwire_actions::types::ExportFormat;
    /// let file = Path::new("report.py");
    /// workspace.objects().export_file("/Shared/report", ExportFormat::Source, file, false).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`export`](Self::export), and [`ErrorKind::Local`](crate::ErrorKind::Local) before anything is sent if the
    /// file exists and `overwrite` is false, or can't be written.
    pub async fn export_file(
        &self,
        path: &str,
        format: types::ExportFormat,
        file: &Path,
        overwrite: bool,
    ) -> Result<u64> {
        path::checked(path)?;
        let open = LocalFile::create(file, overwrite)?;
        let exported = self.export(path, format).await?;
        folder::local::fill(open, file, exported.content()).await?;
        Ok(exported.content().len() as u64)
    }

    async fn delete_with(&self, path: &str, recursive: bool) -> Result<()> {
        let body = types::DeleteWorkspaceObject {
            path: path::deletable(path)?.to_owned(),
            recursive: recursive.then_some(true),
        };
        match self.workspace.client().workspace_delete(&body).await {
            Err(error) if error.error_code() == Some("DIRECTORY_NOT_EMPTY") => {
                Err(error.with_hint("set `recursive` to delete everything in it"))
            }
            done => done.map(drop),
        }
    }

    /// A call of an operation that is about the object at a path.
    fn call_about(&self, operation: &brickwire_client::OperationInfo, path: &str) -> Call {
        self.workspace.client().call(operation).query("path", &path)
    }
}
