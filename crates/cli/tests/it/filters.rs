//! `--jq` is a program of the user's: it may be wrong in any way, and then says so and ends.

use crate::{program::Brick, scripted::Server};

fn filtering(server: &Server, filter: &str) -> Brick {
    server.brick("api GET /2.0/x --jq").arg(filter)
}

#[test]
fn results_are_printed_as_they_come() {
    let server = Server::json("{}");
    let ran = filtering(&server, "repeat(1)").run_into_head().done().silent();
    assert_eq!(ran.text(), "1\n");
    let ran = filtering(&server, "1, 2, error(\"no\")").run().exits(1, &["--jq: \"no\""]);
    assert_eq!(ran.text(), "1\n2\n");
}

#[test]
fn recursion_and_memory_are_bounded() {
    let server = Server::json("{}");
    for endless in ["def f: [f]; f", "def f: 1 + f; f"] {
        let ran = filtering(&server, endless).run().fails(1, &["--jq", "too deeply", "256 MiB"]);
        assert!(!ran.stderr.contains("overflow"), "{}", ran.stderr);
    }
    if cfg!(target_os = "linux") {
        filtering(&server, r#""x" * 2000000000"#)
            .run()
            .fails(1, &["--jq", "more memory than its limit: 1280 MiB"]);
    }
}

#[cfg(unix)]
#[test]
fn a_filter_without_end_is_interrupted_at_once() {
    let server = Server::json("{}");
    let running = filtering(&server, r#""runs" | debug | until(false; .)"#).start().until_said("runs");
    let began = std::time::Instant::now();
    running.signal("INT");
    running.end().fails(130, &["interrupted"]);
    // A program that is stuck ends eight seconds after a signal.
    assert!(began.elapsed() < std::time::Duration::from_secs(7), "{:?}", began.elapsed());
}

#[test]
fn a_filter_that_halts_is_an_error_with_its_message() {
    let server = Server::json(r#"{"a":1}"#);
    filtering(&server, r#""bye\n" | halt_error"#).run().fails(1, &["error: --jq", "with 5: bye"]);
    filtering(&server, "halt_error(3)").run().fails(1, &["error: --jq", r#"with 3: {"a":1}"#]);
    assert_eq!(filtering(&server, ".a, halt, 2").run().done().silent().text(), "1\n");
    let ran = filtering(&server, r#""\u001b[2J" | stderr | 1"#).run().done();
    assert_eq!((ran.text(), ran.stderr.as_str()), ("1\n", "\\u001b[2J\n"));
}

#[test]
fn the_environment_is_not_shown() {
    let server = Server::json("{}");
    let ran = filtering(&server, "env, $ENV, env.DATABRICKS_TOKEN").run().done().silent();
    assert_eq!(ran.text(), "{}\n{}\nnull\n");
}

#[test]
fn a_deeply_nested_answer_is_filtered_or_refused() {
    let nested = |depth: usize| {
        format!(r#"{{"clusters":[{{"cluster_id":"a","x":{}{}}}]}}"#, "[".repeat(depth), "]".repeat(depth))
    };
    let deep = Server::json(&nested(400));
    for line in [
        "clusters list -o csv",
        "clusters list -o table",
        "clusters list -o record",
        "clusters list --jq .[].cluster_id",
    ] {
        let ran = deep.brick(line).run().done().silent();
        assert!(
            ran.text().lines().any(|line| line.split([',', ' ']).any(|cell| cell == "a")),
            "{line}: {}",
            ran.text()
        );
    }
    let too_deep = Server::json(&nested(100_000));
    for line in [
        "clusters list",
        "clusters list -o csv",
        "clusters list -o table",
        "clusters list --jq .",
        "api GET /2.0/x --jq .",
        "whoami",
    ] {
        too_deep.brick(line).run().fails(1, &["nested too deeply"]);
    }
}
