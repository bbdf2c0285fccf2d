//! The command line that a failed command suggests: the one that it names, or a whole one in its hint.

use crate::{args::Args, failure::Failure, options::Global};

/// Completes what a failure says to do next. A command in the hint counts if it parses, so that a mere mention, such as
/// `brick serving wait` without a name, doesn't. The workspace stays the same.
pub(crate) fn complete(failure: Failure, global: &Global) -> Failure {
    let named = failure.next().map(str::to_owned).or_else(|| in_hint(&failure.hint()?));
    match named {
        Some(_) if global.sandbox => failure.without_next(),
        Some(next) => failure.with_next(same_workspace(next, global)),
        None => failure,
    }
}

/// The first whole command line in a hint: in backticks, or after a colon.
fn in_hint(hint: &str) -> Option<String> {
    let quoted = hint.split('`').skip(1).step_by(2);
    let after_colon = hint.split(": ").skip(1).map(|rest| {
        let end = [", or ", "; ", ", ", "`", "\n"].iter().filter_map(|mark| rest.find(mark)).min();
        &rest[..end.unwrap_or(rest.len())]
    });
    let whole = std::iter::once(hint);
    quoted.chain(after_colon).chain(whole).find(|text| is_whole(text)).map(str::to_owned)
}

/// Whether this is a command line that `brick` accepts as it is.
fn is_whole(text: &str) -> bool {
    // Anything that a shell would read in another way, and placeholders.
    let is_plain = |c: char| c.is_alphanumeric() || " -_./:=@%+,".contains(c) && c != '…';
    let words: Vec<_> = text.split(' ').collect();
    let is_placeholder = |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
    let is_verb = |word: &&str| matches!(*word, "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD");
    words.len() > 1
        && words[0] == "brick"
        && text.chars().all(is_plain)
        && !words.iter().any(|word| is_placeholder(word) && !is_verb(word))
        && Args::tree().try_get_matches_from(words).is_ok()
}

/// The command on the same workspace.
fn same_workspace(command: String, global: &Global) -> String {
    let quoted = |text: &str| match text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:".contains(c)) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    };
    let names = |words: &[&str]| {
        command
            .split(' ')
            .any(|word| words.iter().any(|own| word == *own || word.starts_with(&format!("{own}="))))
    };
    let mut all = command.clone();
    for (value, flags) in [(&global.profile, ["-p", "--profile"]), (&global.host, ["--host", "--host"])] {
        if let Some(value) = value.as_deref().filter(|_| command.starts_with("brick ") && !names(&flags)) {
            all.push_str(&format!(" {} {}", flags[0], quoted(value)));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_command_in_a_hint_is_found() {
        for (hint, expected) in [
            ("start it with `brick warehouses start 4f1c`", Some("brick warehouses start 4f1c")),
            ("brick statements wait 01f0-a1", Some("brick statements wait 01f0-a1")),
            ("run the failed tasks again: brick jobs repair 11", Some("brick jobs repair 11")),
            ("start it: brick clusters start 1-2-x, or add --start", Some("brick clusters start 1-2-x")),
            ("it is still starting; run: brick clusters wait 1-2-x", Some("brick clusters wait 1-2-x")),
            (
                "run `brick auth login --host https://x.cloud.databricks.com`",
                Some("brick auth login --host https://x.cloud.databricks.com"),
            ),
            // Not whole, not a command, or to be completed by the reader.
            ("run `brick serving wait`", None),
            ("`brick volumes delete` deletes a volume", None),
            ("brick api GET /2.0/…", None),
            ("use `brick api` with --max-response-mib", None),
            ("keep it: brick run -c x --context 1 …", None),
            ("brick files cp FILE /Volumes/a", None),
            ("log in: brick nothing at all", None),
            ("start it with `brick warehouses start $(rm -r x)`", None),
            ("use a longer --timeout", None),
        ] {
            assert_eq!(in_hint(hint).as_deref(), expected, "{hint}");
        }
    }
}
