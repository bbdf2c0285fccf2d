//! `-o name` for one result: the id by which other commands find it.

use std::io;

use crate::failure::Failure;

/// The fields that identify a resource, the most specific first: a run names its job, too, and an object of Unity Catalog
/// has a full name.
const IDS: [&str; 16] = [
    "command_id",
    "statement_id",
    "update_id",
    "run_id",
    "context_id",
    "full_name",
    "user",
    "cluster_id",
    "policy_id",
    "instance_pool_id",
    "pipeline_id",
    "job_id",
    "id",
    "path",
    "name",
    "key",
];

/// Fields of resources that commands find by their name, although they have an ID.
const OF_NAMED: [&str; 2] = ["config", "pending_config"];

/// The ID in the fields of a result. The result is there by now, so it is no wrong command line if it has none.
pub(super) fn of_record(fields: &[(String, String)]) -> Result<String, Failure> {
    let value = |name: &str| fields.iter().find(|(field, value)| field == name && !value.is_empty());
    let is_named = OF_NAMED.iter().any(|name| value(name).is_some());
    let name = value("name").filter(|_| is_named);
    match name.or_else(|| IDS.iter().find_map(|id| value(id))) {
        Some((_, id)) => Ok(id.clone()),
        None => Err(Failure::from(io::Error::other("-o name: the result has no id"))
            .with_hint("print it as JSON: -o json")),
    }
}
