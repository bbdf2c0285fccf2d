//! The archive of a release: the program with its licenses, completions, and man pages, in one folder.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result};

use super::{build::Built, place::Place, python::Environment, third_party};
use crate::process::{capture, finish};

/// The shells that `brick completions` knows, and what their scripts are called in the archive.
const COMPLETIONS: [(&str, &str); 5] = [
    ("bash", "brick.bash"),
    ("elvish", "brick.elv"),
    ("fish", "brick.fish"),
    ("powershell", "brick.ps1"),
    ("zsh", "_brick"),
];

/// Files of the workspace, and what they are called in the archive. The README of the program has links that work
/// anywhere.
const FILES: [(&str, &str); 4] = [
    ("crates/cli/README.md", "README.md"),
    ("CHANGELOG.md", "CHANGELOG.md"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
    ("LICENSE-MIT", "LICENSE-MIT"),
];

/// What an archive must have in addition to the program.
pub(crate) fn contents() -> impl Iterator<Item = String> {
    let completions = COMPLETIONS.iter().map(|(_, file)| format!("completions/{file}"));
    let files = FILES.iter().map(|(_, file)| (*file).to_owned());
    files.chain(completions).chain([third_party::FILE.to_owned(), "man/brick.1".to_owned()])
}

/// Makes the archive.
pub(crate) fn make(place: &Place, python: &Environment, built: &Built, licenses: &Path) -> Result<()> {
    let staging = place.empty("archive")?;
    let top = staging.join(place.stem());
    fs::create_dir_all(top.join("completions"))?;
    let brick = top.join(place.program());
    copy(&built.program, &brick)?;
    copy(licenses, &top.join(third_party::FILE))?;
    for (from, to) in FILES {
        copy(&place.root.join(from), &top.join(to))?;
    }
    for (shell, file) in COMPLETIONS {
        fs::write(
            top.join("completions").join(file),
            capture(Command::new(&brick).args(["completions", shell]))?,
        )?;
    }
    let reference = place.empty("reference")?;
    finish(Command::new(&brick).arg("reference").arg(&reference))?;
    fs::rename(reference.join("man"), top.join("man")).context("brick wrote no man pages")?;
    pack(place, python, &staging)
}

fn pack(place: &Place, python: &Environment, staging: &Path) -> Result<()> {
    let format = if place.is_for("windows") { "zip" } else { "gztar" };
    let mut command = python.code("import shutil, sys; shutil.make_archive(*sys.argv[1:])");
    finish(command.arg(place.folder.join(place.stem())).arg(format).arg(staging).arg(place.stem()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}
