//! The content of a workspace object.

use std::{fmt, path::Path};

use bytes::Bytes;

use crate::{Result, local_file::LocalFile};

/// The content of an object as it was exported.
#[derive(Clone, PartialEq, Eq)]
pub struct Exported {
    content: Bytes,
    file_type: Option<String>,
}

impl Exported {
    pub(super) fn new(content: Vec<u8>, file_type: Option<String>) -> Self {
        Self { content: content.into(), file_type }
    }

    /// The bytes.
    pub fn content(&self) -> &Bytes {
        &self.content
    }

    /// The bytes without the rest.
    pub fn into_content(self) -> Bytes {
        self.content
    }

    /// Writes the content to a local file, which gets its name once it is complete. To have the file checked before the
    /// object is requested, use [`export_file`](super::Objects::export_file).
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use std::path::Path;
    /// use brickwire_actions::types::ExportFormat;
    /// let exported = workspace.objects().export("/Shared/report", ExportFormat::Jupyter).await?;
    /// exported.save(Path::new("report.ipynb"), false).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Local`](crate::ErrorKind::Local) for a file that can't be written, and for one that exists unless it may
    /// be overwritten.
    pub async fn save(&self, file: &Path, overwrite: bool) -> Result<()> {
        LocalFile::create(file, overwrite)?.write(&self.content).await
    }

    /// The extension that fits the content, such as `py` or `ipynb`, if the service names one.
    pub fn file_type(&self) -> Option<&str> {
        self.file_type.as_deref()
    }
}

/// Without the content, which may have passwords in it.
impl fmt::Debug for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = format_args!("{} bytes", self.content.len());
        f.debug_struct("Exported").field("content", &size).field("file_type", &self.file_type).finish()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    #[tokio::test]
    async fn a_file_keeps_its_permissions_and_a_device_stays() {
        use std::{
            fs,
            os::unix::fs::{FileTypeExt, PermissionsExt, symlink},
            path::Path,
        };
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&file, &link).unwrap();
        let exported = super::Exported::new(b"new".to_vec(), None);
        assert!(exported.save(&link, false).await.unwrap_err().to_string().starts_with("the file exists: "));
        exported.save(&link, true).await.unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        exported.save(Path::new("/dev/null"), false).await.unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }

    #[test]
    fn the_content_is_not_shown() {
        let exported = super::Exported::new(b"password = 'hush'".to_vec(), Some("py".to_owned()));
        assert_eq!(format!("{exported:?}"), "Exported { content: 17 bytes, file_type: Some(\"py\") }");
    }
}
