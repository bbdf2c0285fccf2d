//! Libraries on clusters.

use brickwire_sandbox::seed::{RUNNING_CLUSTER, TERMINATED_CLUSTER};
use serde_json::json;

use crate::workspace::Workspace;

#[test]
fn libraries_are_installed_listed_and_uninstalled() {
    let workspace = Workspace::fresh();
    let install =
        "libraries install shared-analytics --pypi simplejson==3.19.2 --maven a:b:1 --whl /Volumes/x.whl";
    let ran = workspace.brick(install).run().done().says(&["INSTALLING: 3 of 3 left", "is DONE"]);
    let states: Vec<_> = ran.json().as_array().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert_eq!(states, ["INSTALLED"; 3]);
    let ran = workspace.brick("libraries list shared-analytics -o csv").run().done().silent();
    assert!(ran.text().contains("INSTALLED,simplejson==3.19.2,"), "{}", ran.text());
    let all = workspace.brick("libraries list").run().done().silent().json();
    assert_eq!(all[0]["cluster_id"], RUNNING_CLUSTER);

    let ran = workspace.brick("libraries install shared-analytics --jar /Volumes/missing.jar").run();
    ran.exits(
        8,
        &["a library was not installed: {\"jar\":\"/Volumes/missing.jar\"}: Library installation failed"],
    );
    // One that failed before doesn't make another's installation a failure.
    workspace.brick("libraries install shared-analytics --cran ada").run().done();

    let ran = workspace.brick("libraries uninstall shared-analytics --maven a:b:1").run().done().silent();
    assert_eq!(ran.json(), json!({ "cluster_id": RUNNING_CLUSTER, "uninstall_on_restart": true }));
    let ran = workspace.brick("libraries list shared-analytics -o csv").run().done();
    assert!(ran.text().contains("UNINSTALL_ON_RESTART,,a:b:1,"), "{}", ran.text());
}

#[test]
fn a_terminated_cluster_is_not_waited_for() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("libraries install nightly-etl --requirements /Volumes/r.txt").run().done();
    let ran = ran.says(&[TERMINATED_CLUSTER, "is not running: the libraries are installed when it starts"]);
    assert_eq!(ran.json()[0]["status"], "PENDING");
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    let workspace = Workspace::fresh();
    for (line, words) in [
        ("libraries install shared-analytics", "no library is given"),
        ("libraries uninstall shared-analytics --pypi=", "is empty"),
        ("libraries install --pypi a", "CLUSTER"),
    ] {
        workspace.brick(line).run().fails(2, &[words]);
    }
    assert!(workspace.sandbox.requests_of(&workspace.token).is_empty());
}
