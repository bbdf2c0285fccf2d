//! Imports: which format a content has, and what can be said before it is sent.

use std::path::Path;

use base64::{Engine, prelude::BASE64_STANDARD};
use brickwire_client::ResponseValue;
use brickwire_client::{
    operations,
    types::{EmptyResponse, ImportFormat, ImportWorkspaceObject, WorkspaceLanguage},
};
use tokio::io::AsyncReadExt;

use super::{Objects, path};
use crate::{Error, ErrorKind, Result, notebook};

/// How an object is imported.
///
/// ```
/// use brickwire_actions::{ImportOptions, types::WorkspaceLanguage};
/// let options = ImportOptions::default().with_language(WorkspaceLanguage::Sql).with_overwrite(true);
/// ```
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    format: Option<ImportFormat>,
    language: Option<WorkspaceLanguage>,
    overwrite: bool,
    parents: bool,
}

impl ImportOptions {
    /// The format of the content. By default it follows from the name and the content: what the service recognizes as a
    /// notebook becomes one, all else becomes a file.
    #[must_use]
    pub fn with_format(mut self, format: ImportFormat) -> Self {
        self.format = Some(format);
        self
    }

    /// The language of a notebook whose source is imported. Without a format, the content is such a source.
    #[must_use]
    pub fn with_language(mut self, language: WorkspaceLanguage) -> Self {
        self.language = Some(language);
        self
    }

    /// Whether to replace an object of the same type.
    #[must_use]
    pub fn with_overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Whether to create the folders above the object that are missing.
    #[must_use]
    pub fn with_parents(mut self, parents: bool) -> Self {
        self.parents = parents;
        self
    }

    /// Whether the formats of the objects are left to the service.
    pub(super) fn is_format_open(&self) -> bool {
        self.format.is_none() && self.language.is_none()
    }

    /// The format and the language of a content that is called `name` and becomes the object at `path`.
    fn choose(
        &self,
        name: &str,
        path: &str,
        content: &[u8],
    ) -> Result<(ImportFormat, Option<WorkspaceLanguage>)> {
        let format = match (&self.format, &self.language) {
            (Some(format), _) => format.clone(),
            (None, Some(_)) => ImportFormat::Source,
            (None, None) => recognize(name, path, content),
        };
        let mut language = self.language.clone();
        if format == ImportFormat::Source {
            language = language.or_else(|| language_of(name)).or_else(|| language_of(path));
            // The archive of a folder has a language for each of its notebooks.
            if language.is_none() && !content.starts_with(b"PK\x03\x04") {
                return Err(Error::usage(format!("the language of the notebook is not known: {path}"))
                    .with_hint("set `language`"));
            }
        }
        if format == ImportFormat::Dbc && self.overwrite {
            return Err(Error::usage(format!("an archive cannot overwrite what is there: {path}"))
                .with_hint("delete the folder first, or import the archive to another one"));
        }
        Ok((format, language))
    }
}

/// The format of a content without one. The service goes by the extension in the workspace, which may be missing there.
fn recognize(name: &str, path: &str, content: &[u8]) -> ImportFormat {
    match extension(name).as_str() {
        "dbc" => ImportFormat::Dbc,
        same if same == extension(path) => ImportFormat::Auto,
        "ipynb" => ImportFormat::Jupyter,
        _ if language_of(name).is_some() && notebook::is_source(content) => ImportFormat::Source,
        _ => ImportFormat::Auto,
    }
}

/// The extension in lower case; empty without one.
fn extension(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or_default();
    Path::new(name).extension().map(|text| text.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}

fn language_of(name: &str) -> Option<WorkspaceLanguage> {
    match extension(name).as_str() {
        "py" => Some(WorkspaceLanguage::Python),
        "sql" => Some(WorkspaceLanguage::Sql),
        "scala" => Some(WorkspaceLanguage::Scala),
        "r" => Some(WorkspaceLanguage::R),
        _ => None,
    }
}

/// Refuses content that the service won't take.
pub(super) fn fits(size: u64, name: &str) -> Result<()> {
    if size > Objects::MAX_CONTENT_BYTES {
        return Err(Error::usage(format!(
            "larger than {} MB, the most that can be imported: {name}",
            Objects::MAX_CONTENT_BYTES >> 20
        ))
        .with_hint("keep large files in a volume"));
    }
    Ok(())
}

/// The content of a local file, which may have at most as many bytes as can be imported.
pub(super) async fn read(file: &Path) -> Result<Vec<u8>> {
    let name = file.display().to_string();
    let unreadable = |error: std::io::Error| {
        Error::new(ErrorKind::Local, format!("cannot read the file: {name}: {error}"))
    };
    let mut content = Vec::new();
    let opened = tokio::fs::File::open(file).await.map_err(unreadable)?;
    // A pipe or a device has no size, and may never end.
    opened.take(Objects::MAX_CONTENT_BYTES + 1).read_to_end(&mut content).await.map_err(unreadable)?;
    fits(content.len() as u64, &name)?;
    Ok(content)
}

impl Objects {
    /// The largest content of an object that can be imported or exported, in bytes: 10 MB.
    pub const MAX_CONTENT_BYTES: u64 = 10 << 20;

    /// Imports a notebook or a file.
    ///
    /// The path names the object, and its extension decides what it becomes unless the options say so: `/Shared/report.py`
    /// becomes the notebook `/Shared/report` if the content begins with the line that marks a notebook, and a file
    /// otherwise.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::ImportOptions;
    /// let options = ImportOptions::default().with_overwrite(true).with_parents(true);
    /// workspace.objects().import("/Shared/reports/config.json", b"{}", &options).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for more than 10 MB, a path that isn't absolute, and options that don't go together;
    /// [`ErrorKind::Rejected`] if the object exists and may not be overwritten, or is one of another type;
    /// [`ErrorKind::NotFound`] if its folder doesn't exist; [`ErrorKind::UnknownOutcome`] if the answer is lost and the
    /// object may not be overwritten. Operations: `workspace_import`, and `workspace_mkdirs` for the folders.
    pub async fn import(&self, path: &str, content: &[u8], options: &ImportOptions) -> Result<()> {
        self.import_named(path, path, content, options).await
    }

    /// Imports a local file. If the extension is missing in the path of the object, that of the file counts.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use std::path::Path;
    /// let file = Path::new("notebooks/report.ipynb");
    /// workspace.objects().import_file("/Shared/report", file, &Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`import`](Self::import), and [`ErrorKind::Local`] for a file that can't be read.
    pub async fn import_file(&self, path: &str, file: &Path, options: &ImportOptions) -> Result<()> {
        path::checked(path)?;
        let content = read(file).await?;
        self.import_named(path, &file.to_string_lossy(), &content, options).await
    }

    pub(super) async fn import_named(
        &self,
        path: &str,
        name: &str,
        content: &[u8],
        options: &ImportOptions,
    ) -> Result<()> {
        let path = path::checked(path)?;
        fits(content.len() as u64, name)?;
        let (format, language) = options.choose(name, path, content)?;
        if options.parents
            && let Some(parent) = path::parent(path)
        {
            self.mkdirs(parent).await?;
        }
        let body = ImportWorkspaceObject {
            path: path.to_owned(),
            content: Some(BASE64_STANDARD.encode(content)),
            format: Some(format),
            language,
            overwrite: options.overwrite.then_some(true),
        };
        let call = self.workspace.client().call(&operations::WORKSPACE_IMPORT).json(&body);
        let sent: Result<ResponseValue<EmptyResponse>> = call.with_repeatable(options.overwrite).send().await;
        sent.map(drop).map_err(|error| explain(error, options))
    }
}

/// Says which option an import lacks.
fn explain(error: Error, options: &ImportOptions) -> Error {
    if error.hint().is_some() {
        return error;
    }
    if error.error_code() == Some("RESOURCE_ALREADY_EXISTS") {
        return match options.overwrite {
            false => error.with_hint("set `overwrite` to replace it"),
            true => error.with_hint("an object of another type is there: delete it first"),
        };
    }
    match error.is_not_found() && !options.parents {
        true => error.with_hint("set `parents` to create the folder"),
        false => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_follows_from_names_and_content() {
        const NOTEBOOK: &[u8] = b"# Databricks notebook source\nprint(1)\n";
        let choose = |name: &str, path: &str, content: &[u8]| {
            let (format, language) = ImportOptions::default().choose(name, path, content).unwrap();
            (format.to_string(), language.map(|language| language.to_string()))
        };
        let auto = ("AUTO".to_owned(), None);
        for (name, path, content, expected) in [
            ("a.py", "/a.py", NOTEBOOK, auto.clone()),
            ("a.py", "/a", NOTEBOOK, ("SOURCE".to_owned(), Some("PYTHON".to_owned()))),
            (
                "b/A.SQL",
                "/a",
                b"-- Databricks notebook source\r\n",
                ("SOURCE".to_owned(), Some("SQL".to_owned())),
            ),
            ("a.py", "/a", b"print(1)", auto.clone()),
            ("a.txt", "/a", NOTEBOOK, auto.clone()),
            ("a.ipynb", "/a", b"{}", ("JUPYTER".to_owned(), None)),
            ("a.ipynb", "/a.ipynb", b"{}", auto.clone()),
            ("a.dbc", "/a", b"PK", ("DBC".to_owned(), None)),
            ("/a.dbc", "/a.dbc", b"PK", ("DBC".to_owned(), None)),
            ("/x.y/a", "/x.y/a", b"\0\xff", auto),
        ] {
            assert_eq!(choose(name, path, content), expected, "{name} {path}");
        }
    }

    #[test]
    fn a_source_needs_a_language_and_an_archive_replaces_nothing() {
        let source = ImportOptions::default().with_format(ImportFormat::Source);
        assert_eq!(source.choose("/a", "/a", b"x").unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(source.choose("/a.r", "/a.r", b"x").unwrap().1, Some(WorkspaceLanguage::R));
        assert_eq!(source.choose("/a", "/a", b"PK\x03\x04...").unwrap().1, None);
        let named = ImportOptions::default().with_language(WorkspaceLanguage::Scala);
        let chosen = named.choose("/a.py", "/a.py", b"x").unwrap();
        assert_eq!(chosen, (ImportFormat::Source, Some(WorkspaceLanguage::Scala)));
        let archive = ImportOptions::default().with_overwrite(true);
        assert_eq!(archive.choose("a.dbc", "/a", b"PK").unwrap_err().kind(), ErrorKind::Usage);
    }
}
