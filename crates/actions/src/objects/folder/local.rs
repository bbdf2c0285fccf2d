//! The local side of a folder: reading, and writing without surprises.

use std::{
    collections::HashSet,
    fs, io,
    path::{Component, Path, PathBuf},
};

use crate::{Error, ErrorKind, Result, local_file, local_name::is_possible};

/// A local file that is to be imported.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Its path relative to the folder, with slashes.
    pub(super) name: String,
    pub(super) file: PathBuf,
    /// In bytes.
    pub(super) size: u64,
}

/// What a folder contains.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) files: Vec<Found>,
    /// Relative to the folder, which is the empty name; those that contain another one are left out.
    pub(super) folders: Vec<String>,
    pub(super) skipped: Vec<String>,
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::new(ErrorKind::Local, format!("cannot {what}: {}: {error}", path.display()))
}

/// The local path for a name with slashes, each part of which must be a plain name.
pub(super) fn join(folder: &Path, name: &str) -> Result<PathBuf> {
    let mut joined = folder.to_owned();
    for part in name.split('/') {
        let mut components = Path::new(part).components();
        let plain = matches!((components.next(), components.next()), (Some(Component::Normal(one)), None) if one == part);
        if !plain || part.contains('\0') || !is_possible(part, cfg!(windows)) {
            return Err(Error::unexpected(format!("this cannot be the name of a local file: {part:?}")));
        }
        joined.push(part);
    }
    Ok(joined)
}

/// Refuses files that exist, links that lead nowhere among them.
pub(super) fn none_exists<'a>(mut files: impl Iterator<Item = &'a Path>) -> Result<()> {
    match files.find(|file| fs::symlink_metadata(file).is_ok()) {
        Some(file) => Err(local_file::exists(file)),
        None => Ok(()),
    }
}

/// Refuses paths that lead through a link below the folder, or end at one: it may lead out of the folder. The folder
/// itself may be a link.
pub(super) fn no_links<'a>(folder: &Path, paths: impl Iterator<Item = &'a Path>) -> Result<()> {
    let mut checked = HashSet::new();
    for path in paths {
        let below = path.ancestors().take_while(|one| *one != folder && one.starts_with(folder));
        for one in below {
            if !checked.insert(one) {
                break;
            }
            if fs::symlink_metadata(one).is_ok_and(|known| known.is_symlink()) {
                let text = format!("this is a link, which may lead out of the folder: {}", one.display());
                return Err(Error::new(ErrorKind::Local, text).with_hint("remove it, or export elsewhere"));
            }
        }
    }
    Ok(())
}

pub(super) fn create_folders(folder: &Path, more: &[PathBuf]) -> Result<()> {
    for folder in [folder].into_iter().chain(more.iter().map(PathBuf::as_path)) {
        fs::create_dir_all(folder).map_err(|error| failed("create the folder", folder, &error))?;
    }
    Ok(())
}

/// Finds the files of a folder and of those below it, in the order of their names. Links are not followed.
pub(super) async fn walk(folder: PathBuf) -> Result<Tree> {
    let walking = tokio::task::spawn_blocking(move || {
        let mut tree = Tree::default();
        enter(&folder, "", &mut tree)?;
        Ok(tree)
    });
    walking.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Local, "reading a folder has failed")))
}

fn enter(folder: &Path, name: &str, tree: &mut Tree) -> Result<()> {
    let unreadable = |error: io::Error| failed("read the folder", folder, &error);
    let entries = fs::read_dir(folder).map_err(unreadable)?.collect::<io::Result<Vec<_>>>();
    let mut entries = entries.map_err(unreadable)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut has_folders = false;
    for entry in entries {
        let (file, own) = (entry.path(), entry.file_name());
        let Some(own) = own.to_str() else {
            let text = format!("the name of the file is not UTF-8: {}", file.display());
            return Err(Error::new(ErrorKind::Local, text).with_hint("rename it"));
        };
        let name = if name.is_empty() { own.to_owned() } else { format!("{name}/{own}") };
        // Of a link itself, not of what it leads to.
        let known = entry.metadata().map_err(|error| failed("read the file", &file, &error))?;
        if known.is_dir() && own != ".git" {
            has_folders = true;
            enter(&file, &name, tree)?;
        } else if known.is_file() {
            tree.files.push(Found { name, file, size: known.len() });
        } else {
            tree.skipped.push(file.display().to_string());
        }
    }
    if !has_folders {
        tree.folders.push(name.to_owned());
    }
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_is_walked_in_order_and_links_are_left_out() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["b/c", ".git", "empty"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for file in ["b/c/2.txt", "a.py", ".git/config", "b/1"] {
            fs::write(root.path().join(file), "12").unwrap();
        }
        std::os::unix::fs::symlink("/etc", root.path().join("link")).unwrap();
        let tree = walk(root.path().to_owned()).await.unwrap();
        let names: Vec<_> = tree.files.iter().map(|one| (one.name.as_str(), one.size)).collect();
        assert_eq!(names, [("a.py", 2), ("b/1", 2), ("b/c/2.txt", 2)]);
        assert_eq!(tree.folders, ["b/c", "empty"]);
        assert_eq!(tree.skipped, [".git", "link"].map(|name| root.path().join(name).display().to_string()));
        assert_eq!(walk(root.path().join("none")).await.unwrap_err().kind(), ErrorKind::Local);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_in_the_way() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", root.path().join("link")).unwrap();
        assert!(none_exists([root.path().join("link").as_path()].into_iter()).is_err());
        assert!(none_exists([root.path().join("b").as_path()].into_iter()).is_ok());
    }

    #[test]
    fn no_link_below_the_folder_is_followed() {
        let root = tempfile::tempdir().unwrap();
        let (real, folder) = (root.path().join("real"), root.path().join("out"));
        fs::create_dir_all(real.join("plain")).unwrap();
        std::os::unix::fs::symlink(&real, &folder).unwrap();
        std::os::unix::fs::symlink("/nowhere", folder.join("sub")).unwrap();
        let check = |name: &str| no_links(&folder, [folder.join(name).as_path()].into_iter());
        check("plain/a/b").unwrap();
        for name in ["sub", "sub/a", "sub/a/b"] {
            let error = check(name).unwrap_err();
            assert!(error.kind() == ErrorKind::Local && error.to_string().ends_with("sub"), "{error}");
        }
    }
}
