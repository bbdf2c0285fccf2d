//! Parsers of the program `brick`, which is no library: its files are compiled here once more.

#[allow(dead_code)]
#[path = "../../crates/cli/src/output/json.rs"]
mod json;
#[allow(dead_code)]
#[path = "../../crates/cli/src/shells/line.rs"]
mod line;
#[allow(dead_code)]
#[path = "../../crates/cli/src/terminal/escape.rs"]
mod terminal;

use serde_json::Value;

use self::line::{Quote, Typed};
use crate::PLANTED;

/// What reaches a terminal: no control characters, and the same JSON.
pub fn check_terminal(text: &str) {
    let (shown, line) = (terminal::escaped(text), terminal::escaped_line(text));
    assert!(!line.contains(terminal::is_control), "{line:?}");
    assert!(!shown.contains(|c| terminal::is_control(c) && !matches!(c, '\n' | '\t')), "{shown:?}");
    assert!(shown.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')), "{shown:?}");
    assert_eq!(terminal::escaped(&shown), shown);
    // Only the sequences that set colors are left.
    let colored = terminal::escaped_but_for_colors(text);
    let plain = terminal::without_colors(&colored);
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
    // A carriage return between tokens is shown, too.
    if let Ok(json) = serde_json::from_str::<Value>(text)
        && !text.contains('\r')
    {
        assert_eq!(serde_json::from_str::<Value>(&shown).ok(), Some(json));
    }
}

/// JSON that is printed: every token stays, and masked values are gone.
pub fn check_json(text: &str) {
    let (pretty, compact) = (json::pretty(text), json::compact(text));
    let masked = json::masked(text, &["external_link"]);
    let Ok(mut document) = serde_json::from_str::<Value>(text) else { return };
    for printed in [&pretty, &compact] {
        assert_eq!(serde_json::from_str::<Value>(printed).as_ref().ok(), Some(&document), "{printed}");
    }
    assert_eq!(json::compact(&pretty), compact);
    assert!(!compact.contains('\n'), "{compact}");
    mask(&mut document, "***");
    assert_eq!(serde_json::from_str::<Value>(&masked).ok().as_ref(), Some(&document), "{masked}");
    mask(&mut document, PLANTED);
    let masked = json::without_links(document.to_string().as_bytes());
    assert!(!String::from_utf8_lossy(&masked).contains(PLANTED));
}

/// Puts a text in place of each link.
fn mask(json: &mut Value, with: &str) {
    match json {
        Value::Object(members) => {
            for (key, member) in members {
                if key == "external_link" && !member.is_null() {
                    *member = with.into();
                } else {
                    mask(member, with);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, with)),
        _ => {}
    }
}

/// Completion: whatever a name holds, the shell reads what is inserted as exactly this name.
pub fn check_completion(typed: &str, name: &str) {
    const BREAKS: &str = " \t\n\"'><=;|&(:";
    // No name is offered that has control characters, and the shell replaces an escape that isn't complete.
    if name.contains(char::is_control) || typed.ends_with('\\') {
        return;
    }
    let prefix = Typed::read(typed, BREAKS, Quote::Bash);
    let value = format!("{}{name}", prefix.last());
    // The shell replaces what follows the last place where it cuts a word; there has to be nothing yet.
    if let Some(rest) = prefix.rest_of(&value).filter(|_| prefix.rest_of(prefix.last()).is_none()) {
        let line = format!("{typed}{rest}");
        assert_eq!(Typed::read(&line, BREAKS, Quote::Bash).last(), value, "{line:?}");
    }
    for quote in [Quote::Bash, Quote::Powershell] {
        // PowerShell takes curly quotes for straight ones; the line isn't read that way.
        if quote == Quote::Powershell && name.contains(['\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}']) {
            continue;
        }
        let line = quote.quoted(name, None);
        assert_eq!(Typed::read(&line, "", quote).last(), name, "{line:?}");
    }
}
