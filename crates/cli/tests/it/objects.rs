//! Notebooks, files, and folders of the workspace.

use brickwire_testserver::Response;
use serde_json::json;

use crate::{scripted::Server, workspace::Workspace};

const IMPORT: &str = "/api/2.0/workspace/import";
const NOTEBOOK: &str = "# Databricks notebook source\nprint(1)\n";

#[test]
fn files_and_notebooks_go_in_and_come_out() {
    let workspace = Workspace::fresh();
    let import = |line: &str| workspace.brick(&format!("workspace import {line}")).file("a.py", NOTEBOOK);
    import("a.py /Shared/new/a.py")
        .run()
        .fails(5, &["The parent folder (/Shared/new)", "hint: add --parents"]);
    import("a.py /Shared/new/a.py --parents").run().done().silent();
    import("a.py /Shared/new/b").run().done();
    import("a.py /Shared/new/a.py").run().fails(6, &["RESOURCE_ALREADY_EXISTS", "hint: add --overwrite"]);
    import("a.py /Shared/new/a.py --overwrite").run().done();
    import("- /Shared/new/c.bin --format raw").stdin(*b"\0\xff\r\n").run().done();
    import("- /Shared/new/q --language sql").stdin("SELECT 1").run().done();
    let listed = workspace.brick("workspace ls /Shared/new -o csv").run().done().silent();
    let kinds: Vec<_> =
        listed.text().lines().skip(1).map(|line| line.rsplitn(3, ',').nth(2).unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "/Shared/new/a,NOTEBOOK,PYTHON,",
            "/Shared/new/b,NOTEBOOK,PYTHON,",
            "/Shared/new/c.bin,FILE,,4",
            "/Shared/new/q,NOTEBOOK,SQL,"
        ]
    );
    assert_eq!(workspace.brick("workspace export /Shared/new/a").run().done().silent().text(), NOTEBOOK);
    assert_eq!(workspace.brick("workspace export /Shared/new/c.bin").run().done().stdout, b"\0\xff\r\n");
    let got = workspace.brick("workspace get /Workspace/Shared/new/q").run().done().json();
    assert_eq!((&got["language"], &got["path"]), (&json!("SQL"), &json!("/Shared/new/q")));
    workspace.brick("workspace get /Shared/none").run().fails(5, &["doesn't exist"]);
    workspace
        .brick("workspace rm /Shared/new")
        .run()
        .fails(6, &["DIRECTORY_NOT_EMPTY", "hint: add --recursive"]);
    let gone = workspace.brick("workspace rm /Shared/new --recursive").run().done().json();
    assert_eq!(gone, json!({ "path": "/Shared/new", "deleted": true }));
    workspace.brick("workspace mkdirs /Shared/x/y").run().done().silent();
    let tree = workspace.brick("workspace ls /Shared/x -r").run().done().json();
    assert_eq!(tree[0]["path"], "/Shared/x/y");
}

#[test]
fn a_folder_goes_in_and_comes_out() {
    let workspace = Workspace::fresh();
    let local = tempfile::tempdir().unwrap();
    let (from, to) = (local.path().join("from"), local.path().join("to"));
    std::fs::create_dir_all(from.join("sub ü/empty")).unwrap();
    std::fs::create_dir(from.join(".git")).unwrap();
    for (name, content) in [("n.py", NOTEBOOK), ("sub ü/50%41.txt", "text"), (".git/config", "no")] {
        std::fs::write(from.join(name), content).unwrap();
    }
    let import = || workspace.brick("workspace import --recursive").arg(&from).arg("/Shared/copy");
    let imported = import().run().done().says(&["left out: ", ".git"]).json();
    let paths: Vec<_> =
        imported.as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/Shared/copy/n.py", "/Shared/copy/sub ü/50%41.txt"]);
    import().run().fails(6, &["cannot import /Shared/copy/n.py", "hint: add --overwrite"]);
    import().arg("--overwrite").run().done();
    let export = || workspace.brick("workspace export -r /Shared/copy").arg(&to);
    let exported = export().arg("-o").arg("csv").run().done().silent();
    let rows = exported.text().replace("\r\n", "\n");
    assert!(rows.starts_with("PATH,FILE\n/Shared/copy/n,"), "{rows}");
    for name in ["n.py", "sub ü/50%41.txt"] {
        assert_eq!(std::fs::read(to.join(name)).unwrap(), std::fs::read(from.join(name)).unwrap());
    }
    assert!(to.join("sub ü/empty").is_dir() && !to.join(".git").exists());
    let before = workspace.requests("GET", "/api/2.0/workspace/export").len();
    export().run().fails(3, &["the file exists: ", "n.py", "hint: add --overwrite"]);
    assert_eq!(workspace.requests("GET", "/api/2.0/workspace/export").len(), before);
    export().arg("--overwrite").run().done();
}

#[test]
fn a_local_file_is_not_replaced() {
    let workspace = Workspace::fresh();
    let local = tempfile::tempdir().unwrap();
    let file = local.path().join("check.ipynb");
    let export = || workspace.brick("workspace export /Shared/import/check --format jupyter").arg(&file);
    export().run().done();
    let notebook: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(notebook["cells"].as_array().unwrap().len(), 3);
    std::fs::write(&file, "mine").unwrap();
    export().run().fails(3, &["the file exists: ", "check.ipynb"]);
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    export().arg("--overwrite").run().done();
}

#[test]
fn an_import_is_repeated_only_if_it_may_overwrite() {
    let workspace = Workspace::fresh();
    workspace.fault("POST /api/2.0/workspace/import: after reset times 2");
    let import =
        |more: &str| workspace.brick(&format!("workspace import a /Shared/a {more}")).file("a", "x").run();
    import("").fails(7, &["outcome unknown"]);
    assert_eq!(workspace.requests("POST", IMPORT).len(), 1);
    import("--overwrite").done();
    assert_eq!(workspace.requests("POST", IMPORT).len(), 3);
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    let workspace = Workspace::fresh();
    let large = vec![0; (10 << 20) + 1];
    for (line, code, words) in [
        ("workspace ls Shared", 2, "not absolute"),
        ("workspace get /Shared/../x", 2, ".."),
        ("workspace import large /Shared/x", 2, "larger than 10 MB"),
        ("workspace import small /Shared/x --format source", 2, "language"),
        ("workspace import small /Shared/x --format word", 2, "word"),
        ("workspace import none /Shared/x", 3, "none"),
        ("workspace import . /Shared/x", 2, "--recursive"),
        ("workspace import -r . /Shared/x", 2, "larger than 10 MB"),
        ("workspace import -r none /Shared/x", 3, "none"),
        ("workspace import -r . /Shared/x --format raw", 2, "cannot be used with"),
        ("workspace export -r /Shared", 2, "FILE"),
        ("workspace rm / --recursive", 2, "cannot be deleted"),
        ("workspace rm -r /Workspace/Shared/", 2, "cannot be deleted"),
    ] {
        workspace.brick(line).file("small", "x").file("large", &large).run().fails(code, &[words]);
    }
    assert!(workspace.sandbox.requests_of(&workspace.token).is_empty());
}

#[test]
fn names_from_the_service_stay_within_the_folder() {
    let local = tempfile::tempdir().unwrap();
    for (path, words) in [
        ("/a/../../evil", "cannot be the name of a local file"),
        ("/a/b/../../../evil", "cannot be the name of a local file"),
        ("/elsewhere/evil", "of another folder: /elsewhere/evil"),
    ] {
        let listed = json!({ "objects": [{ "path": path, "object_type": "FILE" }] }).to_string();
        let server = Server::handling(move |request| match request.path() {
            "/api/2.0/workspace/list" => Response::json(listed.clone()),
            _ => Response::json(r#"{"content":"eA=="}"#),
        });
        let folder = local.path().join("x/y/z");
        server.brick("workspace export -r /a").arg(&folder).run().fails(1, &[words]);
        assert!(!folder.exists() && server.sent().len() == 1);
    }
}
