//! The words of a rule: `503`, `every 3`, `message="two words"`, `body={"a": 1}`.
//!
//! A value in double quotes is a JSON text with its escapes, one in single quotes is taken as it is, one that begins
//! with a bracket is a whole JSON value, which keeps its quotation marks and spaces. Any other ends at the next space.

use serde_json::value::RawValue;

/// A word, and what follows its equals sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// The word as it was written.
    pub(super) text: &'a str,
    pub(super) key: &'a str,
    pub(super) value: Option<String>,
}

/// Reads words from the rest of a rule.
#[derive(Debug, Clone)]
pub(super) struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text.trim())
    }

    /// The next word; an error says what is wrong with its value.
    pub(super) fn next(&mut self) -> Result<Option<Word<'a>>, String> {
        let text = self.0;
        if text.is_empty() {
            return Ok(None);
        }
        let end = text.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(text.len());
        let (key, rest) = text.split_at(end);
        let Some(rest) = rest.strip_prefix('=') else {
            self.0 = rest.trim_start();
            return Ok(Some(Word { text: key, key, value: None }));
        };
        // `set=/path:JSON`: what is JSON begins after the colon.
        let pointer = if key == "set" { rest.find(':').map_or(0, |colon| colon + 1) } else { 0 };
        let (before, from) = rest.split_at(pointer);
        let (value, length) = value(from, key).map_err(|why| format!("{why} after `{key}={before}`"))?;
        let rest = &from[length..];
        if rest.starts_with(|c: char| !c.is_whitespace()) {
            return Err(format!("a space is missing after the value of `{key}`"));
        }
        self.0 = rest.trim_start();
        let text = &text[..text.len() - rest.len()];
        Ok(Some(Word { text, key, value: Some(format!("{before}{value}")) }))
    }

    /// The number after a word such as `every`.
    pub(super) fn number<N: std::str::FromStr>(&mut self) -> Option<N> {
        let word = self.next().ok()??;
        word.text.parse().ok()
    }
}

/// The value at the start of the text, and how many bytes it takes.
fn value(text: &str, key: &str) -> Result<(String, usize), String> {
    let json = |text: &str| -> Result<usize, String> {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        match values.next() {
            Some(Ok(value)) => Ok(value.get().len()),
            Some(Err(error)) => Err(format!("the value is not JSON ({error})")),
            None => Err("a value is missing".to_owned()),
        }
    };
    match text.chars().next() {
        Some('\'') => match text[1..].find('\'') {
            Some(end) => Ok((text[1..=end].to_owned(), end + 2)),
            None => Err("the closing quotation mark is missing".to_owned()),
        },
        Some('"') if key == "set" => json(text).map(|length| (text[..length].to_owned(), length)),
        Some('"') => {
            let length = json(text)?;
            let text = serde_json::from_str(&text[..length]).map_err(|error| error.to_string())?;
            Ok((text, length))
        }
        Some('{' | '[') => json(text).map(|length| (text[..length].to_owned(), length)),
        _ => {
            let end = text.find(char::is_whitespace).unwrap_or(text.len());
            Ok((text[..end].to_owned(), end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, Option<String>)>, String> {
        let (mut words, mut all) = (Words::new(text), Vec::new());
        while let Some(word) = words.next()? {
            all.push((word.key.to_owned(), word.value));
        }
        Ok(all)
    }

    fn value_of(text: &str) -> String {
        let words = read(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!(words.len(), 1, "{words:?}");
        words[0].1.clone().unwrap()
    }

    #[test]
    fn values_keep_what_they_say() {
        assert_eq!(value_of(r#"body={"a": 1, "b": ["x y", null]}"#), r#"{"a": 1, "b": ["x y", null]}"#);
        assert_eq!(value_of(r#"body=[]"#), "[]");
        assert_eq!(value_of(r#"body='{"a":'"#), r#"{"a":"#, "JSON that is broken on purpose");
        assert_eq!(value_of(r#"message="two \"words\"""#), r#"two "words""#);
        assert_eq!(value_of(r#"message="a\nb""#), "a\nb");
        assert_eq!(value_of(r#"body=say"hi""#), r#"say"hi""#);
        assert_eq!(value_of("body="), "");
        assert_eq!(value_of(r#"header=X-A:b"#), "X-A:b");
        assert_eq!(value_of(r#"set=/a/b:"x y""#), r#"/a/b:"x y""#);
        assert_eq!(value_of(r#"set=/a:{"b": 1}"#), r#"/a:{"b": 1}"#);
        assert_eq!(value_of("set=/a:null"), "/a:null");
        let words = read("  every 3\t503\nafter ").unwrap();
        assert_eq!(
            words.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(),
            ["every", "3", "503", "after"]
        );
    }

    #[test]
    fn what_is_not_closed_is_refused() {
        for text in
            [r#"message="a"#, "body='a", r#"body={"a":"#, r#"body={"a":1}x"#, r#"message="a"b"#, "body={a:1}"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
