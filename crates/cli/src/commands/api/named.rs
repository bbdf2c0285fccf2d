//! `brick api OPERATION_ID key=value …` and `brick api --list`: operations of the API description by their names.

use std::ffi::OsStr;

use brickwire_actions::{
    ErrorKind, RawRequest,
    reference::{Argument, Body, Kind, Place, Reference},
};
use clap_complete::CompletionCandidate;
use serde_json::{Map, Value, json, value::to_raw_value};

use super::fields;
use crate::{
    context::Context,
    failure::{Failure, Result},
    output::Column,
    source::{DATA_LIMIT, Input},
};

const OPERATIONS: &[Column] = &[
    ("OPERATION", "/operation_id"),
    ("METHOD", "/method"),
    ("PATH", "/path"),
    ("ARGUMENTS (* REQUIRED)", "/usage"),
];

const ARGUMENTS: &[Column] = &[
    ("ARGUMENT", "/name"),
    ("IN", "/in"),
    ("TYPE", "/type"),
    ("REQUIRED", "/required"),
    ("DESCRIPTION", "/description"),
];

/// Whether this names an operation: no method has an underscore, and each operation has one.
pub(super) fn is_operation(text: &str) -> bool {
    text.contains('_') && !text.contains('/')
}

/// Ids of operations, for completion.
pub(super) fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let matching = Reference::all().iter().filter(|one| one.info.operation_id.starts_with(&*current));
    matching
        .map(|one| CompletionCandidate::new(one.info.operation_id).help(Some(one.summary.into())))
        .collect()
}

/// Prints the operations whose ID, path or summary has the word; of a single one that is named exactly, its arguments.
pub(super) fn list(word: Option<&str>, context: &Context) -> Result {
    if let Some(operation) = word.and_then(Reference::of)
        && context.output().is_table()
    {
        let arguments: Vec<_> = operation.arguments.iter().map(argument).collect();
        return context.output().list(&raw(&arguments)?, ARGUMENTS);
    }
    let word = word.unwrap_or_default().to_lowercase();
    let has_word = |operation: &&Reference| {
        let Reference { info, summary, .. } = operation;
        [info.operation_id, info.path, summary].iter().any(|text| text.to_lowercase().contains(&word))
    };
    let found: Vec<_> = Reference::all().iter().filter(has_word).map(described).collect();
    if found.is_empty() {
        return Err(Failure::new(
            ErrorKind::NotFound,
            format!("no operation has {word:?} in its id, path or summary"),
        )
        .with_hint(
            "brick api --list shows all; any other path works with a method, as in brick api GET /2.0/…",
        ));
    }
    context.output().list(&raw(&found)?, OPERATIONS)
}

fn raw(values: &[Value]) -> Result<Vec<Box<serde_json::value::RawValue>>> {
    Ok(values.iter().map(to_raw_value).collect::<std::result::Result<_, _>>()?)
}

fn described(operation: &Reference) -> Value {
    let (required, optional): (Vec<&Argument>, Vec<&Argument>) =
        operation.arguments.iter().partition(|argument| argument.required);
    let required = required.iter().map(|argument| format!("{}*", argument.name));
    let usage: Vec<_> = required.chain(optional.iter().map(|argument| argument.name.to_owned())).collect();
    json!({
        "operation_id": operation.info.operation_id,
        "method": operation.info.method,
        "path": operation.info.path,
        "summary": operation.summary,
        "repeatable": operation.info.repeatable,
        "usage": usage.join(" "),
        "arguments": operation.arguments.iter().map(argument).collect::<Vec<_>>(),
    })
}

fn argument(argument: &Argument) -> Value {
    json!({
        "name": argument.name,
        "in": argument.place.to_string(),
        "type": argument.kind.to_string(),
        "required": argument.required,
        "secret": argument.secret,
        "description": argument.description,
    })
}

/// The request for an operation. Arguments are KEY=VALUE; with a body of its own they are only those of the address.
pub(super) fn request(operation_id: &str, arguments: &[String], has_body: bool) -> Result<RawRequest> {
    let operation = Reference::of(operation_id);
    let mut members = Map::new();
    for text in arguments {
        let (key, value) = fields::field(text)
            .map_err(|problem| Failure::usage(format!("not an argument: {text:?}: {problem}")))?;
        let name = key.split('[').next().unwrap_or_default();
        let known = operation.and_then(|operation| operation.argument(name));
        if has_body && known.is_none_or(|argument| argument.place == Place::Body) && operation.is_some() {
            return Err(Failure::usage(format!("{key} and a whole body contradict each other")).with_hint(
                "give the body's members as arguments, or all of the body with --data or --input",
            ));
        }
        let value = value.map(|value| read(known, &key, value)).transpose()?;
        fields::add(&mut members, &key, value)?;
    }
    if let Some(operation) = operation {
        let needs_file = operation.body == Body::File && !has_body;
        if needs_file {
            return Err(Failure::usage(format!("{operation_id} sends a file, and none is given"))
                .with_hint("name it with --input FILE; - is standard input"));
        }
    }
    Ok(RawRequest::operation(operation_id, members)?)
}

/// Whether an argument holds a password or a key. Other secrets are what users work with, such as the parameters of a job
/// or the question to a model, which their commands take on the command line, too.
fn is_credential(argument: &Argument) -> bool {
    argument.secret && (argument.kind == Kind::Text || matches!(argument.name, "options" | "secrets"))
}

/// The value of an argument: of `@FILE` the file's text. A secret is never taken from the command line, which other
/// users and the shell's history see.
fn read(argument: Option<&Argument>, key: &str, value: String) -> Result<Value> {
    if let Some(path) = value.strip_prefix('@') {
        return Ok(Input::read(path, DATA_LIMIT)?.text()?.into());
    }
    if argument.is_some_and(is_credential) {
        return Err(Failure::usage(format!(
            "{key} is a secret, which other users can see on the command line"
        ))
        .with_hint(format!("read it from a file with {key}=@FILE, or from standard input with {key}=@-")));
    }
    // The type of an argument is known, that of what lies in it isn't.
    if key.contains('[') { fields::typed(&value) } else { Ok(value.into()) }
}
