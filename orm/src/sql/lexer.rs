//! From text to tokens: the first step of a query (day 0, query it).
//!
//! At the end of this chapter `SELECT name FROM t WHERE age >= ?1` is eight pieces with a kind each.
//! It takes ten minutes. One could parse the characters themselves; but then every rule of the grammar
//! would have to skip comments and know where a word ends.
//!
//! SQL arrives as text. The lexer cuts it into *tokens* and decides nothing else: whether a word is
//! a keyword depends on where it stands, so that is left to the [parser](super::parser).
//!
//! ```text
//! SELECT  name  FROM  t     WHERE  age   >=      ?1        -- adults
//! Word    Word  Word  Word  Word   Word  Symbol  Variable
//! ```
//!
//! | kind | examples |
//! |---|---|
//! | [`Kind::Word`] | `SELECT`, `name`, `größe` |
//! | [`Kind::Quoted`] | `"a name"`, `` `a name` ``, `[a name]`; a doubled quote stands for one |
//! | [`Kind::Text`], [`Kind::Blob`] | `'it''s'`, `x'00ff'` |
//! | [`Kind::Integer`], [`Kind::Float`] | `42`, `0x2a`; `1.5`, `.5`, `1e9` |
//! | [`Kind::Variable`] | `?`, `?7`, `:name`, `@name`, `$name` |
//! | [`Kind::Symbol`] | `(`, `<=`, `\|\|`, `;` |
//!
//! A token is only a kind and two offsets: no text is copied before the parser wants it. White
//! space, `-- to the end of the line` and `/* comments */` stand between tokens. What can start no
//! token is [`Kind::Bad`]; the parser reports it as SQLite does: `unrecognized token: "#"`.
//!
//! # What the borrow checker says
//! A token as `&str` borrows the text, and so does the parser that holds it, and every function with
//! both gets a lifetime in its signature. Two offsets are `Copy` and borrow nothing; and because a
//! whole [`Lexer`] is `Copy`, looking ahead is lexing on with a copy and forgetting it.
//!
//! # Try it
//! A token that is none is shown as it stands there:
//!
//! ```text
//! $ cargo run -q -p orm --example shell -- :memory: "SELECT 12abc; SELECT 'it''s', x'4142', 0x2a"
//! Error: unrecognized token: "12abc"
//! it's|AB|42
//! ```
//!
//! And a script of this chapter, which says in comments what each statement prints:
//!
//! ```text
//! $ cargo run -q -p orm --example shell -- :memory: < tests/tests/sql/chapter_lexer.sql
//! it's|AB|C|42|0.5|100.0|5.0
//! 3|-- no comment|/* nor this */
//! ...
//! ```
//!
//! Reference: SQLite's `tokenize.c`, whose character classes these are.

/// What a [`Token`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or an unquoted name.
    Word,
    /// A name in double quotes, back quotes or brackets.
    Quoted,
    /// `'text'`.
    Text,
    /// `x'hex'`.
    Blob,
    /// Decimal digits, or `0x` and hex digits.
    Integer,
    /// Digits with a point or an exponent.
    Float,
    /// A place for a bound value.
    Variable,
    /// An operator or a punctuation mark.
    Symbol,
    /// The end of the text.
    End,
    /// Text that is no token.
    Bad,
}

/// A piece of the SQL text: `sql[start..end]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Cuts a text into tokens, one at each call of [`Lexer::next`]; a copy is a bookmark.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lexer<'a> {
    sql: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    /// A lexer over `sql` that starts at the byte `at`.
    pub(crate) fn new(sql: &'a str, at: usize) -> Self {
        Lexer { sql: sql.as_bytes(), at }
    }

    /// The next token; [`Kind::End`] for ever once the text is used up.
    pub(crate) fn next(&mut self) -> Token {
        self.skip_space();
        let start = self.at;
        let kind = match self.byte(0) {
            0 if start >= self.sql.len() => Kind::End,
            b'\'' => self.quoted(b'\'', Kind::Text),
            b'"' => self.quoted(b'"', Kind::Quoted),
            b'`' => self.quoted(b'`', Kind::Quoted),
            b'[' => self.bracketed(),
            b'x' | b'X' if self.byte(1) == b'\'' => self.blob(),
            b'0'..=b'9' => self.number(),
            b'.' if self.byte(1).is_ascii_digit() => self.number(),
            b'?' => {
                self.at += 1;
                self.skip_while(|b| b.is_ascii_digit());
                Kind::Variable
            }
            b':' | b'@' | b'$' | b'#' => {
                self.at += 1;
                self.skip_while(is_word);
                if self.at > start + 1 && self.sql[start] != b'#' {
                    Kind::Variable
                } else {
                    Kind::Bad
                }
            }
            b if is_word(b) => {
                self.skip_while(is_word);
                Kind::Word
            }
            _ => self.symbol(),
        };
        Token { kind, start, end: self.at }
    }

    /// The byte `ahead` of here, 0 past the end.
    fn byte(&self, ahead: usize) -> u8 {
        self.sql.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.sql.get(self.at).is_some_and(|&b| wanted(b)) {
            self.at += 1;
        }
    }

    fn skip_space(&mut self) {
        loop {
            match (self.byte(0), self.byte(1)) {
                (b' ' | b'\t' | b'\n' | b'\r' | 0x0c, _) => self.at += 1,
                (b'-', b'-') => self.skip_while(|b| b != b'\n'),
                (b'/', b'*') => {
                    let rest = &self.sql[self.at + 2..];
                    let close = rest.windows(2).position(|pair| pair == b"*/");
                    self.at = close.map_or(self.sql.len(), |i| self.at + i + 4);
                }
                _ => return,
            }
        }
    }

    /// Reads to the closing `quote`; without one the rest of the text is [`Kind::Bad`].
    fn quoted(&mut self, quote: u8, kind: Kind) -> Kind {
        self.at += 1;
        loop {
            self.skip_while(|b| b != quote);
            if self.at >= self.sql.len() {
                return Kind::Bad;
            }
            self.at += 1;
            if self.byte(0) != quote || self.at >= self.sql.len() {
                return kind;
            }
            self.at += 1;
        }
    }

    fn bracketed(&mut self) -> Kind {
        self.skip_while(|b| b != b']');
        if self.at >= self.sql.len() {
            return Kind::Bad;
        }
        self.at += 1;
        Kind::Quoted
    }

    fn blob(&mut self) -> Kind {
        self.at += 2;
        let digits = self.at;
        self.skip_while(|b| b.is_ascii_hexdigit());
        let whole = self.byte(0) == b'\'' && (self.at - digits).is_multiple_of(2);
        if !whole {
            self.skip_while(|b| b != b'\'');
        }
        self.at = (self.at + 1).min(self.sql.len());
        if whole { Kind::Blob } else { Kind::Bad }
    }

    fn number(&mut self) -> Kind {
        let mut kind = Kind::Integer;
        if self.byte(0) == b'0' && self.byte(1) | 0x20 == b'x' && self.byte(2).is_ascii_hexdigit() {
            self.at += 2;
            self.skip_while(|b| b.is_ascii_hexdigit());
        } else {
            self.skip_while(|b| b.is_ascii_digit());
            if self.byte(0) == b'.' {
                self.at += 1;
                self.skip_while(|b| b.is_ascii_digit());
                kind = Kind::Float;
            }
            let sign = usize::from(matches!(self.byte(1), b'+' | b'-'));
            if self.byte(0) | 0x20 == b'e' && self.byte(1 + sign).is_ascii_digit() {
                self.at += 1 + sign;
                self.skip_while(|b| b.is_ascii_digit());
                kind = Kind::Float;
            }
        }
        if is_word(self.byte(0)) {
            self.skip_while(is_word);
            kind = Kind::Bad;
        }
        kind
    }

    fn symbol(&mut self) -> Kind {
        let three = (self.byte(0), self.byte(1), self.byte(2));
        self.at += match three {
            (b'-', b'>', b'>') => 3,
            (b'|', b'|', _) | (b'<', b'<' | b'=' | b'>', _) | (b'>', b'>' | b'=', _) => 2,
            (b'=' | b'!', b'=', _) | (b'-', b'>', _) => 2,
            _ => 1,
        };
        match three.0 {
            b'!' if three.1 != b'=' => Kind::Bad,
            b'(' | b')' | b',' | b';' | b'.' | b'+' | b'-' | b'*' | b'/' | b'%' | b'=' | b'<'
            | b'>' | b'|' | b'&' | b'~' | b'!' => Kind::Symbol,
            _ => Kind::Bad,
        }
    }
}

/// Whether a byte may stand in an unquoted name: every byte of a non-ASCII character may.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// The name inside the quotes of a [`Kind::Quoted`] or [`Kind::Text`] token; a bare word as it is.
///
/// ```text
/// "say ""hi"""  ->  say "hi"        [a name]  ->  a name        'it''s'  ->  it's
/// ```
pub(crate) fn unquote(token: &str) -> String {
    let Some(quote @ ('"' | '\'' | '`' | '[')) = token.chars().next() else {
        return token.to_owned();
    };
    let inner = token.get(1..token.len().saturating_sub(1)).unwrap_or_default();
    if quote == '[' {
        return inner.to_owned();
    }
    let mut name = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find(quote) {
        name.push_str(&rest[..=at]);
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    name + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(sql: &str) -> Vec<(Kind, &str)> {
        let mut lexer = Lexer::new(sql, 0);
        let all = std::iter::from_fn(|| Some(lexer.next()).filter(|t| t.kind != Kind::End));
        all.map(|t| (t.kind, &sql[t.start..t.end])).collect()
    }

    #[test]
    fn each_kind_is_cut_where_sqlite_cuts_it() {
        use Kind::{Bad, Blob, Float, Integer, Quoted, Symbol, Text, Variable, Word};
        const CASES: &[(&str, &[(Kind, &str)])] = &[
            ("", &[]),
            (" -- all comment", &[]),
            ("a/* b */c", &[(Word, "a"), (Word, "c")]),
            ("1 .5 1. 1e9", &[(Integer, "1"), (Float, ".5"), (Float, "1."), (Float, "1e9")]),
            ("0x2A 12ab 1e", &[(Integer, "0x2A"), (Bad, "12ab"), (Bad, "1e")]),
            (
                "'it''s' \"a\"\"b\" [c d]",
                &[(Text, "'it''s'"), (Quoted, "\"a\"\"b\""), (Quoted, "[c d]")],
            ),
            ("'open", &[(Bad, "'open")]),
            ("x'0f' x'0'", &[(Blob, "x'0f'"), (Bad, "x'0'")]),
            (
                "? ?12 :a @b $c",
                &[
                    (Variable, "?"),
                    (Variable, "?12"),
                    (Variable, ":a"),
                    (Variable, "@b"),
                    (Variable, "$c"),
                ],
            ),
            ("a<=b||c", &[(Word, "a"), (Symbol, "<="), (Word, "b"), (Symbol, "||"), (Word, "c")]),
            ("größe;", &[(Word, "größe"), (Symbol, ";")]),
            ("!", &[(Bad, "!")]),
        ];
        for (sql, want) in CASES {
            assert_eq!(kinds(sql), *want, "{sql}");
        }
    }

    #[test]
    fn quotes_come_off() {
        for (token, want) in
            [("a", "a"), ("'it''s'", "it's"), ("\"\"\"\"", "\""), ("[a]", "a"), ("``", "")]
        {
            assert_eq!(unquote(token), want);
        }
    }
}
