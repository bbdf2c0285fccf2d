//! The actions: which operations the connector calls, and which of its public methods lead to each.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::Result;
use heck::ToSnakeCase;

use super::rust::{self, Function};

/// What the sources of the actions say.
pub(super) struct Actions {
    used: BTreeSet<String>,
    methods: Vec<Method>,
    /// Methods of a workspace, such as `jobs`, and the service that each leads to.
    accessors: BTreeMap<String, String>,
}

/// A public method and the operations that it leads to.
struct Method {
    service: String,
    file: String,
    owner: String,
    name: String,
    operations: BTreeSet<String>,
}

impl Actions {
    /// Reads the sources in `folder`; `ids` are the operations.
    pub(super) fn read(folder: &Path, ids: &[&str]) -> Result<Self> {
        let ids: BTreeSet<&str> = ids.iter().copied().collect();
        let mut actions = Self { used: BTreeSet::new(), methods: Vec::new(), accessors: BTreeMap::new() };
        let mut inherited = Vec::new();
        for source in rust::load(folder)? {
            for function in source.functions() {
                let called = called(&function, &ids);
                actions.used.extend(called.iter().cloned());
                let Some(owner) = function.owner.clone().filter(|_| function.is_public) else { continue };
                if owner == "Workspace" {
                    actions.accessors.insert(function.name.clone(), source.service());
                }
                let mut operations = documented(&function.docs, &ids);
                operations.extend(called);
                if operations.is_empty() {
                    inherited.extend(like(&function.docs).map(|like| (actions.methods.len(), like)));
                }
                let file = source.path.to_string_lossy().replace('\\', "/");
                actions.methods.push(Method {
                    service: source.service(),
                    file,
                    owner,
                    name: function.name,
                    operations,
                });
            }
        }
        for (index, name) in inherited {
            let owner = &actions.methods[index].owner;
            let model = actions.methods.iter().find(|it| it.owner == *owner && it.name == name);
            actions.methods[index].operations = model.map(|it| it.operations.clone()).unwrap_or_default();
        }
        Ok(actions)
    }

    /// Whether the connector calls the operation.
    pub(super) fn uses(&self, id: &str) -> bool {
        self.used.contains(id)
    }

    /// The first of the methods that lead to few operations besides this one, and its file.
    pub(super) fn method(&self, id: &str) -> Option<(String, String)> {
        let methods = self.methods.iter().filter(|method| method.operations.contains(id));
        let best = methods.min_by_key(|method| method.operations.len())?;
        Some((format!("{}::{}", best.owner, best.name), best.file.clone()))
    }

    /// The service that `workspace.NAME()` leads to.
    pub(super) fn service(&self, accessor: &str) -> Option<&str> {
        self.accessors.get(accessor).map(String::as_str)
    }

    /// The operations of the methods of a service with this name; `None` if it has none. Where several types have one,
    /// what it is called on decides: `run` is a `JobRun`.
    pub(super) fn operations(&self, service: &str, receiver: &str, method: &str) -> Option<BTreeSet<&str>> {
        let methods: Vec<&Method> =
            self.methods.iter().filter(|it| it.service == service && it.name == method).collect();
        let is_receiver = |it: &&Method| {
            let owner = it.owner.to_snake_case();
            owner == receiver || owner.strip_suffix(receiver).is_some_and(|start| start.ends_with('_'))
        };
        let exact: Vec<&Method> = methods.iter().copied().filter(is_receiver).collect();
        let methods = if exact.is_empty() { methods } else { exact };
        (!methods.is_empty())
            .then(|| methods.iter().flat_map(|it| &it.operations).map(String::as_str).collect())
    }
}

/// The operations that a function calls: `client.jobs_get(...)`, or `operations::JOBS_GET`.
fn called(function: &Function, ids: &BTreeSet<&str>) -> BTreeSet<String> {
    let names = rust::names(&function.block);
    let names = names.into_iter().filter(|name| {
        ids.contains(name.as_str())
            || (*name == name.to_uppercase() && ids.contains(name.to_lowercase().as_str()))
    });
    names.map(|name| name.to_lowercase()).collect()
}

/// The operations that a method's documentation names: "Operations: `runs_get`, `runs_cancel`."
fn documented(docs: &str, ids: &BTreeSet<&str>) -> BTreeSet<String> {
    let start = ["Operation: ", "Operations: "].iter().filter_map(|marker| docs.find(marker)).min();
    let names = docs[start.unwrap_or(docs.len())..].split('`').skip(1).step_by(2);
    names.filter(|name| ids.contains(name)).map(str::to_owned).collect()
}

/// The method that a method is like: in "As for `list`", written as a link, it is `list`.
fn like(docs: &str) -> Option<String> {
    let (_, rest) = docs.split_once("As for [")?;
    let (_, rest) = rest.split_once("](Self::")?;
    rest.split_once(')').map(|(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::Actions;

    #[test]
    fn an_action_is_found_by_its_call_or_by_its_documentation() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("toys")).unwrap();
        fs::write(
            folder.path().join("toys.rs"),
            r#"
            impl Workspace { pub fn toys(&self) -> Toys { Toys } }
            impl Toys {
                /// Finds one.
                ///
                /// # Errors
                /// None. Operations: `toys_list`,
                /// `toys_get`.
                pub async fn find(&self) { self.page().await }
                /// Lists all. Operation: `toys_list`.
                pub async fn list(&self) { self.page().await }
                /// # Errors
                /// As for [`list`](Self::list).
                pub async fn list_json(&self) {}
                pub async fn get(&self) { "toys_delete"; try_it!(client.toys_get(1)) }
                async fn page(&self) { call(&operations::TOYS_LIST) }
            }
            #[cfg(test)]
            mod tests { fn test() { client.toys_delete() } }
            "#,
        )
        .unwrap();
        fs::write(
            folder.path().join("toys/rename.rs"),
            "impl Toy { pub fn rename(&self) { client.toys_rename() } }",
        )
        .unwrap();
        let actions =
            Actions::read(folder.path(), &["toys_list", "toys_get", "toys_rename", "toys_delete"]).unwrap();
        assert!(["toys_list", "toys_get", "toys_rename"].iter().all(|id| actions.uses(id)));
        assert!(!actions.uses("toys_delete"));
        let method = |id| actions.method(id).map(|(name, _)| name);
        assert_eq!(method("toys_list").as_deref(), Some("Toys::list"));
        assert_eq!(method("toys_get").as_deref(), Some("Toys::get"));
        assert_eq!(
            actions.method("toys_rename"),
            Some(("Toy::rename".to_owned(), "toys/rename.rs".to_owned()))
        );
        assert_eq!(method("toys_delete"), None);
        assert_eq!(actions.service("toys"), Some("toys"));
        assert_eq!(actions.operations("toys", "", "list_json"), Some(BTreeSet::from(["toys_list"])));
        assert_eq!(actions.operations("toys", "toy", "rename"), Some(BTreeSet::from(["toys_rename"])));
        assert_eq!(actions.operations("toys", "toys", "page"), None);
    }
}
