//! What the service says: the token, who it belongs to, and whether there is something to work with.

use std::time::Duration;

use brickwire_client::types::ClustersListQuery;

use super::Check;
use crate::{Connection, Error, ErrorKind, Result, RetryPolicy, Setting, Workspace};

/// For each check.
const LIMIT: Duration = Duration::from_secs(30);
/// For the attempts and waits of one request.
const BUDGET: Duration = Duration::from_secs(15);
/// A token that ends sooner is worth a word.
const SOON: Duration = Duration::from_secs(60);

pub(super) fn workspace(connection: Connection, product: Option<&(String, String)>) -> Option<Workspace> {
    let builder = Workspace::builder(connection).with_retry(RetryPolicy::Safe { budget: BUDGET });
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
            return Check::warning(NAME, format!("{detail}, expired")).with_hint("get another one");
        }
        Some(left) => detail.push_str(&format!(", good for another {}", rough(left))),
        None => detail.push_str(", does not tell when it ends"),
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
        return Check::skipped(NAME, "an account console: the users of workspaces are not known there");
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
    let state = |state: Option<&str>| state.unwrap_or("in an unknown state").to_owned();
    if let Some(chosen) = chosen {
        let got = within(workspace.warehouses().get(chosen.shown())).await;
        let found = got.map(|w| {
            format!(
                "{} is {}",
                w.name.as_deref().unwrap_or_default(),
                state(w.state.as_ref().map(|s| s.as_str()))
            )
        });
        return one(NAME, chosen, found);
    }
    let all = within(workspace.warehouses().list()).await.map(|all| {
        let shown = |w: &brickwire_client::types::Warehouse| {
            format!(
                "{} ({})",
                w.name.as_deref().unwrap_or_default(),
                state(w.state.as_ref().map(|s| s.as_str()))
            )
        };
        (all.len().to_string(), all.iter().take(3).map(shown).collect())
    });
    several(NAME, all)
}

pub(super) async fn cluster(workspace: &Workspace, chosen: Option<&Setting>) -> Check {
    const NAME: &str = "cluster";
    if workspace.host().is_account_console() {
        return Check::skipped(NAME, NONE_THERE);
    }
    let state = |state: Option<&str>| state.unwrap_or("in an unknown state").to_owned();
    if let Some(chosen) = chosen {
        let got = within(workspace.clusters().get(chosen.shown())).await;
        let found = got.map(|c| {
            format!(
                "{} is {}",
                c.cluster_name.as_deref().unwrap_or_default(),
                state(c.state.as_ref().map(|s| s.as_str()))
            )
        });
        return one(NAME, chosen, found);
    }
    // One page is enough to see whether there is any: some workspaces have thousands.
    let query = ClustersListQuery { page_size: Some(20), ..Default::default() };
    let page = within(async { Ok(workspace.client().clusters_list(&query).await?) }).await.map(|page| {
        let page = page.into_inner();
        let more = page.next_page_token.is_some_and(|t| !t.is_empty());
        let all = page.clusters.unwrap_or_default();
        let shown = |c: &brickwire_client::types::ClusterDetails| {
            format!(
                "{} ({})",
                c.cluster_name.as_deref().unwrap_or_default(),
                state(c.state.as_ref().map(|s| s.as_str()))
            )
        };
        let count = if more { format!("more than {}", all.len()) } else { all.len().to_string() };
        (count, all.iter().take(3).map(shown).collect())
    });
    several(NAME, page)
}

const NONE_THERE: &str = "an account console has none";

/// The one that is configured.
fn one(name: &'static str, chosen: &Setting, found: Result<String>) -> Check {
    match found {
        Ok(found) => Check::ok(name, format!("{found}: {} ({})", chosen.shown(), chosen.source())),
        Err(error) => lenient(name, &error),
    }
}

/// How many are visible, and the first of them.
fn several(name: &'static str, found: Result<(String, Vec<String>)>) -> Check {
    match found {
        Ok((_, first)) if first.is_empty() => Check::warning(name, format!("no {name} is visible"))
            .with_hint(format!("ask for the permission to use a {name}, or make one")),
        Ok((count, first)) => Check::ok(name, format!("{count} visible: {}", first.join(", "))),
        Err(error) => lenient(name, &error),
    }
}

/// Not everyone needs warehouses and clusters both.
fn lenient(name: &'static str, error: &Error) -> Check {
    let check = Check::fault(name, error);
    match error.kind() {
        ErrorKind::PermissionDenied => Check { error_kind: None, outcome: super::Outcome::Warning, ..check },
        _ => check,
    }
}
