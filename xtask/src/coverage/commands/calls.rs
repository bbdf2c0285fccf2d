//! What the code of a command calls.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Arm, Expr, ExprCall, ExprMethodCall,
    visit::{self, Visit},
};

use crate::coverage::rust::Function;

/// The code of a command.
pub(super) struct Body<'a> {
    parts: Vec<&'a Expr>,
    function: Option<&'a Function>,
}

impl<'a> Body<'a> {
    /// The arms that match a variant of an enum.
    pub(super) fn of_arm(kind: &str, variant: &str, functions: &'a [Function]) -> Self {
        let mut arms = Arms { kind, variant, owner: None, found: Vec::new() };
        for function in functions {
            arms.owner = function.owner.as_deref();
            arms.visit_block(&function.block);
        }
        Self { parts: arms.found, function: None }
    }

    /// A function as a whole.
    pub(super) fn of_function(name: &str, functions: &'a [Function]) -> Self {
        let function = functions.iter().find(|function| function.owner.is_none() && function.name == name);
        Self { parts: Vec::new(), function }
    }
}

struct Arms<'a, 'n> {
    kind: &'n str,
    variant: &'n str,
    /// The type whose method it is: `Self` stands for it.
    owner: Option<&'a str>,
    found: Vec<&'a Expr>,
}

impl<'a> Visit<'a> for Arms<'a, '_> {
    fn visit_arm(&mut self, arm: &'a Arm) {
        let mut paths = Paths::default();
        paths.visit_pat(&arm.pat);
        let is_it = |(kind, variant): &(String, String)| {
            let kind = if kind == "Self" { self.owner.unwrap_or_default() } else { kind };
            kind == self.kind && variant == self.variant
        };
        if paths.found.iter().any(is_it) {
            self.found.push(&arm.body);
        }
        visit::visit_arm(self, arm);
    }
}

/// The last two names of each path in a pattern.
#[derive(Default)]
struct Paths {
    found: Vec<(String, String)>,
}

impl<'a> Visit<'a> for Paths {
    fn visit_path(&mut self, path: &'a syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if let [.., kind, variant] = names.as_slice() {
            self.found.push((kind.clone(), variant.clone()));
        }
        visit::visit_path(self, path);
    }
}

/// A call of a method, `jobs.get(...)`: the name before the dot, if there is one, and the method's.
pub(super) type Call = (Option<String>, String);

/// The methods of other types that code calls, by itself or through the functions next to it.
#[derive(Default)]
pub(super) struct Calls {
    pub(super) methods: BTreeSet<Call>,
    functions: BTreeSet<String>,
}

impl Calls {
    /// What `body` calls; `functions` are those that may stand next to it.
    pub(super) fn of(body: &Body, functions: &[Function]) -> Self {
        let mut calls = Self::default();
        body.parts.iter().for_each(|part| calls.visit_expr(part));
        body.function.iter().for_each(|function| calls.visit_block(&function.block));
        let (mut followed, mut methods) = (BTreeSet::new(), BTreeSet::new());
        loop {
            // `run` is the function that has the arms: through it, each command would lead to all.
            let is_new = |function: &&Function| {
                let is_called = match function.owner {
                    None => calls.functions.contains(&function.name) && function.name != "run",
                    Some(_) => calls.methods.iter().any(|(_, method)| *method == function.name),
                };
                is_called && followed.insert((function.owner.clone(), function.name.clone()))
            };
            let new: Vec<&Function> = functions.iter().filter(is_new).collect();
            // A method of the command's own types is none of the actions, but may call one of that name.
            calls
                .methods
                .retain(|(_, method)| !new.iter().any(|it| it.owner.is_some() && it.name == *method));
            methods.append(&mut calls.methods);
            if new.is_empty() {
                return Self { methods, ..calls };
            }
            new.iter().for_each(|function| calls.visit_block(&function.block));
        }
    }
}

impl<'a> Visit<'a> for Calls {
    fn visit_expr_method_call(&mut self, call: &'a ExprMethodCall) {
        visit::visit_expr_method_call(self, call);
        let (receiver, method) = (receiver(&call.receiver), call.method.to_string());
        // Methods that are called like actions: those of the program's context and output, and of the standard library.
        let is_ours = matches!(receiver.as_deref(), Some("context" | "output"));
        let has_closure = call.args.iter().any(|argument| matches!(argument, Expr::Closure(_)));
        let is_getter = method == "get" && call.args.is_empty();
        if !is_ours && !has_closure && !is_getter {
            self.methods.insert((receiver, method));
        }
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        self.tokens(call.tokens.clone());
    }

    fn visit_expr_call(&mut self, call: &'a ExprCall) {
        visit::visit_expr_call(self, call);
        if let Expr::Path(path) = &*call.func
            && let Some(segment) = path.path.segments.last()
        {
            self.functions.insert(segment.ident.to_string());
        }
    }
}

impl Calls {
    /// The calls of methods among the tokens of a macro, whose grammar is its own.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for token in &tokens {
            if let TokenTree::Group(group) = token {
                self.tokens(group.stream());
            }
        }
        for window in tokens.windows(4) {
            if let [receiver, TokenTree::Punct(dot), TokenTree::Ident(method), TokenTree::Group(_)] = window
                && dot.as_char() == '.'
            {
                let receiver =
                    if let TokenTree::Ident(name) = receiver { Some(name.to_string()) } else { None };
                self.methods.insert((receiver, method.to_string()));
            }
        }
    }
}

/// The name of what a method is called on: `jobs`, `of(context).await?.jobs()`, `self.jobs`.
fn receiver(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::MethodCall(call) => Some(call.method.to_string()),
        Expr::Field(field) => match &field.member {
            syn::Member::Named(name) => Some(name.to_string()),
            syn::Member::Unnamed(_) => None,
        },
        Expr::Await(inner) => receiver(&inner.base),
        Expr::Try(inner) => receiver(&inner.expr),
        Expr::Paren(inner) => receiver(&inner.expr),
        Expr::Reference(inner) => receiver(&inner.expr),
        _ => None,
    }
}

/// The names of services: `workspace.jobs()`, `Workspace::jobs`, and `jobs::of(context)`.
#[derive(Default)]
pub(super) struct Reached {
    pub(super) names: BTreeSet<String>,
}

impl<'a> Visit<'a> for Reached {
    fn visit_expr_method_call(&mut self, call: &'a ExprMethodCall) {
        visit::visit_expr_method_call(self, call);
        if receiver(&call.receiver).as_deref() == Some("workspace") {
            self.names.insert(call.method.to_string());
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        match names.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["Workspace", service] | [service, "of"] => drop(self.names.insert((*service).to_owned())),
            _ => {}
        }
        visit::visit_path(self, path);
    }
}
