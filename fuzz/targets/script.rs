//! SQL texts: tokens are in order and cover all that is neither blank nor a comment.

#![no_main]

use brickwire_actions::{Parameter, Script, Statement, fuzzing::script, refuse_notebook};
use brickwire_fuzz::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    let (tokens, starts) = script(text);
    let mut end = 0;
    for (start, token_end) in &tokens {
        assert!(end <= *start && start < token_end, "{tokens:?}");
        is_skipped(&text[end..*start]);
        assert!(!text[*start..*token_end].is_empty());
        end = *token_end;
    }
    is_skipped(&text[end..]);
    for pair in starts.windows(2) {
        assert!(pair[0] < pair[1] && text[pair[0]..pair[1]].contains(';'), "{starts:?}");
    }
    assert!(starts.iter().all(|start| tokens.iter().any(|(token, _)| token == start)), "{starts:?}");
    // Joined, the statements and what is before the first are the text.
    let joined: String = statements(text, &starts).collect();
    assert_eq!(joined, text);

    if refuse_notebook(text).is_ok() {
        assert_eq!(Statement::check_single(text).is_ok(), starts.len() == 1);
    }
    let _ = Statement::check(text, &[Parameter::new("id", 1)]);

    match Script::parse(text) {
        Ok(script) => {
            let mut end = 0;
            for statement in script.statements() {
                let range = statement.range();
                assert!(
                    end <= range.start && range.start < range.end && range.end <= text.len(),
                    "{range:?}"
                );
                end = range.end;
            }
        }
        Err(_) => assert!(Script::open_at(text).is_some() || refuse_notebook(text).is_err()),
    }
});

fn statements<'a>(text: &'a str, starts: &'a [usize]) -> impl Iterator<Item = &'a str> {
    let ends = starts.iter().copied().chain([text.len()]);
    let mut start = 0;
    ends.map(move |end| {
        let part = &text[start..end];
        start = end;
        part
    })
}

/// What lies between tokens is blank or a comment.
fn is_skipped(text: &str) {
    let text = text.trim_start();
    assert!(text.is_empty() || text.starts_with("--") || text.starts_with("/*"), "{text:?}");
}
