//! The record layout: each field on a line of its own, with the values aligned.

use std::borrow::Cow;

use anstyle::Style;

use super::layout::{GAP, width};
use crate::{
    color::{self, HEADING},
    terminal,
};

/// A name and a value, and the style of the value.
pub(super) struct Field<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) value: Cow<'a, str>,
    pub(super) style: Option<Style>,
}

impl<'a> Field<'a> {
    /// A field of a resource. The words of states have colors.
    pub(super) fn of(name: &'a str, value: impl Into<Cow<'a, str>>) -> Self {
        let value = value.into();
        let style = if name == "state" || name == "status" { color::of_state(&value) } else { None };
        Self { name: name.into(), value, style }
    }
}

/// Lines of `name  value`. On a terminal, the further lines of a value are aligned, too, so that a value can't pass for
/// another field.
pub(super) fn lines(fields: &[Field<'_>], on_terminal: bool, has_colors: bool) -> String {
    let shown = |field: &Field<'_>| match on_terminal {
        true => terminal::escaped_line(&field.name).into_owned(),
        false => field.name.clone().into_owned(),
    };
    let names: Vec<_> = fields.iter().map(shown).collect();
    let widest = names.iter().map(|name| width(name)).max().unwrap_or_default();
    let line = |(name, field): (&String, &Field<'_>)| {
        let (space, indent) = (" ".repeat(widest + GAP - width(name)), " ".repeat(widest + GAP));
        let value = match on_terminal {
            true => terminal::escaped(&field.value).replace('\n', &format!("\n{indent}")),
            false => field.value.clone().into_owned(),
        };
        let value = value.trim_end();
        match (has_colors, field.style) {
            (false, _) => format!("{name}{space}{value}").trim_end().to_owned(),
            (true, _) if value.is_empty() => color::painted(name, HEADING),
            (true, None) => format!("{}{space}{value}", color::painted(name, HEADING)),
            (true, Some(style)) => {
                format!("{}{space}{}", color::painted(name, HEADING), color::painted(value, style))
            }
        }
    };
    names.iter().zip(fields).map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_pass_for_another_field_on_a_terminal() {
        let fields = [Field::of("日本", "x\nstate  RUNNING\x1b[2J"), Field::of("b\nstate", "")];
        let shown = "日本      x\n          state  RUNNING\\u001b[2J\nb\\nstate";
        assert_eq!(lines(&fields, true, false), shown);
        let colored =
            "\x1b[1m日本\x1b[0m      x\n          state  RUNNING\\u001b[2J\n\x1b[1mb\\nstate\x1b[0m";
        assert_eq!(lines(&fields, true, true), colored);
        let fields = [Field::of("日本", "x\nstate  RUNNING\x1b[2J"), Field::of("b", "")];
        assert_eq!(lines(&fields, false, false), "日本  x\nstate  RUNNING\x1b[2J\nb");
    }

    #[test]
    fn a_state_has_its_color() {
        let shown = lines(&[Field::of("state", "RUNNING"), Field::of("name", "RUNNING")], true, true);
        assert_eq!(shown, "\x1b[1mstate\x1b[0m  \x1b[32mRUNNING\x1b[0m\n\x1b[1mname\x1b[0m   RUNNING");
    }
}
