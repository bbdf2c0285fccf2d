//! Where code comes from: files of the workspace, of volumes and of DBFS, notebooks of the workspace, and either of this
//! machine by a `file:` URL.

use std::path::Path;

use crate::{
    call::Call,
    routes::{
        contexts::context::NO_EXEC,
        files,
        workspace::{
            notebook::{Cell, cells, language_of},
            object::Kind,
            tree::{Objects, normal, parent},
        },
    },
};

/// How deep notebooks may run each other.
const DEEPEST: usize = 8;
/// How many steps a notebook may have in all.
const MOST_STEPS: usize = 10_000;

/// A part of a task that runs in one go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Python { name: String, source: String },
    Sql(String),
}

/// The content of a file.
pub(in crate::routes) fn file(call: &Call, path: &str) -> Result<String, String> {
    if let Some(local) = local(call, path) {
        return local;
    }
    files::text(call, path).unwrap_or_else(|| read(call, path, Kind::File).map(|(_, content)| content))
}

/// The content of a file of this machine, if that is what the path says. Those who may run code may read it anyway.
fn local(call: &Call, path: &str) -> Option<Result<String, String>> {
    let local = path.strip_prefix("file:")?;
    if call.server.options.no_exec {
        return Some(Err(NO_EXEC.to_owned()));
    }
    let local = Path::new(local.strip_prefix("//").unwrap_or(local));
    Some(std::fs::read_to_string(local).map_err(|error| format!("{error}: {}", local.display())))
}

/// The language and the content of an object.
fn read(call: &Call, path: &str, kind: Kind) -> Result<(String, String), String> {
    let missing = || match kind {
        Kind::Notebook => format!("The notebook {path} does not exist."),
        _ => format!("The file {path} does not exist."),
    };
    let objects = call.tenant.state::<Objects>();
    let known = objects.lock();
    let object =
        normal(path).ok().and_then(|path| known.get(&path).ok()).filter(|object| object.kind == kind);
    let object = object.ok_or_else(missing)?;
    let content = std::str::from_utf8(&object.content).map_err(|_| format!("{path} is not text."))?;
    Ok((object.language().to_owned(), content.to_owned()))
}

/// The code of a notebook, cell by cell.
pub(super) fn notebook(call: &Call, path: &str) -> Result<Vec<String>, String> {
    let (language, source) = load(call, path)?;
    Ok(cells(&source, &language).into_iter().map(|cell| cell.text).collect())
}

/// The language and the content of a notebook.
fn load(call: &Call, path: &str) -> Result<(String, String), String> {
    match local(call, path) {
        Some(source) => {
            let extension = path.rsplit('.').next().unwrap_or_default();
            Ok((language_of(extension).unwrap_or("PYTHON").to_owned(), source?))
        }
        None => read(call, path, Kind::Notebook),
    }
}

/// The steps of a notebook, with those of the notebooks that it runs in their places.
pub(super) fn steps(call: &Call, path: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    add_steps(call, path, 0, &mut steps)?;
    Ok(steps)
}

fn add_steps(call: &Call, path: &str, depth: usize, steps: &mut Vec<Step>) -> Result<(), String> {
    if depth > DEEPEST {
        return Err(format!("Notebooks run each other more than {DEEPEST} levels deep: {path}"));
    }
    let (language, source) = load(call, path)?;
    for (n, Cell { magic, text }) in cells(&source, &language).into_iter().enumerate() {
        let word = magic.unwrap_or_else(|| language.to_lowercase());
        match word.as_str() {
            "md" | "md-sandbox" | "pip" => {}
            _ if text.trim().is_empty() => {}
            "python" => steps.push(Step::Python { name: format!("{path} (cell {})", n + 1), source: text }),
            "sql" => steps.push(Step::Sql(text)),
            "run" => add_steps(call, &other(path, &text)?, depth + 1, steps)?,
            word => return Err(format!("%{word} is not supported by the sandbox in notebooks of jobs")),
        }
        if steps.len() > MOST_STEPS {
            return Err(format!("The notebook has more than {MOST_STEPS} cells: {path}"));
        }
    }
    Ok(())
}

/// The notebook that `%run` names in a notebook.
fn other(path: &str, argument: &str) -> Result<String, String> {
    let name = argument.trim().trim_matches('"');
    if name.contains(" $") {
        return Err("Arguments of %run are not supported by the sandbox".to_owned());
    }
    if name.starts_with('/') {
        return Ok(name.to_owned());
    }
    let mut folder = parent(path).to_owned();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => folder = parent(&folder).to_owned(),
            part => folder = format!("{folder}/{part}"),
        }
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notebook_is_found_from_another() {
        for (argument, found) in [
            ("./b", "/Shared/x/b"),
            ("b", "/Shared/x/b"),
            ("../b c/d", "/Shared/b c/d"),
            ("\"/Users/a/b\"", "/Users/a/b"),
        ] {
            assert_eq!(other("/Shared/x/a", argument).as_deref(), Ok(found), "{argument}");
        }
        assert!(other("/a", "./b $day=\"1\"").is_err());
    }
}
