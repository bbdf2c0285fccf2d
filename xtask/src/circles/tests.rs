use std::fs;

/// The report on a crate `toy` with these files in `src`.
fn report(files: &[(&str, &str)], every_edge: bool) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("xtask")).unwrap();
    for (name, text) in files {
        let path = root.path().join("crates/toy/src").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    super::check(root.path(), every_edge).unwrap()
}

/// All dependencies of the crate as `from -> to: item`.
fn edges(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut lines = Vec::new();
    for (from, targets) in super::graph(&folder.path().join("lib.rs")).unwrap() {
        for (to, items) in targets {
            let items: Vec<String> = items.into_iter().collect();
            lines.push(format!("{} -> {}: {}", from.display(), to.display(), items.join(", ")));
        }
    }
    lines
}

#[test]
fn a_circle_is_reported_with_the_items_that_close_it() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "pub struct B; pub struct Other; fn f() { crate::c::run(); }"),
        ("c.rs", "pub fn run() { let a: super::a::A; let b = super::b::Other; }"),
        ("d.rs", "use crate::a::A; use crate::c::run;"),
    ];
    let line =
        "crates/toy: circle of 3 files: a.rs uses b.rs:B; b.rs uses c.rs:run; c.rs uses a.rs:A, b.rs:Other";
    assert_eq!(report(&files, false), [line]);
    assert_eq!(
        report(&files, true),
        [line, "  a.rs -> b.rs: B", "  b.rs -> c.rs: run", "  c.rs -> a.rs: A", "  c.rs -> b.rs: Other"]
    );
}

#[test]
fn modules_that_a_macro_declares_are_seen() {
    let files = [
        ("lib.rs", "mod services; macro_rules! all { ($($n:ident)*) => { $(mod $n;)* } } all! { a b }"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "pub struct B; fn f() -> crate::a::A { loop {} }"),
        ("services.rs", "all! { c }"),
        ("services/c.rs", "use crate::services::d::D; pub struct C;"),
        ("services/d.rs", "use super::c::C; pub struct D;"),
    ];
    let lines = [
        "crates/toy: circle of 2 files: a.rs uses b.rs:B; b.rs uses a.rs:A",
        "crates/toy: circle of 2 files: services/c.rs uses services/d.rs:D; services/d.rs uses services/c.rs:C",
    ];
    assert_eq!(report(&files, false), lines);
}

#[test]
fn two_circles_are_two_lines() {
    let found = report(
        &[
            ("lib.rs", "mod a; mod b; mod c; mod d;"),
            ("a.rs", "use crate::b::B; use crate::c::C; pub struct A;"),
            ("b.rs", "use crate::a::A; pub struct B;"),
            ("c.rs", "use crate::d::D; pub struct C;"),
            ("d.rs", "use crate::c::C; pub struct D;"),
        ],
        false,
    );
    assert_eq!(
        found,
        [
            "crates/toy: circle of 2 files: a.rs uses b.rs:B; b.rs uses a.rs:A",
            "crates/toy: circle of 2 files: c.rs uses d.rs:D; d.rs uses c.rs:C",
        ]
    );
}

#[test]
fn a_tree_has_no_circle() {
    let found = report(
        &[
            ("lib.rs", "mod error; mod send; pub use error::Error; pub use send::send;"),
            ("error.rs", "mod body; use body::Body; pub struct Error(Body);"),
            ("error/body.rs", "pub struct Body;"),
            ("send.rs", "use crate::Error; pub fn send() -> Result<(), Error> { Ok(()) }"),
        ],
        false,
    );
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn reexports_lead_to_the_file_that_defines_the_item() {
    let found = edges(&[
        (
            "lib.rs",
            "mod error; mod deep; mod user; pub use error::Error; pub use deep::{Deep as Renamed, glob};",
        ),
        ("error.rs", "pub struct Error;"),
        ("deep.rs", "mod inner; pub(crate) use inner::*;"),
        ("deep/inner.rs", "pub struct Deep; pub fn glob() {}"),
        ("user.rs", "use crate::{Error, Renamed}; fn f(_: Error) { crate::glob(); }"),
    ]);
    assert_eq!(found, ["user.rs -> deep/inner.rs: Deep, glob", "user.rs -> error.rs: Error"]);
}

#[test]
fn a_reexport_is_a_dependency_only_where_its_file_uses_it() {
    let files = |body: &'static str| [("lib.rs", body), ("a.rs", "pub struct A;")];
    assert!(edges(&files("mod a; pub use a::A;")).is_empty());
    assert_eq!(edges(&files("mod a; pub use a::A; pub type Many = Vec<A>;")), ["lib.rs -> a.rs: A"]);
    assert_eq!(edges(&files("mod a; use a::A;")), ["lib.rs -> a.rs: A"]);
}

#[test]
fn a_parent_and_its_child_can_be_a_circle() {
    let found = report(
        &[
            ("lib.rs", "mod parent;"),
            ("parent.rs", "mod child; pub struct Shared; pub fn f() { child::g() }"),
            ("parent/child.rs", "use super::Shared; pub fn g() {}"),
        ],
        false,
    );
    assert_eq!(
        found,
        [
            "crates/toy: circle of 2 files: parent/child.rs uses parent.rs:Shared; parent.rs uses parent/child.rs:g"
        ]
    );
}

#[test]
fn what_only_tests_see_is_no_dependency() {
    let found = edges(&[
        (
            "lib.rs",
            "mod a; mod b; #[cfg(test)] mod support; #[cfg(all(test, unix))] mod more; #[cfg(test)] mod missing { }",
        ),
        (
            "a.rs",
            "pub struct A; #[cfg(test)] use crate::b::B;
             impl A { #[cfg(test)] fn f() { crate::b::f() } }
             #[test] fn t() { crate::b::f() }
             fn g() { #[cfg(test)] crate::b::macro_call!(); #[cfg(test)] let b = crate::b::B; }
             #[cfg(test)] mod tests { use super::*; use crate::b::B; }",
        ),
        ("b.rs", "pub struct B; pub fn f() {} #[cfg(not(test))] use crate::a::A;"),
        ("support.rs", "use crate::a::A;"),
        ("more.rs", "use crate::a::A;"),
    ]);
    assert_eq!(found, ["b.rs -> a.rs: A"]);
}

#[test]
fn paths_in_macros_and_attributes_count() {
    let found = edges(&[
        ("lib.rs", "mod a; mod b; mod c; mod d; mod format;"),
        ("a.rs", "pub const A: u8 = 1; pub mod inner { pub fn f() {} }"),
        ("b.rs", "fn f() { println!(\"{}\", crate::a::A); vec![super::a::inner::f().a]; }"),
        ("c.rs", "#[derive(Deserialize)] struct C { #[serde(with = \"crate::format\")] c: u8 }"),
        ("d.rs", "#[derive(Parser)] struct D { #[arg(value_parser = crate::a::inner::f)] d: u8 }"),
        ("format.rs", "pub fn serialize() {} pub fn deserialize() {}"),
    ]);
    assert_eq!(
        found,
        ["b.rs -> a.rs: A, f", "c.rs -> format.rs: deserialize, serialize", "d.rs -> a.rs: f",]
    );
}

#[test]
fn macros_are_found_in_the_modules_around_and_in_their_root() {
    let found = edges(&[
        ("lib.rs", "#[macro_use] mod macros; mod a; macro_rules! top { () => {} }"),
        ("macros.rs", "#[macro_export] macro_rules! shared { ($x:expr) => { $crate::a::f($x) } }"),
        ("a.rs", "pub fn f() { top!(); crate::shared!(1); }"),
    ]);
    assert_eq!(found, ["a.rs -> lib.rs: top", "a.rs -> macros.rs: shared", "macros.rs -> a.rs: f"]);
}

#[test]
fn items_made_by_a_macro_are_where_it_is_called() {
    let found = edges(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "macro_rules! make { ($($t:tt)*) => { $($t)* } } pub(crate) use make;"),
        ("b.rs", "crate::a::make! { pub struct Made; }"),
        ("c.rs", "use crate::b::Made;"),
    ]);
    assert_eq!(found, ["b.rs -> a.rs: make", "c.rs -> b.rs: Made"]);
}

#[test]
fn names_that_only_look_alike_are_no_dependency() {
    let found = edges(&[
        ("lib.rs", "mod url; mod http; mod a; pub use url::url; fn write() {}"),
        ("url.rs", "pub fn url() {} pub enum Kind { One }"),
        ("http.rs", "use ::http::HeaderMap; pub struct Client;"),
        // Other crates and their macros, a local variable, a method, a field, and an import that only opens a module.
        (
            "a.rs",
            "use http::Client; use crate::url; use std::fmt; use super::http as web;
             struct A { url: String }
             impl A { fn f(&self) { write!(f, \"x\"); let url = self.url.as_str(); format!(\"{}\", self.url.Client); } }",
        ),
    ]);
    assert_eq!(found, ["a.rs -> url.rs: url"], "`use crate::url` imports the function as well as the module");
}

#[test]
fn imports_inside_of_functions_and_inline_modules_count() {
    let found = edges(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "pub enum A { One } pub mod deep { pub struct D; }"),
        ("b.rs", "fn f() { use crate::a; use crate::a::A::*; let x = a::deep::D; }"),
        (
            "c.rs",
            "mod inner { use super::super::a::A; fn f() -> self::local::L { } mod local { pub struct L; } }",
        ),
    ]);
    assert_eq!(found, ["b.rs -> a.rs: A, D", "c.rs -> a.rs: A"]);
}

#[test]
fn a_module_without_a_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lib.rs"), "mod gone;").unwrap();
    let error = super::graph(&folder.path().join("lib.rs")).unwrap_err();
    assert!(error.to_string().ends_with("has no file for `mod gone;`"), "{error}");
}
