//! The table for callers by name. It is a `static` of its own, so that a program that calls methods doesn't carry it.

use quote::format_ident;
use syn::{Expr, Item, parse_quote};

use crate::{
    arguments::{Argument, Kind},
    preprocess::Operation,
};

/// `REFERENCE`, in the order of `OPERATIONS`.
pub(crate) fn table(operations: &[Operation]) -> Item {
    let entries = operations.iter().map(|operation| -> Expr {
        let Operation { summary, arguments, .. } = operation;
        let info = operation.constant();
        let body = format_ident!("{}", operation.body);
        let answer = format_ident!("{}", if operation.downloads { "File" } else { "Json" });
        let arguments = arguments.iter().map(argument);
        parse_quote! {
            Reference {
                info: operations::#info,
                summary: #summary,
                arguments: &[#(#arguments),*],
                body: Body::#body,
                answer: Content::#answer,
            }
        }
    });
    parse_quote! {
        /// What each operation takes.
        pub(crate) static REFERENCE: &[Reference] = &[#(#entries),*];
    }
}

fn argument(argument: &Argument) -> Expr {
    let Argument { name, description, .. } = argument;
    let place = format_ident!("{}", argument.place);
    let kind = format_ident!("{}", kind(argument.kind));
    let mut expression: Expr = parse_quote!(Argument::new(#name, Place::#place, Kind::#kind, #description));
    if argument.required {
        expression = parse_quote!(#expression.required());
    }
    if argument.secret {
        expression = parse_quote!(#expression.secret());
    }
    expression
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "Text",
        Kind::Integer => "Integer",
        Kind::Number => "Number",
        Kind::Boolean => "Boolean",
        Kind::Object => "Object",
        Kind::List => "List",
        Kind::Any => "Any",
    }
}
