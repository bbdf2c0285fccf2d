//! What has permissions: the types of objects, their names in answers, and their levels.

use crate::error::ApiError;

/// Plural noun, singular noun, levels, and whether it has an owner, always exactly one.
#[derive(Debug)]
pub(super) struct ObjectKind(&'static str, &'static str, &'static [&'static str], bool);

const FILES: &[&str] = &["CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"];
const MODELS: &[&str] =
    &["CAN_READ", "CAN_EDIT", "CAN_MANAGE_STAGING_VERSIONS", "CAN_MANAGE_PRODUCTION_VERSIONS", "CAN_MANAGE"];
const WAREHOUSES: &[&str] = &["CAN_USE", "CAN_MONITOR", "CAN_VIEW", "CAN_MANAGE", "IS_OWNER"];

const KINDS: &[ObjectKind] = &[
    ObjectKind("alerts", "alert", &["CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"], false),
    ObjectKind("apps", "app", &["CAN_USE", "CAN_MANAGE"], false),
    ObjectKind("cluster-policies", "cluster-policy", &["CAN_USE"], false),
    ObjectKind("clusters", "cluster", &["CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE"], false),
    ObjectKind("dashboards", "dashboard", FILES, false),
    ObjectKind("dbsql-dashboards", "dashboard", FILES, false),
    ObjectKind("directories", "directory", FILES, false),
    ObjectKind("experiments", "mlflowExperiment", &["CAN_READ", "CAN_EDIT", "CAN_MANAGE"], false),
    ObjectKind("files", "file", FILES, false),
    ObjectKind("genie", "genie", FILES, false),
    ObjectKind("instance-pools", "instance-pool", &["CAN_ATTACH_TO", "CAN_MANAGE"], false),
    ObjectKind("jobs", "job", &["CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"], true),
    ObjectKind("notebooks", "notebook", FILES, false),
    ObjectKind("pipelines", "pipelines", &["CAN_VIEW", "CAN_RUN", "CAN_MANAGE", "IS_OWNER"], true),
    ObjectKind("queries", "query", FILES, false),
    ObjectKind("registered-models", "registered-model", MODELS, false),
    ObjectKind("repos", "repo", FILES, false),
    ObjectKind("serving-endpoints", "serving-endpoint", &["CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"], false),
    ObjectKind("sql/warehouses", "warehouses", WAREHOUSES, false),
    ObjectKind("warehouses", "warehouses", WAREHOUSES, false),
];

impl ObjectKind {
    pub(super) fn plural(&self) -> &'static str {
        self.0
    }

    pub(super) fn singular(&self) -> &'static str {
        self.1
    }

    pub(super) fn levels(&self) -> &'static [&'static str] {
        self.2
    }

    pub(super) fn needs_owner(&self) -> bool {
        self.3
    }

    /// The level of an object's creator.
    pub(super) fn owner(&self) -> &'static str {
        self.2.last().copied().unwrap_or("CAN_MANAGE")
    }
}

/// An object of which permissions are asked for.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) kind: &'static ObjectKind,
    id: String,
}

impl Object {
    /// A type and an id, separated by the last slash.
    pub(super) fn parse(path: &str) -> Result<Self, ApiError> {
        let (kind, id) = path.rsplit_once('/').unwrap_or((path, ""));
        let Some(kind) = KINDS.iter().find(|known| known.plural() == kind) else {
            return Err(ApiError::invalid(format!("'{kind}' is not a supported object type.")));
        };
        if id.is_empty() {
            return Err(ApiError::invalid(format!("The id of the {} is missing.", kind.singular())));
        }
        Ok(Self { kind, id: id.to_owned() })
    }

    /// Its path, as answers have it.
    pub(super) fn path(&self) -> String {
        format!("{}{}", self.root(), self.id)
    }

    /// What everything of its type is in.
    pub(super) fn root(&self) -> String {
        format!(
            "/{}/",
            if self.kind.plural() == "warehouses" { "sql/warehouses" } else { self.kind.plural() }
        )
    }
}

/// A level in words: `CAN_MANAGE_RUN` is `Can manage run`.
pub(super) fn described(level: &str) -> String {
    let words = level.to_ascii_lowercase().replace('_', " ");
    words[..1].to_ascii_uppercase() + &words[1..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_may_have_a_slash() {
        let object = Object::parse("sql/warehouses/1f").unwrap();
        assert_eq!((object.path().as_str(), object.kind.owner()), ("/sql/warehouses/1f", "IS_OWNER"));
        assert_eq!(Object::parse("warehouses/1f").unwrap().path(), object.path());
        for wrong in ["jobs", "jobs/", "planets/7", "jobs/1/2"] {
            assert!(Object::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(described("CAN_MANAGE_RUN"), "Can manage run");
    }
}
