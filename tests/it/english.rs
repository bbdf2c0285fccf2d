//! The register of everything that people read: help, errors, hints, documentation, and comments in the sources. Each
//! phrase here was in a text that readers had to read twice; CONTRIBUTING.md says how we write.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A phrase in lower case, and what to write instead.
const PHRASES: &[(&str, &str)] = &[
    (", as in ", "for example"),
    (" as good as ", "the same as, or practically"),
    (" begun", "started"),
    (" beside ", "in addition to, next to"),
    (" in sight", "visible"),
    (" in vain", "without success"),
    (" is no reason to ", "name the reason"),
    (" nobody", "no one, or name the subject"),
    (" nor may ", "and must not"),
    (" of use ", "ready, or useful"),
    (" seen out", "seen to its end"),
    (" so many bytes", "this number of bytes"),
    (" so many rows", "this number of rows"),
    (" such a thing", "name the thing"),
    (" whoever", "anyone who, or name the subject"),
    (" worth a ", "important enough for"),
    ("behaviour", "behavior"),
    ("colour", "color"),
    ("it by itself", "name what starts it"),
    ("longer than nothing", "greater than zero"),
    ("pretend workspace", "local workspace, or sandbox"),
    ("nothing of it", "no part of it"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files below a folder with one of these extensions, without what is generated and without tests.
fn files(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let is_left_out = name.starts_with('.')
            || ["target", "tests", "api", "generated.rs", "tests.rs"].contains(&name.as_str());
        if is_left_out {
            continue;
        }
        if path.is_dir() {
            files(&path, extensions, found);
        } else if extensions.iter().any(|known| name.ends_with(known)) {
            found.push(path);
        }
    }
}

/// The parts of a line of Rust that people read: its comment and its strings.
fn prose_of_rust(line: &str) -> String {
    let comment = line.find("//").map_or("", |at| &line[at..]);
    let strings = line.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" ");
    format!(" {strings} {comment}")
}

#[test]
fn texts_keep_to_the_register() {
    let root = root();
    let mut found = Vec::new();
    files(&root, &[".md"], &mut found);
    for folder in ["crates", "xtask"] {
        files(&root.join(folder), &[".rs"], &mut found);
    }
    files(&root.join("spec"), &[".yaml"], &mut found);
    found.push(root.join("crates/cli/tests/it/help.txt"));
    assert!(found.len() > 300, "{}", found.len());
    let mut wrong = Vec::new();
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        for (at, line) in text.lines().enumerate() {
            let prose = match path.extension().is_some_and(|extension| extension == "rs") {
                true => prose_of_rust(line),
                false => format!(" {line}"),
            };
            let prose = prose.to_lowercase();
            for (phrase, instead) in PHRASES {
                if prose.contains(phrase) {
                    let place = path.strip_prefix(&root).unwrap().display();
                    wrong.push(format!("{place}:{}: `{}` (write: {instead})", at + 1, phrase.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} phrases to rewrite:\n{}", wrong.len(), wrong.join("\n"));
}
