//! SCIM's changes: operations that add, replace and remove attributes or some of their values.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::filter::Filter;
use crate::error::ApiError;

/// Applies the operations of a request, in order.
pub(super) fn apply(entry: &mut Map<String, Value>, body: &Map<String, Value>) -> Result<(), ApiError> {
    let operations = body.get("Operations").and_then(Value::as_array).filter(|list| !list.is_empty());
    for operation in operations.ok_or_else(|| wrong("invalidSyntax", "Operations are required."))? {
        let name = operation["op"].as_str().unwrap_or_default().to_ascii_lowercase();
        let value = &operation["value"];
        match (name.as_str(), operation["path"].as_str()) {
            ("add" | "replace", Some(path)) => set(entry, path, value, name == "add"),
            ("add" | "replace", None) => {
                let fields =
                    value.as_object().ok_or_else(|| wrong("invalidValue", "value must be an object."))?;
                fields.iter().for_each(|(path, value)| set(entry, path, value, name == "add"));
            }
            ("remove", Some(path)) => remove(entry, path, value)?,
            ("remove", None) => return Err(wrong("noTarget", "path is required.")),
            _ => return Err(wrong("invalidSyntax", &format!("This is not an operation: {operation}"))),
        }
    }
    Ok(())
}

fn wrong(kind: &str, text: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, kind, text)
}

/// Sets an attribute; to one that holds several values, `adds` adds those that it doesn't have.
fn set(entry: &mut Map<String, Value>, path: &str, value: &Value, adds: bool) {
    if ["id", "schemas", "groups", "meta"].contains(&path) {
        return;
    }
    match (entry.get_mut(path), value) {
        (Some(Value::Array(known)), Value::Array(new)) if adds => {
            let missing = |new: &&Value| known.iter().all(|one| one["value"] != new["value"]);
            let missing: Vec<Value> = new.iter().filter(missing).cloned().collect();
            known.extend(missing);
        }
        _ => {
            entry.insert(path.to_owned(), value.clone());
        }
    }
}

/// Removes an attribute, or those of its values that a condition or a list names.
fn remove(entry: &mut Map<String, Value>, path: &str, value: &Value) -> Result<(), ApiError> {
    let (name, condition) = match path.split_once('[') {
        Some((name, condition)) => {
            let condition = condition.strip_suffix(']').ok_or_else(|| wrong("invalidPath", path))?;
            (name, Some(Filter::parse(condition)?))
        }
        None => (path, None),
    };
    let Some(known) = entry.get_mut(name) else { return Ok(()) };
    match (known, condition, value.as_array()) {
        (Value::Array(known), Some(condition), _) => {
            known.retain(|one| one.as_object().is_none_or(|one| !condition.fits(one)));
        }
        (Value::Array(known), None, Some(gone)) => {
            known.retain(|one| gone.iter().all(|gone| gone["value"] != one["value"]));
        }
        (Value::Array(known), None, None) => known.clear(),
        (other, ..) => *other = json!(null),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(operations: Value) -> Value {
        let mut entry = json!({ "displayName": "a", "members": [{ "value": "1" }, { "value": "2" }] });
        let body = json!({ "Operations": operations });
        apply(entry.as_object_mut().unwrap(), body.as_object().unwrap()).unwrap();
        entry
    }

    #[test]
    fn members_come_and_go() {
        let members = |operation: Value| applied(json!([operation]))["members"].clone();
        let of = |ids: &[&str]| json!(ids.iter().map(|id| json!({ "value": id })).collect::<Vec<_>>());
        let add = json!({ "op": "Add", "path": "members", "value": of(&["2", "3"]) });
        assert_eq!(members(add), of(&["1", "2", "3"]));
        assert_eq!(members(json!({ "op": "add", "value": { "members": of(&["3"]) } })), of(&["1", "2", "3"]));
        assert_eq!(members(json!({ "op": "replace", "path": "members", "value": of(&["3"]) })), of(&["3"]));
        assert_eq!(members(json!({ "op": "remove", "path": "members[value eq \"1\"]" })), of(&["2"]));
        assert_eq!(members(json!({ "op": "remove", "path": "members", "value": of(&["2"]) })), of(&["1"]));
        assert_eq!(members(json!({ "op": "remove", "path": "members" })), of(&[]));
        let renamed = applied(json!([{ "op": "replace", "path": "displayName", "value": "b" }]));
        assert_eq!(renamed["displayName"], "b");
    }
}
