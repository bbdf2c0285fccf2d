//! The report, to be read by people or by programs.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::json;

use super::{allowed::Allowed, compare::Comparison, difference::Difference, sdk::Sdk};

/// What the comparison has found, sorted by whether it is meant.
pub(crate) struct Report {
    version: String,
    compared: usize,
    drift: Vec<Difference>,
    /// With the reasons.
    meant: Vec<(Difference, String)>,
    /// Entries of the list that fit no difference.
    stale: Vec<String>,
    undescribed: BTreeMap<String, usize>,
    notes: Vec<String>,
}

impl Report {
    pub(crate) fn new(sdk: &Sdk, comparison: Comparison, allowed: &Allowed) -> Self {
        let (mut drift, mut meant, mut used) = (Vec::new(), Vec::new(), BTreeSet::new());
        for difference in comparison.differences {
            match allowed.find(&difference.to_string()) {
                Some((entry, reason)) => {
                    used.insert(entry);
                    meant.push((difference, reason.to_owned()));
                }
                None => drift.push(difference),
            }
        }
        let entries = allowed.entries().map(|(entry, _)| entry);
        Self {
            version: sdk.version.clone().unwrap_or_else(|| "of an unknown version".to_owned()),
            compared: comparison.compared,
            drift,
            meant,
            stale: entries.filter(|entry| !used.contains(entry)).map(str::to_owned).collect(),
            undescribed: comparison.undescribed,
            notes: sdk.notes.clone(),
        }
    }

    pub(crate) fn has_drift(&self) -> bool {
        !self.drift.is_empty()
    }

    pub(crate) fn text(&self) -> String {
        let mut lines =
            vec![format!("databricks-sdk {}: {} operations compared", self.version, self.compared)];
        let mut services = 0;
        for differences in self.drift.chunk_by(|a, b| a.service == b.service) {
            services += 1;
            lines.push(format!("\n{}", differences[0].service));
            lines.extend(
                differences.iter().map(|difference| format!("  {difference}: {}", difference.detail)),
            );
        }
        lines.push(match self.drift.len() {
            0 => "no drift".to_owned(),
            count => format!(
                "\n{count} difference(s) in {services} service(s); + only the SDK has it, - only the description"
            ),
        });
        lines.push(format!("{} difference(s) are meant", self.meant.len()));
        let operations: usize = self.undescribed.values().sum();
        let classes = self.undescribed.len();
        lines.push(format!("{classes} API class(es) with {operations} operations are not described"));
        let stale = |entry| format!("stale: {entry:?} is listed as meant, and is no difference");
        lines.extend(self.stale.iter().map(stale));
        lines.extend(self.notes.iter().map(|note| format!("not understood: {note}")));
        lines.join("\n")
    }

    pub(crate) fn json(&self) -> Result<String> {
        let meant: Vec<_> = self
            .meant
            .iter()
            .map(|(difference, reason)| json!({"difference": difference, "reason": reason}))
            .collect();
        Ok(serde_json::to_string_pretty(&json!({
            "version": self.version,
            "compared": self.compared,
            "drift": self.drift,
            "meant": meant,
            "stale": self.stale,
            "undescribed": self.undescribed,
            "notes": self.notes,
        }))?)
    }
}
