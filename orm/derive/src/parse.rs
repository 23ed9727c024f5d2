//! Step 1: from the tokens of a struct to its names, types and attributes.

use std::iter::Peekable;

use proc_macro::token_stream::IntoIter;
use proc_macro::{Delimiter, Group, Span, TokenStream, TokenTree};

use crate::{Error, Names};

/// The struct, as far as it matters.
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) table: String,
    pub(crate) hooks: bool,
    /// Rust text of a list of literals.
    pub(crate) constraints: Vec<String>,
    pub(crate) fields: Vec<Field>,
}

/// A field.
pub(crate) struct Field {
    pub(crate) name: String,
    /// The tokens of its type.
    pub(crate) kind: TokenStream,
    pub(crate) span: Span,
    /// The name of its column.
    pub(crate) column: String,
    /// Calls on `orm::Field`: `.primary_key()`.
    pub(crate) calls: String,
    pub(crate) skip: bool,
    pub(crate) primary_key: bool,
}

type Tokens = Peekable<IntoIter>;

/// One entry of `#[model(...)]`: its name, the text of its literal, its place.
struct Attribute {
    name: String,
    literal: Option<String>,
    span: Span,
}

/// `#[..] pub struct Name { fields }`
pub(crate) fn model(input: TokenStream) -> Result<Model, Error> {
    let mut tokens = input.into_iter().peekable();
    let attributes = attributes(&mut tokens)?;
    visibility(&mut tokens);
    let keyword = tokens.next().map(|t| t.to_string()).unwrap_or_default();
    let (name, span) =
        tokens.next().map_or((String::new(), Span::call_site()), |t| (t.to_string(), t.span()));
    let body = match tokens.next() {
        Some(TokenTree::Group(body))
            if keyword == "struct" && body.delimiter() == Delimiter::Brace =>
        {
            body
        }
        Some(TokenTree::Punct(p)) if p.as_char() == '<' => {
            return Err(Error::new(p.span(), "Model knows no generic structs"));
        }
        _ => return Err(Error::new(span, "Model needs a struct with named fields")),
    };
    let mut model = Model {
        table: String::new(),
        hooks: false,
        constraints: Vec::new(),
        fields: Vec::new(),
        name,
        span,
    };
    let mut names = Names::Go;
    for attribute in &attributes {
        match attribute.name.as_str() {
            "table" => model.table = attribute.text()?,
            "constraint" => model.constraints.push(attribute.literal()?),
            "hooks" => model.hooks = attribute.flag()?,
            "snake_case" if attribute.flag()? => names = Names::Snake,
            _ => return Err(attribute.unknown("a struct has table, snake_case, hooks, constraint")),
        }
    }
    if model.table.is_empty() {
        model.table = names.table(&model.name);
    }
    model.fields = fields(&body, names)?;
    for (at, field) in model.fields.iter().enumerate() {
        if !field.skip && model.fields[..at].iter().any(|f| !f.skip && f.column == field.column) {
            return Err(Error::new(field.span, format!("two columns `{}`", field.column)));
        }
    }
    if model.fields.iter().all(|field| field.skip) {
        return Err(Error::new(model.span, "Model needs at least one column"));
    }
    Ok(model)
}

/// `#[..] pub name: Type, ...`
fn fields(body: &Group, names: Names) -> Result<Vec<Field>, Error> {
    let mut tokens = body.stream().into_iter().peekable();
    let mut fields = Vec::new();
    while tokens.peek().is_some() {
        let attributes = attributes(&mut tokens)?;
        visibility(&mut tokens);
        let Some(name) = tokens.next() else { break };
        tokens.next(); // the colon
        let kind = until_comma(&mut tokens);
        let span = kind.clone().into_iter().next().map_or(name.span(), |token| token.span());
        let column = names.column(name.to_string().trim_start_matches("r#"));
        let mut field = Field {
            name: name.to_string(),
            kind,
            span,
            column,
            calls: String::new(),
            skip: false,
            primary_key: false,
        };
        for attribute in &attributes {
            field_attribute(&mut field, attribute)?;
        }
        fields.push(field);
    }
    Ok(fields)
}

fn field_attribute(field: &mut Field, attribute: &Attribute) -> Result<(), Error> {
    let name = attribute.name.as_str();
    match name {
        "column" => field.column = attribute.text()?,
        "skip" => field.skip = attribute.flag()?,
        "primary_key" | "unique" | "not_null" if attribute.flag()? => {
            field.primary_key |= name == "primary_key";
            field.calls += &format!(".{name}()");
        }
        "index" if attribute.literal.is_none() => field.calls += ".index(\"\")",
        "default" | "constraint" | "index" => {
            field.calls += &format!(".{name}({})", attribute.literal()?);
        }
        _ => {
            let known = "a field has column, primary_key, unique, not_null, default, index, constraint, skip; table goes on the struct";
            return Err(attribute.unknown(known));
        }
    }
    Ok(())
}

/// All `#[model(...)]`; other attributes are none of our business.
fn attributes(tokens: &mut Tokens) -> Result<Vec<Attribute>, Error> {
    let mut list = Vec::new();
    while tokens.next_if(|token| token.to_string() == "#").is_some() {
        let Some(TokenTree::Group(brackets)) = tokens.next() else { continue };
        let mut inside = brackets.stream().into_iter();
        if inside.next().is_none_or(|token| token.to_string() != "model") {
            continue;
        }
        let Some(TokenTree::Group(entries)) = inside.next() else {
            return Err(Error::new(brackets.span(), "expected `#[model(...)]`"));
        };
        let mut entries = entries.stream().into_iter().peekable();
        while let Some(name) = entries.next() {
            let mut literal = None;
            if entries.next_if(|token| token.to_string() == "=").is_some() {
                literal = Some(entries.next().map(|token| token.to_string()).unwrap_or_default());
            }
            let attribute = Attribute { name: name.to_string(), literal, span: name.span() };
            if attribute
                .literal
                .as_ref()
                .is_some_and(|text| !text.ends_with('"') || !text.starts_with('"'))
            {
                return Err(Error::new(
                    attribute.span,
                    format!("expected `{} = \"...\"`", attribute.name),
                ));
            }
            list.push(attribute);
            if entries.next().is_some_and(|token| token.to_string() != ",") {
                return Err(Error::new(name.span(), format!("expected a comma after `{name}`")));
            }
        }
    }
    Ok(list)
}

/// `pub`, `pub(crate)`
fn visibility(tokens: &mut Tokens) {
    if tokens.next_if(|token| token.to_string() == "pub").is_some() {
        tokens.next_if(|token| matches!(token, TokenTree::Group(_)));
    }
}

/// The tokens up to the comma that ends a field; the one in `HashMap<K, V>` does not.
fn until_comma(tokens: &mut Tokens) -> TokenStream {
    let (mut depth, mut arrow) = (0, false);
    tokens
        .by_ref()
        .take_while(|token| {
            let text = token.to_string();
            match text.as_str() {
                "<" => depth += 1,
                ">" if !arrow => depth -= 1, // that of `fn() -> T` closes nothing
                "," if depth == 0 => return false,
                _ => {}
            }
            arrow = text == "-";
            true
        })
        .collect()
}

impl Attribute {
    /// Without a value.
    fn flag(&self) -> Result<bool, Error> {
        match self.literal {
            None => Ok(true),
            Some(_) => Err(Error::new(self.span, format!("`{}` takes no value", self.name))),
        }
    }

    /// The literal as Rust text, quotes and escapes included.
    fn literal(&self) -> Result<String, Error> {
        let missing = || Error::new(self.span, format!("expected `{} = \"...\"`", self.name));
        self.literal.clone().ok_or_else(missing)
    }

    /// The text of the literal, which must do without escapes other than `\"` and `\\`.
    fn text(&self) -> Result<String, Error> {
        let literal = self.literal()?;
        let inner = &literal[1..literal.len() - 1];
        Ok(inner.replace("\\\"", "\"").replace("\\\\", "\\"))
    }

    fn unknown(&self, known: &str) -> Error {
        Error::new(self.span, format!("unknown attribute `{}`: {known}", self.name))
    }
}
