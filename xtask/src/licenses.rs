//! Which licenses may be in the tree, and where it may come from.

use serde_json::Value;
use spdx::{Expression, ParseMode};

use crate::metadata::{list, text};

/// The same as in deny.toml, whose check needs cargo-deny.
pub(crate) const ALLOWED: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Licenses that single packages may have. The code generator runs on a maintainer's machine only; the prompt brings the
/// others along on Windows.
pub(crate) const EXCEPTIONS: [(&str, &str); 4] = [
    ("progenitor", "MPL-2.0"),
    ("progenitor-impl", "MPL-2.0"),
    ("clipboard-win", "BSL-1.0"),
    ("error-code", "BSL-1.0"),
];

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The findings, one to a line.
pub(crate) fn findings(metadata: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for package in list(&metadata["packages"]) {
        let (name, license, source) = (text(package, "name"), text(package, "license"), &package["source"]);
        if !source.is_null() && source != REGISTRY {
            found.push(format!("{name} must come from crates.io, not from {source}"));
        }
        if !is_allowed(name, license) {
            found.push(format!("{name} has a license that is not allowed: {license:?}"));
        }
    }
    found
}

/// Older packages separate their licenses by a slash.
fn is_allowed(name: &str, license: &str) -> bool {
    let allowed = |license: &str| ALLOWED.contains(&license) || EXCEPTIONS.contains(&(name, license));
    Expression::parse_mode(license, ParseMode::LAX)
        .is_ok_and(|expression| expression.evaluate(|required| allowed(&required.to_string())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ALLOWED, EXCEPTIONS, REGISTRY, findings, is_allowed};

    #[test]
    fn one_of_the_alternatives_must_be_allowed_and_everything_that_is_joined() {
        for license in [
            "MIT",
            "GPL-2.0-only OR MIT",
            "MIT/Apache-2.0",
            "(MIT OR GPL-3.0-only) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(is_allowed("any", license), "{license}");
        }
        for license in ["", "GPL-3.0-only", "MIT AND GPL-3.0-only", "MPL-2.0", "no license at all"] {
            assert!(!is_allowed("any", license), "{license}");
        }
        assert!(is_allowed("progenitor", "MPL-2.0"));
    }

    #[test]
    fn cargo_deny_has_the_same_rules() {
        let rules = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../deny.toml")).unwrap();
        let (_, rest) = rules.split_once("\nallow = [").unwrap();
        let (list, rest) = rest.split_once(']').unwrap();
        let allowed: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
        assert_eq!(allowed, ALLOWED);
        for (name, license) in EXCEPTIONS {
            assert!(rest.contains(&format!("{{ crate = {name:?}, allow = [{license:?}] }}")), "{name}");
        }
        assert_eq!(rest.matches(", allow = [").count(), EXCEPTIONS.len());
    }

    #[test]
    fn a_foreign_license_and_a_foreign_source_are_found() {
        let package = |name: &str, license: &str, source: &str| json!({"name": name, "license": license, "source": source});
        let metadata = json!({"packages": [
            {"name": "ours", "license": "MIT", "source": null},
            package("good", "MIT", REGISTRY), package("strict", "GPL-3.0-only", REGISTRY),
            package("fork", "MIT", "git+https://example.com/fork"),
        ]});
        assert_eq!(
            findings(&metadata),
            [
                "strict has a license that is not allowed: \"GPL-3.0-only\"",
                "fork must come from crates.io, not from \"git+https://example.com/fork\"",
            ]
        );
    }
}
