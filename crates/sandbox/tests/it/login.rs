//! The login in the browser, and a workload's own token for one of the workspace's.

use std::collections::HashMap;
use std::time::Duration;

use brickwire_sandbox::{Clock, Sandbox};
use reqwest::redirect::Policy;
use reqwest::{Response, Url};
use serde_json::{Value, json};

use crate::client::{Client, read, start, start_with};

const ME: &str = "/api/2.0/preview/scim/v2/Me";
const BACK: &str = "http://localhost:8020";
// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const ASKED: [(&str, &str); 7] = [
    ("response_type", "code"),
    ("client_id", "databricks-cli"),
    ("redirect_uri", BACK),
    ("scope", "all-apis offline_access"),
    ("state", "s+1/2&x=y"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

/// What the login page answers to a form with this login code, or when it is opened; a value of nothing leaves the
/// parameter out.
async fn authorize(client: &Client, path: &str, changed: &[(&str, &str)], typed: Option<&str>) -> Response {
    let browser = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let changes: HashMap<_, _> = changed.iter().copied().collect();
    let asked = ASKED.map(|(name, value)| (name, *changes.get(name).unwrap_or(&value)));
    let asked = asked.iter().filter(|(_, value)| !value.is_empty());
    let page = Url::parse_with_params(&format!("{}{path}", client.url), asked).unwrap();
    let request = match typed {
        Some(typed) => browser.post(page).form(&[("login_code", typed)]),
        None => browser.get(page),
    };
    request.send().await.unwrap()
}

/// Where the browser is sent back to, as address and parameters.
fn sent_back(answer: &Response) -> (String, HashMap<String, String>) {
    assert_eq!(answer.status(), 303);
    let address = answer.headers()["location"].to_str().unwrap();
    let (before, query) = address.split_once('?').unwrap();
    let parsed = Url::parse(&format!("http://query/?{query}")).unwrap();
    (before.to_owned(), parsed.query_pairs().into_owned().collect())
}

async fn code(sandbox: &Sandbox, client: &Client) -> String {
    let typed = Some(sandbox.login_code());
    let (_, mut answer) = sent_back(&authorize(client, "/oidc/v1/authorize", &[], typed).await);
    answer.remove("code").unwrap()
}

async fn token(client: &Client, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let (status, body) =
        read(client.http.post(format!("{}{path}", client.url)).form(form).send().await.unwrap()).await;
    (status.as_u16(), body)
}

fn redeeming(code: &str) -> [(&str, &str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", "databricks-cli"),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
        ("code", code),
    ]
}

fn refreshing(token: &str) -> [(&str, &str); 3] {
    [("grant_type", "refresh_token"), ("client_id", "databricks-cli"), ("refresh_token", token)]
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().expect(name)
}

#[tokio::test]
async fn a_login_becomes_tokens_of_the_user_again_and_again() {
    let clock = Clock::standing_at(1_700_000_000_000);
    let builder = Sandbox::builder().with_clock(clock.clone()).with_token_ttl(Duration::from_secs(5));
    let (sandbox, mut client) = start_with(builder).await;
    let account = format!("/oidc/accounts/{}/v1", sandbox.account_id());
    for base in ["/oidc/v1", &account] {
        let page = format!("{base}/authorize");
        let (back, answer) = sent_back(&authorize(&client, &page, &[], Some(sandbox.login_code())).await);
        assert_eq!((back.as_str(), answer["state"].as_str()), (BACK, "s+1/2&x=y"));
        let (status, mut body) = token(&client, &format!("{base}/token"), &redeeming(&answer["code"])).await;
        assert_eq!((status, text(&body, "scope")), (200, "all-apis offline_access"), "{body}");
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(5)));
        for _ in 0..3 {
            client.token = text(&body, "access_token").to_owned();
            assert_eq!(client.got(ME).await["userName"], "ada.sandbox@example.com");
            clock.advance(Duration::from_secs(5));
            assert_eq!(client.get(ME).await.0, 401);
            let used = text(&body, "refresh_token").to_owned();
            let (status, next) = token(&client, &format!("{base}/token"), &refreshing(&used)).await;
            assert_eq!(status, 200, "{next}");
            let (status, again) = token(&client, &format!("{base}/token"), &refreshing(&used)).await;
            assert_eq!((status, text(&again, "error")), (400, "invalid_grant"));
            body = next;
        }
    }
    // It is the first workspace, and the log can tell.
    assert!(sandbox.requests_of(sandbox.token()).iter().any(|request| request.path == "/oidc/v1/token"));
}

#[tokio::test]
async fn nothing_is_given_to_who_does_not_know_the_login_code() {
    let (sandbox, client) = start().await;
    let account = format!("/oidc/accounts/{}/v1/authorize", sandbox.account_id());
    let other = Sandbox::start().await.unwrap();
    let good = sandbox.login_code();
    assert_ne!(good, other.login_code());
    for page in ["/oidc/v1/authorize", &account] {
        let form = authorize(&client, page, &[], None).await;
        assert_eq!((form.status().as_u16(), form.headers().get("location")), (200, None));
        assert!(form.text().await.unwrap().contains("name=\"login_code\""));
        for wrong in ["", " ", "guess", other.login_code(), &good[..good.len() - 1], &format!("{good}0")] {
            let refused = authorize(&client, page, &[], Some(wrong)).await;
            assert_eq!(
                (refused.status().as_u16(), refused.headers().get("location")),
                (403, None),
                "{wrong}"
            );
            assert!(refused.text().await.unwrap().contains("not the login code"), "{wrong}");
        }
        // Not in the address, where a browser would keep it.
        let in_address = format!("{page}?login_code={good}");
        let form = authorize(&client, &in_address, &[], None).await;
        assert_eq!((form.status().as_u16(), form.headers().get("location")), (200, None));
    }
    assert!(!serde_json::to_string(&sandbox.requests()).unwrap().contains(good));
    // With spaces around it, as it may have been copied.
    sent_back(&authorize(&client, &account, &[], Some(&format!(" {good}\n"))).await);
}

#[tokio::test]
async fn no_refresh_token_comes_unasked() {
    let (sandbox, client) = start().await;
    let typed = Some(sandbox.login_code());
    let answer = authorize(&client, "/oidc/v1/authorize", &[("scope", "")], typed).await;
    let (status, body) = token(&client, "/oidc/v1/token", &redeeming(&sent_back(&answer).1["code"])).await;
    assert_eq!((status, text(&body, "scope")), (200, "all-apis"));
    assert!(body.get("refresh_token").is_none(), "{body}");
}

#[tokio::test]
async fn a_code_is_good_once_and_only_for_who_asked() {
    let (sandbox, client) = start().await;
    for (name, wrong, status, error) in [
        ("code", "code-unknown", 400, "invalid_grant"),
        ("code", "", 400, "invalid_request"),
        ("redirect_uri", "http://localhost:8021", 400, "invalid_grant"),
        ("redirect_uri", "", 400, "invalid_request"),
        ("code_verifier", CHALLENGE, 400, "invalid_grant"),
        ("code_verifier", "", 400, "invalid_request"),
        ("client_id", "somebody", 401, "invalid_client"),
        ("client_id", sandbox.client_id(), 400, "unauthorized_client"),
    ] {
        let code = code(&sandbox, &client).await;
        let form = redeeming(&code).map(|(key, value)| (key, if key == name { wrong } else { value }));
        let (got, body) = token(&client, "/oidc/v1/token", &form).await;
        assert_eq!((got, text(&body, "error")), (status, error), "{name} {wrong}");
    }
    let code = code(&sandbox, &client).await;
    assert_eq!(token(&client, "/oidc/v1/token", &redeeming(&code)).await.0, 200);
    let (status, body) = token(&client, "/oidc/v1/token", &redeeming(&code)).await;
    assert_eq!((status, text(&body, "error")), (400, "invalid_grant"));
}

#[tokio::test]
async fn the_login_page_refuses_where_the_rfc_says_to() {
    let (_sandbox, client) = start().await;
    // Sent back with the reason.
    for (changed, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("scope", "everything"), "invalid_scope"),
    ] {
        let (back, answer) = sent_back(&authorize(&client, "/oidc/v1/authorize", &[changed], None).await);
        assert_eq!((back.as_str(), answer["error"].as_str()), (BACK, error), "{changed:?}");
        assert_eq!(answer["state"], "s+1/2&x=y");
        assert!(!answer["error_description"].is_empty() && !answer.contains_key("code"), "{answer:?}");
    }
    let (_, answer) = sent_back(&authorize(&client, "/oidc/v1/authorize", &[("state", "")], None).await);
    assert_eq!(answer["error"], "invalid_request");
    // Sent nowhere.
    for changed in [
        ("client_id", "somebody"),
        ("client_id", ""),
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", "http://localhost@evil.example/"),
        ("redirect_uri", ""),
    ] {
        let answer = authorize(&client, "/oidc/v1/authorize", &[changed], None).await;
        assert_eq!((answer.status().as_u16(), answer.headers().get("location")), (400, None), "{changed:?}");
        assert!(answer.text().await.unwrap().contains("<html>"));
    }
    let twice = format!("/oidc/v1/authorize?client_id=databricks-cli&redirect_uri={BACK}");
    assert_eq!(authorize(&client, &twice, &[], None).await.status(), 400);
    assert_eq!(authorize(&client, "/oidc/accounts/other/v1/authorize", &[], None).await.status(), 404);
}

#[tokio::test]
async fn a_user_can_say_no() {
    let (_sandbox, client) = start_with(Sandbox::builder().without_consent()).await;
    let (_, answer) = sent_back(&authorize(&client, "/oidc/v1/authorize", &[], None).await);
    assert_eq!((answer["error"].as_str(), answer["state"].as_str()), ("access_denied", "s+1/2&x=y"));
}

#[tokio::test]
async fn a_workload_exchanges_its_own_token() {
    let (sandbox, mut client) = start().await;
    let identity = sandbox.identity_token();
    let good = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("subject_token", &*identity),
        ("client_id", sandbox.client_id()),
        ("scope", "all-apis"),
    ];
    for (name, wrong, status, error) in [
        ("subject_token", "", 400, "invalid_request"),
        ("subject_token", "opaque", 400, "invalid_grant"),
        // Anyone can write this one.
        ("subject_token", "e30.e30.c2ln", 400, "invalid_grant"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:saml2", 400, "invalid_request"),
        ("client_id", "somebody", 401, "invalid_client"),
        ("client_id", "", 400, "invalid_request"),
        ("scope", "everything", 400, "invalid_scope"),
    ] {
        let form = good.map(|(key, value)| (key, if key == name { wrong } else { value }));
        let (got, body) = token(&client, "/oidc/v1/token", &form).await;
        assert_eq!((got, text(&body, "error")), (status, error), "{name} {wrong}");
    }
    let (status, body) = token(&client, "/oidc/v1/token", &good).await;
    assert_eq!(
        (status, text(&body, "issued_token_type")),
        (200, "urn:ietf:params:oauth:token-type:access_token")
    );
    client.token = text(&body, "access_token").to_owned();
    assert_eq!(client.got(ME).await["userName"], sandbox.client_id());
}

#[tokio::test]
async fn the_documents_say_what_there_is() {
    let (_sandbox, client) = start().await;
    let page = client.http.get(format!("{}/oidc/.well-known/oauth-authorization-server", client.url));
    let (_, metadata) = read(page.send().await.unwrap()).await;
    assert_eq!(metadata["authorization_endpoint"], format!("{}/oidc/v1/authorize", client.url));
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    let grants = metadata["grant_types_supported"].as_array().unwrap();
    for grant in ["authorization_code", "client_credentials", "refresh_token"] {
        assert!(grants.contains(&json!(grant)), "{grant}: {metadata}");
    }
}

#[tokio::test]
async fn nothing_that_opens_anything_is_in_the_log() {
    let (sandbox, client) = start().await;
    let code = code(&sandbox, &client).await;
    let (_, body) = token(&client, "/oidc/v1/token", &redeeming(&code)).await;
    let refresh = text(&body, "refresh_token");
    let (_, next) = token(&client, "/oidc/v1/token", &refreshing(refresh)).await;
    let user = Client::new(&sandbox, text(&next, "access_token"));
    user.got(ME).await;
    let log = serde_json::to_string(&sandbox.requests()).unwrap();
    for secret in [code.as_str(), VERIFIER, refresh, text(&body, "access_token"), text(&next, "access_token")]
    {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    assert!(log.contains("&code=sha256:") && log.contains("refresh_token=sha256:"), "{log}");
}
