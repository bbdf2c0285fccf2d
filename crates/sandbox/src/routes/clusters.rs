//! Clusters: their life from PENDING to TERMINATED, under 2.1 and the older 2.0 names.

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::page::page;
use super::{Answer, done};
use crate::call::{Call, required_text};
use crate::clock::millis;
use crate::error::ApiError;
use crate::state::lock;

mod catalogue;
mod life;

pub(crate) use life::Clusters;
use life::State;

pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let mut router = Router::new();
    for version in ["2.0", "2.1"] {
        let path = |name: &str| format!("/api/{version}/clusters/{name}");
        let list = if version == "2.0" { get(list_all) } else { get(list_page) };
        router = router
            .route(&path("list"), list)
            .route(&path("get"), get(get_one))
            .route(&path("create"), post(create))
            .route(&path("edit"), post(edit))
            .route(&path("start"), post(start))
            .route(&path("restart"), post(restart))
            .route(&path("delete"), post(terminate))
            .route(&path("permanent-delete"), post(forget))
            .route(&path("events"), post(events))
            .route(&path("list-node-types"), get(catalogue::node_types))
            .route(&path("spark-versions"), get(catalogue::spark_versions));
    }
    router
}

fn shown_clusters(call: &Call) -> Vec<Value> {
    let now_ms = call.now_ms();
    let (shown, left) = lock(&call.tenant.clusters).list(now_ms);
    left.iter().for_each(|id| call.tenant.contexts.close_cluster(id));
    shown
}

async fn list_all(call: Call) -> Answer {
    Ok(Json(json!({ "clusters": shown_clusters(&call) })))
}

async fn list_page(call: Call) -> Answer {
    let mut clusters = shown_clusters(&call);
    let mut filter = String::new();
    for (name, key) in [
        ("filter_by.cluster_states", "state"),
        ("filter_by.cluster_sources", "cluster_source"),
        ("filter_by.policy_id", "policy_id"),
    ] {
        let wanted = call.query_list(name);
        if !wanted.is_empty() {
            clusters.retain(|cluster| {
                cluster.get(key).and_then(Value::as_str).is_some_and(|is| wanted.contains(&is))
            });
            filter.push_str(&format!("{name}={wanted:?};"));
        }
    }
    if call.query("filter_by.is_pinned") == Some("true") {
        clusters.retain(|cluster| cluster.get("pinned_by_user_name").is_some());
        filter.push_str("pinned;");
    }
    if call.query("sort_by.field") == Some("CLUSTER_NAME") {
        clusters.sort_by_key(|cluster| cluster["cluster_name"].as_str().unwrap_or_default().to_owned());
        filter.push_str("by name;");
    }
    if call.query("sort_by.direction") == Some("DESC") {
        clusters.reverse();
        filter.push_str("reversed;");
    }
    let (clusters, next) = page(&call, clusters, &filter, 100)?;
    let mut answer = json!({ "clusters": clusters, "prev_page_token": "" });
    answer["next_page_token"] = json!(next.unwrap_or_default());
    Ok(Json(answer))
}

async fn get_one(call: Call) -> Answer {
    let id = call.required_query("cluster_id")?;
    let (shown, left) = lock(&call.tenant.clusters).show(id, call.now_ms())?;
    if left {
        call.tenant.contexts.close_cluster(id);
    }
    Ok(Json(shown))
}

async fn create(call: Call) -> Answer {
    let digits = call.server.hex(10);
    let id = format!("{}-{}-{}", &digits[..4], &digits[4..], call.server.hex(8));
    let delay_ms = millis(call.server.options.delays.cluster);
    let id = lock(&call.tenant.clusters).create(&id, &call.json()?, call.now_ms(), delay_ms)?;
    Ok(Json(json!({ "cluster_id": id })))
}

async fn edit(call: Call) -> Answer {
    let body = call.json()?;
    let id = required_text(&body, "cluster_id")?;
    let delay_ms = millis(call.server.options.delays.cluster);
    lock(&call.tenant.clusters).edit(id, &body, call.now_ms(), delay_ms)?;
    call.tenant.contexts.close_cluster(id);
    done()
}

async fn start(call: Call) -> Answer {
    let body = call.json()?;
    let id = required_text(&body, "cluster_id")?;
    let delay_ms = millis(call.server.options.delays.cluster);
    lock(&call.tenant.clusters).start(id, call.now_ms(), delay_ms)?;
    done()
}

async fn restart(call: Call) -> Answer {
    let body = call.json()?;
    let id = required_text(&body, "cluster_id")?;
    let delay_ms = millis(call.server.options.delays.cluster);
    lock(&call.tenant.clusters).restart(id, call.now_ms(), delay_ms)?;
    call.tenant.contexts.close_cluster(id);
    done()
}

async fn terminate(call: Call) -> Answer {
    let body = call.json()?;
    let id = required_text(&body, "cluster_id")?;
    let delay_ms = millis(call.server.options.delays.cluster);
    lock(&call.tenant.clusters).terminate(id, call.now_ms(), delay_ms)?;
    call.tenant.contexts.close_cluster(id);
    done()
}

async fn forget(call: Call) -> Answer {
    let body = call.json()?;
    let id = required_text(&body, "cluster_id")?;
    lock(&call.tenant.clusters).forget(id)?;
    call.tenant.contexts.close_cluster(id);
    done()
}

async fn events(call: Call) -> Answer {
    let body = call.json()?;
    let id = required_text(&body, "cluster_id")?;
    let mut events = lock(&call.tenant.clusters).events(id, call.now_ms())?;
    if body.get("order").and_then(Value::as_str) != Some("ASC") {
        events.reverse();
    }
    let number = |name: &str| body.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let (offset, limit) = (number("offset").unwrap_or(0), number("limit").unwrap_or(50).clamp(1, 500));
    let total = events.len();
    let page: Vec<Value> = events.into_iter().skip(offset).take(limit).collect();
    let mut answer = json!({ "events": page, "total_count": total });
    if offset + limit < total {
        // The complete next request, which is how this API pages.
        let mut next = body.clone();
        next.insert("offset".to_owned(), json!(offset + limit));
        next.insert("limit".to_owned(), json!(limit));
        answer["next_page"] = Value::Object(next);
    }
    Ok(Json(answer))
}

/// Whether a cluster can run commands, for the contexts. Says why not.
pub(super) fn require_running(call: &Call, id: &str) -> Result<(), ApiError> {
    match lock(&call.tenant.clusters).state(id, call.now_ms())? {
        State::Running => Ok(()),
        _ => Err(ApiError::invalid_state(format!("ClusterNotReadyException: cluster {id} is not running"))),
    }
}
