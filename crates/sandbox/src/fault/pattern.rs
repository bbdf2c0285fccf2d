//! Paths with `*`: which requests a rule is for.

/// A path in which `*` stands for any text. Matching takes time in proportion to the path and the pattern, whatever
/// they say: each part between two stars is searched once, from where the part before it ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    /// What the path begins with; all of it if there is no star.
    head: String,
    /// The parts after the first star; the last one ends the path.
    rest: Option<(Vec<String>, String)>,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let mut parts = text.split('*').map(str::to_owned);
        let head = parts.next().unwrap_or_default();
        let mut middle: Vec<String> = parts.collect();
        let rest = middle.pop().map(|tail| {
            middle.retain(|part| !part.is_empty());
            (middle, tail)
        });
        Self { head, rest }
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        let Some((middle, tail)) = &self.rest else { return path == self.head };
        let Some(mut left) = path.strip_prefix(self.head.as_str()) else { return false };
        for part in middle {
            let Some(found) = left.find(part.as_str()) else { return false };
            left = &left[found + part.len()..];
        }
        left.ends_with(tail.as_str())
    }

    /// Whether a path that starts so may match.
    pub(super) fn reaches(&self, start: &str) -> bool {
        self.head.starts_with(start) || (self.rest.is_some() && start.starts_with(self.head.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, which takes exponential time.
    fn defined(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|skipped| defined(rest, &text[skipped..])),
            Some((first, rest)) => {
                text.split_first().is_some_and(|(other, text)| first == other && defined(rest, text))
            }
        }
    }

    #[test]
    fn it_matches_as_defined() {
        let words = |letters: &[char], most: u32| -> Vec<String> {
            let mut all = vec![String::new()];
            let mut last = all.clone();
            for _ in 0..most {
                let longer =
                    |word: &String| letters.iter().map(move |c| format!("{word}{c}")).collect::<Vec<_>>();
                last = last.iter().flat_map(longer).collect();
                all.extend(last.iter().cloned());
            }
            all
        };
        for pattern in words(&['a', 'b', '*'], 5) {
            let compiled = Pattern::new(&pattern);
            for text in words(&['a', 'b'], 5) {
                let expected = defined(pattern.as_bytes(), text.as_bytes());
                assert_eq!(compiled.matches(&text), expected, "{pattern} {text}");
            }
        }
    }

    #[test]
    fn many_stars_take_no_more_than_a_moment() {
        // By the definition, longer than the universe.
        let pattern = Pattern::new(&format!("{}b", "*a".repeat(1000)));
        assert!(!pattern.matches(&"a".repeat(60_000)));
        assert!(pattern.matches(&format!("{}b", "a".repeat(60_000))));
    }

    #[test]
    fn it_reaches_what_may_follow() {
        for (pattern, reaches) in [
            ("*", true),
            ("/res*", true),
            ("/results/a/0", true),
            ("/results/*", true),
            ("/api/*", false),
            ("/res", false),
        ] {
            assert_eq!(Pattern::new(pattern).reaches("/results/"), reaches, "{pattern}");
        }
    }
}
