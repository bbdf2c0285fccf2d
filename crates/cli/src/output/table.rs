//! Text in columns.

use comfy_table::{ContentArrangement, Table, presets};

/// A table without lines, whose cells are broken where it is wider than this.
pub(super) fn bare_table(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = width {
        table.set_width(width);
    }
    table
}

/// How many columns the terminal has, if stdout is one.
pub(super) fn terminal_width() -> Option<u16> {
    console::Term::stdout().size_checked().map(|(_, columns)| columns)
}

/// The table library pads every line to the full width.
pub(super) fn trim_lines(text: &str) -> String {
    text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()).collect::<Vec<_>>().join("\n")
}

/// `name  value`, the values in one column.
pub(super) fn field_lines(fields: &[(String, String)]) -> String {
    let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let line = |(name, value): &(String, String)| format!("{name:width$}  {value}").trim_end().to_owned();
    fields.iter().map(line).collect::<Vec<_>>().join("\n")
}
