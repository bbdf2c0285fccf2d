//! Completion of live names: clusters, warehouses and profiles, as the shell asks for them.
//!
//! Pressing TAB never fails and never takes long: there is a deadline, what was found is kept for a minute, and any
//! error is no candidates. The cache holds ids, names and states, nothing secret.

use std::{
    ffi::OsStr,
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use brickwire_actions::{Config, RetryPolicy, Workspace};
use clap_complete::CompletionCandidate;

/// How long a TAB may take.
const DEADLINE: Duration = Duration::from_millis(1500);
/// How long what was found is good.
const FRESH: Duration = Duration::from_secs(60);

/// An id or name, and what it is.
type Found = Vec<(String, String)>;

/// Clusters: names, and ids.
pub(crate) fn clusters(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, "clusters", async |workspace| {
        let all = workspace.clusters().list().await.ok()?;
        Some(
            all.iter()
                .flat_map(|c| named(&c.cluster_id, &c.cluster_name, c.state.as_ref().map(|s| s.as_str())))
                .collect(),
        )
    })
}

/// Warehouses: names, and ids.
pub(crate) fn warehouses(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, "warehouses", async |workspace| {
        let all = workspace.warehouses().list().await.ok()?;
        Some(all.iter().flat_map(|w| named(&w.id, &w.name, w.state.as_ref().map(|s| s.as_str()))).collect())
    })
}

/// Profiles of the configuration file.
pub(crate) fn profiles(current: &OsStr) -> Vec<CompletionCandidate> {
    let all = Config::builder().profiles().unwrap_or_default();
    candidates(current, all.into_iter().map(|p| (p.name, p.host.unwrap_or_default())).collect())
}

fn named(id: &Option<String>, name: &Option<String>, state: Option<&str>) -> Vec<(String, String)> {
    let (id, name) = (id.clone().unwrap_or_default(), name.clone().unwrap_or_default());
    let state = state.unwrap_or_default();
    vec![(name.clone(), format!("{id} {state}")), (id, format!("{name} {state}"))]
}

fn live(
    current: &OsStr,
    what: &str,
    list: impl AsyncFnOnce(&Workspace) -> Option<Found>,
) -> Vec<CompletionCandidate> {
    candidates(current, find(what, list).unwrap_or_default())
}

fn find(what: &str, list: impl AsyncFnOnce(&Workspace) -> Option<Found>) -> Option<Found> {
    let given = [
        ("profile", given("--profile", "-p")),
        ("host", given("--host", "--host")),
        ("ca_file", given("--ca-file", "--ca-file")),
    ];
    let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let builder = given.fold(Config::builder(), |builder, (name, value)| builder.with(name, value));
    let config = builder.resolve().ok()?;
    let cache = cache_file(config.host()?.as_str(), what);
    if let Some(found) = cache.as_ref().and_then(read_fresh) {
        return Some(found);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let found = runtime.block_on(async {
        let builder = Workspace::builder().config(&config);
        let workspace = builder.with_retry(RetryPolicy::never()).build().ok()?;
        tokio::time::timeout(DEADLINE, list(&workspace)).await.ok()?
    })?;
    if let Some(path) = cache {
        let _ = path.parent().map(fs::create_dir_all);
        let _ = fs::write(path, serde_json::to_vec(&found).ok()?);
    }
    Some(found)
}

/// An option on the line that is being completed.
fn given(long: &str, short: &str) -> Option<String> {
    let words: Vec<String> = std::env::args().collect();
    let inline = words.iter().find_map(|w| w.strip_prefix(long)?.strip_prefix('=').map(str::to_owned));
    inline.or_else(|| {
        words.windows(2).find(|pair| pair[0] == long || pair[0] == short).map(|pair| pair[1].clone())
    })
}

fn cache_file(host: &str, what: &str) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CACHE_HOME")
        .or_else(|| Some(set("HOME").or_else(|| set("LOCALAPPDATA"))?.join(".cache")))?;
    let host: String = host.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Some(folder.join("brickwire").join(format!("{host}-{what}.json")))
}

fn read_fresh(path: &PathBuf) -> Option<Found> {
    let written = fs::metadata(path).ok()?.modified().ok()?;
    let age = SystemTime::now().duration_since(written).ok()?;
    if age < FRESH { serde_json::from_slice(&fs::read(path).ok()?).ok() } else { None }
}

fn candidates(current: &OsStr, found: Found) -> Vec<CompletionCandidate> {
    let start = current.to_string_lossy();
    let fits = |(value, _): &(String, String)| !value.is_empty() && value.starts_with(start.as_ref());
    found
        .into_iter()
        .filter(fits)
        .map(|(value, help)| CompletionCandidate::new(value).help(Some(help.into())))
        .collect()
}
