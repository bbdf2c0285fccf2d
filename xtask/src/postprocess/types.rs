//! The types: open enums, objects, redacted secrets, `Default` everywhere, and less of everything else.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Field, Fields, Ident, Item, ItemEnum, ItemImpl, ItemMod, ItemStruct, Token, Type, Variant,
    parse_quote,
};

/// Type and wire name of a property.
type Property = (String, String);

/// Rewrites the `types` module; `secrets` holds each secret, and `aliases` the second spelling of each property that has
/// one.
pub(crate) fn rewrite(
    module: &mut ItemMod,
    secrets: &BTreeSet<Property>,
    aliases: &BTreeMap<Property, String>,
) -> Result<()> {
    module.attrs.retain(|attribute| attribute.path().is_ident("doc"));
    let (_, items) = module.content.as_mut().context("the `types` module is empty")?;
    let enums: BTreeSet<Ident> = items.iter().filter_map(plain_enum).map(|item| item.ident.clone()).collect();
    let mut rewritten = Vec::new();
    let mut pending = (secrets.clone(), aliases.clone());
    for item in std::mem::take(items) {
        match item {
            Item::Enum(item) if enums.contains(&item.ident) => rewritten.extend(open_enum(item)),
            // What `open_enum!` supplies.
            Item::Impl(block) if implements_for(&block, &enums) => {}
            // The error of the closed enums' conversions.
            Item::Mod(_) => {}
            Item::Struct(item) => rewritten.extend(rewrite_struct(item, &mut pending)?),
            item => rewritten.push(item),
        }
    }
    let (secrets, aliases) = pending;
    ensure!(secrets.is_empty(), "no field for the secrets {secrets:?}");
    ensure!(aliases.is_empty(), "no field for the aliases {aliases:?}");
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

/// Serde's derives give way to a macro, which has what is the same for all: how fields are read and written.
fn rewrite_struct(
    mut item: ItemStruct,
    (secrets, aliases): &mut (BTreeSet<Property>, BTreeMap<Property, String>),
) -> Result<Vec<Item>> {
    let name = item.ident.clone();
    let mut fields = Vec::new();
    let (mut members, mut required, mut extra) = (Vec::new(), Vec::new(), None);
    for field in &mut item.fields {
        option_outside_box(field);
        let Some(ident) = field.ident.clone() else { continue };
        let wire = wire_name(&field.attrs, &ident);
        let serde: Vec<String> = serde_words(&field.attrs)?;
        field.attrs.retain(|attribute| !attribute.path().is_ident("serde"));
        let property = (name.to_string(), wire.clone());
        fields.push((ident.clone(), secrets.remove(&property)));
        if serde.iter().any(|word| word == "flatten") {
            extra = Some(quote!(, #ident));
            continue;
        }
        let alias = aliases.remove(&property).map(|alias| quote!(| #alias));
        members.push(quote!((#ident, #wire #alias)));
        let is_optional = is_option(&field.ty);
        let is_left_out = serde.iter().any(|word| word == "skip_serializing_if");
        ensure!(is_optional == is_left_out, "{name}.{ident}: optional, and yet always there, or the reverse");
        if !is_optional {
            required.push(wire);
        }
    }
    let redacted = fields.iter().any(|(_, secret)| *secret);
    item.attrs
        .retain(|attribute| !attribute.path().is_ident("derive") && !attribute.path().is_ident("serde"));
    item.attrs.insert(
        item.attrs.iter().take_while(|attribute| attribute.path().is_ident("doc")).count(),
        if redacted {
            parse_quote!(#[derive(Clone, Default, PartialEq)])
        } else {
            parse_quote!(#[derive(Clone, Debug, Default, PartialEq)])
        },
    );
    let debug = redacted.then(|| redacting_debug(&name, &fields));
    let json = match item.fields {
        Fields::Named(_) => {
            parse_quote!(crate::object::object!(#name, [#(#members),*], [#(#required),*] #extra);)
        }
        _ => parse_quote!(crate::object::transparent!(#name);),
    };
    Ok([Some(Item::Struct(item)), debug, Some(json)].into_iter().flatten().collect())
}

/// The words of the `serde` attributes, such as `rename` and `default`, without their values.
fn serde_words(attributes: &[Attribute]) -> Result<Vec<String>> {
    let mut words = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        attribute.parse_nested_meta(|meta| {
            words.extend(meta.path.get_ident().map(ToString::to_string));
            if meta.input.peek(Token![=]) {
                meta.value()?.parse::<syn::LitStr>()?;
            }
            Ok(())
        })?;
    }
    Ok(words)
}

fn is_option(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option"))
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
