use super::*;
use crate::results::buffer_pool::BufferPool;

/// The rows if the text arrives in portions of this length.
fn read(text: &[u8], portion: usize, columns: usize) -> Result<Vec<Vec<Option<String>>>> {
    let buffers = BufferPool::default();
    let columns: Arc<[_]> = vec![StatementColumnInfo::default(); columns].into();
    let mut decoder = JsonDecoder::new(&columns);
    let mut items = Vec::new();
    for part in text.chunks(portion) {
        let mut bytes = buffers.take(part.len());
        bytes.copy_from_slice(part);
        decoder.decode(bytes, &mut items)?;
    }
    decoder.finish()?;
    let rows = items.iter().flat_map(|(rows, count)| {
        assert_eq!(rows.len() as u64, *count);
        rows.iter()
            .map(|row| row.iter().map(|cell| cell.as_str().map(str::to_owned)).collect())
            .collect::<Vec<_>>()
    });
    Ok(rows.collect())
}

#[test]
fn reads_what_serde_reads_wherever_it_is_cut() {
    let text = r#" [ ["a",null,""], [ "\"q\\ \u00e4\ud83d\ude00\n", "ü€😀" , "null" ],["1","x]\",[","\/\b\f\r\t"],
        ["\\","é","\\\\"] ] "#;
    let expected: Vec<Vec<Option<String>>> = serde_json::from_str(text).unwrap();
    for portion in 1..text.len() + 1 {
        assert_eq!(read(text.as_bytes(), portion, 3).unwrap(), expected, "{portion}");
    }
}

#[test]
fn no_rows_have_several_forms() {
    for text in ["", "[]", " [ ] ", "null"] {
        for portion in [1, 100] {
            assert_eq!(read(text.as_bytes(), portion, 3).unwrap(), Vec::<Vec<_>>::new(), "{text:?}");
        }
    }
}

#[test]
fn anything_else_is_an_error() {
    for text in [
        "[",
        "[[\"a\"]",
        "[[\"a\"",
        "[[\"a\"]] x",
        "{\"a\": 1}",
        "[\"a\"]",
        "[[\"a\" \"b\"]]",
        "[[\"\\x\"]]",
        "[[\"\\ud800\"]]",
        "[[\"\\ud800\\u0041\"]]",
        "[[{}]]",
        "[[\"a\",\"b\"]]",
        "[[]]",
        "nul",
        "<html>",
        "nullx",
        "[[\"1\"][\"2\"]]",
        "[,[\"1\"]]",
        "[[\"1\"],]",
        "[[\"1\",]]",
        "[[,\"1\"]]",
        "[\u{c}]",
        "[[\"1\"]]\u{c}",
        "\u{c}null",
        "nul   l",
        "[[\"a\nb\"]]",
        "[[\"\\n\u{1f}\"]]",
        "[[nan]]",
        "[[True]]",
        "[[01]]",
        "[[1.]]",
        "[[.5]]",
        "[[+1]]",
        "[[1e]]",
        "[[-]]",
        "[[1.5.2]]",
        "[[1-2]]",
    ] {
        assert!(read(text.as_bytes(), 5, 1).is_err(), "{text}");
    }
    assert!(read(b"[[\"\xFF\"]]", 100, 1).is_err());
}

#[test]
fn whitespace_follows_any_cell() {
    let some = |text: &str| Some(text.to_owned());
    for blank in [" ", "\n", "\r", "\t"] {
        for (cell, expected) in
            [("null", None), ("\"a\"", some("a")), ("true", some("true")), ("-1.5E+20", some("-1.5E+20"))]
        {
            let text = format!("[[{cell}{blank}]{blank}]{blank}{blank}");
            for portion in 1..text.len() {
                assert_eq!(read(text.as_bytes(), portion, 1).unwrap(), [[expected.clone()]], "{text:?}");
            }
        }
    }
    assert_eq!(read(b"[[18446744073709551617]]", 4, 1).unwrap(), [[some("18446744073709551617")]]);
}

/// What serde reads: rows of one width whose cells are texts, `null`, numbers or booleans.
fn reference(text: &[u8], columns: usize) -> Option<Vec<Vec<Option<String>>>> {
    if trimmed(text).is_empty() || trimmed(text) == b"null" {
        return Some(Vec::new());
    }
    let rows: Vec<Vec<&serde_json::value::RawValue>> = serde_json::from_slice(text).ok()?;
    let cell = |raw: &&serde_json::value::RawValue| match raw.get().as_bytes()[0] {
        b'"' => serde_json::from_str(raw.get()).ok().map(Some),
        b'n' => Some(None),
        b'[' | b'{' => None,
        _ => Some(Some(raw.get().to_owned())),
    };
    let row = |row: &Vec<_>| (row.len() == columns).then(|| row.iter().map(cell).collect()).flatten();
    rows.iter().map(row).collect()
}

#[test]
fn damaged_rows_are_refused_whenever_serde_refuses_them() {
    const PIECES: &[&str] = &[
        "[", "]", ",", "\"", "\\", "null", " ", "\t", "\r", "\n", "\u{c}", "\u{0}", "1", "-", ".", "e",
        "true", "{", "}", ":", "é", "\\u00e4", "\\ud83d", "\\ude00", "],[", "\",\"", "\u{feff}", "\u{7f}",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    let (mut accepted, mut refused) = (0, 0);
    let seeds =
        [r#"[["a",null],["\u00e4\n","ü"],[1,"-2.5"]]"#, " [ [ null , true ] ] ", "[]", r#"[["",""]]"#];
    for round in 0..60_000 {
        let mut text = seeds[round % seeds.len()].as_bytes().to_vec();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..=text.len());
            match random.u8(..4) {
                0 => drop(text.splice(at..at, PIECES[random.usize(..PIECES.len())].bytes())),
                1 => drop(text.drain(at..(at + random.usize(..3)).min(text.len()))),
                2 if at < text.len() => text[at] ^= 1 << random.u8(..8),
                _ => text.insert(at, random.u8(..)),
            }
        }
        let expected = reference(&text, 2);
        let portion = random.usize(1..=text.len().max(1));
        let came = read(&text, portion, 2).ok();
        assert_eq!(came, expected, "{:?} in portions of {portion}", String::from_utf8_lossy(&text));
        if expected.is_some() { accepted += 1 } else { refused += 1 }
    }
    assert!(accepted > 5000 && refused > 30_000, "{accepted} {refused}");
}
