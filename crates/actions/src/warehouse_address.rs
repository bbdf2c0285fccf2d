//! The addresses of a warehouse that people copy from the console: its HTTP path, and the URL of its page. Decides
//! whether a text is one, and refuses the address of another workspace: the id would name a different warehouse there.

use crate::{Error, Host, Result};

/// The paths of a warehouse, before its id. The third is the oldest name.
const PATHS: [&str; 3] = ["sql/1.0/warehouses/", "sql/warehouses/", "sql/1.0/endpoints/"];

/// The id in a warehouse's address; `None` for text that is none, such as a name.
pub(crate) fn warehouse_id(text: &str, host: &Host) -> Result<Option<String>> {
    let text = text.trim();
    let (path, origin) = match split_origin(text) {
        Some((origin, path)) => (path, Some(origin)),
        None => (text.trim_start_matches('/'), None),
    };
    let Some(id) = id_in(path) else {
        return match path.starts_with("sql/protocolv1/") {
            true => {
                Err(Error::usage(format!("this is the HTTP path of a cluster, not of a warehouse: {text}"))
                    .with_hint("run code on a cluster instead, or give a warehouse's id or name"))
            }
            false => Ok(None),
        };
    };
    if let Some(origin) = origin {
        // With the query, which may name the workspace.
        let query = text.split_once('?').map_or("", |(_, query)| query);
        let given = Host::parse(&format!("{origin}/?{query}"))
            .map_err(|error| Error::usage(format!("not the URL of a warehouse: {error}")))?;
        let differs = |a: Option<&str>, b: Option<&str>| a.is_some() && b.is_some() && a != b;
        if given.as_str() != host.as_str() || differs(given.workspace_id(), host.workspace_id()) {
            let place = |host: &Host| match host.workspace_id() {
                Some(id) => format!("{host}/?o={id}"),
                None => host.to_string(),
            };
            return Err(Error::usage(format!(
                "this warehouse is in another workspace: {}; connected to {}",
                place(&given),
                place(host)
            ))
            .with_hint("connect to its workspace with `profile`"));
        }
    }
    Ok(Some(id.to_owned()))
}

/// Splits `https://host/path` or `host.name/path`.
fn split_origin(text: &str) -> Option<(&str, &str)> {
    let start = text.find("://").map_or(0, |at| at + 3);
    let slash = start + text[start..].find('/')?;
    let (origin, path) = text.split_at(slash);
    (start > 0 || origin.contains('.') && !origin.contains(char::is_whitespace))
        .then(|| (origin, path.trim_start_matches('/')))
}

fn id_in(path: &str) -> Option<&str> {
    // Older pages keep their path in the fragment: /?o=1#/sql/warehouses/ID.
    let path = path.rsplit_once("#/").map_or(path, |(_, path)| path);
    let rest = PATHS.iter().find_map(|prefix| path.strip_prefix(prefix))?;
    let id = rest.split(['/', '?', '#']).next()?;
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_id.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef";

    fn of(text: &str) -> Result<Option<String>> {
        warehouse_id(
            &text.replace("ID", ID),
            &Host::parse("https://adb-1.2.azuredatabricks.net/?o=12").unwrap(),
        )
    }

    #[test]
    fn addresses_from_the_console_name_a_warehouse() {
        for text in [
            "/sql/1.0/warehouses/ID",
            "sql/1.0/warehouses/ID",
            " /sql/1.0/warehouses/ID/ ",
            "/sql/1.0/endpoints/ID",
            "/sql/warehouses/ID",
            "https://adb-1.2.azuredatabricks.net/sql/warehouses/ID?o=12",
            "https://adb-1.2.azuredatabricks.net/sql/warehouses/ID/monitoring?o=12#x",
            "https://ADB-1.2.azuredatabricks.net:443/sql/warehouses/ID",
            "adb-1.2.azuredatabricks.net/sql/1.0/warehouses/ID",
            "https://adb-1.2.azuredatabricks.net/?o=12#/sql/warehouses/ID",
        ] {
            assert_eq!(of(text).unwrap().as_deref(), Some(ID), "{text}");
        }
    }

    #[test]
    fn names_and_ids_are_no_addresses() {
        for text in [
            "ID",
            "Shared Endpoint",
            "",
            "a/b",
            "sql/x",
            "eu/sql/warehouses",
            "v1.0/sql",
            "/sql/1.0/warehouses/",
        ] {
            assert_eq!(of(text).unwrap(), None, "{text}");
        }
    }

    #[test]
    fn another_workspace_and_a_cluster_are_refused() {
        for (text, word) in [
            ("https://other.cloud.databricks.com/sql/warehouses/ID", "https://other.cloud.databricks.com"),
            ("https://adb-1.2.azuredatabricks.net.evil.example/sql/warehouses/ID", "another workspace"),
            ("https://adb-1.2.azuredatabricks.net:8443/sql/warehouses/ID", ":8443"),
            ("https://adb-1.2.azuredatabricks.net/sql/warehouses/ID?o=13", "?o=13"),
            ("https://user@adb-1.2.azuredatabricks.net/sql/warehouses/ID", "user information"),
            ("http://adb-1.2.azuredatabricks.net/sql/warehouses/ID", "https"),
            ("sql/protocolv1/o/12/0123-456789-abcdefgh", "a cluster"),
        ] {
            let error = of(text).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Usage);
            assert!(error.to_string().contains(word), "{text}: {error}");
        }
    }
}
