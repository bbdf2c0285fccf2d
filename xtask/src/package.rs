//! What people install: a Python wheel that carries `brick`, and an archive for the page of a release. `cargo xtask
//! package` builds both from one binary, and checks them where nothing else is installed.
//!
//! maturin builds the wheel, with zig as the linker on Linux, so that the program runs on systems with an older glibc than
//! the build machine's. The archive's binary is the wheel's, so that both run on the same systems.

mod archive;
mod build;
mod check;
mod checksums;
mod fresh;
mod place;
mod python;
#[cfg(test)]
#[cfg(unix)]
mod tests;
mod third_party;

use std::{fs, path::Path};

use anyhow::{Context, Result};
use place::{Kind, Place};

/// What to build; see the help of the task.
pub(crate) struct Options {
    /// Only the wheel.
    pub(crate) wheel: bool,
    /// Only the archive.
    pub(crate) archive: bool,
    /// An archive without the sandbox.
    pub(crate) lean: bool,
    /// Build nothing, and check what is there.
    pub(crate) check: bool,
}

/// Builds and checks.
#[allow(clippy::print_stdout, reason = "the files are what was asked for")]
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let kind = if options.lean { Kind::Lean } else { Kind::Full };
    let place = Place::new(root, kind)?;
    let wants_wheel = !options.archive && !options.lean;
    let wants_archive = !options.wheel;
    fs::create_dir_all(&place.folder).with_context(|| format!("cannot create {}", place.folder.display()))?;
    let python = python::environment(&place)?;
    if !options.check {
        let licenses = third_party::write(&place)?;
        let built = build::run(&place, &python, &licenses)?;
        if wants_archive {
            archive::make(&place, &python, &built, &licenses)?;
        }
        if !wants_wheel {
            fs::remove_file(&built.wheel)
                .context("cannot remove the wheel that the archive was made from")?;
        }
    }
    let mut made = Vec::new();
    if wants_wheel {
        let wheel = place.wheel()?;
        check::wheel(&place, &python, &wheel)?;
        made.push(wheel);
    }
    if wants_archive {
        let archive = place.archive();
        check::archive(&place, &python, &archive)?;
        made.push(archive);
    }
    checksums::write(&place.folder, &place.version)?;
    for file in made {
        let bytes = fs::metadata(&file)?.len();
        println!("{} {:.1} MB", file.display(), bytes as f64 / 1e6);
    }
    Ok(())
}
