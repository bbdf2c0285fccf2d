//! How wide each column of a table is on a terminal: widths in, widths out.
//!
//! 1. A table that fits keeps its natural widths.
//! 2. Otherwise its text columns shrink, the widest first, and a heading that is wider than all its cells.
//! 3. If that isn't enough, columns are left out. A column that holds only `…` marks the place.
//!
//! Numbers, dates, timestamps, and booleans are never cut, and no cell is broken over lines.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The space between two columns.
pub(super) const GAP: usize = 2;
/// Stands for what is not shown: the end of a cell, or columns. It is one column wide.
pub(super) const MARK: &str = "…";
/// No column of text shrinks below this width, unless the terminal is narrower.
const NARROWEST: usize = 12;
/// No heading is cut below this width.
const HEADING: usize = 20;
/// A value that is wider is no number or date, whatever its type promises. A decimal has 40 digits and signs at most.
const LONGEST_NUMBER: usize = 64;

/// What a column's cells may lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cells {
    /// Text, whose end may be cut off.
    Text,
    /// Numbers, dates, timestamps, and booleans: a part of one is another value.
    Values,
    /// The IDs or names of a list, which are copied.
    Ids,
}

/// A column's widths.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) cells: Cells,
    pub(super) heading: usize,
    /// The width of the widest cell.
    pub(super) widest: usize,
}

impl Column {
    fn natural(&self) -> usize {
        self.heading.max(self.widest)
    }

    /// Whether cells may be cut.
    pub(super) fn can_be_cut(&self) -> bool {
        match self.cells {
            Cells::Text => true,
            Cells::Values => self.widest > LONGEST_NUMBER,
            Cells::Ids => false,
        }
    }

    /// The least width.
    fn least(&self) -> usize {
        let cells = if self.can_be_cut() { NARROWEST } else { self.widest };
        cells.max(self.heading.min(HEADING)).min(self.natural())
    }
}

/// What stands side by side in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Column {
        index: usize,
        width: usize,
    },
    /// Columns that are left out.
    Hidden,
}

/// The widths of all columns in a line of `room` columns, or `None` if they don't fit.
pub(super) fn fitted(columns: &[Column], room: usize) -> Option<Vec<usize>> {
    let room = room.checked_sub(GAP * columns.len().saturating_sub(1))?;
    let at = |level: usize| columns.iter().map(move |column| column.natural().min(level.max(column.least())));
    let total = |level: usize| at(level).sum::<usize>();
    if total(0) > room {
        return None;
    }
    // The highest level at which they fit: all columns that are wider shrink to it.
    let (mut fits, mut too_high) = (0, columns.iter().map(Column::natural).max().unwrap_or_default() + 1);
    while fits + 1 < too_high {
        let middle = fits + (too_high - fits) / 2;
        match total(middle) <= room {
            true => fits = middle,
            false => too_high = middle,
        }
    }
    let mut widths: Vec<usize> = at(fits).collect();
    // One more column for each would be too much, and for some it is not.
    let mut spare = room - widths.iter().sum::<usize>();
    for (width, column) in widths.iter_mut().zip(columns) {
        if spare > 0 && *width < column.natural() && *width <= fits {
            (*width, spare) = (*width + 1, spare - 1);
        }
    }
    Some(widths)
}

/// The slots of a line of `room` columns. If not all columns fit, those that come first in `order` stay, at least one.
pub(super) fn slots(columns: &[Column], order: &[usize], room: usize) -> Vec<Slot> {
    if let Some(widths) = fitted(columns, room) {
        let slot = |(index, width)| Slot::Column { index, width };
        return widths.into_iter().enumerate().map(slot).collect();
    }
    // Each column takes a place and a gap at least.
    let most = order.len().min(room / (1 + GAP) + 1);
    for count in (1..=most).rev() {
        let mut kept = order[..count].to_vec();
        kept.sort_unstable();
        let marks = marks(&kept, columns.len());
        let room = room.saturating_sub(marks * (1 + GAP));
        let some: Vec<Column> = kept.iter().map(|index| columns[*index]).collect();
        let widths = match fitted(&some, room) {
            Some(widths) => widths,
            None if count > 1 => continue,
            None if some[0].can_be_cut() => vec![some[0].natural().min(room).max(1)],
            None => vec![some[0].least()],
        };
        return with_marks(&kept, &widths, columns.len());
    }
    Vec::new()
}

/// How many runs of columns are left out.
fn marks(kept: &[usize], columns: usize) -> usize {
    let inner = kept.windows(2).filter(|pair| pair[1] > pair[0] + 1).count();
    let is_start_missing = kept.first().is_some_and(|first| *first > 0);
    let is_end_missing = kept.last().is_some_and(|last| last + 1 < columns);
    inner + usize::from(is_start_missing) + usize::from(is_end_missing)
}

fn with_marks(kept: &[usize], widths: &[usize], columns: usize) -> Vec<Slot> {
    let (mut slots, mut next) = (Vec::new(), 0);
    for (&index, &width) in kept.iter().zip(widths) {
        if index > next {
            slots.push(Slot::Hidden);
        }
        slots.push(Slot::Column { index, width });
        next = index + 1;
    }
    if next < columns {
        slots.push(Slot::Hidden);
    }
    slots
}

/// The order in which the columns of a query stay: from both ends, so that those in the middle go first.
pub(super) fn from_the_ends(columns: usize) -> Vec<usize> {
    (0..columns).map(|n| if n % 2 == 0 { n / 2 } else { columns - 1 - n / 2 }).collect()
}

/// The order in which the columns of a list stay: the first one, the ID, the name, the state, then from left to right.
pub(super) fn by_heading<'a>(headings: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let rank = |(index, heading): (usize, &'a str)| match heading {
        _ if index == 0 => (0, index),
        "ID" => (1, index),
        "NAME" => (2, index),
        "STATE" => (3, index),
        _ => (4, index),
    };
    let mut ranks: Vec<_> = headings.enumerate().map(rank).collect();
    ranks.sort_unstable();
    ranks.into_iter().map(|(_, index)| index).collect()
}

/// The number of columns that a text without line breaks takes on a screen.
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// The text, cut to this width between characters as people see them. What is cut ends in `…`.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    // No character is narrower than nothing, so only a long text needs to be measured.
    if text.len() <= most || width(text) <= most {
        return Cow::Borrowed(text);
    }
    let (mut taken, mut end) = (0, 0);
    for (start, character) in text.grapheme_indices(true) {
        taken += character.width();
        if taken + 1 > most {
            break;
        }
        end = start + character.len();
    }
    Cow::Owned(format!("{}{MARK}", &text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(heading: usize, widest: usize) -> Column {
        Column { cells: Cells::Text, heading, widest }
    }

    fn number(heading: usize, widest: usize) -> Column {
        Column { cells: Cells::Values, heading, widest }
    }

    /// The slots as widths, with 0 for columns that are left out.
    fn widths(columns: &[Column], room: usize) -> Vec<usize> {
        let slots = slots(columns, &from_the_ends(columns.len()), room);
        let width = |slot| match slot {
            Slot::Column { width, .. } => width,
            Slot::Hidden => 0,
        };
        slots.into_iter().map(width).collect()
    }

    #[test]
    fn text_shrinks_the_widest_first_and_numbers_never() {
        let columns = [text(4, 100), number(5, 20), text(4, 30), text(4, 10)];
        assert_eq!(widths(&columns, 200), [100, 20, 30, 10]);
        assert_eq!(widths(&columns, 120), [54, 20, 30, 10]);
        assert_eq!(widths(&columns, 80), [22, 20, 22, 10]);
        // An odd column goes to the left.
        assert_eq!(widths(&columns, 81), [23, 20, 22, 10]);
        assert_eq!(widths(&columns, 60), [12, 20, 12, 10]);
        // A long heading of numbers shrinks, but not below 20; a short one of text not at all.
        assert_eq!(widths(&[number(50, 3), text(15, 90)], 40), [20, 18]);
        assert_eq!(widths(&[number(50, 3), text(15, 90)], 37), [20, 15]);
    }

    #[test]
    fn columns_in_the_middle_are_left_out() {
        let trip =
            [number(20, 24), number(21, 24), number(13, 13), number(11, 11), number(10, 5), number(11, 5)];
        assert_eq!(widths(&trip, 79), [24, 24, 0, 10, 11]);
        assert_eq!(widths(&trip, 40), [24, 0, 11]);
        // The first column stays, even if it is wider than the terminal.
        assert_eq!(widths(&trip, 20), [24, 0]);
        assert_eq!(widths(&[text(4, 100)], 8), [8]);
        assert_eq!(widths(&[text(4, 100), number(1, 9)], 8), [5, 0]);
        assert_eq!(widths(&[], 8), [0; 0]);
        assert_eq!(from_the_ends(5), [0, 4, 1, 3, 2]);
    }

    #[test]
    fn a_list_keeps_what_identifies_its_items() {
        let headings = ["ID", "JOB", "NAME", "STATE", "STARTED (MS)"];
        let order = by_heading(headings.into_iter());
        assert_eq!(order, [0, 2, 3, 1, 4]);
        let columns: Vec<_> = headings.iter().map(|heading| text(heading.len(), 12)).collect();
        let column = |index| Slot::Column { index, width: 12 };
        let expected = [column(0), Slot::Hidden, column(2), column(3), Slot::Hidden];
        assert_eq!(slots(&columns, &order, 48), expected);
        let ids = Column { cells: Cells::Ids, heading: 2, widest: 36 };
        let expected = [Slot::Column { index: 0, width: 36 }, Slot::Hidden];
        assert_eq!(slots(&[ids, text(4, 90)], &[0, 1], 39), expected);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        let family = "👨\u{200d}👩\u{200d}👧";
        assert_eq!(cut(&format!("{family}{family}x"), 4), format!("{family}…"));
        assert_eq!(cut("مرحبا بالعالم", 4), "مرح…");
        assert_eq!(cut("ab", 1), "…");
    }

    /// Numbers between 0 and a bound, the same ones in each run.
    fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
        move |bound| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % bound
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_no_value_is_cut() {
        let mut number = numbers(7);
        for _ in 0..20_000 {
            let room = 1 + number(220);
            let columns: Vec<Column> = (0..1 + number(30))
                .map(|index| Column {
                    cells: match number(3) {
                        0 => Cells::Values,
                        1 if index == 0 => Cells::Ids,
                        _ => Cells::Text,
                    },
                    heading: number(40),
                    widest: match number(4) {
                        0 => number(300),
                        _ => number(30),
                    },
                })
                .collect();
            let slots = slots(&columns, &from_the_ends(columns.len()), room);
            let taken = |slot: &Slot| match slot {
                Slot::Column { width, .. } => *width,
                Slot::Hidden => 1,
            };
            let total = slots.iter().map(taken).sum::<usize>() + GAP * (slots.len() - 1);
            let Slot::Column { index: 0, width: first } = slots[0] else {
                panic!("the first column is left out")
            };
            let is_first_alone = slots.iter().filter(|slot| matches!(slot, Slot::Column { .. })).count() == 1;
            let is_too_wide = is_first_alone && !columns[0].can_be_cut() && first > room.saturating_sub(3);
            assert!(total <= room || is_too_wide || room < 4, "{total} > {room}: {columns:?}");
            for slot in &slots {
                let Slot::Column { index, width } = *slot else { continue };
                assert!(
                    columns[index].can_be_cut() || width >= columns[index].widest,
                    "{columns:?} {slots:?}"
                );
                assert!(width <= columns[index].natural(), "{columns:?} {slots:?}");
            }
            if fitted(&columns, room).is_some() {
                assert_eq!(slots.len(), columns.len());
            }
        }
    }
}
