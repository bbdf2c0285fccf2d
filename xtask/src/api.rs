//! The public API of each published library, one item to a line, in `docs/api`: a change of it shows in the review.
//!
//! rustdoc writes the API as JSON and the `public-api` crate makes lines of it. Both are bound to the compiler: the JSON
//! is an unstable output, and its format changes with the compiler. It is therefore only compared with the compiler that
//! `[workspace.metadata.toolchain]` names; `xtask/public-api/Cargo.toml` has the version that reads its format.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use similar::TextDiff;

use crate::metadata::{self, list, members, text};

/// If it is set, this program is cargo's rustdoc; the value is the real one.
const RUSTDOC: &str = "XTASK_RUSTDOC";

/// The client's module of generated types. All of them have the same implementations, which the generator's own tests
/// cover.
const GENERATED: &str = "types";

/// Stands in for rustdoc where cargo runs this program instead of it.
///
/// Stable compilers write JSON only with `RUSTC_BOOTSTRAP=1`. Cargo itself must not have that in its environment: the
/// build scripts of many crates look at it, so nearly all dependencies would be compiled again.
pub(crate) fn stand_in() -> Option<ExitCode> {
    let rustdoc = env::var_os(RUSTDOC)?;
    let status = Command::new(rustdoc).args(env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").status();
    Some(if status.is_ok_and(|status| status.success()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes all snapshots.
pub(crate) fn write(root: &Path) -> Result<()> {
    let folder = root.join("docs/api");
    fs::create_dir_all(&folder)?;
    for (name, api) in listings(root)? {
        fs::write(folder.join(format!("{name}.txt")), api)?;
    }
    Ok(())
}

/// Compares all snapshots with the code; the result has the differences.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for (name, api) in listings(root)? {
        let file = format!("docs/api/{name}.txt");
        match fs::read_to_string(root.join(&file)) {
            Ok(snapshot) if snapshot == api => {}
            Ok(snapshot) => {
                let difference = TextDiff::from_lines(&snapshot, &api);
                findings
                    .push(difference.unified_diff().context_radius(0).header(&file, "the code").to_string());
            }
            Err(error) => findings.push(format!("cannot read {file}: {error}")),
        }
    }
    Ok(findings)
}

/// Each published library's name and API.
fn listings(root: &Path) -> Result<Vec<(String, String)>> {
    let metadata = metadata::load(root)?;
    let libraries = libraries(&metadata);
    document(root)?;
    let mut listings = Vec::new();
    for (package, library) in libraries {
        let json = PathBuf::from(text(&metadata, "target_directory")).join(format!("doc/{library}.json"));
        let api = list_items(root, &json)?;
        listings.push((package.to_owned(), condense(&api, library)));
    }
    Ok(listings)
}

/// The packages that have a library and can be published, with the name of the library.
fn libraries(metadata: &Value) -> Vec<(&str, &str)> {
    members(metadata)
        .filter(|package| package["publish"].is_null())
        .filter_map(|package| {
            let targets = list(&package["targets"]);
            let library = targets.iter().find(|t| list(&t["kind"]).iter().any(|kind| kind == "lib"))?;
            Some((text(package, "name"), text(library, "name")))
        })
        .collect()
}

/// Has rustdoc write the JSON of all libraries. Its features are those of the documentation, so that no dependency has
/// to be compiled for this alone.
fn document(root: &Path) -> Result<()> {
    let rustdoc = env::var_os("RUSTDOC").unwrap_or_else(|| OsString::from("rustdoc"));
    let status = Command::new(metadata::cargo())
        .args(["doc", "--workspace", "--lib", "--no-deps", "--quiet"])
        .args(["--features", "brickwire-cli/full,brickwire-cli/sandbox"])
        .env("RUSTDOC", env::current_exe()?)
        .env(RUSTDOC, rustdoc)
        .env("RUSTDOCFLAGS", "-Z unstable-options --output-format json --cap-lints allow")
        .current_dir(root)
        .status()
        .context("cannot run cargo doc")?;
    ensure!(status.success(), "cargo doc ended with {status}");
    Ok(())
}

fn list_items(root: &Path, json: &Path) -> Result<String> {
    let output = Command::new(metadata::cargo())
        .args([
            "run",
            "--quiet",
            "--locked",
            "--manifest-path",
            "xtask/public-api/Cargo.toml",
            "--target-dir",
        ])
        .arg(root.join("target"))
        .arg("--")
        .arg(json)
        .current_dir(root)
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cannot read {}: {}", json.display(), String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Leaves out what all generated types have by rule: implementations, and what is associated with them.
fn condense(api: &str, library: &str) -> String {
    let types = format!("{library}::{GENERATED}::");
    let is_ruled = |line: &str| {
        let associated =
            ["pub const ", "pub fn ", "pub type "].iter().find_map(|start| line.strip_prefix(start));
        let implementation = line.strip_prefix("impl").and_then(|_| line.rsplit(' ').next());
        associated.or(implementation).is_some_and(|path| path.starts_with(&types))
    };
    api.lines().filter(|line| !is_ruled(line)).flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{condense, libraries};

    #[test]
    fn published_libraries_have_a_snapshot() {
        let package = |name: &str, kind: &str, publish: serde_json::Value| {
            json!({"name": name, "source": null, "publish": publish,
                   "targets": [{"kind": ["test"], "name": "it"}, {"kind": [kind], "name": name.replace('-', "_")}]})
        };
        let metadata = json!({"packages": [
            package("brickwire-wire", "lib", json!(null)), package("brickwire-cli", "bin", json!(null)),
            package("brickwire-testserver", "lib", json!([])),
        ]});
        assert_eq!(libraries(&metadata), [("brickwire-wire", "brickwire_wire")]);
    }

    #[test]
    fn generated_types_keep_their_fields_and_lose_what_all_of_them_have() {
        let kept = "impl brickwire_client::Client\n\
                    #[non_exhaustive] pub enum brickwire_client::types::Kind\n\
                    pub brickwire_client::types::Kind::One\n\
                    pub async fn brickwire_client::Client::get(&self) -> brickwire_client::Result<brickwire_client::types::Kind>\n\
                    pub fn brickwire_client::kind() -> brickwire_client::types::Kind\n";
        let ruled = "impl core::fmt::Display for brickwire_client::types::Kind\n\
                     pub fn brickwire_client::types::Kind::fmt(&self) -> core::fmt::Result\n";
        assert_eq!(condense(&format!("{kept}{ruled}"), "brickwire_client"), kept);
        assert_eq!(condense(ruled, "brickwire_actions"), ruled, "the types of another crate");
    }
}
