//! Clusters: their life from PENDING to TERMINATED, under 2.1 and the older 2.0 names.

use std::time::Duration;

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

pub(super) mod catalogue;
mod check;
mod events;
pub(super) mod life;
mod request;
pub(crate) mod seed;

use life::{Clusters, Moment};
use request::{clusters, moment};

use super::contexts::Contexts;
use crate::{
    call::{Answer, Call, Routes, done, required_text},
    clock::id_date,
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
            .route(&path("update"), post(update))
            .route(&path("resize"), post(resize))
            .route(&path("pin"), post(pin))
            .route(&path("unpin"), post(unpin))
            .route(&path("events"), post(events::list))
            .route(&path("list-zones"), get(catalogue::zones))
            .route(&path("list-node-types"), get(catalogue::node_types))
            .route(&path("spark-versions"), get(catalogue::spark_versions));
    }
    router
}

fn shown_clusters(call: &Call) -> Vec<Value> {
    let (all, contexts) = (clusters(call), call.tenant.state::<Contexts>());
    let mut all = lock(&all);
    let (shown, stopped) = all.list(call.now_ms());
    // Under the lock, so that no cluster starts again and gets new contexts in between.
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
    let (all, contexts) = (clusters(&call), call.tenant.state::<Contexts>());
    let mut all = lock(&all);
    let (shown, stopped) = all.show(id, call.now_ms())?;
    if stopped {
        contexts.close_cluster(id);
    }
    Ok(Json(shown))
}

async fn create(call: Call) -> Answer {
    let id = format!("{}-{}", id_date(call.now_ms()), call.server.hex(8));
    let mut spec = call.json()?;
    if !lock(&clusters(&call)).knows_token(&spec) {
        check::check(&call, &mut spec)?;
    }
    let id = lock(&clusters(&call)).create(&id, &spec, moment(&call))?;
    Ok(Json(json!({ "cluster_id": id })))
}

/// Changes the cluster that the body names, and ends its contexts.
fn change(
    call: &Call,
    change: impl FnOnce(&mut Clusters, &str, &Map<String, Value>, Moment) -> Result<(), ApiError>,
) -> Answer {
    let body = call.json()?;
    let id = required_text(&body, "cluster_id")?;
    let (all, contexts) = (clusters(call), call.tenant.state::<Contexts>());
    let mut all = lock(&all);
    change(&mut all, id, &body, moment(call))?;
    contexts.close_cluster(id);
    done()
}

async fn edit(call: Call) -> Answer {
    let mut spec = call.json()?;
    lock(&clusters(&call)).show(required_text(&spec, "cluster_id")?, call.now_ms())?;
    check::check(&call, &mut spec)?;
    change(&call, |clusters, id, _, at| clusters.edit(id, &spec, at))
}

async fn update(call: Call) -> Answer {
    let body = call.json()?;
    let id = required_text(&body, "cluster_id")?;
    let mut spec = lock(&clusters(&call)).changed(id, &body)?;
    check::check(&call, &mut spec)?;
    change(&call, |clusters, id, _, at| clusters.edit(id, &spec, at))
}

/// As [`change`], for what a cluster's contexts survive.
fn adjust(
    call: &Call,
    change: impl FnOnce(&mut Clusters, &str, &Map<String, Value>) -> Result<(), ApiError>,
) -> Answer {
    let body = call.json()?;
    change(&mut lock(&clusters(call)), required_text(&body, "cluster_id")?, &body)?;
    done()
}

async fn resize(call: Call) -> Answer {
    adjust(&call, |clusters, id, body| clusters.resize(id, body, moment(&call)))
}

async fn pin(call: Call) -> Answer {
    adjust(&call, |clusters, id, _| clusters.pin(id, true, call.now_ms()))
}

async fn unpin(call: Call) -> Answer {
    adjust(&call, |clusters, id, _| clusters.pin(id, false, call.now_ms()))
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
