//! `cargo xtask publish`: the crates for the registry, in the order in which they need each other.
//!
//! Each is packaged and then built from its archive alone, with the others' archives in place of the registry, so that a
//! file that a package lacks is found before anything is uploaded.
//!
//! Builds run build scripts of other projects, which must not see the registry's token. So `--execute` builds nothing: the
//! workflow runs `--dry-run` first, where no token exists yet.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{
    metadata::{self, list, members, text},
    process::{capture, finish},
    release_notes,
};

/// In the order of publishing: nothing needs a crate that comes after it.
const CRATES: [&str; 5] =
    ["brickwire-wire", "brickwire-client", "brickwire-actions", "brickwire-sandbox", "brickwire-cli"];

/// Holds the registry's token.
const TOKEN: &str = "CARGO_REGISTRY_TOKEN";

/// The registry takes no larger package.
const MAX_BYTES: u64 = 10 << 20;

/// What the task does beyond a rehearsal.
pub(crate) struct Options {
    /// Publish.
    pub(crate) execute: bool,
    /// Package what isn't committed, too.
    pub(crate) allow_dirty: bool,
}

/// Packages all crates, and prints them. Builds them from their packages, too, or publishes them with `execute`.
#[allow(clippy::print_stdout, reason = "the table is what was asked for")]
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let metadata = metadata::load(root)?;
    let findings = findings(&metadata);
    ensure!(findings.is_empty(), "{}", findings.join("\n"));
    let version = version(&metadata)?;
    if options.execute {
        release_notes::of_version(root, &version)?;
    }
    finish(&mut package(root, options))?;
    println!("{:<20} {:>8} {:>6} {:>8}", "crate", "version", "files", "KB");
    for name in CRATES {
        let file = archive(&metadata, name, &version);
        let bytes = fs::metadata(&file).with_context(|| format!("there is no {}", file.display()))?.len();
        ensure!(bytes <= MAX_BYTES, "{} has {bytes} bytes; the registry takes {MAX_BYTES}", file.display());
        let mut listing = Command::new(metadata::cargo());
        listing.args(["package", "--list", "--locked", "--allow-dirty", "--package", name]).env_remove(TOKEN);
        let files = capture(listing.current_dir(root))?.lines().count();
        println!("{name:<20} {version:>8} {files:>6} {:>8.1}", bytes as f64 / 1e3);
    }
    if !options.execute {
        eprintln!("nothing was published; --execute does that");
        return Ok(());
    }
    // The dry run has built them.
    finish(cargo(root, "publish").arg("--no-verify"))
}

/// What packages all crates and, unless they are published next, builds each from its package.
fn package(root: &Path, options: &Options) -> Command {
    let mut package = cargo(root, "package");
    // Without the sandbox in the program, since that would build the SQL engine a second time.
    package.args(["--features", "brickwire-cli/full,brickwire-actions/arrow"]);
    // The workspace's profiles, which packages don't carry, so that dependencies are built as they are for the tests.
    package.args(["--config", "Cargo.toml"]).args(options.allow_dirty.then_some("--allow-dirty"));
    package.args(options.execute.then_some("--no-verify")).env_remove(TOKEN);
    package
}

/// A command for all crates at once; cargo puts them in order, and waits for each to arrive before the next.
fn cargo(root: &Path, task: &str) -> Command {
    let mut command = Command::new(metadata::cargo());
    command.args([task, "--locked"]).current_dir(root);
    for name in CRATES {
        command.args(["--package", name]);
    }
    command
}

fn archive(metadata: &Value, name: &str, version: &str) -> PathBuf {
    Path::new(text(metadata, "target_directory")).join("package").join(format!("{name}-{version}.crate"))
}

/// The version that all crates share.
fn version(metadata: &Value) -> Result<String> {
    let mut versions: Vec<&str> = published(metadata).map(|package| text(package, "version")).collect();
    versions.sort_unstable();
    versions.dedup();
    match versions[..] {
        [version] => Ok(version.to_owned()),
        _ => bail!("the crates must have one version, not {}", versions.join(", ")),
    }
}

/// The crates of the workspace that may be published.
fn published(metadata: &Value) -> impl Iterator<Item = &Value> {
    members(metadata).filter(|package| package["publish"] != Value::Array(Vec::new()))
}

/// What the registry or its readers would miss, one to a line.
fn findings(metadata: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for package in published(metadata) {
        let name = text(package, "name");
        let Some(place) = CRATES.iter().position(|known| *known == name) else {
            found.push(format!("{name} needs `publish = false`, or a place in xtask/src/publish.rs"));
            continue;
        };
        for field in ["description", "license", "repository", "documentation", "readme", "rust_version"] {
            if package[field].is_null() {
                found.push(format!("{name} has no {field}"));
            }
        }
        for field in ["keywords", "categories"] {
            let count = list(&package[field]).len();
            if !(1..=5).contains(&count) {
                found.push(format!("{name} has {count} {field}; the registry takes 1 to 5"));
            }
        }
        for dependency in list(&package["dependencies"]).iter().filter(|d| d["source"].is_null()) {
            let needed = text(dependency, "name");
            let has_version = text(dependency, "req") != "*";
            if !has_version && dependency["kind"] == "dev" {
                continue; // Left out of the package.
            }
            if CRATES.iter().position(|known| *known == needed).is_none_or(|other| other >= place) {
                found.push(format!("{name} needs {needed}, which isn't published before it"));
            } else if !has_version {
                found.push(format!("{name} needs {needed} without a version"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::{CRATES, Options, TOKEN, findings, package as packaging, published, version};
    use crate::metadata::{self, text};

    fn package(name: &str, dependencies: Value) -> Value {
        json!({"name": name, "version": "1.0.0", "source": null, "publish": null, "description": "d", "license": "MIT",
               "repository": "r", "documentation": "d", "readme": "README.md", "rust_version": "1.89",
               "keywords": ["k"], "categories": ["c"], "dependencies": dependencies})
    }

    #[test]
    fn the_workspace_is_ready() {
        let metadata = metadata::load(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()).unwrap();
        assert_eq!(findings(&metadata), Vec::<String>::new());
        let mut names: Vec<&str> = published(&metadata).map(|package| text(package, "name")).collect();
        let mut listed = CRATES;
        names.sort_unstable();
        listed.sort_unstable();
        assert_eq!(names, listed);
    }

    #[test]
    fn a_dependency_that_comes_later_or_has_no_version_is_found() {
        let needs = |name: &str, req: &str, kind: Value| json!({"name": name, "req": req, "kind": kind, "source": null});
        let mut bare = package("brickwire-client", json!([]));
        bare["readme"] = Value::Null;
        bare["keywords"] = json!(["1", "2", "3", "4", "5", "6"]);
        let metadata = json!({"packages": [
            package("brickwire-wire", json!([needs("brickwire-actions", "^1.0.0", Value::Null)])),
            bare,
            package("brickwire-actions", json!([
                needs("brickwire-wire", "*", Value::Null),
                needs("brickwire-testserver", "*", json!("dev")),
                needs("brickwire-testserver", "^0.0.0", json!("dev")),
            ])),
            package("stranger", json!([])),
            {"name": "xtask", "source": null, "publish": [], "dependencies": []},
        ]});
        assert_eq!(
            findings(&metadata),
            [
                "brickwire-wire needs brickwire-actions, which isn't published before it",
                "brickwire-client has no readme",
                "brickwire-client has 6 keywords; the registry takes 1 to 5",
                "brickwire-actions needs brickwire-wire without a version",
                "brickwire-actions needs brickwire-testserver, which isn't published before it",
                "stranger needs `publish = false`, or a place in xtask/src/publish.rs",
            ]
        );
    }

    #[test]
    fn what_builds_has_no_token_and_what_publishes_builds_nothing() {
        for execute in [false, true] {
            let command = packaging(Path::new("."), &Options { execute, allow_dirty: false });
            assert!(command.get_envs().any(|(name, value)| name == TOKEN && value.is_none()), "{command:?}");
            assert_eq!(command.get_args().any(|argument| argument == "--no-verify"), execute, "{command:?}");
        }
    }

    #[test]
    fn all_crates_have_one_version() {
        let mut other = package("brickwire-client", json!([]));
        other["version"] = "1.0.1".into();
        let one = json!({"packages": [package("brickwire-wire", json!([]))]});
        assert_eq!(version(&one).unwrap(), "1.0.0");
        let two = json!({"packages": [package("brickwire-wire", json!([])), other]});
        assert_eq!(
            version(&two).unwrap_err().to_string(),
            "the crates must have one version, not 1.0.0, 1.0.1"
        );
    }
}
