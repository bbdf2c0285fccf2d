//! `--watch`: changes as lines in a pipe, a screen that is written over on a terminal, and Ctrl-C ends it.

use std::sync::atomic::{AtomicUsize, Ordering};

use brickwire_testserver::Response;

use crate::{
    scripted::Server,
    terminal::{Screen, on_terminal},
};

/// A cluster that starts at the third look, and is gone at the fourth; another one that stays.
fn changing() -> Server {
    let looks = AtomicUsize::new(0);
    Server::handling(move |_| {
        let state = match looks.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => r#"{"cluster_id":"1","state":"PENDING","cluster_name":"a\u001b[2J"},"#,
            2 => r#"{"cluster_id":"1","state":"RUNNING","cluster_name":"a\u001b[2J"},"#,
            _ => "",
        };
        Response::json(format!(r#"{{"clusters":[{state}{{"cluster_id":"2","state":"RUNNING"}}]}}"#))
    })
}

#[test]
fn in_a_pipe_each_change_is_a_line() {
    let pending = r#"{"cluster_id":"1","state":"PENDING","cluster_name":"a\u001b[2J"}"#;
    let running = pending.replace("PENDING", "RUNNING");
    let other = r#"{"cluster_id":"2","state":"RUNNING"}"#;
    let removed = r#"{"cluster_id":"1","removed":true}"#;
    let json = format!("{pending}\n{other}\n{running}\n{removed}\n");
    for (options, expected) in [
        ("", json.as_str()),
        ("-o json", json.as_str()),
        ("-o tsv --columns id,state", "ID\tSTATE\n1\tPENDING\n2\tRUNNING\n1\tRUNNING\n"),
        // Of what is not shown, no change counts.
        ("-o csv --columns id", "ID\n1\n2\n"),
        (
            "--columns id",
            "{\"cluster_id\":\"1\"}\n{\"cluster_id\":\"2\"}\n{\"cluster_id\":\"1\",\"removed\":true}\n",
        ),
        #[cfg(feature = "jq")]
        ("--jq .state", "PENDING\nRUNNING\n"),
    ] {
        let server = changing();
        let running = server.brick(&format!("clusters list --watch=200ms {options}")).start();
        server.until_sent_times(5);
        running.signal("INT");
        let ran = running.end().exits(130, &["interrupted"]);
        assert_eq!(ran.text(), expected, "{options}");
    }
}

#[test]
fn on_a_terminal_the_screen_is_written_over() {
    let server = changing();
    let running = on_terminal("012", server.brick("clusters list --watch=200ms --columns id,state")).start();
    server.until_sent_times(5);
    running.signal("INT");
    let ran = running.end().exits(130, &[]);
    assert!(ran.text().contains("PENDING"), "{:?}", ran.text());
    let screen = Screen::showing(ran.text());
    let lines = screen.text();
    assert_eq!(lines[..2], ["ID  STATE", "2   RUNNING"], "{lines:?}");
    assert!(lines[2..].concat().ends_with("interrupted"), "{lines:?}");
    assert!(lines.len() <= 4, "{lines:?}");
}

#[test]
fn one_resource_is_watched_until_it_is_gone() {
    let looks = AtomicUsize::new(0);
    let server = Server::handling(move |_| match looks.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => Response::json(r#"{"statement_id":"01f0","status":{"state":"RUNNING"}}"#),
        2 => Response::json(r#"{"statement_id":"01f0","status":{"state":"SUCCEEDED"}}"#),
        _ => Response::new(404).with_body(r#"{"error_code":"NOT_FOUND","message":"gone"}"#),
    });
    let ran = server.brick("statements get --watch=200ms 01f0").run().exits(5, &["gone"]);
    let states: Vec<_> = ran.text().lines().collect();
    assert_eq!(states.len(), 2, "{states:?}");
    assert!(states[0].contains("RUNNING") && states[1].contains("SUCCEEDED"), "{states:?}");
}

#[test]
fn what_cannot_be_watched_is_refused_before_anything_is_sent() {
    let server = changing();
    for (arguments, words) in [
        ("clusters list --watch -o table", ["--watch", "jsonl"]),
        ("clusters list --watch -o markdown", ["--watch", "jsonl"]),
        ("clusters list --watch=10ms", ["--watch", "at least 200 ms"]),
        ("clusters list --watch=often", ["--watch", "often"]),
        ("clusters start x --watch", ["--watch", "unexpected"]),
        ("secrets get a b --watch", ["--watch", "unexpected"]),
    ] {
        server.brick(arguments).run().fails(2, &words);
    }
    assert!(server.sent().is_empty());
}
