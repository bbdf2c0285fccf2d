//! `list`: the names of what is in the workspace.

use brickwire_actions::{Candidate, Named, Preview, PreviewLimits};
use serde::Deserialize;

use super::call::Time;
use crate::{
    context::Context,
    failure::{Failure, Result},
};

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Catalogs,
    Schemas,
    Tables,
    Warehouses,
    Clusters,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    kind: Kind,
    #[serde(rename = "in")]
    within: Option<String>,
    name: Option<String>,
}

/// The rows of a list, each with the name by which it is filtered first.
type Rows = Vec<Vec<String>>;

pub(super) async fn run(list: List, context: &Context) -> Result<String> {
    let within = |what: &str| {
        list.within
            .clone()
            .ok_or_else(|| Failure::usage(format!("`in` is missing: name the {what} to list in")))
    };
    // Checked before anything is sent.
    let within = match list.kind {
        Kind::Schemas => within("catalog")?,
        Kind::Tables => within("catalog.schema")?,
        _ => String::new(),
    };
    let workspace = Time::of(None)?.workspace(context).await?.as_read_only();
    let text = |text: Option<String>| text.unwrap_or_default();
    let (heading, rows): (&[&str], Rows) = match list.kind {
        Kind::Catalogs => {
            let all = workspace.catalogs().list().await?.into_items().into_iter();
            (
                &["name", "comment"],
                all.map(|catalog| vec![text(catalog.name), text(catalog.comment)]).collect(),
            )
        }
        Kind::Schemas => {
            let all = workspace.schemas().list(&within).await?.into_items().into_iter();
            (
                &["name", "comment"],
                all.map(|schema| vec![text(schema.full_name), text(schema.comment)]).collect(),
            )
        }
        Kind::Tables => {
            let all = workspace.tables().names(&within).await?.into_iter();
            (&["name"], all.map(|name| vec![name]).collect())
        }
        Kind::Warehouses => (&["name", "id", "state"], rows_of(workspace.warehouses().candidates().await?)),
        Kind::Clusters => (&["name", "id", "state"], rows_of(workspace.clusters().candidates().await?)),
    };
    Ok(shown(heading, &rows, list.name.as_deref()))
}

fn rows_of(all: Vec<Candidate>) -> Rows {
    all.into_iter().map(|one| vec![one.name, one.id, one.state]).collect()
}

/// The rows whose name contains a text, in any case.
fn shown(heading: &[&str], rows: &Rows, name: Option<&str>) -> String {
    let part = name.unwrap_or_default().to_lowercase();
    let mut preview = Preview::new(heading.iter().map(|name| (*name, "")), PreviewLimits::default());
    for row in rows.iter().filter(|row| row.first().is_some_and(|name| name.to_lowercase().contains(&part))) {
        preview.push(row.iter().map(|cell| Some(cell.as_str())));
    }
    preview.to_text(&[], Some("filter with `name`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_filtered_by_name_in_any_case() {
        let rows = [["Prod", "1"], ["dev", "prod"]].map(|row| row.map(str::to_owned).to_vec()).to_vec();
        let text = shown(&["name", "id"], &rows, Some("PROD"));
        assert_eq!(text, "name\tid\nProd\t1\n# rows=1 of=1 complete=yes\n");
    }

    #[test]
    fn a_long_list_says_what_to_do() {
        let rows: Rows = (0..300).map(|n| vec![format!("table_{n}")]).collect();
        let text = shown(&["name"], &rows, None);
        assert!(text.ends_with("# rows=200 of=300 complete=no\n# next: filter with `name`\n"), "{text}");
    }
}
