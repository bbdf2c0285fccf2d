//! The toy description in a folder of its own, to be changed at will.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// Where the toy description and what it generates lie.
pub(crate) fn tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// What a run of the program left.
pub(crate) struct Run {
    pub(crate) success: bool,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `xtask` with `arguments`.
pub(crate) fn xtask<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).output().unwrap();
    Run {
        success: output.status.success(),
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A copy of the toy description.
pub(crate) struct Toy {
    folder: TempDir,
}

impl Toy {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["common.yaml", "toys.yaml"] {
            fs::copy(tests_folder().join("toy").join(name), folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Replaces the first `from` in a file; it has to be there.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    /// Adds a file.
    pub(crate) fn add(&self, file: &str, text: &str) {
        fs::write(self.path().join(file), text).unwrap();
    }

    pub(crate) fn lint(&self) -> Run {
        xtask(&["lint-spec".as_ref(), "--spec".as_ref(), self.path()])
    }

    /// Generates the client's text.
    pub(crate) fn generate(&self) -> String {
        let output = self.path().join("generated.rs");
        let run = xtask(&["codegen".as_ref(), "--spec".as_ref(), self.path(), "--output".as_ref(), &output]);
        assert!(run.success, "{}", run.stderr);
        fs::read_to_string(output).unwrap()
    }
}
