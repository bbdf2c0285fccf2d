//! Builds the wheel with maturin, and takes the program out of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{
    place::{GLIBC, Kind, Place},
    python::Environment,
    third_party,
};
use crate::process::finish;

/// What a build has made.
pub(crate) struct Built {
    pub(crate) wheel: PathBuf,
    /// The program in it.
    pub(crate) program: PathBuf,
}

/// Builds the wheel. Those of an earlier build are removed.
pub(crate) fn run(place: &Place, python: &Environment, licenses: &Path) -> Result<Built> {
    let wheels = match place.kind {
        Kind::Full => place.folder.clone(),
        // Only its program is packaged.
        Kind::Lean => place.empty("lean")?,
    };
    if place.kind == Kind::Full {
        for wheel in place.wheels()? {
            fs::remove_file(&wheel).with_context(|| format!("cannot remove {}", wheel.display()))?;
        }
    }
    let mut maturin = python.module("maturin", &["build", "--out"]);
    maturin.arg(&wheels);
    if place.is_for("linux") {
        let (major, minor) = GLIBC;
        maturin.args(["--zig", "--compatibility", &format!("manylinux_{major}_{minor}")]);
    }
    if place.kind == Kind::Lean {
        maturin.args(["--profile", "dist", "--features", place.kind.features()]);
    }
    let copy = Copy::new(licenses, &place.root.join(third_party::FILE))?;
    finish(maturin.current_dir(&place.root)).context("the wheel cannot be built")?;
    drop(copy);
    let wheel = Place { folder: wheels, ..place.clone() }.wheel()?;
    Ok(Built { program: program(place, python, &wheel)?, wheel })
}

/// The program in the wheel, unpacked.
fn program(place: &Place, python: &Environment, wheel: &Path) -> Result<PathBuf> {
    let folder = place.empty("wheel")?;
    python.unzip(wheel, &folder)?;
    let program =
        folder.join(format!("brickwire-{}.data", place.version)).join("scripts").join(place.program());
    make_executable(&program)?;
    Ok(program)
}

#[cfg(unix)]
fn make_executable(program: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("the wheel has no {}", program.display()))
}

#[cfg(not(unix))]
fn make_executable(program: &Path) -> Result<()> {
    fs::metadata(program).with_context(|| format!("the wheel has no {}", program.display()))?;
    Ok(())
}

/// A copy that exists for the length of a build: maturin takes license files from the workspace only.
struct Copy {
    file: PathBuf,
}

impl Copy {
    fn new(from: &Path, to: &Path) -> Result<Self> {
        fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
        Ok(Self { file: to.to_owned() })
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.file) {
            eprintln!("{} stays: {error}", self.file.display());
        }
    }
}
