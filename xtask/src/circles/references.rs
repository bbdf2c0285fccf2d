//! Which items of other files the code of a module names.

use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Arm, Attribute, Block, Expr, Field, FieldValue, ImplItem, Item, ItemMod, ItemUse, Local, Macro, Meta,
    Path, Stmt, StmtMacro, TraitItem, Variant,
    visit::{self, Visit},
};

use super::attributes;
use super::tokens;
use super::tree::{self, FileId, ModuleId, Target, Tree};

/// The keys of serde attributes whose value is the path of a function or a type.
const PATH_KEYS: [&str; 8] = [
    "default",
    "deserialize_with",
    "from",
    "into",
    "remote",
    "serialize_with",
    "skip_serializing_if",
    "try_from",
];

/// An item of `to` is named in `from`.
pub(super) struct Reference {
    pub(super) from: FileId,
    pub(super) to: FileId,
    pub(super) item: String,
}

/// Collects what the items of a module name, without those of the modules inside of it.
pub(super) fn collect(tree: &mut Tree, module: ModuleId, items: &[Item]) -> Vec<Reference> {
    let mut visitor = Visitor { tree, module, found: Vec::new() };
    items.iter().filter(|item| !matches!(item, Item::Mod(_))).for_each(|item| visitor.visit_item(item));
    visitor.found
}

struct Visitor<'t> {
    tree: &'t mut Tree,
    module: ModuleId,
    found: Vec<Reference>,
}

impl Visitor<'_> {
    fn add(&mut self, targets: impl IntoIterator<Item = Target>) {
        let from = self.tree.file(self.module);
        for target in targets {
            if let Target::Item { file: to, name: item } = target {
                self.found.push(Reference { from, to, item });
            }
        }
    }

    fn add_path(&mut self, path: &[String]) {
        self.add(self.tree.resolve(self.module, path));
    }

    fn add_tokens(&mut self, tokens: TokenStream) {
        tokens::paths(tokens).iter().for_each(|path| self.add_path(path));
    }

    /// `key = "path"` in an attribute's tokens.
    fn add_text(&mut self, key: &str, text: &str) {
        let tokens = |text: &str| TokenStream::from_str(text).unwrap_or_default();
        if PATH_KEYS.contains(&key) {
            self.add_tokens(tokens(text));
        } else if key == "with" {
            self.add_tokens(tokens(&format!("{text}::serialize, {text}::deserialize")));
        }
    }
}

impl<'a> Visit<'a> for Visitor<'_> {
    fn visit_path(&mut self, path: &'a Path) {
        if path.leading_colon.is_none() {
            let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
            self.add_path(&segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'a Macro) {
        if let Some(name) = call.path.get_ident() {
            self.add(self.tree.resolve_macro(self.module, &name.to_string()));
        }
        self.add_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'a Attribute) {
        let Meta::List(list) = &attribute.meta else { return };
        self.add_tokens(list.tokens.clone());
        let tokens: Vec<TokenTree> = list.tokens.clone().into_iter().collect();
        for window in tokens.windows(3) {
            if let [TokenTree::Ident(key), TokenTree::Punct(_), TokenTree::Literal(literal)] = window {
                self.add_text(&key.to_string(), literal.to_string().trim_matches('"'));
            }
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        if tree::is_reexport(item) {
            return;
        }
        // A glob over a module counts by what is used of it; one over an enum is a dependency on the enum.
        tree::leaves(item).iter().for_each(|leaf| self.add_path(&leaf.path));
    }

    fn visit_block(&mut self, block: &'a Block) {
        let items = block.stmts.iter().filter_map(|statement| match statement {
            Stmt::Item(item) if !attributes::is_test(attributes::of(item)) => Some(item),
            _ => None,
        });
        let outside = self.module;
        self.module = self.tree.add_block(outside, items);
        visit::visit_block(self, block);
        self.module = outside;
    }

    /// A module in a block.
    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        let items = item.content.as_ref().map(|(_, items)| items.as_slice()).unwrap_or_default();
        let outside = self.module;
        self.module = self.tree.add_block(outside, items.iter());
        visit::visit_item_mod(self, item);
        self.module = outside;
    }

    fn visit_item(&mut self, item: &'a Item) {
        if !attributes::is_test(attributes::of(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'a ImplItem) {
        let all: &[Attribute] = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Macro(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            _ => &[],
        };
        if !attributes::is_test(all) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'a TraitItem) {
        let all: &[Attribute] = match item {
            TraitItem::Const(item) => &item.attrs,
            TraitItem::Fn(item) => &item.attrs,
            TraitItem::Macro(item) => &item.attrs,
            TraitItem::Type(item) => &item.attrs,
            _ => &[],
        };
        if !attributes::is_test(all) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_field(&mut self, field: &'a Field) {
        if !attributes::is_test(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_variant(&mut self, variant: &'a Variant) {
        if !attributes::is_test(&variant.attrs) {
            visit::visit_variant(self, variant);
        }
    }

    fn visit_field_value(&mut self, value: &'a FieldValue) {
        if !attributes::is_test(&value.attrs) {
            visit::visit_field_value(self, value);
        }
    }

    fn visit_arm(&mut self, arm: &'a Arm) {
        if !attributes::is_test(&arm.attrs) {
            visit::visit_arm(self, arm);
        }
    }

    fn visit_local(&mut self, local: &'a Local) {
        if !attributes::is_test(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_stmt_macro(&mut self, statement: &'a StmtMacro) {
        if !attributes::is_test(&statement.attrs) {
            visit::visit_stmt_macro(self, statement);
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        if !matches!(expression, Expr::Block(block) if attributes::is_test(&block.attrs)) {
            visit::visit_expr(self, expression);
        }
    }
}
