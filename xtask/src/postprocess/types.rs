//! The types: open enums, tolerant integers, redacted secrets, `Default` everywhere, and less of everything else.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Field, Fields, Ident, Item, ItemEnum, ItemImpl, ItemMod, ItemStruct, Meta, Type, Variant,
    parse_quote,
};

/// Rewrites the `types` module; `secrets` holds type and wire name of each secret.
pub(crate) fn rewrite(module: &mut ItemMod, secrets: &BTreeSet<(String, String)>) -> Result<()> {
    module.attrs.retain(|attribute| attribute.path().is_ident("doc"));
    let (_, items) = module.content.as_mut().context("the `types` module is empty")?;
    let enums: BTreeSet<Ident> = items.iter().filter_map(plain_enum).map(|item| item.ident.clone()).collect();
    let mut rewritten = vec![parse_quote!(
        use serde::{Deserialize, Serialize};
    )];
    let mut pending = secrets.clone();
    for item in std::mem::take(items) {
        match item {
            Item::Enum(item) if enums.contains(&item.ident) => rewritten.extend(open_enum(item)),
            // What `open_enum!` supplies.
            Item::Impl(block) if implements_for(&block, &enums) => {}
            // The error of the closed enums' conversions.
            Item::Mod(_) => {}
            Item::Struct(item) => rewritten.extend(rewrite_struct(item, &mut pending)),
            item => rewritten.push(item),
        }
    }
    ensure!(pending.is_empty(), "no field for the secrets {pending:?}");
    *items = rewritten;
    Ok(())
}

fn plain_enum(item: &Item) -> Option<&ItemEnum> {
    match item {
        Item::Enum(item) if item.variants.iter().all(|variant| matches!(variant.fields, Fields::Unit)) => {
            Some(item)
        }
        _ => None,
    }
}

fn implements_for(block: &ItemImpl, names: &BTreeSet<Ident>) -> bool {
    match &*block.self_ty {
        Type::Path(path) => path.path.get_ident().is_some_and(|name| names.contains(name)),
        _ => false,
    }
}

/// The enum stays visible, for documentation and for editors; a macro supplies what is the same for all.
fn open_enum(mut item: ItemEnum) -> [Item; 2] {
    let name = item.ident.clone();
    let pairs: Vec<_> = item
        .variants
        .iter_mut()
        .map(|variant| {
            let wire = wire_name(&variant.attrs, &variant.ident);
            variant.attrs.retain(|attribute| !attribute.path().is_ident("serde"));
            let variant = &variant.ident;
            quote!((#variant, #wire))
        })
        .collect();
    item.attrs.retain(|attribute| attribute.path().is_ident("doc"));
    item.attrs.push(parse_quote!(#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]));
    item.attrs.push(parse_quote!(#[non_exhaustive]));
    let unknown: Variant = parse_quote! {
        #[doc = "A value that the API description does not know."]
        UnknownValue(String)
    };
    item.variants.push(unknown);
    [Item::Enum(item), parse_quote!(crate::open_enum::open_enum!(#name, [#(#pairs),*]);)]
}

/// The name in `#[serde(rename = "…")]`, else the Rust name.
fn wire_name(attributes: &[Attribute], ident: &Ident) -> String {
    let mut name = ident.to_string();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        // Parsing stops at the first part that has no value, which is fine: `rename` comes first.
        let _ = attribute.parse_nested_meta(|meta| {
            let value: syn::LitStr = meta.value()?.parse()?;
            if meta.path.is_ident("rename") {
                name = value.value();
            }
            Ok(())
        });
    }
    name
}

fn rewrite_struct(mut item: ItemStruct, pending: &mut BTreeSet<(String, String)>) -> Vec<Item> {
    let owner = item.ident.to_string();
    let mut fields = Vec::new();
    for field in &mut item.fields {
        option_outside_box(field);
        tolerate_text(field);
        if let Some(ident) = field.ident.clone() {
            let secret = pending.remove(&(owner.clone(), wire_name(&field.attrs, &ident)));
            fields.push((ident, secret));
        }
    }
    let redacted = fields.iter().any(|(_, secret)| *secret);
    item.attrs.retain(|attribute| !attribute.path().is_ident("derive"));
    item.attrs.insert(
        item.attrs.iter().take_while(|attribute| attribute.path().is_ident("doc")).count(),
        if redacted {
            parse_quote!(#[derive(Clone, Default, Deserialize, PartialEq, Serialize)])
        } else {
            parse_quote!(#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)])
        },
    );
    let debug = redacted.then(|| redacting_debug(&item.ident, &fields));
    std::iter::once(Item::Struct(item)).chain(debug).collect()
}

fn redacting_debug(owner: &Ident, fields: &[(Ident, bool)]) -> Item {
    let name = owner.to_string();
    let calls = fields.iter().map(|(field, secret)| {
        let name = field.to_string();
        if *secret {
            quote!(.field(#name, &crate::redacted::Redacted))
        } else {
            quote!(.field(#name, &self.#field))
        }
    });
    parse_quote! {
        impl std::fmt::Debug for #owner {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(#name)#(#calls)*.finish()
            }
        }
    }
}

/// typify breaks some cycles with `Box<Option<T>>`, which sends `null`.
fn option_outside_box(field: &mut Field) {
    let text = field.ty.to_token_stream().to_string().replace(' ', "");
    let inner = text
        .strip_prefix("::std::boxed::Box<::std::option::Option<")
        .and_then(|rest| rest.strip_suffix(">>"));
    if let Some(inner) = inner.and_then(|inner| syn::parse_str::<Type>(inner).ok()) {
        field.ty = parse_quote!(::std::option::Option<::std::boxed::Box<#inner>>);
        field.attrs.push(parse_quote!(#[serde(skip_serializing_if = "::std::option::Option::is_none")]));
    }
}

const LIST: &str = "::std::vec::Vec<";
const OPTIONAL_LIST: &str = "::std::option::Option<::std::vec::Vec<";

/// A number may come as text, and a map may have entries without a value; lists are read within a limit.
fn tolerate_text(field: &mut Field) {
    let text = field.ty.to_token_stream().to_string().replace(' ', "");
    let part = match text.as_str() {
        "::std::option::Option<i64>" | "::std::option::Option<i32>" => {
            quote!(default, deserialize_with = "crate::integer::optional")
        }
        "i64" | "i32" => quote!(deserialize_with = "crate::integer::required"),
        "::std::option::Option<f64>" => quote!(default, with = "crate::double::optional"),
        map if map.starts_with("::std::option::Option<::std::collections::BTreeMap<") => {
            quote!(default, deserialize_with = "brickwire_wire::json::map")
        }
        rows if rows.starts_with(&format!("{OPTIONAL_LIST}{LIST}")) => {
            quote!(default, deserialize_with = "brickwire_wire::json::rows")
        }
        list if list.starts_with(OPTIONAL_LIST) => {
            quote!(default, deserialize_with = "brickwire_wire::json::list")
        }
        _ => return,
    };
    let present = field.attrs.iter_mut().find(|attribute| attribute.path().is_ident("serde"));
    match present.map(|attribute| &mut attribute.meta) {
        Some(Meta::List(list)) => list.tokens.extend(quote!(, #part)),
        _ => field.attrs.push(parse_quote!(#[serde(#part)])),
    }
}
