//! Operations of the API description by their names.

use crate::{scripted::Server, workspace::Workspace};

#[test]
fn an_operation_is_called_by_its_name() {
    let workspace = Workspace::fresh();
    let listed = workspace.brick("api clusters_list page_size=2").run().done().json();
    assert_eq!(listed["clusters"].as_array().unwrap().len(), 2);
    let all = workspace.brick("api clusters_list page_size=1 --paginate -o jsonl").run().done();
    assert_eq!(all.text().lines().count(), 3);
    let id = listed["clusters"][0]["cluster_id"].as_str().unwrap().to_owned();
    let one = workspace.brick(&format!("api clusters_get cluster_id={id}")).run().done();
    assert_eq!(one.json()["cluster_id"], id.as_str());
}

#[test]
fn arguments_go_into_path_query_and_body() {
    let sent = |arguments: &str| {
        let server = Server::json("{}");
        server.brick(arguments).run().done();
        let sent = server.only();
        (sent.line(), sent.text())
    };
    let (line, body) = sent("api warehouses_get id=a/b%");
    assert_eq!((line.as_str(), body.as_str()), ("GET /api/2.0/sql/warehouses/a%2Fb%25", ""));
    let (line, _) =
        sent("api clusters_list filter_by.cluster_states[]=RUNNING filter_by.cluster_states[]=PENDING");
    assert_eq!(
        line,
        "GET /api/2.1/clusters/list?filter_by.cluster_states=RUNNING&filter_by.cluster_states=PENDING"
    );
    let (line, body) =
        sent("api jobs_update job_id=9007199254740993 new_settings[timeout_seconds]=5 new_settings[name]=7x");
    assert_eq!(line, "POST /api/2.2/jobs/update");
    assert_eq!(body, r#"{"job_id":9007199254740993,"new_settings":{"timeout_seconds":5,"name":"7x"}}"#);
    let (line, _) = sent("api permissions_get request_object_type=sql/warehouses request_object_id=1");
    assert_eq!(line, "GET /api/2.0/permissions/sql/warehouses/1");
    let (line, _) = sent("api directories_list directory_path=/Volumes/a/b/c%/é");
    assert_eq!(line, "GET /api/2.0/fs/directories/Volumes/a/b/c%25/%C3%A9");
    let server = Server::json("{}");
    let settings = r#"{"name": "x", "timeout_seconds": 9007199254740993}"#;
    server.brick("api jobs_reset job_id=1 new_settings=@s.json").file("s.json", settings).run().done();
    assert_eq!(
        server.only().text(),
        r#"{"job_id":1,"new_settings":{"name":"x","timeout_seconds":9007199254740993}}"#
    );
    let server = Server::json("{}");
    server.brick("api jobs_create -d @job.json").file("job.json", r#"{"name":"whole"}"#).run().done();
    assert_eq!(server.only().text(), r#"{"name":"whole"}"#);
}

#[test]
fn the_next_page_is_requested_by_the_operations_own_parameter() {
    let server = Server::answering(&[
        (200, "application/json", br#"{"repos":[],"next_page_token":"t"}"#),
        (200, "application/json", b"{}"),
    ]);
    server.brick("api repos_list --paginate").run().done();
    let lines: Vec<_> = server.sent().iter().map(|sent| sent.line()).collect();
    assert_eq!(lines, ["GET /api/2.0/repos", "GET /api/2.0/repos?next_page_token=t"]);
}

#[test]
fn wrong_arguments_are_refused_before_anything_is_sent() {
    let server = Server::json("{}");
    for (arguments, words) in [
        ("jobs_gett", &["jobs_gett", "did you mean jobs_get?"][..]),
        ("nothing_like_that job_id=1", &["nothing_like_that"]),
        ("jobs_get", &["job_id"]),
        ("jobs_get job_id=one", &["job_id", "integer", "one"]),
        ("jobs_get job_id=1 jobid=2", &["jobid", "did you mean job_id?"]),
        ("jobs_get job_id=1 job_id=2", &["job_id"]),
        ("jobs_get job_id", &["job_id", "KEY=VALUE"]),
        ("jobs_list expand_tasks=maybe", &["expand_tasks", "true or false"]),
        ("jobs_reset job_id=1", &["new_settings"]),
        ("jobs_reset job_id=1 new_settings=[]", &["new_settings", "object"]),
        ("jobs_reset job_id=1 -d {}", &["job_id", "body"]),
        ("jobs_get -F job_id=1", &["KEY=VALUE"]),
        ("warehouses_get id=..", &["id", ".."]),
        ("GET", &["URL"]),
        ("GET /x /y", &["/y"]),
        ("experiments_search --paginate", &["--paginate", "experiments_search"]),
        ("secrets_put scope=a key=b string_value=hush", &["string_value", "secret", "@FILE"]),
        ("connections_create name=x options[password]=hush", &["options", "secret", "@FILE"]),
        ("--list x GET", &["--list"]),
    ] {
        server.brick(&format!("api {arguments}")).run().fails(2, words);
    }
    assert!(server.sent().is_empty());
}

#[test]
fn it_is_repeated_where_that_is_safe() {
    let workspace = Workspace::fresh();
    workspace.fault("* /api/2.2/jobs/*: times 2 503");
    workspace.brick("api jobs_list").run().done();
    assert_eq!(workspace.requests("GET", "/api/2.2/jobs/list").len(), 3);

    let workspace = Workspace::fresh();
    workspace.fault("* /api/2.2/jobs/*: 503");
    workspace.brick("api jobs_create name=x").run().exits(7, &["may have"]);
    assert_eq!(workspace.requests("POST", "/api/2.2/jobs/create").len(), 1);
}

#[test]
fn operations_are_listed_and_found() {
    let run = |arguments: &str| crate::program::Brick::new(&format!("api --list {arguments}")).run();
    let all = run("-o json").done().json();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), brickwire_actions::reference::Reference::all().len());
    assert!(all.iter().all(|one| !one["summary"].as_str().unwrap().is_empty()), "each has a summary");

    let found = run("WAREHOUSES -o csv").done();
    assert!(
        found.text().lines().skip(1).all(|line| line.to_lowercase().contains("warehouses")),
        "{}",
        found.text()
    );
    assert!(
        found.text().contains("warehouses_start,POST,/api/2.0/sql/warehouses/{id}/start,id*"),
        "{}",
        found.text()
    );

    let arguments = run("jobs_get -o table").done();
    assert!(arguments.text().starts_with("ARGUMENT"), "{}", arguments.text());
    assert!(arguments.text().contains("job_id                 query  integer  true"), "{}", arguments.text());
    run("no-such-thing").fails(5, &["no-such-thing"]);
}
