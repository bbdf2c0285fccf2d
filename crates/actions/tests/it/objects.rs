//! Workspace objects, against a scripted service.

use brickwire_actions::{
    Connection, ErrorKind, ImportOptions, Workspace,
    types::{ExportFormat, ImportFormat, WorkspaceObjectType},
};
use brickwire_testserver::{End, Request, Response, Server};
use serde_json::{Value, json};

/// A service that answers as the function says.
pub(crate) fn serve(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> (Server, Workspace) {
    let server = Server::start(answer);
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace)
}

/// A service that answers with these in turn, and then with the last one.
pub(crate) fn script(answers: impl IntoIterator<Item = Response>) -> (Server, Workspace) {
    let server = Server::script(answers);
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace)
}

/// The bodies that were posted.
pub(crate) fn posted(server: &Server) -> Vec<Value> {
    let all = server.requests();
    all.iter().filter(|r| r.method == "POST").map(|r| serde_json::from_str(&r.text()).unwrap()).collect()
}

pub(crate) fn refusal(status: u16, code: &str) -> Response {
    Response::new(status).with_body(format!(r#"{{"error_code":"{code}","message":"no"}}"#))
}

#[tokio::test]
async fn an_import_sends_base64_with_the_format_that_fits() {
    let (server, workspace) = script([Response::json("{}")]);
    let objects = workspace.objects();
    objects.import("/Shared/50%41 ü/a.py", b"print(1)\n", &Default::default()).await.unwrap();
    let source = ImportOptions::default().with_format(ImportFormat::Source).with_overwrite(true);
    objects.import("/Shared/q.sql", b"\0\xff", &source).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("n.ipynb");
    std::fs::write(&file, "{}").unwrap();
    let parents = ImportOptions::default().with_parents(true);
    objects.import_file("/Shared/x/n/", &file, &parents).await.unwrap();
    assert_eq!(
        posted(&server),
        [
            json!({ "path": "/Shared/50%41 ü/a.py", "content": "cHJpbnQoMSkK", "format": "AUTO" }),
            json!({ "path": "/Shared/q.sql", "content": "AP8=", "format": "SOURCE", "language": "SQL",
                "overwrite": true }),
            json!({ "path": "/Shared/x" }),
            json!({ "path": "/Shared/x/n", "content": "e30=", "format": "JUPYTER" }),
        ]
    );
    assert_eq!(server.requests()[2].path(), "/api/2.0/workspace/mkdirs");
}

#[tokio::test]
async fn only_an_import_that_may_overwrite_is_sent_again() {
    for lost in [Response::none(End::Reset), Response::new(504)] {
        let (server, workspace) = script([lost.clone(), refusal(400, "RESOURCE_ALREADY_EXISTS")]);
        let once = workspace.objects().import("/Shared/a", b"x", &Default::default()).await.unwrap_err();
        assert_eq!((once.kind(), server.requests().len()), (ErrorKind::UnknownOutcome, 1), "{once}");
        let (server, workspace) = script([lost, Response::json("{}")]);
        let again = ImportOptions::default().with_overwrite(true);
        workspace.objects().import("/Shared/a", b"x", &again).await.unwrap();
        let sent = posted(&server);
        assert!(sent.len() == 2 && sent[0] == sent[1], "{sent:?}");
    }
}

#[tokio::test]
async fn a_refused_import_says_which_option_it_lacks() {
    let plain = ImportOptions::default();
    for (answer, options, kind, hint) in [
        (refusal(400, "RESOURCE_ALREADY_EXISTS"), plain.clone(), ErrorKind::Rejected, "set `overwrite`"),
        (refusal(409, "RESOURCE_ALREADY_EXISTS"), plain.clone(), ErrorKind::Rejected, "set `overwrite`"),
        (
            refusal(400, "RESOURCE_ALREADY_EXISTS"),
            plain.clone().with_overwrite(true),
            ErrorKind::Rejected,
            "another type",
        ),
        (refusal(404, "RESOURCE_DOES_NOT_EXIST"), plain, ErrorKind::NotFound, "set `parents`"),
    ] {
        let (server, workspace) = script([answer]);
        let error = workspace.objects().import("/Shared/a", b"x", &options).await.unwrap_err();
        assert!(error.kind() == kind && error.hint().is_some_and(|told| told.contains(hint)), "{error:?}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn what_cannot_be_right_is_not_sent() {
    let (server, workspace) = script([Response::json("{}")]);
    let objects = workspace.objects();
    let plain = ImportOptions::default();
    let source = plain.clone().with_format(ImportFormat::Source);
    let large = vec![0; (10 << 20) + 1];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.bin");
    std::fs::write(&file, &large).unwrap();
    for error in [
        objects.import("Shared/a", b"x", &plain).await.err(),
        objects.import("/Shared/../a", b"x", &plain).await.err(),
        objects.import("/Shared/a", &large, &plain).await.err(),
        objects.import("/Shared/a", b"x", &source).await.err(),
        objects.import_file("/Shared/a", &file, &plain).await.err(),
        objects.import_folder("/Shared/a", folder.path(), &plain).await.err(),
        objects.import_folder("/Shared/a", folder.path(), &source).await.err(),
        objects.list("").await.err(),
        objects.list_recursive("~").await.err(),
        objects.get("a").await.err(),
        objects.mkdirs("a").await.err(),
        objects.export("a", ExportFormat::Auto).await.err(),
        objects.delete("/").await.err(),
        objects.delete_recursive("/Workspace/Users/").await.err(),
    ] {
        assert_eq!(error.unwrap().kind(), ErrorKind::Usage);
    }
    let missing = objects.import_file("/a", &folder.path().join("none"), &plain).await.unwrap_err();
    assert!(missing.kind() == ErrorKind::Local && missing.to_string().contains("none"), "{missing}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_path_reaches_the_service_as_it_is() {
    let object =
        r#"{"object_type":"SOMETHING","path":"/x","object_id":"9007199254740993","size":null,"more":[1]}"#;
    let (server, workspace) = script([Response::json(object)]);
    let read = workspace.objects().get("/Shared/50%41 ü&b=+?#").await.unwrap();
    assert_eq!(read.object_id, Some(9_007_199_254_740_993));
    assert_eq!(read.object_type, Some(WorkspaceObjectType::UnknownValue("SOMETHING".to_owned())));
    assert_eq!(workspace.objects().get_json("/x").await.unwrap().get(), object);
    let sent = server.requests();
    assert_eq!(sent[0].path(), "/api/2.0/workspace/get-status");
    let query: Vec<_> = sent[0].query().split('&').collect();
    assert_eq!(query, ["path=%2FShared%2F50%2541%20%C3%BC%26b%3D%2B%3F%23"].map(|q| q.replace("%20", "+")));
}

#[tokio::test]
async fn an_export_is_decoded() {
    for (body, content, file_type) in [
        (r#"{"content":"AP8=","file_type":"py"}"#, &b"\0\xff"[..], Some("py")),
        (r#"{"content":"AP8"}"#, b"\0\xff", None),
        (r#"{"content":""}"#, b"", None),
        ("{}", b"", None),
    ] {
        let (server, workspace) = script([Response::json(body)]);
        let exported = workspace.objects().export("/a", ExportFormat::Jupyter).await.unwrap();
        assert_eq!((&exported.content()[..], exported.file_type()), (content, file_type));
        assert_eq!(server.only().query(), "path=%2Fa&format=JUPYTER");
    }
    let (_server, workspace) = script([Response::json(r#"{"content":"hush!"}"#)]);
    let error = workspace.objects().export("/a", ExportFormat::Auto).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
    assert!(!format!("{error:?}").contains("hush"), "{error:?}");
}

#[tokio::test]
async fn an_object_becomes_a_local_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.py");
    let body = r#"{"content":"AP8=","file_type":"py"}"#;
    let (server, workspace) = script([Response::json(body), Response::json(body), refusal(404, "NOT_FOUND")]);
    let export = async |path: &str, overwrite| {
        workspace.objects().export_file(path, ExportFormat::Source, &file, overwrite).await
    };
    assert_eq!(export("/a", false).await.unwrap().content().len(), 2);
    assert_eq!((std::fs::read(&file).unwrap(), server.requests().len()), (b"\0\xff".to_vec(), 1));
    std::fs::write(&file, "mine").unwrap();
    // Nothing is sent for a file that can't be written, or for a wrong path.
    let error = export("/a", false).await.unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Local, Some("set `overwrite` to replace it")));
    assert_eq!(export("a", true).await.unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!((std::fs::read(&file).unwrap(), server.requests().len()), (b"mine".to_vec(), 1));
    #[cfg(unix)]
    {
        // What a link leads to is replaced, and the link stays.
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        workspace.objects().export_file("/a", ExportFormat::Auto, &link, true).await.unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read(&file).unwrap(), b"\0\xff");
        assert!(export("/a", true).await.unwrap_err().is_not_found());
        assert_eq!(
            (std::fs::read(&file).unwrap(), std::fs::read_dir(&folder).unwrap().count()),
            (b"\0\xff".to_vec(), 2)
        );
    }
}

#[tokio::test]
async fn a_folder_that_is_not_empty_stays() {
    let (server, workspace) = script([refusal(400, "DIRECTORY_NOT_EMPTY"), Response::json("{}")]);
    let error = workspace.objects().delete("/Shared/a").await.unwrap_err();
    assert!(error.hint().unwrap().contains("`recursive`"), "{error:?}");
    workspace.objects().delete_recursive("/Shared/a").await.unwrap();
    let sent = [json!({ "path": "/Shared/a" }), json!({ "path": "/Shared/a", "recursive": true })];
    assert_eq!(posted(&server), sent);
}

/// Answers lists from this tree.
fn tree(folders: &'static [(&'static str, &'static [(&'static str, &'static str)])]) -> (Server, Workspace) {
    serve(move |request| {
        let query = request.query().replace("%2F", "/");
        let path = query.strip_prefix("path=").unwrap();
        let Some((_, listed)) = folders.iter().find(|(name, _)| *name == path) else {
            return refusal(404, "RESOURCE_DOES_NOT_EXIST");
        };
        let object =
            |(path, kind): &(&str, &str)| json!({ "path": path, "object_type": kind, "language": "PYTHON" });
        match listed.is_empty() {
            true => Response::json("{}"),
            false => Response::json(
                json!({ "objects": listed.iter().map(object).collect::<Vec<_>>() }).to_string(),
            ),
        }
    })
}

#[tokio::test]
async fn a_recursive_list_goes_down_and_never_in_circles() {
    let (server, workspace) = tree(&[
        (
            "/Workspace/a",
            &[("/a/d", "DIRECTORY"), ("/a/f", "FILE"), ("/a/r", "REPO"), ("/a/gone", "DIRECTORY")],
        ),
        // A list that leads up, to itself, elsewhere, and twice to one folder.
        (
            "/a/d",
            &[
                ("/a", "DIRECTORY"),
                ("/a/d", "DIRECTORY"),
                ("/b", "DIRECTORY"),
                ("/a/d/e", "DIRECTORY"),
                ("/a/d/e", "DIRECTORY"),
            ],
        ),
        ("/a/r", &[]),
        ("/a/d/e", &[("/a/d/e/n", "NOTEBOOK")]),
    ]);
    let all = workspace.objects().list_recursive("/Workspace/a").await.unwrap();
    let last = all.last().unwrap();
    assert_eq!((all.len(), last.path.as_deref()), (10, Some("/a/d/e/n")));
    assert_eq!(server.requests().len(), 5);
    // The folder itself has to exist.
    let error = workspace.objects().list_recursive("/none").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(workspace.objects().list("/a/r").await.unwrap().is_empty());
}

#[tokio::test]
async fn an_exported_folder_overwrites_nothing_and_leaves_nothing_else() {
    let (server, workspace) = serve(|request| match request.path() {
        "/api/2.0/workspace/list" if request.query() == "path=%2Fa" => Response::json(
            r#"{"objects":[{"path":"/a/s","object_type":"DIRECTORY"},{"path":"/a/l","object_type":"LIBRARY"},
                {"path":"/a/n","object_type":"NOTEBOOK","language":"SQL"}]}"#,
        ),
        "/api/2.0/workspace/list" => {
            Response::json(r#"{"objects":[{"path":"/a/s/f.bin","object_type":"FILE"}]}"#)
        }
        _ => Response::json(r#"{"content":"AP8="}"#),
    });
    let root = tempfile::tempdir().unwrap();
    let copy = workspace.objects().export_folder("/a", root.path(), false).await.unwrap();
    let files: Vec<_> = copy.files.iter().map(|one| (one.path.as_str(), one.file.clone())).collect();
    assert_eq!(files, [("/a/n", root.path().join("n.sql")), ("/a/s/f.bin", root.path().join("s/f.bin"))]);
    assert_eq!(copy.skipped, ["/a/l"]);
    assert_eq!(std::fs::read(root.path().join("s/f.bin")).unwrap(), b"\0\xff");
    std::fs::write(root.path().join("n.sql"), "mine").unwrap();
    std::fs::remove_file(root.path().join("s/f.bin")).unwrap();
    let before = server.requests().len();
    let error = workspace.objects().export_folder("/a", root.path(), false).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Local && error.to_string().ends_with("n.sql"), "{error}");
    // Nothing was fetched and nothing was written.
    assert_eq!(server.requests().len(), before + 2);
    assert!(!root.path().join("s/f.bin").exists());
    workspace.objects().export_folder("/a", root.path(), true).await.unwrap();
    assert_eq!(std::fs::read(root.path().join("n.sql")).unwrap(), b"\0\xff");
}

#[cfg(unix)]
#[tokio::test]
async fn an_export_checks_its_target_before_it_asks_for_the_content() {
    let (server, workspace) = serve(|request| match request.path() {
        "/api/2.0/workspace/list" if request.query() == "path=%2Fa" => {
            Response::json(r#"{"objects":[{"path":"/a/sub","object_type":"DIRECTORY"}]}"#)
        }
        "/api/2.0/workspace/list" => {
            Response::json(r#"{"objects":[{"path":"/a/sub/f","object_type":"FILE"}]}"#)
        }
        _ => Response::json(r#"{"content":"AP8="}"#),
    });
    let root = tempfile::tempdir().unwrap();
    let (out, elsewhere) = (root.path().join("out"), root.path().join("elsewhere"));
    for folder in [&out, &elsewhere] {
        std::fs::create_dir(folder).unwrap();
    }
    // A link that was there before leads out of the folder.
    std::os::unix::fs::symlink(&elsewhere, out.join("sub")).unwrap();
    let error = workspace.objects().export_folder("/a", &out, true).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Local && error.to_string().ends_with("out/sub"), "{error}");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
    let before = server.requests().len();
    let file = root.path().join("f");
    std::fs::write(&file, "mine").unwrap();
    let export = async |overwrite| {
        workspace.objects().export_file("/a/sub/f", ExportFormat::Auto, &file, overwrite).await
    };
    let error = export(false).await.unwrap_err();
    assert!(error.to_string().starts_with("the file exists: "), "{error}");
    assert_eq!((server.requests().len(), std::fs::read(&file).unwrap()), (before, b"mine".to_vec()));
    assert_eq!(export(true).await.unwrap().content()[..], b"\0\xff"[..]);
    assert_eq!(std::fs::read(&file).unwrap(), b"\0\xff");
}

#[tokio::test]
async fn an_imported_folder_stops_at_the_first_refusal() {
    let (server, workspace) = serve(|request| match request.text().contains("/t/b.txt") {
        true => refusal(400, "RESOURCE_ALREADY_EXISTS"),
        false => Response::json("{}"),
    });
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("z")).unwrap();
    for name in ["a.py", "b.txt", "c", "d", "z/e"] {
        std::fs::write(root.path().join(name), "x").unwrap();
    }
    let error = workspace.objects().import_folder("/t", root.path(), &Default::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot import /t/b.txt: RESOURCE_ALREADY_EXISTS: no (HTTP 400)");
    assert!(error.hint().unwrap().contains("`overwrite`"), "{error:?}");
    let mut sent: Vec<_> =
        posted(&server).iter().map(|body| body["path"].as_str().unwrap().to_owned()).collect();
    sent[1..].sort();
    assert_eq!(sent, ["/t/z", "/t/a.py", "/t/b.txt", "/t/c", "/t/d"]);
    assert!(posted(&server)[1..].iter().all(|body| body["format"] == "AUTO"));
}
