//! Paths of files in the workspace: absolute, and without a way out of where they lead.

use crate::{Error, Result};

/// What may stand before a path.
const SCHEME: &str = "dbfs:";

/// The path of a directory, without the slashes at its end and without `dbfs:` before it.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a path that is not absolute, and for segments that are empty, `.` or
/// `..`: the request would reach something else.
pub(crate) fn directory(path: &str) -> Result<String> {
    let plain = path.strip_prefix(SCHEME).unwrap_or(path);
    let refuse = |what: &str| Err(Error::usage(format!("{what}: {path:?}")));
    let Some(rest) = plain.strip_prefix('/') else {
        return refuse("the path must start with a slash");
    };
    let rest = rest.trim_end_matches('/');
    if rest.contains('\0') {
        return refuse("the path has a NUL");
    }
    if !rest.is_empty() && rest.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return refuse("the path has an empty, `.` or `..` segment");
    }
    Ok(format!("/{rest}"))
}

/// The path of a file, without `dbfs:` before it.
///
/// # Errors
/// As for [`directory`], and for a path that ends with a slash.
pub(crate) fn file(path: &str) -> Result<String> {
    let plain = directory(path)?;
    if path.ends_with('/') {
        return Err(Error::usage(format!("this is the path of a directory, not of a file: {path:?}")));
    }
    Ok(plain)
}

/// The path of an entry of a directory. What the service calls an entry becomes a local path, so it must be one name.
///
/// # Errors
/// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) for anything else.
pub(crate) fn entry(directory: &str, name: Option<&str>, path: Option<&str>) -> Result<String> {
    let last = |path: &str| path.trim_end_matches('/').rsplit('/').next().map(str::to_owned);
    let name = name.map(str::to_owned).or_else(|| path.and_then(last)).unwrap_or_default();
    if matches!(name.as_str(), "" | "." | "..") || name.contains(['/', '\0']) {
        let text = format!("the service returned an invalid file name: {name:?} in {directory}");
        return Err(Error::unexpected(text));
    }
    Ok(format!("{}/{name}", directory.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_absolute_and_lead_where_they_say() {
        assert_eq!(directory("/Volumes/a/b/c/").unwrap(), "/Volumes/a/b/c");
        assert_eq!(file("dbfs:/Volumes/a b/100%/…").unwrap(), "/Volumes/a b/100%/…");
        assert_eq!((directory("/").unwrap(), directory("dbfs:/").unwrap()), ("/".to_owned(), "/".to_owned()));
        for bad in ["", "a", "dbfs:a", "/a//b", "/a/../b", "/a/.", "/..", "/a\0", "//a"] {
            assert_eq!(directory(bad).unwrap_err().kind(), crate::ErrorKind::Usage, "{bad}");
        }
        for bad in ["/", "/a/"] {
            assert!(file(bad).unwrap_err().to_string().contains("of a directory"), "{bad}");
        }
    }

    #[test]
    fn an_entry_is_one_name() {
        assert_eq!(entry("/a", Some("b c"), None).unwrap(), "/a/b c");
        assert_eq!(entry("/", None, Some("/a/b/")).unwrap(), "/b");
        for bad in [None, Some(""), Some(".."), Some("../x"), Some("a/b"), Some("a\0")] {
            let error = entry("/a", bad, None).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::UnexpectedResponse, "{bad:?}");
        }
    }
}
