//! From tokens to a syntax tree, by recursive descent (day 0, query it).
//!
//! At the end of this chapter the tokens of a statement are a tree. It takes half an hour with the
//! rules of [`expr`], [`select`], [`change`] and [`schema`]; read [`expr`] first. SQLite's parser is
//! generated from a grammar by a program of its own, Lemon: tables of states that no one reads.
//! Written by hand, a rule is a function, and an error knows in which rule it happened.
//!
//! Each function reads one rule of SQL's grammar and is named for it. It looks at the next token,
//! decides, and calls the functions of the rules inside it; the calls under way are the path from
//! the root of the [tree](super::ast) to the token in hand:
//!
//! ```text
//! SELECT name FROM t WHERE age >= ?1
//!                              ^ statement > select > core > query > expr
//! ```
//!
//! [`select`] reads queries, [`expr`] expressions (the one place where a grammar of this kind needs
//! a trick), [`change`] INSERT, UPDATE and DELETE, [`schema`] CREATE, ALTER and DROP.
//!
//! # Words
//! SQL has some 140 keywords, and most may be used as names (`CREATE TABLE plan(key, row)`). So
//! words are compared where a rule expects them, and a name is any word but the [`RESERVED`] ones.
//!
//! # Errors
//! A token that fits no rule is SQLite's `near "FORM": syntax error`; at the end of the text it is
//! `incomplete input`, by which a prompt knows that it should read on.
//!
//! # Limits
//! Text from outside must not exhaust the [stack](super::stack). Rules nest at most [`DEPTH_MAX`]
//! deep, and no tree is taller than SQLite's [`HEIGHT_MAX`]: a million `OR`s are read in a loop,
//! without recursion, but the tree that they make would be climbed by recursion later, so its height
//! is counted here.
//!
//! # What the borrow checker says
//! `self.list(self.name)` does not compile: the closure would borrow the parser that `list` borrows
//! already. The parser is passed through instead, `self.list(|p| p.name())`: who calls the closure
//! lends what it needs.
//!
//! # Try it
//! ```text
//! $ cargo run -q -p orm --example shell -- :memory: "SELECT * FORM t; SELECT (1 + 2; SELECT 1 + 2 * 3"
//! Error: near "FORM": syntax error
//! Error: near ";": syntax error
//! 7
//! ```
//!
//! A script of this chapter, with what each statement prints in comments:
//!
//! ```text
//! $ cargo run -q -p orm --example shell -- :memory: < tests/tests/sql/chapter_parser.sql
//! 7|9|68|3|2
//! 0|1|1|0
//! ...
//! ```
//!
//! Reference: SQLite's `parse.y` and <https://sqlite.org/lang.html>.

pub mod change;
pub mod expr;
pub mod schema;
pub mod select;

use super::ast::{Name, Span, Statement};
use super::lexer::{Kind, Lexer, Token, unquote};
use super::stack::Stack;
use super::{Error, Result, Value};

/// How deep rules may nest: SQLite's parser has a stack of 100 entries.
const DEPTH_MAX: usize = 100;
/// The height of the tallest expression.
const HEIGHT_MAX: usize = 1000;
/// The highest number of a parameter.
const VARIABLE_MAX: usize = 32_766;

/// The words that are never names unless quoted.
const RESERVED: &[&str] = &[
    "ADD",
    "ALL",
    "ALTER",
    "AND",
    "AS",
    "AUTOINCREMENT",
    "BETWEEN",
    "CASE",
    "CHECK",
    "COLLATE",
    "COMMIT",
    "CONSTRAINT",
    "CREATE",
    "DEFAULT",
    "DEFERRABLE",
    "DELETE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "ESCAPE",
    "EXCEPT",
    "EXISTS",
    "FOREIGN",
    "FROM",
    "GROUP",
    "HAVING",
    "IN",
    "INDEX",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "ISNULL",
    "JOIN",
    "LIMIT",
    "NOT",
    "NOTHING",
    "NOTNULL",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "PRIMARY",
    "REFERENCES",
    "RETURNING",
    "SELECT",
    "SET",
    "TABLE",
    "THEN",
    "TO",
    "TRANSACTION",
    "UNION",
    "UNIQUE",
    "UPDATE",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
];

/// The words of joins: names of tables and columns, but not aliases without AS.
const JOIN_WORDS: &[&str] = &["CROSS", "FULL", "INNER", "LEFT", "NATURAL", "OUTER", "RIGHT"];

/// A statement and what its text says beside it.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) statement: Statement,
    /// The names of the parameters, with their `:`; `None` for `?` and `?7`.
    pub(crate) parameters: Vec<Option<String>>,
    /// Where the next statement of the text begins.
    pub(crate) tail: usize,
}

/// Parses the first statement of a text; `None` when there is none.
pub(crate) fn parse(sql: &str) -> Result<Option<Parsed>> {
    let mut parser = Parser::new(sql);
    while parser.eat(";") {}
    if parser.token.kind == Kind::End {
        return Ok(None);
    }
    let statement = parser.statement()?;
    if parser.token.kind != Kind::End && !parser.is(";") {
        return Err(parser.error());
    }
    let tail = parser.token.end;
    Ok(Some(Parsed { statement, parameters: parser.parameters, tail }))
}

/// The token in hand, and the counts that keep the text within bounds.
struct Parser<'a> {
    sql: &'a str,
    lexer: Lexer<'a>,
    token: Token,
    /// Where the token before the one in hand ended.
    last_end: usize,
    depth: usize,
    stack: Stack,
    /// The height of the expression read last, and of the tallest in the current query.
    height: usize,
    tallest: usize,
    parameters: Vec<Option<String>>,
}

impl<'a> Parser<'a> {
    fn new(sql: &'a str) -> Self {
        let mut lexer = Lexer::new(sql, 0);
        let token = lexer.next();
        let parameters = Vec::new();
        Parser {
            sql,
            lexer,
            token,
            last_end: 0,
            depth: 0,
            stack: Stack::begin(),
            height: 0,
            tallest: 0,
            parameters,
        }
    }

    /// `statement: SELECT ... | INSERT ... | CREATE ... | ...`
    fn statement(&mut self) -> Result<Statement> {
        let word = self.text().to_ascii_uppercase();
        match word.as_str() {
            "SELECT" | "VALUES" => Ok(Statement::Select(Box::new(self.select()?))),
            "INSERT" | "REPLACE" => self.insert(),
            "UPDATE" => self.update(),
            "DELETE" => self.delete(),
            "CREATE" => self.create(),
            "DROP" => self.drop_object(),
            "ALTER" => self.alter(),
            "BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" => self.transaction(),
            "PRAGMA" => self.pragma(),
            "EXPLAIN" => {
                self.advance();
                if !self.eat("QUERY") {
                    return Err(unsupported("EXPLAIN without QUERY PLAN (there is no bytecode)"));
                }
                self.expect("PLAN")?;
                if self.is("EXPLAIN") {
                    return Err(self.error());
                }
                Ok(Statement::ExplainQueryPlan(Box::new(self.statement()?)))
            }
            "WITH" => Err(unsupported("common table expressions (WITH)")),
            "VACUUM" | "ATTACH" | "DETACH" | "ANALYZE" | "REINDEX" => Err(unsupported(&word)),
            _ => Err(self.error()),
        }
    }

    /// `BEGIN [DEFERRED|IMMEDIATE|EXCLUSIVE] | COMMIT | ROLLBACK [TO name] | SAVEPOINT name | ...`
    fn transaction(&mut self) -> Result<Statement> {
        let statement = if self.eat("BEGIN") {
            let immediate = self.is("IMMEDIATE") || self.is("EXCLUSIVE");
            if immediate || self.is("DEFERRED") {
                self.advance();
            }
            Statement::Begin { immediate }
        } else if self.eat("SAVEPOINT") {
            return Ok(Statement::Savepoint(self.name()?.text));
        } else if self.eat("RELEASE") {
            self.eat("SAVEPOINT");
            return Ok(Statement::Release(self.name()?.text));
        } else if self.eat("ROLLBACK") {
            self.eat("TRANSACTION");
            if self.eat("TO") {
                self.eat("SAVEPOINT");
                return Ok(Statement::Rollback { to: Some(self.name()?.text) });
            }
            return Ok(Statement::Rollback { to: None });
        } else {
            self.advance();
            Statement::Commit
        };
        self.eat("TRANSACTION");
        Ok(statement)
    }

    /// `PRAGMA name | name = value | name(value)`
    fn pragma(&mut self) -> Result<Statement> {
        self.expect("PRAGMA")?;
        let name = self.qualified_name()?.text;
        let value = if self.eat("=") {
            Some(self.pragma_value()?)
        } else if self.eat("(") {
            let value = self.pragma_value()?;
            self.expect(")")?;
            Some(value)
        } else {
            None
        };
        Ok(Statement::Pragma { name, value })
    }

    fn pragma_value(&mut self) -> Result<Value> {
        let negative = self.eat("-");
        if !negative {
            self.eat("+");
        }
        if matches!(self.token.kind, Kind::Integer | Kind::Float) {
            return self.number(negative);
        }
        if self.is("ON") || self.is("DELETE") || self.is("DEFAULT") {
            return Ok(Value::Text(self.advance().to_owned()));
        }
        Ok(Value::Text(self.name()?.text))
    }

    // ---- tokens ----

    /// The text of the token in hand.
    fn text(&self) -> &'a str {
        &self.sql[self.token.start..self.token.end]
    }

    /// Steps over the token in hand and returns its text.
    fn advance(&mut self) -> &'a str {
        let text = self.text();
        self.last_end = self.token.end;
        self.token = self.lexer.next();
        text
    }

    /// Whether the token in hand is this word or symbol.
    fn is(&self, word: &str) -> bool {
        matches(self.sql, self.token, word)
    }

    /// Whether the token after the one in hand is this word or symbol.
    fn next_is(&self, word: &str) -> bool {
        matches(self.sql, { self.lexer }.next(), word)
    }

    /// Steps over this word or symbol if it is in hand.
    fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, word: &str) -> Result<()> {
        if self.eat(word) { Ok(()) } else { Err(self.error()) }
    }

    /// What is wrong with the token in hand.
    #[cold]
    fn error(&self) -> Error {
        let (text, offset) = (self.text().to_owned(), self.token.start);
        match self.token.kind {
            Kind::End => Error::IncompleteInput,
            Kind::Bad => Error::UnrecognizedToken { token: text, offset },
            _ => Error::Syntax { near: text, offset },
        }
    }

    /// From `start` to the end of the token read last.
    fn span_from(&self, start: usize) -> Span {
        Span { start, end: self.last_end }
    }

    // ---- names ----

    /// Whether the token in hand may be a name.
    fn is_name(&self) -> bool {
        match self.token.kind {
            Kind::Quoted => true,
            Kind::Word => !one_of(RESERVED, self.text()),
            _ => false,
        }
    }

    /// `name: word | "quoted" | 'text'`
    fn name(&mut self) -> Result<Name> {
        if !self.is_name() && self.token.kind != Kind::Text {
            return Err(self.error());
        }
        let span = Span { start: self.token.start, end: self.token.end };
        let token = self.advance();
        Ok(Name { text: unquote(token), double_quoted: token.starts_with('"'), span })
    }

    /// `name | main.name`: there is one database.
    fn qualified_name(&mut self) -> Result<Name> {
        let name = self.name()?;
        if !self.eat(".") {
            return Ok(name);
        }
        if name.text.eq_ignore_ascii_case("temp") {
            return Err(unsupported("TEMP tables"));
        }
        if !name.text.eq_ignore_ascii_case("main") {
            let table = self.name()?.text;
            return Err(Error::NoSuchTable(format!("{}.{table}", name.text)));
        }
        self.name()
    }

    /// `( name, name, ... )`
    fn name_list(&mut self) -> Result<Vec<Name>> {
        self.expect("(")?;
        let names = self.list(Parser::name)?;
        self.expect(")")?;
        Ok(names)
    }

    /// `item, item, ...`
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// `IF NOT EXISTS`, or nothing.
    fn if_not_exists(&mut self) -> Result<bool> {
        if !self.is("IF") || !self.next_is("NOT") {
            return Ok(false);
        }
        self.advance();
        self.advance();
        self.expect("EXISTS")?;
        Ok(true)
    }

    /// Runs the function of a rule that may contain itself, within [`DEPTH_MAX`] and the stack.
    fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == DEPTH_MAX {
            return Err(Error::Sql("parser stack overflow".into()));
        }
        self.stack.check()?;
        self.depth += 1;
        let result = rule(self);
        self.depth -= 1;
        result
    }
}

fn matches(sql: &str, token: Token, word: &str) -> bool {
    matches!(token.kind, Kind::Word | Kind::Symbol)
        && sql.as_bytes()[token.start..token.end].eq_ignore_ascii_case(word.as_bytes())
}

fn one_of(words: &[&str], text: &str) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Refuses by name what is valid SQL but not here.
fn unsupported(what: &str) -> Error {
    Error::Unsupported(what.to_owned())
}

/// Whether `name` must be quoted to be read back as a name.
pub(crate) fn needs_quotes(name: &str) -> bool {
    let mut lexer = Lexer::new(name, 0);
    let token = lexer.next();
    token.kind != Kind::Word
        || (token.start, token.end) != (0, name.len())
        || one_of(RESERVED, name)
        || one_of(JOIN_WORDS, name)
}

#[cfg(test)]
mod tests;
