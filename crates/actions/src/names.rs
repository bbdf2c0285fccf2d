//! Names of resources: an id is used as it is; anything else is a name that exactly one resource must have.

use crate::{Error, ErrorKind, Result};

/// How many candidates an error lists.
const MOST_LISTED: usize = 10;

/// A resource with the id and the name by which it can be referred to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// Its name; need not be unique.
    pub name: String,
    /// Its state as the API names it; empty if it has none.
    pub state: String,
}

impl Candidate {
    /// A resource whose id, name or state may be missing in an answer.
    pub fn new(id: Option<String>, name: Option<String>, state: Option<impl ToString>) -> Self {
        Self {
            id: id.unwrap_or_default(),
            name: name.unwrap_or_default(),
            state: state.map(|state| state.to_string()).unwrap_or_default(),
        }
    }
}

/// A service whose resources have names.
///
/// ```no_run
/// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
/// use brickwire_actions::Named;
/// for candidate in workspace.clusters().candidates().await? {
///     println!("{} {}", candidate.id, candidate.name);
/// }
/// # Ok(())
/// # }
/// ```
pub trait Named: Sync {
    /// What messages and events call one resource, such as `cluster`.
    const NOUN: &'static str;

    /// Whether a text has the form of an id.
    fn is_id(text: &str) -> bool;

    /// Lists all resources with their ids and names.
    ///
    /// # Errors
    /// Those of the service's `list`.
    fn candidates(&self) -> impl Future<Output = Result<Vec<Candidate>>> + Send;

    /// Returns the id of the resource that has this id or name. An id costs no request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a name that no resource has, [`ErrorKind::Usage`] for one that several have. The hint
    /// lists the candidates.
    fn find(&self, id_or_name: &str) -> impl Future<Output = Result<String>> + Send {
        async move {
            if Self::is_id(id_or_name) {
                return Ok(id_or_name.to_owned());
            }
            required(Self::NOUN, id_or_name)?;
            choose(Self::NOUN, id_or_name, self.candidates().await?)
        }
    }
}

/// Refuses an id that is empty before it turns a request into another one.
pub(crate) fn required(what: &str, id: &str) -> Result<()> {
    if id.trim().is_empty() { Err(Error::usage(format!("the {what}'s id is empty"))) } else { Ok(()) }
}

/// Refuses a name that is empty.
pub(crate) fn required_name(what: &str, name: &str) -> Result<()> {
    if name.trim().is_empty() {
        Err(Error::usage(format!("the name of the {what} is empty")))
    } else {
        Ok(())
    }
}

pub(crate) fn choose(what: &str, wanted: &str, all: Vec<Candidate>) -> Result<String> {
    let matching: Vec<_> = all.iter().filter(|c| c.name == wanted || c.id == wanted).collect();
    match matching[..] {
        [one] => Ok(one.id.clone()),
        [] => Err(Error::new(ErrorKind::NotFound, format!("no {what} has this id or name: {wanted:?}"))
            .with_hint(format!("there are: {}", listed(&all)))),
        _ => Err(Error::usage(format!("several {} have this name: {wanted:?}", plural(what)))
            .with_hint(format!("use an id: {}", listed(matching)))),
    }
}

fn plural(noun: &str) -> String {
    noun.strip_suffix('y').map_or_else(|| format!("{noun}s"), |stem| format!("{stem}ies"))
}

/// The first candidates in one line.
pub(crate) fn listed<'a>(all: impl IntoIterator<Item = &'a Candidate>) -> String {
    let all: Vec<_> = all.into_iter().collect();
    let one = |c: &&Candidate| match c.state.as_str() {
        "" => format!("{} ({})", c.id, c.name),
        state => format!("{} ({}, {state})", c.id, c.name),
    };
    let mut shown: Vec<_> = all.iter().take(MOST_LISTED).map(one).collect();
    if all.len() > MOST_LISTED {
        shown.push(format!("and {} more", all.len() - MOST_LISTED));
    }
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ambiguous_name_lists_its_candidates() {
        let named = |id: &str| Candidate::new(Some(id.to_owned()), Some("etl".to_owned()), Some("RUNNING"));
        let error = choose("cluster", "etl", vec![named("a1"), named("b2")]).unwrap_err();
        assert!(error.hint().unwrap().contains("a1 (etl, RUNNING), b2"), "{:?}", error.hint());
        let error = choose("cluster policy", "etl", vec![named("a1"), named("b2")]).unwrap_err();
        assert_eq!(error.to_string(), "several cluster policies have this name: \"etl\"");
        let error = choose("cluster", "x", vec![]).unwrap_err();
        assert_eq!((error.kind(), error.hint()), (ErrorKind::NotFound, Some("there are: none")));
    }
}
