//! The content of a workspace object.

use std::{fmt, path::Path};

use bytes::Bytes;

use super::folder::local;
use crate::Result;

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

    /// Writes the content to a local file, which appears when it is complete.
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
        local::write(file, &self.content, overwrite).await
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
    #[test]
    fn the_content_is_not_shown() {
        let exported = super::Exported::new(b"password = 'hush'".to_vec(), Some("py".to_owned()));
        assert_eq!(format!("{exported:?}"), "Exported { content: 17 bytes, file_type: Some(\"py\") }");
    }
}
