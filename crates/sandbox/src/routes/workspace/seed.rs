//! The objects of a fresh workspace: the folders that each has, and the files that the seeded jobs run.

use super::{
    notebook,
    object::{Kind, Object},
};
use crate::tenant::USER_NAME;

/// Path and content. What begins as the source of a notebook is one.
const FILES: [(&str, &str); 4] = [
    (
        "/Shared/report/extract.py",
        "import sys\n\nprint('extracting', sys.argv[1])\ndbutils.jobs.taskValues.set('rows', 3)\n",
    ),
    ("/Shared/report/report.sql", "SELECT :day AS day, count(*) AS trips FROM samples.nyctaxi.trips\n"),
    ("/Shared/import/load.py", "print('loaded 3 files')\n"),
    (
        "/Shared/import/check",
        "# Databricks notebook source\nprint('checking')\n\n# COMMAND ----------\n\n\
         if dbutils.widgets.get('strict') != 'false':\n    raise ValueError('2 of 3 files are damaged')\n\n\
         # COMMAND ----------\n\ndbutils.notebook.exit('3 files are good')\n",
    ),
];

/// The objects by their paths; their ids are still to be given.
pub(super) fn objects(now_ms: u64) -> Vec<(String, Object)> {
    let folders = ["", "/Users", "/Shared", "/Repos", "/Shared/report", "/Shared/import"].map(str::to_owned);
    let own = [home(), format!("/Repos/{USER_NAME}")];
    let folders = folders.into_iter().chain(own).map(|path| (path, Object::folder(0, now_ms)));
    let files = FILES.iter().map(|(path, content)| {
        let is_notebook = notebook::is_source(content, "PYTHON");
        let object = Object {
            kind: if is_notebook { Kind::Notebook } else { Kind::File },
            language: is_notebook.then(|| "PYTHON".to_owned()),
            content: content.as_bytes().into(),
            ..Object::folder(0, now_ms)
        };
        ((*path).to_owned(), object)
    });
    folders.chain(files).collect()
}

/// The folder of the user who owns everything.
pub(super) fn home() -> String {
    format!("/Users/{USER_NAME}")
}
