//! Changes of a JSON answer: `set=/clusters/*/state:"HIBERNATING"`, `unset=/manifest/chunks`, integers as text.

use serde_json::Value;

/// One change of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Edit {
    /// Gives the places that the pointer names this value. A field that an object doesn't have is added.
    Set(Pointer, Value),
    /// Removes them.
    Unset(Pointer),
    /// Makes every integer a text, as JSON writers do that mind JavaScript's numbers.
    IntegersAsText,
    /// Adds one to every `row_count` and `total_row_count`.
    Overcount,
}

/// A place in an answer: keys and indices after slashes, where `*` is every one (else RFC 6901).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pointer(Vec<String>);

impl Pointer {
    fn parse(text: &str) -> Option<Self> {
        let keys: Vec<String> =
            text.strip_prefix('/')?.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
        keys.iter().all(|key| !key.is_empty()).then_some(Self(keys))
    }
}

impl Edit {
    /// `/a/*/b:JSON`
    pub(super) fn parse_set(text: &str) -> Result<Self, String> {
        let expected =
            || format!("`set` takes a place and a JSON value, such as set=/state:\"ODD\"; got {text}");
        let (place, value) = text.split_once(':').ok_or_else(expected)?;
        let place = Pointer::parse(place).ok_or_else(expected)?;
        Ok(Self::Set(place, serde_json::from_str(value).map_err(|_| expected())?))
    }

    /// `/a/*/b`
    pub(super) fn parse_unset(text: &str) -> Result<Self, String> {
        let place = Pointer::parse(text);
        place
            .map(Self::Unset)
            .ok_or_else(|| format!("`unset` takes a place such as /manifest/chunks; got {text}"))
    }

    pub(super) fn apply(&self, answer: &mut Value) {
        match self {
            Self::Set(Pointer(keys), value) => each_parent(answer, keys, &mut |parent, key| match parent {
                Value::Object(fields) if key == "*" => {
                    fields.values_mut().for_each(|old| *old = value.clone())
                }
                Value::Object(fields) => {
                    fields.insert(key.to_owned(), value.clone());
                }
                Value::Array(items) if key == "*" => items.fill(value.clone()),
                Value::Array(items) => {
                    if let Some(item) = key.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                        *item = value.clone();
                    }
                }
                _ => {}
            }),
            Self::Unset(Pointer(keys)) => each_parent(answer, keys, &mut |parent, key| match parent {
                Value::Object(fields) if key == "*" => fields.clear(),
                Value::Object(fields) => {
                    fields.remove(key);
                }
                Value::Array(items) if key == "*" => items.clear(),
                Value::Array(items) => {
                    if let Some(index) = key.parse().ok().filter(|index: &usize| *index < items.len()) {
                        items.remove(index);
                    }
                }
                _ => {}
            }),
            Self::IntegersAsText => each_value(answer, &mut |_, value| {
                if value.is_i64() || value.is_u64() {
                    *value = Value::String(value.to_string());
                }
            }),
            Self::Overcount => each_value(answer, &mut |name, value| {
                if let Some(rows) =
                    value.as_u64().filter(|_| name == "row_count" || name == "total_row_count")
                {
                    *value = rows.saturating_add(1).into();
                }
            }),
        }
    }
}

/// Calls `change` with every value that holds the last key.
fn each_parent(value: &mut Value, keys: &[String], change: &mut impl FnMut(&mut Value, &str)) {
    let Some((key, rest)) = keys.split_first() else { return };
    if rest.is_empty() {
        return change(value, key);
    }
    match value {
        Value::Object(fields) if key == "*" => {
            fields.values_mut().for_each(|one| each_parent(one, rest, change))
        }
        Value::Array(items) if key == "*" => items.iter_mut().for_each(|one| each_parent(one, rest, change)),
        Value::Object(fields) => {
            if let Some(one) = fields.get_mut(key) {
                each_parent(one, rest, change);
            }
        }
        Value::Array(items) => {
            if let Some(one) = key.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                each_parent(one, rest, change);
            }
        }
        _ => {}
    }
}

/// Calls `change` with every value that holds no others, and the name of its field.
fn each_value(value: &mut Value, change: &mut impl FnMut(&str, &mut Value)) {
    fn walk(name: &str, value: &mut Value, change: &mut impl FnMut(&str, &mut Value)) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| walk(name, item, change)),
            Value::Object(fields) => {
                fields.iter_mut().for_each(|(name, value)| walk(name, value, change));
            }
            value => change(name, value),
        }
    }
    walk("", value, change);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn edited(mut answer: Value, edit: Result<Edit, String>) -> Value {
        edit.unwrap().apply(&mut answer);
        answer
    }

    #[test]
    fn values_are_set_and_removed_where_the_pointer_leads() {
        let answer = json!({ "clusters": [{ "state": "A" }, { "state": "B" }], "n": 1 });
        let all = edited(answer.clone(), Edit::parse_set(r#"/clusters/*/state:"X:Y""#));
        assert_eq!(all, json!({ "clusters": [{ "state": "X:Y" }, { "state": "X:Y" }], "n": 1 }));
        let one = edited(answer.clone(), Edit::parse_set(r#"/clusters/1:null"#));
        assert_eq!(one["clusters"], json!([{ "state": "A" }, null]));
        assert_eq!(edited(answer.clone(), Edit::parse_set(r#"/new:{"a":[1]}"#))["new"], json!({ "a": [1] }));
        assert_eq!(edited(answer.clone(), Edit::parse_unset("/clusters/0/state"))["clusters"][0], json!({}));
        assert_eq!(edited(answer.clone(), Edit::parse_unset("/clusters/*"))["clusters"], json!([]));
        for nowhere in ["/clusters/7/state", "/x/y/z", "/n/a"] {
            assert_eq!(edited(answer.clone(), Edit::parse_set(&format!("{nowhere}:1"))), answer, "{nowhere}");
        }
        assert_eq!(edited(json!({ "a/b": 1 }), Edit::parse_unset("/a~1b")), json!({}));
    }

    #[test]
    fn integers_become_texts_and_nothing_else_does() {
        let answer = json!({ "a": 9_007_199_254_740_993_i64, "b": [-1, 1.5, null, true, "x"] });
        let expected = json!({ "a": "9007199254740993", "b": ["-1", 1.5, null, true, "x"] });
        assert_eq!(edited(answer, Ok(Edit::IntegersAsText)), expected);
    }

    #[test]
    fn what_names_no_place_or_value_is_refused() {
        for text in ["", "/a", "a:1", "/a:", "/a:b", "//:1", ":1"] {
            assert!(Edit::parse_set(text).is_err(), "{text}");
        }
        assert!(Edit::parse_unset("a").is_err() && Edit::parse_unset("/").is_err());
    }
}
