//! The HTML between the actions (day 6): a tokenizer that makes no tokens and only remembers where
//! in the page it is. The picture of its states is in `context.rs`.

use super::attribute::{Attribute, Url, attribute, in_url};
use super::escape::{Escape, URL, URL_WITHOUT_SCHEME};
use super::script::{Script, in_script};
use std::fmt;

/// Where in the page a text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Text,
    Comment,
    /// In `title` or `textarea`: text without tags.
    Rcdata(Element),
    Script(Script),
    Style,
    /// In a tag, between attributes.
    Tag(Element),
    /// In a tag, right after a name: white space or the tag's end must follow.
    TagGap(Element),
    /// After `name=`.
    BeforeValue(Element, Attribute),
    Unquoted(Element, Attribute),
    /// In an attribute's value, between quotes of this kind.
    Value(Element, Attribute, char),
}

/// What a tag opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Title,
    Textarea,
    Script,
    Style,
    Other,
}

impl State {
    /// How a value is escaped here, and where the page is after it.
    pub(super) fn value(self) -> Result<(Escape, Self), &'static str> {
        let url = |filter, keep| Ok(Escape::Url { filter, keep });
        let escape = match self {
            Self::Text | Self::Rcdata(_) | Self::Value(_, Attribute::Plain, _) => Ok(Escape::Html),
            Self::Comment => Ok(Escape::Nothing),
            Self::Value(_, Attribute::Url(part), _) => match part {
                Url::Start => url(true, URL),
                Url::Open => url(false, URL_WITHOUT_SCHEME),
                Url::Path => url(false, URL),
                Url::Query => url(false, b""),
                Url::Unclear => Err(
                    "the branches before this leave open which part of the URL it is; write the whole attribute in each",
                ),
                Url::Refused => {
                    Err("a URL that runs or holds a document (javascript:, data:) takes no values")
                }
            },
            Self::Value(_, Attribute::Refused(why), _) => Err(why),
            Self::Script(Script::Code) => Ok(Escape::Script),
            Self::Script(Script::Quoted(_)) => {
                Err("a value brings its own quotes in a script; write x = {{.x}} without quotes")
            }
            Self::Script(Script::LineComment | Script::BlockComment) => {
                Err("a value in a script's comment serves nobody; remove it")
            }
            Self::Script(Script::Unclear) => Err(
                "after a / or ${ this engine cannot follow the script; take the value first, in a script of its own",
            ),
            Self::Style => {
                Err("no value is safe in a style sheet; set a class or a data attribute")
            }
            Self::Tag(_) | Self::TagGap(_) => {
                Err("a value cannot be a name in a tag; use {{if}} around names you write")
            }
            Self::BeforeValue(..) | Self::Unquoted(..) => {
                Err("put the attribute's value in quotes")
            }
        }?;
        let after = match self {
            Self::Value(element, Attribute::Url(Url::Start), quote) => {
                Self::Value(element, Attribute::Url(Url::Open), quote)
            }
            _ => self,
        };
        Ok((escape, after))
    }

    pub(super) fn is_url(self) -> bool {
        matches!(self, Self::Value(_, Attribute::Url(_), _))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "in text",
            Self::Comment => "in a comment",
            Self::Rcdata(_) => "in a title or textarea",
            Self::Script(_) => "in a script",
            Self::Style => "in a style sheet",
            Self::Tag(_) | Self::TagGap(_) => "in a tag",
            Self::BeforeValue(..) | Self::Unquoted(..) | Self::Value(..) => "in an attribute",
        })
    }
}

/// A mistake: how many bytes into the text, and what is wrong.
type Fault = (usize, &'static str);

/// Reads a text from `state` on: the text without comments, and the state after it.
pub(super) fn read(text: &str, mut state: State) -> Result<(String, State), Fault> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let fault = |message| (text.len() - rest.len(), message);
        let (len, next) = match state {
            State::Text => in_text(rest, &mut out),
            State::Comment => match rest.find("-->") {
                Some(at) => (at + 3, State::Text),
                None => (rest.len(), state),
            },
            State::Rcdata(Element::Title) => until_end_tag(rest, "title", state),
            State::Rcdata(_) => until_end_tag(rest, "textarea", state),
            State::Style => until_end_tag(rest, "style", state),
            State::Script(script) => {
                let len = end_tag(rest, "script").unwrap_or(rest.len());
                let after = State::Script(in_script(&rest[..len], script).map_err(fault)?);
                if len > 0 { (len, after) } else { until_end_tag(rest, "script", after) }
            }
            State::TagGap(element) => match rest.as_bytes()[0] {
                b'>' | b'/' => (0, State::Tag(element)),
                space if space.is_ascii_whitespace() => (1, State::Tag(element)),
                _ => return Err(fault("expected a space before this in the tag")),
            },
            State::Tag(element) => in_tag(rest, element).map_err(fault)?,
            State::BeforeValue(element, attribute) => match rest.as_bytes()[0] {
                b'>' => (0, State::Tag(element)),
                quote @ (b'"' | b'\'') => (1, State::Value(element, attribute, char::from(quote))),
                space if space.is_ascii_whitespace() => (1, state),
                _ => (0, State::Unquoted(element, attribute)),
            },
            State::Unquoted(element, _) => {
                match rest.find(|c: char| c.is_ascii_whitespace() || "\"'<=>`".contains(c)) {
                    Some(at) if !"\"'<=`".contains(char::from(rest.as_bytes()[at])) => {
                        (at, State::Tag(element))
                    }
                    Some(_) => return Err(fault("put the attribute's value in quotes")),
                    None => (rest.len(), state),
                }
            }
            State::Value(element, attribute, quote) => {
                let len = rest.find(quote).unwrap_or(rest.len());
                let attribute = match attribute {
                    Attribute::Url(part) => {
                        Attribute::Url(in_url(&rest[..len], part).map_err(fault)?)
                    }
                    other => other,
                };
                if len < rest.len() {
                    (len + 1, State::Tag(element))
                } else {
                    (len, State::Value(element, attribute, quote))
                }
            }
        };
        // Text has written itself; a comment is not written.
        if !matches!(state, State::Text | State::Comment) {
            out.push_str(&rest[..len]);
        }
        (rest, state) = (&rest[len..], next);
    }
    Ok((out, state))
}

/// Up to and with the next tag's name, or the next comment's beginning. A `<` that opens neither
/// becomes `&lt;`, so that no value after it is taken for a tag's name.
fn in_text(rest: &str, out: &mut String) -> (usize, State) {
    let Some(at) = rest.find('<') else {
        out.push_str(rest);
        return (rest.len(), State::Text);
    };
    out.push_str(&rest[..at]);
    let tag = &rest[at..];
    if tag.starts_with("<!--") {
        return (at + 4, State::Comment);
    }
    let (open, name) = match tag.strip_prefix("</") {
        Some(name) => ("</", name),
        None => ("<", &tag[1..]),
    };
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let doctype = tag.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("<!doctype"));
        out.push_str(if doctype { "<" } else { "&lt;" });
        return (at + 1, State::Text);
    }
    let len = name.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>');
    let name = &name[..len.unwrap_or(name.len())];
    out.push_str(open);
    out.push_str(name);
    let element = match name.to_ascii_lowercase().as_str() {
        _ if open == "</" => Element::Other,
        "title" => Element::Title,
        "textarea" => Element::Textarea,
        "script" => Element::Script,
        "style" => Element::Style,
        _ => Element::Other,
    };
    (at + open.len() + name.len(), State::TagGap(element))
}

/// One attribute's name, or the tag's end.
fn in_tag(rest: &str, element: Element) -> Result<(usize, State), &'static str> {
    let space = rest.len() - rest.trim_ascii_start().len();
    if space > 0 || rest.starts_with('/') {
        return Ok((space.max(1), State::Tag(element)));
    }
    if rest.starts_with('>') {
        let state = match element {
            Element::Other => State::Text,
            Element::Script => State::Script(Script::Code),
            Element::Style => State::Style,
            Element::Title | Element::Textarea => State::Rcdata(element),
        };
        return Ok((1, state));
    }
    let ends = |c: char| c.is_ascii_whitespace() || "=/>\"'<".contains(c);
    let len = rest.find(ends).unwrap_or(rest.len());
    let (name, after) = rest.split_at(len);
    if name.is_empty() || after.starts_with(['"', '\'', '<']) {
        return Err("expected an attribute's name; is a quote missing before this?");
    }
    let value = after.trim_ascii_start();
    if value.starts_with('=') {
        Ok((rest.len() - value.len() + 1, State::BeforeValue(element, attribute(name))))
    } else {
        Ok((len, State::TagGap(element)))
    }
}

fn until_end_tag(rest: &str, name: &str, state: State) -> (usize, State) {
    match end_tag(rest, name) {
        Some(at) => (at + 2 + name.len(), State::TagGap(Element::Other)),
        None => (rest.len(), state),
    }
}

/// Where `</name` stands, followed by what may follow a tag's name, or by the end of the text.
fn end_tag(text: &str, name: &str) -> Option<usize> {
    text.match_indices("</").map(|(at, _)| at).find(|at| {
        let after = &text.as_bytes()[at + 2..];
        after.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
            && after
                .get(name.len())
                .is_none_or(|&c| c.is_ascii_whitespace() || c == b'/' || c == b'>')
    })
}
