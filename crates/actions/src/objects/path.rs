//! Paths of workspace objects: checked before they are sent, and never changed.

use crate::{Error, Result};

/// Folders that every workspace has.
const KEPT: [&str; 4] = ["", "/Users", "/Shared", "/Repos"];

/// The path without slashes at its end.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a path that isn't absolute or leads elsewhere.
pub(super) fn checked(path: &str) -> Result<&str> {
    if !path.starts_with('/') {
        return Err(Error::usage(format!("the workspace path is not absolute: {path:?}")).with_hint(
            "begin it with a slash, for example /Shared/report or /Users/ada@example.com/report",
        ));
    }
    if path.split('/').any(|name| matches!(name, "." | "..")) {
        return Err(Error::usage(format!("the workspace path contains `.` or `..`: {path:?}")));
    }
    if path.contains('\0') {
        return Err(Error::usage(format!("the workspace path contains a NUL character: {path:?}")));
    }
    Ok(match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    })
}

/// As [`checked`], for an object that is to be deleted.
pub(super) fn deletable(path: &str) -> Result<&str> {
    let path = checked(path)?;
    let collapsed: String =
        bare(path).split('/').filter(|name| !name.is_empty()).map(|n| format!("/{n}")).collect();
    if KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(bare(&collapsed))) {
        return Err(Error::usage(format!(
            "this folder is part of every workspace and cannot be deleted: {path}"
        )));
    }
    Ok(path)
}

/// The path without `/Workspace` in front, which names the same object.
pub(crate) fn bare(path: &str) -> &str {
    match path.strip_prefix("/Workspace") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ if path == "/" => "",
        _ => path,
    }
}

/// The path of an object relative to a folder that it is in, or nothing if it isn't.
pub(super) fn relative<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    let rest = bare(path).strip_prefix(bare(folder))?.strip_prefix('/')?;
    (!rest.is_empty()).then_some(rest)
}

/// The folder that an object is in.
pub(super) fn parent(path: &str) -> Option<&str> {
    let (parent, _) = path.trim_end_matches('/').rsplit_once('/')?;
    (!parent.is_empty()).then_some(parent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_path_is_absolute_and_stays_as_it_is() {
        for (path, sent) in [
            ("/", "/"),
            ("//", "/"),
            ("/Shared/", "/Shared"),
            ("/Users/ada@example.com/50%41 Übersicht?#&+", "/Users/ada@example.com/50%41 Übersicht?#&+"),
            ("/a/...", "/a/..."),
            ("/a//b", "/a//b"),
        ] {
            assert_eq!(checked(path).unwrap(), sent);
        }
        for wrong in ["", " ", "Shared", "~/x", "/a/../b", "/..", "/a/.", "/a/\0b"] {
            assert_eq!(checked(wrong).unwrap_err().kind(), ErrorKind::Usage, "{wrong:?}");
        }
    }

    #[test]
    fn the_folders_of_every_workspace_stay() {
        for kept in
            ["/", "//", "/Workspace", "/Workspace/", "/Users", "/Workspace//Shared/", "/users", "/Repos"]
        {
            assert_eq!(deletable(kept).unwrap_err().kind(), ErrorKind::Usage, "{kept:?}");
        }
        for path in ["/Shared/x", "/Users/ada@example.com/x", "/WorkspaceOfMine", "/Workspace/x"] {
            assert_eq!(deletable(path).unwrap(), path);
        }
    }

    #[test]
    fn an_object_is_below_its_folder_by_either_name() {
        for (folder, path, expected) in [
            ("/Shared", "/Shared/a/b", Some("a/b")),
            ("/Workspace/Shared", "/Shared/a", Some("a")),
            ("/Shared", "/Workspace/Shared/a", Some("a")),
            ("/", "/Shared", Some("Shared")),
            ("/Workspace", "/Workspace/Shared", Some("Shared")),
            ("/Shared", "/Shared", None),
            ("/Shared", "/Shared/", None),
            ("/Shared", "/SharedElse/a", None),
            ("/Shared", "/Users/a", None),
        ] {
            assert_eq!(relative(folder, path), expected, "{folder} {path}");
        }
        assert_eq!((parent("/a/b/"), parent("/a"), parent("/")), (Some("/a"), None, None));
    }
}
