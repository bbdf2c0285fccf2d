//! Git folders.

use serde_json::json;

use crate::workspace::Workspace;

#[test]
fn a_git_folder_is_cloned_switched_and_deleted() {
    let workspace = Workspace::fresh();
    let url = "https://github.com/example/etl.git";
    let made = workspace.brick(&format!("repos create {url}")).run().done().silent().json();
    assert_eq!((&made["provider"], &made["branch"]), (&json!("gitHub"), &json!("main")));
    let path = made["path"].as_str().unwrap();
    workspace.brick(&format!("repos create {url}")).run().fails(6, &["RESOURCE_ALREADY_EXISTS"]);
    for which in [path.to_owned(), made["id"].to_string()] {
        assert_eq!(workspace.brick(&format!("repos get {which}")).run().done().silent().json(), made);
    }
    let next = workspace.brick(&format!("repos update {path} --branch next")).run().done().json();
    assert!(next["branch"] == "next" && next["head_commit_id"] != made["head_commit_id"], "{next}");
    let tagged = workspace.brick(&format!("repos update {path} --tag v1")).run().done().json();
    assert!(tagged.get("branch").is_none(), "{tagged}");
    let listed = workspace.brick("repos list -o csv").run().done().silent();
    assert!(listed.text().contains(path), "{}", listed.text());
    let other = workspace.brick("repos list --prefix /Shared").run().done().json();
    assert_eq!(other, json!([]));
    workspace.brick("repos delete /Shared/import").run().fails(2, &["not a Git folder"]);
    let gone = workspace.brick(&format!("repos delete {path}")).run().done().json();
    assert_eq!(gone, json!({ "id": made["id"], "deleted": true }));
    workspace.brick(&format!("repos get {path}")).run().fails(5, &["doesn't exist"]);
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    let workspace = Workspace::fresh();
    for (line, words) in [
        ("repos create https://git.example.com/a/b", "hint: set --provider"),
        ("repos create https://ada:hush@github.com/a/b", "contains credentials"),
        ("repos update 5", "--branch"),
        ("repos update 5 --branch a --tag b", "cannot be used with"),
        ("repos get Repos/a", "not absolute"),
    ] {
        let ran = workspace.brick(line).run().fails(2, &[words]);
        assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
    }
    assert!(workspace.sandbox.requests_of(&workspace.token).is_empty());
}
