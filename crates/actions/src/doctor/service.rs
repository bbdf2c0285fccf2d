//! Checks the token, its user, and whether there are a warehouse and a cluster to work with.

use std::time::Duration;

use brickwire_client::types::{ClusterDetails, ClustersListQuery};

use super::check::{Check, Outcome};
use crate::{Connection, Error, ErrorKind, Result, RetryPolicy, Setting, Workspace};

/// The time limit of each check.
const LIMIT: Duration = Duration::from_secs(30);
/// The time limit for the attempts and waits of one request.
const BUDGET: Duration = Duration::from_secs(15);
/// A token that expires sooner gets a warning.
const SOON: Duration = Duration::from_secs(60);

pub(super) fn workspace(connection: Connection, product: Option<&(String, String)>) -> Option<Workspace> {
    let builder =
        Workspace::builder().connection(connection).with_retry(RetryPolicy::Safe { budget: BUDGET });
    match product {
        Some((name, version)) => builder.with_product(name, version),
        None => builder,
    }
    .build()
    .ok()
}

async fn within<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(LIMIT, work).await.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::DeadlineExceeded, format!("no answer within {} s", LIMIT.as_secs())))
    })
}

pub(super) async fn token(workspace: &Workspace, kind: Option<&str>) -> Check {
    const NAME: &str = "token";
    let token = match within(workspace.access_token()).await {
        Ok(token) => token,
        Err(error) => return Check::fault(NAME, &error),
    };
    let mut detail = kind.unwrap_or("a token").to_owned();
    match token.expires_in {
        Some(left) if left.is_zero() => {
            return Check::warning(NAME, format!("{detail}, expired")).with_hint("get a new token");
        }
        Some(left) => detail.push_str(&format!(", valid for another {}", rough(left))),
        None => detail.push_str(", expiry unknown"),
    }
    if let Some(scopes) = token.scopes {
        detail.push_str(&format!(", scopes: {}", scopes.join(" ")));
    }
    match token.expires_in {
        Some(left) if left < SOON => Check::warning(NAME, detail),
        _ => Check::ok(NAME, detail),
    }
}

fn rough(left: Duration) -> String {
    match left.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

pub(super) async fn identity(workspace: &Workspace) -> Check {
    const NAME: &str = "identity";
    if workspace.host().is_account_console() {
        return Check::skipped(NAME, "an account console doesn't know the users of workspaces");
    }
    match within(workspace.users().me()).await {
        Ok(me) => {
            let (name, id) = (me.user_name.as_deref().unwrap_or("a user without a name"), me.id.as_deref());
            Check::ok(NAME, id.map_or(name.to_owned(), |id| format!("{name} (id {id})")))
        }
        Err(error) => Check::fault(NAME, &error),
    }
}

pub(super) async fn warehouse(workspace: &Workspace, chosen: Option<&Setting>) -> Check {
    const NAME: &str = "warehouse";
    if workspace.host().is_account_console() {
        return Check::skipped(NAME, NONE_THERE);
    }
    if let Some(chosen) = chosen {
        let found = within(workspace.warehouses().get(chosen.shown())).await;
        return one(
            NAME,
            chosen,
            found.map(|w| shown(w.name.as_ref(), w.state.as_ref().map(|s| s.as_str()))),
        );
    }
    let all = within(workspace.warehouses().list()).await.map(|all| {
        let first = all.iter().take(3);
        let first = first.map(|w| shown(w.name.as_ref(), w.state.as_ref().map(|s| s.as_str()))).collect();
        (all.len().to_string(), first)
    });
    several(NAME, all)
}

pub(super) async fn cluster(workspace: &Workspace, chosen: Option<&Setting>) -> Check {
    const NAME: &str = "cluster";
    if workspace.host().is_account_console() {
        return Check::skipped(NAME, NONE_THERE);
    }
    let shown = |c: &ClusterDetails| shown(c.cluster_name.as_ref(), c.state.as_ref().map(|s| s.as_str()));
    if let Some(chosen) = chosen {
        let found = within(workspace.clusters().get(chosen.shown())).await;
        return one(NAME, chosen, found.map(|cluster| shown(&cluster)));
    }
    // Some workspaces have thousands of clusters, and one page shows whether there are any.
    let query = ClustersListQuery { page_size: Some(20), ..Default::default() };
    let page = within(workspace.client().clusters_list(&query)).await.map(|page| {
        let page = page.into_inner();
        let more = page.next_page_token.is_some_and(|t| !t.is_empty());
        let all = page.clusters.unwrap_or_default();
        let count = if more { format!("more than {}", all.len()) } else { all.len().to_string() };
        (count, all.iter().take(3).map(shown).collect())
    });
    several(NAME, page)
}

const NONE_THERE: &str = "an account console has none";

/// A name and a state for display; a missing name is empty.
fn shown(name: Option<&String>, state: Option<&str>) -> (String, String) {
    (name.cloned().unwrap_or_default(), state.unwrap_or("in an unknown state").to_owned())
}

/// The check of the one that is configured.
fn one(name: &'static str, chosen: &Setting, found: Result<(String, String)>) -> Check {
    match found {
        Ok((title, state)) => {
            Check::ok(name, format!("{title} is {state}: {} ({})", chosen.shown(), chosen.source()))
        }
        Err(error) => lenient(name, &error),
    }
}

/// The check of all that are visible: how many, and the first of them.
fn several(name: &'static str, found: Result<(String, Vec<(String, String)>)>) -> Check {
    match found {
        Ok((_, first)) if first.is_empty() => Check::warning(name, format!("no {name} is visible"))
            .with_hint(format!("ask for the permission to use a {name}, or create one")),
        Ok((count, first)) => {
            let first: Vec<_> = first.iter().map(|(title, state)| format!("{title} ({state})")).collect();
            Check::ok(name, format!("{count} visible: {}", first.join(", ")))
        }
        Err(error) => lenient(name, &error),
    }
}

/// A missing permission is only a warning, because not every user needs both warehouses and clusters.
fn lenient(name: &'static str, error: &Error) -> Check {
    let check = Check::fault(name, error);
    match error.kind() {
        ErrorKind::PermissionDenied => Check { error_kind: None, outcome: Outcome::Warning, ..check },
        _ => check,
    }
}
