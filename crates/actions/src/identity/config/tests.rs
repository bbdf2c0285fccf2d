use std::path::Path;

use super::*;
use crate::{Credential, ErrorKind, Source};

const FILE: &str = "[DEFAULT]\nhost = d.example\ntoken = dt\n[p]\nhost = p.example\ntoken = pt\nwarehouse_id = w\n\
                    [only-host]\nhost = p.example\n[q]\nhost = q.example\nauth_type = oauth-m2m\nclient_id = c\nclient_secret = cs\n";

fn home(file: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".databrickscfg"), file).unwrap();
    home
}

fn resolve(given: &[(&str, &str)], variables: &[(&str, &str)], home: &Path) -> Result<Config> {
    let environment = Environment::new(variables.iter().copied()).with_home(home);
    let builder = Config::builder().environment(environment);
    given.iter().fold(builder, |builder, (name, value)| builder.with(name, *value)).resolve()
}

fn token(config: &Config) -> String {
    match config.connection().unwrap().credential() {
        Credential::Token(token) => token.expose().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn explicit_before_environment_before_profile() {
    let home = home(FILE);
    let config = resolve(&[], &[], home.path()).unwrap();
    assert_eq!((config.host().unwrap().as_str(), token(&config).as_str()), ("https://d.example", "dt"));
    assert_eq!(config.profile(), Some("DEFAULT"));

    let environment = [("DATABRICKS_HOST", "e.example"), ("DATABRICKS_TOKEN", "et")];
    let config = resolve(&[], &environment, home.path()).unwrap();
    assert_eq!((config.host().unwrap().as_str(), token(&config).as_str()), ("https://e.example", "et"));
    assert_eq!(config.profile(), None, "the file is not read");

    let config = resolve(&[("host", "a.example"), ("token", "at")], &environment, home.path()).unwrap();
    assert_eq!((config.host().unwrap().as_str(), token(&config).as_str()), ("https://a.example", "at"));
    assert_eq!(config.ignored().len(), 2);
    assert_eq!(config.setting("host").unwrap().source(), &Source::Explicit);
}

#[test]
fn a_profile_named_by_the_caller_is_taken_whole() {
    let home = home(FILE);
    let environment =
        [("DATABRICKS_HOST", "e.example"), ("DATABRICKS_TOKEN", "et"), ("DATABRICKS_CLUSTER_ID", "c")];
    let config = resolve(&[("profile", "p")], &environment, home.path()).unwrap();
    assert_eq!((config.host().unwrap().as_str(), token(&config).as_str()), ("https://p.example", "pt"));
    assert_eq!((config.warehouse_id(), config.cluster_id()), (Some("w"), Some("c")));
    let config = resolve(&[("profile", "q")], &[("DATABRICKS_TOKEN", "et")], home.path()).unwrap();
    assert_eq!(config.auth_type(), Some("oauth-m2m"));
    assert_eq!(config.ignored()[0].reason, "profile q is taken whole");
    let config = resolve(&[("profile", "only-host")], &environment, home.path()).unwrap();
    assert!(config.connection().is_err(), "the token was given for another host");
    let config = resolve(&[("profile", "only-host")], &[("DATABRICKS_TOKEN", "et")], home.path()).unwrap();
    assert_eq!(token(&config), "et", "the environment completes the profile");
    assert_eq!(config.warnings().len(), if cfg!(unix) { 2 } else { 1 }, "{:?}", config.warnings());
}

#[test]
fn a_credential_never_goes_to_another_sources_host() {
    let home = home(FILE);
    for (explicit, environment, credential) in [
        // The caller's host, and a token that the environment has for another host.
        (
            vec![("host", "a.example")],
            vec![("DATABRICKS_HOST", "e.example"), ("DATABRICKS_TOKEN", "et")],
            "token",
        ),
        // The caller's host and profile.
        (vec![("host", "a.example"), ("profile", "p")], vec![], "token"),
        // Both from the environment.
        (vec![], vec![("DATABRICKS_HOST", "e.example"), ("DATABRICKS_CONFIG_PROFILE", "p")], "token"),
        (
            vec![],
            vec![("DATABRICKS_HOST", "e.example"), ("DATABRICKS_CONFIG_PROFILE", "only-host")],
            "profile",
        ),
    ] {
        let error = resolve(&explicit, &environment, home.path()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("two sources name different hosts: https://"), "{text}");
        assert_eq!(text.matches(".example (").count(), 2, "shows both with their sources: {text}");
        assert!(
            error.hint().unwrap().starts_with(&format!("the {credential} was given for")),
            "{:?}",
            error.hint()
        );
        assert!(!format!("{error:?}{text}").contains("et\""));
    }
    // The same host, written differently, is no contradiction.
    let same =
        resolve(&[("host", "https://P.example/x")], &[("DATABRICKS_CONFIG_PROFILE", "p")], home.path());
    assert_eq!(token(&same.unwrap()), "pt");
}

#[test]
fn errors_name_what_is_missing() {
    let home = home(FILE);
    for (explicit, variables, text, hint) in [
        (vec![("profile", "nope")], vec![], "there is no profile nope", "DEFAULT, p, only-host, q"),
        (vec![("config_file", "/nowhere/cfg")], vec![], "does not exist: /nowhere/cfg", "save_profile"),
        (vec![], vec![("DATABRICKS_TOKEN", "t")], "no host configured", "DATABRICKS_HOST"),
        (vec![("host", "x")], vec![], "no credential", "DATABRICKS_TOKEN"),
        (vec![("host", "x"), ("auth_type", "pat")], vec![], "pat needs token", "DATABRICKS_TOKEN"),
        (vec![("host", "u:hunter2@x"), ("token", "t")], vec![], "user information", "address"),
        (vec![("host", "x"), ("token", "t"), ("auth_type", "no-such")], vec![], "no-such", "pat"),
        (
            vec![("host", "x"), ("token", "t"), ("client_id", "c")],
            vec![],
            "more than one authorization method configured: oauth and pat",
            "auth_type",
        ),
    ] {
        let error = resolve(&explicit, &variables, home.path()).and_then(|c| c.connection()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(text), "{error}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{error}: {:?}", error.hint());
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let error = resolve(&[("nonsense", "x")], &[], home.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn the_view_shows_sources_and_no_secrets() {
    let home = home(FILE);
    let variables = [("DATABRICKS_TOKEN", "SECRET1"), ("DATABRICKS_CONFIG_PROFILE", "p")];
    let config = resolve(&[("host", "p.example?o=42")], &variables, home.path()).unwrap();
    let json = serde_json::to_value(config.view()).unwrap();
    assert_eq!(json["host"], "https://p.example");
    assert_eq!(json["workspace_id"], "42");
    assert_eq!(json["profile"], "p");
    assert_eq!(json["auth_type"], "pat");
    let attributes = json["attributes"].as_array().unwrap();
    let of = |name: &str| attributes.iter().find(|a| a["name"] == name).unwrap();
    assert_eq!(
        (&of("token")["value"], &of("token")["source"]),
        (&"***".into(), &"environment DATABRICKS_TOKEN".into())
    );
    assert!(of("warehouse_id")["source"].as_str().unwrap().starts_with("profile p in "));
    assert_eq!(json["ignored"][0]["name"], "host");
    for text in [json.to_string(), format!("{config:?}"), format!("{:?}", config.connection())] {
        assert!(!text.contains("SECRET1") && !text.contains("pt\""), "{text}");
    }
}

#[test]
fn profiles_are_listed_without_the_environment() {
    let home = home(&format!("[__settings__]\ndefault_profile = p\n{FILE}[bad]\nhost = ftp://x\n"));
    let environment = Environment::new([("DATABRICKS_TOKEN", "et"), ("DATABRICKS_HOST", "e.example")])
        .with_home(home.path());
    let profiles = Config::builder().environment(environment).profiles().unwrap();
    let names: Vec<_> =
        profiles.iter().map(|p| (p.name.as_str(), p.auth_type.as_deref(), p.default)).collect();
    let p = ("p", Some("pat"), true);
    let q = ("q", Some("oauth-m2m"), false);
    assert_eq!(names[..4], [("DEFAULT", Some("pat"), false), p, ("only-host", None, false), q]);
    assert!(profiles[4].fault.as_deref().unwrap().contains("scheme"), "{profiles:?}");
    assert!(Config::builder().environment(Environment::default()).profiles().unwrap().is_empty());
}

fn ignored<'a>(config: &'a Config, name: &str) -> &'a str {
    let found = config.ignored().iter().find(|ignored| ignored.name == name);
    found.map_or("", |ignored| ignored.reason.as_str())
}

#[test]
fn none_is_not_a_workspace() {
    for none in ["none", "None", " NONE "] {
        let home = home(&format!("[p]\nhost = https://p.example/?w=7\ntoken = pt\nworkspace_id = {none}\n"));
        let config = resolve(&[("profile", "p")], &[], home.path()).unwrap();
        assert_eq!(config.workspace_id(), Some("7"), "the address names one");
        assert!(
            ignored(&config, "workspace_id").contains("no workspace was chosen"),
            "{:?}",
            config.ignored()
        );
        let variables = [("DATABRICKS_HOST", "e.example"), ("DATABRICKS_WORKSPACE_ID", none)];
        assert_eq!(resolve(&[], &variables, home.path()).unwrap().workspace_id(), None);
    }
}

#[test]
fn the_password_of_the_user_token_is_a_token() {
    let written = |user: &str, more: &str| {
        home(&format!("[p]\nhost = p.example\nusername = {user}\npassword = dapi-1234\n{more}"))
    };
    for (user, more) in [("token", ""), ("Token", "auth_type = basic\n"), ("TOKEN", "token = dapi-1234\n")] {
        let home = written(user, more);
        let config = resolve(&[("profile", "p")], &[], home.path()).unwrap();
        assert_eq!((config.auth_type(), token(&config).as_str()), (Some("pat"), "dapi-1234"), "{more}");
        assert!(ignored(&config, "username").contains("personal access token"), "{:?}", config.ignored());
        assert!(!serde_json::to_string(&config.view()).unwrap().contains("dapi-1234"));
    }
    let host = ("DATABRICKS_HOST", "e.example");
    let variables = [host, ("DATABRICKS_USERNAME", "token"), ("DATABRICKS_PASSWORD", "dapi-5")];
    let nowhere = home("");
    assert_eq!(token(&resolve(&[], &variables, nowhere.path()).unwrap()), "dapi-5");
    // User and password from two sources.
    let home_with_user = home("[p]\nhost = p.example\nusername = token\n");
    let variables = [("DATABRICKS_CONFIG_PROFILE", "p"), ("DATABRICKS_PASSWORD", "dapi-6")];
    assert_eq!(token(&resolve(&[], &variables, home_with_user.path()).unwrap()), "dapi-6");
    // Another token contradicts it, and another user has a password.
    let error = resolve(&[("profile", "p")], &[], written("token", "token = dapi-2\n").path()).unwrap_err();
    assert!(error.to_string().contains("more than one authorization method"), "{error}");
    let error = resolve(&[("profile", "p")], &[], written("me@example.com", "").path()).unwrap_err();
    assert!(error.to_string().contains("basic is not supported"), "{error}");
}

#[test]
fn http_paths_name_a_warehouse_or_a_cluster() {
    let of = |lines: &str| {
        let home = home(&format!("[p]\nhost = p.example\ntoken = pt\n{lines}"));
        resolve(&[("profile", "p")], &[], home.path()).unwrap()
    };
    let config = of("http_path = /sql/1.0/warehouses/0123456789abcdef\n");
    assert_eq!(config.warehouse_id(), Some("0123456789abcdef"));
    let config = of("http_path = /sql/protocolv1/o/42/0123-456789-abc\n");
    assert_eq!(config.cluster_id(), Some("0123-456789-abc"));
    let config = of("http_path = /sql/1.0/warehouses/0123456789abcdef\nwarehouse_id = w\n");
    assert_eq!(
        (config.warehouse_id(), ignored(&config, "http_path")),
        (Some("w"), "warehouse_id comes first")
    );
    assert!(ignored(&of("http_path = /elsewhere\n"), "http_path").contains("neither a warehouse"));
}

#[test]
fn keys_without_effect_are_named_and_not_shown() {
    let home = home(
        "[p]\nhost = p.example\ntoken = pt\ninsecure = true\nrate_limit = 5\njobs-api-version = 2.0\n\
         tokne = dapi-secret\ntoken_url = https://p.example/x\nempty =\nskip_verify = false\n",
    );
    let config = resolve(&[("profile", "p")], &[], home.path()).unwrap();
    for (name, why) in [
        ("insecure", "ca_file"),
        ("rate_limit", "throttled"),
        ("jobs-api-version", "no setting of this name"),
        ("tokne", "no setting of this name"),
        ("token_url", "not read from a profile"),
    ] {
        assert!(ignored(&config, name).contains(why), "{name}: {:?}", config.ignored());
        assert!(config.setting(name).is_none(), "{name}");
    }
    assert_eq!(config.ignored().len(), 5, "{:?}", config.ignored());
    assert!(!serde_json::to_string(&config.view()).unwrap().contains("dapi-secret"));
}

#[test]
fn a_cluster_is_needed_and_serverless_compute_is_none() {
    let nowhere = home("");
    let of = |variables: &[(&str, &str)]| {
        resolve(&[("host", "x"), ("token", "t")], variables, nowhere.path()).unwrap()
    };
    let config = of(&[("DATABRICKS_CLUSTER_ID", "c"), ("DATABRICKS_SERVERLESS_COMPUTE_ID", "auto")]);
    assert_eq!(config.required_cluster_id().unwrap(), "c");
    let config = of(&[("DATABRICKS_SERVERLESS_COMPUTE_ID", "auto")]);
    let error = config.required_cluster_id().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("need a classic cluster"), "{error}");
    assert!(error.to_string().contains("environment DATABRICKS_SERVERLESS_COMPUTE_ID"), "{error}");
    let error = of(&[]).required_cluster_id().unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Configuration, Some("set `cluster_id`")));
}

#[test]
fn the_list_of_profiles_says_why_one_cannot_work() {
    let home = home(
        "[ok]\nhost = a.example\ntoken = t\n[no-host]\ntoken = t\n[no-credential]\nhost = a.example\n\
         [half]\nhost = a.example\nauth_type = oauth-m2m\nclient_id = c\n[authorities]\nhost = a.example\n\
         token = t\nca_file = /nowhere/ca.pem\n[password]\nhost = a.example\nusername = u\npassword = p\n",
    );
    let environment = Environment::new([("DATABRICKS_TOKEN", "et"), ("DATABRICKS_HOST", "e.example")]);
    let profiles = Config::builder().environment(environment.with_home(home.path())).profiles().unwrap();
    let fault = |name: &str| profiles.iter().find(|p| p.name == name).unwrap().fault.clone();
    assert_eq!(fault("ok"), None);
    for (name, why) in [
        ("no-host", "no host configured"),
        ("no-credential", "no credential"),
        ("half", "oauth-m2m needs client_secret"),
        ("authorities", "/nowhere/ca.pem"),
        ("password", "basic is not supported"),
    ] {
        assert!(fault(name).is_some_and(|fault| fault.contains(why)), "{name}: {profiles:?}");
    }
}
