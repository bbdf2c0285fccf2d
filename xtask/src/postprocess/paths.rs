//! `::std::option::Option` and its like by their short names; the lint keeps components from taking these.

use syn::{
    File, Path,
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
}
