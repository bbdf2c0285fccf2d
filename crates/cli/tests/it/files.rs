//! Files in volumes and DBFS, and copies from and to this machine.

mod objects;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use brickwire_testserver::Response;
use serde_json::json;
use tempfile::TempDir;

use crate::{program::Brick, scripted::Server, workspace::Workspace};

const ROOT: &str = "/Volumes/main/default/files";

/// A name whose letters have a meaning in URLs and, where the system allows it in a name, in patterns.
const ODD: &str = if cfg!(windows) { "#!" } else { "#?" };

/// A folder with files in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

/// Paths and contents of all files below a folder.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let (mut found, mut open) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                    found.insert(name, fs::read_to_string(path).unwrap());
                }
            }
        }
    }
    found
}

fn copy(workspace: &Workspace, options: &str, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Brick {
    workspace.brick(&format!("files cp {options}")).arg(from.as_ref()).arg(to.as_ref())
}

fn cat(workspace: &Workspace, path: &str) -> String {
    workspace.brick("files cat").arg(path).run().done().silent().text().to_owned()
}

fn at(path: &str) -> PathBuf {
    format!("{ROOT}/{path}").into()
}

#[test]
fn a_tree_goes_there_and_back() {
    let workspace = Workspace::fresh();
    let odd = format!("{ODD}.csv");
    let tree = [("a 1.csv", "one"), ("100%/ü☃.txt", "two"), ("100%/deep/empty", ""), (odd.as_str(), "three")];
    let local = folder(&tree);
    fs::create_dir(local.path().join("nothing")).unwrap();
    copy(&workspace, "-r", local.path(), at("new/tree/")).run().done().says(&["copied 4 files, 11 B"]);
    let listed = workspace.brick("files ls -r -o csv").arg(at("new/tree")).run().done().silent();
    let paths: Vec<_> = listed.text().lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    let expected =
        [odd.as_str(), "100%", "a 1.csv", "nothing", "100%/deep", "100%/ü☃.txt", "100%/deep/empty"];
    assert_eq!(paths, expected.map(|path| format!("{ROOT}/new/tree/{path}")));
    // Nothing is replaced, here or there, unless asked.
    copy(&workspace, "-r", local.path(), at("new/tree")).run().fails(6, &["exists", "hint: add --overwrite"]);
    fs::write(local.path().join("a 1.csv"), "changed").unwrap();
    copy(&workspace, "-r --overwrite", local.path(), at("new/tree")).run().done();
    let back = tempfile::tempdir().unwrap();
    copy(&workspace, "-r", at("new/tree"), back.path()).run().done().says(&["copied 4 files, 15 B"]);
    assert_eq!(files(back.path()), files(local.path()));
    assert!(back.path().join("nothing").is_dir());
    copy(&workspace, "-r", at("new/tree"), back.path())
        .run()
        .fails(3, &["the file exists: ", "hint: add --overwrite"]);
    // Every upload says whether it may replace a file.
    let uploads = workspace.sandbox.requests_of(&workspace.token).into_iter().filter(|r| r.method == "PUT");
    let uploads = uploads.filter(|r| r.path.starts_with("/api/2.0/fs/files/"));
    assert!(uploads.clone().all(|r| r.query.unwrap().starts_with("overwrite=")) && uploads.count() >= 8);
}

#[test]
fn patterns_and_several_sources_go_into_a_directory() {
    let workspace = Workspace::fresh();
    let local = folder(&[("a.csv", "a"), ("b.csv", "b"), (".c.csv", "hidden"), ("d/e.csv", "e")]);
    copy(&workspace, "", local.path().join("*.csv"), at("in")).run().done().says(&["copied 2 files"]);
    let sources = workspace.brick("files cp -r").arg(local.path().join("d")).arg(local.path().join(".c.csv"));
    sources.arg(at("in")).run().done();
    let back = tempfile::tempdir().unwrap();
    let pattern = workspace.brick("files cp").arg(at("i[n]/?.csv")).arg(at("landing/*-1.csv"));
    pattern.arg(back.path().join("new")).run().done();
    let names: Vec<_> = files(back.path()).into_keys().collect();
    assert_eq!(names, ["new/a.csv", "new/b.csv", "new/trips-1.csv"]);
    let found = workspace.brick("files ls -o json").arg(at("*/*.csv")).run().done().silent().json();
    let names: Vec<_> =
        found.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a.csv", "b.csv", "trips-1.csv", "trips-2.csv"]);
    assert_eq!(cat(&workspace, &format!("{ROOT}/in/d/e.csv")), "e");
    copy(&workspace, "", at("*.none"), back.path()).run().fails(5, &["nothing matches this pattern"]);
    copy(&workspace, "", at("**"), back.path()).run().fails(2, &["** is not supported", "use -r"]);
    let twice = workspace.brick("files cp").arg(at("in/a.csv")).arg(at("in/?.csv")).arg(back.path());
    twice.run().fails(2, &["two sources have the same target"]);
}

#[test]
fn standard_input_and_output_are_files_too() {
    let workspace = Workspace::fresh();
    let piped = copy(&workspace, "", "-", at("piped")).stdin("from elsewhere\n").run().done();
    assert_eq!(piped.text(), "");
    let out = copy(&workspace, "", at("piped"), "-").run().done().silent();
    assert_eq!(out.text(), "from elsewhere\n");
    let both = workspace.brick("files cat").arg(at("piped")).arg(at("piped")).run().done();
    assert_eq!(both.text(), "from elsewhere\nfrom elsewhere\n");
    copy(&workspace, "", "-", at("piped")).stdin("again").run().fails(6, &["hint: add --overwrite"]);
    // A reader that has seen enough is no failure.
    let long = folder(&[("long", &"line\n".repeat(400_000))]);
    copy(&workspace, "", long.path().join("long"), at("long")).run().done();
    let ran = workspace.brick("files cat").arg(at("long")).run_into_head();
    assert_eq!((ran.code(), ran.stdout), (Some(0), b"line\n".to_vec()));
}

#[test]
fn a_file_goes_between_a_volume_and_dbfs() {
    let workspace = Workspace::fresh();
    copy(&workspace, "", at("landing/trips-1.csv"), "dbfs:/tmp/").run().done();
    assert_eq!(cat(&workspace, "dbfs:/tmp/trips-1.csv"), "trip,fare\n1,12.50\n2,7.00\n");
    // More than a block.
    let long = folder(&[("long", &"0123456789abcdef".repeat(100_000))]);
    copy(&workspace, "", long.path().join("long"), "dbfs:/tmp/long").run().done();
    copy(&workspace, "", "dbfs:/tmp/long", format!("dbfs:{ROOT}/long")).run().done();
    let back = long.path().join("back");
    copy(&workspace, "", at("long"), &back).run().done();
    assert!(fs::read(&back).unwrap() == fs::read(long.path().join("long")).unwrap());
    let listed = workspace.brick("files ls -o csv dbfs:/tmp").run().done().silent();
    assert!(listed.text().contains("/tmp/long,false,1600000,"), "{}", listed.text());
    copy(&workspace, "", long.path().join("long"), "dbfs:/tmp/long")
        .run()
        .fails(6, &["hint: add --overwrite"]);
    workspace.brick("files mkdir dbfs:/tmp/d/e").run().done();
    workspace.brick("files rm dbfs:/tmp/d").run().fails(6, &["this is a directory", "add -r"]);
    workspace.brick("files rm -r dbfs:/tmp/d").run().done();
    workspace
        .brick("files ls dbfs:/tmp/d")
        .run()
        .fails(5, &["there is no such file or directory: dbfs:/tmp/d"]);
}

#[test]
fn directories_are_created_and_deleted() {
    let workspace = Workspace::fresh();
    let directory = at("a/b c/%");
    for _ in 0..2 {
        workspace.brick("files mkdir").arg(&directory).run().done().silent();
    }
    copy(&workspace, "", "-", at("a/b c/%/x")).stdin("x").run().done();
    workspace.brick("files rm").arg(at("a")).run().fails(6, &["this is a directory", "hint: add -r"]);
    workspace.brick("files rm").arg(at("a/b c/%/x")).run().done().says(&["deleted /Volumes/"]);
    workspace.brick("files rm").arg(at("a/b c/%/x")).run().fails(5, &["there is no such file or directory"]);
    copy(&workspace, "", "-", at("a/b c/%/y")).stdin("y").run().done();
    workspace.brick("files rm -r").arg(at("a")).run().done();
    workspace.brick("files ls").arg(at("a")).run().fails(5, &["there is no such file or directory"]);
    // A file is shown, and a directory with a slash is one.
    let shown = workspace.brick("files ls -o json").arg(at("readme.txt")).run().done().json();
    assert_eq!((&shown[0]["name"], shown.as_array().unwrap().len()), (&json!("readme.txt"), 1));
    workspace.brick("files ls").arg(at("readme.txt/")).run().fails(6, &["this is a file, not a directory"]);
}

#[test]
fn what_cannot_be_right_is_not_sent() {
    let workspace = Workspace::fresh();
    let local = folder(&[("a", "a"), ("d/e", "e")]);
    let local = |name: &str| local.path().join(name);
    for (brick, code, words) in [
        (copy(&workspace, "", local("a"), local("b")), 2, "both on this machine"),
        (copy(&workspace, "", local("missing"), at("x")), 3, "there is no such file or directory"),
        (copy(&workspace, "", "-", local("b")), 2, "standard input is copied alone"),
        (copy(&workspace, "", "-", at("x/")), 2, "needs the name of a file"),
        (copy(&workspace, "", "-", "/Volumes/main/../x"), 2, "`..` segment"),
        (copy(&workspace, "", local("a"), "-"), 2, "one file of the workspace"),
        (workspace.brick("files ls").arg(local("a")), 2, "this path is not in the workspace"),
        (workspace.brick("files rm").arg(local("a")), 2, "this path is not in the workspace"),
        (workspace.brick("files cat -"), 2, "this path is not in the workspace"),
        (workspace.brick("files rm -r /Volumes/main/default/files/"), 2, "this is a whole volume"),
        (workspace.brick("files rm -r dbfs:/"), 2, "this is a whole volume or store"),
        (workspace.brick("files ls /Volumes/main/default/files/../x"), 2, "`..` segment"),
        (workspace.brick("volumes list main"), 2, "form catalog.schema"),
        (workspace.brick("volumes delete files"), 2, "not the full name of a volume"),
        (workspace.brick("volumes create main..raw"), 2, "form catalog.schema.volume"),
    ] {
        brick.run().fails(code, &[words]);
    }
    assert!(workspace.sandbox.requests_of(&workspace.token).is_empty());
    copy(&workspace, "", local("d"), at("x")).run().fails(2, &["this is a directory", "hint: add -r"]);
    copy(&workspace, "-r", local("d"), at("readme.txt")).run().fails(6, &["the target is a file"]);
    assert!(workspace.requests("PUT", "/api/2.0/fs/").is_empty());
}

#[test]
fn a_download_that_breaks_off_is_continued() {
    let workspace = Workspace::fresh();
    workspace.fault("GET /api/2.0/fs/files/*: times 2 short at=10");
    let back = tempfile::tempdir().unwrap();
    let to = back.path().join("back");
    copy(&workspace, "", at("landing/trips-1.csv"), &to).run().done();
    assert_eq!(fs::read_to_string(&to).unwrap(), "trip,fare\n1,12.50\n2,7.00\n");
    let path = format!("/api/2.0/fs/files{ROOT}/landing/trips-1.csv");
    let ranges: Vec<_> =
        workspace.requests("GET", &path).iter().map(|r| r.header("range").map(str::to_owned)).collect();
    assert_eq!(ranges, [None, Some("bytes=10-".to_owned()), Some("bytes=20-".to_owned())]);
    assert_eq!(fs::read_dir(back.path()).unwrap().count(), 1);
}

#[test]
fn a_name_that_leads_elsewhere_is_written_nowhere() {
    let server = Server::handling(|request| match request.method.as_str() {
        "GET" => {
            Response::json(r#"{"contents":[{"name":"..","path":"/Volumes/a/b/c/d/..","is_directory":true}]}"#)
        }
        _ if request.path().contains("/files/") => Response::new(404),
        _ => Response::new(200),
    });
    let back = tempfile::tempdir().unwrap();
    let to = back.path().join("in/here");
    let ran = server.brick("files cp -r /Volumes/a/b/c/d").arg(&to).run();
    ran.fails(1, &["the service returned an invalid file name: \"..\""]);
    assert_eq!(fs::read_dir(back.path()).unwrap().count(), 0);
}

#[test]
fn volumes_are_listed_created_and_deleted() {
    let workspace = Workspace::fresh();
    let listed = workspace.brick("volumes list main.default -o csv").run().done().silent();
    assert!(listed.text().contains("main.default.files,MANAGED,"), "{}", listed.text());
    let created =
        workspace.brick("volumes create main.default.raw --comment").arg("as delivered").run().done();
    assert_eq!(created.json()["volume_type"], "MANAGED");
    workspace.brick("volumes create main.default.raw").run().fails(6, &["already exists"]);
    let external = "volumes create main.default.lake --storage-location s3://a/b";
    assert_eq!(workspace.brick(external).run().done().json()["volume_type"], "EXTERNAL");
    let volume = workspace.brick("volumes get main.default.raw").run().done().silent().json();
    assert_eq!(
        (&volume["comment"], &volume["full_name"]),
        (&json!("as delivered"), &json!("main.default.raw"))
    );
    workspace.brick("volumes delete main.default.raw").run().done().says(&["deleted main.default.raw"]);
    workspace.brick("volumes get main.default.raw").run().fails(5, &["does not exist"]);
    workspace.brick("volumes list main.missing").run().fails(5, &["does not exist"]);
}
