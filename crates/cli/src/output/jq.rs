//! `--jq`: filters JSON output with jaq. Integers of any size stay exact.
//!
//! A filter is a program that may never end, and whose recursion the interpreter doesn't bound. So it runs in a process of
//! its own: `filter/process.rs`.

use std::thread;

use jaq_core::{
    Compiler, Ctx, Vars, data,
    load::{self, Arena, File, Loader, parse::Def},
};
use jaq_json::{Val, read};
use serde::de::IgnoredAny;

use crate::failure::Failure;

type Filter = jaq_core::Filter<data::JustLut<Val>>;

/// How much of a value an error shows, in characters.
const SHOWN: usize = 80;

/// The longest filter, in bytes. Together with the stack it bounds how deep a filter can be nested.
const LONGEST: usize = 16 << 10;

/// The stack of a thread that compiles or runs a filter, in bytes.
pub(super) const STACK: usize = 256 << 20;

/// How a filter ended.
pub(super) enum End {
    Done,
    /// `halt` and `halt_error`, with their exit code.
    Halted(i32),
}

/// Checks that a filter compiles.
pub(super) fn check(code: &str) -> Result<(), Failure> {
    if code.len() > LONGEST {
        return Err(Failure::usage(format!(
            "--jq: the filter is longer than {LONGEST} bytes: {} bytes",
            code.len()
        )));
    }
    let check = || compile(code).map(drop);
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, check)?;
        thread.join().unwrap_or_else(|_| Err(Failure::local("--jq: the filter could not be compiled")))
    })
}

/// Applies a filter to JSON text. Each result is JSON, except that a string has no quotes. `take` returns whether to go on.
pub(super) fn apply(code: &str, json: &[u8], mut take: impl FnMut(&[u8]) -> bool) -> Result<End, String> {
    let filter = compile(code).map_err(|failure| failure.message())?;
    let input = read::parse_single(json).map_err(|e| format!("not JSON: {e}"))?;
    let environment = Val::obj(Default::default());
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([environment]));
    for result in filter.id.run((context, input)) {
        let goes_on = match result.map_err(jaq_core::Exn::get_err) {
            Ok(Val::TStr(text)) => take(&text),
            Ok(value) => take(value.to_string().as_bytes()),
            Err(Ok(error)) => return Err(brief(&error.to_string())),
            Err(Err(halt)) => return Ok(End::Halted(halt.get_halt().unwrap_or(0))),
        };
        if !goes_on {
            break;
        }
    }
    Ok(End::Done)
}

fn compile(code: &str) -> Result<Filter, Failure> {
    let refuse = |why: String| Failure::usage(format!("--jq: {why}: {code:?}"));
    let arena = Arena::default();
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).chain(formats());
    let modules = Loader::new(definitions)
        .load(&arena, File { code, path: () })
        .map_err(|_| refuse("this is not a jq filter".to_owned()))?;
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    Compiler::default()
        .with_funs(functions)
        .with_global_vars(["$ENV"])
        .compile(modules)
        .map_err(|errors| refuse(format!("unknown names: {}", unknown(&errors))))
}

/// `@csv` and `@tsv`.
fn formats() -> Vec<Def<&'static str>> {
    load::parse(include_str!("formats.jq"), |parser| parser.defs()).unwrap_or_default()
}

/// Undefined names, by file.
type Undefined<'a, P> = (File<&'a str, P>, Vec<(&'a str, jaq_core::compile::Undefined)>);

fn unknown<P>(errors: &[Undefined<'_, P>]) -> String {
    errors.iter().flat_map(|(_, names)| names.iter().map(|(name, _)| *name)).collect::<Vec<_>>().join(", ")
}

/// An error in one line. jaq's own text holds the whole value that the filter failed on, and not its type:
/// `cannot index [{"id":1},…] with "id"` becomes `cannot index an array with "id": [{"id":1},…`.
fn brief(error: &str) -> String {
    const BEFORE_VALUE: [&str; 4] =
        ["cannot index ", "cannot use ", "cannot calculate ", "invalid path expression with input "];
    let Some((before, rest)) =
        BEFORE_VALUE.iter().find_map(|start| Some((start, error.strip_prefix(start)?)))
    else {
        return shortened(error);
    };
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
    if !matches!(values.next(), Some(Ok(_))) {
        return shortened(error);
    }
    let (value, after) = rest.split_at(values.byte_offset());
    format!("{before}{}{}: {}", type_of(value), shortened(after), shortened(value))
}

/// The type of a JSON value.
fn type_of(value: &str) -> &'static str {
    match value.bytes().next() {
        Some(b'[') => "an array",
        Some(b'{') => "an object",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

pub(super) fn shortened(text: &str) -> String {
    let mut characters = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = characters.by_ref().take(SHOWN).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod format_tests {
    use super::tests::filter;

    #[test]
    fn rows_are_formatted_as_jq_does() {
        let json = r#"[1, 9007199254740993, -0.5, "a\tb\n\\\r", "say \"x\", y", true, null]"#;
        for (format, formatted) in [
            ("@tsv", "1\t9007199254740993\t-0.5\ta\\tb\\n\\\\\\r\tsay \"x\", y\ttrue\t"),
            ("@csv", "1,9007199254740993,-0.5,\"a\tb\n\\\r\",\"say \"\"x\"\", y\",true,"),
            ("@sh", "1 9007199254740993 -0.5 'a\tb\n\\\r' 'say \"x\", y' true null"),
            (".[3:5] | @csv \"row: \\(.)\"", "row: \"a\tb\n\\\r\",\"say \"\"x\"\", y\""),
            (".[4] | @uri", "say%20%22x%22%2C%20y"),
            (".[4] | @html", "say &quot;x&quot;, y"),
            (".[4] | @base64", "c2F5ICJ4IiwgeQ=="),
            (".[0:2] | @json", "[1,9007199254740993]"),
        ] {
            assert_eq!(filter(format, json).unwrap(), [formatted], "{format}");
        }
        assert!(filter("@csv", "{}").is_err() && filter("@tsv", "[[]]").is_err());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn filter(code: &str, json: &str) -> Result<Vec<String>, String> {
        let mut results = Vec::new();
        let take = |result: &[u8]| {
            results.push(String::from_utf8_lossy(result).into_owned());
            true
        };
        apply(code, json.as_bytes(), take).map(|_| results)
    }

    #[test]
    fn filters_and_keeps_integers_exact() {
        let json = r#"{"a":[{"id":9007199254740993123,"n":"x"},{"id":2,"n":null}]}"#;
        assert_eq!(filter(".a[].id", json).unwrap(), ["9007199254740993123", "2"]);
        assert_eq!(filter(".a | map(.n)", json).unwrap(), [r#"["x",null]"#]);
        assert_eq!(filter(".a[0].n", json).unwrap(), ["x"]);
        assert_eq!(filter(".a[0].n, halt, 1", json).unwrap(), ["x"]);
        for wrong in [".a[", "nope", ".a | nope(1)"] {
            assert_eq!(check(wrong).unwrap_err().kind(), brickwire_actions::ErrorKind::Usage, "{wrong}");
        }
    }

    #[test]
    fn the_environment_is_empty_and_a_deep_or_long_filter_is_an_error() {
        assert_eq!(filter("$ENV, ($ENV | length)", "1").unwrap(), ["{}", "0"]);
        for deep in ["[", "-", "1|"] {
            let _ = check(&deep.repeat(LONGEST / deep.len()));
            let _ = check(&format!("{}1", deep.repeat((LONGEST - 1) / deep.len())));
        }
        check(&format!("{}1{}", "[".repeat(LONGEST / 2 - 1), "]".repeat(LONGEST / 2 - 1))).unwrap();
        let long = check(&".|".repeat(LONGEST)).unwrap_err();
        assert!(long.message().contains("16384 bytes"), "{}", long.message());
    }

    #[test]
    fn an_error_names_the_type_and_a_part_of_the_value() {
        let json = format!(r#"[{{"id": "a\nb"}}{}]"#, r#",{"id":2}"#.repeat(100_000));
        for (code, told) in [
            (".id", r#"--jq: cannot index an array with "id": [{"id":"a\nb"},{"id":2},"#),
            (".[1].id.x", r#"--jq: cannot index a number with "x": 2"#),
            (".[1] + 1", "--jq: cannot calculate an object + 1: {"),
            (". - 1", "--jq: cannot calculate an array - 1: ["),
            ("keys_unsorted | .[0] | ascii_downcase", "--jq: cannot use a number as "),
            ("error(.)", "--jq: [{"),
            ("error(\"a\\nb\")", r#"--jq: "a\nb""#),
        ] {
            let message = format!("--jq: {}", filter(code, &json).unwrap_err());
            assert!(message.starts_with(told) && message.chars().count() < 250, "{code}: {message}");
        }
    }
}
