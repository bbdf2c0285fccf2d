//! Clusters: their life from PENDING to TERMINATED, under 2.1 and the older 2.0 names.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

mod catalogue;
pub(super) mod life;
pub(crate) mod seed;

use life::{Clusters, Moment};

use super::contexts::Contexts;
use crate::{
    call::{Answer, Call, Routes, done, required_text},
    clock::millis,
    error::ApiError,
    lock::lock,
    page::page,
};

/// How long a cluster is PENDING, RESTARTING and TERMINATING.
pub(super) const DELAY: Duration = Duration::from_millis(200);

pub(super) fn routes() -> Routes {
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

fn clusters(call: &Call) -> Arc<Mutex<Clusters>> {
    call.tenant.state()
}

fn moment(call: &Call) -> Moment {
    Moment { now_ms: call.now_ms(), delay_ms: millis(call.server.options.delays.cluster) }
}

fn shown_clusters(call: &Call) -> Vec<Value> {
    let (shown, stopped) = lock(&clusters(call)).list(call.now_ms());
    let contexts = call.tenant.state::<Contexts>();
    stopped.iter().for_each(|id| contexts.close_cluster(id));
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
    let (shown, stopped) = lock(&clusters(&call)).show(id, call.now_ms())?;
    if stopped {
        call.tenant.state::<Contexts>().close_cluster(id);
    }
    Ok(Json(shown))
}

async fn create(call: Call) -> Answer {
    let digits = call.server.hex(10);
    let id = format!("{}-{}-{}", &digits[..4], &digits[4..], call.server.hex(8));
    let id = lock(&clusters(&call)).create(&id, &call.json()?, moment(&call))?;
    Ok(Json(json!({ "cluster_id": id })))
}

/// Changes the cluster that the body names. Every change ends the cluster's contexts.
fn change(
    call: &Call,
    change: impl FnOnce(&mut Clusters, &str, &Map<String, Value>, Moment) -> Result<(), ApiError>,
) -> Answer {
    let body = call.json()?;
    let id = required_text(&body, "cluster_id")?;
    change(&mut lock(&clusters(call)), id, &body, moment(call))?;
    call.tenant.state::<Contexts>().close_cluster(id);
    done()
}

async fn edit(call: Call) -> Answer {
    change(&call, Clusters::edit)
}

async fn start(call: Call) -> Answer {
    change(&call, |clusters, id, _, at| clusters.start(id, at))
}

async fn restart(call: Call) -> Answer {
    change(&call, |clusters, id, _, at| clusters.restart(id, at))
}

async fn terminate(call: Call) -> Answer {
    change(&call, |clusters, id, _, at| clusters.terminate(id, at))
}

async fn forget(call: Call) -> Answer {
    change(&call, |clusters, id, _, _| clusters.forget(id))
}

async fn events(call: Call) -> Answer {
    let body = call.json()?;
    let id = required_text(&body, "cluster_id")?;
    let mut events = lock(&clusters(&call)).events(id, call.now_ms())?;
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
