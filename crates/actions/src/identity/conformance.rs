//! Runs the vectors of `tests/vectors/auth.json`: configurations, answers, and what the official SDKs do with them.
//! Where we differ on purpose, [`DIFFERENCES`] names the vector, the reason, and what we do instead, which is checked.

mod differences;
mod fake;

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use brickwire_wire::{Credential as _, HttpOptions, Wire};
use futures_util::FutureExt;
use http::HeaderMap;
use serde_json::Value;

use self::{
    differences::{AT_HOME, DIFFERENCES, Difference, ELSEWHERE, IN_THE_CLEAR},
    fake::Fake,
};
use super::{
    auth::{cache::TokenCache, discovery::HostMetadata, program, token::Token, token_store::TokenStore},
    authenticator::Authenticator,
};
use crate::{Config, Environment, Error, Host};

/// The outcome of a vector, with the names of its `expect`.
type Outcome = Result<BTreeMap<&'static str, Value>, Error>;

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../../tests/vectors/auth.json")).unwrap()
}

#[tokio::test]
async fn vectors_and_differences() {
    let _alone = program::tests::ALONE.lock().await;
    let mut faults = Vec::new();
    let mut used = HashSet::new();
    let mut by_tag: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    let mut total = (0, 0);
    for vector in vectors() {
        let name = vector["name"].as_str().unwrap().to_owned();
        let difference = DIFFERENCES.iter().find(|d| d.covers(&name));
        let expect = match difference {
            Some(difference) => {
                used.insert(difference.vector);
                serde_json::from_str(difference.ours).unwrap()
            }
            None => vector["expect"].clone(),
        };
        // Its `az` or `databricks` is a script of the shell.
        if cfg!(windows) && vector["files"].to_string().contains("#!/") {
            eprintln!("skipped on Windows: {name}");
            continue;
        }
        if let Err(fault) = run(&vector, &expect).await {
            faults.push(format!("{name}: {fault}"));
        }
        // If only an address differs, everything else must agree.
        let host = format!("https://{}", vector["args"]["host"].as_str().unwrap_or("a"));
        let moved = match difference.map(|d| d.why) {
            Some(ELSEWHERE) => Some(("https://localhost:1234", host.as_str())),
            Some(IN_THE_CLEAR) => Some(("http://devops.test", "https://devops.test")),
            _ => None,
        };
        if let Some((from, to)) = moved {
            let home: Value = serde_json::from_str(&vector.to_string().replace(from, to)).unwrap();
            let other =
                AT_HOME.iter().find(|d| d.covers(&name)).map(|d| serde_json::from_str(d.ours).unwrap());
            if let Err(fault) = run(&home, other.as_ref().unwrap_or(&home["expect"])).await {
                faults.push(format!("{name}, at home: {fault}"));
            }
        }
        for tag in vector["tags"].as_array().unwrap() {
            let count = by_tag.entry(tag.as_str().unwrap().to_owned()).or_default();
            if difference.is_some() { count.1 += 1 } else { count.0 += 1 }
        }
        if difference.is_some() { total.1 += 1 } else { total.0 += 1 }
    }
    for Difference { vector, why, .. } in DIFFERENCES {
        eprintln!("differs: {vector}: {why}");
    }
    for (tag, (same, differ)) in &by_tag {
        eprintln!("{tag:20} {same:4} as expected, {differ:3} differ on purpose");
    }
    eprintln!("{:20} {:4} as expected, {:3} differ on purpose", "all", total.0, total.1);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    for difference in DIFFERENCES {
        assert!(used.contains(difference.vector), "no vector is named {}", difference.vector);
    }
}

async fn run(vector: &Value, expect: &Value) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let text = |value: &Value| {
        value
            .to_string()
            // A backslash would begin an escape, and Windows takes slashes as well.
            .replace("{{dir}}", &dir.path().to_str().unwrap().replace('\\', "/"))
            .replace("\"{{now+1}}\"", &(now + 1).to_string())
    };
    let (vector, expect): (Value, Value) =
        (serde_json::from_str(&text(vector)).unwrap(), serde_json::from_str(&text(expect)).unwrap());
    lay_out(&vector, dir.path());
    let fake = Arc::new(Fake::new(&vector["http"]));
    let outcome = match vector["kind"].as_str().unwrap() {
        "token_state" => Ok(token_state(&vector["args"]).await),
        "token_cache_file" => token_file(&vector["args"], dir.path()),
        kind => configured(&vector, dir.path(), &fake, kind).await,
    };
    let planted = secrets(&vector);
    match (outcome, expect["error_contains"].as_str()) {
        (Ok(outcome), None) => same(&outcome, &expect, &fake),
        (Ok(outcome), Some(part)) => Err(format!("no error with {part:?} but {outcome:?}")),
        (Err(error), None) => Err(format!("{error} ({:?})", error.hint())),
        (Err(error), Some(part)) => {
            let shown = format!("{error} {}", error.hint().unwrap_or_default());
            let lower = shown.to_lowercase();
            let texts = |key: &str| expect[key].as_array().into_iter().flatten().filter_map(Value::as_str);
            let missing = std::iter::once(part)
                .chain(texts("error_mentions"))
                .find(|p| !lower.contains(&p.to_lowercase()));
            let debug = format!("{shown} {error:?}");
            let leaked = texts("error_excludes")
                .map(str::to_owned)
                .chain(planted)
                .find(|p| debug.contains(p.as_str()));
            match (missing, leaked) {
                (Some(part), _) => Err(format!("the error lacks {part:?}: {shown}")),
                (_, Some(part)) => Err(format!("the error holds {part:?}: {shown}")),
                _ => Ok(()),
            }
        }
    }
}

/// The vector's secrets that are long enough to be recognized in other text.
fn secrets(vector: &Value) -> Vec<String> {
    let given = ["args", "env"].into_iter().flat_map(|part| vector[part].as_object().into_iter().flatten());
    given
        .filter(|(name, _)| {
            let name = name.to_lowercase();
            ["token", "secret", "password", "credentials"].iter().any(|end| name.ends_with(end))
        })
        .filter_map(|(_, value)| value.as_str().filter(|v| v.len() > 5).map(str::to_owned))
        .collect()
}

fn lay_out(vector: &Value, dir: &Path) {
    if let Some(text) = vector["config_file"].as_str() {
        std::fs::write(dir.join(".databrickscfg"), text).unwrap();
    }
    for (name, file) in vector["files"].as_object().into_iter().flatten() {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut text = file["text"].as_str().unwrap().to_owned();
        let size = file["pad_to"].as_u64().unwrap_or_default() as usize;
        text.extend(std::iter::repeat_n(' ', size.saturating_sub(text.len())));
        std::fs::write(&path, text).unwrap();
        #[cfg(unix)]
        if let Some(mode) = file["mode"].as_str() {
            use std::os::unix::fs::PermissionsExt;
            let mode = u32::from_str_radix(mode, 8).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    }
}

async fn configured(vector: &Value, dir: &Path, fake: &Arc<Fake>, kind: &str) -> Outcome {
    let plain = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    };
    let object = |part: &str| vector[part].as_object().cloned().unwrap_or_default();
    let path = std::env::join_paths([dir.join("bin"), "/usr/bin".into(), "/bin".into()]).unwrap();
    let path = ("PATH".to_owned(), path.into_string().unwrap());
    let variables = object("env").into_iter().map(|(k, v)| (k, plain(&v))).chain([path]);
    let environment = Environment::new(variables).with_home(dir);

    let builder = Config::builder().environment(environment);
    let config =
        object("args").iter().fold(builder, |b, (name, value)| b.with(name, plain(value))).resolve()?;
    let mut outcome = BTreeMap::new();
    let text = |value: Option<&str>| value.map_or(Value::Null, Value::from);
    outcome.insert("host", text(config.host().map(Host::as_str)));
    outcome.insert("profile", text(config.profile()));
    outcome.insert("warehouse_id", text(config.warehouse_id()));
    outcome.insert("cluster_id", text(config.cluster_id()));
    outcome.insert("oidc_token_filepath", text(config.setting("oidc_token_filepath").map(|s| s.shown())));
    outcome.insert("scopes", config.login_target()?.scopes.into());
    outcome.insert("u2m_cache_key", config.login_target()?.key().into());

    let home = || Host::parse("https://localhost").unwrap();
    let options = HttpOptions::new(config.host().cloned().unwrap_or_else(home));
    let wire = Wire::builder(options).with_exchange(fake.clone()).build()?;
    // The host's metadata completes the configuration.
    let issuer = config.login_target()?.issuer;
    let asked = kind != "host" && !vector["http"].is_null();
    let metadata = if asked { issuer.metadata(&wire).await? } else { HostMetadata::default() };
    outcome.insert("account_id", text(config.account_id().or(metadata.account_id.as_deref())));
    outcome.insert("workspace_id", text(config.workspace_id().or(metadata.workspace_id.as_deref())));
    let audience = config.setting("token_audience").map(|s| s.shown());
    outcome.insert("token_audience", text(audience.or(metadata.audiences.first().map(String::as_str))));
    let root = issuer.root(&metadata)?;
    let page = root.map(|root| format!("{root}/.well-known/oauth-authorization-server"));
    outcome.insert("discovery_url", text(page.as_deref()));
    let host_type = match &metadata.host_type {
        _ if metadata.is_account(&issuer.host) => "ACCOUNT_HOST",
        Some(unified) if unified == "unified" => "UNIFIED_HOST",
        _ => "WORKSPACE_HOST",
    };
    outcome.insert("host_type", host_type.into());
    let cloud = match &metadata.cloud {
        Some(cloud) => cloud.to_ascii_lowercase(),
        None => config.cloud().to_owned(),
    };
    for (key, name) in [("is_aws", "aws"), ("is_azure", "azure"), ("is_gcp", "gcp")] {
        outcome.insert(key, (cloud == name).into());
    }
    if kind != "authenticate" {
        return Ok(outcome);
    }
    let connection = config.connection()?;
    let authenticator = Authenticator::new(&connection, &wire);
    let mut headers = HeaderMap::new();
    authenticator.authorization().await?.apply(&mut headers)?;
    outcome.insert("auth_type", connection.credential().auth_type().into());
    assert_eq!(config.auth_type(), Some(connection.credential().auth_type()));
    let headers = headers.iter().map(|(k, v)| (k.to_string(), v.to_str().unwrap().into()));
    outcome.insert("headers", Value::Object(headers.collect()));
    for secret in secrets(vector) {
        let shown = format!(
            "{config:?} {connection:?} {authenticator:?} {}",
            serde_json::to_string(&config.view()).unwrap()
        );
        assert!(!shown.contains(&secret), "{secret} in {shown}");
    }
    Ok(outcome)
}

fn same(outcome: &BTreeMap<&str, Value>, expect: &Value, fake: &Fake) -> Result<(), String> {
    for (key, wanted) in expect.as_object().unwrap() {
        match key.as_str() {
            "headers" => {
                let headers = outcome["headers"].as_object().unwrap();
                for (name, value) in wanted.as_object().unwrap() {
                    let got = headers.get(&name.to_lowercase());
                    if got != Some(value) {
                        return Err(format!("header {name} is {got:?} instead of {value}"));
                    }
                }
            }
            "token_request" => fake.was_asked(wanted)?,
            // The case of host names doesn't matter.
            "host"
                if outcome["host"].as_str().map(str::to_lowercase)
                    == wanted.as_str().map(str::to_lowercase) => {}
            key => {
                let got = outcome.get(key).ok_or_else(|| format!("nothing is known of {key}"))?;
                if got != wanted {
                    return Err(format!("{key} is {got} instead of {wanted}"));
                }
            }
        }
    }
    Ok(())
}

/// How the cache treats a token with this life when this much of it is left.
async fn token_state(args: &Value) -> BTreeMap<&'static str, Value> {
    tokio::time::pause();
    let life = args["ttl_s"].as_u64().map(Duration::from_secs);
    let fetched = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = fetched.clone();
    let cache = TokenCache::new(move || {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        std::future::ready(Ok(Token::new(format!("t{number}"), life))).boxed()
    });
    cache.authorization().await.unwrap();
    let passed = life
        .unwrap_or_default()
        .saturating_sub(Duration::from_secs(args["remaining_s"].as_u64().unwrap_or_default()));
    tokio::time::advance(passed).await;
    let token = cache.authorization().await.unwrap().token().expose().to_owned();
    tokio::task::yield_now().await;
    let state = match (token.as_str(), fetched.load(std::sync::atomic::Ordering::SeqCst)) {
        ("t0", 1) => "fresh",
        ("t0", _) => "stale",
        _ => "expired",
    };
    tokio::time::resume();
    BTreeMap::from([("state", state.into())])
}

fn token_file(args: &Value, dir: &Path) -> Outcome {
    let file = dir.join("tokens.json");
    if let Some(text) = args["file"].as_str() {
        std::fs::write(&file, text).unwrap();
    }
    let token = TokenStore::at(&file).get(args["key"].as_str().unwrap())?;
    let token = token.ok_or_else(|| Error::configuration("token not found"))?;
    let expiry = token.expiry.map(brickwire_wire::time::format_rfc3339);
    Ok(BTreeMap::from([
        ("access_token", token.access_token.expose().into()),
        ("token_type", token.token_type.into()),
        ("refresh_token", token.refresh_token.map(|t| t.expose().to_owned()).into()),
        ("expiry", expiry.into()),
    ]))
}
