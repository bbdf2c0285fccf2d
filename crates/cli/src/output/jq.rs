//! `--jq`: filters JSON output with jaq. Integers of any size stay exact.

use jaq_core::{
    Compiler, Ctx, Vars, data,
    load::{self, Arena, File, Loader, parse::Def},
    unwrap_valr,
};
use jaq_json::{Val, read};

use crate::failure::Failure;

/// Applies a filter to JSON text. Returns each result as JSON, except that a string has no quotes.
pub(crate) fn filter(code: &str, json: &str) -> Result<Vec<String>, Failure> {
    let refuse = |why: String| Failure::usage(format!("--jq: {why}: {code:?}"));
    let arena = Arena::default();
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).chain(formats());
    let modules = Loader::new(definitions)
        .load(&arena, File { code, path: () })
        .map_err(|_| refuse("this is not a jq filter".to_owned()))?;
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let filter = Compiler::default()
        .with_funs(functions)
        .compile(modules)
        .map_err(|errors| refuse(format!("unknown names: {}", unknown(&errors))))?;
    let input =
        read::parse_single(json.as_bytes()).map_err(|e| Failure::local(format!("--jq: not JSON: {e}")))?;
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
    filter
        .id
        .run((context, input))
        .map(unwrap_valr)
        .map(|result| match result {
            Ok(Val::TStr(text)) => Ok(String::from_utf8_lossy(&text).into_owned()),
            Ok(value) => Ok(value.to_string()),
            Err(error) => Err(Failure::usage(format!("--jq: {error}"))),
        })
        .collect()
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

#[cfg(test)]
mod format_tests {
    use super::filter;

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
    use super::filter;

    #[test]
    fn filters_and_keeps_integers_exact() {
        let json = r#"{"a":[{"id":9007199254740993123,"n":"x"},{"id":2,"n":null}]}"#;
        assert_eq!(filter(".a[].id", json).unwrap(), ["9007199254740993123", "2"]);
        assert_eq!(filter(".a | map(.n)", json).unwrap(), [r#"["x",null]"#]);
        assert_eq!(filter(".a[0].n", json).unwrap(), ["x"]);
        assert!(
            filter(".a[", json).is_err() && filter("nope", json).is_err() && filter(".a.b", json).is_err()
        );
    }
}
