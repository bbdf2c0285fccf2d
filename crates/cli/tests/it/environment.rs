//! docs/environment.md lists all variables that the code has.

use std::{fs, path::Path};

/// The names in quotes that begin with one of these.
const OURS: [&str; 3] = ["BRICK_", "DATABRICKS_", "ARM_"];

/// The names of variables in the code of this folder, without its tests.
fn names(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            names(&path, found);
        } else if name.ends_with(".rs") && !name.contains("test") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let is_name = |word: &&str| {
                let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
                OURS.iter().any(|start| word.starts_with(start) && word.len() > start.len())
                    && word.chars().all(is_upper)
            };
            found.extend(code.split('"').filter(is_name).map(str::to_owned));
        }
    }
}

#[test]
fn every_variable_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = fs::read_to_string(root.join("docs/environment.md")).unwrap();
    let mut found = Vec::new();
    for folder in ["wire", "actions", "cli", "sandbox"] {
        names(&root.join("crates").join(folder).join("src"), &mut found);
    }
    found.sort();
    found.dedup();
    assert!(found.len() > 25 && found.iter().any(|name| name == "BRICK_OUTPUT"), "{found:?}");
    let missing: Vec<_> = found.iter().filter(|name| !docs.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "not in docs/environment.md: {missing:?}");
}
