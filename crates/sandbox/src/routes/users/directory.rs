//! Users, groups and service principals: one directory, since any of them may be a member of a group.
//!
//! Chosen without a source that says what the service does: the status of an unknown member (404) and of a change that is
//! forbidden (403), and the words of errors.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{change, filter::Filter, kind::Kind, seed};
use crate::{
    call::{Call, Routes},
    error::ApiError,
    fault::kind::Paging,
    lock::lock,
    tenant::{ServiceState, Tenant},
};

const MOST_ENTRIES: usize = 10_000;
/// Entries per page, when the request doesn't say.
const MOST_IN_PAGE: usize = 10_000;

#[derive(Serialize, Deserialize)]
struct Entry {
    kind: Kind,
    fields: Map<String, Value>,
}

impl Entry {
    fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn members(&self) -> impl Iterator<Item = &str> {
        let members = self.fields.get("members").and_then(Value::as_array);
        members.into_iter().flatten().filter_map(|member| member["value"].as_str())
    }

    /// Where another entry refers to it.
    fn reference(&self) -> Value {
        json!({
            "display": self.text("displayName"),
            "type": "direct",
            "value": self.text("id"),
            "$ref": format!("{}/{}", self.kind.path(), self.text("id")),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(in crate::routes) struct Directory(Vec<Entry>);

impl ServiceState for Mutex<Directory> {
    fn fresh(tenant: &Tenant) -> Self {
        let seeds = seed::entries(tenant).into_iter().map(|(kind, fields)| Entry { kind, fields });
        Mutex::new(Directory(seeds.collect()))
    }
}

/// The directory of the caller's workspace, with the client that signs in to it.
pub(in crate::routes) fn directory(call: &Call) -> Arc<Mutex<Directory>> {
    let directory: Arc<Mutex<Directory>> = call.tenant.state();
    if let Some(client) = call.server.directory.client_of(&call.tenant) {
        lock(&directory).add_client(&client, &call.tenant);
    }
    directory
}

impl Directory {
    /// Adds the client that signs in, unless it is here. It may do what the owner may.
    fn add_client(&mut self, client_id: &str, tenant: &Tenant) {
        let (id, fields) = seed::client(client_id, tenant);
        if self.place(Kind::ServicePrincipals, &id).is_ok() {
            return;
        }
        self.0.push(Entry { kind: Kind::ServicePrincipals, fields });
        for group in self.0.iter_mut().filter(|entry| seed::BUILT_IN.contains(&entry.text("displayName"))) {
            if let Some(members) = group.fields.get_mut("members").and_then(Value::as_array_mut) {
                members.push(json!({ "value": id }));
            }
        }
    }

    /// Whether there is a user or a group of this name, or a service principal with this application id.
    pub(in crate::routes) fn knows(&self, kind: Kind, name: &str) -> bool {
        self.0.iter().any(|entry| entry.kind == kind && entry.text(kind.unique()).eq_ignore_ascii_case(name))
    }

    fn place(&self, kind: Kind, id: &str) -> Result<usize, ApiError> {
        let found = self.0.iter().position(|entry| entry.kind == kind && entry.text("id") == id);
        found.ok_or_else(|| {
            ApiError::new(StatusCode::NOT_FOUND, "", format!("{} with id {id} not found.", kind.name()))
        })
    }

    /// An entry with its schemas, and the groups that it is in.
    pub(super) fn shown(&self, kind: Kind, id: &str) -> Result<Map<String, Value>, ApiError> {
        let entry = &self.0[self.place(kind, id)?];
        let mut shown = entry.fields.clone();
        let groups = self.0.iter().filter(|group| group.members().any(|member| member == id));
        let groups: Vec<Value> = groups.map(Entry::reference).collect();
        let members = self.0.iter().filter(|other| entry.members().any(|member| member == other.text("id")));
        let members: Vec<Value> = members.map(Entry::reference).collect();
        shown.insert("schemas".to_owned(), json!(kind.schemas()));
        for (name, list) in [("groups", groups), ("members", members)] {
            shown.remove(name);
            if !list.is_empty() {
                shown.insert(name.to_owned(), Value::Array(list));
            }
        }
        Ok(shown)
    }

    /// Refuses a value that is taken, and a member that isn't there.
    fn check(&self, entry: &Entry) -> Result<(), ApiError> {
        let (kind, name) = (entry.kind, entry.kind.unique());
        let same = |other: &&Entry| {
            other.kind == kind
                && other.text("id") != entry.text("id")
                && other.text(name).eq_ignore_ascii_case(entry.text(name))
        };
        if entry.text(name).is_empty() {
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "invalidValue",
                format!("{name} is required."),
            ));
        }
        if self.0.iter().find(same).is_some() {
            let text = format!("{} with {name} {} already exists.", kind.name(), entry.text(name));
            return Err(ApiError::new(StatusCode::CONFLICT, "uniqueness", text));
        }
        let is_missing = |id: &&str| self.0.iter().all(|other| other.text("id") != *id);
        match entry.members().find(is_missing) {
            Some(id) => {
                Err(ApiError::new(StatusCode::NOT_FOUND, "", format!("Member with id {id} not found.")))
            }
            None => Ok(()),
        }
    }
}

pub(in crate::routes) fn routes(kind: Kind) -> Routes {
    let all = format!("/api/2.0/preview/scim/v2/{}", kind.path());
    let one = get(move |Path(id): Path<String>, call: Call| async move { get_one(kind, &id, &call) })
        .patch(move |Path(id): Path<String>, call: Call| async move { patch(kind, &id, &call) })
        .delete(move |Path(id): Path<String>, call: Call| async move { delete(kind, &id, &call) });
    let many = get(move |call: Call| async move { list(kind, &call) })
        .post(move |call: Call| async move { create(kind, &call) });
    Router::new().route(&all, many).route(&format!("{all}/{{id}}"), one)
}

/// An answer in SCIM's own content type.
pub(super) fn scim(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/scim+json; charset=utf-8")], body.to_string()).into_response()
}

/// What the request asks for of an entry.
pub(super) fn projected(call: &Call, mut entry: Map<String, Value>) -> Map<String, Value> {
    let names = |list: &str| -> Vec<String> { list.split(',').map(|name| name.trim().to_owned()).collect() };
    if let Some(wanted) = call.query("attributes").filter(|list| !list.is_empty()) {
        let wanted = names(wanted);
        entry.retain(|key, _| key == "id" || key == "schemas" || wanted.contains(key));
    }
    if let Some(unwanted) = call.query("excludedAttributes") {
        let unwanted = names(unwanted);
        entry.retain(|key, _| key == "id" || !unwanted.contains(key));
    }
    entry
}

fn number(call: &Call, name: &str, default: usize) -> Result<usize, ApiError> {
    let wrong = |text: &str| {
        ApiError::new(StatusCode::BAD_REQUEST, "invalidValue", format!("{name} is not a number: {text}"))
    };
    call.query(name).map_or(Ok(default), |text| text.parse().map_err(|_| wrong(text)))
}

fn list(kind: Kind, call: &Call) -> Result<Response, ApiError> {
    let filter = call.query("filter").filter(|text| !text.is_empty()).map(Filter::parse).transpose()?;
    let (start, count) = (number(call, "startIndex", 1)?.max(1), number(call, "count", MOST_IN_PAGE)?);
    let directory = directory(call);
    let directory = lock(&directory);
    let ids = directory.0.iter().filter(|entry| entry.kind == kind).map(|entry| entry.text("id"));
    let all: Vec<_> = ids.map(|id| directory.shown(kind, id)).collect::<Result<_, _>>()?;
    let found: Vec<_> =
        all.into_iter().filter(|entry| filter.as_ref().is_none_or(|filter| filter.fits(entry))).collect();
    let total = found.len();
    let skipped = if matches!(call.paging, Some(Paging::Repeat)) { 0 } else { start - 1 };
    let page = found.into_iter().skip(skipped).take(count.min(MOST_IN_PAGE));
    let page: Vec<Value> = page.map(|entry| Value::Object(projected(call, entry))).collect();
    let mut answer = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": page.len(),
    });
    if !page.is_empty() {
        answer["Resources"] = Value::Array(page);
    }
    Ok(scim(&answer))
}

fn get_one(kind: Kind, id: &str, call: &Call) -> Result<Response, ApiError> {
    let directory = directory(call);
    let shown = lock(&directory).shown(kind, id)?;
    Ok(scim(&Value::Object(projected(call, shown))))
}

fn create(kind: Kind, call: &Call) -> Result<Response, ApiError> {
    let mut fields = call.json()?;
    for name in ["schemas", "groups"] {
        fields.remove(name);
    }
    let id = 1_000_000_000_000_000 + u64::from_str_radix(&call.server.hex(12), 16).unwrap_or_default();
    fields.insert("id".to_owned(), json!(id.to_string()));
    let text =
        |fields: &Map<String, Value>, name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    match kind {
        Kind::Users => {
            let name = text(&fields, "userName").unwrap_or_default();
            fields.entry("displayName").or_insert_with(|| json!(name));
            fields
                .entry("emails")
                .or_insert_with(|| json!([{ "type": "work", "value": name, "primary": true }]));
            fields.entry("active").or_insert(json!(true));
        }
        Kind::Groups => {
            fields.insert("meta".to_owned(), json!({ "resourceType": "WorkspaceGroup" }));
        }
        Kind::ServicePrincipals => {
            let own = json!(call.server.uuid());
            let name = fields.entry("applicationId").or_insert(own).clone();
            fields.entry("displayName").or_insert(name);
            fields.entry("active").or_insert(json!(true));
        }
    }
    let entry = Entry { kind, fields };
    let directory = directory(call);
    let mut directory = lock(&directory);
    directory.check(&entry)?;
    if directory.0.len() >= MOST_ENTRIES {
        let text = format!("The directory has {MOST_ENTRIES} entries, and no more are possible.");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "tooMany", text));
    }
    directory.0.push(entry);
    let shown = scim(&Value::Object(directory.shown(kind, &id.to_string())?));
    Ok((StatusCode::CREATED, shown).into_response())
}

fn patch(kind: Kind, id: &str, call: &Call) -> Result<Response, ApiError> {
    let body = call.json()?;
    let directory = directory(call);
    let mut directory = lock(&directory);
    let place = directory.place(kind, id)?;
    let mut entry = Entry { kind, fields: directory.0[place].fields.clone() };
    change::apply(&mut entry.fields, &body)?;
    directory.check(&entry)?;
    directory.0[place] = entry;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn delete(kind: Kind, id: &str, call: &Call) -> Result<Response, ApiError> {
    let directory = directory(call);
    let mut directory = lock(&directory);
    let place = directory.place(kind, id)?;
    let is_built_in =
        kind == Kind::Groups && seed::BUILT_IN.contains(&directory.0[place].text("displayName"));
    // The owner, and the client that signs in.
    let is_caller =
        [seed::user_id(&call.tenant), seed::client_id(&call.tenant)].iter().any(|own| id == own.to_string());
    if is_built_in || is_caller {
        let text = format!("{} {id} can't be deleted.", kind.name());
        return Err(ApiError::new(StatusCode::FORBIDDEN, "", text));
    }
    directory.0.remove(place);
    for entry in &mut directory.0 {
        if let Some(members) = entry.fields.get_mut("members").and_then(Value::as_array_mut) {
            members.retain(|member| member["value"] != id);
        }
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
