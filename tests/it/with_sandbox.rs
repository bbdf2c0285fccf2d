//! The test that docs/test-with-the-sandbox.md shows, and a check that its page shows these files as they are.

// docs begin
use brickwire_actions::Workspace;
use brickwire_sandbox::{Delays, Sandbox, seed::RUNNING_WAREHOUSE};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A sandbox of its own for a test. It ends when it is dropped.
async fn workspace() -> Result<(Sandbox, Workspace)> {
    let sandbox = Sandbox::builder().with_delays(Delays::NONE).start().await?;
    let workspace = Workspace::builder().host(sandbox.url()).token(sandbox.token()).build()?;
    Ok((sandbox, workspace))
}

#[tokio::test]
async fn trips_are_counted_although_the_service_is_busy() -> Result {
    let (sandbox, workspace) = workspace().await?;
    sandbox.fault("POST /api/2.0/sql/statements: times 1 429 retry-after=0")?;

    let statement = workspace.sql(RUNNING_WAREHOUSE).statement("SELECT count(*) AS trips FROM samples.nyctaxi.trips");
    let rows = statement.execute().await?.collect().await?;

    assert_eq!(rows.deserialize::<(i64,)>()?, [(21_932,)]);
    let sent = sandbox.requests_of(sandbox.token());
    assert_eq!(sent.iter().filter(|request| request.method == "POST").count(), 2);
    Ok(())
}
// docs end

#[test]
fn the_page_shows_the_files_that_are_tested() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap().replace("\r\n", "\n");
    let page = read("../docs/test-with-the-sandbox.md");
    let this = read("it/with_sandbox.rs");
    let rust = this.split_once("// docs begin\n").and_then(|(_, rest)| rest.split_once("// docs end\n")).unwrap().0;
    let conftest = read("pytest/conftest.py");
    let python = conftest.split_once("\n\n").unwrap().1;
    for shown in [rust, python] {
        assert!(page.contains(shown), "docs/test-with-the-sandbox.md doesn't show:\n{shown}");
    }
}
