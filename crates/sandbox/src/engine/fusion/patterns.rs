//! Java's date patterns (`yyyy-MM-dd`) as chrono's (`%Y-%m-%d`), or nothing where the two have no common word.

/// `None`: a letter or a count of letters that has no exact counterpart.
pub(super) fn of_java(pattern: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            if chars.next_if_eq(&'\'').is_some() {
                out.push('\'');
                continue;
            }
            loop {
                match chars.next()? {
                    '\'' if chars.next_if_eq(&'\'').is_some() => out.push('\''),
                    '\'' => break,
                    quoted => literal(quoted, &mut out),
                }
            }
            continue;
        }
        if !c.is_ascii_alphabetic() {
            literal(c, &mut out);
            continue;
        }
        let mut count = 1;
        while chars.next_if_eq(&c).is_some() {
            count += 1;
        }
        out.push_str(match (c, count) {
            ('y', 4) => "%Y",
            ('y', 2) => "%y",
            ('M', 1) => "%-m",
            ('M', 2) => "%m",
            ('M', 3) => "%b",
            ('M', 4) => "%B",
            ('d', 1) => "%-d",
            ('d', 2) => "%d",
            ('D', 3) => "%j",
            ('E', 1..=3) => "%a",
            ('E', 4) => "%A",
            ('H', 1) => "%-H",
            ('H', 2) => "%H",
            ('h', 1) => "%-I",
            ('h', 2) => "%I",
            ('m', 1) => "%-M",
            ('m', 2) => "%M",
            ('s', 1) => "%-S",
            ('s', 2) => "%S",
            ('S', 3) => "%3f",
            ('S', 6) => "%6f",
            ('a', 1) => "%p",
            _ => return None,
        });
    }
    Some(out)
}

fn literal(c: char, out: &mut String) {
    if c == '%' {
        out.push('%');
    }
    out.push(c);
}

#[cfg(test)]
mod tests {
    use super::of_java;

    #[test]
    fn known_letters_are_translated_and_others_refused() {
        let cases = [
            ("yyyy-MM-dd", Some("%Y-%m-%d")),
            ("dd/MM/yyyy HH:mm:ss.SSS", Some("%d/%m/%Y %H:%M:%S.%3f")),
            ("yyyy-MM-dd'T'HH:mm", Some("%Y-%m-%dT%H:%M")),
            ("h 'o''clock' a", Some("%-I o'clock %p")),
            ("100%", Some("100%%")),
            ("yyyyy", None),
            ("QQQ", None),
            ("'open", None),
        ];
        for (java, chrono) in cases {
            assert_eq!(of_java(java).as_deref(), chrono, "{java}");
        }
    }
}
