//! One workspace object.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Kind {
    Directory,
    File,
    Notebook,
    Repo,
}

/// An object; its path is where it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) id: i64,
    pub(crate) kind: Kind,
    /// `PYTHON`, `SQL`, `SCALA`, or `R`, of a notebook.
    pub(crate) language: Option<String>,
    /// Of a notebook, the source with its first line.
    #[serde(with = "crate::blob")]
    pub(crate) content: Bytes,
    pub(crate) created_ms: u64,
    pub(crate) modified_ms: u64,
    /// What a Git folder has checked out.
    pub(crate) repo: Map<String, Value>,
}

impl Object {
    pub(crate) fn folder(id: i64, now_ms: u64) -> Self {
        Self {
            id,
            kind: Kind::Directory,
            language: None,
            content: Bytes::new(),
            created_ms: now_ms,
            modified_ms: now_ms,
            repo: Map::new(),
        }
    }

    pub(crate) fn is_folder(&self) -> bool {
        matches!(self.kind, Kind::Directory | Kind::Repo)
    }

    pub(crate) fn language(&self) -> &str {
        self.language.as_deref().unwrap_or("PYTHON")
    }

    pub(crate) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.content)
    }

    /// What the service shows of it.
    pub(crate) fn to_json(&self, path: &str) -> Value {
        let path = if path.is_empty() { "/" } else { path };
        let mut shown = json!({
            "object_type": self.kind, "path": path, "object_id": self.id, "resource_id": self.id.to_string(),
        });
        if !self.is_folder() {
            shown["created_at"] = json!(self.created_ms);
            shown["modified_at"] = json!(self.modified_ms);
        }
        match self.kind {
            Kind::Notebook => shown["language"] = json!(self.language()),
            Kind::File => shown["size"] = json!(self.content.len()),
            Kind::Directory | Kind::Repo => {}
        }
        shown
    }
}
