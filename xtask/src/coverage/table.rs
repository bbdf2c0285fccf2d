//! The table as Markdown.

use std::collections::BTreeMap;

use super::operation::Operation;

/// How many commands a row lists.
const COMMANDS: usize = 3;

/// Counts of the operations of a service.
#[derive(Default)]
struct Counts {
    all: usize,
    client: usize,
    actions: usize,
    commands: usize,
    sandbox: usize,
    tests: usize,
}

impl Counts {
    fn add(&mut self, operation: &Operation) {
        self.all += 1;
        self.client += usize::from(operation.in_client);
        self.actions += usize::from(operation.in_actions);
        self.commands += usize::from(!operation.commands.is_empty());
        self.sandbox += usize::from(operation.in_sandbox);
        self.tests += usize::from(!operation.tests.is_empty());
    }
}

/// The whole document.
pub(super) fn text(operations: &[Operation]) -> String {
    let mut total = Counts::default();
    let mut services: BTreeMap<&str, Counts> = BTreeMap::new();
    for operation in operations {
        services.entry(&operation.service).or_default().add(operation);
        total.add(operation);
    }
    let mut lines = vec![
        "# Which operations there are, and where".to_owned(),
        String::new(),
        "Generated from the sources by `cargo xtask coverage`; do not edit. Actions, commands and tests are found by name."
            .to_owned(),
        String::new(),
        "| Service | Operations | Client | Actions | Commands | Sandbox | Tests |".to_owned(),
        "| --- | --: | --: | --: | --: | --: | --: |".to_owned(),
    ];
    lines.extend(services.iter().map(|(service, counts)| counts.row(&format!("[{service}](#{service})"))));
    lines.push(total.row("all"));
    for rows in operations.chunk_by(|a, b| a.service == b.service) {
        lines.extend([
            format!("\n## {}\n", rows[0].service),
            "| Operation | Request | Client | Action | Command | Sandbox | Tests |".to_owned(),
            "| --- | --- | --- | --- | --- | --- | --- |".to_owned(),
        ]);
        lines.extend(rows.iter().map(row));
    }
    lines.join("\n") + "\n"
}

impl Counts {
    fn row(&self, name: &str) -> String {
        let Self { all, client, actions, commands, sandbox, tests } = self;
        format!("| {name} | {all} | {client} | {actions} | {commands} | {sandbox} | {tests} |")
    }
}

fn row(operation: &Operation) -> String {
    let yes = |is_there: bool| if is_there { "yes" } else { "" };
    let action = match &operation.action {
        Some((name, file)) => format!("[`{name}`](../crates/actions/src/{file})"),
        None => yes(operation.in_actions).to_owned(),
    };
    let shown: Vec<String> =
        operation.commands.iter().take(COMMANDS).map(|command| format!("`{command}`")).collect();
    let mut commands = shown.join(", ");
    if let Some(more) = operation.commands.len().checked_sub(COMMANDS).filter(|more| *more > 0) {
        commands += &format!(", {more} more");
    }
    let Operation { id, method, path, .. } = operation;
    let (client, sandbox) = (yes(operation.in_client), yes(operation.in_sandbox));
    format!(
        "| `{id}` | `{method} {path}` | {client} | {action} | {commands} | {sandbox} | {} |",
        operation.tests.join(", ")
    )
    .replace("|  |", "| |")
    .replace("|  |", "| |")
}

#[cfg(test)]
mod tests {
    use super::{Operation, text};

    #[test]
    fn a_row_says_what_there_is_and_leaves_the_rest_empty() {
        let operation = |id: &str, service: &str| Operation {
            id: id.to_owned(),
            service: service.to_owned(),
            method: "GET".to_owned(),
            path: "/api/2.0/toys".to_owned(),
            in_client: true,
            ..Operation::default()
        };
        let full = Operation {
            in_actions: true,
            action: Some(("Toys::list".to_owned(), "toys.rs".to_owned())),
            commands: (1..=5).map(|number| format!("brick toys {number}")).collect(),
            in_sandbox: true,
            tests: vec!["actions", "cli"],
            ..operation("toys_list", "toys")
        };
        let text = text(&[operation("games_get", "games"), full]);
        for line in [
            "| [games](#games) | 1 | 1 | 0 | 0 | 0 | 0 |",
            "| [toys](#toys) | 1 | 1 | 1 | 1 | 1 | 1 |",
            "| all | 2 | 2 | 1 | 1 | 1 | 1 |",
            "| `games_get` | `GET /api/2.0/toys` | yes | | | | |",
            "| `toys_list` | `GET /api/2.0/toys` | yes | [`Toys::list`](../crates/actions/src/toys.rs) | `brick toys 1`, \
             `brick toys 2`, `brick toys 3`, 2 more | yes | actions, cli |",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
    }
}
