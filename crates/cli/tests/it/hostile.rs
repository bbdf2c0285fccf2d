//! Names, cells, and messages that try to drive the terminal: it shows them, and data elsewhere keeps them.

use serde_json::json;

use crate::{program::Brick, scripted::Server, terminal::on_terminal};

/// Sets the title, clears the screen, colors, overwrites the line, and reorders text, with C0, DEL, C1, and bidirectional
/// controls.
const HOSTILE: &str =
    "\x1b]0;x\x07\x1b[2J\x1b[31m\r\x7f\u{9b}2J\u{9d}0;x\u{9c}\u{202e}\u{2066}\u{200f}\u{61c}z";

/// What brick itself never sends. Its progress line returns the cursor and erases the line.
const DRIVING: [&str; 12] = [
    "\x1b]", "\x07", "\x1b[2J", "\x1b[31m", "\x7f", "\u{9b}", "\u{9c}", "\u{9d}", "\u{202e}", "\u{2066}",
    "\u{200f}", "\u{61c}",
];

const STATEMENT: &str = "01ef0000-0000-1000-8000-000000000001";

fn hostile(start: &str) -> String {
    format!("{start}{HOSTILE}")
}

/// A workspace in which every text is hostile.
fn server() -> Server {
    Server::routing(|method, path| {
        let cluster = json!({
            "cluster_id": "0123-456789-abcdefgh",
            "cluster_name": hostile("name"),
            "state": "RUNNING",
            "state_message": hostile("message"),
        });
        let column =
            json!({ "name": hostile("column"), "position": 0, "type_name": "STRING", "type_text": "STRING" });
        Some(
            match (method, path.rsplit('/').next()?) {
                ("GET", "list") => json!({ "clusters": [cluster] }),
                ("GET", "get") => cluster,
                ("GET", "warehouses") => {
                    json!({ "warehouses": [{ "id": "0123456789abcdef", "name": hostile("name"), "state": "RUNNING" }] })
                }
                ("GET", "0123456789abcdef") => {
                    json!({ "id": "0123456789abcdef", "name": hostile("name"), "state": hostile("STATE") })
                }
                ("GET", "Me") => json!({ "id": "1", "userName": hostile("user") }),
                ("GET", "text") => return Some(hostile("text")),
                ("POST", "statements") => json!({
                    "statement_id": STATEMENT,
                    "status": { "state": "SUCCEEDED" },
                    "manifest": {
                        "format": "JSON_ARRAY",
                        "schema": { "column_count": 1, "columns": [column] },
                        "total_chunk_count": 1,
                        "total_row_count": 1,
                        "chunks": [{ "chunk_index": 0, "row_offset": 0, "row_count": 1 }],
                    },
                    "result": { "chunk_index": 0, "row_offset": 0, "row_count": 1, "data_array": [[hostile("cell")]] },
                }),
                ("POST", "create") => json!({ "id": "1" }),
                ("POST", "execute") => json!({ "id": "2" }),
                ("POST", "destroy") => json!({}),
                ("GET", "status") if path.contains("contexts") => json!({ "id": "1", "status": "Running" }),
                ("GET", "status") => json!({
                    "id": "2",
                    "status": "Finished",
                    "results": { "resultType": "error", "summary": hostile("summary"), "cause": hostile("cause") },
                }),
                _ => return None,
            }
            .to_string(),
        )
    })
}

fn is_driven(sent: &str) -> bool {
    DRIVING.iter().any(|control| sent.contains(control))
}

/// Asserts that the terminal shows this text, and that nothing but brick drives it.
#[track_caller]
fn shows(brick: Brick, text: &str) {
    let ran = on_terminal("012", brick).run();
    let sent = ran.printed();
    assert!(sent.contains(text), "{text}: {sent:?}");
    assert!(!is_driven(&sent), "{sent:?}");
}

#[test]
fn data_on_a_terminal_is_shown_and_not_obeyed() {
    let server = server();
    for format in ["", "-o table", "-o record", "-o csv", "-o json", "-o jsonl"] {
        // A narrow cell breaks the escape.
        shows(server.brick(&format!("clusters list {format}")), "u001");
        shows(server.brick(&format!("clusters get 0123-456789-abcdefgh {format}")), "\\u001b]0;x");
        shows(server.brick(&format!("whoami {format}")), "\\u001b]0;x");
        let sql = format!("sql -w 0123456789abcdef {format}");
        shows(server.brick(&sql).arg("SELECT 1"), "u001b");
    }
    shows(server.brick("api GET /text --response-type text"), "\\u001b]0;x");
    shows(server.brick("api GET /text --response-type binary -i"), "\\u001b]0;x");
}

#[test]
fn messages_and_progress_are_shown_and_not_obeyed() {
    let server = server();
    shows(server.brick("run -c 0123-456789-abcdefgh x"), "summary\\u001b]0;x");
    // What waits, and what it waits for.
    shows(server.brick("warehouses wait 0123456789abcdef --timeout 3s"), "STATE");
    // A name that several have, and one that none has.
    shows(server.brick("warehouses get").arg(hostile("no")), "u001b]0;x");
    // clap colors what it quotes, unless colors are off.
    shows(server.brick("clusters list").arg(hostile("--no")).env("NO_COLOR", "1"), "u001b]0;x");
    shows(server.brick("sql -w 0123456789abcdef x --out").arg(format!("{HOSTILE}/x.csv")), "u001b]0;x");
    let refusals = [
        (
            400,
            "application/json",
            json!({ "error_code": hostile("CODE"), "message": hostile("m") }).to_string(),
        ),
        (403, "text/plain", hostile("text")),
        (403, "text/html", format!("<title>{HOSTILE}</title>")),
    ];
    for (status, content_type, body) in refusals {
        let server = Server::answering(&[(status, content_type, body.as_bytes())]);
        for line in ["clusters list", "clusters list -o json", "doctor", "clusters list -v", "whoami --debug"]
        {
            shows(server.brick(line), "");
        }
    }
    let busy = json!({ "error_code": "BUSY", "message": hostile("busy") }).to_string();
    let server =
        Server::answering(&[(503, "application/json", busy.as_bytes()), (200, "application/json", b"{}")]);
    shows(server.brick("clusters list"), "");
    let profiles = format!("[{0}]\nhost = https://{0}.x\n", HOSTILE.replace(['\r', ']'], ""));
    shows(Brick::new("config profiles").file(".databrickscfg", &profiles), "");
    shows(Brick::new("config show -p").arg(HOSTILE).file(".databrickscfg", profiles), "");
}

#[test]
fn stderr_in_a_file_is_escaped_too() {
    let ran = server().brick("run -c 0123-456789-abcdefgh x").run().exits(8, &["cause", "\\u202e"]);
    assert!(!is_driven(&ran.stderr) && !ran.stderr.contains('\x1b'), "{:?}", ran.stderr);
    let ran = server().brick("clusters get").arg(hostile("no")).run().fails(5, &["no"]);
    assert!(!is_driven(&ran.stderr) && !ran.stderr.contains('\x1b'), "{:?}", ran.stderr);
}

#[test]
fn data_in_a_pipe_and_in_a_file_is_kept() {
    let server = server();
    for format in ["csv", "table", "record"] {
        let ran = server.brick(&format!("clusters list -o {format}")).run().done().silent();
        assert!(ran.text().contains(HOSTILE), "{format}: {:?}", ran.text());
    }
    let ran = server.brick("sql -w 0123456789abcdef -o csv").arg("SELECT 1").run().done();
    assert_eq!(ran.text(), format!("\"{}\"\n\"{}\"\n", hostile("column"), hostile("cell")));
    let ran = server.brick("sql -w 0123456789abcdef -o json").arg("SELECT 1").run().done();
    assert_eq!(ran.json()[0][hostile("column")], hostile("cell"));
    let ran = server.brick("api GET /text --response-type text").run().done();
    assert_eq!(ran.text(), hostile("text"));
    // A file that is written while a terminal looks on.
    let sql = "sql -w 0123456789abcdef -o csv --out /dev/stderr";
    let ran = on_terminal("01", server.brick(sql).arg("SELECT 1")).run().done();
    assert!(ran.stderr.contains(HOSTILE), "{:?}", ran.stderr);
}
