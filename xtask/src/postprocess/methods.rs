//! The operations' methods: progenitor's signatures with bodies of one expression.

use anyhow::{Context, Result, bail, ensure};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Expr, ExprMacro, ExprMethodCall, ExprPath, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, Lit,
    Token, parse_quote,
    punctuated::Punctuated,
    visit::{self, Visit},
    visit_mut::VisitMut,
};

use crate::preprocess::Operation;

/// Rewrites every method of `block`.
pub(crate) fn rewrite(block: &mut ItemImpl, operations: &[Operation]) -> Result<()> {
    block.attrs.clear();
    for item in &mut block.items {
        let ImplItem::Fn(method) = item else { bail!("an operation is not a method") };
        let operation = operations
            .iter()
            .find(|operation| method.sig.ident == operation.id)
            .with_context(|| format!("no operation for the method `{}`", method.sig.ident))?;
        rewrite_method(method, operation).with_context(|| operation.id.clone())?;
    }
    Ok(())
}

fn rewrite_method(method: &mut ImplItemFn, operation: &Operation) -> Result<()> {
    let mut found = Found::default();
    found.visit_block(&method.block);
    let placeholders: Vec<&str> = operation
        .path
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .collect();
    ensure!(
        placeholders.len() == found.path.len(),
        "{} takes other parameters than it names",
        operation.path
    );

    let info = operation.constant();
    let mut call = quote!(self.call(&operations::#info));
    for (name, argument) in placeholders.iter().zip(&found.path) {
        let step = if operation.wildcards.contains(*name) { quote!(path_with_slashes) } else { quote!(path) };
        call.extend(quote!(.#step(#name, &#argument)));
    }
    for (name, argument) in &found.query {
        call.extend(match argument.to_string().as_str() {
            "query" => quote!(.query_object(query)),
            _ => quote!(.query(#name, &#argument)),
        });
    }
    if found.body {
        call.extend(quote!(.json(body)));
    }
    let mut files: Vec<FnArg> = Vec::new();
    if operation.uploads {
        files.push(parse_quote!(content: impl Into<Upload>));
        describe(method, "- `content`: What is uploaded.");
        call.extend(quote!(.with_upload(content)));
    }
    call.extend(if operation.downloads {
        files.push(parse_quote!(sink: &mut impl Sink));
        describe(method, "- `sink`: Takes the bytes; the method returns how many came.");
        quote!(.download(sink))
    } else if found.empty_response {
        quote!(.send_ignoring_body())
    } else {
        quote!(.send())
    });
    method.block = parse_quote!({ #call.await });

    method.sig.generics = syn::Generics::default();
    Plain.visit_signature_mut(&mut method.sig);
    method.sig.inputs.extend(files);
    if operation.downloads {
        method.sig.output = parse_quote!(-> Result<u64, Error>);
    }
    Ok(())
}

/// Adds an argument to the list that ends the documentation, which is there only if progenitor saw an argument.
fn describe(method: &mut ImplItemFn, argument: &str) {
    const LIST: &str = "Arguments:";
    if !method.attrs.iter().any(|attribute| attribute.to_token_stream().to_string().contains(LIST)) {
        method.attrs.extend(["", LIST].map(|line| -> Attribute { parse_quote!(#[doc = #line]) }));
    }
    method.attrs.push(parse_quote!(#[doc = #argument]));
}

/// What progenitor's body does with the arguments.
#[derive(Default)]
struct Found {
    path: Vec<Ident>,
    query: Vec<(String, Ident)>,
    body: bool,
    empty_response: bool,
}

impl<'ast> Visit<'ast> for Found {
    /// `format!("{}/a/{}", self.baseurl, encode_path(&id.to_string()))`
    fn visit_expr_macro(&mut self, node: &'ast ExprMacro) {
        let arguments = node.mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
        if let (true, Ok(arguments)) = (node.mac.path.is_ident("format"), arguments) {
            self.path = arguments.iter().skip(2).filter_map(first_identifier).collect();
        }
    }

    /// `.query(&QueryParam::new("name", &name))` and `.json(&body)`
    fn visit_expr_method_call(&mut self, node: &'ast ExprMethodCall) {
        visit::visit_expr_method_call(self, node);
        if node.method == "json" {
            self.body = true;
        }
        if let (true, Some(Expr::Reference(argument))) = (node.method == "query", node.args.first())
            && let Expr::Call(new) = &*argument.expr
            && let (Some(Expr::Lit(name)), Some(value)) = (new.args.first(), new.args.get(1))
            && let (Lit::Str(name), Some(value)) = (&name.lit, first_identifier(value))
        {
            self.query.push((name.value(), value));
        }
    }

    fn visit_expr_path(&mut self, node: &'ast ExprPath) {
        self.empty_response |= node.path.to_token_stream().to_string() == "ResponseValue :: empty";
    }
}

/// The variable in `encode_path(&id.to_string())` or `&id`.
fn first_identifier(expression: &Expr) -> Option<Ident> {
    match expression {
        Expr::Path(path) => path.path.get_ident().cloned(),
        Expr::Reference(reference) => first_identifier(&reference.expr),
        Expr::MethodCall(call) => first_identifier(&call.receiver),
        Expr::Call(call) => first_identifier(call.args.first()?),
        _ => None,
    }
}

/// Drops the lifetimes that elision supplies, and the type parameter of the error.
struct Plain;

impl VisitMut for Plain {
    fn visit_receiver_mut(&mut self, receiver: &mut syn::Receiver) {
        *receiver = parse_quote!(&self);
    }

    fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
        reference.lifetime = None;
    }

    fn visit_path_segment_mut(&mut self, segment: &mut syn::PathSegment) {
        if segment.ident == "Error" {
            segment.arguments = syn::PathArguments::None;
        }
        syn::visit_mut::visit_path_segment_mut(self, segment);
    }
}
