//! Permissions of objects.

use brickwire_sandbox::seed::{RUNNING_WAREHOUSE, USER_NAME};

use crate::workspace::Workspace;

#[test]
fn permissions_are_read_replaced_and_added() {
    let workspace = Workspace::fresh();
    let object = format!("sql/warehouses {RUNNING_WAREHOUSE}");
    let got = workspace.brick(&format!("permissions get {object}")).run().done().silent().json();
    assert_eq!(got["object_id"], format!("/sql/warehouses/{RUNNING_WAREHOUSE}"));
    let run = |what: &str, rest: &str| workspace.brick(&format!("permissions {what} {object} {rest}")).run();
    let added = run("update", "--group data-engineers=can_use").done().silent().json();
    assert_eq!(added["access_control_list"].as_array().unwrap().len(), 3);
    let set = run("set", &format!("--user {USER_NAME}=CAN_MANAGE")).done().json();
    let first = &set["access_control_list"][0];
    assert_eq!(
        (&first["user_name"], &first["all_permissions"][0]["permission_level"]),
        (&USER_NAME.into(), &"CAN_MANAGE".into())
    );
    assert_eq!(run("set", "--none").done().json()["access_control_list"].as_array().unwrap().len(), 1);
    let levels = run("levels", "-o csv").done().silent();
    assert!(
        levels.text().replace("\r\n", "\n").starts_with("LEVEL,DESCRIPTION\nCAN_USE,Can use\n"),
        "{}",
        levels.text()
    );
    run("update", "--user nobody@example.com=CAN_USE").fails(5, &["does not exist"]);
    workspace.brick("permissions set jobs 7 --none").run().fails(6, &["exactly one owner"]);
    workspace.brick("permissions get planets 7").run().fails(6, &["planets"]);
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    let workspace = Workspace::fresh();
    for (line, words) in [
        ("permissions set jobs 7", "no permissions are given"),
        ("permissions set jobs 7 --none --user a=CAN_VIEW", "cannot be used with"),
        ("permissions update jobs 7", "`brick permissions set`"),
        ("permissions update jobs 7 --user ada@example.com", "NAME=LEVEL"),
        ("permissions get jobs/.. 7", "`..`"),
    ] {
        workspace.brick(line).run().fails(2, &[words]);
    }
    assert!(workspace.sandbox.requests_of(&workspace.token).is_empty());
}
