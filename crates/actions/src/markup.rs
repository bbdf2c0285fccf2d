//! The service's markup: error summaries are HTML, with tags around escaped text.

use html_escape::decode_html_entities;

/// The tags that the service puts around parts of an error.
const TAGS: [&str; 6] = ["span", "div", "pre", "br", "p", "a"];

/// HTML as text.
pub(crate) fn text_of(html: &str) -> String {
    decoded(&without_tags(html, |_| true))
}

/// A traceback as text. Most are text already, which holds names such as `<module>` and must stay; some are HTML, where
/// every `<` that isn't the start of a tag is escaped.
pub(crate) fn text_of_traceback(traceback: &str) -> String {
    let text = without_tags(traceback, |name| TAGS.contains(&name));
    if text.contains(['<', '>']) { traceback.to_owned() } else { decoded(&text) }
}

/// Decodes all entities. A non-breaking space is a space: it is there so that browsers keep the indentation.
fn decoded(text: &str) -> String {
    decode_html_entities(text).replace('\u{a0}', " ")
}

/// Removes the tags that have one of these names.
fn without_tags(html: &str, is_tag: impl Fn(&str) -> bool) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let Some(length) = rest[start..].find('>') else { break };
        let inside = rest[start + 1..start + length].trim_start_matches('/');
        let name = inside.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        // What looks like no tag stays, up to the next character that may start one.
        let end = if is_tag(name) { start } else { start + 1 };
        text.push_str(&rest[..end]);
        rest = &rest[if is_tag(name) { start + length + 1 } else { end }..];
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entity_is_decoded_once() {
        for (html, text) in [
            ("<span class=\"ansi-red-fg\">KeyError</span>: &#39;a&lt;b&#39;", "KeyError: 'a<b'"),
            ("&#x27;&lt;&#x27; &#X3c;", "'<' <"),
            ("&amp;lt; &amp;amp;", "&lt; &amp;"),
            ("&eacute;&hellip;&apos;&nbsp;&rarr;&#128512;", "é…' →😀"),
            ("R&D & co; &nosuch; &#xZZ;", "R&D & co; &nosuch; &#xZZ;"),
        ] {
            assert_eq!(text_of(html), text);
        }
    }

    #[test]
    fn a_traceback_is_decoded_if_it_is_html() {
        for (traceback, text) in [
            (
                "<div class=\"ansiout\">TypeError: &#x27;&lt;&#x27; not supported</div>",
                "TypeError: '<' not supported",
            ),
            ("TypeError: &#39;x&#39;", "TypeError: 'x'"),
            ("in <module>\nKeyError: '&lt;'", "in <module>\nKeyError: '&lt;'"),
            ("a < b &amp; c", "a < b &amp; c"),
            ("ValueError: plain", "ValueError: plain"),
        ] {
            assert_eq!(text_of_traceback(traceback), text);
        }
    }
}
