//! `brick run`: code on a cluster in one line, what it printed, and nothing left behind that wasn't asked for.

use std::fs;

use brickwire_sandbox::{RecordedRequest, seed::RUNNING_CLUSTER};
use serde_json::Value;

use crate::{
    program::Ran,
    scripted::Server,
    workspace::{Workspace, squeezed},
};

const CREATE: &str = "/api/1.2/contexts/create";
const DESTROY: &str = "/api/1.2/contexts/destroy";
const EXECUTE: &str = "/api/1.2/commands/execute";
const STATUS: &str = "/api/1.2/commands/status";
const CANCEL: &str = "/api/1.2/commands/cancel";

/// Never ends on its own, and costs nothing meanwhile.
const ENDLESS: &str = "import threading\nthreading.Event().wait()";

/// A service whose cluster runs, and on which every command ends with these results.
fn with_results(results: &str) -> Server {
    let done = format!(r#"{{"id":"c0ffee","status":"Finished","results":{results}}}"#);
    let json = "application/json";
    Server::answering(&[
        (200, json, br#"{"cluster_id":"0710-090000-anlyt1cs","state":"RUNNING"}"#),
        (200, json, br#"{"id":"77"}"#),
        (200, json, br#"{"id":"77","status":"Running"}"#),
        (200, json, br#"{"id":"c0ffee"}"#),
        (200, json, done.as_bytes()),
        (200, json, br#"{"id":"77"}"#),
    ])
}

fn languages(requests: &[RecordedRequest]) -> Vec<&str> {
    requests.iter().map(|request| request.body.as_ref().unwrap()["language"].as_str().unwrap()).collect()
}

fn text(ran: &Ran) -> String {
    ran.text().replace("\r\n", "\n")
}

#[test]
fn a_traceback_is_clean_and_the_status_is_8() {
    let workspace = Workspace::fresh();
    let code = "def ratio(a, b):\n    return a / b\nprint('before')\nratio('<1>', 0)";
    let ran = workspace.brick("run -c shared-analytics").stdin(code).run();
    let words =
        ["line 4, in <module>", "line 2, in ratio", "    return a / b", "TypeError: unsupported operand"];
    let ran = ran.fails(8, &words);
    assert!(!ran.stderr.contains(['\x1b', '&']) && !ran.stderr.contains("<span"), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("TypeError").count(), 1, "once is enough: {}", ran.stderr);
    workspace.brick("run -c shared-analytics").arg("def f(:").run().fails(8, &["line 1", "SyntaxError"]);

    // As clusters send it: colours in the traceback, markup in the summary, which says what the traceback doesn't.
    let server = with_results(
        r#"{"resultType":"error","summary":"<span class=\"ansi-red-fg\">KeyError</span>: &#39;a&lt;b&#39;",
            "cause":"\u001b[0;31m-----\u001b[0m\n\u001b[0;31mTraceback\u001b[0m (most recent call last)\n"}"#,
    );
    let ran = server.brick("run -c 0710-090000-anlyt1cs x").run().fails(8, &[]);
    assert_eq!(
        ran.stderr,
        "-----\nTraceback (most recent call last)\nKeyError: 'a<b'\nerror: the code failed\n"
    );
}

#[test]
fn what_the_code_prints_is_printed() {
    let workspace = Workspace::fresh();
    let run = |code: &str| workspace.brick("run -c shared-analytics").arg(code).run().done().silent();
    for (code, expected) in
        [("print(6*7)", "42\n"), ("6*7", "42\n"), ("x = 1", ""), ("print('ä\\n\\nß')", "ä\n\nß\n")]
    {
        assert_eq!(text(&run(code)), expected, "{code}");
    }
    // Where JSON is asked for it is the service's whole answer, also if the code failed.
    let ran = workspace.brick("run -c shared-analytics -o json").arg("print('hi')").run().done().silent();
    assert_eq!(ran.json()["results"]["data"], "hi");
    let ran = workspace.brick("run -c shared-analytics -o json").arg("1/0").run().exits(8, &[]);
    assert_eq!(ran.json()["results"]["resultType"], "error");
    assert_eq!(ran.json_error()["kind"], "remote_failed");
}

#[test]
fn a_table_is_printed_as_a_statements_rows_are() {
    let workspace = Workspace::fresh();
    let run = |options: &str| {
        let statement = "SELECT 1 AS n, 'x,y' AS s, CAST(NULL AS STRING) AS nothing, true AS yes";
        text(
            &workspace
                .brick(&format!("run -c shared-analytics -l sql {options}"))
                .arg(statement)
                .run()
                .done(),
        )
    };
    assert_eq!(run("-o table"), "n  s    nothing  yes\n1  x,y  NULL     true\n");
    assert_eq!(run("-o csv"), "n,s,nothing,yes\n1,\"x,y\",,true\n");
    // In a pipe it is JSON, in which a number stays one.
    assert_eq!(squeezed(&run("")), r#"[{"n":1,"s":"x,y","nothing":null,"yes":true}]"#);
    let answer: Value = serde_json::from_str(&run("-o json")).unwrap();
    assert_eq!(answer["results"]["data"], serde_json::json!([[1, "x,y", null, true]]));

    let long =
        workspace.brick("run -c shared-analytics -l sql -o csv").arg("SELECT id FROM range(1001)").run();
    assert_eq!(long.done().says(&["cut the table off after 1000 rows"]).text().lines().count(), 1001);
}

#[test]
fn numbers_booleans_and_nested_values_stay_what_they_are() {
    let server = with_results(
        r#"{"resultType":"table","schema":[{"name":"f","type":"\"double\""},{"name":"l"},{"name":"s","type":{}}],
            "data":[[null,null,null],["NaN",[1,null],"1"],[9007199254740993,[],""]],"truncated":false}"#,
    );
    let ran = server.brick("run -c 0710-090000-anlyt1cs -l sql x").run().done().silent();
    assert_eq!(
        squeezed(ran.text()),
        r#"[{"f":null,"l":null,"s":null},{"f":"NaN","l":[1,null],"s":"1"},{"f":9007199254740993,"l":[],"s":""}]"#
    );
}

#[test]
fn pictures_become_files_and_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let png = r#""data:image/png;base64,iVBORw0KGgo=""#;
    let several = format!(
        r#"{{"resultType":"images","fileNames":[{png},"data:image/svg+xml;base64,PHN2Zy8+","/plots/3.png"]}}"#
    );
    let run = |results: &str, images: &std::path::Path| {
        with_results(results).brick("run -c 0710-090000-anlyt1cs x --images").arg(images).run()
    };
    let ran = run(&several, folder.path()).done().says(&["only its path is available"]);
    let names: Vec<_> = ran.text().lines().collect();
    let own = |name: &str| folder.path().join(name).display().to_string();
    assert_eq!(names, [&own("brick-c0ffee-1.png"), &own("brick-c0ffee-2.svg"), "/plots/3.png"]);
    assert_eq!(fs::read(names[0]).unwrap(), b"\x89PNG\r\n\x1a\n");
    assert_eq!(fs::read(names[1]).unwrap(), b"<svg/>");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);

    // A single one, by default into the folder at hand.
    let one = format!(r#"{{"resultType":"image","fileName":{png}}}"#);
    let ran = with_results(&one).brick("run -c 0710-090000-anlyt1cs x").run().done().silent();
    assert!(ran.text().ends_with("brick-c0ffee-1.png\n"), "{}", ran.text());
    let missing = folder.path().join("missing");
    let server = with_results(&one);
    let ran = server.brick("run -c 0710-090000-anlyt1cs x --images").arg(&missing).run();
    ran.fails(3, &["missing", "hint: create the folder"]);
    assert!(server.sent().is_empty());
    let broken = r#"{"resultType":"image","fileName":"data:image/png;base64,%"}"#;
    run(broken, folder.path()).fails(3, &["image 1 cannot be decoded"]);
}

#[cfg(unix)]
#[test]
fn an_image_replaces_nothing_and_is_no_program() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (theirs, missing) = (elsewhere.path().join("theirs"), elsewhere.path().join("missing"));
    fs::write(&theirs, "theirs").unwrap();
    fs::write(folder.path().join("brick-c0ffee-1.png"), "mine").unwrap();
    std::os::unix::fs::symlink(&theirs, folder.path().join("brick-c0ffee-1-2.png")).unwrap();
    std::os::unix::fs::symlink(&missing, folder.path().join("brick-c0ffee-1-3.png")).unwrap();
    let image = |kind: &str| {
        let results = format!(r#"{{"resultType":"image","fileName":"data:image/{kind};base64,bmV3"}}"#);
        let server = with_results(&results);
        let brick = server.brick("run -c 0710-090000-anlyt1cs x --images").arg(folder.path());
        let path = brick.run().done().silent().text().trim().to_owned();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        path.rsplit('/').next().unwrap().to_owned()
    };
    assert_eq!(image("png"), "brick-c0ffee-1-4.png");
    assert_eq!(fs::read_to_string(folder.path().join("brick-c0ffee-1.png")).unwrap(), "mine");
    assert!(fs::read_to_string(&theirs).unwrap() == "theirs" && !missing.exists());
    for (kind, name) in [
        ("JPG", "brick-c0ffee-1.jpeg"),
        ("svg+xml", "brick-c0ffee-1.svg"),
        ("sh", "brick-c0ffee-1.image"),
        ("x.desktop", "brick-c0ffee-1-2.image"),
        ("../../x", "brick-c0ffee-1-3.image"),
    ] {
        assert_eq!(image(kind), name);
    }
}

#[test]
fn the_language_is_the_options_or_the_extensions_or_python() {
    let workspace = Workspace::fresh();
    let run = |line: &str, name: &str, code: &str| {
        workspace.brick(&format!("run -c shared-analytics -o csv {line}")).file(name, code).run()
    };
    assert_eq!(text(&run("-f a.py", "a.py", "print('py')").done()), "py\n");
    assert_eq!(text(&run("-f a.sql", "a.sql", "SELECT 1 AS n, 'x' AS s").done()), "n,s\n1,x\n");
    // The sandbox says that it runs neither; what matters is what it was asked for.
    run("-f a.scala", "a.scala", "println(1)").fails(8, &["not scala"]);
    run("-f A.R", "A.R", "print(1)").fails(8, &["not r"]);
    assert_eq!(text(&run("-f query.txt -l sql", "query.txt", "SELECT 2 AS n").done()), "n\n2\n");
    assert_eq!(text(&run("-f script", "script", "print(3)").done()), "3\n");
    let expected = ["python", "sql", "scala", "r", "sql", "python"];
    assert_eq!(languages(&workspace.requests("POST", CREATE)), expected);
    assert_eq!(languages(&workspace.requests("POST", EXECUTE)), expected);

    run("-f notes.txt", "notes.txt", "print(1)").fails(2, &["notes.txt", "--language"]);
    assert_eq!(workspace.requests("POST", "/").len(), 3 * expected.len());
}

#[test]
fn the_context_that_was_made_is_destroyed_whatever_happens() {
    let workspace = Workspace::fresh();
    workspace.brick("run -c shared-analytics 1").run().done().silent();
    workspace.brick("run -c shared-analytics 1/0").run().fails(8, &[]);
    workspace.fault(&format!("POST {EXECUTE}: times 1 400"));
    workspace.brick("run -c shared-analytics 1").run().fails(6, &[]);
    assert_each_made_context_is_destroyed(&workspace, 3);
}

#[cfg(unix)]
#[test]
fn a_signal_cancels_the_command_and_destroys_its_context() {
    let workspace = Workspace::fresh();
    let running = workspace.brick("run -c shared-analytics").arg(ENDLESS).start();
    workspace.until_requested("GET", STATUS);
    running.signal("INT");
    running.end().fails(130, &["canceling command", "interrupted"]);
    assert_eq!(workspace.requests("POST", CANCEL).len(), 1);
    assert_each_made_context_is_destroyed(&workspace, 1);
}

#[cfg(unix)]
#[test]
fn ctrl_c_names_the_cluster_that_was_started_for_the_code() {
    let workspace = Workspace::fresh();
    let running = workspace.brick("run -c nightly-etl --start").arg(ENDLESS).start();
    workspace.until_requested("GET", STATUS);
    running.signal("INT");
    running
        .end()
        .fails(130, &["canceling command", "is RUNNING, and continues on its own: brick clusters get "]);
}

#[track_caller]
fn assert_each_made_context_is_destroyed(workspace: &Workspace, count: usize) {
    assert_eq!(workspace.requests("POST", CREATE).len(), count);
    let destroyed = workspace.requests("POST", DESTROY);
    assert_eq!(destroyed.len(), count, "{destroyed:?}");
    for request in destroyed {
        let id = request.body.unwrap()["contextId"].as_str().unwrap().to_owned();
        let status = workspace.brick(&format!("contexts status -c shared-analytics {id}"));
        status.run().fails(5, &[&id]);
    }
}

#[test]
fn a_given_context_keeps_its_state_and_stays() {
    let workspace = Workspace::fresh();
    let made = workspace.brick("contexts create -c shared-analytics").run().done().json();
    let id = made["id"].as_str().unwrap();
    let run = |options: &str| workspace.brick(&format!("run -c shared-analytics --context {id} {options}"));
    run("x=6").run().done().silent();
    assert_eq!(text(&run("print(x*7)").run().done().silent()), "42\n");
    run("--timeout 3s").arg(ENDLESS).run().fails(9, &["3s"]);
    assert_eq!(workspace.requests("POST", CANCEL).len(), 1);
    assert_eq!(text(&run("print(x)").run().done().silent()), "6\n");
    assert_eq!(workspace.requests("POST", CREATE).len(), 1);
    assert!(workspace.requests("POST", DESTROY).is_empty());

    workspace.brick("run -c shared-analytics --context 404 1").run().fails(5, &["404"]);
    run("--keep-context 1").run().fails(2, &["--context", "--keep-context"]);
}

#[test]
fn a_kept_context_is_named_and_carries_over() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("run -c shared-analytics --keep-context").arg("x = 5; x").run().done();
    assert_eq!(text(&ran), "5\n");
    let id = ran.stderr.strip_prefix("context ").unwrap().split(' ').next().unwrap().to_owned();
    // What to do with it is told as it can be typed.
    let again = format!("run -c {RUNNING_CLUSTER} --context {id}");
    let destroy = format!("contexts destroy -c {RUNNING_CLUSTER} {id}");
    let ran = ran.says(&[&format!("brick {again}"), &format!("brick {destroy}")]);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert_eq!(text(&workspace.brick(&again).arg("print(x + 1)").run().done().silent()), "6\n");
    // Code that fails keeps it too: that is where one wants to look.
    let failed = workspace.brick("run -c shared-analytics --keep-context 1/0").run();
    failed.fails(8, &["is kept", "ZeroDivisionError"]);
    assert!(workspace.requests("POST", DESTROY).is_empty());
    workspace.brick(&destroy).run().done();
}

#[test]
fn detached_code_is_followed_by_its_ids() {
    let workspace = Workspace::fresh();
    let ids =
        workspace.brick("run -c shared-analytics --detach").arg("print(6*7)").run().done().silent().json();
    let id = |name: &str| ids[name].as_str().unwrap();
    assert_eq!(id("cluster_id"), RUNNING_CLUSTER);
    let status = format!(
        "commands status -c {} --context {} {}",
        id("cluster_id"),
        id("context_id"),
        id("command_id")
    );
    let mut answer = Value::Null;
    // Each look is a run of its own; code this short ends within a few.
    while matches!(answer["status"].as_str(), None | Some("Queued" | "Running")) {
        answer = workspace.brick(&status).run().done().silent().json();
    }
    assert_eq!((&answer["status"], &answer["results"]["data"]), (&"Finished".into(), &"42".into()));
    assert_eq!(workspace.requests("POST", EXECUTE).len(), 1);
    assert!(workspace.requests("POST", CANCEL).is_empty() && workspace.requests("POST", DESTROY).is_empty());
}

#[test]
fn a_stopped_cluster_is_refused_with_the_command_that_starts_it() {
    let workspace = Workspace::fresh();
    let words = ["TERMINATED", "brick clusters start 0710-090100-n1ghtly0", "--start"];
    workspace.brick("run -c nightly-etl print(1)").run().fails(3, &words);
    assert!(workspace.requests("POST", "/").is_empty());
    let ran = workspace.brick("run -c nightly-etl --start print(1)").run().done();
    assert_eq!(text(&ran), "1\n");
    assert_eq!(workspace.requests("POST", "/api/2.1/clusters/start").len(), 1);
    workspace.brick("run -c gpu-experiments --start print(1)").run().fails(8, &["INSUFFICIENT"]);
    assert_eq!(workspace.requests("POST", CREATE).len(), 1);
}

#[test]
fn nothing_is_sent_for_code_that_is_empty_or_missing() {
    let workspace = Workspace::fresh();
    let run = |line: &str| workspace.brick(&format!("run -c shared-analytics {line}"));
    run("").arg("").run().fails(2, &["code is empty"]);
    run("").stdin(" \n").run().fails(2, &["code is empty"]);
    run("-f a.py").file("a.py", "\n").run().fails(2, &["code is empty"]);
    run("-f missing.py").run().fails(3, &["missing.py"]);
    run("-f a.py").file("a.py", b"'\xff'").run().fails(2, &["not UTF-8"]);
    run("-f a.py 1").run().fails(2, &["--file", "TEXT"]);
    run("a.py").file("a.py", "print(1)").run().fails(2, &["name of a file: a.py", "did you mean -f a.py?"]);
    workspace.brick("run print(1)").run().fails(3, &["no cluster given", "--cluster"]);
    assert!(workspace.requests("POST", "/").is_empty() && workspace.requests("GET", "/").is_empty());
}

#[test]
fn a_name_that_is_none_or_several_lists_the_candidates() {
    let workspace = Workspace::fresh();
    let words = ["\"nightly\"", "hint: there are: ", "0710-090100-n1ghtly0 (nightly-etl, TERMINATED)"];
    workspace.brick("run -c nightly 1").run().fails(5, &words);
    assert!(workspace.requests("POST", "/").is_empty());
    let server = Server::json(
        r#"{"clusters":[{"cluster_id":"0101-000000-a","cluster_name":"etl","state":"RUNNING"},
            {"cluster_id":"0101-000000-b","cluster_name":"etl","state":"TERMINATED"},
            {"cluster_id":"0101-000000-c","cluster_name":"other","state":"RUNNING"}]}"#,
    );
    let ran = server.brick("run -c etl 1").run();
    let ran = ran.fails(2, &["\"etl\"", "0101-000000-a (etl, RUNNING), 0101-000000-b (etl, TERMINATED)"]);
    assert!(!ran.stderr.contains("0101-000000-c"), "{}", ran.stderr);
    assert!(server.only().line().starts_with("GET /api/2.1/clusters/list"), "{:?}", server.only());
}
