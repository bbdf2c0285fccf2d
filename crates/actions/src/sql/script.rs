//! An SQL text of any number of statements: where each begins, what it does, and what is refused before the first one
//! is sent.
//!
//! A statement's text is sent with the comments around it, which may be hints or tags; comments alone are no statement.
//! A text that opens a quote, a comment or a block and doesn't close it is refused: it is unclear where its statements
//! end. The splitting rules are in `split.rs` and `lexer.rs`.

mod cells;
mod position;
mod statement;

use super::{
    Parameter, Statement,
    facts::Facts,
    lexer::Open,
    markers::{check_given, is_same, no_value, parameter_names},
    split::{Piece, Pieces},
};
use crate::{Error, ErrorKind, Result, notebook::refuse_notebook};

pub use position::Position;
pub use statement::ScriptStatement;

use cells::{Cell, cells};
use position::Cursor;

/// SQL statements, separated by semicolons.
///
/// ```
/// # fn main() -> brickwire_actions::Result<()> {
/// use brickwire_actions::Script;
/// let script = Script::parse("USE main.sales;\n-- totals\nSELECT ';' AS text;")?;
/// let [first, second] = script.statements() else { panic!("two statements") };
/// assert_eq!((first.text(), first.verb(), first.line()), ("USE main.sales", "USE", 1));
/// assert_eq!((second.line(), second.returns_rows()), (3, true));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    statements: Vec<ScriptStatement>,
}

impl Script {
    /// Splits a text into its statements. The source of an SQL notebook is split at its cells, too; its Markdown is
    /// skipped.
    ///
    /// ```
    /// # fn main() -> brickwire_actions::Result<()> {
    /// use brickwire_actions::Script;
    /// assert_eq!(Script::parse("SELECT 1; BEGIN SELECT 2; SELECT 3; END")?.statements().len(), 2);
    /// assert!(Script::parse("SELECT 1;\nSELECT 'a").unwrap_err().to_string().contains("line 2"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a quote, a comment or a block that isn't closed, for a notebook with cells in other
    /// languages, and for one that isn't in SQL. A text without statements is not an error.
    pub fn parse(text: &str) -> Result<Self> {
        let mut statements = Vec::new();
        match cells(text)? {
            Some(cells) => {
                for cell in &cells {
                    read(cell, &mut statements)?;
                }
            }
            None => {
                refuse_notebook(text)?;
                read(&Cell::whole(text), &mut statements)?;
            }
        }
        Ok(Self { statements })
    }

    /// Where the quote, the comment or the block starts that a text doesn't close, if there is one.
    ///
    /// ```
    /// use brickwire_actions::Script;
    /// let open = Script::open_at("SELECT 1;\n SELECT 'a").map(|at| (at.line, at.column));
    /// assert_eq!(open, Some((2, 9)));
    /// ```
    pub fn open_at(text: &str) -> Option<Position> {
        let cells = cells(text).ok()?.unwrap_or_else(|| vec![Cell::whole(text)]);
        cells.iter().find_map(|cell| {
            let (_, at) = Pieces::of(&cell.text).last()?.open?;
            Some(Cursor::new(cell).at(at))
        })
    }

    /// Whether a text ends with the semicolon of a complete statement, so that a prompt can run it. A text without
    /// statements is complete.
    ///
    /// ```
    /// use brickwire_actions::Script;
    /// assert!(Script::is_complete("SELECT 1;"));
    /// assert!(!Script::is_complete("SELECT 1"));
    /// assert!(!Script::is_complete("SELECT ';"));
    /// ```
    pub fn is_complete(text: &str) -> bool {
        Pieces::of(text).last().is_none_or(|last| last.tokens.is_empty() && last.open.is_none())
    }

    /// The statements in order.
    pub fn statements(&self) -> &[ScriptStatement] {
        &self.statements
    }

    /// Checks the parameters that go with every statement. Returns the names of those that no statement uses.
    ///
    /// ```
    /// # fn main() -> brickwire_actions::Result<()> {
    /// use brickwire_actions::{Parameter, Script};
    /// let script = Script::parse("SELECT :a; SELECT 2")?;
    /// let unused = script.check_parameters(&[Parameter::new("a", 1), Parameter::new("b", 2)])?;
    /// assert_eq!(unused, ["b"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a parameter that is malformed or given twice, and for one in the text that has no value.
    pub fn check_parameters(&self, parameters: &[Parameter]) -> Result<Vec<String>> {
        check_given(parameters)?;
        for statement in &self.statements {
            let is_given = |name: &&String| parameters.iter().any(|p| is_same(p.name(), name));
            if let Some(missing) = statement.parameters().iter().find(|name| !is_given(name)) {
                let line = statement.line();
                return Err(no_value(
                    missing,
                    &format!("the parameter of the statement in line {line} has no value"),
                ));
            }
        }
        let is_used = |name: &str| {
            self.statements.iter().flat_map(ScriptStatement::parameters).any(|other| is_same(other, name))
        };
        let names = parameters.iter().map(Parameter::name);
        Ok(names.filter(|name| !is_used(name)).map(str::to_owned).collect())
    }

    /// Checks that no statement relies on an SQL session that the one before has changed: each is a call of its own, with
    /// its own session. What `USE` sets is no problem; see [`Defaults`](crate::Defaults).
    ///
    /// ```
    /// # fn main() -> brickwire_actions::Result<()> {
    /// use brickwire_actions::Script;
    /// assert!(Script::parse("USE main; SELECT 1")?.check_sessions().is_ok());
    /// assert!(Script::parse("CREATE TEMP VIEW v AS SELECT 1; SELECT * FROM v")?.check_sessions().is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a statement that sets up what ends with its session, if more statements follow.
    pub fn check_sessions(&self) -> Result<()> {
        let Some(statement) = self.session_user() else { return Ok(()) };
        let (line, what) = (statement.line(), statement.session().unwrap_or_default());
        Err(Error::usage(format!(
            "line {line}: {what} ends with its SQL session, and each statement runs in a session of its own"
        ))
        .with_hint("set `session`, or run the script in a context with `Commands::run`"))
    }

    /// Checks that each statement only reads, as a read-only workspace does when it is sent: so that none is sent if a later
    /// one is refused.
    ///
    /// ```
    /// # fn main() -> brickwire_actions::Result<()> {
    /// use brickwire_actions::Script;
    /// let error = Script::parse("SELECT 1;\nDROP TABLE t")?.check_reads().unwrap_err();
    /// assert!(error.to_string().contains("line 2"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Statement::check_reads`].
    pub fn check_reads(&self) -> Result<()> {
        self.statements.iter().try_for_each(|statement| {
            Statement::check_reads(statement.text()).or_else(|_| {
                // With the lines of the script.
                let before = "\n".repeat(statement.line_of(1) - 1);
                Statement::check_reads(&format!("{before}{}", statement.text()))
            })
        })
    }

    /// The first statement that needs a session for those after it.
    pub fn session_user(&self) -> Option<&ScriptStatement> {
        let (_, others) = self.statements.split_last()?;
        others.iter().find(|statement| statement.session().is_some())
    }

    /// Whether the statements after one that failed in this way may still run, if the caller wants that: not after a
    /// refused login, or if it isn't known what became of the statement.
    pub fn may_continue_after(kind: ErrorKind) -> bool {
        matches!(
            kind,
            ErrorKind::NotFound | ErrorKind::Rejected | ErrorKind::RemoteFailed | ErrorKind::DeadlineExceeded
        )
    }
}

/// Adds the statements of a cell, or of a whole text.
fn read(cell: &Cell<'_>, statements: &mut Vec<ScriptStatement>) -> Result<()> {
    let text = &*cell.text;
    let mut cursor = Cursor::new(cell);
    for piece in Pieces::of(text) {
        if let Some((open, at)) = piece.open {
            return Err(not_closed(open, &cursor.at(at)));
        }
        if let Some((_, first, _)) = piece.tokens.first() {
            let own = text[piece.start..piece.end].trim();
            let start = piece.start + (text[piece.start..].len() - text[piece.start..].trim_start().len());
            let begins = cursor.at(start);
            let place = cursor.at(*first);
            statements.push(statement(cell, &piece, own, start, begins, place));
        }
    }
    Ok(())
}

fn statement(
    cell: &Cell<'_>,
    piece: &Piece<'_>,
    text: &str,
    start: usize,
    begins: Position,
    place: Position,
) -> ScriptStatement {
    let range = match cell.is_verbatim() {
        true => cell.start + start..cell.start + start + text.len(),
        false => cell.start..cell.end,
    };
    let parameters = parameter_names(&piece.tokens).into_iter().map(str::to_owned).collect();
    let facts = Facts::of(&cell.text, &piece.tokens);
    let first = piece.tokens.first().map_or(0, |(_, first, _)| first - start);
    ScriptStatement::new((text.to_owned(), first), range, begins, place, facts, parameters)
}

fn not_closed(open: Open, at: &Position) -> Error {
    let line = at.line;
    let (what, close) = match open {
        Open::Text(quote) => {
            (format!("the string that starts in line {line} is not closed"), quote.to_string())
        }
        Open::Name => {
            (format!("the name in backticks that starts in line {line} is not closed"), "`".to_owned())
        }
        Open::Comment => (format!("the comment that starts in line {line} is not closed"), "*/".to_owned()),
        Open::Dollars => (
            format!("the body between dollar signs that starts in line {line} is not closed"),
            "the same $tag$".to_owned(),
        ),
        Open::Block => {
            (format!("the block that starts with BEGIN in line {line} has no END"), "END;".to_owned())
        }
    };
    Error::usage(what).with_hint(format!("close it with {close}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_have_their_texts_and_places() {
        let text = "-- daily\nUSE main ;;\r\n  /* hint */ SELECT /*+ x */ ';' -- last\n;\n-- end";
        let script = Script::parse(text).unwrap();
        let [first, second] = script.statements() else { panic!("{script:?}") };
        assert_eq!((first.text(), first.line()), ("-- daily\nUSE main", 2));
        assert_eq!((second.text(), second.line()), ("/* hint */ SELECT /*+ x */ ';' -- last", 3));
        assert_eq!((first.column(), second.column()), (1, 14));
        assert_eq!((first.code(), second.code()), ("USE main", "SELECT /*+ x */ ';' -- last"));
        assert_eq!(&text[second.range()], second.text());
        for empty in ["", ";", " ;; \n", "-- x", "/* x; */;"] {
            assert!(Script::parse(empty).unwrap().statements().is_empty(), "{empty:?}");
        }
    }

    #[test]
    fn a_parameter_is_no_label_and_a_carriage_return_ends_a_comment() {
        let script = Script::parse("SELECT :a; SELECT :begin, :end; (SELECT :p)").unwrap();
        assert!(script.statements().iter().all(ScriptStatement::returns_rows), "{script:?}");
        assert_eq!(script.statements().len(), 3);
        for text in ["outer: BEGIN SELECT 1; END outer; SELECT 2", "SELECT 1; -- note\rDROP TABLE t;"] {
            assert_eq!(Script::parse(text).unwrap().statements().len(), 2, "{text:?}");
        }
        let notebook = "\u{feff}-- Databricks notebook source\n-- MAGICAL 7\nSELECT 'é'";
        let script = Script::parse(notebook).unwrap();
        assert!(notebook[script.statements()[0].range()].ends_with("SELECT 'é'"), "{script:?}");
    }

    #[test]
    fn what_is_not_closed_is_refused_with_its_line() {
        for (text, words) in [
            ("SELECT 1;\nSELECT 'a; SELECT 2", "the string that starts in line 2 is not closed"),
            ("SELECT 1;\n\nSELECT `a", "the name in backticks that starts in line 3 is not closed"),
            ("SELECT 1 /* /* */", "the comment that starts in line 1 is not closed"),
            ("SELECT $x$ $$", "the body between dollar signs that starts in line 1 is not closed"),
            ("SELECT 1;\nBEGIN\nSELECT 1;", "the block that starts with BEGIN in line 2 has no END"),
        ] {
            let error = Script::parse(text).unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Usage, words), "{text}");
            assert!(error.hint().is_some() && Script::open_at(text).is_some() && !Script::is_complete(text));
        }
    }

    #[test]
    fn a_prompt_runs_what_ends_with_its_own_semicolon() {
        for complete in
            ["", "  ", "SELECT 1;", "SELECT 1; -- x", "SELECT 1;\nSELECT 2 ;", "BEGIN SELECT 1; END;"]
        {
            assert!(Script::is_complete(complete), "{complete}");
        }
        for incomplete in
            ["SELECT 1", "SELECT 1; SELECT", "SELECT ';", "BEGIN SELECT 1;", "SELECT 1 -- ;", "SELECT 1; /*"]
        {
            assert!(!Script::is_complete(incomplete), "{incomplete}");
        }
    }

    /// Pieces put together at random: their texts are in the script's text, in order, and between them is nothing but
    /// blanks, comments and semicolons.
    #[test]
    fn joined_the_statements_are_the_text() {
        const PARTS: &[&str] = &[
            "SELECT 1",
            ";",
            " ",
            "\n",
            "\r\n",
            "-- x;\n",
            "/* ; /* */ */",
            "'a;''b'",
            "r'\\'",
            "`a``;`",
            "$$;$$",
            "é",
            "BEGIN SELECT 1; END",
            "BEGIN",
            "CASE WHEN a THEN b END",
            ":p",
            "\\",
            "\"x\"",
            "😀",
            "END IF",
            ".",
        ];
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..3000 {
            let text: String = (0..random.usize(1..12)).map(|_| PARTS[random.usize(..PARTS.len())]).collect();
            let Ok(script) = Script::parse(&text) else {
                assert!(Script::open_at(&text).is_some(), "{text:?}");
                continue;
            };
            let mut end = 0;
            for statement in script.statements() {
                let range = statement.range();
                assert_eq!(&text[range.clone()], statement.text(), "{text:?}");
                assert!(Script::parse(&text[end..range.start]).unwrap().statements().is_empty(), "{text:?}");
                let lines = text[..range.start].matches('\n').count() + 1;
                assert_eq!(statement.line_of(1), lines, "{text:?}");
                // What is sent is one statement by the same rules.
                assert_eq!(Script::parse(statement.text()).unwrap().statements().len(), 1, "{text:?}");
                end = range.end;
            }
            assert!(Script::parse(&text[end..]).unwrap().statements().is_empty(), "{text:?}");
        }
    }

    #[test]
    fn a_long_script_is_split_and_its_places_are_right() {
        for separator in [";\n", ";"] {
            let text = format!("INSERT INTO t VALUES (1, 'a;b', :x){separator}").repeat(11_000);
            let script = Script::parse(&text).unwrap();
            let lines = if separator.ends_with('\n') { 11_000 } else { 1 };
            let last = script.statements().last().map(ScriptStatement::line);
            assert_eq!((script.statements().len(), last), (11_000, Some(lines)));
        }
        let text = format!("{}SELECT 'a", "SELECT 1;\n".repeat(9_999));
        assert_eq!(Script::open_at(&text).map(|at| (at.line, at.column)), Some((10_000, 8)));
    }

    #[test]
    fn parameters_are_checked_for_all_statements() {
        let script = Script::parse("SELECT :a;\nSELECT :B").unwrap();
        let check = |names: &[&str]| {
            let given: Vec<_> = names.iter().map(|name| Parameter::new(*name, "1")).collect();
            script.check_parameters(&given).map_err(|error| error.to_string())
        };
        assert_eq!(check(&["a", "b"]), Ok(Vec::new()));
        assert_eq!(check(&["a", "b", "c"]), Ok(vec!["c".to_owned()]));
        assert_eq!(check(&["a"]), Err("the parameter of the statement in line 2 has no value: B".to_owned()));
        assert_eq!(check(&["a", "A", "b"]), Err("the parameter is given more than once: A".to_owned()));
    }

    #[test]
    fn what_a_session_keeps_is_refused_only_if_more_follows() {
        let check = |text: &str| Script::parse(text).unwrap().check_sessions().map_err(|e| e.to_string());
        assert_eq!(check("USE a; SELECT 1; CREATE TEMP VIEW v AS SELECT 1"), Ok(()));
        assert_eq!(
            check("USE a;\n\nCREATE TEMP VIEW v AS SELECT 1;\nSELECT * FROM v"),
            Err("line 3: a temporary view ends with its SQL session, and each statement runs in a session of its own"
                .to_owned())
        );
    }
}
