//! Where a path of the command line leads.

use std::{convert::Infallible, fmt, path::Path, str::FromStr};

use brickwire_actions::ErrorKind;

/// Letters that make a path a pattern.
const WILD: [char; 3] = ['*', '?', '['];

/// What to do about a path that leads to this machine.
pub(super) const PLACES: &str = "paths in the workspace start with /Volumes/, /Workspace/ or dbfs:/";

/// What holds a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// This machine.
    Local,
    /// A volume of Unity Catalog.
    Volumes,
    Dbfs,
    /// Notebooks and files of the workspace's own folders.
    Workspace,
    /// Standard input or output.
    Standard,
}

/// A path and where it leads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Location {
    pub(super) place: Place,
    /// Without a scheme and without slashes at its end.
    pub(super) path: String,
    /// Whether a slash at its end says that it is a directory.
    pub(super) says_directory: bool,
}

impl Location {
    fn new(place: Place, path: &str) -> Self {
        Self::on(place, path, cfg!(windows))
    }

    fn on(place: Place, path: &str, is_windows: bool) -> Self {
        let is_windows = is_windows && place == Place::Local;
        let ends = |letter: char| letter == '/' || is_windows && letter == '\\';
        let plain = path.trim_end_matches(ends);
        let says_directory = path.ends_with(ends);
        let plain = match plain {
            "" if says_directory => "/".to_owned(),
            // `C:` alone is the current directory of the drive.
            drive if is_windows && says_directory && is_drive(drive) => format!("{drive}/"),
            plain => plain.to_owned(),
        };
        Self { place, path: plain, says_directory }
    }

    pub(super) fn is_local(&self) -> bool {
        self.place == Place::Local
    }

    /// What kind of error it is if there is nothing here.
    pub(super) fn missing(&self) -> ErrorKind {
        if self.is_local() { ErrorKind::Local } else { ErrorKind::NotFound }
    }

    /// Whether it may stand for several paths.
    pub(super) fn is_pattern(&self) -> bool {
        is_pattern(&self.path)
    }

    /// Whether it is a volume or a store, what is above one, or a folder that every workspace has.
    pub(super) fn is_root(&self) -> bool {
        match self.place {
            // `/Volumes/catalog/schema/volume`
            Place::Volumes => self.path.split('/').filter(|part| !part.is_empty()).count() <= 4,
            Place::Workspace => matches!(
                self.path.strip_prefix("/Workspace").unwrap_or_default(),
                "" | "/Users" | "/Shared" | "/Repos"
            ),
            _ => self.path == "/",
        }
    }

    /// The last part of the path; `None` for `/`, `.` and `..`.
    pub(super) fn name(&self) -> Option<&str> {
        match self.place {
            Place::Local => Path::new(&self.path).file_name()?.to_str(),
            _ => self.path.rsplit('/').next().filter(|name| !name.is_empty()),
        }
    }

    /// Something in this directory.
    pub(super) fn join(&self, name: &str) -> Self {
        let path = match self.place {
            Place::Local => Path::new(&self.path).join(name).to_string_lossy().into_owned(),
            _ => format!("{}/{name}", self.path.trim_end_matches('/')),
        };
        Self { place: self.place, path, says_directory: false }
    }
}

/// Whether a text is a drive of Windows, such as `C:`.
pub(super) fn is_drive(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic())
}

/// The path in a `file:` URL. There may be an empty host before an absolute path (`file:///a`), and a slash before a drive
/// of Windows (`file:///C:/a`).
fn of_url(rest: &str, is_windows: bool) -> &str {
    let path = if rest.starts_with("///") { &rest[2..] } else { rest };
    match path.strip_prefix('/') {
        Some(local) if is_windows && local.get(..2).is_some_and(is_drive) => local,
        _ => path,
    }
}

/// Whether a text has letters that stand for others.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(WILD)
}

impl FromStr for Location {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        if text == "-" {
            return Ok(Self { place: Place::Standard, path: "-".to_owned(), says_directory: false });
        }
        if let Some(local) = text.strip_prefix("file:") {
            return Ok(Self::new(Place::Local, of_url(local, cfg!(windows))));
        }
        let within = |path: &str, root: &str| {
            path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let in_volume = |path: &str| within(path, "/Volumes");
        Ok(match text.strip_prefix("dbfs:") {
            Some(path) if in_volume(path) => Self::new(Place::Volumes, path),
            Some(path) => Self::new(Place::Dbfs, path),
            None if in_volume(text) => Self::new(Place::Volumes, text),
            None if within(text, "/Workspace") => Self::new(Place::Workspace, text),
            None => Self::new(Place::Local, text),
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.place == Place::Dbfs { "dbfs:" } else { "" };
        write!(f, "{scheme}{}", self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_where_it_leads() {
        for (text, place, path, says_directory) in [
            ("-", Place::Standard, "-", false),
            ("a.csv", Place::Local, "a.csv", false),
            ("./data/", Place::Local, "./data", true),
            ("/tmp/x", Place::Local, "/tmp/x", false),
            ("/", Place::Local, "/", true),
            ("file:/Volumes/disk/a", Place::Local, "/Volumes/disk/a", false),
            ("file:///Volumes/disk/a", Place::Local, "/Volumes/disk/a", false),
            ("/Volumes/main/default/files/", Place::Volumes, "/Volumes/main/default/files", true),
            (
                "dbfs:/Volumes/main/default/files/a b",
                Place::Volumes,
                "/Volumes/main/default/files/a b",
                false,
            ),
            ("/VolumesOther", Place::Local, "/VolumesOther", false),
            ("/Workspace", Place::Workspace, "/Workspace", false),
            ("/Workspace/Shared/%41 ü/", Place::Workspace, "/Workspace/Shared/%41 ü", true),
            ("/WorkspaceOther", Place::Local, "/WorkspaceOther", false),
            ("file:/Workspace/a", Place::Local, "/Workspace/a", false),
            ("dbfs:/", Place::Dbfs, "/", true),
            ("dbfs:/tmp//", Place::Dbfs, "/tmp", true),
        ] {
            let expected = Location { place, path: path.to_owned(), says_directory };
            assert_eq!(text.parse::<Location>(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn paths_of_windows_keep_their_drive_and_their_server() {
        for (text, path, says_directory) in [
            (r"C:\data\", r"C:\data", true),
            (r"C:\data", r"C:\data", false),
            (r"C:\", "C:/", true),
            ("c:/", "c:/", true),
            ("C:", "C:", false),
            ("C:a", "C:a", false),
            (r"\\server\share\", r"\\server\share", true),
            (r"\", "/", true),
            (r".\a\/", r".\a", true),
        ] {
            let expected = Location { place: Place::Local, path: path.to_owned(), says_directory };
            assert_eq!(Location::on(Place::Local, text, true), expected, "{text}");
        }
        // Elsewhere, and in the workspace, a backslash is a part of a name.
        assert_eq!(Location::on(Place::Local, r"a\", false).path, r"a\");
        assert_eq!(Location::on(Place::Volumes, r"/Volumes/a/b/c/d\", true).path, r"/Volumes/a/b/c/d\");
        for (rest, path) in [
            ("///C:/a", "C:/a"),
            ("/C:/a", "C:/a"),
            (r"C:\a", r"C:\a"),
            ("//server/share/a", "//server/share/a"),
            ("///Volumes/a", "/Volumes/a"),
        ] {
            assert_eq!(of_url(rest, true), path, "{rest}");
        }
        assert_eq!(of_url("///C:/a", false), "/C:/a");
        let drive: Location = r"C:\Volumes\main".parse().unwrap();
        assert_eq!(drive.place, Place::Local);
    }

    #[test]
    fn names_are_joined_and_a_root_is_none() {
        let at = |text: &str| text.parse::<Location>().unwrap();
        assert_eq!(at("dbfs:/").join("a").to_string(), "dbfs:/a");
        assert_eq!(at("/Volumes/a/b/c/").join("d e").to_string(), "/Volumes/a/b/c/d e");
        assert_eq!(at("").join("a").to_string(), "a");
        assert_eq!((at("data/x").name(), at("..").name(), at("dbfs:/").name()), (Some("x"), None, None));
        for root in ["/Volumes", "/Volumes/a/b/c", "dbfs:/", "/Workspace/", "/Workspace/Users/"] {
            assert!(at(root).is_root(), "{root}");
        }
        for other in ["/Volumes/a/b/c/d", "dbfs:/a", "/Workspace/Shared/a"] {
            assert!(!at(other).is_root(), "{other}");
        }
    }
}
