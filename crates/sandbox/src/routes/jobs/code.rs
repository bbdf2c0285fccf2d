//! Scripts and notebooks: their steps run one after the other, in one Python process and one SQL session.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::{
    done::Done,
    query,
    record::{Outcome, Run},
    references::as_text,
    settings::{items, text},
    source::{self, Step},
};
use crate::{
    call::Call,
    engine::SqlEngine,
    routes::{
        contexts::{
            context::NO_EXEC,
            python::{Interpreter, Reply},
            questions,
        },
        files,
    },
};

const TASK: &str = include_str!("task.py");
/// The most bytes of logs and results that are kept.
const OUTPUT_KEPT: usize = 5_000_000;

pub(super) async fn script(call: &Call, run: &Run, task: &Value, values: Value) -> Result<Done, String> {
    let path = text(task, "python_file");
    let arguments = match items(&run.request, "python_params") {
        [] => items(task, "parameters"),
        given => given,
    };
    let arguments: Vec<_> = arguments.iter().map(as_text).collect();
    let request = json!({ "name": path, "arguments": arguments, "widgets": {}, "values": values });
    let step = Step::Python { name: path.to_owned(), source: source::file(call, path)? };
    let (done, _) = perform(call, request, &[step]).await?;
    Ok(done)
}

pub(super) async fn notebook(call: &Call, run: &Run, task: &Value, values: Value) -> Result<Done, String> {
    let path = text(task, "notebook_path");
    let mut widgets = Map::new();
    let parameters = run.parameters();
    for given in [&task["base_parameters"], &parameters, &run.request["notebook_params"]] {
        for (name, value) in given.as_object().into_iter().flatten() {
            widgets.insert(name.clone(), json!(as_text(value)));
        }
    }
    let request = json!({ "name": path, "arguments": [], "widgets": widgets, "values": values });
    let (mut done, exit) = perform(call, request, &source::steps(call, path)?).await?;
    if done.outcome == Outcome::Success {
        let result = exit.unwrap_or_default();
        let kept = result.chars().take(OUTPUT_KEPT).collect::<String>();
        done.output =
            json!({ "notebook_output": { "truncated": kept.len() < result.len(), "result": kept } });
    }
    Ok(done)
}

/// Runs steps until one fails or exits, and returns what the task became and the text that it exited with.
async fn perform(call: &Call, request: Value, steps: &[Step]) -> Result<(Done, Option<String>), String> {
    let (mut python, session) = (None::<Python>, call.tenant.engine().session());
    let (mut widgets, mut cell) = (request["widgets"].clone(), 0);
    for step in steps {
        match step {
            Step::Python { .. } => {
                if python.is_none() {
                    python = Some(Python::start(call, request.clone(), steps, session.clone()).await?);
                }
                let Some(python) = &mut python else { continue };
                python.run(cell).await?;
                cell += 1;
                widgets = python.result["widgets"].clone();
                if python.has_ended() {
                    break;
                }
            }
            Step::Sql(sql) => {
                query::rows(&*session, sql, &widgets).await.map_err(|error| error.message)?;
            }
        }
    }
    Ok(python.map_or_else(|| (Done::succeeded(json!({})), None), Python::done))
}

/// The Python process of a task.
struct Python {
    interpreter: Interpreter,
    folder: std::path::PathBuf,
    printed: String,
    /// What the last cell has written.
    result: Value,
}

impl Python {
    async fn start(
        call: &Call,
        mut request: Value,
        steps: &[Step],
        session: Arc<dyn SqlEngine>,
    ) -> Result<Self, String> {
        if call.server.options.no_exec {
            return Err(NO_EXEC.to_owned());
        }
        let cells = steps.iter().filter_map(|step| match step {
            Step::Python { name, source } => Some(json!([name, source])),
            Step::Sql(_) => None,
        });
        request["cells"] = cells.collect();
        let failed = |error: std::io::Error| error.to_string();
        let directory = call.server.new_directory("task-").map_err(failed)?;
        let folder = directory.path().to_owned();
        std::fs::write(folder.join("task.json"), request.to_string()).map_err(failed)?;
        // What a task displays is not in its logs.
        let interpreter = Interpreter::start(directory).await.map_err(failed)?.without_display();
        let interpreter = interpreter.with_host(questions::host(call.tenant.clone(), session));
        let interpreter = interpreter.with_files(&files::folder(&call.tenant)).await.map_err(failed)?;
        let mut started = Self { interpreter, folder, printed: String::new(), result: Value::Null };
        started.command(TASK).await?;
        Ok(started)
    }

    /// Runs a command. Canceling the task drops this future, and with it the process.
    async fn command(&mut self, code: &str) -> Result<(), String> {
        match self.interpreter.run("task", code, &Notify::new()).await.map_err(|error| error.to_string())? {
            Reply::Text(printed) | Reply::Shown { printed, .. } => self.printed.push_str(&printed),
            Reply::Raised { cause, .. } => return Err(cause),
            Reply::Cancelled => return Err("the task was interrupted".to_owned()),
        }
        if self.printed.len() > 2 * OUTPUT_KEPT {
            self.printed = tail(&self.printed).0.to_owned();
        }
        Ok(())
    }

    async fn run(&mut self, cell: usize) -> Result<(), String> {
        self.command(&format!("run_cell({cell})")).await?;
        let result = std::fs::read_to_string(self.folder.join("result.json"));
        let result = result.map_err(|error| error.to_string())?;
        self.result = serde_json::from_str(&result).map_err(|error| error.to_string())?;
        for name in ["error", "trace", "exit"] {
            if let Some(text) = self.result.get(name).and_then(Value::as_str) {
                self.result[name] = json!(self.interpreter.redacted(text));
            }
        }
        Ok(())
    }

    /// Whether the last cell has failed or exited.
    fn has_ended(&self) -> bool {
        self.result.get("error").is_some() || self.result.get("exit").is_some()
    }

    fn done(self) -> (Done, Option<String>) {
        let (logs, truncated) = tail(&self.printed);
        let mut output = json!({ "logs": logs, "logs_truncated": truncated });
        let mut done = match self.result.get("error").and_then(Value::as_str) {
            None => Done::succeeded(json!({})),
            Some(error) => {
                output["error"] = json!(error);
                output["error_trace"] = self.result["trace"].clone();
                Done {
                    outcome: Outcome::Failed,
                    ..Done::failed("Workload failed, see run output for details")
                }
            }
        };
        done.output = output;
        done.values = self.result["values"].clone();
        (done, self.result.get("exit").and_then(Value::as_str).map(str::to_owned))
    }
}

/// The last part of what was printed, and whether that isn't all.
fn tail(printed: &str) -> (&str, bool) {
    let from = printed.len().saturating_sub(OUTPUT_KEPT);
    let from = (from..printed.len()).find(|at| printed.is_char_boundary(*at)).unwrap_or(0);
    (&printed[from..], from > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_megabytes_of_a_log_are_kept_and_no_character_is_cut() {
        assert_eq!(tail("short"), ("short", false));
        let long = format!("x{}", "é".repeat(OUTPUT_KEPT));
        let (kept, truncated) = tail(&long);
        assert!(truncated && kept.len() <= OUTPUT_KEPT && kept.len() > OUTPUT_KEPT - 4);
    }
}
