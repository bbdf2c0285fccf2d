//! `coverage` on a workspace with one small service.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::toy::{Run, xtask};

const FILES: [(&str, &str); 7] = [
    (
        "spec/toys.yaml",
        "
openapi: 3.0.3
info: {title: Toys, version: 0.1.0}
paths:
  /api/2.0/toys:
    get: {operationId: toys_list, tags: [toys], responses: {}}
  /api/2.0/toys/{id}:
    delete: {operationId: toys_delete, tags: [toys], responses: {}}
",
    ),
    (
        "crates/client/src/generated.rs",
        "impl Client { pub async fn toys_list(&self) {} pub async fn toys_delete(&self) {} }",
    ),
    (
        "crates/actions/src/toys.rs",
        "impl Workspace { pub fn toys(&self) -> Toys { Toys } }
         impl Toys { pub async fn list(&self) { client.toys_list() } }",
    ),
    (
        "crates/cli/src/commands/toys.rs",
        "#[derive(Subcommand)] enum Command { List }
         async fn run(command: Command) { match command { Command::List => toys.list().await } }",
    ),
    (
        "crates/sandbox/src/routes/toys.rs",
        r#"fn routes() -> Routes { Router::new().route("/api/2.0/toys", get(list)) }"#,
    ),
    ("crates/actions/tests/it/toys.rs", r#"fn test() { assert_eq!(sent, "GET /api/2.0/toys"); }"#),
    ("docs/commands.md", "## `brick toys list`\n"),
];

struct Workspace {
    folder: TempDir,
}

impl Workspace {
    fn new() -> Self {
        let workspace = Self { folder: tempfile::tempdir().unwrap() };
        for (file, text) in FILES {
            workspace.write(file, text);
        }
        workspace
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn coverage(&self, more: &[&str]) -> Run {
        let root = format!("--root={}", self.path().display());
        xtask(&[&["coverage", &root], more].concat())
    }
}

#[test]
fn the_table_follows_the_sources() {
    let workspace = Workspace::new();
    let run = workspace.coverage(&["--check"]);
    assert_eq!(run.code, Some(1));
    assert_eq!(run.stderr, "docs/coverage.md is stale: run cargo xtask coverage\n");

    let run = workspace.coverage(&[]);
    assert!(run.success && run.stderr.is_empty(), "{}", run.stderr);
    let text = fs::read_to_string(workspace.path().join("docs/coverage.md")).unwrap();
    for line in [
        "| [toys](#toys) | 2 | 2 | 1 | 1 | 1 | 1 |",
        "| `toys_delete` | `DELETE /api/2.0/toys/{id}` | yes | | | | |",
        "| `toys_list` | `GET /api/2.0/toys` | yes | [`Toys::list`](../crates/actions/src/toys.rs) | `brick toys list` | \
         yes | actions |",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    let run = workspace.coverage(&["--check"]);
    assert!(run.success && run.stderr.is_empty(), "{}", run.stderr);

    workspace.write("crates/actions/tests/it/toys.rs", "");
    assert_eq!(workspace.coverage(&["--check"]).code, Some(1));
}

#[test]
fn an_action_needs_a_route_in_the_sandbox() {
    let workspace = Workspace::new();
    workspace.write(
        "crates/sandbox/src/routes/toys.rs",
        r#"fn routes() -> Routes { Router::new().route("/api/2.0/toys", post(create)).route(&secret(), get(list)) }"#,
    );
    let run = workspace.coverage(&[]);
    let findings = "\
crates/sandbox/src/routes/toys.rs: no path is known for & secret ()
toys_list: it has an action, but the sandbox has no route GET /api/2.0/toys
";
    assert!(run.success, "{}", run.stderr);
    assert_eq!(run.stderr, findings);
    let run = workspace.coverage(&["--check"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), findings));
}
