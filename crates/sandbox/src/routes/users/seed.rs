//! The directory of a fresh workspace.

use serde_json::{Map, Value, json};

use super::kind::Kind;
use crate::tenant::{Tenant, USER_NAME};

/// The id of the workspace's owner.
pub(super) fn user_id(tenant: &Tenant) -> u64 {
    tenant.workspace_id / 7 // some number that is stable for a workspace
}

/// The id of the client that signs in to the workspace.
pub(super) fn client_id(tenant: &Tenant) -> u64 {
    user_id(tenant) + 1
}

/// The client that signs in to the workspace: its id and its entry.
pub(super) fn client(application_id: &str, tenant: &Tenant) -> (String, Map<String, Value>) {
    let id = client_id(tenant).to_string();
    let entry = json!({
        "id": id,
        "applicationId": application_id,
        "displayName": "sandbox-service-principal",
        "active": true,
        "entitlements": [{ "value": "workspace-access" }, { "value": "databricks-sql-access" }],
        "roles": [],
    });
    (id, entry.as_object().cloned().unwrap_or_default())
}

/// Groups that can't be deleted.
pub(super) const BUILT_IN: [&str; 2] = ["users", "admins"];

/// The entries, with their kinds. Members go by their ids.
pub(super) fn entries(tenant: &Tenant) -> Vec<(Kind, Map<String, Value>)> {
    let owner = user_id(tenant);
    let [ada, grace, robot] = [owner, owner + 2, owner + 3].map(|id| id.to_string());
    let user = |id: &str, name: &str, given: &str, external: &str| {
        json!({
            "userName": name,
            "displayName": format!("{given} Sandbox"),
            "name": { "givenName": given, "familyName": "Sandbox" },
            "emails": [{ "type": "work", "value": name, "primary": true }],
            "id": id,
            "externalId": external,
            "active": true,
            "entitlements": [{ "value": "workspace-access" }, { "value": "databricks-sql-access" }],
            "roles": [],
        })
    };
    let group = |id: u64, name: &str, members: &[&String]| {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        json!({ "id": id.to_string(), "displayName": name, "members": members,
            "meta": { "resourceType": "WorkspaceGroup" } })
    };
    let principal = json!({
        "id": robot,
        "applicationId": "5e3c9f1a-0b8d-4c6e-9a2f-7d1e8b4c0f63",
        "displayName": "nightly-deployment",
        "active": true,
        "entitlements": [{ "value": "workspace-access" }],
    });
    let entries = [
        (Kind::Users, user(&ada, USER_NAME, "Ada", "6fd2a1f0-9d3b-4c39-8a31-e3a4d3c0a001")),
        (
            Kind::Users,
            user(&grace, "grace.sandbox@example.com", "Grace", "6fd2a1f0-9d3b-4c39-8a31-e3a4d3c0a002"),
        ),
        (Kind::Groups, group(903_117_655_120_441, "users", &[&ada, &grace, &robot])),
        (Kind::Groups, group(903_117_655_120_442, "admins", &[&ada])),
        (Kind::Groups, group(903_117_655_120_443, "data-engineers", &[&grace, &robot])),
        (Kind::ServicePrincipals, principal),
    ];
    let entry = |(kind, value): (Kind, Value)| value.as_object().cloned().map(|entry| (kind, entry));
    entries.into_iter().filter_map(entry).collect()
}
