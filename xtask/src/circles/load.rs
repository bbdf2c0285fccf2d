//! Reads the sources of a crate.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use syn::{Item, ItemMod};

use super::attributes;
use super::tree::{ModuleId, Tree};

/// Modules with their items, which the tree itself doesn't hold.
pub(super) type Sources = Vec<(ModuleId, Vec<Item>)>;

/// Reads all files of a crate, except those that only its tests use.
pub(super) fn load(crate_root: &Path) -> Result<(Tree, Sources)> {
    let folder = crate_root.parent().context("the crate's root lies in no folder")?;
    let mut loader = Loader { folder: folder.to_owned(), tree: Tree::default(), sources: Vec::new() };
    loader.file(crate_root, None, folder)?;
    Ok((loader.tree, loader.sources))
}

struct Loader {
    folder: PathBuf,
    tree: Tree,
    sources: Sources,
}

impl Loader {
    /// Reads a file, whose modules are in `folder`.
    fn file(&mut self, path: &Path, parent: Option<ModuleId>, folder: &Path) -> Result<Option<ModuleId>> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let syntax = syn::parse_file(&text).with_context(|| format!("cannot parse {}", path.display()))?;
        if attributes::is_test(&syntax.attrs) {
            return Ok(None);
        }
        let module = self.tree.add_file(parent, path.strip_prefix(&self.folder).unwrap_or(path));
        let beside = path.parent().unwrap_or(folder);
        let declared = declared(&syntax.items);
        self.items(module, syntax.items, folder, beside)?;
        self.undeclared(module, folder, &declared)?;
        Ok(Some(module))
    }

    /// Files that no `mod` declares: a macro does.
    fn undeclared(&mut self, parent: ModuleId, folder: &Path, declared: &BTreeSet<String>) -> Result<()> {
        let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|e| e == "rs")) {
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if !declared.contains(name)
                && let Some(module) = self.file(path, Some(parent), &folder.join(name))?
            {
                self.tree.add_child(parent, name, module);
            }
        }
        Ok(())
    }

    /// `beside` is the folder that `#[path]` attributes start from.
    fn items(&mut self, module: ModuleId, items: Vec<Item>, folder: &Path, beside: &Path) -> Result<()> {
        let items: Vec<Item> =
            items.into_iter().filter(|item| !attributes::is_test(attributes::of(item))).collect();
        for item in &items {
            self.tree.bind(module, item);
            match item {
                Item::Mod(item) => self.module(module, item, folder, beside)?,
                Item::Macro(item) if item.attrs.iter().any(|a| a.path().is_ident("macro_export")) => {
                    if let Some(ident) = &item.ident {
                        self.tree.export_macro(module, &ident.to_string());
                    }
                }
                _ => {}
            }
        }
        self.sources.push((module, items));
        Ok(())
    }

    fn module(&mut self, parent: ModuleId, item: &ItemMod, folder: &Path, beside: &Path) -> Result<()> {
        let name = item.ident.to_string();
        let name = name.trim_start_matches("r#");
        let below = folder.join(name);
        let module = if let Some((_, items)) = &item.content {
            let module = self.tree.add_inline(parent);
            self.items(module, items.clone(), &below, &below)?;
            Some(module)
        } else if let Some(path) = attributes::path(&item.attrs) {
            let path = beside.join(path);
            let folder = path.parent().unwrap_or(folder).to_owned();
            self.file(&path, Some(parent), &folder)?
        } else {
            let Some(path) =
                [folder.join(format!("{name}.rs")), below.join("mod.rs")].into_iter().find(|p| p.is_file())
            else {
                bail!("{} has no file for `mod {name};`", folder.display());
            };
            self.file(&path, Some(parent), &below)?
        };
        if let Some(module) = module {
            self.tree.add_child(parent, name, module);
        }
        Ok(())
    }
}

/// The names that a file's `mod` items declare, in tests too, and those that are no modules.
fn declared(items: &[Item]) -> BTreeSet<String> {
    let modules = items.iter().filter_map(|item| match item {
        Item::Mod(item) => Some(item.ident.to_string().trim_start_matches("r#").to_owned()),
        _ => None,
    });
    modules.chain(["lib", "main", "mod"].map(str::to_owned)).collect()
}
