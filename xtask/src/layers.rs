//! Checks the architecture on the resolved dependency graph: who may use whom, and that there is one of each stack.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::metadata::{list, members, text};

/// Each crate of ours, and the crates of ours that it may use outside of its tests. One that isn't in the workspace yet
/// does no harm.
const LAYERS: [(&str, &[&str]); 9] = [
    ("brickwire-wire", &[]),
    ("brickwire-client", &["brickwire-wire"]),
    ("brickwire-actions", &["brickwire-client", "brickwire-wire"]),
    ("brickwire-cli", &["brickwire-actions", "brickwire-sandbox"]),
    ("brickwire-bench", &["brickwire-actions", "brickwire-testserver"]),
    ("brickwire-sandbox", &[]),
    ("brickwire-testserver", &[]),
    ("brickwire-tests", &[]),
    ("xtask", &[]),
];

/// What must be in the tree once at the most, in whatever version.
const SINGLE: [&str; 7] = ["arrow-array", "arrow-schema", "hyper", "reqwest", "rustls", "tokio", "http"];

/// What must not be in the tree: second stacks, and what the generated client does without.
const BANNED: [&str; 7] =
    ["native-tls", "openssl", "openssl-sys", "aws-lc-rs", "ureq", "curl-sys", "progenitor-client"];

/// The findings, one to a line.
pub(crate) fn findings(metadata: &Value) -> Vec<String> {
    let mut found: Vec<String> = members(metadata).flat_map(layer).collect();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in list(&metadata["packages"]) {
        versions.entry(text(package, "name")).or_default().push(text(package, "version"));
    }
    for name in SINGLE {
        if let Some(many) = versions.get(name).filter(|v| v.len() > 1) {
            found.push(format!("{name} is in the tree more than once: {}", many.join(", ")));
        }
    }
    found.extend(
        BANNED.iter().filter(|n| versions.contains_key(*n)).map(|n| format!("{n} must not be in the tree")),
    );
    found
}

fn layer(package: &Value) -> Vec<String> {
    let name = text(package, "name");
    let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == name) else {
        return vec![format!("{name} has no place among the layers; give it one in xtask/src/layers.rs")];
    };
    let ours = |d: &&Value| d["kind"] != "dev" && d["source"].is_null();
    let names = list(&package["dependencies"]).iter().filter(ours).filter_map(|d| d["name"].as_str());
    names.filter(|n| !allowed.contains(n)).map(|n| format!("{name} must not depend on {n}")).collect()
}

#[cfg(test)]
mod tests {
    use super::findings;
    use serde_json::json;

    #[test]
    fn finds_a_wrong_dependency_a_second_version_and_a_second_stack() {
        let ours = |name: &str, uses: &str, kind: serde_json::Value| {
            json!({"name": name, "version": "0.1.0", "source": null,
                   "dependencies": [{"name": uses, "kind": kind, "source": null}]})
        };
        let other = |name: &str, version: &str| json!({"name": name, "version": version, "source": "registry", "dependencies": []});
        let metadata = json!({"packages": [
            ours("brickwire-client", "brickwire-actions", json!(null)),
            ours("brickwire-actions", "brickwire-client", json!(null)),
            ours("brickwire-sandbox", "brickwire-client", json!("dev")),
            ours("brickwire-wire", "brickwire-testserver", json!("dev")),
            ours("brickwire-cli", "brickwire-testserver", json!(null)),
            ours("stranger", "brickwire-client", json!(null)),
            other("reqwest", "0.12.0"), other("reqwest", "0.13.5"), other("openssl-sys", "0.9.0"),
        ]});
        assert_eq!(
            findings(&metadata),
            [
                "brickwire-client must not depend on brickwire-actions",
                "brickwire-cli must not depend on brickwire-testserver",
                "stranger has no place among the layers; give it one in xtask/src/layers.rs",
                "reqwest is in the tree more than once: 0.12.0, 0.13.5",
                "openssl-sys must not be in the tree",
            ]
        );
    }
}
