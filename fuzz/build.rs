//! Lists the generated types, so that a type of a new service is fuzzed without another line.

use std::{env, fmt::Write as _, fs, path::Path};

use syn::{
    Ident, Item, LitStr, Token, bracketed, parenthesized,
    parse::{Parse, ParseStream, Result},
    punctuated::Punctuated,
};

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
        let Item::Macro(item) = item else { continue };
        let is = |name: &str| item.mac.path.segments.last().is_some_and(|last| last.ident == name);
        let (name, known) = if is("object") {
            let object: Object = item.mac.parse_body().expect("an object is a name and its fields");
            (object.name, object.keeps_others.then_some(object.members))
        } else if is("transparent") {
            (item.mac.parse_body().expect("a transparent type is a name"), None)
        } else {
            continue;
        };
        let name = name.to_string();
        let known = known.map_or("None".to_owned(), |known| format!("Some(&{known:?})"));
        writeln!(table, "Type::new::<brickwire_client::types::{name}>({name:?}, {known}),")
            .expect("writing to a string can't fail");
    }
    assert!(table.lines().count() > 50, "the build script doesn't find the generated types");
    table.push(']');
    let folder = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&folder).join("types.rs"), table).expect("OUT_DIR can be written to");
}

/// What the macro of an object says: `Toy, [(type_, "type")], ["type"], extra`.
struct Object {
    name: Ident,
    /// The names of the fields on the wire.
    members: Vec<String>,
    /// Whether the type keeps all others, too.
    keeps_others: bool,
}

impl Parse for Object {
    fn parse(input: ParseStream) -> Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![,]>()?;
        let fields;
        bracketed!(fields in input);
        let members = Punctuated::<_, Token![,]>::parse_terminated_with(&fields, names)?;
        input.parse::<Token![,]>()?;
        let required;
        bracketed!(required in input);
        Punctuated::<LitStr, Token![,]>::parse_terminated(&required)?;
        input.parse::<Option<Token![,]>>()?;
        let keeps_others = input.parse::<Option<Ident>>()?.is_some();
        input.parse::<Option<Token![,]>>()?;
        Ok(Self { name, members: members.into_iter().flatten().collect(), keeps_others })
    }
}

/// `(type_, "type")`, or with a second spelling `(type_, "type" | "kind")`.
fn names(input: ParseStream) -> Result<Vec<String>> {
    let pair;
    parenthesized!(pair in input);
    pair.parse::<Ident>()?;
    pair.parse::<Token![,]>()?;
    let names = Punctuated::<LitStr, Token![|]>::parse_separated_nonempty(&pair)?;
    Ok(names.iter().map(LitStr::value).collect())
}
