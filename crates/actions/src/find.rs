//! Finding what a person means: an id is taken as it is, anything else is a name that exactly one resource must have.

use crate::{Clusters, Error, ErrorKind, Result, Warehouses, warehouse_address::warehouse_id};

/// Something that has an id and a name.
struct Candidate {
    id: String,
    name: String,
    state: String,
}

impl Clusters {
    /// The id of the cluster that an id or a name stands for. An id costs no request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a name that no cluster has, [`ErrorKind::Usage`] for one that several have; both
    /// name the candidates. Operation: `clusters_list`.
    pub async fn find(&self, id_or_name: &str) -> Result<String> {
        if is_cluster_id(id_or_name) {
            return Ok(id_or_name.to_owned());
        }
        let all = self.list().await?.into_iter().map(|c| Candidate {
            id: c.cluster_id.unwrap_or_default(),
            name: c.cluster_name.unwrap_or_default(),
            state: c.state.map(|s| s.to_string()).unwrap_or_default(),
        });
        choose("cluster", id_or_name, all.collect())
    }
}

impl Warehouses {
    /// The id of the warehouse that an id or a name stands for. An id costs no request, nor does the warehouse's HTTP
    /// path (`/sql/1.0/warehouses/ID`) or the URL of its page, which must be in this workspace.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a name that no warehouse has, [`ErrorKind::Usage`] for one that several have; both
    /// name the candidates. Operation: `warehouses_list`.
    pub async fn find(&self, id_or_name: &str) -> Result<String> {
        if is_warehouse_id(id_or_name) {
            return Ok(id_or_name.to_owned());
        }
        if let Some(id) = warehouse_id(id_or_name, self.workspace().host())? {
            return Ok(id);
        }
        choose("warehouse", id_or_name, self.candidates().await?)
    }

    /// The id of the only running warehouse, for a statement that names none.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] if none or several run; the error lists all warehouses. Operation: `warehouses_list`.
    pub async fn find_only_running(&self) -> Result<String> {
        let all = self.candidates().await?;
        let mut running = all.iter().filter(|c| c.state == "RUNNING");
        match (running.next(), running.next()) {
            (Some(one), None) => Ok(one.id.clone()),
            (one, _) => {
                let count = if one.is_some() { "several warehouses are" } else { "no warehouse is" };
                Err(Error::usage(format!(
                    "no warehouse given, and {count} running; there are: {}",
                    listed(&all)
                ))
                .with_hint("name one with --warehouse or DATABRICKS_WAREHOUSE_ID"))
            }
        }
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        let all = self.list().await?.into_iter().map(|w| Candidate {
            id: w.id.unwrap_or_default(),
            name: w.name.unwrap_or_default(),
            state: w.state.map(|s| s.to_string()).unwrap_or_default(),
        });
        Ok(all.collect())
    }
}

/// `MMDD-HHMMSS-` and a word.
fn is_cluster_id(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let digits =
        |part: Option<&str>, n| part.is_some_and(|p| p.len() == n && p.bytes().all(|b| b.is_ascii_digit()));
    digits(parts.next(), 4)
        && digits(parts.next(), 6)
        && parts
            .next()
            .is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

/// Sixteen hexadecimal digits.
fn is_warehouse_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn choose(what: &str, wanted: &str, all: Vec<Candidate>) -> Result<String> {
    if wanted.trim().is_empty() {
        return Err(Error::usage(format!("the {what}'s id or name is empty")));
    }
    let matching: Vec<_> = all.iter().filter(|c| c.name == wanted || c.id == wanted).collect();
    match matching[..] {
        [one] => Ok(one.id.clone()),
        [] => Err(Error::new(ErrorKind::NotFound, format!("no {what} has this id or name: {wanted:?}"))
            .with_hint(format!("there are: {}", listed(&all)))),
        _ => Err(Error::usage(format!("several {what}s have this name: {wanted:?}"))
            .with_hint(format!("use an id: {}", listed(matching)))),
    }
}

fn listed<'a>(all: impl IntoIterator<Item = &'a Candidate>) -> String {
    const MOST: usize = 10;
    let all: Vec<_> = all.into_iter().collect();
    let mut shown: Vec<_> =
        all.iter().take(MOST).map(|c| format!("{} ({}, {})", c.id, c.name, c.state)).collect();
    if all.len() > MOST {
        shown.push(format!("and {} more", all.len() - MOST));
    }
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_ids_from_names() {
        assert!(is_cluster_id("0123-456789-abcdefgh") && is_cluster_id("1119-123456-abc123-v2n"));
        assert!(
            !is_cluster_id("nightly") && !is_cluster_id("2024-report-x") && !is_cluster_id("0123-456789-")
        );
        assert!(is_warehouse_id("0123456789abcdef") && !is_warehouse_id("0123456789abcdeg"));
    }

    #[test]
    fn an_ambiguous_name_lists_its_candidates() {
        let two =
            ["a1", "b2"].map(|id| Candidate { id: id.into(), name: "etl".into(), state: "RUNNING".into() });
        let error = choose("cluster", "etl", two.into()).unwrap_err();
        assert!(error.hint().unwrap().contains("a1 (etl, RUNNING), b2"), "{:?}", error.hint());
        let error = choose("cluster", "x", vec![]).unwrap_err();
        assert_eq!((error.kind(), error.hint()), (ErrorKind::NotFound, Some("there are: none")));
    }
}
