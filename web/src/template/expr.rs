//! What stands inside an action (day 6): pipelines, calls, operands; the lower half of the grammar
//! in `parser.rs`.

use super::parser::{Expr, Parsed, Parser, Pipe};
use super::{Place, TemplateError};
use crate::json::{self, Json};

impl<'a> Parser<'a> {
    pub(super) fn pipeline(&mut self) -> Parsed<Pipe> {
        self.skip_space();
        let (start, at) = (self.at, self.place(self.at));
        let name = self.variable_name();
        self.skip_space();
        let declares = !name.is_empty() && self.eat(":=");
        let assigns = !name.is_empty() && !declares && self.eat("=");
        let mut variable = None;
        if assigns {
            variable = Some(self.variable(name)?);
        } else if !declares {
            self.at = start;
        }
        let mut value = self.command(None)?;
        self.skip_space();
        while self.eat("|") {
            value = self.command(Some(value))?;
            self.skip_space();
        }
        if declares {
            variable = Some(self.declare(name));
        }
        Ok(Pipe { variable, value, at })
    }

    fn command(&mut self, piped: Option<Expr>) -> Parsed<Expr> {
        self.skip_space();
        let at = self.place(self.at);
        let start = self.at;
        let word = self.word();
        if word.is_empty() || literal(word).is_some() {
            self.at = start;
            let operand = self.operand()?;
            return match piped {
                Some(_) => self.error("expected a function after |"),
                None if !self.at_end() => self
                    .error("expected | or the end of the action; only a function takes arguments"),
                None => Ok(operand),
            };
        }
        let mut args = Vec::new();
        while !self.at_end() {
            args.push(self.operand()?);
        }
        args.extend(piped);
        self.call(word, args, at)
    }

    fn call(&self, name: &str, args: Vec<Expr>, at: Place) -> Parsed<Expr> {
        match (self.functions.get(name), name) {
            (Some(function), _) => {
                Ok(Expr::Call { name: name.to_owned(), function: function.clone(), args, at })
            }
            (None, "and" | "or") if !args.is_empty() => {
                Ok(Expr::Either { stop_at: name == "or", args })
            }
            (None, "and" | "or") => {
                Err(TemplateError::Syntax { at, message: format!("{name} needs arguments") })
            }
            _ => {
                let message = format!("no function is named {name:?}; add it before the template");
                Err(TemplateError::Syntax { at, message })
            }
        }
    }

    fn operand(&mut self) -> Parsed<Expr> {
        self.skip_space();
        let start = self.at;
        let mut operand = match self.rest().as_bytes().first() {
            Some(b'(') => {
                self.at += 1;
                self.descend()?;
                let inner = self.pipeline()?;
                if inner.variable.is_some() || !self.eat(")") {
                    return self.error("expected )");
                }
                self.levels_left += 1;
                inner.value
            }
            Some(b'.') => {
                if self.field_name().is_none() {
                    self.at += 1;
                }
                Expr::Dot
            }
            Some(b'$') => {
                let name = self.variable_name();
                Expr::Variable(self.variable(name)?)
            }
            Some(b'"') => Expr::Literal(self.quoted()?),
            Some(b'`') => {
                let Some(len) = self.rest()[1..].find('`') else {
                    return self.error("this string has no end");
                };
                self.at += len + 2;
                Expr::Literal(self.source[start + 1..self.at - 1].into())
            }
            Some(b'0'..=b'9' | b'+' | b'-') => Expr::Literal(self.number()?),
            _ => match self.word() {
                "" => return self.error("expected a value"),
                word => match literal(word) {
                    Some(value) => Expr::Literal(value),
                    None => self.call(word, Vec::new(), self.place(start))?,
                },
            },
        };
        while let Some(name) = self.field_name() {
            self.at += 1 + name.len();
            operand = Expr::Field(Box::new(operand), name.to_owned());
        }
        Ok(operand)
    }

    /// A number as JSON writes it; a plus may stand before it.
    fn number(&mut self) -> Parsed<Json> {
        let numeric = |c: char| c.is_ascii_alphanumeric() || ".+-".contains(c);
        let len = self.rest().find(|c| !numeric(c)).unwrap_or(self.rest().len());
        let text = self.rest()[..len].trim_start_matches('+');
        match json::parse(text) {
            Ok(number) if number.as_f64().is_some() => {
                self.at += len;
                Ok(number)
            }
            _ => self.error(&format!("{text:?} is not a number")),
        }
    }

    /// A string in double quotes, with JSON's escapes.
    fn quoted(&mut self) -> Parsed<Json> {
        let mut escaped = true; // the opening quote
        let closing = |c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        };
        let Some(len) = self.rest().find(closing) else {
            return self.error("this string has no end");
        };
        match json::parse(&self.rest()[..=len]) {
            Ok(string) => {
                self.at += len + 1;
                Ok(string)
            }
            Err(error) => self.error(&format!("this string is wrong: {error}")),
        }
    }

    /// The quoted name after `template`, `define`, `block`.
    pub(super) fn name(&mut self) -> Parsed<String> {
        self.skip_space();
        match self.rest().starts_with('"').then(|| self.quoted()).transpose()? {
            Some(Json::String(name)) => Ok(name),
            _ => self.error("expected a template's name in double quotes"),
        }
    }

    /// Eats `$` and a name; `""` if none is here.
    pub(super) fn variable_name(&mut self) -> &'a str {
        self.skip_space();
        let start = self.at;
        if self.eat("$") {
            self.word();
        }
        &self.source[start..self.at]
    }

    fn variable(&self, name: &str) -> Parsed<usize> {
        match self.scope.iter().rposition(|known| known == name) {
            Some(slot) => Ok(slot),
            None => self.error(&format!("no variable is named {name}; declare it with :=")),
        }
    }

    pub(super) fn declare(&mut self, name: &str) -> usize {
        self.scope.push(name.to_owned());
        self.scope.len() - 1
    }

    /// The name in `.name`, if that is what stands here.
    fn field_name(&self) -> Option<&'a str> {
        let rest = self.rest().strip_prefix('.')?;
        let len = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
        (len > 0).then(|| &rest[..len])
    }

    /// Eats a word; `""` if none begins here.
    pub(super) fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let len = match rest.chars().next() {
            Some(c) if c.is_alphabetic() || c == '_' => {
                rest.find(|c| !in_word(c)).unwrap_or(rest.len())
            }
            _ => 0,
        };
        self.at += len;
        &rest[..len]
    }
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn literal(word: &str) -> Option<Json> {
    match word {
        "true" => Some(Json::Bool(true)),
        "false" => Some(Json::Bool(false)),
        "nil" => Some(Json::Null),
        _ => None,
    }
}
