//! The fields of a JSON body, with the keys of `gh api`: `a` is a member, `a[b]` a member of an object, `a[]` one more
//! item of an array, and `a[][b]` a member of the array's last object, or of the next one if that has it already. A key
//! that ends in `[]` without a value is an empty array. Dots mean nothing.

use serde_json::{Map, Value};

use crate::{
    failure::{Failure, Result},
    source::{DATA_LIMIT, Input},
};

/// A key, and its text unless it is an empty array.
pub(super) type Field = (String, Option<String>);

/// Parses `KEY=VALUE` or `KEY[]`.
pub(super) fn field(text: &str) -> std::result::Result<Field, String> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, Some(value.to_owned())),
        None if text.ends_with("[]") => (text, None),
        None => return Err("expected KEY=VALUE".to_owned()),
    };
    parts(key).map(|_| (key.to_owned(), value)).ok_or_else(|| {
        format!("not a key: {key:?}; use a key such as name, name[], name[key] or name[][key]")
    })
}

/// `a[b][]` as `a`, `b`, and an empty text.
fn parts(key: &str) -> Option<Vec<&str>> {
    let (first, rest) = key.split_at(key.find('[').unwrap_or(key.len()));
    let mut parts = vec![first];
    if !rest.is_empty() {
        parts.extend(rest.strip_prefix('[')?.strip_suffix(']')?.split("]["));
    }
    let are_whole = parts.iter().all(|part| !part.contains(['[', ']']));
    let are_arrays_named = parts.windows(2).all(|pair| !(pair[0].is_empty() && pair[1].is_empty()));
    (!first.is_empty() && are_whole && are_arrays_named).then_some(parts)
}

/// Adds a field to an object; without a value the key's array stays as it is or becomes an empty one.
pub(super) fn add(object: &mut Map<String, Value>, key: &str, value: Option<Value>) -> Result {
    let parts = parts(key).unwrap_or_else(|| vec![key]);
    let mut object = object;
    let mut rest = parts.as_slice();
    let clash = |what: &str| Failure::usage(format!("two fields contradict each other: {key} is {what}"));
    loop {
        match rest {
            [name] => {
                if object.contains_key(*name) {
                    return Err(clash("given already"));
                }
                object.insert((*name).to_owned(), value.unwrap_or_default());
                return Ok(());
            }
            [name, ""] => {
                let items = array(object, name).ok_or_else(|| clash("not an array elsewhere"))?;
                items.extend(value);
                return Ok(());
            }
            [name, "", after @ ..] => {
                let items = array(object, name).ok_or_else(|| clash("not an array elsewhere"))?;
                let is_array = after.get(1) == Some(&"");
                let takes = |last: &Value| {
                    last.as_object().is_some_and(|last| last.get(after[0]).is_none_or(|_| is_array))
                };
                if !items.last().is_some_and(takes) {
                    items.push(Map::new().into());
                }
                let Some(Value::Object(last)) = items.last_mut() else { return Err(clash("not an object")) };
                (object, rest) = (last, after);
            }
            [name, after @ ..] => {
                let inner = object.entry(*name).or_insert_with(|| Map::new().into());
                let Value::Object(inner) = inner else { return Err(clash("not an object elsewhere")) };
                (object, rest) = (inner, after);
            }
            [] => return Ok(()),
        }
    }
}

/// A value of a field: true, false, null and numbers are typed, and `@FILE` is what the file holds.
pub(super) fn typed(text: &str) -> Result<Value> {
    if let Some(path) = text.strip_prefix('@') {
        return Ok(Input::read(path, DATA_LIMIT)?.text()?.into());
    }
    // Anything else, JSON objects included, is a string.
    Ok(match serde_json::from_str(text) {
        Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => value,
        _ => text.into(),
    })
}

fn array<'a>(object: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Vec<Value>> {
    object.entry(name).or_insert_with(|| Value::Array(Vec::new())).as_array_mut()
}

/// The fields as parameters of a query: an array repeats its name with `[]`, and of an object the members count.
pub(super) fn query(name: &str, value: Value) -> Vec<(String, String)> {
    match value {
        Value::Array(items) => items.into_iter().flat_map(|item| query(&format!("{name}[]"), item)).collect(),
        Value::Object(members) => members.into_iter().flat_map(|(name, value)| query(&name, value)).collect(),
        Value::Null => vec![(name.to_owned(), String::new())],
        Value::String(text) => vec![(name.to_owned(), text)],
        other => vec![(name.to_owned(), other.to_string())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(fields: &[&str]) -> std::result::Result<String, String> {
        let mut object = Map::new();
        for text in fields {
            let (key, value) = field(text)?;
            add(&mut object, &key, value.map(Value::from)).map_err(|failure| failure.message())?;
        }
        Ok(Value::from(object).to_string())
    }

    #[test]
    fn keys_are_those_of_gh() {
        for (fields, expected) in [
            (&["a=1", "b="][..], r#"{"a":"1","b":""}"#),
            (&["a.b=1"], r#"{"a.b":"1"}"#),
            (&["l[]=1", "l[]=2"], r#"{"l":["1","2"]}"#),
            (&["l[]"], r#"{"l":[]}"#),
            (&["l[]", "l[]=1"], r#"{"l":["1"]}"#),
            (&["a[b]=1", "a[c]=2=3"], r#"{"a":{"b":"1","c":"2=3"}}"#),
            (&["a[b][c][]=1", "a[b][c][]=2"], r#"{"a":{"b":{"c":["1","2"]}}}"#),
            (&["a[][x]=1", "a[][y]=2", "a[][x]=3"], r#"{"a":[{"x":"1","y":"2"},{"x":"3"}]}"#),
            (&["a[][x][]=1", "a[][x][]=2", "a[][y]=3"], r#"{"a":[{"x":["1","2"],"y":"3"}]}"#),
            (&["a[k]=[v]"], r#"{"a":{"k":"[v]"}}"#),
        ] {
            assert_eq!(json(fields).unwrap(), expected, "{fields:?}");
        }
    }

    #[test]
    fn keys_that_contradict_each_other_are_refused() {
        for fields in [
            &["a=1", "a=2"][..],
            &["a=1", "a[]=2"],
            &["a=1", "a[b]=2"],
            &["a[b]=1", "a[]=2"],
            &["a"],
            &["a[b]"],
            &["=1"],
            &["[]=1"],
            &["a[=1"],
            &["a[b=1"],
            &["a]b=1"],
            &["a[b]c=1"],
            &["a[][]=1"],
        ] {
            assert!(json(fields).is_err(), "{fields:?}: {:?}", json(fields));
        }
    }
}
