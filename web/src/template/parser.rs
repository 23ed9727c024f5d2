//! From template text to a tree of [`Node`]s (day 6); one function per rule of the grammar.
//!
//! ```text
//! list     = *( text / "{{" action "}}" )      "{{- " and " -}}" eat the white space beside them
//! action   = "if" pipeline / "with" pipeline / "range" [ [ $i "," ] $e ":=" ] pipeline
//!          / "else" [ "if" pipeline ] / "end" / "template" name [ pipeline ]
//!          / "define" name / "block" name pipeline / "/*" comment "*/" / pipeline
//! pipeline = [ $x ( ":=" / "=" ) ] command *( "|" command )
//! command  = function *operand / operand
//! operand  = ( "." / ".name" / $x / literal / function / "(" pipeline ")" ) *( ".name" )
//! ```
//! `a | f x` is `f x a`: a pipe hands its value on as the last argument. Names of variables become
//! places in a list here, at load, so that an unknown one is a load error; so is an unknown
//! function. Nesting is bounded by [`NESTING_MAX`].

use super::escape::Escape;
use super::functions::Function;
use super::{Place, TemplateError};
use crate::json::Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How deep `if`, `range`, `with` and parentheses may nest, together.
pub(super) const NESTING_MAX: usize = 64;

/// One piece of a template.
#[derive(Clone)]
pub(super) enum Node {
    Text { text: String, at: Place },
    Print { pipe: Pipe, escape: Escape },
    If { pipe: Pipe, then: Vec<Node>, or: Vec<Node> },
    With { pipe: Pipe, then: Vec<Node>, or: Vec<Node> },
    Range { pipe: Pipe, key: Option<usize>, item: Option<usize>, body: Vec<Node>, or: Vec<Node> },
    Call { name: String, pipe: Option<Pipe>, at: Place },
}

/// A value, and the variable that takes it, if one does.
#[derive(Clone)]
pub(super) struct Pipe {
    pub(super) variable: Option<usize>,
    pub(super) value: Expr,
    pub(super) at: Place,
}

/// How a value is come by.
#[derive(Clone)]
pub(super) enum Expr {
    Dot,
    Variable(usize),
    Literal(Json),
    Field(Box<Expr>, String),
    Call {
        name: String,
        function: Function,
        args: Vec<Expr>,
        at: Place,
    },
    /// `and`, `or`: not functions, because the later arguments are looked at only if need be.
    Either {
        stop_at: bool,
        args: Vec<Expr>,
    },
}

/// The file's templates: what it defines, and last the file itself under its own name.
pub(super) fn parse(
    file: &str,
    source: &str,
    functions: &BTreeMap<String, Function>,
) -> Result<Vec<(String, Vec<Node>)>, TemplateError> {
    let mut parser = Parser {
        file: file.into(),
        source,
        at: 0,
        functions,
        scope: vec!["$".to_owned()],
        levels_left: NESTING_MAX,
        trim_next: false,
        action_at: 0,
        defined: Vec::new(),
    };
    match parser.list()? {
        (body, Stop::File) => parser.defined.push((file.to_owned(), body)),
        _ => {
            parser.at = parser.action_at;
            return parser.error("there is nothing that this {{else}} or {{end}} belongs to");
        }
    }
    Ok(parser.defined)
}

pub(super) type Parsed<T> = Result<T, TemplateError>;

/// Why a list of nodes ended.
#[derive(Clone, Copy)]
enum Stop {
    File,
    End,
    Else,
    ElseIf,
}

pub(super) struct Parser<'a> {
    pub(super) file: Arc<str>,
    pub(super) source: &'a str,
    pub(super) at: usize,
    pub(super) functions: &'a BTreeMap<String, Function>,
    /// The variables in sight; a variable is its place in this list.
    pub(super) scope: Vec<String>,
    pub(super) levels_left: usize,
    /// The last action ended in ` -}}`.
    trim_next: bool,
    /// Where the action began that is being read.
    action_at: usize,
    defined: Vec<(String, Vec<Node>)>,
}

impl<'a> Parser<'a> {
    fn list(&mut self) -> Parsed<(Vec<Node>, Stop)> {
        let outer = self.scope.len();
        let mut nodes = Vec::new();
        loop {
            let len = self.rest().find("{{").unwrap_or(self.rest().len());
            let mut text = &self.rest()[..len];
            if std::mem::take(&mut self.trim_next) {
                text = text.trim_ascii_start();
            }
            let start = self.at + len - text.len();
            self.at += len;
            if self.trims_before() {
                text = text.trim_ascii_end();
            }
            if !text.is_empty() {
                nodes.push(Node::Text { text: text.to_owned(), at: self.place(start) });
            }
            let stop = match self.rest() {
                "" => Some(Stop::File),
                _ => self.action(&mut nodes)?,
            };
            if let Some(stop) = stop {
                self.scope.truncate(outer);
                return Ok((nodes, stop));
            }
        }
    }

    /// At `{{- `: the minus needs a space, so that `{{-1}}` is a number.
    fn trims_before(&self) -> bool {
        matches!(self.rest().as_bytes(), [b'{', b'{', b'-', space, ..] if space.is_ascii_whitespace())
    }

    /// Adds what the action is to `nodes`, or says why the list ends here.
    fn action(&mut self, nodes: &mut Vec<Node>) -> Parsed<Option<Stop>> {
        self.action_at = self.at;
        let at = self.place(self.at);
        self.at += if self.trims_before() { 3 } else { 2 };
        self.skip_space();
        if self.eat("/*") {
            let Some(len) = self.rest().find("*/") else {
                return self.error("this comment has no end; close it with */}}");
            };
            self.at += len + 2;
            self.close()?;
            return Ok(None);
        }
        let before = self.at;
        let node = match self.word() {
            "if" => self.branch(&at, |pipe, then, or| Node::If { pipe, then, or })?,
            "with" => self.branch(&at, |pipe, then, or| Node::With { pipe, then, or })?,
            "range" => self.range(&at)?,
            "template" => {
                let name = self.name()?;
                let pipe = if self.at_end() { None } else { Some(self.pipeline()?) };
                self.close()?;
                Node::Call { name, pipe, at }
            }
            "define" if self.levels_left < NESTING_MAX => {
                return self.error("define only stands at the top of a file, not inside an action");
            }
            "define" => {
                let name = self.name()?;
                self.define(name, &at)?;
                return Ok(None);
            }
            "block" => {
                let name = self.name()?;
                let pipe = Some(self.pipeline()?);
                self.define(name.clone(), &at)?;
                Node::Call { name, pipe, at }
            }
            "end" => {
                self.close()?;
                return Ok(Some(Stop::End));
            }
            "else" => {
                self.skip_space();
                if self.word() == "if" {
                    return Ok(Some(Stop::ElseIf));
                }
                self.close()?;
                return Ok(Some(Stop::Else));
            }
            _ => {
                self.at = before;
                let pipe = self.pipeline()?;
                self.close()?;
                Node::Print { pipe, escape: Escape::Nothing }
            }
        };
        nodes.push(node);
        Ok(None)
    }

    /// `if` and `with`, after the word.
    fn branch(&mut self, at: &Place, node: fn(Pipe, Vec<Node>, Vec<Node>) -> Node) -> Parsed<Node> {
        let outer = self.scope.len();
        self.descend()?;
        let pipe = self.pipeline()?;
        self.close()?;
        let (then, stop) = self.list()?;
        let or = self.otherwise(stop, at)?;
        self.ascend(outer);
        Ok(node(pipe, then, or))
    }

    fn range(&mut self, at: &Place) -> Parsed<Node> {
        let outer = self.scope.len();
        self.descend()?;
        let before = self.at;
        let mut names = vec![self.variable_name()];
        if self.eat(",") {
            names.push(self.variable_name());
        }
        self.skip_space();
        if names.contains(&"") || !self.eat(":=") {
            self.at = before;
            names.clear();
        }
        let pipe = self.pipeline()?;
        self.close()?;
        let slots: Vec<_> = names.iter().map(|name| self.declare(name)).collect();
        let (body, stop) = self.list()?;
        self.scope.truncate(outer);
        let or = self.otherwise(stop, at)?;
        self.ascend(outer);
        let key = if slots.len() == 2 { Some(slots[0]) } else { None };
        Ok(Node::Range { pipe, key, item: slots.last().copied(), body, or })
    }

    /// What follows the first part of an action up to its `{{end}}`.
    fn otherwise(&mut self, stop: Stop, at: &Place) -> Parsed<Vec<Node>> {
        match stop {
            Stop::End => Ok(Vec::new()),
            Stop::ElseIf => {
                Ok(vec![self.branch(at, |pipe, then, or| Node::If { pipe, then, or })?])
            }
            Stop::Else => match self.list()? {
                (or, Stop::End) => Ok(or),
                (_, Stop::File) => self.unended(at),
                _ => {
                    self.at = self.action_at;
                    self.error("expected {{end}}: the {{else}} before this one was the last")
                }
            },
            Stop::File => self.unended(at),
        }
    }

    fn unended<T>(&self, at: &Place) -> Parsed<T> {
        self.error(&format!("the file ends, but the action at {at} has no {{{{end}}}}"))
    }

    /// The body of `define` and `block`: a template that sees no variables but its own `$`.
    fn define(&mut self, name: String, at: &Place) -> Parsed<()> {
        self.close()?;
        self.descend()?;
        let scope = std::mem::replace(&mut self.scope, vec!["$".to_owned()]);
        let (body, stop) = self.list()?;
        self.scope = scope;
        self.levels_left += 1;
        match stop {
            Stop::End => self.defined.push((name, body)),
            Stop::File => return self.unended(at),
            _ => return self.error("a define or block has no {{else}}"),
        }
        Ok(())
    }

    pub(super) fn descend(&mut self) -> Parsed<()> {
        match self.levels_left.checked_sub(1) {
            Some(left) => self.levels_left = left,
            None => return self.error(&format!("nested deeper than {NESTING_MAX} levels")),
        }
        Ok(())
    }

    fn ascend(&mut self, outer: usize) {
        self.scope.truncate(outer);
        self.levels_left += 1;
    }

    pub(super) fn at_end(&mut self) -> bool {
        self.skip_space();
        let rest = self.rest();
        rest.is_empty() || ["}}", "-}}", "|", ")"].iter().any(|end| rest.starts_with(end))
    }

    pub(super) fn close(&mut self) -> Parsed<()> {
        self.skip_space();
        let spaced = self.source[..self.at].ends_with(|c: char| c.is_ascii_whitespace());
        self.trim_next = spaced && self.eat("-");
        if self.eat("}}") { Ok(()) } else { self.error("expected }}") }
    }

    pub(super) fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    pub(super) fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_ascii_start().len();
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    pub(super) fn place(&self, at: usize) -> Place {
        Place { file: self.file.clone(), line: 1, column: 1 }.after(&self.source[..at])
    }

    pub(super) fn error<T>(&self, message: &str) -> Parsed<T> {
        Err(TemplateError::Syntax { at: self.place(self.at), message: message.to_owned() })
    }
}
