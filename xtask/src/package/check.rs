//! Checks a package by the tools that its readers use, and by installing it where nothing else is.

use std::{fs, path::Path, time::Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    archive,
    fresh::{report, try_out},
    place::{GLIBC, Place},
    python::Environment,
    third_party,
};
use crate::{metadata, process::finish};

/// Checks the wheel, and installs it into an environment of its own.
pub(crate) fn wheel(place: &Place, python: &Environment, wheel: &Path) -> Result<()> {
    eprintln!("checking {}", wheel.display());
    finish(python.module("twine", &["check", "--strict"]).arg(wheel))?;
    // A wheel that carries a program has no Python in it (W007).
    finish(python.module("check_wheel_contents", &["--ignore", "W007"]).arg(wheel))?;
    if place.is_for("linux") {
        let needed = floor(&python.audit(wheel)?)?;
        let name = |(major, minor): (u32, u32)| format!("glibc {major}.{minor}");
        ensure!(needed <= GLIBC, "the wheel needs {}, not {} or older", name(needed), name(GLIBC));
        eprintln!("  runs with {} and newer", name(needed));
    } else {
        eprintln!("  SKIPPED: auditwheel, which is for Linux");
    }
    licenses(place, python, wheel)?;
    install(place, wheel)
}

/// The glibc version in auditwheel's verdict.
fn floor(audit: &str) -> Result<(u32, u32)> {
    let audit: Value = serde_json::from_str(audit).context("auditwheel didn't print JSON")?;
    let tag = metadata::text(&audit, "overall_tag");
    let version = tag.strip_prefix("manylinux_").and_then(|rest| {
        let mut numbers = rest.split('_').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    version.with_context(|| format!("auditwheel calls the wheel {tag:?}, which names no glibc version"))
}

fn licenses(place: &Place, python: &Environment, wheel: &Path) -> Result<()> {
    let folder = place.empty("wheel")?;
    python.unzip(wheel, &folder)?;
    let licenses = folder.join(format!("brickwire-{}.dist-info", place.version)).join("licenses");
    for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
        ensure!(licenses.join(file).exists(), "the wheel has no {file}");
    }
    let text = fs::read_to_string(licenses.join(third_party::FILE))
        .with_context(|| format!("the wheel has no {}", third_party::FILE))?;
    third_party::check(&text, &metadata::load(&place.root)?)
}

fn install(place: &Place, wheel: &Path) -> Result<()> {
    let fresh = Environment::in_folder(&place.empty("fresh")?)?;
    let start = Instant::now();
    finish(fresh.pip(&["install", "--quiet", "--no-index", "--no-deps"]).arg(wheel))?;
    report("pip install", start.elapsed());
    try_out(place, &fresh.program("brick"), &fresh.programs())
}

/// Checks the archive, unpacked elsewhere.
pub(crate) fn archive(place: &Place, python: &Environment, file: &Path) -> Result<()> {
    eprintln!("checking {}", file.display());
    let folder = place.empty("unpacked")?;
    let unpack = "import shutil, sys; shutil.unpack_archive(*sys.argv[1:])";
    finish(python.code(unpack).arg(file).arg(&folder))
        .with_context(|| format!("cannot unpack {}", file.display()))?;
    let top = folder.join(place.stem());
    for name in archive::contents() {
        let is_there = fs::metadata(top.join(&name)).is_ok_and(|found| found.len() > 0);
        ensure!(is_there, "the archive has no {name}, or it is empty");
    }
    let text = fs::read_to_string(top.join(third_party::FILE))?;
    third_party::check(&text, &metadata::load(&place.root)?)?;
    try_out(place, &top.join(place.program()), &top)
}

#[cfg(test)]
mod tests {
    use super::{super::place::GLIBC, floor};

    #[test]
    fn the_glibc_version_is_in_the_tag() {
        let of = |tag: &str| floor(&format!("{{\"overall_tag\": {tag:?}}}"));
        assert_eq!(of("manylinux_2_17_x86_64").unwrap(), GLIBC);
        assert!(of("manylinux_2_28_aarch64").unwrap() > GLIBC);
        assert!(of("manylinux_2_5_x86_64").unwrap() < GLIBC);
        for tag in ["linux_x86_64", "", "manylinux_2"] {
            assert!(of(tag).unwrap_err().to_string().ends_with("which names no glibc version"), "{tag}");
        }
        floor("not JSON").unwrap_err();
    }
}
