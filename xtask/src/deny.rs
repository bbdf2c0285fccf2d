//! Checks all dependencies with cargo-deny: licenses, sources, duplicates, and known vulnerabilities. `deny.toml` has the
//! rules.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use crate::tools::{Tool, target_folder};

const CARGO_DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2", features: "" };

/// Runs the checks. Known vulnerabilities are left out, with a word, where their database can't be fetched.
pub(crate) fn run(root: &Path) -> Result<()> {
    let Some(program) = CARGO_DENY.find(&target_folder(root)?)? else {
        eprintln!("SKIPPED: cargo-deny isn't installed and can't be");
        return Ok(());
    };
    let deny = |arguments: &[&str]| -> Result<bool> {
        let mut command = Command::new(&program);
        command.args(["--all-features", "--locked", "--workspace"]).args(arguments).current_dir(root);
        Ok(command.status().context("cannot run cargo-deny")?.success())
    };
    ensure!(deny(&["check", "licenses", "bans", "sources"])?, "a dependency breaks a rule of deny.toml");
    if deny(&["fetch", "db"])? {
        ensure!(deny(&["check", "--disable-fetch", "advisories"])?, "a dependency has a known vulnerability");
    } else {
        eprintln!(
            "SKIPPED: the database of known vulnerabilities can't be fetched, so they aren't looked for"
        );
    }
    Ok(())
}
