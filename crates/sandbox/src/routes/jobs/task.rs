//! One task: Python, a notebook, SQL, or a condition.

use serde_json::{Value, json};

use super::{
    code,
    done::Done,
    query,
    record::Run,
    settings::{kind, text},
};
use crate::call::Call;

/// Runs a task whose references have been filled in. `values` are those of the other tasks. Tasks that run a job are not
/// for this.
pub(super) async fn perform(call: &Call, run: &Run, task: &Value, values: Value) -> Done {
    let done = match kind(task) {
        Some("spark_python_task") => code::script(call, run, &task["spark_python_task"], values).await,
        Some("notebook_task") => code::notebook(call, run, &task["notebook_task"], values).await,
        Some("sql_task") => query::sql(call, &task["sql_task"]).await,
        Some("condition_task") => condition(&task["condition_task"]),
        other => Err(format!("{} is not supported by the sandbox", other.unwrap_or("this kind of task"))),
    };
    done.unwrap_or_else(Done::failed)
}

/// Equality compares texts, the others compare numbers.
fn condition(task: &Value) -> Result<Done, String> {
    let (left, op, right) = (text(task, "left"), text(task, "op"), text(task, "right"));
    let number = |side: &str| {
        side.trim().parse::<f64>().map_err(|_| format!("{op} compares numbers, and this is none: {side:?}"))
    };
    let holds = match op {
        "EQUAL_TO" => left == right,
        "NOT_EQUAL" => left != right,
        "GREATER_THAN" => number(left)? > number(right)?,
        "GREATER_THAN_OR_EQUAL" => number(left)? >= number(right)?,
        "LESS_THAN" => number(left)? < number(right)?,
        "LESS_THAN_OR_EQUAL" => number(left)? <= number(right)?,
        other => return Err(format!("Unknown operator: {other:?}")),
    };
    Ok(Done::succeeded(json!({ "outcome": holds.to_string() })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_compares_texts_and_order_compares_numbers() {
        let outcome = |left: &str, op: &str, right: &str| {
            let done = condition(&json!({ "left": left, "op": op, "right": right }));
            done.map(|done| done.output["outcome"].as_str().unwrap_or_default().to_owned())
        };
        for (left, op, right, expected) in [
            ("1.0", "EQUAL_TO", "1", "false"),
            ("1.0", "NOT_EQUAL", "1", "true"),
            ("10", "GREATER_THAN", "9", "true"),
            ("1.0", "GREATER_THAN_OR_EQUAL", "1", "true"),
            ("10", "LESS_THAN", "9", "false"),
            ("-1", "LESS_THAN_OR_EQUAL", "-1", "true"),
        ] {
            assert_eq!(outcome(left, op, right).as_deref(), Ok(expected), "{left} {op} {right}");
        }
        assert!(outcome("x", "LESS_THAN", "1").is_err() && outcome("1", "LIKE", "1").is_err());
    }
}
