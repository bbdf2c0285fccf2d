//! Real shells complete names that other people chose: to one word, exactly the name, and nothing is run.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde_json::json;

use crate::scripted::Server;

const DRIVER: &str = include_str!("shell.py");

/// Names that a shell would split, expand, or run. The first character tells them apart.
const NAMES: [&str; 12] = [
    "1 My Cluster",
    "2 it's \"so\"",
    "3 x$(touch PWNED)",
    "4 `touch PWNED`",
    "5 a;touch PWNED",
    "6 a&touch PWNED|b>PWNED",
    "7 <(touch PWNED)",
    "8 back\\slash!",
    "9 a:b=c:d",
    "A *?[a]{b,c}~#",
    "B 日本 é",
    "C $HOME !$ $'x'",
];

/// Two share a name, and two can't be typed.
fn server() -> Server {
    let mut clusters: Vec<_> =
        NAMES.iter().enumerate().map(|(i, name)| (format!("0101-0{i:05}-x"), *name)).collect();
    clusters.extend([("shared-1".to_owned(), "twins"), ("shared-2".to_owned(), "twins")]);
    clusters.extend([("hidden-1".to_owned(), "D \n$(touch PWNED)"), ("hidden-2".to_owned(), "E \x1b[2J")]);
    let clusters: Vec<_> = clusters
        .iter()
        .map(|(id, name)| json!({ "cluster_id": id, "cluster_name": name, "state": "RUNNING" }))
        .collect();
    let body = json!({ "clusters": clusters }).to_string();
    Server::routing(move |_, path| path.ends_with("/clusters/list").then(|| body.clone()))
}

/// Types each line, TAB, and Enter. Returns the arguments that `brick` would have had, or `None` without this shell.
fn ran(shell: &[&str], setup: &str, lines: &[String]) -> Option<Vec<Vec<String>>> {
    if Command::new(shell[0]).arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("{} is not installed", shell[0]);
        return None;
    }
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    let setup = setup.replace("BRICK", env!("CARGO_BIN_EXE_brick"));
    for name in ["setup", ".zshrc"] {
        std::fs::write(folder.path().join(name), &setup).unwrap();
    }
    let mut driver = Command::new("python3");
    driver.args(["-c", DRIVER]).args(shell).env_clear().current_dir(&folder);
    driver
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder.path())
        .env("ZDOTDIR", folder.path());
    driver.env("TERM", "xterm").env("LC_ALL", "C.UTF-8").env("HISTFILE", "");
    driver.env("DATABRICKS_HOST", server.url()).env("DATABRICKS_TOKEN", "dapi-scripted");
    driver.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut driver = driver.spawn().unwrap();
    driver.stdin.take().unwrap().write_all(lines.join("\n").as_bytes()).unwrap();
    let shown = driver.wait_with_output().unwrap().stdout;
    let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("PWNED")).collect();
    assert_eq!(left, [""; 0], "{}", String::from_utf8_lossy(&shown));
    let ran = std::fs::read_to_string(folder.path().join("ran"));
    let ran = ran.unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&shown)));
    Some(ran.split_terminator("\n--\n").map(|ran| ran.split('\n').map(str::to_owned).collect()).collect())
}

/// Asserts that names complete to themselves. Each name is typed after several of the beginnings of a line.
fn completes(shell: &[&str], setup: &str, beginnings: &[&str]) {
    const ROUNDS: usize = 2;
    let names = NAMES.iter().cycle().take(ROUNDS * NAMES.len());
    let begun =
        |(i, name): (usize, &&str)| format!("{}{}", beginnings[i / ROUNDS % beginnings.len()], &name[..1]);
    let lines: Vec<_> = names.clone().enumerate().map(begun).collect();
    let Some(ran) = ran(shell, setup, &lines) else { return };
    for ((line, name), ran) in lines.iter().zip(names).zip(&ran) {
        let last = ran.last().unwrap();
        assert!(last == name || *last == format!("--cluster={name}"), "{line}: {ran:?}, not {name}");
    }
    assert_eq!(ran.len(), lines.len(), "{ran:?}");
}

const BEGINNINGS: &[&str] = &[
    "brick clusters get ",
    "brick clusters get '",
    "brick run --cluster=",
    "brick clusters get \"",
    "A=1 brick run -c \"",
];

const BASH: [&str; 5] = ["bash", "--noprofile", "--rcfile", "setup", "-i"];
const BASH_SETUP: &str = r#"
source <(COMPLETE=bash BRICK)
brick() { printf '%s\n' "$@" -- >> ran; }
PS1='$ '
"#;

#[test]
fn bash() {
    completes(&BASH, BASH_SETUP, BEGINNINGS);
}

#[test]
fn bash_goes_on_in_the_middle_of_a_name() {
    let lines = [
        r"brick clusters get 1\ My\ C",
        "brick clusters get '1 My C",
        "brick clusters get \"1 \"My",
        "brick clusters get 1\\ 'My 'Cl",
        r#"brick clusters get "2 it's \"s"#,
        "brick clusters get 9\\ a:b=",
    ];
    let Some(ran) = ran(&BASH, BASH_SETUP, &lines.map(str::to_owned)) else { return };
    let names = [NAMES[0], NAMES[0], NAMES[0], NAMES[0], NAMES[1], NAMES[8]];
    assert_eq!(ran.iter().map(|ran| ran.last().unwrap().as_str()).collect::<Vec<_>>(), names);
}

#[test]
fn a_shared_name_completes_to_ids_and_an_untypable_one_not_at_all() {
    let lines = ["brick clusters get twi", "brick clusters get D", "brick clusters get E"];
    let Some(ran) = ran(&BASH, BASH_SETUP, &lines.map(str::to_owned)) else { return };
    assert_eq!(ran.iter().map(|ran| ran.last().unwrap().as_str()).collect::<Vec<_>>(), ["shared-", "D", "E"]);
}

#[test]
fn zsh() {
    let setup = r#"
autoload -U compinit; compinit -u -D
source <(COMPLETE=zsh BRICK)
brick() { printf '%s\n' "$@" -- >> ran; }
PS1='$ '
"#;
    completes(&["zsh", "-i"], setup, BEGINNINGS);
}

#[test]
fn fish() {
    let setup = r#"
COMPLETE=fish BRICK | source
function brick; printf '%s\n' $argv -- >> ran; end
"#;
    let shell = ["fish", "--no-config", "--init-command", "source setup"];
    completes(&shell, setup, BEGINNINGS);
}
