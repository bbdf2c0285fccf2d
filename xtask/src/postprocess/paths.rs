//! `::std::option::Option` and its like by their short names; the lint keeps components from taking these.

use syn::{
    Attribute, File, Meta, Path,
    visit_mut::{self, VisitMut},
};

/// Shortens every path of `file`.
pub(crate) fn shorten(file: &mut File) {
    ShortPaths.visit_file_mut(file);
}

struct ShortPaths;

/// What is in scope everywhere.
const PRELUDE: [&str; 4] = ["Box", "Option", "String", "Vec"];

impl VisitMut for ShortPaths {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let Some(last) = path.segments.last() else { return };
        let is_std = path.leading_colon.is_some() && path.segments[0].ident == "std";
        if is_std && PRELUDE.iter().any(|name| last.ident == name) {
            *path = Path::from(last.clone());
        }
        path.leading_colon = None;
    }

    fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
        visit_mut::visit_attribute_mut(self, attribute);
        if let (true, Meta::List(list)) = (attribute.path().is_ident("serde"), &mut attribute.meta) {
            let text = list.tokens.to_string();
            let short = ["option", "vec"]
                .iter()
                .fold(text, |text, module| text.replace(&format!("\"::std::{module}::"), "\""));
            if let Ok(tokens) = short.parse() {
                list.tokens = tokens;
            }
        }
    }
}
