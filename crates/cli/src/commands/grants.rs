//! `brick grants`: who may do what with an object of Unity Catalog.

use brickwire_actions::{
    Error, Securable,
    types::{PermissionsChange, Privilege},
};
use clap::Subcommand;
use serde::Deserialize;
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};

use crate::{context::Context, failure::Result, output::Column};

/// Privileges on objects of Unity Catalog: get, update
#[derive(Debug, Subcommand)]
#[command(alias = "grant")]
pub(crate) enum Command {
    /// List the privileges that are granted on an object; as a table or CSV, one in a row
    #[command(after_help = "\
Examples:
  brick grants get table main.default.sales -o table
  brick grants get schema main.default --effective --principal ada@example.com")]
    Get {
        #[command(flatten)]
        which: Which,
        /// List only the privileges of this user, group, or service principal
        #[arg(long, value_name = "PRINCIPAL")]
        principal: Option<String>,
        /// List inherited privileges, too, and where they come from
        #[arg(long)]
        effective: bool,
    },
    /// Add or remove privileges of one principal, and keep all others
    #[command(after_help = "\
Example:
  brick grants update table main.default.sales --principal ada@example.com --add SELECT --remove MODIFY")]
    Update {
        #[command(flatten)]
        which: Which,
        /// E-mail address of a user, name of a group, or application ID of a service principal
        #[arg(long, value_name = "PRINCIPAL")]
        principal: String,
        /// Privilege to add, such as SELECT or USE_SCHEMA; may be repeated
        #[arg(long, value_name = "PRIVILEGE", required_unless_present = "remove")]
        add: Vec<String>,
        /// Privilege to remove; may be repeated
        #[arg(long, value_name = "PRIVILEGE")]
        remove: Vec<String>,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Kind of the object: catalog, schema, table, volume, function (also for models), external-location, or another
    #[arg(value_name = "KIND")]
    kind: String,
    /// Full name of the object
    #[arg(value_name = "NAME")]
    name: String,
}

impl Which {
    fn securable(&self) -> Result<Securable> {
        Ok(Securable::parse(&self.kind, &self.name)?)
    }
}

const COLUMNS: &[Column] = &[
    ("PRINCIPAL", "/principal"),
    ("PRIVILEGE", "/privilege"),
    ("FROM", "/inherited_from_type"),
    ("FROM NAME", "/inherited_from_name"),
];

/// What the rows of a table need of an assignment: privileges by name, or with their origin.
#[derive(Deserialize)]
struct Assignment {
    principal: Option<String>,
    #[serde(default)]
    privileges: Option<Vec<Value>>,
}

/// A row for each privilege.
fn rows(assignments: &[Box<RawValue>]) -> Result<Vec<Box<RawValue>>> {
    let mut rows = Vec::new();
    for assignment in assignments {
        let Assignment { principal, privileges } = serde_json::from_str(assignment.get())
            .map_err(|e| Error::unexpected(format!("privileges that can't be shown as a table: {e}")))?;
        for privilege in privileges.unwrap_or_default() {
            let mut row = if privilege.is_object() { privilege } else { json!({ "privilege": privilege }) };
            row["principal"] = json!(principal);
            rows.push(to_raw_value(&row)?);
        }
    }
    Ok(rows)
}

/// The privilege as the API spells it; SQL writes spaces.
fn privilege(text: &str) -> Privilege {
    Privilege::from(text.trim().to_ascii_uppercase().replace([' ', '-'], "_"))
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::Get { which, principal, effective } => {
            let securable = which.securable()?;
            let grants = context.workspace().await?.grants();
            let all = match effective {
                true => grants.get_effective_json(&securable, principal.as_deref()).await?,
                false => grants.get_json(&securable, principal.as_deref()).await?,
            };
            let output = context.output();
            match output.format().has_columns() {
                true => output.list(&rows(&all)?, COLUMNS),
                false => output.list(&all, COLUMNS),
            }
        }
        Command::Update { which, principal, add, remove } => {
            let securable = which.securable()?;
            let privileges = |given: &[String]| {
                (!given.is_empty()).then(|| given.iter().map(|text| privilege(text)).collect())
            };
            let change = PermissionsChange {
                principal: Some(principal),
                add: privileges(&add),
                remove: privileges(&remove),
            };
            let grants = context.workspace().await?.grants();
            context.record(grants.update(&securable, &[change]).await?.raw())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn privileges_are_taken_as_sql_and_the_api_spell_them() {
        for text in ["USE_SCHEMA", "use schema", " Use-Schema"] {
            assert_eq!(privilege(text), Privilege::UseSchema, "{text}");
        }
        assert_eq!(privilege("teleport").as_str(), "TELEPORT");
    }

    #[test]
    fn a_row_has_one_privilege() {
        let assignment = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let all = rows(&[
            assignment(r#"{"principal":"a","privileges":["SELECT","MODIFY"]}"#),
            assignment(
                r#"{"principal":"b","privileges":[{"privilege":"SELECT","inherited_from_name":"main"}]}"#,
            ),
            assignment(r#"{"principal":"c","privileges":null}"#),
        ]);
        let all: Vec<Value> =
            all.unwrap().iter().map(|row| serde_json::from_str(row.get()).unwrap()).collect();
        assert_eq!(
            all,
            [
                json!({ "principal": "a", "privilege": "SELECT" }),
                json!({ "principal": "a", "privilege": "MODIFY" }),
                json!({ "principal": "b", "privilege": "SELECT", "inherited_from_name": "main" }),
            ]
        );
        assert!(rows(&[assignment(r#"{"privileges":"all"}"#)]).is_err());
    }
}
