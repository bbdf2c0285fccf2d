//! Jupyter notebooks, version 4 of their format. Only what says how to run them is read: sources, tags, titles, and
//! the language. Outputs are passed over.

use brickwire_client::types::CommandLanguage;
use serde::Deserialize;

use super::cell::{RawCell, language_named};
use crate::{Error, Result};

#[derive(Deserialize)]
struct Document {
    nbformat: u32,
    #[serde(default)]
    cells: Vec<Cell>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    #[serde(rename = "application/vnd.databricks.v1+notebook")]
    databricks: Databricks,
    kernelspec: Kernel,
    language_info: Kernel,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Databricks {
    language: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Kernel {
    language: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Cell {
    cell_type: String,
    #[serde(default)]
    source: Source,
    #[serde(default)]
    metadata: CellMetadata,
}

/// Text, or its lines, which have their ends.
#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    Text(String),
    Lines(Vec<String>),
}

impl Default for Source {
    fn default() -> Self {
        Self::Lines(Vec::new())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CellMetadata {
    tags: Vec<String>,
    #[serde(rename = "application/vnd.databricks.v1+cell")]
    databricks: Titled,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Titled {
    title: Option<String>,
}

/// The cells of a notebook, and its language unless one is given.
pub(super) fn read(text: &str, given: Option<CommandLanguage>) -> Result<(Vec<RawCell>, CommandLanguage)> {
    let document: Document = serde_json::from_str(text).map_err(|error| {
        Error::usage(format!(
            "this is not a Jupyter notebook: line {} column {}",
            error.line(),
            error.column()
        ))
        .with_source(error)
    })?;
    if document.nbformat != 4 {
        let message = format!("version {} of the notebook format is not supported", document.nbformat);
        return Err(
            Error::usage(message).with_hint("convert it to version 4: jupyter nbconvert --to notebook FILE")
        );
    }
    let language = match given {
        Some(language) => language,
        None => language(&document.metadata)?,
    };
    Ok((document.cells.into_iter().map(raw).collect(), language))
}

/// The language that the service wrote counts first, then the kernel's. A notebook that names none is Python.
fn language(metadata: &Metadata) -> Result<CommandLanguage> {
    let Metadata { databricks, kernelspec, language_info } = metadata;
    let named = [&databricks.language, &kernelspec.language, &language_info.name, &kernelspec.name]
        .into_iter()
        .flatten();
    let mut unknown = None;
    for name in named {
        match language_named(name) {
            Some(language) => return Ok(language),
            None => unknown = unknown.or(Some(name)),
        }
    }
    match unknown {
        None => Ok(CommandLanguage::Python),
        Some(name) => Err(Error::usage(format!("the notebook's language is not supported: {name}"))
            .with_hint("choose python, scala, sql, or r with `language`")),
    }
}

fn raw(cell: Cell) -> RawCell {
    let has = |tag: &str| cell.metadata.tags.iter().any(|own| own == tag);
    let skip = match cell.cell_type.as_str() {
        "code" if has("skip-execution") => Some("skip-execution"),
        "code" => None,
        "markdown" | "heading" => Some("markdown"),
        _ => Some("raw"),
    };
    RawCell {
        line: None,
        title: cell.metadata.databricks.title.clone().filter(|title| !title.trim().is_empty()),
        skip,
        may_fail: has("raises-exception"),
        has_parameters: has("parameters"),
        text: match cell.source {
            Source::Text(text) => text,
            Source::Lines(lines) => lines.concat(),
        }
        .replace("\r\n", "\n"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sources_tags_and_titles_are_read_and_outputs_are_not() {
        let text = json!({
            "nbformat": 4, "nbformat_minor": 5,
            "metadata": { "kernelspec": { "name": "python3", "display_name": "Python 3" } },
            "cells": [
                { "cell_type": "markdown", "source": ["# Title\n", "text"], "metadata": {} },
                { "cell_type": "code", "source": "a = 1\r\nb = 2", "outputs": [{ "output_type": 7 }], "execution_count": null },
                { "cell_type": "code", "source": ["%sql\n", "SELECT 1"], "metadata": {
                    "tags": ["parameters", "raises-exception"],
                    "application/vnd.databricks.v1+cell": { "title": "Load", "showTitle": true, "nuid": "x" } } },
                { "cell_type": "code", "source": [], "metadata": { "tags": ["skip-execution"] } },
                { "cell_type": "raw" },
            ],
        });
        let (cells, language) = read(&text.to_string(), None).unwrap();
        assert_eq!(language, CommandLanguage::Python);
        let seen: Vec<_> = cells.iter().map(|cell| (cell.text.as_str(), cell.skip)).collect();
        assert_eq!(
            seen,
            [
                ("# Title\ntext", Some("markdown")),
                ("a = 1\nb = 2", None),
                ("%sql\nSELECT 1", None),
                ("", Some("skip-execution")),
                ("", Some("raw")),
            ]
        );
        assert_eq!(cells[2].title.as_deref(), Some("Load"));
        assert!(cells[2].may_fail && cells[2].has_parameters && !cells[1].may_fail);
    }

    #[test]
    fn the_language_is_the_services_then_the_kernels_then_python() {
        let language = |metadata: serde_json::Value| {
            let text = json!({ "nbformat": 4, "cells": [], "metadata": metadata }).to_string();
            read(&text, None).map(|(_, language)| language)
        };
        let kernel = json!({ "language": "scala", "name": "spylon" });
        let both =
            json!({ "application/vnd.databricks.v1+notebook": { "language": "sql" }, "kernelspec": kernel });
        assert_eq!(language(both).unwrap(), CommandLanguage::Sql);
        assert_eq!(language(json!({ "kernelspec": kernel })).unwrap(), CommandLanguage::Scala);
        assert_eq!(language(json!({ "kernelspec": { "name": "ir" } })).unwrap(), CommandLanguage::R);
        assert_eq!(language(json!({})).unwrap(), CommandLanguage::Python);
        let error = language(json!({ "kernelspec": { "name": "julia-1.9" } })).unwrap_err();
        assert!(error.to_string().contains("julia-1.9"), "{error}");
    }

    #[test]
    fn what_is_not_version_4_is_refused() {
        for (text, words) in [
            ("{", "line 1 column 1"),
            (r#"{"nbformat": 3, "worksheets": []}"#, "version 3"),
            (r#"{"cells": []}"#, "not a Jupyter notebook"),
            (r#"{"nbformat": 4, "cells": [{"cell_type": "code", "source": 7}]}"#, "not a Jupyter notebook"),
        ] {
            let error = read(text, None).err().unwrap();
            assert_eq!(error.kind(), crate::ErrorKind::Usage);
            assert!(error.to_string().contains(words), "{text}: {error}");
        }
    }
}
