//! What a CREATE TABLE demands, taken apart so that two of them can be compared (day 7).
//!
//! `"Age" integer NOT NULL DEFAULT 18` and `age INT default (18) not null` demand the same. So it is not the texts that
//! are compared: each is taken apart into its constraints, each constraint into its words; and case, blanks, comments,
//! quotes around names, names of constraints, and the order play no role:
//!
//! ```text
//!   CREATE TABLE "User" ("Name" text, "Age" integer NOT NULL CHECK ("Age" < 200), PRIMARY KEY ("Name"));
//!
//!   of Name         PRIMARY KEY            a key of one column is that column's, wherever it is written
//!   of Age          NOT NULL
//!   of the table    CHECK ( AGE < 200 )    a CHECK may name any column, so it is the table's
//! ```
//!
//! This is no parser, and knows no expressions: `CHECK (a < b)` and `CHECK (b > a)` are two constraints to it. Where it
//! sees a difference that is none, the [rebuild](super) writes down what the model says, and the next time there is
//! none. Types are compared by the [dialect](crate::Dialect::same_type).

use std::fmt;

/// Something that a table demands of its rows.
#[derive(Clone, Debug)]
pub(super) struct Constraint {
    /// The column that it is about; empty where it is the table.
    pub(super) column: String,
    words: Vec<String>,
    /// As it was written, but for blanks, comments and quotes.
    shown: String,
}

/// The constraints of a CREATE TABLE.
pub(super) fn constraints(create_table: &str) -> Vec<Constraint> {
    let tokens = tokens(create_table);
    let Some(open) = tokens.iter().position(|token| token.is("(")) else { return Vec::new() };
    let close = open + closing(&tokens[open..]);
    let mut found = Vec::new();
    for part in pieces(&tokens[open + 1..close], |tokens, at| tokens[at].is(",")) {
        let part = part.strip_prefix(&[Token::sign(',')]).unwrap_or(part);
        match part {
            [] => {}
            [_constraint, _name, rest @ ..] if part[0].is("CONSTRAINT") => {
                found.extend(of_table(rest));
            }
            [first, ..] if first.is_one_of(&["PRIMARY", "UNIQUE", "CHECK", "FOREIGN"]) => {
                found.extend(of_table(part));
            }
            [column, rest @ ..] => {
                let pieces = pieces(rest, begins).into_iter().filter(|piece| begins(piece, 0));
                found.extend(pieces.filter_map(|piece| Constraint::new(&column.shown, piece)));
            }
        }
    }
    // STRICT, for one.
    let options = tokens.get(close + 1..).unwrap_or_default();
    if options.first().is_some_and(|token| !token.is(";")) {
        found.extend(Constraint::new(
            "",
            options.strip_suffix(&[Token::sign(';')]).unwrap_or(options),
        ));
    }
    found
}

/// Whether two statements have the same words.
pub(super) fn same_words(this: &str, that: &str) -> bool {
    let words =
        |sql| tokens(sql).into_iter().filter(|t| !t.is(";") && !t.is("ASC")).map(|t| t.word);
    words(this).eq(words(that))
}

/// Whether a CREATE INDEX makes a constraint.
pub(super) fn is_unique(create_index: &str) -> bool {
    tokens(create_index).get(1).is_some_and(|token| token.is("UNIQUE"))
}

/// Whether a constraint of a column begins at this word.
fn begins(tokens: &[Token], at: usize) -> bool {
    let after = |words: &[&str]| at > 0 && tokens[at - 1].is_one_of(words);
    match &tokens[at] {
        token if token.is("NULL") => !after(&["NOT", "DEFAULT", "SET"]),
        token if token.is("DEFAULT") => !after(&["SET"]), // ON DELETE SET DEFAULT
        token if token.is("NOT") => tokens.get(at + 1).is_some_and(|next| next.is("NULL")),
        token if token.is("AS") => !after(&["ALWAYS"]),
        token => token.is_one_of(&[
            "CONSTRAINT",
            "PRIMARY",
            "AUTOINCREMENT",
            "UNIQUE",
            "CHECK",
            "COLLATE",
            "REFERENCES",
            "GENERATED",
        ]),
    }
}

/// A constraint of the table, or of the one column that it names.
fn of_table(tokens: &[Token]) -> Option<Constraint> {
    match tokens {
        [primary, key, open, column, close, rest @ ..]
            if primary.is_one_of(&["PRIMARY", "FOREIGN"]) && open.is("(") && close.is(")") =>
        {
            let kind =
                if primary.is("PRIMARY") { &[primary.clone(), key.clone()][..] } else { &[] };
            Constraint::new(&column.shown, &[kind, rest].concat())
        }
        [unique, open, column, close, rest @ ..]
            if unique.is("UNIQUE") && open.is("(") && close.is(")") =>
        {
            Constraint::new(&column.shown, &[std::slice::from_ref(unique), rest].concat())
        }
        _ => Constraint::new("", tokens),
    }
}

impl Constraint {
    /// `None` where it demands nothing.
    fn new(column: &str, tokens: &[Token]) -> Option<Constraint> {
        let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
        if is(0, "CONSTRAINT") || is(0, "NULL") || (is(0, "DEFAULT") && is(1, "NULL")) {
            return None;
        }
        let mut words: Vec<_> = tokens.iter().collect();
        while is(0, "DEFAULT")
            && words.len() > 3
            && words[1].is("(")
            && closing(&words[1..]) == words.len() - 2
        {
            words.pop();
            words.remove(1);
        }
        if is(0, "PRIMARY") {
            words.retain(|token| !token.is("ASC"));
        }
        Some(Constraint {
            column: if is(0, "CHECK") { String::new() } else { column.to_owned() },
            shown: shown(&words),
            words: words.into_iter().map(|token| token.word.clone()).collect(),
        })
    }

    /// The word that says what it is: `NOT`, `DEFAULT`, `CHECK`.
    pub(super) fn kind(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Whether a column has this in the place of the other: another DEFAULT, another COLLATE.
    pub(super) fn replaces(&self, other: &Constraint) -> bool {
        !self.column.is_empty() && self.is_of(&other.column) && self.kind() == other.kind()
    }

    pub(super) fn is_of(&self, column: &str) -> bool {
        self.column.eq_ignore_ascii_case(column)
    }
}

impl PartialEq for Constraint {
    fn eq(&self, other: &Constraint) -> bool {
        self.is_of(&other.column) && self.words == other.words
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.shown)?;
        if self.column.is_empty() { Ok(()) } else { write!(f, " of column {}", self.column) }
    }
}

/// A word, a name, a text, or a sign.
#[derive(Clone, Debug, PartialEq)]
struct Token {
    /// In upper case, but for a text; a name without its quotes.
    word: String,
    shown: String,
    /// A name in quotes is no keyword.
    quoted: bool,
}

impl Token {
    fn new(shown: &str, quoted: bool) -> Token {
        Token { word: shown.to_uppercase(), shown: shown.to_owned(), quoted }
    }

    fn sign(c: char) -> Token {
        Token::new(c.encode_utf8(&mut [0; 4]), false)
    }

    fn is(&self, word: &str) -> bool {
        !self.quoted && self.word == word
    }

    fn is_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }
}

fn tokens(sql: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let to = |end: &str| rest[2..].find(end).map_or(rest.len(), |at| 2 + at + end.len());
        let len = match c {
            _ if c.is_whitespace() => c.len_utf8(),
            _ if rest.starts_with("--") => to("\n"),
            _ if rest.starts_with("/*") => to("*/"),
            '\'' | '"' | '`' | '[' => {
                let len = quoted_len(rest, if c == '[' { ']' } else { c });
                let text = &rest[..len];
                found.push(match c {
                    '\'' => Token { word: text.to_owned(), shown: text.to_owned(), quoted: true },
                    _ => Token::new(text[1..].strip_suffix([c, ']']).unwrap_or_default(), true),
                });
                len
            }
            _ => {
                let sign = ["<>", "<=", ">=", "!=", "==", "||", "<<", ">>"];
                let sign =
                    if sign.iter().any(|sign| rest.starts_with(sign)) { 2 } else { c.len_utf8() };
                let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len()).max(sign);
                found.push(Token::new(&rest[..len], false));
                len
            }
        };
        rest = &rest[len..];
    }
    found
}

/// The length of what is quoted, quotes included; a doubled quote is one of its characters.
fn quoted_len(text: &str, close: char) -> usize {
    let mut at = 1;
    while let Some(found) = text[at..].find(close) {
        at += found + 1;
        if close == ']' || !text[at..].starts_with(close) {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// The place of the parenthesis that closes the first one, or the end.
fn closing<T: std::borrow::Borrow<Token>>(tokens: &[T]) -> usize {
    let mut depth = 0;
    let closes = |token: &T| {
        depth += i32::from(token.borrow().is("(")) - i32::from(token.borrow().is(")"));
        depth == 0
    };
    tokens.iter().position(closes).unwrap_or(tokens.len())
}

/// Cuts where `begins` says so, outside of parentheses.
fn pieces(tokens: &[Token], begins: impl Fn(&[Token], usize) -> bool) -> Vec<&[Token]> {
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    while at < tokens.len() {
        if at > start && begins(tokens, at) {
            found.push(&tokens[start..at]);
            start = at;
        }
        at += if tokens[at].is("(") { closing(&tokens[at..]) + 1 } else { 1 };
    }
    found.extend(tokens.get(start..).filter(|rest| !rest.is_empty()));
    found
}

/// The tokens as one would write them.
fn shown(tokens: &[&Token]) -> String {
    let mut text = String::new();
    let mut tight = true;
    for token in tokens {
        if !tight && !token.is_one_of(&[")", ",", "."]) {
            text.push(' ');
        }
        text.push_str(&token.shown);
        tight = token.is_one_of(&["(", "."]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(create_table: &str) -> Vec<String> {
        constraints(create_table).iter().map(Constraint::to_string).collect()
    }

    fn differ(this: &str, that: &str) -> bool {
        let (this, that) = (constraints(this), constraints(that));
        this.iter().any(|c| !that.contains(c)) || that.iter().any(|c| !this.contains(c))
    }

    #[test]
    fn a_table_is_taken_apart() {
        let sql = "CREATE TABLE \"a(b\" ( -- a comment, with (\n\
            id integer PRIMARY KEY ASC AUTOINCREMENT, \"check\" double precision not null, \
            [of] text NULL CONSTRAINT named DEFAULT 'it''s, (' COLLATE NOCASE REFERENCES City(ID) ON DELETE SET NULL, \
            n DEFAULT (-1) /* not */ CHECK (n IN (1, 2) AND \"n\" NOT NULL), m DEFAULT NULL, \
            UNIQUE (n), CONSTRAINT two UNIQUE (id, n), FOREIGN KEY (m) REFERENCES t) STRICT;";
        let want = [
            "PRIMARY KEY of column id",
            "AUTOINCREMENT of column id",
            "not null of column check",
            "DEFAULT 'it''s, (' of column of",
            "COLLATE NOCASE of column of",
            "REFERENCES City (ID) ON DELETE SET NULL of column of",
            "DEFAULT - 1 of column n",
            "CHECK (n IN (1, 2) AND n NOT NULL)",
            "UNIQUE of column n",
            "UNIQUE (id, n)",
            "REFERENCES t of column m",
            "STRICT",
        ];
        assert_eq!(list(sql), want);
    }

    #[test]
    fn spelling_plays_no_role_and_meaning_does() {
        let same = [
            ("a integer NOT NULL DEFAULT 18", "\"A\" INT  default (18) not /* x */ null"),
            ("a text PRIMARY KEY, b", "a text, b, CONSTRAINT x PRIMARY KEY (`a`)"),
            ("a CHECK (a < 2)", "a, CHECK (\"a\"<2)"),
            ("a, b UNIQUE", "a, b, UNIQUE ([b])"),
            ("a DEFAULT NULL", "a NULL"),
        ];
        for (this, that) in same
            .map(|(a, b)| (format!("CREATE TABLE t({a})"), format!("create table \"T\" ({b});")))
        {
            assert!(!differ(&this, &that), "{this}");
        }
        let different = [
            ("a DEFAULT 'x'", "a DEFAULT 'X'"),
            ("a CHECK (a < 2)", "a CHECK (a < 3)"),
            ("a NOT NULL, b", "a, b NOT NULL"),
            ("a UNIQUE, b UNIQUE", "a, b, UNIQUE (a, b)"),
            ("a REFERENCES t", "a REFERENCES u"),
        ];
        for (this, that) in
            different.map(|(a, b)| (format!("CREATE TABLE t({a})"), format!("CREATE TABLE t({b})")))
        {
            assert!(differ(&this, &that), "{this}");
        }
    }

    #[test]
    fn what_is_no_create_table_ends() {
        for sql in [
            "",
            "(",
            ")",
            "CREATE TABLE t(a DEFAULT (",
            "t(a 'x",
            "t(\"",
            "t(a --",
            "t(a /*",
            "(,,)",
            "(a))",
            "é(é é)",
        ] {
            constraints(sql);
        }
    }
}
