//! The differences that are meant.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// The list, as it is in its file.
#[derive(Debug, Default)]
pub(crate) struct Allowed {
    groups: Vec<Group>,
}

/// Differences that have one reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    reason: String,
    /// Differences as the report writes them; `*` stands for any text.
    differences: Vec<String>,
}

impl Allowed {
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("cannot read {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let groups: Vec<Group> = serde_yaml_ng::from_str(text)?;
        for group in &groups {
            ensure!(!group.reason.trim().is_empty(), "there is no reason for {:?}", group.differences);
            for pattern in &group.differences {
                let is_whole = ["+ ", "- ", "~ "].iter().any(|sign| pattern.starts_with(sign));
                ensure!(is_whole, "a difference starts with `+`, `-` or `~`, and a space: {pattern:?}");
            }
        }
        Ok(Self { groups })
    }

    /// The entry for a difference, and the reason for it.
    pub(crate) fn find(&self, difference: &str) -> Option<(&str, &str)> {
        self.entries().find(|(pattern, _)| matches(pattern, difference))
    }

    /// All entries with their reasons.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.groups
            .iter()
            .flat_map(|group| group.differences.iter().map(|pattern| (pattern.as_str(), group.reason.trim())))
    }
}

/// Whether `text` is `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices()
                .map(|(index, _)| index)
                .chain([text.len()])
                .any(|index| matches(rest, &text[index..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Allowed, matches};

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text) in [
            ("+ field App.url", "+ field App.url"),
            ("+ field App.*", "+ field App.url"),
            ("+ * jobs.*.delete*", "+ operation jobs.JobsAPI.delete"),
            ("*", ""),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("+ field App.url", "- field App.url"),
            ("+ field App", "+ field App.url"),
            ("+ *.delete", "+ operation jobs.JobsAPI.deleted"),
            ("", "+"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn each_entry_has_a_reason() {
        let allowed = Allowed::parse(
            "- reason: Because.\n  differences: ['+ field A.*', '~ field B.c']\n- reason: So.\n  differences: ['- field A.b']\n",
        )
        .unwrap();
        assert_eq!(allowed.find("~ field B.c"), Some(("~ field B.c", "Because.")));
        assert_eq!(allowed.find("- field A.b"), Some(("- field A.b", "So.")));
        assert_eq!(allowed.find("- field A.c"), None);
        for (bad, expected) in [
            ("- reason: ' '\n  differences: ['+ a']", "there is no reason"),
            ("- reason: So.\n  differences: [field A.b]", "starts with"),
            ("- differences: ['+ a']", "missing field `reason`"),
        ] {
            let error = format!("{:#}", Allowed::parse(bad).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }
}
