//! Candidates for shell completion: profiles, and what is in the workspace.
//!
//! Pressing TAB never fails and never takes long: requests have a deadline, results are cached for a minute, and an
//! error means no candidates. The cache holds ids, names, and states; no secrets.

use std::{
    ffi::OsStr,
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use brickwire_actions::{Config, RetryPolicy, Workspace};
use clap_complete::CompletionCandidate;
use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};

/// The time limit for one completion.
const DEADLINE: Duration = Duration::from_millis(1500);
/// How long cached results are used.
const FRESH: Duration = Duration::from_secs(60);

/// Ids or names, each with a description.
pub(crate) type Found = Vec<(String, String)>;

/// Profiles in the configuration file.
pub(crate) fn profiles(current: &OsStr) -> Vec<CompletionCandidate> {
    let all = Config::builder().profiles().unwrap_or_default();
    candidates(current, all.into_iter().map(|p| (p.name, p.host.unwrap_or_default())).collect())
}

/// The name and the id of a resource, each described by the other and the state.
pub(crate) fn named(
    id: &Option<String>,
    name: &Option<String>,
    state: Option<impl ToString>,
) -> [(String, String); 2] {
    let (id, name) = (id.clone().unwrap_or_default(), name.clone().unwrap_or_default());
    let state = state.map(|s| s.to_string()).unwrap_or_default();
    [(name.clone(), format!("{id} {state}")), (id, format!("{name} {state}"))]
}

/// Resources in the workspace; `what` is their name in the cache.
pub(crate) fn live(
    current: &OsStr,
    what: &str,
    list: impl AsyncFnOnce(&Workspace) -> Option<Found>,
) -> Vec<CompletionCandidate> {
    candidates(current, find(what, list).unwrap_or_default())
}

fn find(what: &str, list: impl AsyncFnOnce(&Workspace) -> Option<Found>) -> Option<Found> {
    let flags =
        [("profile", "--profile", "-p"), ("host", "--host", "--host"), ("ca_file", "--ca-file", "--ca-file")];
    let given = flags.into_iter().filter_map(|(name, long, short)| Some((name, given(long, short)?)));
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

/// The value of an option on the command line that is being completed.
fn given(long: &str, short: &str) -> Option<String> {
    let words: Vec<String> = std::env::args().collect();
    let inline = words.iter().find_map(|w| w.strip_prefix(long)?.strip_prefix('=').map(str::to_owned));
    inline.or_else(|| {
        words.windows(2).find(|pair| pair[0] == long || pair[0] == short).map(|pair| pair[1].clone())
    })
}

fn cache_file(host: &str, what: &str) -> Option<PathBuf> {
    let folder = choose_native_strategy().ok()?.cache_dir();
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
