//! The file of stored logins: on a full disk, damaged, and replaced by something that is no file.

use std::fs;

use brickwire_testserver::{Response, Server};
use serde_json::json;
use tempfile::TempDir;

use crate::program::Brick;

/// A home with this file of logins.
fn home(tokens: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/brickwire");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("tokens.json"), tokens).unwrap();
    home
}

fn brick(arguments: &str, home: &TempDir, host: &str) -> Brick {
    Brick::new(arguments).env("HOME", home.path()).env("DATABRICKS_HOST", host)
}

#[test]
fn a_login_that_is_renewed_on_a_full_disk_is_used() {
    let server = Server::start(|request| match request.path() {
        "/oidc/v1/token" => Response::json(
            r#"{"access_token":"renewed-access-1","refresh_token":"renewed-refresh-1","expires_in":3600}"#,
        ),
        path if path.ends_with("/Me") => Response::json(r#"{"id":"1","userName":"someone"}"#),
        _ => Response::new(404),
    });
    let login = json!({
        "access_token": "older-access-1", "refresh_token": "older-refresh-1", "host": server.url(),
        "expiry": "2000-01-01T00:00:00Z",
    });
    let tokens = json!({ "version": 1, "tokens": { server.url(): login } }).to_string();
    let home = home(&tokens);
    // No file may have a byte, and a write that tries is an error and no signal.
    let full = ["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"];
    let ran = brick("whoami", &home, &server.url()).behind("sh", &full).run().done();
    let ran = ran
        .says(&["warning: the login was renewed but not stored (the login can't be stored", "tokens.json"]);
    assert!(!ran.stderr.contains("access-1") && !ran.stderr.contains("refresh-1"), "{}", ran.stderr);
    let folder = home.path().join(".config/brickwire");
    assert_eq!(fs::read_to_string(folder.join("tokens.json")).unwrap(), tokens);
    // The lock beside it is all that was added.
    assert_eq!(fs::read_dir(folder).unwrap().count(), 2);
}

#[test]
fn a_damaged_file_of_logins_is_named_where_its_login_is_asked_for() {
    let damaged = home("{\"version\":1,");
    let host = "https://x.cloud.databricks.com";
    for arguments in ["whoami", "auth token", "auth login --no-browser", "auth logout"] {
        let ran = brick(arguments, &damaged, host).run();
        ran.fails(3, &["tokens.json", "not JSON", "hint: delete the file and log in again"]);
    }
    let odd = home("");
    let file = odd.path().join(".config/brickwire/tokens.json");
    fs::remove_file(&file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(made.success());
    brick("whoami", &odd, host).run().fails(3, &["tokens.json: it is not a regular file"]);
}
