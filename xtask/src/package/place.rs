//! Where a package comes from and where it goes, and what it is called.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    metadata::{self, members, text},
    process::capture,
};

/// The oldest glibc that the program runs with on Linux. 2.17 is in every distribution since 2014, and is the oldest that
/// Rust supports.
pub(crate) const GLIBC: (u32, u32) = (2, 17);

/// Which program is packaged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// With everything; pyproject.toml names the features and the profile.
    Full,
    /// Without the sandbox, and as small as it gets.
    Lean,
}

impl Kind {
    /// The features of `brickwire-cli`; for [`Kind::Full`] those in pyproject.toml.
    pub(crate) fn features(self) -> &'static str {
        match self {
            Self::Full => "full,sandbox,reference",
            Self::Lean => "full,reference",
        }
    }
}

/// A package and its folders.
#[derive(Clone)]
pub(crate) struct Place {
    /// The workspace.
    pub(crate) root: PathBuf,
    pub(crate) kind: Kind,
    /// The version of `brick`.
    pub(crate) version: String,
    /// This system's target triple.
    pub(crate) target: String,
    /// What is handed out; `cargo package` writes its own files here, too.
    pub(crate) folder: PathBuf,
    /// What is made on the way.
    pub(crate) work: PathBuf,
}

impl Place {
    /// For the workspace in `root` and this system.
    pub(crate) fn new(root: &Path, kind: Kind) -> Result<Self> {
        let metadata = metadata::load(root)?;
        let program = members(&metadata).find(|package| text(package, "name") == "brickwire-cli");
        let version = text(program.context("there is no package brickwire-cli")?, "version").to_owned();
        let folder = Path::new(text(&metadata, "target_directory")).join("package");
        let work = folder.join("work");
        Ok(Self { root: root.to_owned(), kind, version, target: host()?, folder, work })
    }

    /// The name of the archive's top folder.
    pub(crate) fn stem(&self) -> String {
        let suffix = if self.kind == Kind::Lean { "-lean" } else { "" };
        format!("brickwire-{}-{}{suffix}", self.version, self.target)
    }

    /// The archive: a zip where Windows opens it.
    pub(crate) fn archive(&self) -> PathBuf {
        let extension = if self.is_for("windows") { "zip" } else { "tar.gz" };
        self.folder.join(format!("{}.{extension}", self.stem()))
    }

    /// The one wheel of this version in the folder.
    pub(crate) fn wheel(&self) -> Result<PathBuf> {
        let wheels = self.wheels()?;
        match &wheels[..] {
            [wheel] => Ok(wheel.clone()),
            [] => bail!("there is no wheel of version {} in {}", self.version, self.folder.display()),
            _ => bail!("there are several wheels of version {} in {}", self.version, self.folder.display()),
        }
    }

    /// All wheels of this version in the folder.
    pub(crate) fn wheels(&self) -> Result<Vec<PathBuf>> {
        let start = format!("brickwire-{}-", self.version);
        let mut wheels = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(&start) && name.ends_with(".whl") {
                wheels.push(path.clone());
            }
        }
        Ok(wheels)
    }

    /// A folder of this name among those of the work, empty.
    pub(crate) fn empty(&self, name: &str) -> Result<PathBuf> {
        let folder = self.work.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(folder)
    }

    /// Whether the target's name says that it is this system.
    pub(crate) fn is_for(&self, system: &str) -> bool {
        self.target.contains(system)
    }

    /// What the program is called on this system.
    pub(crate) fn program(&self) -> &'static str {
        if self.is_for("windows") { "brick.exe" } else { "brick" }
    }
}

fn host() -> Result<String> {
    let text = capture(Command::new("rustc").arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc doesn't tell its host")?.to_owned())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{Kind, Place};

    fn place(folder: &Path, target: &str, kind: Kind) -> Place {
        let (folder, work) = (folder.to_owned(), folder.join("work"));
        Place { root: folder.clone(), kind, version: "1.2.3".into(), target: target.into(), folder, work }
    }

    #[test]
    fn an_archive_is_named_for_version_and_target() {
        let name = |target, kind| {
            let archive = place(Path::new("out"), target, kind).archive();
            archive.file_name().unwrap().to_string_lossy().into_owned()
        };
        assert_eq!(
            name("x86_64-unknown-linux-gnu", Kind::Full),
            "brickwire-1.2.3-x86_64-unknown-linux-gnu.tar.gz"
        );
        assert_eq!(name("x86_64-pc-windows-msvc", Kind::Full), "brickwire-1.2.3-x86_64-pc-windows-msvc.zip");
        assert_eq!(
            name("aarch64-apple-darwin", Kind::Lean),
            "brickwire-1.2.3-aarch64-apple-darwin-lean.tar.gz"
        );
    }

    #[test]
    fn the_full_package_has_the_features_of_pyproject_toml() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let text = fs::read_to_string(root.join("pyproject.toml")).unwrap();
        let features: Vec<String> =
            Kind::Full.features().split(',').map(|name| format!("{name:?}")).collect();
        assert!(text.contains(&format!("\nfeatures = [{}]\n", features.join(", "))), "{text}");
    }

    #[test]
    fn only_a_single_wheel_of_this_version_is_the_wheel() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path(), "x86_64-unknown-linux-gnu", Kind::Full);
        for other in ["brickwire-1.2.30-py3-none-any.whl", "brickwire-1.2.3-x86_64.tar.gz"] {
            fs::write(folder.path().join(other), "").unwrap();
        }
        let error = place.wheel().unwrap_err().to_string();
        assert!(error.starts_with("there is no wheel of version 1.2.3 in "), "{error}");
        fs::write(folder.path().join("brickwire-1.2.3-py3-none-a.whl"), "").unwrap();
        assert!(place.wheel().unwrap().ends_with("brickwire-1.2.3-py3-none-a.whl"));
        fs::write(folder.path().join("brickwire-1.2.3-py3-none-b.whl"), "").unwrap();
        assert!(place.wheel().unwrap_err().to_string().starts_with("there are several wheels"));
    }
}
