//! The workspace's own folders as a place of files: what goes in comes out, notebooks as their source.

use super::*;

const SHARED: &str = "/Workspace/Shared";
const NOTEBOOK: &str = "# Databricks notebook source\nprint('ü')\n";
const IMPORT: &str = "/api/2.0/workspace/import";

fn shared(path: &str) -> PathBuf {
    format!("{SHARED}/{path}").into()
}

/// Path and type of all below a folder.
fn listed(workspace: &Workspace, path: &str) -> Vec<String> {
    let listed = workspace.brick("files ls -r -o csv").arg(shared(path)).run().done().silent();
    let rows = listed.text().lines().skip(1);
    rows.map(|row| row.splitn(3, ',').take(2).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn a_tree_goes_there_and_back_byte_for_byte() {
    let workspace = Workspace::fresh();
    let local = folder(&[("%41 ü/a b.txt", "one"), ("%41 ü/deep/empty", ""), ("plain.py", "print(1)\n")]);
    // The service would make notebooks, or an archive's content, of what these names promise.
    let odd = format!("{ODD}.Rmd");
    for name in ["report.html", "archive.dbc", &odd] {
        fs::write(local.path().join(name), b"PK\x03\x04\0\xff\r\n").unwrap();
    }
    copy(&workspace, "-r", local.path(), shared("new")).run().done().says(&["copied 6 files"]);
    let odd_row = format!("{odd} FILE");
    let expected = [
        odd_row.as_str(),
        "%41 ü DIRECTORY",
        "archive.dbc FILE",
        "plain.py FILE",
        "report.html FILE",
        "%41 ü/a b.txt FILE",
        "%41 ü/deep DIRECTORY",
        "%41 ü/deep/empty FILE",
    ];
    assert_eq!(listed(&workspace, "new"), expected.map(|row| format!("/Shared/new/{row}")));
    let formats = workspace.requests("POST", IMPORT).into_iter().map(|request| {
        let body = request.body.unwrap();
        let path = body["path"].as_str().unwrap().to_owned();
        (path, body["format"].as_str().unwrap().to_owned())
    });
    let not_raw: Vec<_> = formats.filter(|(_, format)| format != "RAW").collect();
    assert_eq!(not_raw, [(format!("{SHARED}/new/plain.py"), "AUTO".to_owned())]);
    let back = tempfile::tempdir().unwrap();
    copy(&workspace, "-r", shared("new/"), back.path()).run().done().says(&["copied 6 files"]);
    for name in ["%41 ü/a b.txt", "%41 ü/deep/empty", "plain.py", "report.html", "archive.dbc", &odd] {
        let bytes = |folder: &Path| fs::read(folder.join(name)).unwrap();
        assert_eq!(bytes(back.path()), bytes(local.path()), "{name}");
    }
    // Nothing is replaced, here or there, unless asked.
    fs::write(local.path().join("plain.py"), "changed").unwrap();
    let again = |options: &str| copy(&workspace, options, local.path().join("plain.py"), shared("new")).run();
    again("").fails(6, &["already exists", "hint: add --overwrite"]);
    let plain = format!("{SHARED}/new/plain.py");
    assert_eq!(cat(&workspace, &plain), "print(1)\n");
    again("--overwrite").done();
    assert_eq!(cat(&workspace, &plain), "changed");
    let exports = || workspace.requests("GET", "/api/2.0/workspace/export").len();
    let (before, down) = (exports(), |options| copy(&workspace, options, &plain, back.path()).run());
    down("").fails(3, &["the file exists: ", "hint: add --overwrite"]);
    assert_eq!(exports(), before);
    down("--overwrite").done();
    assert_eq!(fs::read(back.path().join("plain.py")).unwrap(), b"changed");
}

#[test]
fn a_notebook_is_its_source() {
    let workspace = Workspace::fresh();
    let local = folder(&[("n.py", NOTEBOOK)]);
    copy(&workspace, "", local.path().join("n.py"), shared("")).run().done();
    copy(&workspace, "", local.path().join("n.py"), shared("report/exact name")).run().done();
    let there = listed(&workspace, "");
    for notebook in ["/Shared/n NOTEBOOK", "/Shared/report/exact name NOTEBOOK"] {
        assert!(there.iter().any(|row| row == notebook), "{there:?}");
    }
    assert_eq!(cat(&workspace, &format!("{SHARED}/n")), NOTEBOOK);
    workspace
        .brick("files cat")
        .arg(shared("n.py"))
        .run()
        .fails(5, &["there is no such file", "hint: a notebook is named without an extension"]);
    // It stays a notebook on its way over other places, and from one folder to another.
    copy(&workspace, "", shared("n"), at("in/")).run().done();
    assert_eq!(cat(&workspace, &format!("{ROOT}/in/n.py")), NOTEBOOK);
    workspace.brick("files mkdir").arg(shared("over/there")).run().done();
    copy(&workspace, "", at("in/n.py"), shared("over/there")).run().done();
    copy(&workspace, "", shared("over/there/n"), "dbfs:/tmp/").run().done();
    copy(&workspace, "-r", shared("over"), shared("once more")).run().done();
    copy(&workspace, "", "dbfs:/tmp/n.py", shared("once more/m")).run().done();
    let expected = ["m NOTEBOOK", "there DIRECTORY", "there/n NOTEBOOK"];
    assert_eq!(listed(&workspace, "once more"), expected.map(|row| format!("/Shared/once more/{row}")));
    let back = tempfile::tempdir().unwrap();
    copy(&workspace, "-r", shared("once more"), back.path()).run().done();
    let source = |name: &str| (name.to_owned(), NOTEBOOK.to_owned());
    assert_eq!(files(back.path()), BTreeMap::from([source("m.py"), source("there/n.py")]));
    // A notebook and a file whose names become one are not mixed up.
    copy(&workspace, "", "-", shared("once more/m.py")).stdin("text").run().done();
    let mixed = copy(&workspace, "-r --overwrite", shared("once more"), back.path()).run();
    mixed.fails(2, &["two sources have the same target", "m.py"]);
}

#[test]
fn patterns_and_standard_input_and_output_reach_it() {
    let workspace = Workspace::fresh();
    copy(&workspace, "", "-", shared("a 1.csv")).stdin(*b"\0\xff\r\n").run().done();
    copy(&workspace, "", at("landing/*-1.csv"), shared("import")).run().done();
    assert_eq!(copy(&workspace, "", shared("a 1.csv"), "-").run().done().stdout, b"\0\xff\r\n");
    let back = tempfile::tempdir().unwrap();
    let some = workspace.brick("files cp").arg(shared("*.csv")).arg(shared("im[p]ort/*"));
    some.arg(back.path()).run().done();
    let mut names: Vec<_> =
        fs::read_dir(back.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["a 1.csv", "check.py", "load.py", "trips-1.csv"]);
    copy(&workspace, "", shared("import/*.csv"), "dbfs:/tmp/from").run().done();
    assert_eq!(cat(&workspace, "dbfs:/tmp/from/trips-1.csv"), "trip,fare\n1,12.50\n2,7.00\n");
    workspace.brick("files rm").arg(shared("import")).run().fails(6, &["this is a directory", "add -r"]);
    workspace
        .brick("files rm")
        .arg(shared("a 1.csv"))
        .run()
        .done()
        .says(&["deleted /Workspace/Shared/a 1.csv"]);
    workspace.brick("files rm -r").arg(shared("import")).run().done();
    workspace.brick("files ls").arg(shared("import")).run().fails(5, &["there is no such file or directory"]);
    workspace.brick("files ls /Workspace/Shared/report/").run().done();
    let missing = copy(&workspace, "", "-", shared("none/x")).stdin("x").run();
    missing.fails(5, &["The parent folder", "hint: create the directory first, with `brick files mkdir`"]);
}

#[test]
fn what_the_service_would_refuse_is_not_sent() {
    let workspace = Workspace::fresh();
    let local = folder(&[("small", "x")]);
    let large = local.path().join("large");
    fs::write(&large, vec![b'x'; (10 << 20) + 1]).unwrap();
    for brick in [
        workspace.brick("files rm -r /Workspace/"),
        workspace.brick("files rm -r /Workspace/Shared"),
        workspace.brick("files rm /Workspace/Users/"),
        workspace.brick("files ls /Workspace/../x"),
        copy(&workspace, "", "-", "/Workspace/Shared/../x").stdin("x"),
        copy(&workspace, "", "-", shared("x/")).stdin("x"),
        copy(&workspace, "", "-", shared("x")).stdin(vec![b'x'; (10 << 20) + 1]),
    ] {
        brick.run().fails(2, &[]);
    }
    assert!(workspace.sandbox.requests_of(&workspace.token).is_empty());
    let words = ["larger than 10 MB", "large", "hint: keep large files in a volume"];
    copy(&workspace, "-r", local.path(), shared("new")).run().fails(2, &words);
    copy(&workspace, "", &large, at("large")).run().done();
    copy(&workspace, "", at("large"), shared("")).run().fails(2, &words);
    assert!(workspace.requests("POST", "/api/2.0/workspace/").is_empty());
}

#[test]
fn an_import_is_sent_again_only_if_it_may_replace() {
    let workspace = Workspace::fresh();
    workspace.fault(&format!("POST {IMPORT}: after reset times 2"));
    let piped = |options: &str| copy(&workspace, options, "-", shared("x")).stdin("x").run();
    piped("").fails(7, &["outcome unknown"]);
    assert_eq!(workspace.requests("POST", IMPORT).len(), 1);
    piped("--overwrite").done();
    assert_eq!(workspace.requests("POST", IMPORT).len(), 3);
}

#[test]
fn objects_without_content_are_left_out() {
    let server = Server::handling(|request| match request.path() {
        "/api/2.0/workspace/get-status" if request.query().contains("lib") => {
            Response::json(r#"{"path":"/a/lib","object_type":"LIBRARY"}"#)
        }
        "/api/2.0/workspace/get-status" => Response::json(r#"{"path":"/a","object_type":"DIRECTORY"}"#),
        "/api/2.0/workspace/list" => Response::json(
            r#"{"objects":[{"path":"/a/lib","object_type":"LIBRARY"},{"path":"/a/new","object_type":"NEW"},
                {"path":"/a/f","object_type":"FILE","size":"1","else":9007199254740993}]}"#,
        ),
        _ => Response::json(r#"{"content":"eA=="}"#),
    });
    let back = tempfile::tempdir().unwrap();
    let ran = server.brick("files cp -r /Workspace/a").arg(back.path()).run().done();
    ran.says(&["left out: /Workspace/a/lib", "left out: /Workspace/a/new", "copied 1 file, 1 B"]);
    assert_eq!(files(back.path()), BTreeMap::from([("f".to_owned(), "x".to_owned())]));
    let alone = server.brick("files cp /Workspace/a/lib").arg(back.path()).run();
    alone.fails(6, &["this object has no content that could be copied: /Workspace/a/lib"]);
    let shown = server.brick("files ls /Workspace/a -o json").run().done().silent();
    assert!(shown.text().contains("9007199254740993"), "{}", shown.text());
}
