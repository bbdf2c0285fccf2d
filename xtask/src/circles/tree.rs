//! The module tree of a crate, and what a path in it leads to.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use syn::{ForeignItem, Item, ItemUse, UseTree, Visibility};

use super::tokens;

pub(super) type ModuleId = usize;
pub(super) type FileId = usize;

/// The crate's root, which is added first.
const ROOT: ModuleId = 0;

/// The modules of a crate and the names in them.
#[derive(Default)]
pub(super) struct Tree {
    /// Relative to the folder of the crate's root.
    files: Vec<PathBuf>,
    modules: Vec<Module>,
    imports: Vec<Import>,
}

struct Module {
    parent: Option<ModuleId>,
    /// The names inside of a block: what isn't found here is looked up in the parent.
    is_block: bool,
    file: FileId,
    names: HashMap<String, Vec<Binding>>,
    globs: Vec<usize>,
}

/// What a name in a module stands for. A name can be several things: a module and a function, or two items under
/// different `cfg`s.
#[derive(Clone, Copy)]
enum Binding {
    Module(ModuleId),
    Item,
    Macro,
    /// An index into [`Tree::imports`].
    Import(usize),
}

struct Import {
    module: ModuleId,
    path: Vec<String>,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    Module(ModuleId),
    Item { file: FileId, name: String },
}

/// One leaf of a `use` declaration.
pub(super) struct Leaf {
    pub(super) path: Vec<String>,
    name: Option<String>,
    pub(super) is_glob: bool,
}

impl Tree {
    pub(super) fn path(&self, file: FileId) -> &Path {
        &self.files[file]
    }

    pub(super) fn file(&self, module: ModuleId) -> FileId {
        self.modules[module].file
    }

    /// Adds a file, which is a module.
    pub(super) fn add_file(&mut self, parent: Option<ModuleId>, path: &Path) -> ModuleId {
        self.files.push(path.to_owned());
        self.add_module(parent, false, self.files.len() - 1)
    }

    /// Adds a module that is in its parent's file.
    pub(super) fn add_inline(&mut self, parent: ModuleId) -> ModuleId {
        self.add_module(Some(parent), false, self.file(parent))
    }

    pub(super) fn add_child(&mut self, parent: ModuleId, name: &str, child: ModuleId) {
        self.add_name(parent, name, Binding::Module(child));
    }

    /// Makes a macro of `module` known in the crate's root.
    pub(super) fn export_macro(&mut self, module: ModuleId, name: &str) {
        if module != ROOT {
            self.imports.push(Import { module, path: vec![name.to_owned()] });
            self.add_name(ROOT, name, Binding::Import(self.imports.len() - 1));
        }
    }

    /// Makes the items of a block a module of their own, which sees the names around it.
    pub(super) fn add_block<'a>(
        &mut self,
        parent: ModuleId,
        items: impl Iterator<Item = &'a Item>,
    ) -> ModuleId {
        let block = self.add_module(Some(parent), true, self.file(parent));
        items.for_each(|item| self.bind(block, item));
        block
    }

    fn add_module(&mut self, parent: Option<ModuleId>, is_block: bool, file: FileId) -> ModuleId {
        self.modules.push(Module { parent, is_block, file, names: HashMap::new(), globs: Vec::new() });
        self.modules.len() - 1
    }

    fn add_name(&mut self, module: ModuleId, name: &str, binding: Binding) {
        self.modules[module].names.entry(name.to_owned()).or_default().push(binding);
    }

    /// Makes the names that an item declares known in `module`, except those of modules.
    pub(super) fn bind(&mut self, module: ModuleId, item: &Item) {
        let ident = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Union(item) => &item.ident,
            Item::ForeignMod(item) => {
                for item in &item.items {
                    if let ForeignItem::Fn(function) = item {
                        self.add_name(module, &function.sig.ident.to_string(), Binding::Item);
                    }
                }
                return;
            }
            Item::Macro(item) => {
                match &item.ident {
                    Some(ident) => self.add_name(module, &ident.to_string(), Binding::Macro),
                    None => tokens::definitions(item.mac.tokens.clone())
                        .iter()
                        .for_each(|name| self.add_name(module, name, Binding::Item)),
                }
                return;
            }
            Item::Use(item) => return self.bind_use(module, item),
            _ => return,
        };
        self.add_name(module, &ident.to_string(), Binding::Item);
    }

    fn bind_use(&mut self, module: ModuleId, item: &ItemUse) {
        for leaf in leaves(item) {
            let import = self.imports.len();
            self.imports.push(Import { module, path: leaf.path });
            if leaf.is_glob {
                self.modules[module].globs.push(import);
            } else if let Some(name) = leaf.name {
                self.add_name(module, &name, Binding::Import(import));
            }
        }
    }

    /// What `path` means in `module`. A path to another crate, or to a local variable, leads nowhere.
    pub(super) fn resolve(&self, module: ModuleId, path: &[String]) -> Vec<Target> {
        self.walk(module, path, &mut Vec::new())
    }

    /// The macro `name` of a module around `module`: unlike items, macros are seen by the modules inside of theirs.
    pub(super) fn resolve_macro(&self, module: ModuleId, name: &str) -> Option<Target> {
        let mut around = self.modules[module].parent;
        while let Some(module) = around {
            let here = &self.modules[module];
            if here.names.get(name).is_some_and(|all| all.iter().any(|b| matches!(b, Binding::Macro))) {
                return Some(Target::Item { file: here.file, name: name.to_owned() });
            }
            around = here.parent;
        }
        None
    }

    /// `busy` has the imports that are being resolved, each of which may lead to itself.
    fn walk(&self, module: ModuleId, path: &[String], busy: &mut Vec<usize>) -> Vec<Target> {
        let Some((first, mut rest)) = path.split_first() else { return Vec::new() };
        let mut targets = match first.as_str() {
            "crate" => vec![Target::Module(ROOT)],
            "self" => vec![Target::Module(self.named(module))],
            "super" => {
                let mut above = self.above(module);
                while let Some((_, after)) = rest.split_first().filter(|(next, _)| *next == "super") {
                    above = above.and_then(|module| self.above(module));
                    rest = after;
                }
                above.map(Target::Module).into_iter().collect()
            }
            name => self.look_up_outwards(module, name, busy),
        };
        for name in rest {
            targets = targets
                .into_iter()
                .flat_map(|target| match target {
                    Target::Module(module) => self.look_up(module, name, busy),
                    // What is associated with a type or a variant of it is where the type is.
                    item @ Target::Item { .. } => vec![item],
                })
                .collect();
        }
        targets
    }

    /// The module that a block is in; a module is in itself.
    fn named(&self, mut module: ModuleId) -> ModuleId {
        while let Module { is_block: true, parent: Some(parent), .. } = self.modules[module] {
            module = parent;
        }
        module
    }

    fn above(&self, module: ModuleId) -> Option<ModuleId> {
        self.modules[self.named(module)].parent.map(|parent| self.named(parent))
    }

    fn look_up_outwards(&self, module: ModuleId, name: &str, busy: &mut Vec<usize>) -> Vec<Target> {
        let found = self.look_up(module, name, busy);
        match &self.modules[module] {
            Module { is_block: true, parent: Some(parent), .. } if found.is_empty() => {
                self.look_up_outwards(*parent, name, busy)
            }
            _ => found,
        }
    }

    fn look_up(&self, module: ModuleId, name: &str, busy: &mut Vec<usize>) -> Vec<Target> {
        let here = &self.modules[module];
        let mut targets = Vec::new();
        for binding in here.names.get(name).into_iter().flatten() {
            match *binding {
                Binding::Module(module) => targets.push(Target::Module(module)),
                Binding::Item | Binding::Macro => {
                    targets.push(Target::Item { file: here.file, name: name.to_owned() })
                }
                Binding::Import(import) => targets.extend(self.follow(import, busy)),
            }
        }
        if targets.is_empty() {
            for &glob in &here.globs {
                if busy.contains(&glob) {
                    continue;
                }
                let sources = self.follow(glob, busy);
                busy.push(glob);
                for source in sources {
                    if let Target::Module(source) = source {
                        targets.extend(self.look_up(source, name, busy));
                    }
                }
                busy.pop();
            }
        }
        targets
    }

    fn follow(&self, import: usize, busy: &mut Vec<usize>) -> Vec<Target> {
        if busy.contains(&import) {
            return Vec::new();
        }
        busy.push(import);
        let Import { module, path } = &self.imports[import];
        let targets = self.walk(*module, path, busy);
        busy.pop();
        targets
    }
}

/// The leaves of a `use` declaration; none where it begins with `::`, which leads out of the crate.
pub(super) fn leaves(item: &ItemUse) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    if item.leading_colon.is_none() {
        flatten(&item.tree, &mut Vec::new(), &mut leaves);
    }
    leaves
}

fn flatten(tree: &UseTree, prefix: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
    let mut add = |last: Option<&syn::Ident>, name: Option<&syn::Ident>, is_glob| {
        let mut path = prefix.clone();
        path.extend(last.filter(|ident| *ident != "self" || prefix.is_empty()).map(ToString::to_string));
        let name = name.filter(|ident| *ident != "_").map(ToString::to_string);
        let name = if name.as_deref() == Some("self") { path.last().cloned() } else { name };
        leaves.push(Leaf { path, name, is_glob });
    };
    match tree {
        UseTree::Name(leaf) => add(Some(&leaf.ident), Some(&leaf.ident), false),
        UseTree::Rename(leaf) => add(Some(&leaf.ident), Some(&leaf.rename), false),
        UseTree::Glob(_) => add(None, None, true),
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            flatten(&path.tree, prefix, leaves);
            prefix.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, prefix, leaves)),
    }
}

/// Whether a `use` only forwards names to other modules.
pub(super) fn is_reexport(item: &ItemUse) -> bool {
    !matches!(item.vis, Visibility::Inherited)
}
