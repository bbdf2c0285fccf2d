//! The functions of Rust sources, as far as they aren't tests.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Block, Expr, ImplItem, Item, Lit, Meta, Type, Visibility,
    visit::{self, Visit},
};

use crate::circles::attributes::is_test;

/// A file of a crate.
pub(super) struct Source {
    /// Below the folder that was read.
    pub(super) path: PathBuf,
    pub(super) file: syn::File,
}

/// A function or a method.
pub(super) struct Function {
    /// The type whose method it is.
    pub(super) owner: Option<String>,
    pub(super) name: String,
    pub(super) is_public: bool,
    pub(super) docs: String,
    pub(super) block: Block,
}

impl Source {
    /// The name of the file or the folder right below the one that was read: the service.
    pub(super) fn service(&self) -> String {
        let first = self.path.components().next().map(|component| component.as_os_str().to_string_lossy());
        first.unwrap_or_default().trim_end_matches(".rs").to_owned()
    }

    /// All functions, nested modules included.
    pub(super) fn functions(&self) -> Vec<Function> {
        let mut functions = Functions::default();
        functions.visit_file(&self.file);
        functions.found
    }
}

/// All files below `folder`, in order; without tests.
pub(super) fn load(folder: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in files(folder, "rs")? {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let file = syn::parse_file(&text).with_context(|| format!("cannot parse {}", path.display()))?;
        let is_tests = path.file_stem().is_some_and(|stem| stem == "tests");
        if !is_tests && !is_test(&file.attrs) {
            sources.push(Source { path: path.strip_prefix(folder).unwrap_or(&path).to_owned(), file });
        }
    }
    Ok(sources)
}

/// The files below `folder` with this extension, sorted.
pub(super) fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[derive(Default)]
struct Functions {
    found: Vec<Function>,
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Mod(item) if is_test(&item.attrs) => {}
            Item::Fn(item) if is_test(&item.attrs) => {}
            Item::Fn(item) => self.found.push(Function {
                owner: None,
                name: item.sig.ident.to_string(),
                is_public: matches!(item.vis, Visibility::Public(_)),
                docs: docs(&item.attrs),
                block: (*item.block).clone(),
            }),
            Item::Impl(item) if is_test(&item.attrs) => {}
            Item::Impl(item) => {
                for member in &item.items {
                    if let ImplItem::Fn(member) = member {
                        self.found.push(Function {
                            owner: type_name(&item.self_ty),
                            name: member.sig.ident.to_string(),
                            is_public: matches!(member.vis, Visibility::Public(_)),
                            docs: docs(&member.attrs),
                            block: member.block.clone(),
                        });
                    }
                }
            }
            item => visit::visit_item(self, item),
        }
    }
}

/// The last name of a path.
pub(super) fn type_name(kind: &Type) -> Option<String> {
    match kind {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        Type::Reference(reference) => type_name(&reference.elem),
        _ => None,
    }
}

/// The documentation as text.
fn docs(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => text(&pair.value),
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A text in quotes.
pub(super) fn text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// All names in a piece of code, those in macros included, and those in texts not.
pub(super) fn names(code: &impl ToTokens) -> BTreeSet<String> {
    let (mut names, mut open) = (BTreeSet::new(), vec![code.to_token_stream()]);
    while let Some(tokens) = open.pop() {
        collect(tokens, &mut names, &mut open);
    }
    names
}

fn collect(tokens: TokenStream, names: &mut BTreeSet<String>, open: &mut Vec<TokenStream>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => drop(names.insert(name.to_string())),
            TokenTree::Group(group) => open.push(group.stream()),
            _ => {}
        }
    }
}
