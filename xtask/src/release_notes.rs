//! The part of CHANGELOG.md that belongs to a release.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail, ensure};

use crate::metadata::{self, members, text};

/// The notes of the release that the tag names, which must be the version of the workspace.
pub(crate) fn of_tag(root: &Path, tag: &str) -> Result<String> {
    let version = tag.strip_prefix('v').with_context(|| format!("a tag is v and a version, not {tag:?}"))?;
    let metadata = metadata::load(root)?;
    let program = members(&metadata).find(|package| text(package, "name") == "brickwire-cli");
    let present = text(program.context("there is no package brickwire-cli")?, "version");
    ensure!(version == present, "the tag is {tag}, but Cargo.toml has version {present}");
    of_version(root, version)
}

/// The notes of the version, as Markdown.
pub(crate) fn of_version(root: &Path, version: &str) -> Result<String> {
    let changelog = fs::read_to_string(root.join("CHANGELOG.md")).context("cannot read CHANGELOG.md")?;
    section(&changelog, version)
}

/// The lines beneath `## VERSION - DATE`.
fn section(changelog: &str, version: &str) -> Result<String> {
    let title = format!("## {version} - ");
    let mut lines = changelog.lines().skip_while(|line| !line.starts_with(&title));
    if lines.next().is_none() {
        bail!("CHANGELOG.md has no section `{title}YYYY-MM-DD`: rename `## Unreleased`");
    }
    let notes: Vec<&str> = lines.take_while(|line| !line.starts_with("## ")).collect();
    let notes = notes.join("\n").trim().to_owned();
    ensure!(!notes.is_empty(), "the section of {version} in CHANGELOG.md is empty");
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use super::section;

    const CHANGELOG: &str = "# Changelog\n\n## Unreleased\n\n- Next.\n\n## 0.2.0 - 2026-12-01\n\n- One.\n- Two:\n  more.\n\n## 0.1.0 - 2026-11-01\n";

    #[test]
    fn the_notes_are_what_stands_beneath_the_version() {
        assert_eq!(section(CHANGELOG, "0.2.0").unwrap(), "- One.\n- Two:\n  more.");
    }

    #[test]
    fn a_version_without_notes_is_an_error() {
        let error = |version| section(CHANGELOG, version).unwrap_err().to_string();
        assert_eq!(error("0.1.0"), "the section of 0.1.0 in CHANGELOG.md is empty");
        assert_eq!(error("0.2"), "CHANGELOG.md has no section `## 0.2 - YYYY-MM-DD`: rename `## Unreleased`");
    }
}
