//! What is known of a result in addition to its rows, and `-o envelope`, which prints it with them: columns, rows, and the rest in
//! one JSON object. Rows are arrays, so that two columns may have one name.

use std::time::Duration;

use brickwire_actions::{PreviewLimits, types::StatementColumnInfo};
use serde_json::{Value, json};

/// How a result is shown, and what is known of it before it is there.
#[derive(Debug, Clone)]
pub(crate) struct About {
    /// How much of it is shown to an agent.
    pub(crate) limits: PreviewLimits,
    /// Whether what made it may run again.
    pub(crate) is_safe_to_repeat: bool,
    pub(crate) warehouse_id: Option<String>,
}

impl Default for About {
    fn default() -> Self {
        Self { limits: PreviewLimits::default(), is_safe_to_repeat: true, warehouse_id: None }
    }
}

/// What an envelope says of its result.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) truncated: bool,
    pub(crate) statement_id: Option<String>,
    pub(crate) warehouse_id: Option<String>,
    pub(crate) elapsed: Duration,
}

/// The beginning of an envelope, up to its rows.
pub(super) fn opening(columns: &[&StatementColumnInfo]) -> String {
    let columns: Vec<_> = columns.iter().map(|column| described(column)).collect();
    format!("{{\"columns\":{},\n\"rows\":[", Value::from(columns))
}

/// The end of an envelope, from behind its rows.
pub(super) fn closing(rows: u64, facts: &Facts) -> String {
    let gap = if rows > 0 { "\n" } else { "" };
    format!("{gap}],\n{}\n", fields(rows, facts))
}

/// The fields of an envelope after its rows, with its closing brace.
pub(super) fn fields(rows: u64, facts: &Facts) -> String {
    let Facts { truncated, statement_id, warehouse_id, elapsed } = facts;
    let (statement_id, warehouse_id) = (json!(statement_id), json!(warehouse_id));
    let elapsed = json!((elapsed.as_secs_f64() * 1000.0).round() / 1000.0);
    // In the order of the documentation.
    format!(
        "\"row_count\":{rows},\"truncated\":{truncated},\"statement_id\":{statement_id},\
         \"warehouse_id\":{warehouse_id},\"elapsed_s\":{elapsed}}}"
    )
}

pub(super) fn described(column: &StatementColumnInfo) -> Value {
    let type_name = column.type_name.as_ref().map(|name| name.as_str());
    json!({ "name": column.name, "type": column.type_text.as_deref().or(type_name) })
}
