//! Who the credential belongs to, and where the connection comes from.

use brickwire_sandbox::seed::USER_NAME;

use crate::{program::Brick, workspace::Workspace};

#[test]
fn whoami_says_who() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("whoami").run().done().silent();
    assert!(ran.json().to_string().contains(USER_NAME), "{}", ran.text());
    let ran = workspace.brick("whoami -o table").run().done().silent();
    assert!(ran.text().contains(USER_NAME), "{}", ran.text());
    assert_eq!(workspace.requests("GET", "/api/2.0/preview/scim/v2/Me").len(), 2);
}

#[test]
fn a_service_principal_gets_its_token_once() {
    let workspace = Workspace::fresh();
    let (id, secret) = workspace.sandbox.fresh_client();
    let ran = Brick::new("clusters get shared-analytics")
        .env("DATABRICKS_HOST", workspace.sandbox.url())
        .env("DATABRICKS_CLIENT_ID", &id)
        .env("DATABRICKS_CLIENT_SECRET", &secret)
        .run()
        .done()
        .silent();
    assert_eq!(ran.json()["state"], "RUNNING");
    let requests = workspace.sandbox.requests_of(&id);
    let paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths.iter().filter(|path| path.ends_with("/token")).count(), 1, "{paths:?}");
}

#[test]
fn a_wrong_client_secret_is_not_authenticated() {
    let workspace = Workspace::fresh();
    let (id, _) = workspace.sandbox.fresh_client();
    let ran = Brick::new("whoami")
        .env("DATABRICKS_HOST", workspace.sandbox.url())
        .env("DATABRICKS_CLIENT_ID", &id)
        .env("DATABRICKS_CLIENT_SECRET", "dose-wrong")
        .run()
        .fails(4, &["invalid_client"]);
    assert!(!ran.stderr.contains("dose-wrong"), "{}", ran.stderr);
}

#[test]
fn profiles_connect_too() {
    let workspace = Workspace::fresh();
    let profiles = format!(
        "[DEFAULT]\nhost = {0}\ntoken = dapi-nobody\n\n[work]\nhost = {0}\ntoken = {1}\n",
        workspace.sandbox.url(),
        workspace.token
    );
    let with = |arguments: &str| Brick::new(arguments).file(".databrickscfg", &profiles);
    with("whoami --profile work").run().done();
    with("whoami -p work").run().done();
    with("whoami").env("DATABRICKS_CONFIG_PROFILE", "work").run().done();
    with("whoami").run().fails(4, &[]);
    with("whoami -p nowhere").run().fails(3, &["nowhere"]);
}
