//! Raw Request: every input as it arrives at a server, and every kind of answer.

use crate::{
    scripted::Server,
    workspace::{Workspace, squeezed},
};

#[test]
fn the_answer_is_printed_with_nothing_lost() {
    let body = r#"{"z":9007199254740993,"a":{"unknown":[1.0e5,null,"é\u0041"]},"z2":""}"#;
    let server = Server::json(body);
    let ran = server.brick("api GET /2.1/clusters/list").run().done().silent();
    assert_eq!(squeezed(ran.text()), body);
    let sent = server.only();
    assert_eq!(sent.line(), "GET /api/2.1/clusters/list");
    assert_eq!(sent.header("authorization"), Some("Bearer dapi-scripted"));
    assert!(sent.header("user-agent").is_some_and(|agent| agent.contains("brick/")), "{sent:?}");
    for path in ["/api/2.1/clusters/list", "2.1/clusters/list"] {
        let server = Server::json("{}");
        server.brick("api get").arg(path).run().done();
        assert_eq!(server.only().line(), "GET /api/2.1/clusters/list", "{path}");
    }
}

#[test]
fn it_reaches_the_workspace() {
    let workspace = Workspace::fresh();
    let ran = workspace.brick("api GET /2.1/clusters/list --query page_size=2").run().done().silent();
    assert_eq!(squeezed(ran.text()), squeezed(&workspace.get("/api/2.1/clusters/list?page_size=2")));
    let ran = workspace.brick("api POST /2.1/clusters/start").arg("--data");
    ran.arg(r#"{"cluster_id":"0710-090100-n1ghtly0"}"#).run().done();
    assert_eq!(workspace.brick("clusters wait nightly-etl").run().done().json()["state"], "RUNNING");
    let absolute = format!("{}/api/2.0/sql/warehouses", workspace.sandbox.url());
    workspace.brick("api GET").arg(absolute).run().done();
}

#[test]
fn every_method_arrives() {
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "LINK", "UNLINK", "PURGE"] {
        let server = Server::answering(&[(200, "application/json", b"")]);
        let ran = server.brick(&format!("api {method} /2.0/x")).run().done().silent();
        assert_eq!((server.only().line(), ran.text()), (format!("{method} /api/2.0/x"), ""));
    }
    let server = Server::json("{}");
    server.brick("api TRACE /2.0/x").run().fails(2, &["TRACE"]);
    assert!(server.sent().is_empty());
}

#[test]
fn data_is_text_or_a_file_or_stdin() {
    let sent = |make: &dyn Fn(crate::program::Brick) -> crate::program::Brick| {
        let server = Server::json("{}");
        make(server.brick("api POST /2.0/x")).run().done();
        server.only()
    };
    let json = r#"{"id": 9007199254740993, "b": "é"}"#;
    let text = sent(&|brick| brick.arg("--data").arg(json));
    assert_eq!((text.text().as_str(), text.header("content-type")), (json, Some("application/json")));
    let file = sent(&|brick| brick.file("a b.json", json).arg("-d").arg("@a b.json"));
    assert_eq!((file.text().as_str(), file.header("content-type")), (json, Some("application/json")));
    for arguments in ["-d -", "-d @-", "--input -"] {
        let stdin = sent(&|brick| brick.stdin(json).args(arguments));
        assert_eq!((stdin.text().as_str(), stdin.header("content-type")), (json, Some("application/json")));
    }
    let binary = sent(&|brick| brick.file("a.bin", b"\x00\xff\r\n").arg("-d").arg("@a.bin"));
    assert_eq!(binary.body, b"\x00\xff\r\n");
    assert_eq!(binary.header("content-type"), Some("application/octet-stream"));
    let labelled = sent(&|brick| brick.arg("-d").arg("a,b").arg("-H").arg("Content-Type: text/csv"));
    assert_eq!((labelled.text().as_str(), labelled.header("content-type")), ("a,b", Some("text/csv")));
    Server::json("{}").brick("api POST /2.0/x -d @missing.json").run().fails(3, &["missing.json"]);
}

#[test]
fn a_form_has_fields_files_and_their_names() {
    let server = Server::json("{}");
    server
        .brick("api POST /2.0/import --form path=/a=b --file content=x.py --file other=y.bin --file-name other=z.csv")
        .file("x.py", "print(1)")
        .file("y.bin", b"\x00\xff")
        .run()
        .done();
    let sent = server.only();
    let kind = sent.header("content-type").unwrap();
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let text = sent.text();
    let parts: Vec<_> = text.split(&format!("--{boundary}")).collect();
    assert_eq!(parts.len(), 5, "{text}");
    assert!(parts[1].contains("name=\"path\"") && parts[1].ends_with("\r\n\r\n/a=b\r\n"), "{text}");
    assert!(parts[2].contains("name=\"content\"; filename=\"x.py\""), "{text}");
    assert!(parts[2].ends_with("\r\n\r\nprint(1)\r\n"), "{text}");
    assert!(parts[3].contains("name=\"other\"; filename=\"z.csv\""), "{text}");
    assert!(sent.body.windows(6).any(|bytes| bytes == b"\r\n\r\n\x00\xff"), "{text}");
    server.brick("api POST /x --file a=missing.py").run().fails(3, &["missing.py"]);
    server.brick("api POST /x --file-name a=b.py").run().fails(2, &["a"]);
    assert_eq!(server.sent().len(), 1);
}

#[test]
fn queries_and_headers() {
    let server = Server::json("{}");
    let run = |arguments: &str| server.brick(&format!("api GET {arguments}")).run().done();
    run("/2.0/x?z=0 --query a=1 --query b=x/y --query a=2");
    run("/2.0/x --query a=1 --query a=2 --repeat-query-keys");
    server
        .brick("api GET /2.0/x --header")
        .arg("X-Own:  a b ")
        .arg("-H")
        .arg("Accept: text/plain")
        .run()
        .done();
    let sent = server.sent();
    assert_eq!(sent[0].line(), "GET /api/2.0/x?z=0&a=2&b=x%2Fy");
    assert_eq!(sent[1].line(), "GET /api/2.0/x?a=1&a=2");
    assert_eq!((sent[2].header("x-own"), sent[2].header("accept")), (Some("a b"), Some("text/plain")));
    // A header that would have no effect is an error.
    for (header, word) in
        [("Authorization: Bearer other", "authorization"), ("content-length: 7", "Content-Length")]
    {
        server.brick("api GET /2.0/x -H").arg(header).run().fails(2, &[word, "hint: "]);
    }
    assert_eq!(server.sent().len(), 3);
}

#[test]
fn the_answer_is_json_text_or_bytes() {
    let bytes = b"PK\x00\xff\r\n";
    let server = Server::answering(&[(200, "application/octet-stream", bytes)]);
    let ran = server.brick("api GET /2.0/x --response-type binary").run().done().silent();
    assert_eq!(ran.stdout, bytes);
    let server = Server::answering(&[(200, "text/plain", b"{ not json")]);
    let ran = server.brick("api GET /2.0/x --response-type text").run().done().silent();
    assert_eq!(ran.text(), "{ not json");
    server.brick("api GET /2.0/x").run().exits(1, &["JSON", "response type text"]);
}

#[test]
fn status_and_headers_are_printed_if_asked() {
    let server = Server::answering(&[(201, "application/json", b"{\"a\":1}")]);
    let ran = server.brick("api POST /2.0/x -i").run().done().silent();
    let (head, body) = ran.text().split_once("\n\n").unwrap();
    assert!(head.starts_with("HTTP 201") && head.contains("\nx-scripted: yes"), "{head}");
    assert_eq!(squeezed(body), "{\"a\":1}");
    let ran = server.brick("api POST /2.0/x --include").run().done();
    assert!(ran.text().starts_with("HTTP 201"), "{}", ran.text());
}

#[test]
fn retries_follow_the_four_inputs() {
    let busy: (u16, &str, &[u8]) =
        (503, "application/json", b"{\"error_code\":\"BUSY\",\"message\":\"later\"}");
    let done: (u16, &str, &[u8]) = (200, "application/json", b"{}");
    let attempts = |answers: &[(u16, &str, &[u8])], arguments: &str, code: i32| {
        let server = Server::answering(answers);
        server.brick(&format!("api {arguments}")).run().exits(code, &[]);
        server.sent().len()
    };
    assert_eq!(attempts(&[busy, done], "GET /x", 7), 1);
    assert_eq!(attempts(&[busy, busy, done], "GET /x --max-retries 2", 0), 3);
    assert_eq!(attempts(&[busy], "GET /x --max-retries 2 --retry-delay-ms 1", 7), 3);
    assert_eq!(attempts(&[busy, done], "POST /x --max-retries 2 --retry-delay-ms 1", 7), 1);
    let all = "POST /x --max-retries 2 --retry-delay-ms 1 --retry-all-errors --exponential-backoff";
    assert_eq!(attempts(&[busy, busy, done], all, 0), 3);
    let refused: (u16, &str, &[u8]) =
        (400, "application/json", b"{\"error_code\":\"NO\",\"message\":\"no\"}");
    assert_eq!(attempts(&[refused, done], "GET /x --max-retries 2", 6), 1);
    assert_eq!(attempts(&[refused, done], "GET /x --max-retries 2 --retry-all-errors", 0), 2);
}

#[test]
fn the_timeout_ends_an_attempt() {
    let workspace = Workspace::fresh();
    workspace.fault("*: hang");
    let ran = workspace.brick("api GET /2.1/clusters/list --timeout 200ms").run();
    ran.fails(9, &["200ms"]);
}

#[test]
fn the_token_goes_to_no_other_host() {
    let server = Server::json("{}");
    for address in ["https://evil.example/x", "http://127.0.0.1:1/x", "//evil.example/x", "file:///etc/hosts"]
    {
        server.brick("api GET").arg(address).run().fails(2, &[address.split('/').nth(2).unwrap()]);
    }
    assert!(server.sent().is_empty());
}

#[test]
fn pages_are_followed_if_asked() {
    let workspace = Workspace::fresh();
    let one = workspace.brick("api GET /2.1/clusters/list --query page_size=1").run().done();
    assert_eq!(one.text().matches("\"cluster_name\"").count(), 1);
    let all = workspace.brick("api GET /2.1/clusters/list --query page_size=1 --paginate").run().done();
    assert_eq!(all.text().matches("\"cluster_name\"").count(), 3);
}

#[test]
fn a_list_without_end_is_no_success() {
    let page = |token: &str| format!(r#"{{"clusters":[{{"x":1}}],"next_page_token":{token}}}"#);
    for (tokens, part) in [
        (["\"a\"", "\"a\"", "\"a\""], "the same page token twice"),
        (["\"a\"", "\"b\"", "\"a\""], "the same page token twice"),
        (["7", "7", "7"], "at `next_page_token`"),
    ] {
        let pages: Vec<_> = tokens.into_iter().map(page).collect();
        let answers: Vec<_> = pages.iter().map(|page| (200, "application/json", page.as_bytes())).collect();
        let server = Server::answering(&answers);
        server.brick("api GET /2.1/clusters/list --paginate").run().exits(1, &[part]);
        Server::answering(&answers).brick("clusters list").run().fails(1, &[part]);
        assert!(server.sent().len() <= 3);
    }
    // Deep values don't hide the token.
    let deep = format!(r#"{{"x":{}{},"next_page_token":"a"}}"#, "[".repeat(300), "]".repeat(300));
    let server =
        Server::answering(&[(200, "application/json", deep.as_bytes()), (200, "application/json", b"{}")]);
    server.brick("api GET /2.1/clusters/list --paginate").run().done();
    assert_eq!(server.sent().len(), 2);
}

#[test]
fn a_longer_answer_is_taken_if_asked_for() {
    let server = Server::json(&format!("\"{}\"", "x".repeat(3 << 20)));
    server
        .brick("api GET /2.0/x --max-response-mib 2")
        .run()
        .fails(1, &["longer than 2 MiB", "--max-response-mib"]);
    server.brick("api GET /2.0/x --max-response-mib 4").run().done();
    // A few bytes can be much memory, for `--jq` above all.
    let server = Server::json(&format!("[{}1]", "{},".repeat(120_000)));
    server.brick("api GET /2.0/x").run().fails(1, &["its values would take more than", "--max-response-mib"]);
    server.brick("api GET /2.0/x --max-response-mib 4").run().done();
}

#[test]
fn fields_make_a_body_or_a_query() {
    let server = Server::json("{}");
    server.brick("api POST /2.0/x -F n=9007199254740993 -F yes=true -F none=null -F t=x -f s=1").run().done();
    server.brick("api GET /2.0/x -F n=1 -f s=2").run().done();
    let sent = server.sent();
    assert_eq!(sent[0].text(), r#"{"n":9007199254740993,"yes":true,"none":null,"t":"x","s":"1"}"#);
    assert_eq!(sent[1].line(), "GET /api/2.0/x?n=1&s=2");
}

#[test]
fn keys_of_fields_are_those_of_gh() {
    let server = Server::json("{}");
    server.brick("api POST /2.0/x -F l[]=1 -F l[]=x -F a.b=1 -F o[p][q]=true -f o[s]=1 -F e[]").run().done();
    server.brick("api GET /2.0/x -F l[]=1 -F l[]=2 -F a.b=1 --query c=1 --query c=2").run().done();
    let sent = server.sent();
    assert_eq!(sent[0].text(), r#"{"l":[1,"x"],"a.b":1,"o":{"p":{"q":true},"s":"1"},"e":[]}"#);
    assert_eq!(sent[1].line(), "GET /api/2.0/x?l%5B%5D=1&l%5B%5D=2&a.b=1&c=2");
    for arguments in ["-F a=1 -F a=2", "-F a=1 -F a[]=2", "-F a[=1", "-F a"] {
        server.brick("api POST /2.0/x").args(arguments).run().fails(2, &["a"]);
    }
    assert_eq!(server.sent().len(), 2);
}

#[test]
fn json_from_files_is_utf8_without_a_mark() {
    let json = r#"{"a": "é"}"#;
    let utf16: Vec<u8> =
        std::iter::once(0xFEFF).chain(json.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for content in [format!("\u{feff}{json}").into_bytes(), utf16] {
        for arguments in
            ["--input a.json", "--data @a.json", "-d @b", "-d @b -H content-type:application/json"]
        {
            let server = Server::json("{}");
            let brick = server.brick("api POST /2.0/x").file("a.json", &content).file("b", &content);
            brick.args(arguments).run().done();
            let sent = server.only();
            assert_eq!((sent.text().as_str(), sent.header("content-type")), (json, Some("application/json")));
        }
        let server = Server::json("{}");
        server.brick("api POST /2.0/x -F b=@b").file("b", &content).run().done();
        assert_eq!(server.only().text(), r#"{"b":"{\"a\": \"é\"}"}"#);
    }
    // What is not JSON is none of our business.
    for (content, label) in [
        (&b"\xef\xbb\xbfa;b"[..], "application/x-www-form-urlencoded"),
        (b"\xff\xfea\0", "application/octet-stream"),
    ] {
        let server = Server::json("{}");
        server.brick("api POST /2.0/x -d @b").file("b", content).run().done();
        let sent = server.only();
        assert_eq!((sent.body.as_ref(), sent.header("content-type")), (content, Some(label)));
    }
    let server = Server::json("{}");
    for arguments in ["-d @b", "--input b", "-F x=@b", "-d @b -H content-type:application/json"] {
        let ran = server.brick("api POST /2.0/x").file("b", b"{\"a\": \"\xe9\"}").args(arguments).run();
        ran.fails(2, &["not UTF-8", "offset 7", ": b\n", "hint: "]);
    }
    assert!(server.sent().is_empty());
}

#[test]
fn a_label_that_contradicts_the_body_is_refused() {
    let server = Server::json("{}");
    for arguments in ["-d {}", "-F a=1", "-d x"] {
        let ran = server.brick("api POST /2.0/x -H content-type:multipart/form-data").args(arguments).run();
        ran.fails(2, &["multipart/form-data", "hint: "]);
    }
    server.brick("api POST /x --form a=1 -H content-type:application/json").run().fails(2, &["a form"]);
    assert!(server.sent().is_empty());
    server.brick("api POST /2.0/x -d @a -H content-type:image/png").file("a", b"\xff\0").run().done();
    assert_eq!(server.only().header("content-type"), Some("image/png"));
}

#[test]
fn the_output_format_is_honored_or_refused() {
    let server = Server::json(r#"{"a":[1]}"#);
    assert_eq!(server.brick("api GET /2.0/x -o jsonl").run().done().text(), "{\"a\":[1]}\n");
    let before = server.sent().len();
    for arguments in ["-o csv", "-o table", "-o record", "-o parquet"] {
        server.brick("api POST /2.0/x").args(arguments).run().fails(2, &["json"]);
    }
    server.brick("api POST /2.0/x --response-type text -o json").run().exits(2, &["--response-type"]);
    assert_eq!(server.sent().len(), before);
}

#[test]
fn a_dry_run_shows_the_request_and_sends_nothing() {
    let server = Server::json("{}");
    let ran = server.brick("api POST /2.0/x -F a=1 --query b=c --dry-run").run().done().silent();
    for part in ["curl", "POST", "/api/2.0/x?b=c", "$DATABRICKS_TOKEN", r#"{"a":1}"#] {
        assert!(ran.text().contains(part), "no {part:?}: {}", ran.text());
    }
    assert!(!ran.text().contains("dapi-scripted"), "{}", ran.text());
    let form = "api POST /2.0/x --form path=@a --form token=S3 --file content=a.py --file-name content=b.py --dry-run";
    let ran = server.brick(form).file("a.py", "print(1)").run().done().silent();
    for part in [
        "curl --request POST",
        "--form-string 'path=@a'",
        "--form-string 'token=***'",
        r#"--form 'content=@"a.py";filename="b.py";type=text/plain'"#,
    ] {
        assert!(ran.text().contains(part), "no {part:?}: {}", ran.text());
    }
    assert!(!ran.text().contains("content-type") && !ran.text().contains("boundary"), "{}", ran.text());
    assert!(server.sent().is_empty());
}
