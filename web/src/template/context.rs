//! Where in the page a value stands (day 6): the HTML around the actions is read once, at load.
//!
//! ```text
//!           <a                     =                  "
//!   Text ---------> Tag <-> name -----> BeforeValue -----> Value --- " ---> Tag
//!    ^ |             | ">"                                   (plain, URL part, or refused)
//!    | | <!--        +--> Text, or Rcdata (title, textarea), Script, Style until their end tag
//!    | v
//!   Comment (removed)
//! ```
//! The state before an action decides how its value is escaped. Both branches of an `if` must end
//! in the same state, and a `range` where it began; else the rest of the page would have two
//! meanings, and that is an error. A template begins and ends in text, so each can be read alone.
//!
//! Where Go knows more than this file (unquoted attributes, CSS, strings in scripts, event
//! handlers) a value is refused, with what to write in its place. The HTML is trusted: it is the
//! author's. References: WHATWG HTML 13.2.5 (the tokenizer), Go's `html/template` package docs.

use super::attribute::{Attribute, Url};
use super::html::{State, read};
use super::parser::Node;
use super::script::Script;
use super::{Place, TemplateError};

type Checked<T> = Result<T, TemplateError>;

/// Sets the escape of every action, and removes HTML comments.
pub(super) fn check(file: &str, name: &str, body: &mut [Node]) -> Checked<()> {
    let mut last = None;
    match list(body, State::Text, &mut last)? {
        State::Text => Ok(()),
        state => error(
            &last.unwrap_or(Place { file: file.into(), line: 1, column: 1 }),
            &format!("the template {name:?} ends {state}; close what is open here"),
        ),
    }
}

/// Walks the nodes; `last` is the place of the text read last, for an error about its end.
fn list(nodes: &mut [Node], start: State, last: &mut Option<Place>) -> Checked<State> {
    let mut state = start;
    for node in nodes {
        state = match node {
            Node::Text { text, at } => {
                let (out, end) = read(text, state)
                    .or_else(|(offset, message)| error(&at.after(&text[..offset]), message))?;
                *last = Some(at.clone());
                *text = out;
                end
            }
            Node::Print { pipe, .. } if pipe.variable.is_some() => state,
            Node::Print { pipe, escape } => {
                let (found, after) = state.value().or_else(|why| error(&pipe.at, why))?;
                *escape = found;
                after
            }
            Node::Call { at, .. } => match state {
                State::Text | State::Rcdata(_) => state,
                _ => return error(at, &format!("a template is called in text, not {state}")),
            },
            Node::If { pipe, then, or } | Node::With { pipe, then, or } => {
                let (then, or) = (list(then, state, last)?, list(or, state, last)?);
                join(then, or, &pipe.at)?
            }
            Node::Range { pipe, body, or, .. } => {
                let round = join(list(body, state, last)?, state, &pipe.at)?;
                if round != state {
                    // The second round begins where the first ended.
                    list(body, round, last)?;
                }
                join(round, list(or, state, last)?, &pipe.at)?
            }
        };
    }
    Ok(state)
}

/// The state after two ways to the same place.
fn join(a: State, b: State, at: &Place) -> Checked<State> {
    match (a, b) {
        _ if a == b => Ok(a),
        (State::Tag(x) | State::TagGap(x), State::Tag(y) | State::TagGap(y)) if x == y => {
            Ok(State::TagGap(x))
        }
        (State::Value(element, _, quote), State::Value(other, _, same))
            if (element, quote) == (other, same) && a.is_url() && b.is_url() =>
        {
            Ok(State::Value(element, Attribute::Url(Url::Unclear), quote))
        }
        (State::Script(_), State::Script(_)) => Ok(State::Script(Script::Unclear)),
        _ => error(
            at,
            &format!(
                "one way through this action ends {a}, another {b}; close in each what it opens"
            ),
        ),
    }
}

fn error<T>(at: &Place, message: &str) -> Checked<T> {
    Err(TemplateError::Context { at: at.clone(), message: message.to_owned() })
}
