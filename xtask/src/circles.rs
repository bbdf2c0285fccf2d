//! Finds import circles between the files of a crate.
//!
//! Every file outside of tests is a node. File A depends on file B when code in A names, by path, an item that is
//! defined in B. What counts:
//! - Re-exports are followed: `crate::Error` is a dependency on the file that defines `Error`. `pub use` and
//!   `pub(crate) use` are no dependencies themselves, and neither is `mod child;`.
//! - A module that is imported counts by the paths that go through it.
//! - Paths in the tokens of macro calls, and the functions that serde attributes name, count as well.
//! - Methods are invisible: `value.method()` names no file.

pub(crate) mod attributes;
mod load;
mod references;
mod tokens;
mod tree;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// For each file that depends on others: which ones, and by which of their items.
type Graph = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

/// The circles of all crates below `crates/` and of xtask, one to a line; `every_edge` adds a line for each dependency
/// that a circle consists of, with all items.
pub(crate) fn check(root: &Path, every_edge: bool) -> Result<Vec<String>> {
    let mut folders = vec![root.join("xtask")];
    let crates = root.join("crates");
    for entry in fs::read_dir(&crates).with_context(|| format!("cannot read {}", crates.display()))? {
        folders.push(entry?.path());
    }
    folders.sort();
    let mut lines = Vec::new();
    for folder in folders {
        let name = folder.strip_prefix(root).unwrap_or(&folder).display().to_string();
        for crate_root in ["src/lib.rs", "src/main.rs"].map(|file| folder.join(file)) {
            if crate_root.is_file() {
                let graph = graph(&crate_root)?;
                for circle in circles(&graph) {
                    lines.extend(report(&name, &graph, &circle, every_edge));
                }
            }
        }
    }
    Ok(lines)
}

/// The dependencies between the files of the crate that begins at `crate_root`.
fn graph(crate_root: &Path) -> Result<Graph> {
    let (mut tree, sources) = load::load(crate_root)?;
    let mut graph = Graph::new();
    for (module, items) in &sources {
        for reference in references::collect(&mut tree, *module, items) {
            if reference.from != reference.to {
                let from = tree.path(reference.from).to_owned();
                let to = tree.path(reference.to).to_owned();
                graph.entry(from).or_default().entry(to).or_default().insert(reference.item);
            }
        }
    }
    Ok(graph)
}

/// The files that reach each other, grouped; sorted by name.
fn circles(graph: &Graph) -> Vec<BTreeSet<PathBuf>> {
    let reachable: BTreeMap<&Path, BTreeSet<&Path>> =
        graph.keys().map(|file| (file.as_path(), reachable(graph, file))).collect();
    let mut found = BTreeSet::new();
    for (file, reached) in &reachable {
        if reached.contains(file) {
            let back = |other: &&&Path| reachable.get(*other).is_some_and(|there| there.contains(file));
            found.insert(reached.iter().filter(back).map(|path| path.to_path_buf()).collect());
        }
    }
    found.into_iter().collect()
}

/// All files that `start` leads to; `start` itself only if some way leads back.
fn reachable<'a>(graph: &'a Graph, start: &Path) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Path> = vec![start];
    while let Some(file) = open.pop() {
        for next in graph.get(file).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(next.as_path()) {
                open.push(next);
            }
        }
    }
    reached
}

fn report(name: &str, graph: &Graph, circle: &BTreeSet<PathBuf>, every_edge: bool) -> Vec<String> {
    let mut files = Vec::new();
    let mut edges = Vec::new();
    for file in circle {
        let inside = graph[file].iter().filter(|(to, _)| circle.contains(*to));
        let mut used = Vec::new();
        for (to, items) in inside {
            let items: Vec<&str> = items.iter().map(String::as_str).collect();
            used.push(format!("{}:{}", to.display(), items[0]));
            edges.push(format!("  {} -> {}: {}", file.display(), to.display(), items.join(", ")));
        }
        files.push(format!("{} uses {}", file.display(), used.join(", ")));
    }
    let mut lines = vec![format!("{name}: circle of {} files: {}", circle.len(), files.join("; "))];
    if every_edge {
        lines.append(&mut edges);
    }
    lines
}

#[cfg(test)]
mod tests;
