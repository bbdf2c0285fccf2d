use super::*;
use crate::ErrorKind;

/// What a notebook sends: cell, line, language, code. What is skipped has its reason as the language.
fn sent(notebook: &Notebook, parameters: &[Parameter]) -> Vec<(usize, Option<usize>, String, String)> {
    let steps = notebook.steps(&[], parameters).unwrap();
    let sent = steps.into_iter().map(|step| match step.action {
        CellAction::Run { language, code } => (step.cell, step.line, language.to_string(), code),
        CellAction::Prepare { code } => (step.cell, step.line, "prepare".to_owned(), code),
        CellAction::Skip { reason } => (step.cell, step.line, reason.to_owned(), String::new()),
    });
    sent.collect()
}

fn parse(text: &str) -> Notebook {
    Notebook::parse(text, None, None).unwrap()
}

fn expect(notebook: &Notebook, expected: &[(usize, usize, &str, &str)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(cell, line, language, code)| {
            (*cell, Some(*line).filter(|line| *line > 0), (*language).to_owned(), (*code).to_owned())
        })
        .collect();
    assert_eq!(sent(notebook, &[]), expected);
}

const NOTEBOOK: &str = "\
# Databricks notebook source
x = 6

# COMMAND ----------

# MAGIC %md
# MAGIC ## Title
y = 'looks like code'

# COMMAND ----------

# DBTITLE 1,Load trips
# MAGIC %sql
# MAGIC SELECT 1;
# MAGIC -- the second; one
# MAGIC SELECT 2;

# COMMAND ----------

# COMMAND ----------

# only a comment

# COMMAND ----------

# MAGIC %sql
# MAGIC -- only a comment
";

#[test]
fn cells_are_steps_with_their_lines() {
    let notebook = parse(NOTEBOOK);
    assert_eq!((notebook.cell_count(), notebook.noun()), (6, "cell"));
    expect(
        &notebook,
        &[
            (1, 2, "python", "x = 6"),
            (2, 6, "markdown", ""),
            (3, 14, "sql", "SELECT 1"),
            (3, 16, "sql", "-- the second; one\nSELECT 2"),
            (4, 0, "empty", ""),
            (5, 22, "python", "# only a comment"),
            (6, 26, "empty", ""),
        ],
    );
    let titles: Vec<_> = notebook.steps(&[3..=3], &[]).unwrap().into_iter().map(|step| step.title).collect();
    assert_eq!(titles, [Some("Load trips".to_owned()), Some("Load trips".to_owned())]);
}

#[test]
fn each_mark_is_a_language_and_r_is_chosen() {
    for (mark, path, given, language) in [
        ("#", None, None, "python"),
        ("--", None, None, "sql"),
        ("//", None, None, "scala"),
        ("#", Some("etl.R"), None, "r"),
        ("#", None, Some(CommandLanguage::R), "r"),
        ("#", Some("etl.py"), Some(CommandLanguage::Python), "python"),
    ] {
        let text = format!("{mark} Databricks notebook source\nf(1)");
        let notebook = Notebook::parse(&text, path.map(Path::new), given).unwrap();
        assert_eq!(sent(&notebook, &[])[0].2, language, "{mark}");
    }
    let other =
        Notebook::parse("-- Databricks notebook source\nSELECT 1", None, Some(CommandLanguage::Python));
    assert_eq!(other.unwrap_err().kind(), ErrorKind::Usage);
    assert!(Notebook::parse("x = 1", None, None).is_err());
}

#[test]
fn what_cannot_run_is_refused_with_its_place_unless_it_is_not_chosen() {
    let notebook =
        parse("# Databricks notebook source\nx = 1\n# COMMAND ----------\n\n# MAGIC %sh rm -r x\n");
    let refusal = notebook.steps(&[], &[]).unwrap_err();
    assert_eq!((refusal.cell, refusal.line, refusal.error.kind()), (Some(2), Some(5), ErrorKind::Usage));
    assert!(refusal.error.hint().is_some(), "{refusal}");
    assert_eq!(notebook.steps(&[1..=1], &[]).unwrap().len(), 1);
    for wrong in [3..=3, 0..=1, 2..=9] {
        let refusal = notebook.steps(std::slice::from_ref(&wrong), &[]).unwrap_err();
        assert!(refusal.to_string().contains("there are 2 cells"), "{wrong:?}: {refusal}");
    }
    let text = parse("# Databricks notebook source\n# MAGIC %md x");
    assert!(text.steps(&[], &[]).unwrap_err().to_string().contains("no code to run"));
}

#[test]
fn a_script_is_a_notebook_of_statements() {
    let script = Notebook::of_code("-- first\nUSE main;\n\nSELECT ';';\n", None, &CommandLanguage::Sql);
    assert_eq!((script.cell_count(), script.noun()), (2, "statement"));
    expect(&script, &[(1, 2, "sql", "-- first\nUSE main"), (2, 4, "sql", "SELECT ';'")]);
    let code = Notebook::of_code("x = 1\ny = 2", None, &CommandLanguage::Python);
    expect(&code, &[(1, 1, "python", "x = 1\ny = 2")]);
}

#[test]
fn parameters_are_widgets_and_literals() {
    let notebook = parse(
        "# Databricks notebook source\nprint(dbutils.widgets.get('zip'))\n# COMMAND ----------\n# MAGIC %sql SELECT :zip",
    );
    let parameters = [Parameter::new("zip", "it's")];
    let sent = sent(&notebook, &parameters);
    assert_eq!((sent[0].2.as_str(), sent[1].2.as_str()), ("prepare", "python"));
    assert!(sent[0].3.contains("_brick_parameters({\"zip\": \"it's\"})"), "{}", sent[0].3);
    assert_eq!(sent[2].3, r"SELECT 'it\'s'");
    assert!(notebook.unused(&parameters).is_empty());
    assert_eq!(notebook.unused(&[Parameter::new("zap", "1")]), ["zap"]);
    let shown = format!("{:?}", notebook.steps(&[], &parameters).unwrap());
    assert!(!shown.contains("it's"), "{shown}");
    // Without Python there are no widgets to set.
    let sql = parse("-- Databricks notebook source\nSELECT :zip").steps(&[], &parameters).unwrap();
    assert_eq!(sql.len(), 1);
}

#[test]
fn a_tagged_cell_is_followed_by_assignments() {
    let text = r#"{"nbformat": 4, "cells": [
        {"cell_type": "code", "source": "n = 1", "metadata": {"tags": ["parameters"]}},
        {"cell_type": "code", "source": "print(n)"}]}"#;
    let notebook = parse(text);
    let sent_with = sent(&notebook, &[Parameter::new("n", "5")]);
    let kinds: Vec<_> = sent_with.iter().map(|(cell, _, language, _)| (*cell, language.as_str())).collect();
    assert_eq!(kinds, [(1, "prepare"), (1, "python"), (1, "prepare"), (2, "python")]);
    assert_eq!(sent_with[2].3, "n = 5\n");
    expect(&notebook, &[(1, 0, "python", "n = 1"), (2, 0, "python", "print(n)")]);
}

#[test]
fn a_file_beside_the_notebook_runs_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    };
    let main = "# Databricks notebook source\n# MAGIC %run ./lib/helpers\n# COMMAND ----------\nprint(f(1))";
    let path = write("main.py", main);
    write(
        "lib/helpers.py",
        "# Databricks notebook source\ndef f(x): return x\n# COMMAND ----------\n# MAGIC %run ../plain",
    );
    write("plain.sql", "USE main;\nSELECT 1");
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap();
        Notebook::parse(&text, Some(path), None).unwrap()
    };
    let notebook = read(&path);
    expect(
        &notebook,
        &[
            (1, 2, "python", "def f(x): return x"),
            (1, 1, "sql", "USE main"),
            (1, 2, "sql", "SELECT 1"),
            (2, 4, "python", "print(f(1))"),
        ],
    );
    let file = notebook.steps(&[], &[]).unwrap()[0].file.clone().unwrap();
    assert!(file.ends_with("helpers.py"), "{file}");

    let circle = write("circle.py", "# Databricks notebook source\n# MAGIC %run ./circle");
    let refusal = read(&circle).steps(&[], &[]).unwrap_err();
    assert!(refusal.to_string().contains("within itself"), "{refusal}");
    for depth in 0..12 {
        write(
            &format!("deep{depth}.py"),
            &format!("# Databricks notebook source\n# MAGIC %run ./deep{}", depth + 1),
        );
    }
    write("deep12.py", "x = 1");
    let refusal = read(&folder.path().join("deep0.py")).steps(&[], &[]).unwrap_err();
    assert!(refusal.to_string().contains("more than 10 deep"), "{refusal}");
    assert_eq!(read(&folder.path().join("deep3.py")).steps(&[], &[]).unwrap().len(), 1);

    // The place is that of the magic in the file that has it.
    write("lib/helpers.py", "# Databricks notebook source\n\n# MAGIC %sh ls");
    let refusal = read(&path).steps(&[], &[]).unwrap_err();
    assert_eq!((refusal.cell, refusal.line), (Some(1), Some(3)));
    assert!(refusal.file.unwrap().ends_with("helpers.py"));
    let missing = write("missing.py", "# Databricks notebook source\n# MAGIC %run ./nowhere");
    let refusal = read(&missing).steps(&[], &[]).unwrap_err();
    assert_eq!((refusal.cell, refusal.line, refusal.error.kind()), (Some(1), Some(2), ErrorKind::Usage));
}

#[test]
fn a_cell_that_counts_on_the_editor_is_known() {
    let text = "# Databricks notebook source\n# MAGIC %sql SELECT 1\n# COMMAND ----------\n_sqldf.show()";
    assert_eq!(parse(text).cells_with_sqldf(), [2]);
    assert!(is_source(b"\xef\xbb\xbf# Databricks notebook source\r\nx") && !is_source(b"# x\n\xff"));
}

#[test]
fn lines_of_sql_are_those_of_the_file() {
    let text = "# Databricks notebook source\nx = 1\n\n# COMMAND ----------\n\n# MAGIC %sql\n# MAGIC SELECT 1;\n# MAGIC SELECT\n# MAGIC   y FROM t\n";
    let steps = parse(text).steps(&[2..=2], &[]).unwrap();
    let (place, part) = steps[1].place_in("[UNRESOLVED_COLUMN] y; line 2 pos 2").unwrap();
    assert_eq!((place.line, place.column, part), (9, 3, 23..35));
    let open = parse(&text.replace("y FROM", "'y FROM")).steps(&[], &[]).unwrap_err();
    assert_eq!((open.cell, open.line), (Some(2), Some(9)));
    assert_eq!(open.to_string(), "the string that starts in line 9 is not closed");
}
