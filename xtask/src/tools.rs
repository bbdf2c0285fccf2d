//! Programs of cargo that checks need: found on the machine, or else installed from crates.io into the target folder.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use crate::metadata;

/// A subcommand of cargo in the version that is known to work.
pub(crate) struct Tool {
    /// The name of the package and of its program.
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// Those that its program needs, separated by commas.
    pub(crate) features: &'static str,
}

impl Tool {
    /// The program; `None` if it isn't there and can't be installed, which is said on stderr.
    pub(crate) fn find(&self, target: &Path) -> Result<Option<PathBuf>> {
        let folder = target.join("tools");
        let installed = folder.join("bin").join(self.name);
        for program in [PathBuf::from(self.name), installed.clone()] {
            if self.is_right(&program) {
                return Ok(Some(program));
            }
        }
        let Self { name, version, features } = self;
        eprintln!("installing {name} {version} into {}", folder.display());
        let status = Command::new(metadata::cargo())
            .args([
                "install",
                name,
                "--version",
                version,
                "--features",
                features,
                "--locked",
                "--quiet",
                "--root",
            ])
            .arg(&folder)
            // Of their own, so that the checks' builds are not mixed with them; cargo removes it.
            .env_remove("CARGO_TARGET_DIR")
            .current_dir(target)
            .status()
            .context("cannot run cargo install")?;
        Ok(status.success().then_some(installed))
    }

    /// Whether the program is there in this version.
    fn is_right(&self, program: &Path) -> bool {
        let output = Command::new(program).arg("--version").stderr(Stdio::null()).output();
        output.is_ok_and(|output| says(&String::from_utf8_lossy(&output.stdout), self.version))
    }
}

/// Whether a line such as `cargo-deny 0.20.2` has the version.
fn says(line: &str, version: &str) -> bool {
    line.split_whitespace().nth(1) == Some(version)
}

/// The folder with everything that cargo makes of the workspace in `root`.
pub(crate) fn target_folder(root: &Path) -> Result<PathBuf> {
    Ok(PathBuf::from(metadata::text(&metadata::load(root)?, "target_directory")))
}

#[cfg(test)]
mod tests {
    use super::says;

    #[test]
    fn a_version_is_the_second_word() {
        assert!(says("cargo-deny 0.20.2\n", "0.20.2"));
        assert!(says("cargo-fuzz 0.13.2 (abc 2026-01-01)", "0.13.2"));
        for other in ["", "cargo-deny", "cargo-deny 0.20.20", "0.20.2"] {
            assert!(!says(other, "0.20.2"), "{other}");
        }
    }
}
