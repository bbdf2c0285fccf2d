//! SQL types as a result's schema spells them: `STRUCT<x: INT NOT NULL, y: ARRAY<DECIMAL(10,2)>>`.

/// A type that is nested deeper isn't parsed, as `serde_json` doesn't parse values that are nested deeper.
const DEPTH: usize = 128;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SqlType {
    /// A type without fields, in upper case: `BIGINT`, `DECIMAL(10,2)`, `INTERVAL DAY TO SECOND`.
    Scalar(String),
    Array(Box<SqlType>),
    Map(Box<SqlType>, Box<SqlType>),
    Struct(Vec<StructField>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StructField {
    pub(super) name: String,
    pub(super) data_type: SqlType,
    pub(super) nullable: bool,
}

impl SqlType {
    /// Parses a type. An unknown type is a scalar; `None` means that the text is no type.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { rest: text, depth: 0 };
        let (data_type, _) = parser.data_type()?;
        parser.rest.is_empty().then_some(data_type)
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl Parser<'_> {
    /// A type, and whether it is nullable.
    fn data_type(&mut self) -> Option<(SqlType, bool)> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let data_type = self.nested();
        self.depth -= 1;
        match data_type? {
            Some(nested) => self.attributes().map(|(_, nullable)| (nested, nullable)),
            None => {
                let (text, nullable) = self.attributes()?;
                (!text.is_empty()).then(|| (SqlType::Scalar(text.to_ascii_uppercase()), nullable))
            }
        }
    }

    /// An ARRAY, MAP or STRUCT; `Some(None)` if there is another type.
    fn nested(&mut self) -> Option<Option<SqlType>> {
        let text = self.rest.trim_start();
        let Some((word, rest)) = text.split_once('<') else { return Some(None) };
        let word = word.trim_end().to_ascii_uppercase();
        if !matches!(word.as_str(), "ARRAY" | "MAP" | "STRUCT") {
            return Some(None);
        }
        self.rest = rest;
        let data_type = match word.as_str() {
            "ARRAY" => SqlType::Array(Box::new(self.data_type()?.0)),
            "MAP" => {
                let key = self.data_type()?.0;
                self.expect(',')?;
                SqlType::Map(Box::new(key), Box::new(self.data_type()?.0))
            }
            _ => {
                let mut fields = Vec::new();
                while self.expect('>').is_none() {
                    if !fields.is_empty() {
                        self.expect(',')?;
                    }
                    fields.push(self.field()?);
                }
                return Some(Some(SqlType::Struct(fields)));
            }
        };
        self.expect('>')?;
        Some(Some(data_type))
    }

    fn field(&mut self) -> Option<StructField> {
        let name = match self.expect('`') {
            Some(()) => self.quoted_name()?,
            None => {
                let (name, rest) = self.rest.split_once(':')?;
                self.rest = rest;
                name.trim().to_owned()
            }
        };
        self.expect(':');
        let (data_type, nullable) = self.data_type()?;
        Some(StructField { name, data_type, nullable })
    }

    /// A name up to the closing backtick; two backticks stand for one in the name.
    fn quoted_name(&mut self) -> Option<String> {
        let mut name = String::new();
        loop {
            let (part, rest) = self.rest.split_once('`')?;
            name.push_str(part);
            match rest.strip_prefix('`') {
                Some(more) => {
                    name.push('`');
                    self.rest = more;
                }
                None => {
                    self.rest = rest;
                    return Some(name);
                }
            }
        }
    }

    /// What stands before the next comma or bracket that isn't in parentheses or quotes, without `NOT NULL` and
    /// `COMMENT '…'`; and whether there is no `NOT NULL`.
    fn attributes(&mut self) -> Option<(String, bool)> {
        let (mut parentheses, mut quoted, mut comment) = (0_usize, false, None);
        let mut end = self.rest.len();
        for (at, character) in self.rest.char_indices() {
            match character {
                '\'' => {
                    comment = comment.or(Some(at));
                    quoted = !quoted;
                }
                _ if quoted => {}
                '(' => parentheses += 1,
                ')' => parentheses = parentheses.checked_sub(1)?,
                ',' | '>' if parentheses == 0 => {
                    end = at;
                    break;
                }
                '<' => return None,
                _ => {}
            }
        }
        if quoted || parentheses > 0 {
            return None;
        }
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        let text = text[..comment.unwrap_or(end)].trim().to_ascii_uppercase();
        let text = text.strip_suffix("COMMENT").filter(|_| comment.is_some()).unwrap_or(&text).trim_end();
        let required = text.strip_suffix("NOT NULL").map(str::trim_end);
        Some((required.unwrap_or(text).to_owned(), required.is_none()))
    }

    fn expect(&mut self, sign: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(sign)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(text: &str) -> SqlType {
        SqlType::Scalar(text.to_owned())
    }

    fn field(name: &str, data_type: SqlType, nullable: bool) -> StructField {
        StructField { name: name.to_owned(), data_type, nullable }
    }

    #[test]
    fn types_are_parsed_in_either_case_and_with_attributes() {
        let list = |element| SqlType::Array(Box::new(element));
        for (text, expected) in [
            ("bigint", scalar("BIGINT")),
            (" decimal(10, 2) ", scalar("DECIMAL(10, 2)")),
            ("INTERVAL DAY TO SECOND", scalar("INTERVAL DAY TO SECOND")),
            ("array<array<int>>", list(list(scalar("INT")))),
            ("ARRAY < DECIMAL(10,2) >", list(scalar("DECIMAL(10,2)"))),
            (
                "map<string, struct<>>",
                SqlType::Map(Box::new(scalar("STRING")), Box::new(SqlType::Struct(vec![]))),
            ),
            (
                "struct<a:int NOT NULL COMMENT 'x, y > z',`b ``c``: d`:interval day,e: varchar(5) COLLATE X>",
                SqlType::Struct(vec![
                    field("a", scalar("INT"), false),
                    field("b `c`: d", scalar("INTERVAL DAY"), true),
                    field("e", scalar("VARCHAR(5) COLLATE X"), true),
                ]),
            ),
        ] {
            assert_eq!(SqlType::parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_type_is_refused() {
        let deep = "ARRAY<".repeat(100_000);
        for text in ["", "ARRAY<", "ARRAY<>", "ARRAY<INT", "INT>", "MAP<INT>", "STRUCT<INT>", "X<INT>", &deep]
        {
            assert_eq!(SqlType::parse(text), None, "{}", &text[..text.len().min(20)]);
        }
    }
}
