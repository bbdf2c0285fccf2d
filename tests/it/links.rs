//! Every link of the documentation leads to a file and a heading that exist, and `docs/README.md` leads to every guide.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Component, Path, PathBuf},
};

fn root() -> PathBuf {
    normal(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut found = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                found.pop();
            }
            Component::CurDir => {}
            other => found.push(other),
        }
    }
    found
}

fn markdown(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if (name.starts_with('.') && name != ".github") || name == "target" || name == "node_modules" {
            continue;
        }
        if path.is_dir() {
            markdown(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// The lines outside of blocks of code, without what is in backticks.
fn prose(text: &str) -> Vec<String> {
    let mut in_code = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            // Every second part is code; a lone backtick starts none.
            let parts: Vec<&str> = line.split('`').collect();
            let is_closed = parts.len() % 2 == 1;
            lines.push(if is_closed {
                parts.into_iter().step_by(2).collect::<Vec<_>>().join("code")
            } else {
                line.to_owned()
            });
        }
    }
    lines
}

/// What the links and images of a text point to.
fn targets(text: &str) -> Vec<String> {
    prose(text)
        .iter()
        .flat_map(|line| line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).collect::<Vec<_>>())
        .map(|(target, _)| target.to_owned())
        .collect()
}

/// The anchors that GitHub gives to the headings.
fn anchors(text: &str) -> HashSet<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut in_code = false;
    let mut found = HashSet::new();
    for line in text.lines() {
        in_code ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if in_code || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let anchor: String =
            kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect();
        let count = seen.entry(anchor.clone()).or_default();
        found.insert(if *count == 0 { anchor } else { format!("{anchor}-{count}") });
        *count += 1;
    }
    found
}

/// What is wrong with the links of the file at `path` with this text.
fn findings(path: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for target in targets(text) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
        let linked =
            if file.is_empty() { path.to_owned() } else { normal(&path.parent().unwrap().join(file)) };
        if !linked.exists() {
            found.push(format!("{}: there is no {file}", path.display()));
        } else if !anchor.is_empty() {
            let linked_text =
                if linked == path { text.to_owned() } else { fs::read_to_string(&linked).unwrap() };
            if !anchors(&linked_text).contains(anchor) {
                found.push(format!("{}: {} has no heading #{anchor}", path.display(), linked.display()));
            }
        }
    }
    found
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut paths = Vec::new();
    markdown(&root(), &mut paths);
    let (mut wrong, mut links) = (Vec::new(), 0);
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        links += targets(&text).len();
        wrong.extend(findings(&path, &text));
    }
    assert!(links > 100, "{links}");
    assert!(wrong.is_empty(), "{} broken links:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_index_leads_to_every_guide() {
    let folder = root().join("docs");
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    let linked: HashSet<String> =
        targets(&index).iter().map(|target| target.split('#').next().unwrap().to_owned()).collect();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_guide = name.ends_with(".md") && name != "README.md";
        assert!(!is_guide || linked.contains(&name), "docs/README.md does not link to {name}");
    }
}

#[test]
fn a_broken_link_is_found_and_code_has_none() {
    let path = root().join("README.md");
    let text = "# Title `x`\n[a](#title-x) [b](nowhere.md) ![c](docs/none.svg) [d](docs/errors.md#none) `[e](f.md)`\n\
                ```\n# no heading\n[g](h.md)\n```\n[i](#no-heading)\n# Title x\n[j](#title-x-1) [k](https://example.com)\n";
    let found = findings(&path, text);
    let expected = ["nowhere.md", "docs/none.svg", "#none", "#no-heading"];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (finding, end) in found.iter().zip(expected) {
        assert!(finding.ends_with(end), "{finding}");
    }
}
