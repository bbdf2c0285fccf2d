//! Where the statements of an SQL text begin and end. A semicolon ends a statement, except inside of a compound
//! statement: `BEGIN … END`, or the body of `CREATE PROCEDURE`.
//!
//! In a compound statement only `BEGIN` and `CASE` open, and `END` closes. `END IF`, `END WHILE`, `END LOOP`,
//! `END REPEAT` and `END FOR` close nothing that was counted. Since each statement of a block ends with a semicolon, an
//! `END` that closes a block follows one; a column named `end` doesn't.

use super::lexer::{Lexer, Open, Placed, Token};

/// A statement with the blanks and comments around it, or only these.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) tokens: Vec<Placed<'a>>,
    pub(super) start: usize,
    /// Where its semicolon stands, or the text ends.
    pub(super) end: usize,
    /// What it opens and doesn't close, and where that starts.
    pub(super) open: Option<(Open, usize)>,
}

/// The pieces of a text, one by one: only the tokens of one are in memory.
pub(super) struct Pieces<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    start: usize,
    has_ended: bool,
}

impl<'a> Pieces<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, lexer: Lexer::new(text), start: 0, has_ended: false }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if self.has_ended {
            return None;
        }
        let start = self.start;
        let mut tokens = Vec::new();
        let mut block: Option<Block> = None;
        for placed in self.lexer.by_ref() {
            let (token, at, after) = placed;
            if token == Token::Symbol(';') {
                if block.is_none() {
                    block = opens_block(&tokens).map(Block::starting);
                }
                if block.as_mut().is_none_or(|block| block.has_closed(&tokens, Some(&token))) {
                    self.start = after;
                    return Some(Piece { tokens, start, end: at, open: None });
                }
            }
            tokens.push(placed);
        }
        self.has_ended = true;
        let block = block.or_else(|| opens_block(&tokens).map(Block::starting));
        let is_open = block.is_some_and(|mut block| !block.has_closed(&tokens, None));
        let begin = tokens.iter().find(|(token, ..)| token.is_word("BEGIN")).filter(|_| is_open);
        let open = self.lexer.open.or(begin.map(|(_, at, _)| (Open::Block, *at)));
        Some(Piece { tokens, start, end: self.text.len(), open })
    }
}

/// Whether a block's label starts here: `label: BEGIN`. In `SELECT :begin` the colon belongs to a parameter.
pub(super) fn has_label(tokens: &[Placed<'_>]) -> bool {
    let [
        (Token::Word(_) | Token::Name(_), _, end),
        (Token::Symbol(':'), colon, after),
        (begin, start, _),
        ..,
    ] = tokens
    else {
        return false;
    };
    begin.is_word("BEGIN") && (end == colon || after != start)
}

/// The `BEGIN` of the block that starts here: `BEGIN`, `label: BEGIN`, or the body of `CREATE … PROCEDURE`. `BEGIN`
/// alone and `BEGIN TRANSACTION` are statements of their own.
fn opens_block(tokens: &[Placed<'_>]) -> Option<usize> {
    let begin = match tokens {
        _ if has_label(tokens) => 2,
        [(create, ..), ..] if create.is_word("CREATE") => {
            tokens.iter().take(4).find(|(token, ..)| token.is_word("PROCEDURE"))?;
            tokens.iter().position(|(token, ..)| token.is_word("BEGIN"))?
        }
        _ => 0,
    };
    let is = |at: usize, words: &[&str]| tokens.get(at).is_some_and(|(token, ..)| token.is_any(words));
    let is_block =
        is(begin, &["BEGIN"]) && begin + 1 < tokens.len() && !is(begin + 1, &["TRANSACTION", "WORK"]);
    is_block.then_some(begin)
}

/// A compound statement that is being read.
struct Block {
    /// What is open, from the outside in.
    stack: Vec<Opener>,
    /// How many tokens have been looked at.
    seen: usize,
}

#[derive(PartialEq, Eq)]
enum Opener {
    Begin,
    Case,
}

impl Block {
    fn starting(begin: usize) -> Self {
        Self { stack: vec![Opener::Begin], seen: begin + 1 }
    }

    /// Looks at the tokens that came since. `next` is the token after them.
    fn has_closed(&mut self, tokens: &[Placed<'_>], next: Option<&Token<'_>>) -> bool {
        while self.seen < tokens.len() && !self.stack.is_empty() {
            let at = self.seen;
            let after = tokens.get(at + 1).map(|(token, ..)| token).or(next);
            self.see(&tokens[at - 1].0, &tokens[at].0, after);
            self.seen += 1;
        }
        self.stack.is_empty()
    }

    fn see(&mut self, before: &Token<'_>, token: &Token<'_>, after: Option<&Token<'_>>) {
        const LOOPS: [&str; 5] = ["IF", "WHILE", "LOOP", "REPEAT", "FOR"];
        let is_name = *before == Token::Symbol('.') || after == Some(&Token::Symbol('.'));
        if is_name {
        } else if token.is_word("BEGIN") && starts_statement(before) {
            self.stack.push(Opener::Begin);
        } else if token.is_word("CASE") && !before.is_word("END") {
            self.stack.push(Opener::Case);
        } else if token.is_word("END") && !after.is_some_and(|after| after.is_any(&LOOPS)) {
            let is_last = after.is_none_or(|after| *after == Token::Symbol(';'));
            let closes = match self.stack.last() {
                Some(Opener::Case) => ends_value(before),
                Some(Opener::Begin) => {
                    *before == Token::Symbol(';')
                        || before.is_any(&["BEGIN", "ATOMIC"])
                        || is_last && ends_value(before)
                }
                None => false,
            };
            if closes {
                self.stack.pop();
            }
        }
    }
}

/// Whether a statement may start after this token, as opposed to a column's name.
fn starts_statement(before: &Token<'_>) -> bool {
    match before {
        Token::Symbol(symbol) => matches!(symbol, ';' | ':'),
        word => !word.is_any(&["SELECT", "AS", "WHERE", "BY", "AND", "OR", "NOT", "ON"]),
    }
}

/// Whether a value or a statement may end with this token, so that `END` after it is the keyword.
fn ends_value(before: &Token<'_>) -> bool {
    match before {
        Token::Symbol(symbol) => matches!(symbol, ')' | ']' | '}' | ';'),
        word => !word.is_any(&[
            "SELECT", "AS", "WHERE", "BY", "AND", "OR", "NOT", "ON", "WHEN", "THEN", "ELSE", "CASE", "IN",
            "LIKE", "BETWEEN",
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        Pieces::of(text).filter(|piece| !piece.tokens.is_empty()).count()
    }

    #[test]
    fn statements_are_counted_through_quotes_comments_and_blocks() {
        for (text, expected) in [
            ("", 0),
            (" ;; \n", 0),
            ("-- only this", 0),
            ("SELECT 1", 1),
            ("SELECT 1;", 1),
            ("SELECT 1; -- done; really", 1),
            ("SELECT 1;;\n/* ; /* ; */ ; */", 1),
            ("SELECT ';', \"a;b\", `c;d`, 'it\\';s', 'it'';s'", 1),
            ("SELECT `a``;b`; SELECT 2", 2),
            (r"SELECT r'\'; SELECT 2", 2),
            (r"SELECT bar'\'; SELECT 2'", 1),
            ("SELECT 1 -- a \\\n; b\n", 1),
            ("SELECT /*+ BROADCAST(a;b) */ 1;SELECT 2", 2),
            ("SELECT 1;\r\nSELECT 2;\r\n", 2),
            ("SELECT 1 /* never closed ; ", 1),
            ("SELECT 'never closed ; ", 1),
            ("SELECT 1; SELECT 2", 2),
            ("USE main;\nSELECT 2;\nSELECT 3", 3),
            ("CREATE FUNCTION f() RETURNS INT LANGUAGE PYTHON AS $$\na = 1; return a\n$$", 1),
            ("CREATE FUNCTION f() RETURNS INT LANGUAGE PYTHON AS $x$ a; $$ b $x$; SELECT 1", 2),
            ("BEGIN\n  DECLARE x INT;\n  SET x = 1;\nEND", 1),
            ("BEGIN END; SELECT 1", 2),
            ("outer: BEGIN SELECT 1; SELECT 2; END outer; SELECT 3", 2),
            ("CREATE OR REPLACE PROCEDURE p() LANGUAGE SQL AS BEGIN SELECT 1; SELECT 2; END; CALL p()", 2),
            ("BEGIN ATOMIC INSERT INTO t VALUES (1); DELETE FROM u; END; SELECT 1", 2),
            ("SELECT 1; BEGIN SELECT 1; END", 2),
            ("BEGIN BEGIN SELECT 1; END; SELECT 2; END; SELECT 3", 2),
            ("BEGIN IF a THEN SELECT 1; END IF; WHILE b DO SELECT 2; END WHILE; END; SELECT 3", 2),
            (
                "BEGIN lbl: LOOP LEAVE lbl; END LOOP lbl; FOR r AS SELECT 1 DO SELECT 2; END FOR; END; SELECT 3",
                2,
            ),
            ("BEGIN REPEAT SET x = 1; UNTIL x > 3 END REPEAT; END; SELECT 3", 2),
            ("BEGIN CASE x WHEN 1 THEN SELECT 1; ELSE SELECT 2; END CASE; END; SELECT 3", 2),
            ("BEGIN SELECT CASE WHEN a THEN 'b' ELSE c END; SELECT 2; END; SELECT 3", 2),
            ("BEGIN SELECT CASE WHEN a THEN CASE WHEN b THEN 1 END END AS x; END; SELECT 3", 2),
            ("BEGIN SELECT end FROM t; SELECT t.end, a.begin, case.x; SELECT 1 AS end; END; SELECT 3", 2),
            ("BEGIN SELECT begin, a AS begin FROM t ORDER BY begin; END; SELECT 3", 2),
            ("BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN SELECT 1; END; SELECT 2; END; SELECT 3", 2),
            ("BEGIN SELECT 1 END; SELECT 2", 2),
            ("BEGIN TRANSACTION; DELETE FROM t; COMMIT", 3),
            ("BEGIN WORK; DELETE FROM t; COMMIT", 3),
            ("BEGIN; DELETE FROM t; COMMIT", 3),
            ("SELECT begin FROM t; SELECT 2", 2),
            ("SELECT CASE WHEN a THEN b END; SELECT 2", 2),
            ("CREATE TABLE procedure_log (begin INT); SELECT 1", 2),
        ] {
            assert_eq!(count(text), expected, "{text}");
        }
    }

    #[test]
    fn a_block_without_its_end_is_open() {
        for (text, is_open) in [
            ("SELECT 1; BEGIN SELECT 1; SELECT 2;", true),
            ("BEGIN IF a THEN SELECT 1; END IF;", true),
            ("BEGIN SELECT CASE WHEN a THEN b END;", true),
            ("BEGIN SELECT 1; END", false),
            ("BEGIN", false),
        ] {
            let last = Pieces::of(text).last().unwrap();
            assert_eq!(last.open.is_some_and(|(open, _)| open == Open::Block), is_open, "{text}");
        }
    }
}
