//! The settings of a job: checked, filled in with defaults as the service shows them, and merged.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::error::ApiError;

type Object = Map<String, Value>;

/// Lists whose items have a key, by which an update merges them.
const KEYED: [(&str, &str); 4] = [
    ("tasks", "task_key"),
    ("job_clusters", "job_cluster_key"),
    ("parameters", "name"),
    ("environments", "environment_key"),
];

/// The text of a member, or nothing.
pub(super) fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list, or none.
pub(super) fn items<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// An id, which clients send as a number or as text.
pub(super) fn id(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}

/// What kind of task it is: `notebook_task`.
pub(super) fn kind(task: &Value) -> Option<&str> {
    task.as_object()?.keys().map(String::as_str).find(|name| name.ends_with("_task"))
}

/// The settings of a new job, or those of a job that is reset.
pub(super) fn of_job(mut body: Object) -> Result<Value, ApiError> {
    for unshown in ["access_control_list", "apply_policy_default_values"] {
        body.remove(unshown);
    }
    for (name, default) in [
        ("name", json!("Untitled")),
        ("email_notifications", json!({})),
        ("webhook_notifications", json!({})),
        ("timeout_seconds", json!(0)),
        ("max_concurrent_runs", json!(1)),
    ] {
        body.entry(name).or_insert(default);
    }
    body.insert("format".to_owned(), json!("MULTI_TASK"));
    let mut settings = Value::Object(body);
    numbers_from_text(&mut settings);
    check(&mut settings)?;
    Ok(settings)
}

/// Some clients send numbers as text, which the service takes and shows as numbers.
fn numbers_from_text(settings: &mut Value) {
    const NUMBERS: [&str; 4] =
        ["timeout_seconds", "max_concurrent_runs", "max_retries", "min_retry_interval_millis"];
    for name in NUMBERS {
        if let Some(number) = id(settings.get(name)) {
            settings[name] = json!(number);
        }
    }
    if let Some(Value::Array(tasks)) = settings.get_mut("tasks") {
        tasks.iter_mut().filter(|task| task.is_object()).for_each(numbers_from_text);
    }
}

/// Replaces the members that are given, and merges lists by their keys.
pub(super) fn update(settings: &Value, new: &Object, removed: &[String]) -> Result<Value, ApiError> {
    let mut merged = settings.as_object().cloned().unwrap_or_default();
    for name in removed {
        match name.split_once('/') {
            None => drop(merged.remove(name)),
            Some((list, wanted)) => {
                let key = KEYED.iter().find(|(name, _)| *name == list).map_or("", |(_, key)| *key);
                if let Some(Value::Array(items)) = merged.get_mut(list) {
                    items.retain(|item| text(item, key) != wanted);
                }
            }
        }
    }
    for (name, value) in new {
        let key = KEYED.iter().find(|(list, _)| list == name).map(|(_, key)| *key);
        match (key, merged.get_mut(name), value) {
            (Some(key), Some(Value::Array(old)), Value::Array(new)) => {
                for item in new {
                    match old.iter_mut().find(|known| known.get(key) == item.get(key)) {
                        Some(known) => *known = item.clone(),
                        None => old.push(item.clone()),
                    }
                }
            }
            _ => drop(merged.insert(name.clone(), value.clone())),
        }
    }
    of_job(merged)
}

/// Refuses tasks that can't be run in any order, and fills in their defaults.
pub(super) fn check(settings: &mut Value) -> Result<(), ApiError> {
    if settings.get("git_source").is_some_and(|git| git.get("git_provider").is_none()) {
        return Err(ApiError::invalid(
            "git_source.git_provider is required; it is one of awsCodeCommit, azureDevOpsServices, bitbucketCloud, \
             bitbucketServer, gitHub, gitHubEnterprise, gitLab, gitLabEnterpriseEdition",
        ));
    }
    let Some(Value::Array(tasks)) = settings.get_mut("tasks") else { return Ok(()) };
    let mut keys = HashSet::new();
    for task in tasks.iter() {
        let key = text(task, "task_key");
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if key.is_empty() || key.len() > 100 || !key.chars().all(is_plain) {
            return Err(ApiError::invalid(format!("Invalid task key: {key:?}")));
        }
        if !keys.insert(key.to_owned()) {
            return Err(ApiError::invalid(format!("Duplicate task key: {key}")));
        }
        if kind(task).is_none() {
            return Err(ApiError::invalid(format!("Task {key} must have exactly one kind of task.")));
        }
    }
    let mut waits: HashMap<String, Vec<String>> = HashMap::new();
    for task in tasks.iter_mut() {
        let key = text(task, "task_key").to_owned();
        let mut after: Vec<String> =
            items(task, "depends_on").iter().map(|one| text(one, "task_key").to_owned()).collect();
        if let Some(unknown) = after.iter().find(|key| !keys.contains(*key)) {
            return Err(ApiError::invalid(format!("Task {key} depends on an unknown task: {unknown}")));
        }
        after.sort();
        waits.insert(key, after);
        let Some(task) = task.as_object_mut() else { continue };
        if let Some(Value::Array(after)) = task.get_mut("depends_on") {
            after.sort_by_key(|one| text(one, "task_key").to_owned());
        }
        for (name, default) in [
            ("run_if", json!("ALL_SUCCESS")),
            ("timeout_seconds", json!(0)),
            ("email_notifications", json!({})),
        ] {
            task.entry(name).or_insert(default);
        }
    }
    while let Some(free) = waits.iter().find(|(_, after)| after.is_empty()).map(|(key, _)| key.clone()) {
        waits.remove(&free);
        waits.values_mut().for_each(|after| after.retain(|key| *key != free));
    }
    match waits.is_empty() {
        true => Ok(()),
        false => Err(ApiError::invalid("The dependencies of the tasks form a cycle.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(key: &str, after: &[&str]) -> Value {
        let after: Vec<_> = after.iter().map(|key| json!({ "task_key": key })).collect();
        json!({ "task_key": key, "depends_on": after, "notebook_task": {} })
    }

    fn refusal(tasks: &[Value]) -> Option<String> {
        check(&mut json!({ "tasks": tasks })).err().map(|error| format!("{error:?}"))
    }

    #[test]
    fn tasks_that_have_no_order_are_refused() {
        assert_eq!(refusal(&[task("a", &["b"]), task("b", &[])]), None);
        for (tasks, why) in [
            (vec![task("a", &["b"]), task("b", &["a"])], "cycle"),
            (vec![task("a", &["a"])], "cycle"),
            (vec![task("a", &["z"])], "unknown task: z"),
            (vec![task("a", &[]), task("a", &[])], "Duplicate"),
            (vec![task("", &[])], "Invalid task key"),
            (vec![json!({ "task_key": "a" })], "exactly one kind"),
        ] {
            assert!(refusal(&tasks).is_some_and(|told| told.contains(why)), "{tasks:?}");
        }
    }

    #[test]
    fn a_number_may_come_as_text() {
        let Value::Object(given) = json!({ "timeout_seconds": "60", "tasks": [{ "task_key": "a", "sql_task": {}, "max_retries": "-1" }] })
        else {
            panic!()
        };
        let settings = of_job(given).unwrap();
        assert_eq!(
            (&settings["timeout_seconds"], &settings["tasks"][0]["max_retries"]),
            (&json!(60), &json!(-1))
        );
    }

    #[test]
    fn an_update_merges_lists_by_key_and_removes_by_name() {
        let old = json!({ "name": "x", "timeout_seconds": 9, "tasks": [task("a", &[]), task("b", &[])] });
        let Value::Object(new) = json!({ "tasks": [{ "task_key": "b", "sql_task": {} }] }) else { panic!() };
        let merged = update(&old, &new, &["timeout_seconds".to_owned(), "tasks/a".to_owned()]).unwrap();
        assert_eq!((&merged["timeout_seconds"], &merged["name"]), (&json!(0), &json!("x")));
        assert_eq!(items(&merged, "tasks").iter().map(kind).collect::<Vec<_>>(), [Some("sql_task")]);
    }
}
