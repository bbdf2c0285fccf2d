//! Users, groups and service principals.

use crate::workspace::Workspace;

#[test]
fn users_are_found_by_name_created_and_deleted() {
    let workspace = Workspace::fresh();
    let all = workspace.brick("users list").run().done().silent().json();
    assert_eq!(all.as_array().unwrap().len(), 2);
    let grace = workspace.brick("users get grace.sandbox@example.com").run().done().silent().json();
    assert_eq!(grace["groups"][1]["display"], "data-engineers");
    let made =
        workspace.brick("users create new@example.com --display-name").arg("New One").run().done().json();
    assert_eq!((&made["displayName"], &made["active"]), (&"New One".into(), &true.into()));
    workspace.brick("users create NEW@example.com").run().fails(6, &["already exists"]);
    let table = workspace.brick("users list -o csv --filter").arg("userName sw \"new\"").run().done();
    assert!(table.text().contains("new@example.com,New One,true"), "{}", table.text());
    let deleted = workspace.brick("users delete new@example.com").run().done().json();
    assert_eq!((&deleted["id"], &deleted["deleted"]), (&made["id"], &true.into()));
    workspace
        .brick("users get new@example.com")
        .run()
        .fails(5, &["no user has this id or name", "run `brick users list`"]);
    workspace.brick("users list --filter nonsense").run().fails(6, &["filter is not supported"]);
    workspace.brick("users get").arg("").run().fails(2, &["empty"]);
}

#[test]
fn members_of_a_group_come_and_go() {
    let workspace = Workspace::fresh();
    workspace.brick("groups create team").run().done();
    let members =
        "--user grace.sandbox@example.com --service-principal nightly-deployment --group data-engineers";
    let names = |line: &str| {
        let group = workspace.brick(line).run().done().silent().json();
        let members = group["members"].as_array().cloned().unwrap_or_default();
        members.iter().map(|one| one["display"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = names(&format!("groups add-members team {members}"));
    assert_eq!(all, ["Grace Sandbox", "data-engineers", "nightly-deployment"]);
    let robot = "5e3c9f1a-0b8d-4c6e-9a2f-7d1e8b4c0f63";
    assert_eq!(
        names(&format!("groups remove-members team --service-principal {robot} --group data-engineers")),
        ["Grace Sandbox"]
    );
    // A member that isn't there stops the change before it is made.
    workspace
        .brick("groups add-members team --user nobody@example.com")
        .run()
        .fails(5, &["nobody@example.com"]);
    workspace.brick("groups add-members team --user 5").run().fails(5, &["Member with id 5 not found"]);
    workspace.brick("groups add-members team").run().fails(2, &["no members are given"]);
    assert_eq!(names("groups get team"), ["Grace Sandbox"]);
    workspace.brick("groups delete team").run().done();
    workspace.brick("groups delete admins").run().fails(4, &["can't be deleted"]);
    workspace.brick("groups delete adm").run().fails(5, &["no group has this id or name"]);
}

#[test]
fn a_name_that_several_have_stands_for_none() {
    let workspace = Workspace::fresh();
    let made = workspace.brick("service-principals create robot").run().done().json();
    workspace.brick("service-principals create robot").run().done();
    let words = ["several service principals have this name", made["id"].as_str().unwrap()];
    workspace.brick("service-principals delete robot").run().fails(2, &words);
    let id = made["applicationId"].as_str().unwrap();
    workspace.brick(&format!("service-principals delete {id}")).run().done();
    assert_eq!(workspace.requests("DELETE", "/").len(), 1);
    let left = workspace.brick("service-principals list -o csv").run().done();
    assert_eq!(left.text().lines().count(), 3, "{}", left.text());
}

#[test]
fn a_page_that_comes_twice_ends_the_list() {
    let workspace = Workspace::fresh();
    workspace.fault("GET /api/2.0/preview/scim/v2/Users: repeat-page");
    workspace.brick("users list").run().fails(1, &["twice"]);
    assert_eq!(workspace.requests("GET", "/api/2.0/preview/scim").len(), 2);
}
