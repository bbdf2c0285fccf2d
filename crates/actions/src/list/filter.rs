//! Which items of a list are of interest: by state, and by a part of the name.

use serde_json::{Value, value::RawValue};

/// Selects items of a list by their state and name. The default selects all.
///
/// ```
/// use brickwire_actions::ListFilter;
/// let filter = ListFilter::default().with_state("RUNNING").with_name("etl");
/// assert!(filter.matches(Some("Nightly-ETL"), Some("RUNNING")));
/// assert!(!filter.matches(Some("Nightly-ETL"), Some("TERMINATED")));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListFilter {
    states: Vec<String>,
    name: Option<String>,
}

impl ListFilter {
    /// Selects items in this state, and in each other state that is added. States are compared in any case.
    ///
    /// ```
    /// use brickwire_actions::ListFilter;
    /// let filter = ListFilter::default().with_state("RUNNING").with_state("PENDING");
    /// assert!(filter.matches(None, Some("PENDING")));
    /// ```
    #[must_use]
    pub fn with_state(mut self, state: impl Into<String>) -> Self {
        self.states.push(state.into());
        self
    }

    /// Selects items in one of these states. None selects all.
    ///
    /// ```
    /// use brickwire_actions::ListFilter;
    /// let filter = ListFilter::default().with_states(["RUNNING", "PENDING"]);
    /// assert!(!filter.matches(None, None));
    /// ```
    #[must_use]
    pub fn with_states<S: Into<String>>(mut self, states: impl IntoIterator<Item = S>) -> Self {
        self.states.extend(states.into_iter().map(Into::into));
        self
    }

    /// Selects items whose name contains this text, in any case.
    ///
    /// ```
    /// use brickwire_actions::ListFilter;
    /// assert!(!ListFilter::default().with_name("etl").matches(Some("reports"), None));
    /// ```
    #[must_use]
    pub fn with_name(mut self, part: impl Into<String>) -> Self {
        self.name = Some(part.into().to_lowercase());
        self
    }

    /// The states, in the order in which they were given.
    pub fn states(&self) -> &[String] {
        &self.states
    }

    /// Whether an item with this name and state is selected.
    ///
    /// ```
    /// use brickwire_actions::ListFilter;
    /// assert!(ListFilter::default().matches(None, None));
    /// ```
    pub fn matches(&self, name: Option<&str>, state: Option<&str>) -> bool {
        let has_state = |state: &str| self.states.iter().any(|wanted| wanted.eq_ignore_ascii_case(state));
        let has_part = |part: &String| name.is_some_and(|name| name.to_lowercase().contains(part));
        (self.states.is_empty() || state.is_some_and(has_state)) && self.name.as_ref().is_none_or(has_part)
    }

    /// The items of a list that are selected, each as the service sent it. The name and the state of an item are at these
    /// JSON pointers.
    ///
    /// ```
    /// # fn main() -> Result<(), serde_json::Error> {
    /// use brickwire_actions::ListFilter;
    /// use serde_json::value::RawValue;
    /// let jobs = vec![RawValue::from_string(r#"{"settings":{"name":"Daily"}}"#.to_owned())?];
    /// let filter = ListFilter::default().with_name("daily");
    /// assert_eq!(filter.select(jobs, "/settings/name", None).len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn select(
        &self,
        mut items: Vec<Box<RawValue>>,
        name: &str,
        state: Option<&str>,
    ) -> Vec<Box<RawValue>> {
        if *self != Self::default() {
            items.retain(|item| {
                let item: Value = serde_json::from_str(item.get()).unwrap_or_default();
                let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str);
                self.matches(text(name), state.and_then(text))
            });
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_kept_as_they_came_or_left_out() {
        let texts =
            [r#"{"name":"ETL","state" : "RUNNING"}"#, r#"{"state":"RUNNING"}"#, r#"{"name":"etl 2"}"#];
        let kept = |filter: ListFilter| {
            let items = texts.map(|text| RawValue::from_string(text.to_owned()).unwrap());
            filter
                .select(items.into(), "/name", Some("/state"))
                .iter()
                .map(|item| item.get().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(kept(ListFilter::default()), texts);
        assert_eq!(kept(ListFilter::default().with_state("running")), texts[..2]);
        assert_eq!(kept(ListFilter::default().with_name("Etl")), [texts[0], texts[2]]);
        assert_eq!(
            kept(ListFilter::default().with_name("etl").with_states(["PENDING", "RUNNING"])),
            texts[..1]
        );
        assert!(kept(ListFilter::default().with_state("PENDING")).is_empty());
    }
}
