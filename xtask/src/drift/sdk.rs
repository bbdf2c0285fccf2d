//! What an installed SDK knows of the API.
//!
//! Its sources are Python, and Python's own parser reads every version of that language; the parsers for Rust are large
//! and lag behind. So a script prints the facts as JSON. It parses the sources and doesn't import them.

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

const SCRIPT: &str = include_str!("read_sdk.py");

/// The SDK's operations and types.
#[derive(Debug, Deserialize)]
pub(crate) struct Sdk {
    pub(crate) version: Option<String>,
    pub(crate) operations: Vec<Operation>,
    /// By module and name, such as `apps.App`.
    pub(crate) types: BTreeMap<String, Definition>,
    /// What the script did not understand.
    pub(crate) notes: Vec<String>,
}

/// A method that sends a request.
#[derive(Debug, Deserialize)]
pub(crate) struct Operation {
    /// Module, class and method, such as `apps.AppsAPI.create`.
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) path: String,
    /// In the order of the path.
    pub(crate) path_parameters: Vec<Type>,
    pub(crate) query: BTreeMap<String, Type>,
    pub(crate) request: Option<Type>,
    pub(crate) response: Option<Type>,
    /// Members of the response that come in headers.
    pub(crate) response_headers: Vec<String>,
}

/// A class of the SDK.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Definition {
    Enum(Vec<String>),
    Object(BTreeMap<String, Type>),
}

/// A type as an annotation of the SDK says it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Type {
    String,
    Integer,
    Number,
    Boolean,
    Any,
    Bytes,
    List(Box<Type>),
    Map(Box<Type>),
    Named(String),
    Object(BTreeMap<String, Type>),
    /// An object of which the SDK reads only these members.
    Part(BTreeMap<String, Type>),
}

impl Sdk {
    /// The members of an object that has a name.
    pub(crate) fn fields(&self, kind: &Type) -> Option<&BTreeMap<String, Type>> {
        let Type::Named(name) = kind else { return None };
        match self.types.get(name)? {
            Definition::Object(fields) => Some(fields),
            Definition::Enum(_) => None,
        }
    }

    /// The query as it is sent: the members of an object become parameters of their own, such as `filter_by.states`.
    pub(crate) fn flat_query(&self, operation: &Operation) -> Vec<(String, Type)> {
        let mut flat = Vec::new();
        let mut open: Vec<_> = operation.query.iter().map(|(name, kind)| (name.clone(), kind)).collect();
        while let Some((name, kind)) = open.pop() {
            match self.fields(kind) {
                Some(fields) => {
                    open.extend(fields.iter().map(|(field, kind)| (format!("{name}.{field}"), kind)));
                }
                None => flat.push((name, kind.clone())),
            }
        }
        flat.sort_by(|(a, _), (b, _)| a.cmp(b));
        flat
    }
}

impl Operation {
    /// Module and class, such as `apps.AppsAPI`.
    pub(crate) fn class(&self) -> &str {
        self.name.rsplit_once('.').map_or(self.name.as_str(), |(class, _)| class)
    }
}

impl Type {
    /// In words, for the report.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::String => "string".to_owned(),
            Self::Integer => "integer".to_owned(),
            Self::Number => "number".to_owned(),
            Self::Boolean => "boolean".to_owned(),
            Self::Any => "any".to_owned(),
            Self::Bytes => "bytes".to_owned(),
            Self::List(items) => format!("list of {}", items.describe()),
            Self::Map(values) => format!("map of {}", values.describe()),
            Self::Named(name) => name.clone(),
            Self::Object(_) | Self::Part(_) => "object".to_owned(),
        }
    }
}

/// Reads the SDK at `path`.
pub(crate) fn read(path: &Path) -> Result<Sdk> {
    let package = find(path)?;
    let output = run_script(path, &package)?;
    ensure!(
        output.status.success(),
        "cannot read the SDK in {}: {}",
        package.display(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let sdk: Sdk =
        serde_json::from_slice(&output.stdout).context("the script that reads the SDK is broken")?;
    ensure!(!sdk.operations.is_empty(), "no operation was found in the SDK in {}", package.display());
    Ok(sdk)
}

/// The package's folder: what `path` is, what it holds, or what is installed in it.
fn find(path: &Path) -> Result<PathBuf> {
    let mut folders =
        vec![path.to_owned(), path.join("databricks/sdk"), path.join("Lib/site-packages/databricks/sdk")];
    for entry in fs::read_dir(path.join("lib")).into_iter().flatten().flatten() {
        folders.push(entry.path().join("site-packages/databricks/sdk"));
    }
    let is_package =
        |folder: &PathBuf| folder.join("service").is_dir() && folder.join("version.py").is_file();
    match folders.into_iter().find(is_package) {
        Some(folder) => Ok(folder),
        None => bail!(
            "no databricks-sdk in {}: name its package folder (databricks/sdk), or a folder or a virtual environment \
             that it is installed in",
            path.display()
        ),
    }
}

/// Runs the script with the Python of the virtual environment at `path`, or else with the one on the search path.
fn run_script(path: &Path, package: &Path) -> Result<Output> {
    let programs = [
        path.join("bin/python"),
        path.join("Scripts/python.exe"),
        PathBuf::from("python3"),
        PathBuf::from("python"),
    ];
    for program in programs {
        match Command::new(&program).args(["-I", "-c", SCRIPT]).arg(package).output() {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            result => return result.with_context(|| format!("cannot run {}", program.display())),
        }
    }
    bail!("there is no Python, which reads the SDK's sources: install Python 3.8 or newer")
}
