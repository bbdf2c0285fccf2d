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
}
