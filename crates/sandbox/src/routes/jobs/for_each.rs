//! A for-each task: another task, run once for each of its inputs, some of them at a time. Each iteration is a run with
//! an id of its own.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::{
    done::Done,
    record::{Outcome, Run, Stage, TaskRun},
    references::{References, as_text},
    settings::{id, text},
    task::perform,
};
use crate::{call::Call, lock::lock};

/// The most inputs, and the most iterations at a time.
const MOST: usize = 100;

/// Runs the iterations of a task whose references have been filled in.
pub(super) async fn run(call: &Call, run: &Arc<Run>, task: &Value, values: Value) -> Done {
    let settings = &task["for_each_task"];
    let inputs = match inputs(&settings["inputs"]) {
        Ok(inputs) => inputs,
        Err(problem) => return Done::failed(problem),
    };
    let at_once = id(settings.get("concurrency")).and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
    let at_once = at_once.clamp(1, MOST);
    let key = text(task, "task_key");
    let iterations: Vec<_> = inputs
        .iter()
        .map(|input| TaskRun::new(call.server.new_id(), references(input).fill_all(&settings["task"]), 0))
        .collect();
    change(run, key, |own| own.iterations = iterations);
    let failed = stream::iter(0..inputs.len())
        .map(|at| iterate(call, run, key, at, values.clone()))
        .buffer_unordered(at_once)
        .filter(|outcome| std::future::ready(*outcome != Outcome::Success))
        .count()
        .await;
    match failed {
        0 => Done::succeeded(json!({})),
        failed => Done::failed(format!("{failed} of {} iterations failed", inputs.len())),
    }
}

/// The inputs: a JSON array, mostly as text.
fn inputs(given: &Value) -> Result<Vec<Value>, String> {
    let parsed = match given {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        other => other.clone(),
    };
    match parsed {
        Value::Array(inputs) if inputs.len() <= MOST => Ok(inputs),
        Value::Array(inputs) => {
            Err(format!("a for-each task has {MOST} inputs at most here, not {}", inputs.len()))
        }
        _ => Err(format!("the inputs of a for-each task must be a JSON array, not {given}")),
    }
}

/// `{{input}}`, and `{{input.name}}` of an object.
fn references(input: &Value) -> References {
    let members = input.as_object().into_iter().flatten();
    let mut known: HashMap<_, _> =
        members.map(|(name, value)| (format!("input.{name}"), as_text(value))).collect();
    known.insert("input".to_owned(), as_text(input));
    References(known)
}

async fn iterate(call: &Call, run: &Arc<Run>, key: &str, at: usize, values: Value) -> Outcome {
    let Some(task) = change(run, key, |own| {
        let iteration = &mut own.iterations[at];
        (iteration.stage, iteration.started_ms) = (Stage::Running, call.now_ms());
        iteration.task.clone()
    }) else {
        return Outcome::Canceled;
    };
    let done = perform(call, run, &task, values).await;
    change(run, key, |own| {
        let iteration = &mut own.iterations[at];
        iteration.output = done.output;
        iteration.end(done.outcome, &done.message, call.now_ms());
    });
    done.outcome
}

/// Changes the task of this key.
fn change<T>(run: &Run, key: &str, change: impl FnOnce(&mut TaskRun) -> T) -> Option<T> {
    let mut progress = lock(&run.progress);
    progress.tasks.iter_mut().find(|task| task.key() == key).map(change)
}
