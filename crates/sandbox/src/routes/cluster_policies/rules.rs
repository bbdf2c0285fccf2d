//! The rules of a policy: `fixed`, `allowlist`, `blocklist`, `range` and `forbidden` are checked, others are taken.

use serde_json::{Map, Value, json};

use crate::error::ApiError;

/// Members whose own members have names of their own, which may contain dots.
const MAPS: [&str; 3] = ["spark_conf", "spark_env_vars", "custom_tags"];

/// The rules by the path of their setting.
pub(super) fn parse(definition: &str) -> Result<Map<String, Value>, ApiError> {
    match serde_json::from_str(definition) {
        Ok(Value::Object(rules)) => match rules.iter().find(|(_, rule)| !rule["type"].is_string()) {
            Some((path, _)) => Err(ApiError::invalid(format!("The rule of {path} has no type"))),
            None => Ok(rules),
        },
        _ => Err(ApiError::invalid("The policy definition is not valid JSON")),
    }
}

/// Fills in fixed values and wanted defaults, and checks all others.
pub(super) fn apply(rules: &Map<String, Value>, spec: &mut Map<String, Value>) -> Result<(), ApiError> {
    let wants_defaults = spec.get("apply_policy_default_values") == Some(&json!(true));
    for (path, rule) in rules {
        // A virtual attribute or a pattern of several.
        if matches!(path.as_str(), "cluster_type" | "dbus_per_hour") || path.contains('*') {
            continue;
        }
        let path = split(path);
        let given = path.iter().try_fold(None, |at: Option<&Value>, name| match at {
            None => spec.get(*name).map(Some),
            Some(at) => at.get(*name).map(Some),
        });
        let Some(value) = given.flatten().filter(|value| !value.is_null()) else {
            let filled = match rule["type"].as_str() {
                Some("fixed") => rule.get("value"),
                _ => rule.get("defaultValue").filter(|_| wants_defaults),
            };
            if let Some(value) = filled {
                fill(spec, &path, value);
            }
            continue;
        };
        if let Some(what) = broken(rule, value) {
            let path = path.join(".");
            return Err(ApiError::invalid(format!(
                "Cluster validation error: Validation failed for {path}, the value {what}"
            )));
        }
    }
    Ok(())
}

fn split(path: &str) -> Vec<&str> {
    match path.split_once('.') {
        Some((map, name)) if MAPS.contains(&map) => vec![map, name],
        _ => path.split('.').collect(),
    }
}

/// Sets a value at a path. One that leads through something else than objects is left alone.
fn fill(spec: &mut Map<String, Value>, path: &[&str], value: &Value) {
    match path {
        [] => {}
        [name] => drop(spec.insert((*name).to_owned(), value.clone())),
        [name, rest @ ..] => {
            let inner = spec.entry(*name).or_insert_with(|| json!({}));
            if let Some(inner) = inner.as_object_mut() {
                fill(inner, rest, value);
            }
        }
    }
}

/// Which rule a value breaks.
fn broken(rule: &Value, value: &Value) -> Option<String> {
    let listed = || rule["values"].as_array().into_iter().flatten();
    match rule["type"].as_str()? {
        "fixed" => (!same(value, &rule["value"])).then(|| format!("must be {}", shown(&rule["value"]))),
        "allowlist" => (!listed().any(|one| same(value, one))).then(|| {
            let all = listed().map(shown).collect::<Vec<_>>().join(", ");
            format!("must be one of: {all}")
        }),
        "blocklist" => listed().any(|one| same(value, one)).then(|| format!("must not be {}", shown(value))),
        "range" => {
            let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
            let Some(is) = number(value) else { return Some("must be a number".to_owned()) };
            let (min, max) = (number(&rule["minValue"]), number(&rule["maxValue"]));
            let too_small = min.filter(|min| is < *min).map(|min| format!("must be at least {min}"));
            too_small.or(max.filter(|max| is > *max).map(|max| format!("must be at most {max}")))
        }
        "forbidden" => Some("must not be present".to_owned()),
        _ => None,
    }
}

/// Numbers and truth values equal their texts: Spark settings are texts.
fn same(one: &Value, other: &Value) -> bool {
    shown(one) == shown(other)
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(rules: Value, spec: Value) -> Result<Value, String> {
        let (Value::Object(rules), Value::Object(mut spec)) = (rules, spec) else { unreachable!("objects") };
        apply(&rules, &mut spec).map_err(|error| error.message().to_owned())?;
        Ok(Value::Object(spec))
    }

    #[test]
    fn each_kind_of_rule_is_checked() {
        for (rule, good, bad) in [
            (json!({ "type": "fixed", "value": true }), json!("true"), json!("false")),
            (json!({ "type": "allowlist", "values": ["a", 2] }), json!("2"), json!("b")),
            (json!({ "type": "blocklist", "values": ["a"] }), json!("b"), json!("a")),
            (json!({ "type": "range", "minValue": 2, "maxValue": 3 }), json!(3), json!(4)),
            (json!({ "type": "range", "minValue": "2" }), json!("2"), json!("1.5")),
            (json!({ "type": "range", "maxValue": 3 }), json!(-1), json!("x")),
            (json!({ "type": "forbidden" }), Value::Null, json!(0)),
        ] {
            let rules = json!({ "spark_conf.spark.a.b": rule, "x.y": rule });
            let spec = |value: &Value| json!({ "spark_conf": { "spark.a.b": value }, "x": { "y": value } });
            applied(rules.clone(), spec(&good)).unwrap();
            let error = applied(rules, spec(&bad)).unwrap_err();
            assert!(error.contains("Validation failed for spark_conf.spark.a.b, the value must"), "{error}");
        }
    }

    #[test]
    fn what_is_missing_is_filled_in() {
        let rules = json!({ "custom_tags.cost.center": { "type": "fixed", "value": "42" }, "cluster_type": { "type": "fixed" },
            "autoscale.max_workers": { "type": "range", "maxValue": 5, "defaultValue": 2 } });
        let spec = json!({ "cluster_name": "a" });
        assert_eq!(
            applied(rules.clone(), spec).unwrap(),
            json!({ "cluster_name": "a", "custom_tags": { "cost.center": "42" } })
        );
        let filled = applied(rules, json!({ "apply_policy_default_values": true })).unwrap();
        assert_eq!(filled["autoscale"], json!({ "max_workers": 2 }));
    }

    #[test]
    fn a_definition_must_be_an_object_of_rules() {
        for wrong in ["", "[]", "{\"a\": 1}", "{\"a\": {\"value\": 1}}"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
