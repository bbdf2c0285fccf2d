//! Logging in on another machine: the page is printed, and the address that its browser was sent to is pasted.

use std::{fs, path::Path};

use brickwire_sandbox::{Delays, Sandbox, seed::USER_NAME};
use serde_json::Value;

use crate::{
    dialog,
    login::answer_of,
    program::{Brick, Ran, Running},
    workspace::Workspace,
};

const QUESTION: &str = "paste the address you were sent to (it need not load): ";

fn sandbox() -> Workspace {
    Workspace::alone(Sandbox::builder().with_delays(Delays::NONE))
}

/// `brick` about this host, on a machine with this home and no browser.
fn brick(arguments: &str, sandbox: &Workspace, home: &Path) -> Brick {
    Brick::new(arguments).env("HOME", home).env("DATABRICKS_HOST", sandbox.sandbox.url())
}

/// The page that was printed.
fn page(running: &Running) -> String {
    let said = running.said();
    let line = said.lines().map(str::trim).find(|line| line.contains("/oidc/v1/authorize?"));
    line.unwrap_or_else(|| panic!("{said}")).to_owned()
}

/// The login that is stored under this key.
fn stored(home: &Path, key: &str) -> Value {
    let text = fs::read(home.join(".config/brickwire/tokens.json")).unwrap();
    serde_json::from_slice::<Value>(&text).unwrap()["tokens"][key].clone()
}

#[track_caller]
fn keeps_the_login(ran: Ran, login: &Value) -> Ran {
    for key in ["access_token", "refresh_token"] {
        assert!(!ran.printed().contains(login[key].as_str().unwrap()), "{}", ran.printed());
    }
    ran
}

#[test]
fn a_pasted_address_ends_the_login_and_the_profile_is_offered() {
    let (sandbox, home) = (sandbox(), tempfile::tempdir().unwrap());
    let running = dialog::start(brick("auth login", &sandbox, home.path())).until_said(QUESTION);
    let address = answer_of(&page(&running), sandbox.sandbox.login_code());
    let of_other = address.replace("state=", "state=x");
    let cut = &address[..address.find("state=").unwrap()];
    let running = running.answer(QUESTION, &of_other).answer("answer to another login", cut);
    let ran = running.until_said("it was cut off").answer("no answer of a login page", &address);
    let ran = ran.answer("Save as profile DEFAULT? [Y/n]", "").end().done();
    let ran = ran.says(&["logged in to http://127.0.0.1", "saved profile DEFAULT in ", "echo: on"]);
    assert_eq!(ran.text(), "");
    // A line that is written over would be between the questions.
    assert!(!ran.stderr.contains("\x1b[2K"), "{:?}", ran.stderr);
    // A wrong address was not sent to the service.
    assert_eq!(sandbox.requests("POST", "/oidc/v1/token").len(), 1);
    let url = sandbox.sandbox.url();
    let file = fs::read_to_string(home.path().join(".databrickscfg")).unwrap();
    assert_eq!(file, format!("[DEFAULT]\nhost = {url}\n"));
    keeps_the_login(ran, &stored(home.path(), "DEFAULT"));
    assert_eq!(stored(home.path(), url), Value::Null, "one refresh token has one place");
    let ran = Brick::new("whoami").env("HOME", home.path()).run().done().silent();
    assert_eq!(ran.json()["user"]["userName"], USER_NAME);
    // The profile exists, so there is nothing to offer.
    let running =
        dialog::start(brick("auth login -p DEFAULT", &sandbox, home.path()).without_env("DATABRICKS_HOST"));
    let running = running.until_said(QUESTION);
    let address = answer_of(&page(&running), sandbox.sandbox.login_code());
    let ran = running.answer(QUESTION, &address).end().done();
    assert!(!ran.stderr.contains("Save as"), "{}", ran.stderr);
}

#[test]
fn a_login_is_saved_under_a_name_and_a_refused_one_is_not() {
    let (workspace, home) = (sandbox(), tempfile::tempdir().unwrap());
    let url = workspace.sandbox.url();
    let file = home.path().join(".databrickscfg");
    let before = "; mine\n[old]\nhost = https://old.example\ntoken = dapi-old\n";
    fs::write(&file, before).unwrap();
    let log_in = |sandbox: &Workspace| {
        let running = dialog::start(brick("auth login --save work --no-browser", sandbox, home.path()));
        let running = running.until_said(QUESTION);
        let address = answer_of(&page(&running), sandbox.sandbox.login_code());
        running.answer(QUESTION, &address).end()
    };
    let refusing = Workspace::alone(Sandbox::builder().with_delays(Delays::NONE).without_consent());
    log_in(&refusing).fails(4, &["the login was refused: access_denied"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    let ran = log_in(&workspace).done();
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{before}\n[work]\nhost = {url}\n"));
    keeps_the_login(ran, &stored(home.path(), "work"));
    let status = Brick::new("auth status -p work").env("HOME", home.path()).run().done().silent().json();
    assert_eq!((&status["user"], &status["auth_type"]), (&USER_NAME.into(), &"external-browser".into()));
    assert!(status["expiry"].is_string(), "{status}");
}

#[test]
fn an_interrupt_ends_the_question() {
    let (sandbox, home) = (sandbox(), tempfile::tempdir().unwrap());
    let running = dialog::start(brick("auth login", &sandbox, home.path()));
    running.answer(QUESTION, "\x03").end().fails(130, &["interrupted", "echo: on"]);
    assert!(fs::read_dir(home.path()).unwrap().next().is_none(), "nothing was written");
}
