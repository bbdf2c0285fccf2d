//! Which compilers work: the oldest one that each crate claims to build with (`rust-version`), and the one that all
//! checks were last seen to pass with.
//!
//! rust-toolchain.toml pins the second one, so that the warnings of a new compiler can't break the build. A caller may
//! choose another (`cargo +nightly`): then warnings are shown and fail nothing, and the public APIs aren't compared.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::metadata::{self, list, members, text};

type Version = (u32, u32, u32);

/// Fails if the compiler is older than any crate of the workspace needs.
pub(crate) fn check_compiler(root: &Path) -> Result<()> {
    let (compiler, tested) = (compiler()?, pinned(root)?);
    new_enough(&compiler, &metadata::load(root)?)?;
    eprintln!("Rust {compiler}; all checks pass with Rust {tested}");
    if compiler != tested {
        eprintln!("so warnings don't fail the checks, and the public APIs aren't compared");
    }
    Ok(())
}

/// Fails if any crate of the workspace needs a newer compiler.
fn new_enough(compiler: &str, metadata: &Value) -> Result<()> {
    for package in members(metadata) {
        let (name, needed) = (text(package, "name"), text(package, "rust_version"));
        ensure!(parse(compiler) >= parse(needed), "{name} needs Rust {needed}; this is Rust {compiler}");
    }
    Ok(())
}

/// Whether the compiler is the one that all checks pass with.
pub(crate) fn is_tested(root: &Path) -> Result<bool> {
    Ok(compiler()? == pinned(root)?)
}

fn compiler() -> Result<String> {
    let output = Command::new("rustc").arg("--version").output().context("cannot run rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.split(' ').nth(1).context("rustc doesn't tell its version")?.to_owned())
}

/// The version in rust-toolchain.toml.
fn pinned(root: &Path) -> Result<String> {
    let text =
        fs::read_to_string(root.join("rust-toolchain.toml")).context("cannot read rust-toolchain.toml")?;
    let channel = text.lines().find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix('"'));
    Ok(channel.context("rust-toolchain.toml has no channel")?.to_owned())
}

/// Checks each crate's `rust-version`; the result has the findings, one to a line.
pub(crate) fn check_rust_versions(root: &Path) -> Result<Vec<String>> {
    let metadata = metadata::load(root)?;
    let mut findings = too_low(&metadata);
    findings.extend(without_lint(root, &metadata)?);
    if findings.is_empty() {
        compile(root, &metadata)?;
    }
    Ok(findings)
}

/// The crates that promise an older compiler than something that they depend on needs, with all features and on any
/// platform.
fn too_low(metadata: &Value) -> Vec<String> {
    let packages: BTreeMap<&str, &Value> =
        list(&metadata["packages"]).iter().map(|package| (text(package, "id"), package)).collect();
    let nodes: BTreeMap<&str, &Value> =
        list(&metadata["resolve"]["nodes"]).iter().map(|node| (text(node, "id"), node)).collect();
    let mut findings = Vec::new();
    for package in members(metadata) {
        let (name, own) = (text(package, "name"), text(package, "rust_version"));
        if own.is_empty() {
            findings.push(format!("{name} has no rust-version"));
        }
        let needed = dependencies(&nodes, text(package, "id"))
            .into_iter()
            .filter_map(|id| packages.get(id))
            .map(|package| (parse(text(package, "rust_version")), text(package, "name")))
            .max();
        if let Some(((major, minor, patch), dependency)) = needed.filter(|(version, _)| *version > parse(own))
        {
            findings.push(format!(
                "{name} has rust-version {own}, but {dependency} needs {major}.{minor}.{patch}"
            ));
        }
    }
    findings
}

/// Everything that a package needs to be built, tests aside.
fn dependencies<'m>(nodes: &BTreeMap<&'m str, &'m Value>, package: &'m str) -> BTreeSet<&'m str> {
    let mut found = BTreeSet::new();
    let mut open = vec![package];
    while let Some(id) = open.pop() {
        for dependency in nodes.get(id).map(|node| list(&node["deps"])).unwrap_or_default() {
            let is_for_tests = list(&dependency["dep_kinds"]).iter().all(|kind| kind["kind"] == "dev");
            if !is_for_tests && found.insert(text(dependency, "pkg")) {
                open.push(text(dependency, "pkg"));
            }
        }
    }
    found
}

/// The crates whose use of newer parts of the standard library clippy wouldn't notice.
fn without_lint(root: &Path, metadata: &Value) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    let read =
        |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    if !read(&root.join("Cargo.toml"))?.lines().any(|line| line.starts_with("incompatible_msrv = ")) {
        findings.push("the workspace's lints lack clippy's incompatible_msrv".to_owned());
    }
    for package in members(metadata) {
        if !read(Path::new(text(package, "manifest_path")))?.contains("[lints]\nworkspace = true") {
            findings.push(format!("{} doesn't have the workspace's lints", text(package, "name")));
        }
    }
    Ok(findings)
}

/// Compiles each crate with the compiler that it promises to work with, where that is installed.
fn compile(root: &Path, metadata: &Value) -> Result<()> {
    let mut crates: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in members(metadata) {
        crates.entry(text(package, "rust_version")).or_default().push(text(package, "name"));
    }
    for (version, names) in crates {
        let probe = Command::new("rustup")
            .args(["run", version, "rustc", "--version"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !probe.is_ok_and(|status| status.success()) {
            eprintln!(
                "SKIPPED: Rust {version} isn't installed, so {} wasn't compiled with it",
                names.join(", ")
            );
            continue;
        }
        let status = Command::new("rustup")
            .args(["run", version, "cargo", "check", "--locked", "--all-features", "--target-dir"])
            .arg(root.join("target/msrv"))
            .args(names.iter().flat_map(|name| ["--package", name]))
            .current_dir(root)
            .status()
            .context("cannot run rustup")?;
        ensure!(status.success(), "{} can't be compiled with Rust {version}", names.join(", "));
    }
    Ok(())
}

/// A version with one to three parts; no version at all is the lowest.
fn parse(version: &str) -> Version {
    let mut parts = version.split(['.', '-']).map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{new_enough, parse, too_low};

    fn workspace(own: &str, direct: &str, indirect: &str, test_only: &str) -> Value {
        let package = |id: &str, source: Value, version: &str| json!({"id": id, "name": id, "source": source, "rust_version": version});
        let dependency = |id: &str, kind: Value| json!({"pkg": id, "dep_kinds": [{"kind": kind}]});
        json!({
            "packages": [
                package("ours", Value::Null, own), package("direct", json!("registry"), direct),
                package("indirect", json!("registry"), indirect), package("test-only", json!("registry"), test_only),
            ],
            "resolve": {"nodes": [
                {"id": "ours", "deps": [dependency("direct", Value::Null), dependency("test-only", json!("dev"))]},
                {"id": "direct", "deps": [dependency("indirect", json!("build"))]},
                {"id": "indirect", "deps": []}, {"id": "test-only", "deps": []},
            ]},
        })
    }

    #[test]
    fn a_rust_version_is_at_least_that_of_every_dependency() {
        assert!(too_low(&workspace("1.89", "1.88.1", "1.89", "1.99")).is_empty());
        assert_eq!(
            too_low(&workspace("1.89", "1.90", "1.89.1", "1.89")),
            ["ours has rust-version 1.89, but direct needs 1.90.0"]
        );
        assert_eq!(
            too_low(&workspace("1.89", "1.60", "1.89.1", "1.89")),
            ["ours has rust-version 1.89, but indirect needs 1.89.1"]
        );
        assert_eq!(too_low(&workspace("", "", "", "")), ["ours has no rust-version"]);
    }

    #[test]
    fn an_old_compiler_is_refused() {
        assert!(new_enough("1.95.0", &workspace("1.60", "", "", "")).is_ok());
        let error = new_enough("1.95.0", &workspace("9.1", "", "", "")).unwrap_err().to_string();
        assert!(error.starts_with("ours needs Rust 9.1; this is Rust 1."), "{error}");
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(parse("1.100") > parse("1.99.3"));
        assert_eq!(parse("1.95"), parse("1.95.0-nightly"));
    }
}
