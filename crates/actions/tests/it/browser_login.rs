use std::time::Duration;

use brickwire_actions::{BrowserLogin, Config, Environment, ErrorKind, Workspace};
use reqwest::Url;

use crate::provider::{Provider, form};

const SOON: Duration = Duration::from_secs(20);

fn config(host: &str, home: &std::path::Path) -> Config {
    let environment = Environment::default().with_home(home);
    let builder = Config::builder().environment(environment).host(host);
    builder.with("auth_type", "external-browser").resolve().unwrap()
}

/// Acts as the browser: opens the address, and then the URL that the login page would redirect it to.
async fn browse(address: &str, answer: &str) -> (Url, u16) {
    let browser =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let first = browser.get(address).send().await.unwrap();
    let page = Url::parse(first.headers()["location"].to_str().unwrap()).unwrap();
    let of = |name: &str| page.query_pairs().find(|(k, _)| k == name).unwrap().1.into_owned();
    // What any program of this machine can ask for tells nothing about the login.
    let nothing = browser.get(of("redirect_uri")).send().await.unwrap();
    assert_eq!(nothing.status(), 400);
    let said = format!("{:?} {}", nothing.headers().clone(), nothing.text().await.unwrap());
    assert!(!said.contains(&of("state")) && !said.contains(&of("code_challenge")), "{said}");
    let stray =
        browser.get(format!("{}/?code=stolen&state=guessed", of("redirect_uri"))).send().await.unwrap();
    assert_eq!(stray.status(), 400, "a request without the state is refused");
    assert_eq!(
        browser.get(format!("{}/favicon.ico", of("redirect_uri"))).send().await.unwrap().status(),
        404
    );
    let back = format!("{}/?state={}&{answer}", of("redirect_uri"), of("state"));
    let status = browser.get(back).send().await.unwrap().status().as_u16();
    (page, status)
}

#[tokio::test]
async fn log_in_call_renew_and_log_out() {
    let (provider, home) = (Provider::start().await, tempfile::tempdir().unwrap());
    let config = config(&provider.url, home.path());
    let call = async || Workspace::new(config.connection().unwrap()).unwrap().users().me().await.map(drop);

    let error = call().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(
        error.hint().unwrap().contains("`BrowserLogin` for `host = http://127.0.0.1"),
        "{:?}",
        error.hint()
    );

    let login = BrowserLogin::start(&config).await.unwrap();
    let address = login.address().to_owned();
    assert!(address.starts_with("http://localhost:80"), "{address}");
    let shown = format!("{login:?}");
    let ((page, status), done) = tokio::join!(browse(&address, "code=the-code"), login.wait(SOON));
    done.unwrap();
    assert_eq!(status, 200);
    let seen = provider.seen();
    let exchange = form(seen.iter().find(|s| s.target == "/oidc/v1/token").unwrap());
    assert_eq!(
        (exchange["code"].as_str(), exchange["redirect_uri"].as_str()),
        ("the-code", address.rsplit_once('/').unwrap().0)
    );
    assert!(exchange["code_verifier"].len() >= 43 && !shown.contains(&exchange["code_verifier"]));
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "databricks-cli"),
        ("code_challenge_method", "S256"),
        ("scope", "all-apis offline_access"),
    ] {
        assert!(page.query_pairs().any(|(k, v)| k == name && v == value), "{name} in {page}");
    }

    call().await.unwrap();
    assert_eq!(provider.count("/oidc/v1/token"), 1, "the stored token is used");
    // The token is revoked: the refresh token gets a new one, which is stored for the next process.
    provider.set(|state| state.tokens += 1);
    call().await.unwrap();
    call().await.unwrap();
    assert_eq!(provider.count("/oidc/v1/token"), 2);
    // The refresh token is no longer valid.
    provider.set(|state| (state.tokens, state.refresh) = (99, None));
    let error = call().await.unwrap_err();
    assert!(error.to_string().contains("the login has ended"), "{error}");

    assert!(config.logout().unwrap() && !config.logout().unwrap());
    assert!(call().await.unwrap_err().to_string().contains("not logged in"));
}

#[tokio::test]
async fn a_login_is_used_with_its_own_host_only() {
    let (provider, other, home) =
        (Provider::start().await, Provider::start().await, tempfile::tempdir().unwrap());
    let file = home.path().join(".databrickscfg");
    let environment = Environment::default().with_home(home.path());
    let write = |host: &str| {
        std::fs::write(&file, format!("[p]\nhost = {host}\nauth_type = external-browser\n")).unwrap()
    };
    let read = || Config::builder().environment(environment.clone()).profile("p").resolve().unwrap();
    write(&provider.url);
    let login = BrowserLogin::start(&read()).await.unwrap();
    let address = login.address().to_owned();
    let (_, done) = tokio::join!(browse(&address, "code=c"), login.wait(SOON));
    done.unwrap();
    let workspace = Workspace::new(read().connection().unwrap()).unwrap();
    workspace.users().me().await.unwrap();
    // The profile now names another host.
    write(&other.url);
    let error = Workspace::new(read().connection().unwrap()).unwrap().users().me().await.unwrap_err();
    assert!(error.to_string().contains("not logged in"), "{error}");
    assert_eq!(error.hint(), Some("log in with `BrowserLogin` for `profile = p`"));
    assert_eq!(other.seen().len(), 0);
}

#[tokio::test]
async fn a_refused_login_says_why() {
    let (provider, home) = (Provider::start().await, tempfile::tempdir().unwrap());
    let login = BrowserLogin::start(&config(&provider.url, home.path())).await.unwrap();
    let address = login.address().to_owned();
    let answer = "error=access_denied&error_description=not+today";
    let (_, done) = tokio::join!(browse(&address, answer), login.wait(SOON));
    let error = done.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.to_string().contains("access_denied not today"), "{error}");
    assert_eq!(provider.count("/oidc/v1/token"), 0);
    assert!(!home.path().join(".config").exists(), "nothing is stored");
}
