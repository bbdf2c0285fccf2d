//! BRICK_OUTPUT: the format where none is given.

use crate::{program::Brick, workspace::Workspace};

#[test]
fn it_replaces_auto_and_an_option_comes_before_it() {
    let workspace = Workspace::fresh();
    let sql = |options: &str, format: &str| {
        workspace.sql(options, "SELECT 1 AS n").env("BRICK_OUTPUT", format).run().done().silent()
    };
    for (options, format, expected) in [
        ("", "csv", "n\n1\n"),
        ("", "jsonl", "{\"n\":1}\n"),
        ("", "table", "n\n1\n"),
        ("-o jsonl", "csv", "{\"n\":1}\n"),
        ("-o auto", "csv", "[\n  {\"n\":1}\n]\n"),
        ("", "", "[\n  {\"n\":1}\n]\n"),
        ("", "auto", "[\n  {\"n\":1}\n]\n"),
    ] {
        assert_eq!(sql(options, format).text().replace('\r', ""), expected, "{options} {format}");
    }
    // What the command line asks for in other ways counts, too.
    #[cfg(feature = "jq")]
    assert_eq!(sql("--jq .[].n", "csv").text(), "1\n");
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("rows.csv");
    let brick = workspace.sql("", "SELECT 1 AS n").arg("--out").arg(&out).env("BRICK_OUTPUT", "json");
    brick.run().done();
    assert_eq!(std::fs::read_to_string(out).unwrap().replace('\r', ""), "n\n1\n");
    // The vendor's variable has other values.
    let brick = workspace.sql("", "SELECT 1 AS n").env("DATABRICKS_OUTPUT_FORMAT", "text");
    assert_eq!(brick.run().done().silent().text(), "[\n  {\"n\":1}\n]\n");
}

#[test]
fn errors_are_json_where_it_says_so() {
    let brick = |arguments: &str, format: &str| Brick::new(arguments).env("BRICK_OUTPUT", format).run();
    assert_eq!(brick("whoami", "json").fails(3, &[]).json_error()["kind"], "configuration");
    assert_eq!(brick("clusters lst", "jsonl").fails(2, &[]).json_error()["kind"], "usage");
    for (arguments, format) in [("clusters lst -o csv", "json"), ("clusters lst", "csv")] {
        assert!(brick(arguments, format).fails(2, &[]).stderr.starts_with("error: "), "{arguments}");
    }
}

#[test]
fn a_wrong_value_is_named_before_anything_is_sent() {
    let workspace = Workspace::fresh();
    for (value, words) in [
        ("text", ["BRICK_OUTPUT is not an output format: text", "tip: set it to a format of -o"]),
        ("JSON", ["BRICK_OUTPUT is not an output format: JSON", "tip: "]),
        ("parquet", ["BRICK_OUTPUT can't be a format that only rows have", "tip: add -o"]),
    ] {
        workspace.brick("clusters list").env("BRICK_OUTPUT", value).run().fails(2, &words);
        workspace.brick("clusters list -o csv").env("BRICK_OUTPUT", value).run().done();
    }
    assert_eq!(workspace.requests("GET", "/").len(), 3);
}
