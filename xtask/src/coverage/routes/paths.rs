//! The texts that an expression may have, as far as the source tells.

use std::collections::BTreeMap;

use syn::{
    Block, Expr, ExprForLoop, Item, Local, Pat, Stmt,
    parse::Parser,
    punctuated::Punctuated,
    visit::{self, Visit},
};

use crate::coverage::rust::{Function, text};

/// Names and the texts that they may have.
type Texts = BTreeMap<String, Vec<String>>;

/// What the names in a function stand for.
#[derive(Default)]
pub(super) struct Scope<'a> {
    /// The variables of loops over arrays of texts.
    loops: Texts,
    /// Local variables, and the constants of the file.
    values: BTreeMap<String, &'a Expr>,
    /// The functions of the file, with the names of their parameters.
    functions: BTreeMap<String, (Vec<String>, &'a Block)>,
    /// The methods of all types that the routes have.
    methods: &'a [Function],
}

impl<'a> Scope<'a> {
    pub(super) fn new(items: &'a [Item], block: &'a Block, methods: &'a [Function]) -> Self {
        let mut scope = Self { methods, ..Self::default() };
        for item in items {
            match item {
                Item::Const(item) => drop(scope.values.insert(item.ident.to_string(), &item.expr)),
                Item::Fn(item) => {
                    let parameters = item.sig.inputs.iter().filter_map(|input| match input {
                        syn::FnArg::Typed(typed) => name(&typed.pat),
                        syn::FnArg::Receiver(_) => None,
                    });
                    scope.functions.insert(item.sig.ident.to_string(), (parameters.collect(), &item.block));
                }
                _ => {}
            }
        }
        scope.visit_block(block);
        scope
    }

    /// What a variable was declared with; other expressions are what they are.
    pub(super) fn value<'e>(&self, expression: &'e Expr) -> &'e Expr
    where
        'a: 'e,
    {
        variable(expression).and_then(|name| self.values.get(&name).copied()).unwrap_or(expression)
    }

    /// The texts that an expression may have; `None` if that can't be told.
    pub(super) fn texts(&self, expression: &Expr) -> Option<Vec<String>> {
        self.texts_with(expression, &Texts::new())
    }

    fn texts_with(&self, expression: &Expr, given: &Texts) -> Option<Vec<String>> {
        if let Some(text) = text(expression) {
            return Some(vec![text]);
        }
        match expression {
            Expr::Reference(reference) => self.texts_with(&reference.expr, given),
            Expr::Paren(paren) => self.texts_with(&paren.expr, given),
            Expr::MethodCall(call) if call.args.is_empty() => {
                self.texts_with(&call.receiver, given).or_else(|| self.of_method(&call.method.to_string()))
            }
            Expr::Path(_) => self.named(&variable(expression)?, given),
            Expr::Macro(call) if call.mac.path.is_ident("format") => {
                let parts = Punctuated::<Expr, syn::Token![,]>::parse_terminated
                    .parse2(call.mac.tokens.clone())
                    .ok()?;
                let (format, arguments) = (text(parts.first()?)?, parts.iter().skip(1).collect::<Vec<_>>());
                self.formatted(&format, &arguments, given)
            }
            Expr::Call(call) => {
                let function = variable(&call.func)?;
                let arguments: Option<Vec<_>> =
                    call.args.iter().map(|argument| self.texts_with(argument, given)).collect();
                match self.values.get(&function) {
                    Some(Expr::Closure(closure)) => {
                        let names: Option<Vec<_>> = closure.inputs.iter().map(name).collect();
                        self.texts_with(&closure.body, &names?.into_iter().zip(arguments?).collect())
                    }
                    _ => {
                        let (names, block) = self.functions.get(&function)?;
                        self.result(block, &names.iter().cloned().zip(arguments?).collect())
                    }
                }
            }
            Expr::Block(block) => self.result(&block.block, given),
            Expr::Match(it) => {
                let arms: Option<Vec<_>> =
                    it.arms.iter().map(|arm| self.texts_with(&arm.body, given)).collect();
                arms.map(|arms| arms.concat())
            }
            _ => None,
        }
    }

    /// What the methods of this name return whose texts are known: a `match` over the kinds of something, mostly.
    fn of_method(&self, name: &str) -> Option<Vec<String>> {
        let methods = self.methods.iter().filter(|method| method.name == name);
        let texts: Vec<_> =
            methods.filter_map(|method| self.result(&method.block, &Texts::new())).flatten().collect();
        (!texts.is_empty()).then_some(texts)
    }

    fn named(&self, name: &str, given: &Texts) -> Option<Vec<String>> {
        if let Some(texts) = given.get(name).or_else(|| self.loops.get(name)) {
            return Some(texts.clone());
        }
        self.texts_with(self.values.get(name)?, given)
    }

    /// The last expression of a block.
    fn result(&self, block: &Block, given: &Texts) -> Option<Vec<String>> {
        match block.stmts.last()? {
            Stmt::Expr(expression, None) => self.texts_with(expression, given),
            _ => None,
        }
    }

    /// What `format!` makes: `{name}`, `{}`, and `{{` for a brace.
    fn formatted(&self, format: &str, arguments: &[&Expr], given: &Texts) -> Option<Vec<String>> {
        let mut results = vec![String::new()];
        let mut arguments = arguments.iter();
        let mut rest = format;
        while let Some(index) = rest.find(['{', '}']) {
            let (literal, brace) = rest.split_at(index);
            let mut texts = vec![brace[..1].to_owned()];
            if brace.starts_with("{{") || brace.starts_with("}}") {
                rest = &brace[2..];
            } else {
                let (name, after) = brace[1..].split_once('}')?;
                rest = after;
                texts = if name.is_empty() {
                    self.texts_with(arguments.next()?, given)?
                } else {
                    self.named(name, given)?
                };
            }
            results = combined(&results, literal, &texts);
        }
        Some(combined(&results, rest, &[String::new()]))
    }
}

/// Each start with the literal and each of the texts.
fn combined(starts: &[String], literal: &str, texts: &[String]) -> Vec<String> {
    starts.iter().flat_map(|start| texts.iter().map(move |text| format!("{start}{literal}{text}"))).collect()
}

impl<'a> Visit<'a> for Scope<'a> {
    fn visit_local(&mut self, local: &'a Local) {
        if let (Some(name), Some(init)) = (name(&local.pat), &local.init) {
            self.values.insert(name, &init.expr);
        }
        visit::visit_local(self, local);
    }

    fn visit_expr_for_loop(&mut self, each: &'a ExprForLoop) {
        let mut list = self.value(&each.expr);
        while let Expr::Reference(reference) = list {
            list = self.value(&reference.expr);
        }
        if let Expr::Array(array) = list {
            for element in &array.elems {
                match (&*each.pat, element) {
                    (Pat::Tuple(names), Expr::Tuple(values)) => {
                        names
                            .elems
                            .iter()
                            .zip(&values.elems)
                            .for_each(|(name, value)| self.turn(name, value));
                    }
                    (pattern, value) => self.turn(pattern, value),
                }
            }
        }
        visit::visit_expr_for_loop(self, each);
    }
}

impl Scope<'_> {
    /// A value that the variable of a loop takes.
    fn turn(&mut self, pattern: &Pat, value: &Expr) {
        if let (Some(name), Some(text)) = (name(pattern), text(value)) {
            self.loops.entry(name).or_default().push(text);
        }
    }
}

/// The name in a pattern such as `path`, `mut path` or `path: &str`.
fn name(pattern: &Pat) -> Option<String> {
    match pattern {
        Pat::Ident(ident) => Some(ident.ident.to_string()),
        Pat::Type(typed) => name(&typed.pat),
        _ => None,
    }
}

/// The name of a variable, a constant or a function.
fn variable(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    }
}
