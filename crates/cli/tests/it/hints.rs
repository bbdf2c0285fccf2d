//! Commands that hints, notes, and errors tell people to run exist.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::program::Brick;

/// The source files of the program.
fn sources(folder: &Path, into: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            // Tests may name what doesn't exist.
            into.push(text.split("\nmod tests {").next().unwrap_or_default().to_owned());
        }
    }
}

/// `brick`, a command, and its subcommand if there is one, as they are quoted in a text.
fn commands(text: &str) -> BTreeSet<Vec<String>> {
    let is_name = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let mut found = BTreeSet::new();
    for (at, quote) in text.match_indices("brick ") {
        // In code spans, after a colon, and in literals that begin with it; prose says `brick` and goes on.
        let before = &text[..at];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let is_comment = before[line_start..].trim_start().starts_with("//");
        let is_quoted = before.ends_with(['`', '"']) || before.ends_with(": ");
        if is_comment || !is_quoted {
            continue;
        }
        let line = text[at + quote.len()..].lines().next().unwrap_or_default();
        let end = line.find(['`', '"', '{', '\\', '…']).unwrap_or(line.len());
        let words = line[..end].split(' ').take(2).take_while(|word| is_name(word) && !word.starts_with('-'));
        let words: Vec<String> = words.map(str::to_owned).collect();
        if !words.is_empty() {
            found.insert(words);
        }
    }
    found
}

#[test]
fn every_command_that_a_text_names_exists() {
    let mut texts = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
    let named: BTreeSet<_> = texts.iter().flat_map(|text| commands(text)).collect();
    assert!(
        named.len() > 12 && named.contains(&vec!["clusters".to_owned(), "start".to_owned()]),
        "{named:?}"
    );
    let mut known = BTreeMap::new();
    for words in &named {
        let first = words[0].as_str();
        // A command without subcommands is followed by arguments, or by prose.
        let help = known.entry(first).or_insert_with(|| Brick::new(&format!("{first} --help")).run().done());
        if words.len() > 1 && help.text().contains("Commands:") {
            Brick::new(&format!("{} --help", words.join(" "))).run().done();
        }
    }
    Brick::new("clusters nowhere --help").run().exits(2, &["nowhere"]);
}
