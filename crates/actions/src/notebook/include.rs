//! The files that `%run` names: next to the notebook, found with or without their extension.

use std::{
    fs::File,
    io::Read,
    path::{Component, Path, PathBuf},
};

use crate::{Error, Result, encoding::decode_text};

/// The extensions that a name without one may stand for.
const EXTENSIONS: [&str; 6] = ["py", "sql", "scala", "r", "R", "ipynb"];

/// The longest file that is read, in bytes: the limit for code from a file.
const LIMIT: u64 = 16 << 20;

/// The file that a name stands for in a folder.
pub(super) fn find(folder: &Path, name: &str) -> Result<PathBuf> {
    // Without `./`, since messages show it.
    let path: PathBuf = folder.join(name).components().filter(|part| *part != Component::CurDir).collect();
    if path.is_file() {
        return Ok(path);
    }
    let mut found: Vec<PathBuf> = Vec::new();
    for extension in EXTENSIONS {
        let mut candidate = path.clone().into_os_string();
        candidate.push(format!(".{extension}"));
        let candidate = PathBuf::from(candidate);
        // `r` and `R` are one file where case doesn't count.
        let is_same = found.iter().any(|other| other.canonicalize().ok() == candidate.canonicalize().ok());
        if candidate.is_file() && !is_same {
            found.push(candidate);
        }
    }
    match &found[..] {
        [only] => Ok(only.clone()),
        [] => Err(Error::usage(format!("%run names a file that does not exist: {}", path.display()))
            .with_hint("the name is relative to the notebook's folder; the extension may be omitted")),
        several => {
            let names = several.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
            Err(Error::usage(format!("%run names several files: {names}")).with_hint("add the extension"))
        }
    }
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
        .map_err(|error| Error::usage(format!("%run cannot read a file: {name}: {error}")))?;
    if bytes.len() as u64 > LIMIT {
        return Err(Error::usage(format!("the file is larger than {} MiB: {name}", LIMIT >> 20)));
    }
    decode_text(&bytes, &name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_needs_no_extension_if_only_one_file_has_it() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.py", "both.py", "both.sql", "plain", "dotted.name.sql"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        for (name, file) in [
            ("./a", "a.py"),
            ("a.py", "a.py"),
            ("plain", "plain"),
            ("both.sql", "both.sql"),
            ("dotted.name", "dotted.name.sql"),
        ] {
            let found = find(folder.path(), name).unwrap();
            assert_eq!(read(&found).unwrap(), file, "{name}");
        }
        for (name, words) in
            [("both", "several files"), ("missing", "does not exist"), (".", "does not exist")]
        {
            let error = find(folder.path(), name).unwrap_err();
            assert!(error.to_string().contains(words) && error.hint().is_some(), "{error}");
        }
    }
}
