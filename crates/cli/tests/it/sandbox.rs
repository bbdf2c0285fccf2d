//! The local workspace inside `brick`, and what a build without it says.

#[cfg(not(feature = "sandbox"))]
#[test]
fn a_build_without_it_says_how_to_get_it() {
    use crate::program::Brick;
    let words = ["no sandbox", "cargo install --path crates/cli --features full,sandbox"];
    for arguments in
        ["sandbox", "sandbox --port 0", "--sandbox whoami", "whoami --sandbox", "--sandbox sql x"]
    {
        Brick::new(arguments).run().fails(3, &words);
    }
    // Also where a connection is configured: it is not used instead.
    let workspace = crate::workspace::Workspace::fresh();
    workspace.brick("--sandbox whoami").run().fails(3, &words);
    assert!(workspace.requests("GET", "/").is_empty());
}

#[cfg(feature = "sandbox")]
#[test]
fn one_command_runs_against_a_workspace_of_its_own() {
    use crate::program::Brick;
    let ran = Brick::new("--sandbox sql -o csv").arg("SELECT 6 * 7 AS n").run().done();
    assert_eq!(ran.text().replace("\r\n", "\n"), "n\n42\n");
    let workspace = crate::workspace::Workspace::fresh();
    workspace.brick("--sandbox clusters list").run().done();
    assert!(workspace.requests("GET", "/").is_empty());
    for option in ["--host https://example.com", "-p DEFAULT", "--ca-file ca.pem"] {
        let line = format!("clusters list --sandbox {option}");
        Brick::new(&line).run().fails(2, &["--sandbox cannot be used with --"]);
    }
}

#[cfg(all(unix, feature = "sandbox"))]
#[test]
fn a_directory_keeps_the_workspace() {
    use crate::program::Brick;
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("workspace");
    let sandbox = || Brick::new("sandbox --data").arg(&directory);
    let brick = |command: &str| {
        let known: serde_json::Value =
            serde_json::from_slice(&std::fs::read(directory.join("sandbox.json")).unwrap()).unwrap();
        let host = format!("http://127.0.0.1:{}", known["port"]);
        let token = known["token"].as_str().unwrap();
        Brick::new(command).env("DATABRICKS_HOST", host).env("DATABRICKS_TOKEN", token)
    };
    let first = sandbox().start().until_said("login code:");
    brick("sql --warehouse")
        .arg(brickwire_sandbox::seed::RUNNING_WAREHOUSE)
        .arg("CREATE TABLE kept AS SELECT 42 AS n")
        .run()
        .done();
    sandbox().run().fails(3, &["cannot run the sandbox", "in use by another sandbox"]);
    first.signal("TERM");
    let first = first.end().exits(143, &[]);

    let second = sandbox().start().until_said("login code:");
    let rows = brick("sql -o csv --warehouse")
        .arg(brickwire_sandbox::seed::RUNNING_WAREHOUSE)
        .arg("SELECT n FROM kept")
        .run()
        .done();
    assert_eq!(rows.text().replace("\r\n", "\n"), "n\n42\n");
    second.signal("INT");
    let second = second.end().exits(130, &[]);
    let token = |ran: &crate::program::Ran| ran.text().lines().nth(1).map(str::to_owned);
    assert!(token(&first).is_some_and(|line| line.starts_with("export DATABRICKS_TOKEN=")));
    assert_eq!(token(&first), token(&second));
}
