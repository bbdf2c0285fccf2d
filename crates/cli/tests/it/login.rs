//! Logging in without a token of one's own: in the browser, and with the identity that a workload is given.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use brickwire_sandbox::{Delays, Sandbox, SandboxBuilder, seed::USER_NAME};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    program::{Brick, Ran},
    terminal::on_terminal,
    workspace::Workspace,
};

/// A sandbox, and a machine whose browser writes down where it is sent.
struct Machine {
    sandbox: Workspace,
    home: TempDir,
}

impl Machine {
    fn new() -> Self {
        Self::facing(Sandbox::builder())
    }

    fn facing(builder: SandboxBuilder) -> Self {
        let sandbox = Workspace::alone(builder.with_delays(Delays::NONE));
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("bin")).unwrap();
        let program = home.path().join("bin/xdg-open");
        fs::write(
            &program,
            "#!/bin/sh\n/usr/bin/env > \"$HOME/bin/inherited\"\necho \"$*\" > \"$HOME/bin/opened\"\n",
        )
        .unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        // For the terminal. What is on the PATH may be a script that needs a shell.
        let python =
            Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
        let python = String::from_utf8(python.stdout).unwrap();
        std::os::unix::fs::symlink(python.trim(), home.path().join("bin/python3")).unwrap();
        Self { sandbox, home }
    }

    fn url(&self) -> &str {
        self.sandbox.sandbox.url()
    }

    /// `brick` with these arguments, on this machine; nothing but the home is configured.
    fn brick(&self, arguments: &str) -> Brick {
        let bin = self.home.path().join("bin");
        // macOS starts its own /usr/bin/open, unless a browser is named.
        let browser = if cfg!(target_os = "macos") { bin.join("xdg-open") } else { PathBuf::new() };
        let brick = Brick::new(arguments).env("HOME", self.home.path()).env("PATH", bin);
        brick.env("BROWSER", browser).env("DISPLAY", ":0")
    }

    /// `brick` with these arguments, about this host.
    fn here(&self, arguments: &str) -> Brick {
        self.brick(arguments).arg("--host").arg(self.url())
    }

    fn opened(&self) -> PathBuf {
        self.home.path().join("bin").join("opened")
    }

    /// Where the browser was sent to, as soon as it was.
    fn address(&self) -> String {
        let started = Instant::now();
        loop {
            match fs::read_to_string(self.opened()) {
                Ok(line) if line.ends_with('\n') => return line.trim_end().to_owned(),
                _ => assert!(started.elapsed() < Duration::from_secs(120), "no browser was opened"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Runs a login, with the browser's part in it: every address, and the last page.
    fn log_in(&self, login: Brick) -> (Ran, Vec<String>, String) {
        let running = on_terminal("2", login).start();
        let (addresses, page) = browse(&self.address(), self.sandbox.sandbox.login_code());
        (running.end(), addresses, page)
    }

    fn store(&self) -> PathBuf {
        self.home.path().join(".config/brickwire/tokens.json")
    }

    /// What is kept of the login: the access token and the refresh token.
    fn kept(&self) -> [String; 2] {
        let store: Value = serde_json::from_slice(&fs::read(self.store()).unwrap()).unwrap();
        let login = &store["tokens"][self.url()];
        ["access_token", "refresh_token"].map(|name| login[name].as_str().unwrap().to_owned())
    }
}

/// Goes to an address and wherever it is sent from there, and types the code where the login page asks for it.
fn browse(address: &str, login_code: &str) -> (Vec<String>, String) {
    let mut addresses = vec![address.to_owned()];
    loop {
        assert!(addresses.len() < 10, "sent around: {addresses:?}");
        let here = &addresses[addresses.len() - 1];
        let (mut head, mut page) = visit(here, None).unwrap();
        if page.contains("name=\"login_code\"") {
            (head, page) = visit(here, Some(login_code)).unwrap();
        }
        let location = head.lines().filter_map(|line| line.split_once(": "));
        let location =
            location.filter(|(name, _)| name.eq_ignore_ascii_case("location")).map(|(_, to)| to).next();
        match location {
            Some(next) => addresses.push(next.to_owned()),
            None => return (addresses, page),
        }
    }
}

/// Logs in on the login page in a browser of another machine: the address that it can't load.
pub(crate) fn answer_of(page: &str, login_code: &str) -> String {
    let mut here = page.to_owned();
    while !here.starts_with("http://localhost:80") {
        let (mut head, body) = visit(&here, None).unwrap();
        if body.contains("name=\"login_code\"") {
            (head, _) = visit(&here, Some(login_code)).unwrap();
        }
        let to = head.lines().filter_map(|line| line.split_once(": "));
        let mut to =
            to.filter(|(name, _)| name.eq_ignore_ascii_case("location")).map(|(_, to)| to.to_owned());
        here = to.next().unwrap_or_else(|| panic!("sent nowhere: {head}"));
    }
    here
}

/// The headers and body of a page, or `None` if the connection is refused. With a login code, submits the form.
fn visit(address: &str, login_code: Option<&str>) -> Option<(String, String)> {
    let rest = address.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let mut stream = TcpStream::connect(host).ok()?;
    // HTTP/1.0: no keep-alive and no chunks.
    let slash = if path.starts_with('/') { "" } else { "/" };
    let (method, form) = match login_code {
        Some(code) => ("POST", format!("login_code={code}")),
        None => ("GET", String::new()),
    };
    let request = format!(
        "{method} {slash}{path} HTTP/1.0\r\nhost: {host}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{form}",
        form.len(),
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    Some((head.to_owned(), body.to_owned()))
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[track_caller]
fn keeps(ran: Ran, secrets: &[String]) -> Ran {
    for secret in secrets {
        assert!(!secret.is_empty() && !ran.printed().contains(secret), "{secret}: {}", ran.printed());
    }
    ran
}

#[test]
fn log_in_work_and_log_out() {
    let machine = Machine::new();
    let (ran, addresses, page) = machine.log_in(machine.here("auth login -vv"));
    let opened = format!("opened {} in a browser", addresses[0]);
    let ran = ran.done().says(&[&opened, &format!("logged in to {}", machine.url())]);
    assert_eq!(ran.text(), "");
    assert!(page.contains("You are logged in"), "{page}");
    // By the login page and back, with a code in the address.
    assert_eq!(addresses.len(), 3, "{addresses:?}");
    assert!(addresses[1].starts_with(&format!("{}/oidc/v1/authorize?", machine.url())), "{addresses:?}");
    let code = addresses[2].split(['?', '&']).find_map(|pair| pair.strip_prefix("code=")).unwrap();
    let kept = machine.kept();
    keeps(ran, &[kept[0].clone(), kept[1].clone(), code.to_owned()]);

    assert_eq!((mode(&machine.store()), mode(machine.store().parent().unwrap())), (0o600, 0o700));
    let mut there: Vec<_> =
        fs::read_dir(machine.home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    there.sort();
    assert_eq!(there, [".config", "bin"], "nothing else was written");

    let ran = keeps(machine.here("whoami -vv").run().done(), &kept);
    assert_eq!(ran.json()["user"]["userName"], USER_NAME);
    let ran = keeps(machine.here("clusters list -vv").run().done(), &kept);
    assert!(ran.text().contains("nightly-etl"), "{}", ran.text());
    let ran = machine.here("auth token").run().done().silent();
    assert_eq!(ran.json()["access_token"], kept[0].as_str());
    assert!(ran.json()["expiry"].is_string() && !ran.text().contains(&kept[1]), "{}", ran.text());
    keeps(machine.here("doctor").run().exits(0, &[]), &kept);
    keeps(machine.here("config show").run().done(), &kept);

    let ran = machine.here("auth logout").run().done().says(&[&format!("logged out of {}", machine.url())]);
    keeps(ran, &kept);
    let left = fs::read_to_string(machine.store()).unwrap();
    assert!(kept.iter().all(|secret| !left.contains(secret)), "{left}");
    machine.here("whoami").run().fails(3, &["no credential", "hint: ", "`brick auth login`"]);
    let again = format!("hint: run `brick auth login --host {}`", machine.url());
    let asked =
        |arguments: &str| machine.here(arguments).env("DATABRICKS_AUTH_TYPE", "external-browser").run();
    asked("whoami").fails(4, &["not logged in to", &again]);
    asked("auth token").fails(4, &["not logged in to", &again]);
    machine.here("auth logout").run().done().says(&["not logged in to"]);
}

#[test]
fn a_login_is_renewed_by_itself_until_it_ends() {
    let machine = Machine::new();
    machine.log_in(machine.here("auth login")).0.done();
    let first = machine.kept();
    machine.sandbox.sandbox.clock().advance(Duration::from_secs(3600));
    let ran = machine.here("whoami -vv").run().done();
    let second = machine.kept();
    assert!(first[0] != second[0] && first[1] != second[1]);
    keeps(keeps(ran, &first), &second);
    assert_eq!(mode(&machine.store()), 0o600);

    // Someone else has used the refresh token.
    let store = fs::read_to_string(machine.store()).unwrap().replace(&second[1], &first[1]);
    fs::write(machine.store(), store).unwrap();
    machine.sandbox.sandbox.clock().advance(Duration::from_secs(3600));
    let ran =
        machine.here("whoami -vv").run().fails(4, &["the login has ended at", "hint: run `brick auth login"]);
    keeps(keeps(ran, &first), &second);
}

#[test]
fn programs_that_share_a_login_renew_it_once() {
    let machine = Machine::new();
    machine.log_in(machine.here("auth login")).0.done();
    machine.sandbox.sandbox.clock().advance(Duration::from_secs(3600));
    let all: Vec<_> = (0..4).map(|_| machine.here("whoami").start()).collect();
    for running in all {
        running.end().done().silent();
    }
    machine.here("whoami").run().done().silent();
    // One for the login. Whoever began late found the renewed token.
    assert_eq!(machine.sandbox.requests("POST", "/oidc/v1/token").len(), 2);
}

#[test]
fn the_browser_is_the_one_that_the_environment_names() {
    let machine = Machine::new();
    let named = machine.home.path().join("bin/named");
    fs::rename(machine.home.path().join("bin/xdg-open"), &named).unwrap();
    machine.log_in(machine.here("auth login").env("BROWSER", &named)).0.done().says(&["opened http"]);
}

#[test]
fn a_login_that_the_user_refuses_keeps_nothing() {
    let machine = Machine::facing(Sandbox::builder().without_consent());
    let (ran, _, page) = machine.log_in(machine.here("auth login"));
    ran.fails(4, &["the login was refused: access_denied The user said no"]);
    assert!(page.contains("The login failed"), "{page}");
    assert!(!machine.store().exists());
    assert!(machine.sandbox.requests("POST", "/oidc/v1/token").is_empty());
}

#[test]
fn a_login_that_is_interrupted_leaves_nothing_behind() {
    let machine = Machine::new();
    let running = on_terminal("2", machine.here("auth login")).start();
    let address = machine.address();
    let leads_to_ours = || {
        let page = visit(&address, None);
        page.is_some_and(|(head, _)| head.contains(machine.url()))
    };
    assert!(leads_to_ours());
    running.signal("INT");
    running.end().fails(130, &["interrupted"]);
    // Another login may listen there by now.
    assert!(!leads_to_ours());
    assert!(!machine.store().exists());
}

#[test]
fn a_login_without_a_browser_prints_the_page_and_waits_so_long() {
    let machine = Machine::new();
    let begun = machine.here("auth login --no-browser --timeout 1ms").run();
    begun.fails(
        9,
        &[
            &format!("log in:\n  {}/oidc/v1/authorize?", machine.url()),
            "the login was not completed within 1ms",
            "hint: run the command again, or allow more time with --timeout",
        ],
    );
    assert!(!machine.opened().exists() && !machine.store().exists());
}

#[test]
fn without_a_terminal_no_login_is_waited_for() {
    let machine = Machine::new();
    for command in ["auth login", "auth login --save work"] {
        let ran = machine.here(command).run();
        ran.fails(2, &["needs a terminal", "hint: in CI, set DATABRICKS_CLIENT_ID", "--no-browser"]);
    }
    assert!(!machine.opened().exists() && !machine.store().exists());
    assert!(
        machine.sandbox.requests("GET", "/").is_empty() && machine.sandbox.requests("POST", "/").is_empty()
    );
}

#[test]
fn a_login_beside_a_token_says_which_one_counts() {
    let machine = Machine::new();
    let token = machine.sandbox.token.clone();
    let (ran, ..) = machine.log_in(machine.here("auth login").env("DATABRICKS_TOKEN", &token));
    let ran = ran.done().says(&["logged in to", "warning:", "pat is configured too", "DATABRICKS_AUTH_TYPE"]);
    // The browser runs other people's code.
    let inherited = fs::read_to_string(machine.home.path().join("bin/inherited")).unwrap();
    assert!(inherited.contains("HOME=") && !inherited.contains("DATABRICKS"), "{inherited}");
    keeps(ran, &[token]);
}

/// `brick` with these arguments, for a service principal of the shared sandbox, and its id.
fn workload(workspace: &Workspace, arguments: &str) -> (Brick, String) {
    let (id, _) = workspace.sandbox.fresh_client();
    let brick = Brick::new(arguments).env("DATABRICKS_HOST", workspace.sandbox.url());
    (brick.env("DATABRICKS_CLIENT_ID", &id), id)
}

#[test]
fn an_identity_in_a_variable_becomes_a_token() {
    let workspace = Workspace::fresh();
    let identity = workspace.sandbox.identity_token();
    let secret = [identity.clone()];
    let (brick, id) = workload(&workspace, "whoami -vv");
    let ran = keeps(brick.env("DATABRICKS_OIDC_TOKEN", &identity).run().done(), &secret);
    assert_eq!(ran.json()["user"]["userName"], id);

    let named = |arguments: &str| {
        let brick = workload(&workspace, arguments).0.env("DATABRICKS_AUTH_TYPE", "env-oidc");
        brick.env("DATABRICKS_OIDC_TOKEN_ENV", "CI_TOKEN")
    };
    let ran = keeps(named("auth token").env("CI_TOKEN", &identity).run().done().silent(), &secret);
    assert!(ran.json()["expiry"].is_string(), "{}", ran.text());
    named("whoami").run().fails(3, &["CI_TOKEN", "hint: "]);
    let ran = named("whoami -vv").env("CI_TOKEN", "planted-and-no-jwt").run().fails(4, &["invalid_grant"]);
    keeps(ran, &["planted-and-no-jwt".to_owned()]);
    let stranger = named("whoami -vv").env("CI_TOKEN", &identity).env("DATABRICKS_CLIENT_ID", "nobody").run();
    keeps(stranger.fails(4, &["invalid_client", "hint: "]), &secret);
}

#[test]
fn an_identity_in_a_file_becomes_a_token() {
    let workspace = Workspace::fresh();
    let identity = workspace.sandbox.identity_token();
    let (brick, id) = workload(&workspace, "whoami -vv");
    let brick =
        brick.env("DATABRICKS_OIDC_TOKEN_FILEPATH", "identity").file("identity", format!("{identity}\n"));
    let ran = keeps(brick.run().done(), &[identity]);
    assert_eq!(ran.json()["user"]["userName"], id);
    let form =
        workspace.sandbox.requests_of(&id).into_iter().find(|request| request.path == "/oidc/v1/token");
    let form = form.unwrap().body.unwrap().as_str().unwrap().to_owned();
    assert!(form.contains("token-exchange") && form.contains("subject_token=sha256:"), "{form}");

    let missing = workload(&workspace, "whoami").0.env("DATABRICKS_OIDC_TOKEN_FILEPATH", "nowhere");
    missing.run().fails(3, &["does not exist", "nowhere"]);
    let empty = workload(&workspace, "whoami").0.env("DATABRICKS_OIDC_TOKEN_FILEPATH", "identity");
    empty.file("identity", "\n").run().fails(3, &["is empty", "identity"]);
}
