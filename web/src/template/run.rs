//! Rendering (day 6): walks the tree of nodes with a dot, and writes into the caller's buffer.
//!
//! A value is lent where the data has it and owned where a function made it: a `Cow`. Two bounds
//! keep a template from running away: [`LEVELS_MAX`] levels of branches and calls, because each
//! costs stack, and an amount of work, because two templates that call each other twice would
//! double it at each level.

use super::escape;
use super::functions::{Function, truth};
use super::parser::{Expr, Node, Pipe};
use super::{Place, TemplateError, Templates};
use crate::json::Json;
use std::borrow::Cow;

/// How deep branches, ranges and calls of templates may nest while rendering.
pub(super) const LEVELS_MAX: usize = 100;

type Value<'a> = Cow<'a, Json>;
type Ran<T> = Result<T, TemplateError>;

/// One rendering.
pub(super) struct Run<'a, 'o> {
    pub(super) templates: &'a Templates,
    pub(super) out: &'o mut String,
    /// Each node costs one, and each byte written.
    pub(super) work_left: usize,
    pub(super) levels_left: usize,
}

impl<'a> Run<'a, '_> {
    /// A template sees one value, as `.` and as `$`.
    pub(super) fn template(&mut self, body: &'a [Node], dot: &Value<'a>) -> Ran<()> {
        let mut variables = vec![dot.clone()];
        self.list(body, dot, &mut variables)
    }

    fn list(
        &mut self,
        nodes: &'a [Node],
        dot: &Value<'a>,
        variables: &mut Vec<Value<'a>>,
    ) -> Ran<()> {
        for node in nodes {
            match node {
                Node::Text { text, at } => {
                    self.out.push_str(text);
                    self.spend(1 + text.len(), at)?;
                }
                Node::Print { pipe, escape } => {
                    let value = self.pipe(pipe, dot, variables)?;
                    let before = self.out.len();
                    if pipe.variable.is_none() {
                        escape::write(*escape, &value, self.out)
                            .or_else(|error| fail(&pipe.at, error.to_string()))?;
                    }
                    self.spend(1 + self.out.len() - before, &pipe.at)?;
                }
                Node::If { pipe, then, or } => {
                    let value = self.pipe(pipe, dot, variables)?;
                    let nodes = if truth(&value) { then } else { or };
                    self.deeper(&pipe.at, |run| run.list(nodes, dot, variables))?;
                }
                Node::With { pipe, then, or } => {
                    let value = self.pipe(pipe, dot, variables)?;
                    let (nodes, dot) = if truth(&value) { (then, &value) } else { (or, dot) };
                    self.deeper(&pipe.at, |run| run.list(nodes, dot, variables))?;
                }
                Node::Range { .. } => self.range(node, dot, variables)?,
                Node::Call { name, pipe, at } => {
                    let value = match pipe {
                        Some(pipe) => self.pipe(pipe, dot, variables)?,
                        None => Cow::Owned(Json::Null),
                    };
                    let Some(body) = self.templates.body(name) else {
                        return fail(at, format!("no template is named {name:?}; add it first"));
                    };
                    self.deeper(at, |run| run.template(body, &value))?;
                }
            }
        }
        Ok(())
    }

    fn range(
        &mut self,
        node: &'a Node,
        dot: &Value<'a>,
        variables: &mut Vec<Value<'a>>,
    ) -> Ran<()> {
        let Node::Range { pipe, key, item, body, or } = node else { return Ok(()) };
        let entries: Vec<(Json, Value<'a>)> = match self.pipe(pipe, dot, variables)? {
            Cow::Borrowed(Json::Array(items)) => {
                items.iter().enumerate().map(|(i, v)| (i.into(), Cow::Borrowed(v))).collect()
            }
            Cow::Borrowed(Json::Object(fields)) => {
                fields.iter().map(|(k, v)| (k.into(), Cow::Borrowed(v))).collect()
            }
            Cow::Owned(Json::Array(items)) => {
                items.into_iter().enumerate().map(|(i, v)| (i.into(), Cow::Owned(v))).collect()
            }
            Cow::Owned(Json::Object(fields)) => {
                fields.into_iter().map(|(k, v)| (k.into(), Cow::Owned(v))).collect()
            }
            value if value.is_null() => Vec::new(),
            value => return fail(&pipe.at, format!("cannot range over {}", *value)),
        };
        if entries.is_empty() {
            return self.deeper(&pipe.at, |run| run.list(or, dot, variables));
        }
        for (name, value) in entries {
            self.spend(1, &pipe.at)?;
            if let Some(slot) = key {
                set(variables, *slot, Cow::Owned(name));
            }
            if let Some(slot) = item {
                set(variables, *slot, value.clone());
            }
            self.deeper(&pipe.at, |run| run.list(body, &value, variables))?;
        }
        Ok(())
    }

    fn pipe(
        &mut self,
        pipe: &'a Pipe,
        dot: &Value<'a>,
        variables: &mut Vec<Value<'a>>,
    ) -> Ran<Value<'a>> {
        let value = evaluate(&pipe.value, dot, variables).or_else(|fault| match fault {
            (Some(at), message) => fail(at, message),
            (None, message) => fail(&pipe.at, message),
        })?;
        if let Some(slot) = pipe.variable {
            set(variables, slot, value.clone());
        }
        Ok(value)
    }

    fn spend(&mut self, work: usize, at: &Place) -> Ran<()> {
        match self.work_left.checked_sub(work) {
            Some(left) => self.work_left = left,
            None => {
                let max = self.templates.page_bytes_max;
                return fail(
                    at,
                    format!(
                        "the page is over {max} bytes and steps; raise Templates::page_bytes_max"
                    ),
                );
            }
        }
        Ok(())
    }

    fn deeper(&mut self, at: &Place, inner: impl FnOnce(&mut Self) -> Ran<()>) -> Ran<()> {
        if self.levels_left == 0 {
            return fail(
                at,
                format!(
                    "nested deeper than {LEVELS_MAX} levels; does a template call itself for ever?"
                ),
            );
        }
        self.levels_left -= 1;
        inner(self)?;
        self.levels_left += 1;
        Ok(())
    }
}

fn set<'a>(variables: &mut Vec<Value<'a>>, slot: usize, value: Value<'a>) {
    if slot >= variables.len() {
        variables.resize(slot + 1, Cow::Owned(Json::Null));
    }
    variables[slot] = value;
}

/// With the place of the function that failed, if one did.
type Fault<'a> = (Option<&'a Place>, String);

fn evaluate<'a>(
    expr: &'a Expr,
    dot: &Value<'a>,
    variables: &[Value<'a>],
) -> Result<Value<'a>, Fault<'a>> {
    match expr {
        Expr::Dot => Ok(dot.clone()),
        Expr::Variable(slot) => Ok(variables.get(*slot).cloned().unwrap_or(Cow::Owned(Json::Null))),
        Expr::Literal(value) => Ok(Cow::Borrowed(value)),
        Expr::Field(inner, name) => match evaluate(inner, dot, variables)? {
            // Lent on, not copied: the page's data is looked at in place.
            Cow::Borrowed(value @ (Json::Object(_) | Json::Null)) => {
                Ok(Cow::Borrowed(&value[name.as_str()]))
            }
            Cow::Owned(Json::Object(mut fields)) => {
                Ok(Cow::Owned(fields.remove(name).unwrap_or_default()))
            }
            value if value.is_null() => Ok(value),
            value => Err((None, format!("{} has no field {name:?}", *value))),
        },
        Expr::Either { stop_at, args } => {
            let mut last = Cow::Owned(Json::Null);
            for arg in args {
                last = evaluate(arg, dot, variables)?;
                if truth(&last) == *stop_at {
                    break;
                }
            }
            Ok(last)
        }
        Expr::Call { name, function, args, at } => {
            let values = args.iter().map(|arg| evaluate(arg, dot, variables));
            let values = values.collect::<Result<Vec<_>, _>>()?;
            let answer = match function {
                Function::Builtin(call) => {
                    call(&values.iter().map(AsRef::as_ref).collect::<Vec<_>>())
                }
                Function::Custom(call) => {
                    call(&values.into_iter().map(Cow::into_owned).collect::<Vec<_>>())
                }
            };
            answer.map(Cow::Owned).map_err(|message| (Some(at), format!("{name}: {message}")))
        }
    }
}

fn fail<T>(at: &Place, message: String) -> Ran<T> {
    Err(TemplateError::Run { at: at.clone(), message })
}
