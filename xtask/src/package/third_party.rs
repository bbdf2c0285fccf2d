//! The licenses of everything that is linked into `brick`, as one text. cargo-about writes it; here it is said what it
//! looks at, and checked that the text is whole.

use std::{fmt::Write as _, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::place::Place;
use crate::{
    licenses::{ALLOWED, EXCEPTIONS},
    metadata::{self, list, members, text},
    process::finish,
    tools::{Tool, target_folder},
};

const CARGO_ABOUT: Tool = Tool { name: "cargo-about", version: "0.9.3", features: "cli" };

/// What the text is called in a package.
pub(crate) const FILE: &str = "THIRD-PARTY-LICENSES.txt";

const TEMPLATE: &str = include_str!("licenses.hbs");

/// Writes the text for the package, and returns its file.
pub(crate) fn write(place: &Place) -> Result<PathBuf> {
    let Some(program) = CARGO_ABOUT.find(&target_folder(&place.root)?)? else {
        bail!("a package needs {} {}, which cannot be installed", CARGO_ABOUT.name, CARGO_ABOUT.version);
    };
    let folder = place.empty("licenses")?;
    let (rules, template, file) = (folder.join("about.toml"), folder.join("licenses.hbs"), folder.join(FILE));
    fs::write(&rules, rules_for(&place.target))?;
    fs::write(&template, TEMPLATE)?;
    let mut command = Command::new(program);
    command.args([
        "generate",
        "--offline",
        "--locked",
        "--fail",
        "--features",
        place.kind.features(),
        "--config",
    ]);
    command.arg(&rules).arg("--output-file").arg(&file);
    command.arg("--manifest-path").arg(place.root.join("crates/cli/Cargo.toml")).arg(&template);
    finish(command.current_dir(&place.root))?;
    let made = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    check(&made, &metadata::load(&place.root)?)?;
    Ok(file)
}

/// Fails unless the text has every crate that is always linked in, and licenses at all.
pub(crate) fn check(made: &str, metadata: &Value) -> Result<()> {
    ensure!(made.contains("Apache License"), "{FILE} has no text of a license");
    for name in always_linked(metadata) {
        ensure!(made.contains(&format!("\n- {name} ")), "{FILE} lacks {name}");
    }
    Ok(())
}

/// The dependencies of the published libraries that no feature and no target takes away.
pub(super) fn always_linked(metadata: &Value) -> impl Iterator<Item = &str> {
    let ours = ["brickwire-wire", "brickwire-client", "brickwire-actions"];
    let dependencies = members(metadata)
        .filter(move |package| ours.contains(&text(package, "name")))
        .flat_map(|package| list(&package["dependencies"]));
    dependencies
        .filter(|d| !d["source"].is_null() && d["kind"].is_null() && d["target"].is_null())
        .filter(|d| d["optional"] == false)
        .map(|d| text(d, "name"))
}

/// The rules of licenses.rs in the words of cargo-about, for what is linked on the target.
fn rules_for(target: &str) -> String {
    let mut rules = format!(
        "accepted = {ALLOWED:?}\ntargets = [{target:?}]\nmax-depth = 2\n\
         ignore-build-dependencies = true\nignore-dev-dependencies = true\n"
    );
    for (name, license) in EXCEPTIONS {
        let _ = write!(rules, "\n[{name}]\naccepted = [{license:?}]\n");
    }
    rules
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{check, rules_for};

    #[test]
    fn a_text_that_lacks_a_crate_or_any_license_is_refused() {
        let dependency = |name: &str, optional: bool| json!({"name": name, "source": "registry", "kind": null, "target": null, "optional": optional});
        let metadata = json!({"packages": [{"name": "brickwire-wire", "source": null, "dependencies": [
            dependency("bytes", false), dependency("arrow", true),
            {"name": "tempfile", "source": "registry", "kind": "dev", "target": null, "optional": false},
        ]}]});
        check("- bytes 1.0\nApache License", &metadata).unwrap_err();
        check("\n- bytes 1.0\nApache License", &metadata).unwrap();
        let error = check("\n- bytes-utils 1.0\nApache License", &metadata).unwrap_err().to_string();
        assert_eq!(error, "THIRD-PARTY-LICENSES.txt lacks bytes");
        let error = check("\n- bytes 1.0\n", &metadata).unwrap_err().to_string();
        assert_eq!(error, "THIRD-PARTY-LICENSES.txt has no text of a license");
        check("", &metadata).unwrap_err();
    }

    #[test]
    fn the_rules_are_those_of_the_other_check() {
        let rules = rules_for("x86_64-pc-windows-msvc");
        assert!(rules.starts_with("accepted = [\"0BSD\", \"Apache-2.0\", "), "{rules}");
        assert!(rules.contains("\ntargets = [\"x86_64-pc-windows-msvc\"]\n"), "{rules}");
        assert!(rules.contains("\n[clipboard-win]\naccepted = [\"BSL-1.0\"]\n"), "{rules}");
    }
}
