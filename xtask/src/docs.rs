//! The command reference, made by `brick` itself from its command line: `docs/commands.md`, which is checked in, and man
//! pages in `target/reference/man`, for packagers.

use std::{fs, path::Path, process::Command};

use anyhow::{Result, ensure};

/// Writes the reference.
pub(crate) fn write(root: &Path) -> Result<()> {
    let text = make(root)?;
    fs::create_dir_all(root.join("docs"))?;
    Ok(fs::write(root.join("docs/commands.md"), text)?)
}

/// Whether the reference is what `brick` makes today.
pub(crate) fn is_fresh(root: &Path) -> Result<bool> {
    Ok(fs::read_to_string(root.join("docs/commands.md"))
        .is_ok_and(|text| make(root).is_ok_and(|made| made == text)))
}

fn make(root: &Path) -> Result<String> {
    let folder = root.join("target/reference");
    let status = Command::new(env!("CARGO"))
        .args([
            "run",
            "--quiet",
            "--package",
            "brickwire-cli",
            "--features",
            "reference,sandbox",
            "--",
            "reference",
        ])
        .arg(&folder)
        .current_dir(root)
        .status()?;
    ensure!(status.success(), "brick reference failed");
    Ok(fs::read_to_string(folder.join("commands.md"))?)
}
