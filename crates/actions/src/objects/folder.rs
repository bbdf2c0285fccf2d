//! Whole folders: exported to local files, and imported from them.
//!
//! - Names come from the other side, so each is checked to be one name, and links below the folder are refused: nothing is
//!   written outside of the folder.
//! - Names that differ only in case are one file to some file systems, so they are refused everywhere.
//! - A file appears under its name only when it is complete, and replaces another only if that is allowed.
//! - What stands in the way is found out before anything is written or sent, as far as it can be.

mod local;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use brickwire_client::types::{
    ExportFormat, ImportFormat, WorkspaceLanguage, WorkspaceObjectInfo, WorkspaceObjectType,
};
use futures_util::future::join_all;

use super::{ImportOptions, Objects, import, path};
use crate::{Error, ErrorKind, Result};

/// How many objects are transferred at a time: each is in memory as a whole.
const AT_A_TIME: usize = 4;

/// A workspace object and the local file that it was exported to or imported from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectFile {
    /// The path in the workspace.
    pub path: String,
    /// The local file.
    pub file: PathBuf,
}

/// What became of a folder that was exported or imported.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FolderCopy {
    /// The objects and their files.
    pub files: Vec<ObjectFile>,
    /// Objects or files that were left out: libraries, links, and the like.
    pub skipped: Vec<String>,
}

/// What is to be exported.
#[derive(Default)]
struct Plan {
    files: Vec<(ObjectFile, ExportFormat)>,
    folders: Vec<PathBuf>,
    skipped: Vec<String>,
}

impl Objects {
    /// What the name of a notebook's source ends with: `.py`, `.sql`, `.scala`, or `.r`, and `.txt` in a language that is
    /// not known.
    ///
    /// ```
    /// use brickwire_actions::{Objects, types::WorkspaceLanguage};
    /// assert_eq!(Objects::source_extension(Some(&WorkspaceLanguage::Python)), ".py");
    /// ```
    pub fn source_extension(language: Option<&WorkspaceLanguage>) -> &'static str {
        match language {
            Some(WorkspaceLanguage::Python) => ".py",
            Some(WorkspaceLanguage::Sql) => ".sql",
            Some(WorkspaceLanguage::Scala) => ".scala",
            Some(WorkspaceLanguage::R) => ".r",
            _ => ".txt",
        }
    }

    /// Exports a folder with everything below it into a local folder, which is created if it is missing. A notebook
    /// becomes a source file such as `report.py`. Libraries and other objects without a content are left out.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use std::path::Path;
    /// let copy = workspace.objects().export_folder("/Shared/reports", Path::new("reports"), false).await?;
    /// println!("{} files", copy.files.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a path that is no folder, [`ErrorKind::Local`] for a file that exists and may not be
    /// overwritten, for a link in the local folder that a path leads through, and for objects that would become one file
    /// where case doesn't matter, all before anything is written. Otherwise as for
    /// [`list_recursive`](Self::list_recursive) and [`export`](Self::export); files that are complete by then stay.
    pub async fn export_folder(&self, path: &str, folder: &Path, overwrite: bool) -> Result<FolderCopy> {
        let root = path::checked(path)?;
        let plan = plan(root, folder, &self.list_recursive(root).await?)?;
        let files = plan.files.iter().map(|(one, _)| one.file.as_path());
        local::no_links(folder, files.chain(plan.folders.iter().map(PathBuf::as_path)))?;
        if !overwrite {
            local::none_exists(plan.files.iter().map(|(one, _)| one.file.as_path()))?;
        }
        local::create_folders(folder, &plan.folders)?;
        let mut files = Vec::new();
        for some in plan.files.chunks(AT_A_TIME) {
            let transfers = some.iter().map(|(one, format)| async {
                let exported = self.export_file(&one.path, format.clone(), &one.file, overwrite).await;
                exported.map_err(|error| about(error, "export", &one.path))?;
                Ok::<_, Error>(one.clone())
            });
            for done in join_all(transfers).await {
                files.push(done?);
            }
        }
        Ok(FolderCopy { files, skipped: plan.skipped })
    }

    /// Imports a local folder with everything below it into a folder, which is created if it is missing. A file that the
    /// service recognizes as a notebook becomes one. Links and folders named `.git` are left out.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use std::path::Path;
    /// workspace.objects().import_folder("/Shared/reports", Path::new("reports"), &Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Local`] for what can't be read, and [`ErrorKind::Usage`] for a file of more than 10 MB and for a
    /// format or a language in the options, before anything is sent. Otherwise as for [`import`](Self::import); what is
    /// imported by then stays.
    pub async fn import_folder(
        &self,
        path: &str,
        folder: &Path,
        options: &ImportOptions,
    ) -> Result<FolderCopy> {
        let root = path::checked(path)?;
        if !options.is_format_open() {
            return Err(Error::usage("the files of a folder have a format and a language each"));
        }
        let options = options.clone().with_format(ImportFormat::Auto).with_parents(false);
        let found = local::walk(folder.to_owned()).await?;
        for one in &found.files {
            import::fits(one.size, &one.file.display().to_string())?;
        }
        let join = |name: &str| match name {
            "" => root.to_owned(),
            name => format!("{}/{name}", root.trim_end_matches('/')),
        };
        for name in &found.folders {
            let path = join(name);
            self.mkdirs(&path).await.map_err(|error| about(error, "create", &path))?;
        }
        let mut files = Vec::new();
        for some in found.files.chunks(AT_A_TIME) {
            let transfers = some.iter().map(|one| async {
                let path = join(&one.name);
                let imported = self.import_file(&path, &one.file, &options).await;
                imported.map_err(|error| about(error, "import", &path))?;
                Ok::<_, Error>(ObjectFile { path, file: one.file.clone() })
            });
            for done in join_all(transfers).await {
                files.push(done?);
            }
        }
        Ok(FolderCopy { files, skipped: found.skipped })
    }
}

/// Names the object in an error of one of many.
fn about(error: Error, verb: &str, path: &str) -> Error {
    let text = format!("cannot {verb} {path}: {error}");
    error.with_message(text)
}

/// Which object goes to which file.
fn plan(root: &str, folder: &Path, all: &[WorkspaceObjectInfo]) -> Result<Plan> {
    let (mut plan, mut taken) = (Plan::default(), HashMap::new());
    for object in all {
        let Some(path) = object.path.as_deref() else { continue };
        let Some(name) = path::relative(root, path) else {
            if path::bare(path) == path::bare(root) {
                return Err(Error::usage(format!("this is not a folder: {path}")));
            }
            return Err(Error::unexpected(format!(
                "the list of {root} has an object of another folder: {path}"
            )));
        };
        let file = local::join(folder, name)?;
        let (extension, format) = match &object.object_type {
            Some(WorkspaceObjectType::Directory | WorkspaceObjectType::Repo) => {
                take(&mut taken, &file, true)?;
                plan.folders.push(file);
                continue;
            }
            Some(WorkspaceObjectType::File | WorkspaceObjectType::Dashboard) => ("", ExportFormat::Auto),
            Some(WorkspaceObjectType::Notebook) => {
                (Objects::source_extension(object.language.as_ref()), ExportFormat::Source)
            }
            _ => {
                plan.skipped.push(path.to_owned());
                continue;
            }
        };
        let mut file = file.into_os_string();
        file.push(extension);
        let file = PathBuf::from(file);
        take(&mut taken, &file, false)?;
        plan.files.push((ObjectFile { path: path.to_owned(), file }, format));
    }
    Ok(plan)
}

/// Refuses a second object with the same target, as a file system that ignores case would see it. `taken` says of each
/// target whether it is a folder; folders can be merged.
fn take(taken: &mut HashMap<String, bool>, file: &Path, is_folder: bool) -> Result<()> {
    let before = taken.insert(file.to_string_lossy().to_lowercase(), is_folder);
    if before.is_none_or(|was_folder| was_folder && is_folder) {
        return Ok(());
    }
    let text = format!("two objects would have the same name: {}", file.display());
    Err(Error::new(ErrorKind::Local, text).with_hint("rename one of them, or export one of them alone"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(path: &str, kind: &str, language: Option<&str>) -> WorkspaceObjectInfo {
        WorkspaceObjectInfo {
            path: Some(path.to_owned()),
            object_type: Some(kind.into()),
            language: language.map(Into::into),
            ..Default::default()
        }
    }

    /// As Unix writes a path.
    fn slashes(text: impl ToString) -> String {
        text.to_string().replace('\\', "/")
    }

    fn planned(all: &[WorkspaceObjectInfo]) -> Result<Vec<String>> {
        let plan = plan("/Workspace/Shared/a", Path::new("out"), all)?;
        Ok(plan
            .files
            .iter()
            .map(|(one, format)| format!("{} {format}", slashes(one.file.display())))
            .collect())
    }

    #[test]
    fn each_object_has_a_file_of_its_own_within_the_folder() {
        let all = [
            object("/Shared/a/n", "NOTEBOOK", Some("PYTHON")),
            object("/Shared/a/sub", "DIRECTORY", None),
            object("/Shared/a/sub/50% ü.txt", "FILE", None),
            object("/Shared/a/sub/q", "NOTEBOOK", Some("SQL")),
            object("/Shared/a/lib", "LIBRARY", None),
            object("/Shared/a/new", "SOMETHING_NEW", None),
        ];
        assert_eq!(
            planned(&all).unwrap(),
            ["out/n.py SOURCE", "out/sub/50% ü.txt AUTO", "out/sub/q.sql SOURCE"]
        );
        let plan = plan("/Shared/a", Path::new("out"), &all).unwrap();
        assert_eq!(plan.skipped, ["/Shared/a/lib", "/Shared/a/new"]);
        assert_eq!(plan.folders, [PathBuf::from("out/sub")]);
        for (path, kind) in [
            ("/Shared/a/../../etc/passwd", ErrorKind::UnexpectedResponse),
            ("/Shared/a/.", ErrorKind::UnexpectedResponse),
            ("/Shared/a/x//y", ErrorKind::UnexpectedResponse),
            ("/Shared/a/x\0y", ErrorKind::UnexpectedResponse),
            ("/Shared/b/x", ErrorKind::UnexpectedResponse),
            ("/Shared/a", ErrorKind::Usage),
        ] {
            assert_eq!(planned(&[object(path, "FILE", None)]).unwrap_err().kind(), kind, "{path:?}");
        }
    }

    #[test]
    fn no_two_objects_have_one_target_on_any_file_system() {
        let notebook = || object("/Shared/a/n", "NOTEBOOK", Some("PYTHON"));
        for both in [
            [notebook(), object("/Shared/a/n.py", "FILE", None)],
            [notebook(), object("/Shared/a/N.PY", "FILE", None)],
            [notebook(), object("/Shared/a/n.py", "DIRECTORY", None)],
            [object("/Shared/a/n.py", "DIRECTORY", None), notebook()],
            [object("/Shared/a/\u{c4}.csv", "FILE", None), object("/Shared/a/\u{e4}.csv", "FILE", None)],
        ] {
            let error = planned(&both).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Local, "{error}");
            assert!(slashes(&error).starts_with("two objects would have the same name: out/"), "{error}");
        }
        let folders = [object("/Shared/a/S", "DIRECTORY", None), object("/Shared/a/s", "DIRECTORY", None)];
        planned(&folders).unwrap();
    }
}
