//! Configuration files: an error names the line and quotes nothing of it.

#![no_main]

use brickwire_actions::fuzzing::ini;
use brickwire_fuzz::{PLANTED, shown, text};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some(text) = text(data).filter(|text| !text.contains(PLANTED)) else { return Corpus::Reject };
    match ini(text, "the-file") {
        Ok(sections) => {
            for (name, entries) in sections {
                assert_eq!(name.trim(), name);
                for (key, value) in entries {
                    assert!(!key.is_empty() && !key.contains(['=', '\n']), "{key:?}");
                    assert!(value.is_none_or(|value| text.contains(&value)));
                }
            }
        }
        Err(error) => {
            let message = error.to_string();
            let number = message.rsplit_once("the-file, line ").and_then(|(_, number)| number.parse().ok());
            let number: usize = number.expect("an error names its line");
            let lines: Vec<&str> = text.lines().collect();
            assert!((1..=lines.len()).contains(&number), "{message}");
            // The same with a secret in each line.
            let planted: Vec<String> = lines.iter().map(|line| format!("{line}{PLANTED}")).collect();
            if let Err(error) = ini(&planted.join("\n"), "the-file") {
                assert!(!shown(&error).contains(PLANTED), "{}", shown(&error));
            }
        }
    }
    Corpus::Keep
});
