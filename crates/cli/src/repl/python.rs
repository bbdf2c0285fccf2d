//! Whether Python code is complete, so that the prompt can run it: brackets and triple quotes are closed, and a block is
//! followed by a blank line.

/// Whether the lines typed so far can run.
pub(crate) fn is_complete(code: &str) -> bool {
    let mut depth = 0_usize;
    let mut opens_block = code.trim_start().starts_with('@');
    let mut last = None;
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        if c == '#' {
            rest = rest.split_once('\n').map_or("", |(comment, _)| &rest[comment.len()..]);
            continue;
        }
        if c == '\'' || c == '"' {
            let quote: String = std::iter::repeat_n(c, 3).collect();
            let (quote, is_long) =
                if rest.starts_with(&quote) { (&*quote, true) } else { (&quote[..1], false) };
            match end_of_string(&rest[quote.len()..], quote, is_long) {
                Some(length) => rest = &rest[quote.len() + length..],
                None => return !is_long,
            }
            last = Some(c);
            continue;
        }
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '\n' if depth == 0 => {
                opens_block |= last == Some(':');
                if last == Some('\\') && rest.trim().is_empty() {
                    return false;
                }
            }
            _ => {}
        }
        if !c.is_whitespace() || c == '\n' && last != Some('\n') {
            last = Some(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    depth == 0 && (!opens_block || code.ends_with("\n\n"))
}

/// The length of a string after its opening quote, with the closing one. A short one ends with its line, which Python
/// calls an error.
fn end_of_string(text: &str, quote: &str, is_long: bool) -> Option<usize> {
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c == '\\' {
            at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8);
        } else if text[at..].starts_with(quote) {
            return Some(at + quote.len());
        } else if c == '\n' && !is_long {
            return Some(at);
        } else {
            at += c.len_utf8();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn blocks_need_a_blank_line_and_brackets_their_ends() {
        for complete in [
            "x = 1\n",
            "print('a: b')\n",
            "x = {'a': 1}\n",
            "x = [\n1,\n2]\n",
            "if x:\n    y = 1\n\n",
            "@f\ndef g(): pass\n\n",
            "s = '''\nif x:\n'''\n",
            "x = 'broken\n",
            "# if x:\n",
            "x = 1 # :\n",
            "x = 1 + \\\n2\n",
            "s = 'it\\'s ('\n",
        ] {
            assert!(is_complete(complete), "{complete:?}");
        }
        for incomplete in [
            "if x:\n",
            "if x:\n    y = 1\n",
            "def f(a,\n",
            "x = [1,\n",
            "s = '''\n",
            "s = \"\"\"a'''\n",
            "@f\n",
            "x = 1 + \\\n",
            "if x: # why\n",
        ] {
            assert!(!is_complete(incomplete), "{incomplete:?}");
        }
    }
}
