//! What was typed, kept from one prompt to the next: in a file for its owner only, and never what may hold a secret.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};
use rustyline::{Editor, Helper, history::FileHistory};

/// How many entries are kept.
pub(super) const ENTRIES: usize = 1000;

/// An entry with one of these isn't kept.
const SECRETS: &[&str] = &["password", "secret", "token", "credential", "private_key", "dapi", "akia"];

/// The file; `None` if nothing is kept.
pub(super) struct History(Option<PathBuf>);

impl History {
    /// The history of this name. `BRICK_HISTORY=off` keeps none.
    pub(super) fn named(name: &str) -> Self {
        if env::var_os("BRICK_HISTORY").is_some_and(|value| value.eq_ignore_ascii_case("off")) {
            return Self(None);
        }
        let folder =
            choose_native_strategy().ok().map(|all| all.state_dir().unwrap_or_else(|| all.data_dir()));
        Self(folder.map(|folder| folder.join("brickwire").join(name)))
    }

    /// Reads the file. A prompt works without one.
    pub(super) fn load<H: Helper>(&self, editor: &mut Editor<H, FileHistory>) {
        if let Some(path) = self.0.as_deref().filter(|path| is_file(path)) {
            let _ = editor.load_history(path);
        }
    }

    /// Adds an entry to the editor and the file.
    pub(super) fn add<H: Helper>(&self, editor: &mut Editor<H, FileHistory>, text: &str) {
        if !is_kept(text) || !editor.add_history_entry(text.trim_end()).unwrap_or(false) {
            return;
        }
        if let Some(path) = self.0.as_deref()
            && prepare(path).is_some()
        {
            let _ = editor.append_history(path);
        }
    }
}

/// Whether an entry is kept. A blank at its start says not to.
fn is_kept(text: &str) -> bool {
    let lower = text.to_lowercase();
    !text.trim().is_empty()
        && !text.starts_with(char::is_whitespace)
        && !SECRETS.iter().any(|secret| lower.contains(secret))
}

/// A link may lead anywhere, and a pipe may block.
fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|known| known.is_file())
}

/// Creates the file, if there is none, for its owner only.
fn prepare(path: &Path) -> Option<()> {
    if is_file(path) {
        return Some(());
    }
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path.parent()?).ok()?;
    let mut file = fs::OpenOptions::new();
    file.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).ok().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_what_starts_with_a_blank_are_not_kept() {
        for kept in ["SELECT 1;", "SELECT a\nFROM t;", "\\d t"] {
            assert!(is_kept(kept), "{kept}");
        }
        for dropped in [
            "",
            "  ",
            " SELECT 1;",
            "CREATE CONNECTION c OPTIONS (PassWord 'x')",
            "SELECT secret('a', 'b')",
            "SET x.token = 1",
            "-- dapi0123",
            "SELECT 'AKIAIOSFODNN7EXAMPLE'",
        ] {
            assert!(!is_kept(dropped), "{dropped}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b/history");
        prepare(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        // A link is not followed.
        let link = home.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(prepare(&link).is_none() && !is_file(&link));
    }
}
