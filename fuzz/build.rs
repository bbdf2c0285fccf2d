//! Lists the generated types, so that a type of a new service is fuzzed without another line.

use std::{env, fmt::Write as _, fs, path::Path};

use syn::{Attribute, Fields, Item, ItemStruct};

const GENERATED: &str = "../crates/client/src/generated.rs";

fn main() {
    println!("cargo::rerun-if-changed={GENERATED}");
    let text = fs::read_to_string(GENERATED).expect("the generated client is there");
    let file = syn::parse_file(&text).expect("the generated client is Rust");
    let types = file.items.into_iter().find_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content,
        _ => None,
    });
    let mut table = String::from("&[\n");
    for item in types.expect("the generated client has a module of types").1 {
        let Item::Struct(item) = item else { continue };
        if item.attrs.iter().any(|attribute| has(attribute, "derive", "Deserialize")) {
            let name = item.ident.to_string();
            let known = known(&item).map_or("None".to_owned(), |known| format!("Some(&{known:?})"));
            writeln!(table, "Type::new::<brickwire_client::types::{name}>({name:?}, {known}),")
                .expect("writing to a string can't fail");
        }
    }
    table.push(']');
    let folder = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&folder).join("types.rs"), table).expect("OUT_DIR can be written to");
}

/// The names of the fields on the wire, if the type keeps all others, too.
fn known(item: &ItemStruct) -> Option<Vec<String>> {
    let Fields::Named(fields) = &item.fields else { return None };
    let keeps_others = |attribute: &Attribute| has(attribute, "serde", "flatten");
    if !fields.named.iter().any(|field| field.attrs.iter().any(keeps_others)) {
        return None;
    }
    let mut names = Vec::new();
    for field in fields.named.iter().filter(|field| !field.attrs.iter().any(keeps_others)) {
        let mut name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            // What else a field says has a value, too, or none; it is of no interest.
            let _ = attribute.parse_nested_meta(|meta| {
                if meta.input.peek(syn::Token![=]) {
                    let value: syn::LitStr = meta.value()?.parse()?;
                    if meta.path.is_ident("rename") {
                        name = value.value();
                    }
                }
                Ok(())
            });
        }
        names.push(name);
    }
    Some(names)
}

/// Whether an attribute such as `#[derive(Clone, Deserialize)]` has this word.
fn has(attribute: &Attribute, path: &str, word: &str) -> bool {
    let mut found = false;
    if attribute.path().is_ident(path) {
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.is_ident(word);
            if meta.input.peek(syn::Token![=]) {
                let _: syn::LitStr = meta.value()?.parse()?;
            }
            Ok(())
        });
    }
    found
}
