//! What can be seen in the tokens of a macro: paths, and items that it defines.

use proc_macro2::{TokenStream, TokenTree};

const KEYWORDS: [&str; 8] = ["const", "enum", "fn", "static", "struct", "trait", "type", "union"];

/// The names that follow a keyword like `struct`.
pub(super) fn definitions(tokens: TokenStream) -> Vec<String> {
    let mut names = Vec::new();
    let mut after_keyword = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                let text = ident.to_string();
                let is_keyword = KEYWORDS.contains(&text.as_str());
                if after_keyword && !is_keyword {
                    names.push(text);
                }
                after_keyword = is_keyword;
            }
            TokenTree::Group(group) => {
                names.extend(definitions(group.stream()));
                after_keyword = false;
            }
            _ => after_keyword = false,
        }
    }
    names
}

/// Everything that looks like a path: names joined by `::`. Names after a `.` are methods or fields, those after a `$`
/// (except `$crate`) are the macro's own, and a path that begins with `::` leads out of the crate.
pub(super) fn paths(tokens: TokenStream) -> Vec<Vec<String>> {
    let mut paths: Vec<Vec<String>> = Vec::new();
    let mut punctuation = String::new();
    let mut is_open = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                if is_open && punctuation == "::" {
                    if let Some(path) = paths.last_mut() {
                        path.push(name);
                    }
                } else {
                    is_open = match punctuation.chars().last() {
                        Some('$') => name == "crate",
                        Some('.') => punctuation.ends_with(".."),
                        _ => !punctuation.ends_with("::"),
                    };
                    if is_open {
                        paths.push(vec![name]);
                    }
                }
                punctuation.clear();
            }
            TokenTree::Punct(punct) => punctuation.push(punct.as_char()),
            TokenTree::Group(group) => {
                paths.extend(self::paths(group.stream()));
                is_open = false;
                punctuation.clear();
            }
            TokenTree::Literal(_) => {
                is_open = false;
                punctuation.clear();
            }
        }
    }
    paths
}
