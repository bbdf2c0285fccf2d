use std::time::Instant;

use brickwire_actions::{Config, ConfigBuilder, Connection, Environment, Error, ErrorKind, Workspace};
use brickwire_testserver::{Response, Server};
use serde_json::json;

use crate::provider::{Provider, form};

const SECRET: &str = "planted-client-secret";

fn workspace(host: &str) -> Workspace {
    let builder = Workspace::builder().environment(Environment::default());
    builder.host(host).oauth("an id", SECRET).build().unwrap()
}

/// Everything about an error that a program could show.
fn shown(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {:?}", error.hint());
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text.push_str(&format!(" {inner} {inner:?}"));
        source = inner.source();
    }
    text
}

#[tokio::test]
async fn a_host_that_says_nothing_is_asked_at_its_usual_address() {
    let provider = Provider::start().await;
    workspace(&provider.url).users().me().await.unwrap();
    let seen = provider.seen();
    let token = seen.iter().find(|s| s.target == "/oidc/v1/token").unwrap();
    assert_eq!(token.method, "POST");
    let form = form(token);
    assert_eq!((form["grant_type"].as_str(), form["scope"].as_str()), ("client_credentials", "all-apis"));
    // `an+id:planted-client-secret`: the id is form-encoded before it goes into the header.
    assert_eq!(token.header("authorization"), Some("Basic YW4raWQ6cGxhbnRlZC1jbGllbnQtc2VjcmV0"));
    assert!(!format!("{:?}", seen.iter().map(|s| &s.target).collect::<Vec<_>>()).contains(SECRET));
}

#[tokio::test]
async fn many_calls_share_a_token_and_a_refused_one_is_replaced_once() {
    let provider = Provider::start().await;
    let workspace = workspace(&provider.url);
    let calls = (0..20).map(|_| {
        let users = workspace.users();
        async move { users.me().await.map(drop) }
    });
    futures_util::future::try_join_all(calls).await.unwrap();
    assert_eq!(provider.count("/oidc/v1/token"), 1);

    // The token is revoked between two calls.
    provider.set(|state| state.tokens += 1);
    workspace.users().me().await.unwrap();
    assert_eq!(provider.count("/oidc/v1/token"), 2);

    // If the token endpoint refuses, too, that is the error.
    provider.set(|state| state.refusals = vec![(401, r#"{"error":"invalid_client"}"#)]);
    provider.set(|state| state.tokens += 1);
    let error = workspace.users().me().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.to_string().contains("invalid_client"), "{error}");
    assert_eq!(provider.count("/oidc/v1/token"), 3);
}

#[tokio::test]
async fn an_expired_token_is_replaced_before_it_is_sent() {
    let provider = Provider::start().await;
    provider.set(|state| state.life = 0);
    let workspace = workspace(&provider.url);
    for _ in 0..3 {
        workspace.users().me().await.unwrap();
    }
    let refused = provider.count("/api/2.0/preview/scim/v2/Me");
    assert_eq!((provider.count("/oidc/v1/token"), refused), (3, 3), "no call was refused and repeated");
}

#[tokio::test]
async fn the_token_endpoint_is_asked_again_if_it_is_busy() {
    let provider = Provider::start().await;
    provider.set(|state| state.refusals = vec![(429, "{}")]);
    workspace(&provider.url).users().me().await.unwrap();
    assert_eq!(provider.count("/oidc/v1/token"), 2);
}

#[tokio::test]
async fn no_answer_leads_a_secret_to_another_host() {
    let (provider, foreign) = (Provider::start().await, Provider::start().await);
    let other = foreign.url.clone();
    let elsewhere = |path: &str| format!("{other}{path}");
    type Change = Box<dyn FnOnce(&mut crate::provider::State)>;
    let (config, server, redirect) =
        (elsewhere("/oidc"), elsewhere("/oidc/v1/token"), elsewhere("/oidc/v1/token"));
    let userinfo = format!("{}@{}/oidc", provider.url, other.trim_start_matches("http://"));
    let changes: [Change; 4] = [
        Box::new(move |s| s.config = Some(json!({ "oidc_endpoint": config }))),
        Box::new(move |s| s.config = Some(json!({ "oidc_endpoint": userinfo }))),
        Box::new(move |s| s.server = Some(json!({ "token_endpoint": server }))),
        Box::new(move |s| s.redirect = Some(redirect)),
    ];
    for change in changes {
        provider.set(|state| {
            (state.config, state.server, state.redirect) = (None, None, None);
            change(state);
        });
        let error = workspace(&provider.url).users().me().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(!shown(&error).contains(SECRET), "{}", shown(&error));
    }
    assert_eq!(foreign.seen().len(), 0, "not even a request without the secret was sent there");
}

#[tokio::test]
async fn an_account_id_stays_an_id() {
    for id in ["../../evil", "a/b", "x@evil.example", "a?b", "a b"] {
        let builder = Config::builder().environment(Environment::default());
        let builder = builder.host("accounts.cloud.databricks.com").with("account_id", id);
        let error = builder.resolve().unwrap_err();
        assert!(error.to_string().contains("account_id"), "{error}");
    }
}

#[tokio::test]
async fn errors_of_the_token_endpoint_do_not_repeat_the_secret() {
    let provider = Provider::start().await;
    for (status, body) in [
        (
            400,
            r#"{"error":"invalid_client","error_description":"no client has the secret planted-client-secret"}"#,
        ),
        (403, "planted-client-secret is wrong"),
        (200, r#"{"id_token":"planted-client-secret"}"#),
        (200, "<html>planted-client-secret</html>"),
    ] {
        provider.set(|state| state.refusals = vec![(status, body)]);
        let error = workspace(&provider.url).users().me().await.unwrap_err();
        assert!(!shown(&error).contains(SECRET), "{}", shown(&error));
        assert_eq!(provider.count("/api/2.0/preview/scim/v2/Me"), 0);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn another_program_gets_no_secret_among_its_arguments_and_none_of_ours_in_its_variables() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let (program, log) = (home.path().join("databricks"), home.path().join("log"));
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> {log}\nenv >> {log}\necho '{{\"access_token\":\"planted-cli-token\"}}'\nexit 0\n",
        log = log.display()
    );
    // A smaller program counts as the legacy CLI, which is not run.
    std::fs::write(&program, format!("{script}{}", " ".repeat(1024 * 1024))).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let environment = Environment::new([
        ("PATH", "/usr/bin:/bin"),
        ("DATABRICKS_TOKEN", "planted-token"),
        ("DATABRICKS_CLIENT_SECRET", SECRET),
        ("DATABRICKS_AUTH_TYPE", "databricks-cli"),
        ("LC_ALL", "kept"),
        ("OTHER", "dropped"),
    ])
    .with_home(home.path());
    let builder = Config::builder().environment(environment.clone()).host("x.cloud.databricks.com");
    let config = builder.with("databricks_cli_path", program.to_str().unwrap()).resolve().unwrap();
    let workspace = Workspace::builder().config(&config).build().unwrap();
    let token = workspace.access_token().await.unwrap();
    assert_eq!(token.token.expose(), "planted-cli-token");
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("auth token --host https://x.cloud.databricks.com\n"), "{log}");
    assert!(log.contains("LC_ALL=kept") && !log.contains("OTHER") && !log.contains("planted"), "{log}");
    let all = format!("{token:?} {workspace:?} {config:?} {environment:?}");
    assert!(!all.contains("planted"), "{all}");
}

#[tokio::test]
async fn each_place_that_refuses_a_credential_has_a_message_of_its_own() {
    let provider = Provider::start().await;
    let fail = async |workspace: &Workspace| workspace.users().me().await.unwrap_err();
    let oauth = workspace(&provider.url);
    let by_token = Workspace::builder().environment(Environment::default());
    let by_token = by_token.host(&provider.url).token("wrong-token").build().unwrap();

    provider.set(|state| state.refusals = vec![(401, r#"{"error":"invalid_client"}"#)]);
    let token_endpoint = fail(&oauth).await;
    provider.set(|state| state.redirect = Some("https://login.example/token".to_owned()));
    let token_redirect = fail(&oauth).await;
    let api = fail(&by_token).await;
    provider.set(|state| state.api_redirect = Some("https://login.example/".to_owned()));
    let api_redirect = fail(&by_token).await;

    for (error, kind, message) in [
        (
            token_endpoint,
            ErrorKind::Unauthenticated,
            "the credential was refused by the token endpoint of 127.0.0.1",
        ),
        (
            token_redirect,
            ErrorKind::Configuration,
            "refused to follow a redirect of the token endpoint of 127.0.0.1",
        ),
        (api, ErrorKind::Unauthenticated, "UNAUTHENTICATED: ended (HTTP 401)"),
        (
            api_redirect,
            ErrorKind::UnexpectedResponse,
            "refused to follow a redirect to another host: https://login.example",
        ),
    ] {
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().starts_with(message), "{error}");
        assert!(error.hint().is_some(), "{error}");
        assert!(
            !shown(&error).contains(SECRET) && !shown(&error).contains("wrong-token"),
            "{}",
            shown(&error)
        );
    }
}

#[tokio::test]
async fn a_builder_takes_settings_or_a_connection_and_the_environment_completes_it() {
    let environment =
        Environment::new([("DATABRICKS_HOST", "x.cloud.databricks.com"), ("DATABRICKS_TOKEN", "t")]);
    let builder = || Workspace::builder().environment(environment.clone());
    assert_eq!(builder().build().unwrap().host().as_str(), "https://x.cloud.databricks.com");
    let kind =
        |builder: ConfigBuilder| builder.environment(Environment::default()).resolve().unwrap().auth_type();
    let host = || Config::builder().host("adb-1.2.azuredatabricks.net");
    assert_eq!(kind(host().oauth("id", SECRET)), Some("oauth-m2m"));
    assert_eq!(kind(host().azure_client_secret("tenant", "id", SECRET)), Some("azure-client-secret"));
    assert_eq!(kind(host().token("first").token("")), None, "a later value replaces an earlier one");

    let error = builder().oauth("id", SECRET).build().unwrap_err();
    assert!(error.to_string().contains("more than one authorization method"), "{error}");
    assert!(error.to_string().contains("client_secret=*** (explicit)"), "{error}");
    let connection = Connection::oauth("y.cloud.databricks.com", "id", SECRET).unwrap();
    let error = builder().connection(connection.clone()).host("z.example").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    let workspace = builder().connection(connection).build().unwrap();
    assert_eq!(workspace.host().as_str(), "https://y.cloud.databricks.com");
}

#[tokio::test]
async fn a_token_url_takes_the_place_of_discovery() {
    let (provider, server) = (Provider::start().await, Provider::start().await);
    let builder = Workspace::builder().environment(Environment::default()).host(&provider.url);
    let workspace = builder.oauth("id", SECRET).token_url(&format!("{}/oidc/v1/token", server.url));
    let token = workspace.build().unwrap().access_token().await.unwrap();
    assert_eq!((token.token.expose(), server.count("/oidc/v1/token")), ("token-1", 1));
    assert_eq!(provider.seen().len(), 0);
}

#[tokio::test]
async fn a_deadline_holds_for_tokens_too_and_the_filter_knows_them() {
    let provider = Provider::start().await;
    let workspace = workspace(&provider.url);
    let error = workspace.with_deadline(Instant::now()).users().me().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "{error}");
    assert_eq!(provider.count("/api/2.0/preview/scim/v2/Me"), 0);
    workspace.users().me().await.unwrap();
    assert_eq!(workspace.filter().text(&format!("it is {SECRET}")), "it is ***");
}

#[tokio::test]
async fn refusals_in_other_shapes_are_quoted() {
    let provider = Provider::start().await;
    for (status, body, words) in [
        (
            401,
            r#"{"errorCode":"E0000011","errorSummary":"Invalid token provided"}"#,
            "E0000011: Invalid token provided",
        ),
        (400, r#"{"error":{"code":"bad_client","message":"who is this"}}"#, "bad_client: who is this"),
        (
            200,
            r#"{"errorCode":"E0000004","errorSummary":"Authentication failed"}"#,
            "E0000004: Authentication failed",
        ),
    ] {
        provider.set(|state| state.refusals = vec![(status, body)]);
        let error = workspace(&provider.url).users().me().await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_discovery_url_is_used_on_the_own_host_and_refused_by_name_elsewhere() {
    const VARIABLE: &str = "DATABRICKS_DISCOVERY_URL";
    let (provider, foreign) = (Provider::start().await, Provider::start().await);
    let workspace = |page: String| {
        let environment = Environment::new([
            ("DATABRICKS_HOST", provider.url.clone()),
            ("DATABRICKS_CLIENT_ID", "an id".to_owned()),
            ("DATABRICKS_CLIENT_SECRET", SECRET.to_owned()),
            (VARIABLE, page),
        ]);
        Workspace::builder().environment(environment).build().unwrap()
    };
    let page = |host: &str| format!("{host}/oidc/.well-known/oauth-authorization-server");
    // What the host says about itself doesn't matter then.
    provider.set(|state| {
        state.config = Some(json!({ "oidc_endpoint": "https://elsewhere.example/oidc" }));
        state.server = Some(json!({ "token_endpoint": format!("{}/oidc/v1/token", provider.url) }));
    });
    workspace(page(&provider.url)).users().me().await.unwrap();

    let refused = async |page: String, words: &str| {
        let error = workspace(page).users().me().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(words), "{error}");
        assert!(!shown(&error).contains(SECRET), "{}", shown(&error));
        error.to_string()
    };
    assert!(refused(page(&foreign.url), "on another host").await.contains(VARIABLE));
    assert!(refused("not an address".to_owned(), "not an address").await.contains(VARIABLE));
    assert!(refused(format!("{}/nothing", provider.url), "can't be read").await.contains(VARIABLE));
    // The page is on the host, and leads elsewhere.
    provider.set(|state| state.server = Some(json!({ "token_endpoint": format!("{}/t", foreign.url) })));
    refused(page(&provider.url), "on another host").await;
    provider.set(|state| state.server = Some(json!({ "issuer": "x" })));
    refused(page(&provider.url), "lists no token_endpoint").await;
    assert_eq!(foreign.seen().len(), 0);
}

/// A job in Azure Pipelines whose collection is at this address.
fn pipeline(host: &str, collection: &str) -> Environment {
    Environment::new([
        ("DATABRICKS_HOST", host),
        ("DATABRICKS_CLIENT_ID", "an-id"),
        ("SYSTEM_ACCESSTOKEN", "planted-pipeline-token"),
        ("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", collection),
        ("SYSTEM_TEAMPROJECTID", "project-1"),
        ("SYSTEM_HOSTTYPE", "build"),
        ("SYSTEM_PLANID", "plan-2"),
        ("SYSTEM_JOBID", "job-3"),
    ])
}

#[tokio::test]
async fn azure_pipelines_exchange_their_token_as_github_does() {
    const PATH: &str = "/org/project-1/_apis/distributedtask/hubs/build/plans/plan-2/jobs/job-3/oidctoken?api-version=7.2-preview.1";
    let provider = Provider::start().await;
    for slash in ["", "/"] {
        let devops = Server::start(|_| Response::json(r#"{"oidcToken":"pipeline-identity"}"#));
        let environment = pipeline(&provider.url, &format!("{}/org{slash}", devops.url()));
        // It is found without `auth_type`, as GitHub's is.
        let config = Config::builder().environment(environment).resolve().unwrap();
        assert_eq!(config.auth_type(), Some("azure-devops-oidc"));
        Workspace::builder().config(&config).build().unwrap().users().me().await.unwrap();
        let asked = devops.only();
        assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", PATH));
        assert_eq!(asked.header("authorization"), Some("Bearer planted-pipeline-token"));
        assert_eq!(asked.header("content-length"), Some("0"));
        let seen = provider.seen();
        let form = form(seen.iter().rev().find(|s| s.target == "/oidc/v1/token").unwrap());
        assert_eq!(form["subject_token"], "pipeline-identity");
        assert_eq!(form["client_id"], "an-id");
    }
}

#[tokio::test]
async fn azure_pipelines_say_what_is_missing() {
    let provider = Provider::start().await;
    let environment = Environment::new([
        ("DATABRICKS_HOST", provider.url.as_str()),
        ("SYSTEM_ACCESSTOKEN", "planted-pipeline-token"),
    ]);
    let config = Config::builder().environment(environment).with("auth_type", "azure-devops-oidc");
    let error = config.resolve().unwrap().connection().unwrap_err();
    assert!(error.to_string().contains("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"), "{error}");
    assert!(error.hint().unwrap().contains("SYSTEM_ACCESSTOKEN"), "{:?}", error.hint());

    let config = Config::builder().environment(pipeline(&provider.url, "http://devops.example/org"));
    let error = config.resolve().unwrap().connection().unwrap_err();
    assert!(error.to_string().contains("must be https"), "{error}");

    let devops = Server::start(|_| {
        Response::new(403)
            .with_body(r#"{"message":"planted-pipeline-token may not","typeKey":"AccessDenied"}"#)
    });
    let config = Config::builder().environment(pipeline(&provider.url, &devops.url())).resolve().unwrap();
    let error = Workspace::builder().config(&config).build().unwrap().users().me().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.to_string().contains("AccessDenied: *** may not (HTTP 403)"), "{error}");
    assert!(!shown(&error).contains("planted-pipeline-token"), "{}", shown(&error));
}
