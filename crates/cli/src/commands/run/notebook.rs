//! The options of `brick run` for notebooks and scripts.

use std::ops::RangeInclusive;

use brickwire_actions::Parameter;

use crate::commands::sql::parameter;

/// How a notebook or a script is run.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Notebooks and scripts")]
pub(crate) struct Options {
    /// Run only this cell, or these (2..4); repeatable
    #[arg(long = "cell", value_name = "NUMBERS", value_parser = numbers)]
    pub(super) cells: Vec<RangeInclusive<usize>>,
    /// Value of a parameter (a widget in Python, :NAME in SQL), as NAME=VALUE, NAME:TYPE=VALUE, or NAME:TYPE (NULL); repeatable
    #[arg(long = "param", short = 'P', value_name = "NAME[:TYPE][=VALUE]", value_parser = parameter)]
    pub(super) parameters: Vec<Parameter>,
    /// Continue after a cell or statement that fails
    #[arg(long)]
    pub(super) continue_on_error: bool,
    /// Send the file as one command, even if it is a notebook or a script
    #[arg(long, conflicts_with_all = ["cells", "parameters", "continue_on_error"])]
    pub(super) as_file: bool,
}

/// `3`, or `2..4`, which includes both.
fn numbers(text: &str) -> Result<RangeInclusive<usize>, String> {
    let number = |text: &str| text.trim().parse::<usize>().ok().filter(|number| *number > 0);
    let range = match text.split_once("..") {
        Some((first, last)) => number(first).zip(number(last)),
        None => number(text).map(|only| (only, only)),
    };
    match range {
        Some((first, last)) if first <= last => Ok(first..=last),
        _ => Err("expected a number such as 3, or a range such as 2..4".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn a_cell_is_a_number_or_a_range() {
        assert_eq!((numbers("3"), numbers("2..4"), numbers(" 2 .. 2 ")), (Ok(3..=3), Ok(2..=4), Ok(2..=2)));
        for wrong in ["", "0", "0..2", "4..2", "a", "1..", "..2", "-1", "1,2", "2..=4"] {
            assert!(numbers(wrong).is_err(), "{wrong}");
        }
    }
}
