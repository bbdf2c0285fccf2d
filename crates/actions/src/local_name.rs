//! How a file of this machine may be called, and how it gets a name that another one has, where systems differ.

use std::{io, path::Path, thread, time::Duration};

use tempfile::TempPath;

/// How often it is tried to replace a file that another program has open.
const ATTEMPTS: usize = 10;
/// The time between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// What Windows answers if another program has the file open (`ERROR_SHARING_VIOLATION`).
const SHARING_VIOLATION: i32 = 32;

/// Gives a new file its name, and replaces the file that has it. On Windows this fails while another program has the old
/// file open, which readers and virus scanners do for a moment, so it is tried for a fifth of a second.
pub(crate) fn replace(mut new: TempPath, path: &Path) -> io::Result<()> {
    let mut left = if cfg!(windows) { ATTEMPTS } else { 1 };
    loop {
        let failed = match new.persist(path) {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        left -= 1;
        if left == 0 || !is_open_elsewhere(&failed.error) {
            return Err(failed.error);
        }
        new = failed.path;
        thread::sleep(PAUSE);
    }
}

fn is_open_elsewhere(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied || error.raw_os_error() == Some(SHARING_VIOLATION)
}

/// Whether a file can have this name. On Windows some names stand for devices, a colon leads into a stream of another
/// file, and dots and blanks at the end are dropped, so that the file would get another name than the one it was given.
pub(crate) fn is_possible(name: &str, is_windows: bool) -> bool {
    !is_windows || !(name.contains(':') || name.ends_with(['.', ' ']) || is_device(name))
}

/// Whether Windows takes the name for a device, with or without an extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" => true,
        other => {
            let number = other.strip_prefix("COM").or_else(|| other.strip_prefix("LPT"));
            number.is_some_and(|number| {
                number.chars().count() == 1
                    && number.contains(['1', '2', '3', '4', '5', '6', '7', '8', '9', '¹', '²', '³'])
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_windows_gives_another_meaning_are_refused_there() {
        for name in
            ["NUL", "con", "aux.csv", "Com1", "lpt9.tar.gz", "COM²", "nul .txt", "a:b", "C:a", "a.", "a "]
        {
            assert!(!is_possible(name, true), "{name}");
            assert!(is_possible(name, false), "{name}");
        }
        for name in ["a", "a.csv", ".hidden", "console", "com", "com10", "nullable.csv", "ü b", "a.b.c"] {
            assert!(is_possible(name, true), "{name}");
        }
    }

    #[test]
    fn a_file_is_replaced_and_a_folder_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for text in ["one", "two"] {
            let new = tempfile::NamedTempFile::new_in(&folder).unwrap();
            std::fs::write(new.path(), text).unwrap();
            replace(new.into_temp_path(), &path).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        let other = folder.path().join("folder");
        std::fs::create_dir_all(other.join("full")).unwrap();
        let new = tempfile::NamedTempFile::new_in(&folder).unwrap();
        assert!(replace(new.into_temp_path(), &other).is_err());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "no leftovers");
    }
}
