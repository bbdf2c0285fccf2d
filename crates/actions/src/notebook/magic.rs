//! What the first line of a cell asks for: its language, a file to run, or something that only the notebook editor does.
//!
//! - `%python`, `%sql`, `%scala`, `%r` choose the language; the rest of the line belongs to the cell.
//! - `%fs` becomes Python. `%pip` and `%restart_python` are the cluster's own and are sent as they are.
//! - In a Python cell any other magic is sent as it is, too, because the cluster's shell may know it.
//! - `%sh` and unknown magics of other languages are refused: nothing is skipped in silence.

use brickwire_client::types::CommandLanguage;

use super::cell::language_named;

/// What a cell does.
#[derive(Debug, PartialEq)]
pub(super) enum Magic {
    /// It is code. Blank lines in front keep the line numbers of what follows.
    Code { language: CommandLanguage, code: String },
    /// It is text.
    Skip,
    /// It runs another file.
    Run(String),
    /// It can't run here.
    Refused { message: String, hint: &'static str },
}

/// Reads a cell whose language is `language` unless a magic says otherwise.
pub(super) fn read(text: &str, language: &CommandLanguage) -> Magic {
    let lines: Vec<&str> = text.split('\n').collect();
    let is_code = |line: &&str| !line.trim().is_empty();
    let Some(first) = lines.iter().position(is_code) else { return as_it_is(text, language) };
    // Comments may stand above the magic of another language.
    let at = lines.iter().position(|line| is_code(line) && !is_comment(line)).unwrap_or(first);
    let line = lines[at].trim();
    let Some((word, rest)) = word_of(line) else { return as_it_is(text, language) };
    let is_python = *language == CommandLanguage::Python;
    let others = &lines[at + 1..];
    let is_alone = others.iter().all(|line| line.trim().is_empty());
    // Only Python cells have shell escapes: elsewhere it is "not".
    if word == "!" && !is_python {
        return as_it_is(text, language);
    }
    match word {
        "python" | "sql" | "scala" | "r" => {
            let code = std::iter::repeat_n("", at).chain([rest]).chain(others.iter().copied());
            let language = language_named(word).unwrap_or(CommandLanguage::Python);
            Magic::Code { language, code: code.collect::<Vec<_>>().join("\n") }
        }
        "md" | "md-sandbox" => Magic::Skip,
        "run" | "fs" if !is_alone => refused(
            format!("%{word} has to be alone in its cell"),
            "put the other lines into a cell of their own",
        ),
        "run" => run(rest),
        "fs" => file_system(rest),
        "sh" => refused(
            "%sh is not supported".to_owned(),
            "use Python: import subprocess; print(subprocess.run(\"…\", shell=True, capture_output=True, text=True).stdout)",
        ),
        "pip" | "restart_python" | "conda" => {
            Magic::Code { language: CommandLanguage::Python, code: text.to_owned() }
        }
        _ if is_python => as_it_is(text, language),
        _ => refused(
            format!("this magic is not supported: {}", line.split_whitespace().next().unwrap_or(line)),
            "name the language with %python, %sql, %scala, or %r",
        ),
    }
}

fn as_it_is(text: &str, language: &CommandLanguage) -> Magic {
    Magic::Code { language: language.clone(), code: text.to_owned() }
}

fn refused(message: String, hint: &'static str) -> Magic {
    Magic::Refused { message, hint }
}

fn is_comment(line: &str) -> bool {
    ["#", "--", "//"].iter().any(|mark| line.trim_start().starts_with(mark))
}

/// The name of a magic, and what follows it on its line.
fn word_of(line: &str) -> Option<(&str, &str)> {
    if let Some(rest) = line.strip_prefix('!') {
        return Some(("!", rest));
    }
    let rest = line.strip_prefix("%%").or_else(|| line.strip_prefix('%'))?;
    let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    Some((word, rest.trim_start()))
}

/// `%run ./helpers`, `%run "./my helpers"`
fn run(argument: &str) -> Magic {
    let argument = argument.trim();
    let quote = argument.chars().next().filter(|c| matches!(c, '"' | '\''));
    let (path, rest) = match quote.and_then(|quote| Some((quote, argument[1..].find(quote)?))) {
        Some((_, end)) => (&argument[1..=end], &argument[end + 2..]),
        // A name with blanks needs no quotes, like in the editor; arguments have a `$`.
        None => argument.find(" $").map_or((argument, ""), |at| argument.split_at(at)),
    };
    let path = path.trim();
    if path.is_empty() {
        return refused("%run names no file".to_owned(), "name a file next to the notebook: %run ./helpers");
    }
    if !rest.trim().is_empty() {
        return refused(
            format!("arguments of %run are not supported: {}", rest.trim()),
            "pass parameters with `parameters`",
        );
    }
    if path.starts_with('/') {
        return refused(
            format!("%run of a workspace path is not supported: {path}"),
            "export that notebook to a file next to this one, and run it with %run ./NAME",
        );
    }
    Magic::Run(path.to_owned())
}

/// `%fs ls /tmp` is `display(dbutils.fs.ls("/tmp"))`.
fn file_system(arguments: &str) -> Magic {
    let Some(words) = words(arguments) else {
        return refused("%fs has a quote that is not closed".to_owned(), "close the quote");
    };
    let mut words = words.into_iter();
    let verb = words.next().unwrap_or_default();
    if verb.is_empty() || !verb.chars().all(|c| c.is_ascii_alphanumeric()) {
        return refused("%fs has no command".to_owned(), "name a command, such as: %fs ls /tmp");
    }
    // The flag is the last parameter of the function: `recurse`, or `overwrite` of `put`.
    let (flags, values): (Vec<_>, Vec<_>) = words.partition(|word| matches!(word.as_str(), "-r" | "-f"));
    let flag = (!flags.is_empty()).then(|| "True".to_owned());
    let values: Vec<_> = values.iter().map(|value| python_text(value)).chain(flag).collect();
    let code = format!("display(dbutils.fs.{verb}({}))", values.join(", "));
    Magic::Code { language: CommandLanguage::Python, code }
}

/// The words of a command line; quotes keep blanks together.
fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if matches!(c, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// A text as a literal of Python, which reads those of JSON.
pub(crate) fn python_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use CommandLanguage::{Python, R, Scala, Sql};

    fn code(language: CommandLanguage, code: &str) -> Magic {
        Magic::Code { language, code: code.to_owned() }
    }

    #[test]
    fn a_magic_chooses_the_language_and_the_rest_of_its_line_is_code() {
        for (text, expected) in [
            ("x = 1", code(Python, "x = 1")),
            ("%sql\nSELECT 1", code(Sql, "\nSELECT 1")),
            ("%sql SELECT 1", code(Sql, "SELECT 1")),
            ("%%scala\nval x = 1", code(Scala, "\nval x = 1")),
            ("%r  1 + 1", code(R, "1 + 1")),
            ("# a comment\n\n%sql\nSELECT 1", code(Sql, "\n\n\nSELECT 1")),
            ("%python\n%pip list", code(Python, "\n%pip list")),
            ("print(7 %r)\n%sql", code(Python, "print(7 %r)\n%sql")),
            ("%time x = 1", code(Python, "%time x = 1")),
            ("%pip install x", code(Python, "%pip install x")),
            ("!ls", code(Python, "!ls")),
            ("# only a comment", code(Python, "# only a comment")),
            ("", code(Python, "")),
            ("%md # Title\nx = 1", Magic::Skip),
            ("%md-sandbox\n<b>", Magic::Skip),
        ] {
            assert_eq!(read(text, &Python), expected, "{text}");
        }
        assert_eq!(read("SELECT 1", &Sql), code(Sql, "SELECT 1"));
        assert_eq!(read("%pip install x", &Sql), code(Python, "%pip install x"));
    }

    #[test]
    fn files_are_run_from_beside_the_notebook() {
        for (text, path) in [
            ("%run ./x", "./x"),
            ("%run x.py\n\n", "x.py"),
            ("%run \"./my helpers\"", "./my helpers"),
            ("%run ./my helpers", "./my helpers"),
            ("%run '../a'", "../a"),
        ] {
            assert_eq!(read(text, &Python), Magic::Run(path.to_owned()), "{text}");
        }
    }

    #[test]
    fn the_file_system_magic_is_python() {
        for (text, expected) in [
            ("%fs ls", "display(dbutils.fs.ls())"),
            ("%fs ls /tmp", "display(dbutils.fs.ls(\"/tmp\"))"),
            ("%fs rm -r \"dbfs:/a b\"", "display(dbutils.fs.rm(\"dbfs:/a b\", True))"),
            ("%fs cp -r /a '/b\"c'", "display(dbutils.fs.cp(\"/a\", \"/b\\\"c\", True))"),
            ("%fs put -f /a \"\"", "display(dbutils.fs.put(\"/a\", \"\", True))"),
        ] {
            assert_eq!(read(text, &Sql), code(Python, expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_run_here_is_refused() {
        for (text, language, words) in [
            ("%sh ls", Python, "%sh"),
            ("%%sh\nls", Python, "%sh"),
            ("%run /Workspace/x", Python, "/Workspace/x"),
            ("%run", Python, "names no file"),
            ("%run ./x $a=\"1\"", Python, "arguments of %run"),
            ("%run ./x\ny = 1", Python, "alone"),
            ("%fs", Python, "no command"),
            ("%fs ls \"/a", Python, "not closed"),
            ("%fs ls;x /a", Python, "no command"),
            ("%kotlin\n1", Sql, "%kotlin"),
        ] {
            let Magic::Refused { message, hint } = read(text, &language) else { panic!("{text}") };
            assert!(message.contains(words) && !hint.is_empty(), "{text}: {message}");
        }
    }
}
