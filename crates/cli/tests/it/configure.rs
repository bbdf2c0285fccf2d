//! `brick configure` and `brick config use`: a profile that is asked for, tested and saved, and no secret in sight.

use std::{fs, os::unix::fs::PermissionsExt};

use brickwire_sandbox::seed::{RUNNING_CLUSTER, RUNNING_WAREHOUSE, USER_NAME};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    dialog,
    program::{Brick, Ran},
    workspace::Workspace,
};

fn home(file: Option<&str>) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    if let Some(file) = file {
        fs::write(home.path().join(".databrickscfg"), file).unwrap();
    }
    home
}

fn file(home: &TempDir) -> String {
    fs::read_to_string(home.path().join(".databrickscfg")).unwrap_or_default()
}

fn brick(arguments: &str, home: &TempDir) -> Brick {
    Brick::new(arguments).env("HOME", home.path())
}

#[track_caller]
fn keeps(ran: Ran, secret: &str) -> Ran {
    assert!(!ran.printed().contains(secret), "{}", ran.printed());
    ran
}

const OTHERS: &str = "# mine\n[DEFAULT]\nhost = https://d.example\ntoken = dapi-d\n\n[work] ; reports\n\
                      token = dapi-old # expires\nhost = https://w.example\nwarehouse_id = w\n";

#[test]
fn what_is_missing_is_asked_for_and_saved_after_a_test() {
    let (workspace, home) = (Workspace::fresh(), home(None));
    let running = dialog::start(brick("configure", &home));
    let running =
        running.answer("Workspace URL: ", "ftp://nowhere").answer("scheme", workspace.sandbox.url());
    let running = running.answer("Choice [1]: ", "7").answer("a number from 1 to 3", "2");
    let running = running.answer("Access token (hidden): ", &workspace.token);
    let running = running.answer("Which warehouse should", "nobody").answer("no warehouse has this", "1");
    let ran = running.answer("Which cluster should", "shared-analytics").end().done();
    let ran = keeps(ran, &workspace.token);
    let ran = ran.says(&[&format!("as {USER_NAME}"), "arguments: ", "configure", "echo: on"]);
    // A line that is written over would be between the questions.
    assert!(!ran.stderr.contains('\x1b'), "{:?}", ran.stderr);
    let path = home.path().join(".databrickscfg");
    let expected = format!(
        "[DEFAULT]\nhost = {}\nwarehouse_id = {RUNNING_WAREHOUSE}\ncluster_id = {RUNNING_CLUSTER}\ntoken = {}\n",
        workspace.sandbox.url(),
        workspace.token
    );
    assert_eq!(file(&home), expected);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let saved = ran.json();
    assert_eq!((&saved["profile"], &saved["default"]), (&json!("DEFAULT"), &json!(true)));
    assert_eq!((&saved["user"], &saved["auth_type"]), (&json!(USER_NAME), &json!("pat")));
    assert_eq!(saved["file"], path.to_str().unwrap());
    let ran = brick("sql -o csv", &home).arg("SELECT 1 AS n").run().done().silent();
    assert_eq!(ran.text().replace('\r', ""), "n\n1\n");
}

#[test]
fn an_existing_profile_offers_its_values() {
    let (workspace, home) = (Workspace::fresh(), home(None));
    let (url, token) = (workspace.sandbox.url(), &workspace.token);
    fs::write(home.path().join(".databrickscfg"), format!("[a]\nhost = {url}\ntoken = {token} ; kept\n"))
        .unwrap();
    let running = dialog::start(brick("configure", &home));
    let running =
        running.answer("Profile name [DEFAULT]: ", "a").answer(&format!("Workspace URL [{url}]: "), "");
    let running = running.answer("keep the present one (pat)", "").answer("Which warehouse should", "");
    let running = running.answer("Which cluster should", "");
    let ran = running.answer("Use profile a when no other is named? [Y/n]", "").end().done();
    keeps(ran, token);
    let settings = "[__settings__]\ndefault_profile = a\n";
    assert_eq!(file(&home), format!("[a]\nhost = {url}\ntoken = {token} ; kept\n\n{settings}"));
}

#[test]
fn everything_can_be_given_without_a_terminal() {
    let (workspace, home) = (Workspace::fresh(), home(Some(OTHERS)));
    let url = workspace.sandbox.url();
    let all =
        format!("configure -p work --host {url} --token-stdin --cluster shared-analytics --set-default -vv");
    let ran = brick(&all, &home).stdin(format!("{}\n", workspace.token)).run().done();
    let ran = keeps(ran, &workspace.token);
    assert_eq!(ran.json()["default"], true);
    // The comment stays; the warehouse of the old workspace does not.
    let expected = OTHERS
        .replace("dapi-old", &workspace.token)
        .replace("https://w.example", url)
        .replace("warehouse_id = w\n", &format!("cluster_id = {RUNNING_CLUSTER}\n"));
    let settings = "\n[__settings__]\ndefault_profile = work\n";
    assert_eq!(file(&home), format!("{expected}{settings}"));
    // A single setting, with the credential that is there.
    brick("configure -p work --warehouse", &home).arg("Serverless Starter Warehouse").run().done();
    let more = format!("cluster_id = {RUNNING_CLUSTER}\nwarehouse_id = {RUNNING_WAREHOUSE}\n");
    let expected = expected.replace(&format!("cluster_id = {RUNNING_CLUSTER}\n"), &more);
    assert_eq!(file(&home), format!("{expected}{settings}"));
}

#[test]
fn a_service_principal_is_saved_with_its_secret() {
    let (workspace, home) = (Workspace::fresh(), home(None));
    let (id, secret) = workspace.sandbox.fresh_client();
    let url = workspace.sandbox.url();
    let all = format!("configure -p robot --host {url} --secret-stdin --client-id {id} -vv");
    let ran = keeps(brick(&all, &home).stdin(secret.as_str()).run().done(), &secret);
    assert_eq!((&ran.json()["user"], &ran.json()["auth_type"]), (&json!(id), &json!("oauth-m2m")));
    assert_eq!(file(&home), format!("[robot]\nhost = {url}\nclient_id = {id}\nclient_secret = {secret}\n"));
    assert_eq!(brick("whoami -p robot", &home).run().done().json()["user"]["userName"], id.as_str());
}

#[test]
fn what_is_missing_without_a_terminal_is_named_and_nothing_is_sent() {
    let (workspace, home) = (Workspace::fresh(), home(Some(OTHERS)));
    let url = workspace.sandbox.url();
    let host = format!("--host {url}");
    for (arguments, input, words) in [
        (
            host.clone(),
            "",
            ["no credential given", "hint: pipe in an access token with --token-stdin"].as_slice(),
        ),
        (format!("-p new {host}"), "", &["no credential given"]),
        (format!("-p work {host}"), "", &["no credential given"]),
        ("-p new --token-stdin".to_owned(), "t", &["no workspace given", "--host"]),
        (format!("{host} --token-stdin"), " \n", &["the secret on standard input is empty"]),
        (format!("{host} --client-id x"), "", &["no secret given", "--secret-stdin"]),
        (format!("{host} --client-id x --token-stdin"), "t", &["cannot be used with"]),
        (format!("{host} --secret-stdin"), "t", &["--client-id"]),
        (format!("{host} --token-stdin"), "a b", &["blanks"]),
        ("-p new --host ftp://x --token-stdin".to_owned(), "t", &["scheme"]),
        (format!("-p a] {host} --token-stdin"), "t", &["the profile's name"]),
        (format!("-p __settings__ {host} --token-stdin"), "t", &["is reserved"]),
        ("--sandbox --token-stdin".to_owned(), "t", &["a sandbox needs no profile"]),
    ] {
        let ran = brick("configure", &home).args(&arguments).stdin(input).run();
        let code = ran.code();
        assert!(matches!(code, Some(2 | 3)), "{arguments}: {code:?} {}", ran.stderr);
        let code = code.unwrap();
        ran.fails(code, words);
    }
    assert_eq!(file(&home), OTHERS);
    assert!(workspace.sandbox.requests_of(&workspace.token).is_empty());
}

#[test]
fn a_credential_that_is_refused_is_not_saved() {
    let (workspace, home) = (Workspace::fresh(), home(Some(OTHERS)));
    let configure = |options: &str| {
        let all = format!("configure -p work --host {} --token-stdin {options}", workspace.sandbox.url());
        brick(&all, &home).stdin("dapi-planted-wrong").run()
    };
    keeps(configure("").fails(4, &["nothing was saved"]), "dapi-planted-wrong");
    let named =
        format!("configure -p work --host {} --token-stdin --warehouse nobody", workspace.sandbox.url());
    let ran = brick(&named, &home).stdin(workspace.token.as_str()).run();
    keeps(ran.fails(5, &["no warehouse has this id or name"]), &workspace.token);
    assert_eq!(file(&home), OTHERS);
}

#[test]
fn a_file_that_can_not_be_written_is_named_before_anything_is_sent() {
    let (workspace, home) = (Workspace::fresh(), home(Some(OTHERS)));
    let path = home.path().join(".databrickscfg");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    let all = format!("configure -p work --host {} --token-stdin", workspace.sandbox.url());
    let ran = brick(&all, &home).stdin(workspace.token.as_str()).run();
    keeps(ran.fails(3, &["the configuration file is read-only", "hint: make it writable"]), &workspace.token);
    brick("config use work", &home).run().fails(3, &["the configuration file is read-only"]);
    assert_eq!(file(&home), OTHERS);
    assert!(workspace.sandbox.requests_of(&workspace.token).is_empty());
}

#[test]
fn an_interrupt_turns_the_echo_on_and_saves_nothing() {
    let (workspace, home) = (Workspace::fresh(), home(None));
    let running = dialog::start(brick("configure --host", &home).arg(workspace.sandbox.url()));
    let running = running.answer("Choice [1]: ", "2").answer("Access token (hidden): ", "\x03");
    running.end().fails(130, &["interrupted", "echo: on"]);
    let running = dialog::start(brick("configure", &home));
    running.answer("Workspace URL: ", "\x04").end().fails(2, &["the input ended before the question"]);
    assert_eq!(file(&home), "");
}

#[test]
fn the_default_profile_is_chosen_by_name() {
    let home = home(Some(OTHERS));
    let ran = brick("config use work", &home).run().done().silent();
    let path = home.path().join(".databrickscfg");
    assert_eq!(ran.json(), json!({ "default_profile": "work", "file": path }));
    assert_eq!(file(&home), format!("{OTHERS}\n[__settings__]\ndefault_profile = work\n"));
    let used = brick("config show", &home).run().done().json();
    assert_eq!(used["profile"], "work");
    brick("config use DEFAULT", &home).run().done().silent();
    assert_eq!(file(&home), format!("{OTHERS}\n[__settings__]\ndefault_profile = DEFAULT\n"));
    brick("config use wrok", &home)
        .run()
        .fails(3, &["no profile wrok", "hint: its profiles are: DEFAULT, work"]);
    // The profile is not used here, and that is said.
    let ran = brick("config use work", &home).env("DATABRICKS_HOST", "https://e.example").run().done();
    ran.says(&["the environment comes before the default profile (environment DATABRICKS_HOST)", "-p work"]);
}

#[test]
fn the_status_says_who_is_logged_in_and_how() {
    let workspace = Workspace::fresh();
    let status = workspace.brick("auth status -o json").run().done().silent().json();
    let sources = json!({ "host": "environment DATABRICKS_HOST", "token": "environment DATABRICKS_TOKEN" });
    let expected = json!({
        "host": workspace.sandbox.url(), "user": USER_NAME, "auth_type": "pat", "profile": null, "expiry": null,
        "sources": sources,
    });
    assert_eq!(status, expected);
    let ran = workspace.brick("auth status -o record").run().done().silent();
    let source = ran.text().lines().find(|line| line.starts_with("source of token "));
    assert!(source.is_some_and(|line| line.ends_with("environment DATABRICKS_TOKEN")), "{}", ran.text());
    keeps(ran, &workspace.token);

    let refused = workspace.brick("auth status").env("DATABRICKS_TOKEN", "dapi-planted-wrong").run();
    keeps(refused.fails(4, &["error: "]), "dapi-planted-wrong");
    let none = workspace.brick("auth status -o json").without_env("DATABRICKS_TOKEN").run();
    let error = none.fails(4, &[]).json_error();
    assert_eq!(error["next"], format!("brick auth login --host {}", workspace.sandbox.url()));
    let error = Brick::new("auth status -o json").run().fails(3, &["no host configured"]).json_error();
    assert_eq!(error["next"], "brick configure");
}

#[test]
fn a_new_user_is_told_where_to_begin() {
    for command in ["whoami", "clusters list", "sql SELECT"] {
        let error = Brick::new(command).args("-o json").run().fails(3, &["no host configured"]).json_error();
        assert_eq!(error["next"], "brick configure", "{command}");
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.contains("run `brick configure`") && hint.contains("--sandbox"), "{command}: {hint}");
    }
}
