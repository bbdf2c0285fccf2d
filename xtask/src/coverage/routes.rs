//! The routes of the sandbox: the paths and methods of all `.route(...)` calls.
//!
//! A path is a text, or is made from texts: by `format!`, by a closure or a function of the same file, in a loop over an
//! array, or by a method that returns one of several.

mod paths;

use std::{collections::BTreeSet, path::Path};

use anyhow::Result;
use quote::ToTokens;
use syn::{
    Expr, ExprMethodCall,
    visit::{self, Visit},
};

use self::paths::Scope;
use super::rust::{self, Source};

/// The methods that axum has a function for.
const METHODS: [&str; 7] = ["delete", "get", "head", "options", "patch", "post", "put"];

/// All routes.
#[derive(Default)]
pub(super) struct Routes {
    /// Method and path.
    found: BTreeSet<(String, String)>,
    /// Routes whose path can't be told, with their files.
    pub(super) unreadable: Vec<String>,
}

impl Routes {
    /// Whether a request with this method and path, as the description has it, finds a route.
    pub(super) fn answer(&self, method: &str, path: &str) -> bool {
        self.found.iter().any(|(known, route)| {
            let is_method = known == method || known == "ANY" || (known == "GET" && method == "HEAD");
            is_method && fits(route, path)
        })
    }
}

/// Reads the sources in `folder`.
pub(super) fn read(folder: &Path) -> Result<Routes> {
    let mut routes = Routes::default();
    let sources = rust::load(folder)?;
    let methods: Vec<_> =
        sources.iter().flat_map(Source::functions).filter(|function| function.owner.is_some()).collect();
    for source in &sources {
        let file = source.path.display().to_string();
        for function in source.functions() {
            let scope = Scope::new(&source.file.items, &function.block, &methods);
            let mut calls = Calls { scope: &scope, file: &file, routes: &mut routes };
            calls.visit_block(&function.block);
        }
    }
    Ok(routes)
}

struct Calls<'a> {
    scope: &'a Scope<'a>,
    file: &'a str,
    routes: &'a mut Routes,
}

impl<'ast> Visit<'ast> for Calls<'_> {
    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        visit::visit_expr_method_call(self, call);
        if call.method != "route" || call.args.len() != 2 {
            return;
        }
        let (path, handler) = (&call.args[0], &call.args[1]);
        let Some(paths) = self.scope.texts(path) else {
            let code = path.to_token_stream();
            self.routes
                .unreadable
                .push(format!("crates/sandbox/src/routes/{}: no path is known for {code}", self.file));
            return;
        };
        let mut methods = Methods::default();
        methods.visit_expr(self.scope.value(handler));
        for path in paths {
            self.routes.found.extend(methods.found.iter().map(|method| (method.clone(), path.clone())));
        }
    }
}

/// The methods of `get(list).post(create)`, or of all branches of an `if`.
#[derive(Default)]
struct Methods {
    found: BTreeSet<String>,
}

impl Methods {
    fn add(&mut self, name: &str) {
        if METHODS.contains(&name) || name == "any" {
            self.found.insert(name.to_uppercase());
        }
    }
}

impl<'ast> Visit<'ast> for Methods {
    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::Call(call) => {
                if let Expr::Path(path) = &*call.func
                    && let Some(segment) = path.path.segments.last()
                {
                    self.add(&segment.ident.to_string());
                }
            }
            Expr::MethodCall(call) => {
                self.add(&call.method.to_string());
                self.visit_expr(&call.receiver);
            }
            expression => visit::visit_expr(self, expression),
        }
    }
}

/// Whether a route, such as `/api/toys/{id}` or `/files/{*path}`, takes a path of the description.
fn fits(route: &str, path: &str) -> bool {
    let (mut route, mut path) = (route.split('/'), path.split('/'));
    loop {
        match (route.next(), path.next()) {
            (None, None) => return true,
            (Some(segment), Some(_)) if segment.starts_with("{*") => return true,
            (Some(segment), Some(other)) if segment == other || segment.starts_with('{') => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{fits, read};

    #[test]
    fn a_placeholder_takes_one_segment_and_a_wildcard_the_rest() {
        for (route, path) in [
            ("/api/toys", "/api/toys"),
            ("/api/toys/{id}", "/api/toys/{toy_id}"),
            ("/api/{kind}/list", "/api/toys/list"),
            ("/files/{*path}", "/files/{file_path}"),
            ("/files/{*path}", "/files/{parent}/endpoints"),
        ] {
            assert!(fits(route, path), "{route} {path}");
        }
        for (route, path) in [
            ("/api/toys", "/api/toys/{id}"),
            ("/api/toys/{id}", "/api/toys"),
            ("/api/toys/special", "/api/toys/{id}"),
            ("/files/{*path}", "/files"),
        ] {
            assert!(!fits(route, path), "{route} {path}");
        }
    }

    #[test]
    fn paths_are_read_however_they_are_made() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("toys.rs"),
            r#"
            const LIST: &str = "/api/2.0/toys";
            fn named(kind: &str, verb: &str) -> String { format!("/api/2.0/{kind}/{}", verb) }
            impl Kind { fn path(self) -> &'static str { match self { Self::Tree => "trees", Self::Bush => "bushes" } } }
            fn plants(kind: Kind) -> Routes {
                let all = format!("/api/2.0/{}", kind.path());
                Router::new().route(&format!("{all}/{{id}}"), put(plant))
            }
            fn routes() -> Routes {
                let mut router = Router::new().route(LIST, get(list).post(create));
                for version in ["2.0", "2.1"] {
                    let path = |name: &str| format!("/api/{version}/games/{name}");
                    let either = if version == "2.0" { get(old) } else { get(new) };
                    router = router.route(&path("list"), either).route(&path("get"), routing::get(delete).layer(limit(post)));
                }
                for (kind, id) in [("cars", "{id}"), ("dolls", "{name}")] {
                    router = router.route(&format!("/api/2.0/{kind}/{id}/{{part}}"), any(part));
                }
                router.route(&named("dolls", "dress"), axum::routing::post(dress)).route(&made(), get(x))
            }
            "#,
        )
        .unwrap();
        let routes = read(folder.path()).unwrap();
        for (method, path) in [
            ("GET", "/api/2.0/toys"),
            ("HEAD", "/api/2.0/toys"),
            ("POST", "/api/2.0/toys"),
            ("GET", "/api/2.0/games/list"),
            ("GET", "/api/2.1/games/get"),
            ("DELETE", "/api/2.0/cars/{car}/{part}"),
            ("PUT", "/api/2.0/dolls/{doll}/{part}"),
            ("POST", "/api/2.0/dolls/dress"),
            ("PUT", "/api/2.0/bushes/{id}"),
        ] {
            assert!(routes.answer(method, path), "{method} {path}");
        }
        for (method, path) in [
            ("DELETE", "/api/2.0/toys"),
            ("POST", "/api/2.1/games/get"),
            ("GET", "/api/2.2/games/get"),
            ("GET", "/api/2.0/dolls/dress"),
        ] {
            assert!(!routes.answer(method, path), "{method} {path}");
        }
        let [unreadable] = routes.unreadable.as_slice() else { panic!("{:?}", routes.unreadable) };
        assert!(unreadable.contains("toys.rs: no path is known for & made ()"), "{unreadable}");
    }
}
