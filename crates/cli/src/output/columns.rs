//! Which columns are printed: `--columns`, for lists, records, and rows.
//!
//! A name is a heading of the list (in any case, with or without its unit, with `-`, `_`, or nothing for a space), a field
//! that an item has, or a JSON pointer, such as `/aws_attributes/zone_id`. A pointer to nothing is no error: the service
//! leaves out empty fields.

use std::io;

use serde_json::value::RawValue;

use super::{
    fields::{Column, raw_at, raw_fields, unescaped},
    moment,
};
use crate::failure::Failure;

/// What of a result is printed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// The names of the columns, in the order to print them; all by default.
    pub(crate) columns: Option<Vec<String>>,
    /// Whether the header row is left out.
    pub(crate) no_header: bool,
}

/// A column of an item: its heading, and the JSON pointer to its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) heading: String,
    pub(super) pointer: String,
}

/// The columns of a list: those with these names, or all that it has.
pub(super) fn of_list(
    names: Option<&[String]>,
    columns: &[Column],
    items: &[Box<RawValue>],
) -> Result<Vec<Chosen>, Failure> {
    let all = columns.iter().map(|(heading, pointer)| chosen(heading, pointer));
    let Some(names) = names else { return Ok(all.collect()) };
    let heading = |name: &str| {
        let is = |heading: &str| plain(heading) == plain(name);
        all.clone().find(|column| is(&column.heading) || is(moment::without_unit(&column.heading)))
    };
    let has_field =
        |name: &str| items.iter().any(|item| raw_fields(item.get()).iter().any(|(f, _)| f == name));
    let find = |name: &String| {
        match name.trim() {
            pointer if pointer.starts_with('/') => Some(chosen(pointer, pointer)),
            // Without items, their fields are unknown.
            field if has_field(field) || items.is_empty() => {
                heading(field).or_else(|| Some(chosen(field, &pointer_to(field))))
            }
            other => heading(other),
        }
        .ok_or_else(|| unknown(name, columns, items))
    };
    names.iter().map(find).collect()
}

/// The columns of a record, which has been fetched or changed by now: an unknown one is no wrong command line.
pub(super) fn of_record(names: &[String], record: &str) -> Result<Vec<Chosen>, Failure> {
    let fields = raw_fields(record);
    let find = |name: &String| match name.trim() {
        pointer if pointer.starts_with('/') => Ok(chosen(pointer, pointer)),
        name => match fields.iter().find(|(field, _)| plain(field) == plain(name)) {
            Some((field, _)) => Ok(chosen(field, &pointer_to(field))),
            None => {
                Err(Failure::from(io::Error::other(format!("--columns: the result has no field {name:?}")))
                    .with_hint(format!(
                        "choose from: {}",
                        listed(fields.iter().map(|(field, _)| field.as_str()))
                    )))
            }
        },
    };
    names.iter().map(find).collect()
}

/// The places of the columns with these names in rows.
pub(super) fn of_rows(names: &[String], columns: &[&str]) -> Result<Vec<usize>, Failure> {
    let find = |name: &String| {
        let name = name.as_str();
        let same = |column: &&str| column.trim().to_lowercase() == name.trim().to_lowercase();
        columns
            .iter()
            .position(|column| *column == name)
            .or_else(|| columns.iter().position(same))
            .ok_or_else(|| {
                Failure::usage(format!("--columns: no such column: {name}"))
                    .with_hint(format!("choose from: {}", listed(columns.iter().copied())))
            })
    };
    names.iter().map(find).collect()
}

/// The columns of an item as a JSON object. What the item lacks is null.
pub(super) fn project(item: &str, columns: &[Chosen]) -> String {
    let fields = raw_fields(item);
    let mut object = String::from("{");
    for column in columns {
        if object.len() > 1 {
            object.push(',');
        }
        let name = unescaped(column.pointer.trim_start_matches('/'));
        let name = serde_json::Value::from(name).to_string();
        object.push_str(&format!("{name}:{}", raw_at(&fields, &column.pointer).unwrap_or("null")));
    }
    object.push('}');
    object
}

fn chosen(heading: &str, pointer: &str) -> Chosen {
    Chosen { heading: heading.to_owned(), pointer: pointer.to_owned() }
}

fn pointer_to(field: &str) -> String {
    format!("/{}", field.replace('~', "~0").replace('/', "~1"))
}

/// A heading as people may write it.
fn plain(heading: &str) -> String {
    heading.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn unknown(name: &str, columns: &[Column], items: &[Box<RawValue>]) -> Failure {
    let headings = listed(columns.iter().map(|(heading, _)| *heading));
    let mut fields: Vec<String> = Vec::new();
    for (field, _) in items.iter().flat_map(|item| raw_fields(item.get())) {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    let fields = listed(fields.iter().map(String::as_str));
    let hint = format!("choose from: {headings}; or a field: {fields}; or a JSON pointer, such as /{name}");
    Failure::usage(format!("--columns: no such column: {name}")).with_hint(hint)
}

/// At most 40 names: a result may have thousands of columns.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const MOST: usize = 40;
    let names: Vec<_> = names.collect();
    let more = match names.len() {
        0..=MOST => String::new(),
        all => format!(", and {} more", all - MOST),
    };
    format!("{}{more}", names[..names.len().min(MOST)].join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;

    use super::*;

    const COLUMNS: &[Column] = &[("ID", "/cluster_id"), ("NODE TYPE", "/node_type_id")];

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn items() -> Vec<Box<RawValue>> {
        vec![
            to_raw_value(&serde_json::json!({ "cluster_id": "1", "a": { "b": [7, 8] }, "x/y": 1.50 }))
                .unwrap(),
        ]
    }

    #[test]
    fn headings_fields_and_pointers_are_names() {
        let asked = names(&["id", "node-type", "NodeType", "a", "/a/b/1", "x/y", "/none"]);
        let found = of_list(Some(&asked), COLUMNS, &items()).unwrap();
        let expected = [
            ("ID", "/cluster_id"),
            ("NODE TYPE", "/node_type_id"),
            ("NODE TYPE", "/node_type_id"),
            ("a", "/a"),
            ("/a/b/1", "/a/b/1"),
            ("x/y", "/x~1y"),
            ("/none", "/none"),
        ];
        assert_eq!(found, expected.map(|(heading, pointer)| chosen(heading, pointer)));
        let object = project(items()[0].get(), &[&found[..1], &found[3..]].concat());
        let expected = r#"{"cluster_id":"1","a":{"b":[7,8]},"a/b/1":8,"x/y":1.5,"none":null}"#;
        assert_eq!(object, expected);
    }

    #[test]
    fn an_unknown_name_is_an_error_with_the_known_ones() {
        let failure = of_list(Some(&names(&["nmae"])), COLUMNS, &items()).unwrap_err();
        assert_eq!(failure.kind(), brickwire_actions::ErrorKind::Usage);
        let hint = failure.hint().unwrap();
        assert!(hint.contains("ID, NODE TYPE") && hint.contains("cluster_id, a, x/y"), "{hint}");
        assert_eq!(of_list(Some(&names(&["later"])), COLUMNS, &[]).unwrap(), [chosen("later", "/later")]);
        assert!(of_record(&names(&["b"]), r#"{"a":1}"#).unwrap_err().io().is_some());
        assert_eq!(of_record(&names(&["A"]), r#"{"a":1}"#).unwrap(), [chosen("a", "/a")]);
        let columns = ["n", "N", "name"];
        assert_eq!(of_rows(&names(&["N", "NAME", "n", "n"]), &columns).unwrap(), [1, 2, 0, 0]);
        let failure = of_rows(&names(&["x"]), &columns).unwrap_err();
        assert_eq!(failure.hint().as_deref(), Some("choose from: n, N, name"));
    }
}
