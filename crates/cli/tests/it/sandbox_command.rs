//! `brick sandbox -- PROGRAM`.

use std::{collections::BTreeMap, net::TcpStream, path::Path};

use crate::program::{Brick, Ran};
#[cfg(target_os = "linux")]
use crate::{program::Running, terminal::on_terminal};

/// The variables in lines of `export NAME=VALUE` or `NAME=VALUE`.
pub(crate) fn variables(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.trim_start_matches("export ").split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(crate) fn is_served(url: &str) -> bool {
    TcpStream::connect(url.strip_prefix("http://").unwrap()).is_ok()
}

#[test]
fn a_program_gets_the_environment_and_gives_the_exit_code() {
    let ran = Brick::new("sandbox -- sh -c")
        .arg("env; exit 7")
        .env("DATABRICKS_HOST", "https://prod.example.com")
        .env("DATABRICKS_CLIENT_ID", "id-of-prod")
        .env("DATABRICKS_CLIENT_SECRET", "secret-of-prod")
        .env("DATABRICKS_CONFIG_PROFILE", "prod")
        .env("ARM_CLIENT_SECRET", "secret-of-azure")
        .env("DATABRICKS_CATALOG", "tests")
        .run()
        .exits(7, &[])
        .silent();
    let known = variables(ran.text());
    assert!(known["DATABRICKS_HOST"].starts_with("http://127.0.0.1:"), "{known:?}");
    assert!(known["DATABRICKS_TOKEN"].starts_with("dapi"), "{known:?}");
    assert_eq!(known["DATABRICKS_WAREHOUSE_ID"], brickwire_sandbox::seed::RUNNING_WAREHOUSE);
    assert_eq!(known["DATABRICKS_CLUSTER_ID"], brickwire_sandbox::seed::RUNNING_CLUSTER);
    assert_eq!(known["DATABRICKS_CATALOG"], "tests");
    for gone in
        ["DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET", "DATABRICKS_CONFIG_PROFILE", "ARM_CLIENT_SECRET"]
    {
        assert!(!known.contains_key(gone), "{gone}");
    }
    assert!(!is_served(&known["DATABRICKS_HOST"]) && !Path::new(&known["DATABRICKS_CONFIG_FILE"]).exists());
}

#[test]
fn a_program_reaches_the_workspace_and_no_other_profile() {
    let brick = env!("CARGO_BIN_EXE_brick");
    let profiles = "[prod]\nhost = https://prod.example.com\ntoken = dapi-of-prod\n";
    let sandbox = |command: &str| {
        let brick =
            Brick::new("sandbox --").arg(brick).args(command).env("DATABRICKS_CONFIG_PROFILE", "prod");
        brick.file(".databrickscfg", profiles)
    };
    let ran = sandbox("sql -o csv").arg("SELECT 6 * 7 AS n").run().done();
    assert_eq!(ran.text().replace("\r\n", "\n"), "n\n42\n");
    sandbox("-p DEFAULT whoami").run().done();
    sandbox("-p prod whoami").run().fails(3, &["prod"]);
}

#[test]
fn a_program_has_the_streams_of_brick() {
    let ran = Brick::new("sandbox -- sh -c").arg("cat; echo said >&2").stdin("typed").run().done();
    assert_eq!((ran.text(), ran.stderr.as_str()), ("typed", "said\n"));
}

#[test]
fn a_program_that_cannot_run_has_the_exit_code_of_a_shell() {
    Brick::new("sandbox -- no-such-program")
        .run()
        .fails(127, &["program not found: no-such-program", "PATH"]);
    Brick::new("sandbox -- ./data").file("data", "x").run().fails(126, &["cannot run ./data"]);
    let error = Brick::new("sandbox -o json -- no-such-program").run().fails(127, &[]).json_error();
    assert_eq!((&error["kind"], &error["exit_code"]), (&"local".into(), &127.into()));
    // The sandbox's own trouble has brick's exit codes, and no program is started.
    Brick::new("sandbox --token-file none -- sh -c").arg("echo ran").run().fails(3, &["cannot read none"]);
}

#[test]
fn the_signal_that_ends_a_program_is_in_the_exit_code() {
    Brick::new("sandbox -- sh -c").arg("kill -KILL $$").run().fails(137, &[]);
}

/// A program that waits for a signal, and ends by its own choice.
const WAITS: &str = "trap 'kill $!; echo got; exit 5' TERM INT HUP; sleep 30 & echo ready >&2; wait";

#[test]
fn signals_are_passed_on_and_the_program_decides() {
    for signal in ["TERM", "HUP"] {
        let running = Brick::new("sandbox -- sh -c").arg(WAITS).with_hang_ups().start().until_said("ready");
        running.signal(signal);
        assert_eq!(running.end().exits(5, &[]).text(), "got\n", "{signal}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_is_passed_on_where_no_terminal_does_it() {
    let running = Brick::new("sandbox -- sh -c").arg(WAITS).behind("setsid", &[]).start().until_said("ready");
    running.signal("INT");
    assert_eq!(running.end().exits(5, &[]).text(), "got\n");
}

#[cfg(target_os = "linux")]
/// A program that counts interrupts on stderr, and gives their number on stdout when it ends. It names brick's process.
const COUNTS: &str = "n=0; trap 'n=$((n+1)); echo got $n. >&2' INT; trap 'kill $!; echo $n; exit 5' TERM; \
                      sleep 30 & echo \"ready $PPID.\" >&2; while kill -0 $!; do wait; done";

/// Runs this program on a terminal, interrupts it once, ends it, and returns how many interrupts it has got.
#[cfg(target_os = "linux")]
fn interrupts(program: &str, interrupt: impl FnOnce(&Running, &str)) -> String {
    let brick = Brick::new("sandbox --").args(program).arg("-c").arg(COUNTS);
    let running = on_terminal("2", brick).start().until_said("ready ");
    let running = running.until_said(".");
    let said = running.said();
    let (pid, _) = said.split_once("ready ").unwrap().1.split_once('.').unwrap();
    interrupt(&running, pid);
    let running = running.until_said("got 1.");
    kill("TERM", pid);
    running.end().exits(5, &[]).text().to_owned()
}

#[cfg(target_os = "linux")]
fn kill(signal: &str, pid: &str) {
    let status = std::process::Command::new("kill").args([format!("-{signal}").as_str(), pid]).status();
    assert!(status.unwrap().success(), "kill -{signal} {pid}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_reaches_a_program_on_a_terminal_once() {
    for program in ["sh", "setsid sh"] {
        // A key.
        assert_eq!(interrupts(program, |running, _| running.signal("INT")), "1\n", "{program}");
        assert_eq!(interrupts(program, |_, pid| kill("INT", pid)), "1\n", "{program}");
    }
}

#[test]
fn no_program_after_the_separator_is_refused() {
    Brick::new("sandbox --").run().fails(2, &["no program is given after --"]);
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let refused = |arguments: &str, words: &[&str]| -> Ran { Brick::new(arguments).run().fails(2, words) };
    refused("sandbox --detach -- sh", &["cannot be used with"]);
    refused("sandbox --stop --detach", &["cannot be used with"]);
    refused("sandbox --stop -- sh", &["cannot be used with"]);
    refused("sandbox --for 1h", &["--detach"]);
    refused("sandbox --all", &["--stop"]);
    refused("sandbox --detach --for 31d", &["at most 30 days"]);
    refused("sandbox --detach --for 0s", &["greater than zero"]);
    refused("sandbox --detach --shell csh", &["invalid value 'csh'", "fish"]);
}
