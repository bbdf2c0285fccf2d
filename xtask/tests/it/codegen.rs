//! What is generated, and when it counts as out of date.

use std::fs;

use crate::toy::{Toy, tests_folder, xtask};

/// After a change of the generator:
/// `cargo xtask codegen --spec xtask/tests/toy --output xtask/tests/expected/toy.rs`
#[test]
fn the_toy_description_generates_what_is_expected() {
    let expected = tests_folder().join("expected/toy.rs");
    let toy = tests_folder().join("toy");
    let run = xtask(&[
        "codegen".as_ref(),
        "--check".as_ref(),
        "--spec".as_ref(),
        toy.as_path(),
        "--output".as_ref(),
        &expected,
    ]);
    assert!(run.success, "{}{}", run.stdout, run.stderr);
}

#[test]
fn generating_twice_gives_the_same_text() {
    let toy = Toy::new();
    assert_eq!(toy.generate(), toy.generate());
}

#[test]
fn an_operation_is_added_by_one_edit_and_one_command() {
    let toy = Toy::new();
    let before = toy.generate();
    toy.edit(
        "toys.yaml",
        "components:\n",
        "  /api/2.0/toys/{id}/repair:
    post:
      operationId: toys_repair
      tags: [toys]
      x-repeatable: true
      parameters:
        - {$ref: 'common.yaml#/components/parameters/toyId'}
      responses:
        '200': {description: The toy., content: {application/json: {schema: {$ref: '#/components/schemas/Toy'}}}}
components:
",
    );
    let after = toy.generate();

    let added: Vec<&str> = after.lines().filter(|line| !before.lines().any(|old| old == *line)).collect();
    let joined = added.join("\n");
    assert!(joined.contains("pub async fn toys_repair(&self, id: &str)"), "{joined}");
    assert!(
        joined.contains(r#"OperationInfo::new("toys_repair", "POST", "/api/2.0/toys/{id}/repair", true)"#),
        "{joined}"
    );
    assert!(joined.contains("operations::TOYS_REPAIR,"), "{joined}");
    let mut rest = after.lines();
    for line in before.lines() {
        assert!(rest.any(|new| new == line), "lost or moved: {line}");
    }
}

#[test]
fn check_passes_on_what_was_generated() {
    let toy = Toy::new();
    toy.generate();
    assert!(check(&toy).success);
}

#[test]
fn check_shows_what_drifted_and_writes_nothing() {
    let toy = Toy::new();
    let generated = toy.generate();
    toy.edit("toys.yaml", "Whose toys.", "Whose toys these are.");
    let run = check(&toy);
    assert!(!run.success);
    assert!(
        run.stdout.contains("\n-    /// - `owner`: Whose toys.\n+    /// - `owner`: Whose toys these are.\n"),
        "{}",
        run.stdout
    );
    assert!(run.stderr.contains("cargo xtask codegen"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(toy.path().join("generated.rs")).unwrap(), generated);
}

#[test]
fn check_fails_where_nothing_was_generated() {
    let run = check(&Toy::new());
    assert!(!run.success);
    assert!(run.stderr.contains("generated.rs"), "{}", run.stderr);
}

fn check(toy: &Toy) -> crate::toy::Run {
    let output = toy.path().join("generated.rs");
    xtask(&[
        "codegen".as_ref(),
        "--check".as_ref(),
        "--spec".as_ref(),
        toy.path(),
        "--output".as_ref(),
        &output,
    ])
}
