//! Git folders. There is no network: each has a fixed commit id for each branch or tag, and a file that says so.
//!
//! Chosen without a source: `/Repos/USER/NAME` without a path, the branch `main` after a clone, and that every branch and
//! tag exists.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::workspace::{
    object::{Kind, Object},
    tree::{Objects, normal},
};
use crate::{
    call::{Answer, Call, Routes, done, required_text},
    error::ApiError,
    page::page,
    secrets::hex,
    tenant::USER_NAME,
};

const PROVIDERS: [&str; 8] = [
    "awsCodeCommit",
    "azureDevOpsServices",
    "bitbucketCloud",
    "bitbucketServer",
    "gitHub",
    "gitHubEnterprise",
    "gitLab",
    "gitLabEnterpriseEdition",
];

pub(super) fn routes() -> Routes {
    Router::new()
        .route("/api/2.0/repos", get(list).post(create))
        .route("/api/2.0/repos/{id}", get(get_one).patch(update).delete(delete))
}

fn shown(path: &str, object: &Object) -> Value {
    let mut shown = object.repo.clone();
    shown.insert("id".to_owned(), json!(object.id));
    shown.insert("path".to_owned(), json!(path));
    Value::Object(shown)
}

/// The commit that a branch or a tag of a repository stands for.
fn commit(url: &str, name: &str) -> String {
    let mut digits = hex(&Sha256::digest(format!("{url} {name}")));
    digits.truncate(40);
    digits
}

fn no_repo(id: &str) -> ApiError {
    ApiError::not_found(format!("Repo {id} does not exist."))
}

async fn list(mut call: Call) -> Answer {
    let prefix = call.query("path_prefix").unwrap_or_default().to_owned();
    let wanted = match prefix.as_str() {
        "" | "/" | "/Workspace" => "/Repos/".to_owned(),
        prefix => normal(prefix)?,
    };
    let all = {
        let objects = call.tenant.state::<Objects>();
        let known = objects.lock();
        let repos = known.repos().filter(|(path, _)| path.starts_with(&wanted));
        repos.map(|(path, object)| shown(path, object)).collect()
    };
    // This service asks for a page by the name of the answer's field.
    if let Some(token) = call.query("next_page_token").map(str::to_owned) {
        let mut query = call.query.to_vec();
        query.push(("page_token".to_owned(), token));
        call.query = query.into();
    }
    let (repos, next) = page(&call, all, &format!("repos {prefix}"), 100)?;
    let mut answer = json!({});
    if !repos.is_empty() {
        answer["repos"] = json!(repos);
    }
    if let Some(next) = next {
        answer["next_page_token"] = json!(next);
    }
    Ok(Json(answer))
}

async fn create(call: Call) -> Answer {
    let body = call.json()?;
    let (url, provider) = (required_text(&body, "url")?, required_text(&body, "provider")?);
    let Some(provider) = PROVIDERS.iter().find(|known| known.eq_ignore_ascii_case(provider)) else {
        return Err(ApiError::invalid(format!("Unknown Git provider: {provider}")));
    };
    let name = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default().trim_end_matches(".git");
    let path = match body.get("path").and_then(Value::as_str) {
        Some(path) if !path.is_empty() => normal(path)?,
        _ => format!("/Repos/{USER_NAME}/{name}"),
    };
    if path.starts_with("/Repos/") && path.split('/').count() != 4 {
        return Err(ApiError::invalid(format!("{path} is not of the form /Repos/FOLDER/NAME")));
    }
    let mut repo = Map::new();
    for (name, value) in [
        ("url", json!(url)),
        ("provider", json!(provider)),
        ("branch", json!("main")),
        ("head_commit_id", json!(commit(url, "main"))),
    ] {
        repo.insert(name.to_owned(), value);
    }
    if let Some(folders) = body.get("sparse_checkout") {
        repo.insert("sparse_checkout".to_owned(), folders.clone());
    }
    let folder = Object { kind: Kind::Repo, repo, ..Object::folder(call.server.new_id(), call.now_ms()) };
    let text = format!("The sandbox has no network, so this is all that it has of {url}.\n");
    let file = Object {
        kind: Kind::File,
        content: text.into(),
        ..Object::folder(call.server.new_id(), call.now_ms())
    };
    let answer = shown(&path, &folder);
    let objects = call.tenant.state::<Objects>();
    let mut known = objects.lock();
    known.put(&path, folder, false)?;
    known.put(&format!("{path}/README.md"), file, false)?;
    Ok(Json(answer))
}

async fn get_one(Path(id): Path<String>, call: Call) -> Answer {
    let objects = call.tenant.state::<Objects>();
    let known = objects.lock();
    let found = known.repos().find(|(_, object)| object.id.to_string() == id);
    found.map(|(path, object)| Json(shown(path, object))).ok_or_else(|| no_repo(&id))
}

async fn update(Path(id): Path<String>, call: Call) -> Answer {
    let body = call.json()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (branch, tag) = (text("branch"), text("tag"));
    let objects = call.tenant.state::<Objects>();
    let mut known = objects.lock();
    let repo = id.parse().ok().and_then(|id| known.repo_mut(id)).ok_or_else(|| no_repo(&id))?;
    let name = match (branch, tag) {
        (Some(branch), None) => Some(branch),
        (None, Some(tag)) => Some(tag),
        (None, None) if body.contains_key("sparse_checkout") => None,
        _ => return Err(ApiError::invalid("Exactly one of branch and tag must be given")),
    };
    if let Some(name) = name {
        let url = repo.repo.get("url").and_then(Value::as_str).unwrap_or_default();
        let head = commit(url, name);
        repo.repo.insert("head_commit_id".to_owned(), json!(head));
        match branch {
            Some(branch) => drop(repo.repo.insert("branch".to_owned(), json!(branch))),
            None => drop(repo.repo.remove("branch")),
        }
    }
    if let Some(folders) = body.get("sparse_checkout") {
        if !repo.repo.contains_key("sparse_checkout") {
            let message = "Sparse checkout can't be turned on after the clone";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE", message));
        }
        repo.repo.insert("sparse_checkout".to_owned(), folders.clone());
    }
    done()
}

async fn delete(Path(id): Path<String>, call: Call) -> Answer {
    let objects = call.tenant.state::<Objects>();
    let mut known = objects.lock();
    let found =
        known.repos().find(|(_, object)| object.id.to_string() == id).map(|(path, _)| path.to_owned());
    known.delete(&found.ok_or_else(|| no_repo(&id))?, true)?;
    done()
}
