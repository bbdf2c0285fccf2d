//! Candidates for shell completion: profiles, and what is in the workspace.
//!
//! Pressing TAB never fails and never takes long: requests have a deadline, results are cached for a minute, and an
//! error means no candidates. The cache holds ids, names, and states; no secrets.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use brickwire_actions::{self as actions, Config, Named, RetryPolicy, Workspace};
use clap_complete::CompletionCandidate;
use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};

use crate::{
    shells::words,
    terminal::{escaped_line, is_control},
};

/// The time limit for one completion.
const DEADLINE: Duration = Duration::from_millis(1500);
/// How long cached results are used.
const FRESH: Duration = Duration::from_secs(60);

/// The largest cache that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// Ids and names, in the order of the service's list.
pub(crate) type Found = Vec<Candidate>;

/// An ID or a name.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Candidate {
    value: String,
    /// The resource's ID, if the value is its name.
    id: Option<String>,
    help: String,
}

/// Profiles in the configuration file.
pub(crate) fn profiles(current: &OsStr) -> Vec<CompletionCandidate> {
    let all = Config::builder().profiles().unwrap_or_default();
    let candidate = |(name, host)| Candidate { value: name, id: None, help: host };
    let all = all.into_iter().map(|profile| (profile.name, profile.host.unwrap_or_default()));
    candidates(current, &all.map(candidate).collect())
}

/// The name and the ID of a resource, each described by the other and the state.
fn named(resource: actions::Candidate) -> [Candidate; 2] {
    let actions::Candidate { id, name, state, .. } = resource;
    let help = |other: &str| format!("{other} {state}");
    [
        Candidate { value: name.clone(), help: help(&id), id: Some(id.clone()) },
        Candidate { help: help(&name), value: id, id: None },
    ]
}

/// Names and IDs of a service's resources.
pub(crate) fn live<S: Named>(
    current: &OsStr,
    service: impl FnOnce(&Workspace) -> S,
) -> Vec<CompletionCandidate> {
    let list = async |workspace: &Workspace| {
        let all = service(workspace).candidates().await.ok()?;
        Some(all.into_iter().flat_map(named).collect())
    };
    candidates(current, &find(S::NOUN, list).unwrap_or_default())
}

/// Names that are found in the workspace; `what` tells them from others in the cache.
pub(crate) fn live_names(
    current: &OsStr,
    what: &str,
    list: impl AsyncFnOnce(&Workspace) -> Option<Vec<String>>,
) -> Vec<CompletionCandidate> {
    let candidate = |value| Candidate { value, id: None, help: String::new() };
    let list =
        async |workspace: &Workspace| Some(list(workspace).await?.into_iter().map(candidate).collect());
    candidates(current, &find(what, list).unwrap_or_default())
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
        // Completion works without a cache.
        let _ = write(&path, &found);
    }
    Some(found)
}

/// The value of an option on the command line that is being completed.
fn given(long: &str, short: &str) -> Option<String> {
    let words = words();
    let inline = words.iter().find_map(|w| w.strip_prefix(long)?.strip_prefix('=').map(str::to_owned));
    inline.or_else(|| {
        words.windows(2).find(|pair| pair[0] == long || pair[0] == short).map(|pair| pair[1].clone())
    })
}

fn cache_file(host: &str, what: &str) -> Option<PathBuf> {
    let folder = choose_native_strategy().ok()?.cache_dir();
    Some(folder.join("brickwire").join(file_name(host, what)))
}

/// A file name for a kind of resource in a workspace. No two hosts share one.
fn file_name(host: &str, what: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'-' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    let encoded = |text: &str| text.bytes().map(encoded).collect::<String>();
    format!("{}@{}.json", encoded(what), encoded(host))
}

/// Writes the cache, for its owner only. A link of that name is replaced and not followed.
fn write(path: &Path, found: &Found) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    // Created with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(found)?)?;
    file.persist(path)?;
    Ok(())
}

fn read_fresh(path: &PathBuf) -> Option<Found> {
    let known = fs::symlink_metadata(path).ok()?;
    let age = SystemTime::now().duration_since(known.modified().ok()?).ok()?;
    // A link may lead anywhere, and a pipe may block.
    if known.is_file() && known.len() < LARGEST && age < FRESH {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    } else {
        None
    }
}

fn candidates(current: &OsStr, found: &Found) -> Vec<CompletionCandidate> {
    let start = current.to_string_lossy();
    let mut count: HashMap<&str, u32> = HashMap::new();
    found.iter().for_each(|candidate| *count.entry(&candidate.value).or_default() += 1);
    let mut shown = Vec::new();
    for candidate in found {
        let (value, id) = (candidate.value.as_str(), candidate.id.as_deref());
        // A name that several have stands for none of them, so their ids are offered instead.
        let value = if count[value] > 1 { id.unwrap_or(value) } else { value };
        if !value.is_empty() && !value.contains(is_control) && candidate.value.starts_with(start.as_ref()) {
            let help = escaped_line(&candidate.help).into_owned();
            shown.push(
                CompletionCandidate::new(value).help(Some(help.into())).id(Some(format!("value {value}"))),
            );
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(resources: &[(&str, &str)]) -> Found {
        let named = |(id, name): &(&str, &str)| {
            named(actions::Candidate::new(Some((*id).to_owned()), Some((*name).to_owned()), Some("RUNNING")))
        };
        resources.iter().flat_map(named).collect()
    }

    fn values(current: &str, found: &Found) -> Vec<String> {
        let all = candidates(current.as_ref(), found);
        all.iter().map(|candidate| candidate.get_value().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn hosts_share_no_cache() {
        let hosts = ["https://a.b.c", "https://a-b.c", "https://a.b-c", "http://a.b.c", "https://a.b.c:443"];
        let names: std::collections::HashSet<_> =
            hosts.iter().map(|host| file_name(host, "cluster")).collect();
        assert_eq!(names.len(), hosts.len(), "{names:?}");
        assert!(names.iter().all(|name| !name.contains(['/', ':'])), "{names:?}");
        assert_eq!(file_name("a", "tables in x/../@b"), "tables%20in%20x%2F..%2F%40b@a.json");
    }

    #[cfg(unix)]
    #[test]
    fn the_cache_is_private_and_follows_no_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (other, path) = (folder.path().join("other"), folder.path().join("new/cache.json"));
        let found = found(&[("1", "etl")]);
        write(&path, &found).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(values("et", &read_fresh(&path).unwrap()), ["etl"]);
        fs::rename(&path, &other).unwrap();
        symlink(&other, &path).unwrap();
        assert!(read_fresh(&path).is_none());
        fs::write(&other, "theirs").unwrap();
        write(&path, &found).unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "theirs");
        assert!(read_fresh(&path).is_some());
    }

    #[test]
    fn a_shared_name_completes_to_ids() {
        let found = found(&[("1", "etl"), ("2", "etl"), ("3", "etl-x")]);
        assert_eq!(values("et", &found), ["1", "2", "etl-x"]);
        assert_eq!(values("2", &found), ["2"]);
    }

    #[test]
    fn a_description_is_one_line_without_control_characters() {
        let found = found(&[("1", "a\n$(x)\u{202e}")]);
        let all = candidates("1".as_ref(), &found);
        assert_eq!(all.len(), 1);
        assert!(values("a", &found).is_empty());
        assert_eq!(all[0].get_help().unwrap().to_string(), "a\\n$(x)\\u202e RUNNING");
    }
}
