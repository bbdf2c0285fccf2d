//! Documentation comments, one `///` per line.
//!
//! rustfmt re-indents `/** */` blocks, which turns their text into code blocks.

use syn::{Attribute, Expr, ExprLit, File, Lit, Meta, parse_quote, visit_mut::VisitMut};

/// Splits every documentation attribute into its lines.
pub(crate) fn one_line_each(file: &mut File) {
    Split.visit_file_mut(file);
}

struct Split;

impl VisitMut for Split {
    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        *attributes = std::mem::take(attributes).into_iter().flat_map(split).collect();
    }
}

fn split(attribute: Attribute) -> Vec<Attribute> {
    let Some(text) = text(&attribute) else { return vec![attribute] };
    let mut lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
    if lines.is_empty() {
        lines.push("");
    }
    lines.dedup_by(|a, b| a.is_empty() && b.is_empty());
    let attribute = |line: &str| {
        let line = if line.is_empty() {
            String::new()
        } else {
            format!(" {}", line.strip_prefix(' ').unwrap_or(line))
        };
        parse_quote!(#[doc = #line])
    };
    lines.into_iter().map(attribute).collect()
}

fn text(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
