//! Steps 3 and 4: the `impl` as text, and the text as tokens that know their place.

use proc_macro::{Group, Span, TokenStream, TokenTree};

use crate::Error;
use crate::parse::{Field, Model};

/// The whole `impl`.
pub(crate) fn implement(model: &Model) -> Result<TokenStream, Error> {
    let fields = || model.fields.iter().filter(|field| !field.skip);
    let mut schema = TokenStream::new();
    let mut put = TokenStream::new();
    for field in fields() {
        // `of::<Type>` has the type's own tokens, so that a type that is no column is underlined.
        schema.extend(spanned("::orm::Field::of::<", field.span));
        schema.extend(field.kind.clone());
        let rest = format!(">({:?}){},", field.column, field.calls);
        schema.extend(spanned(&rest, field.span));
        let text =
            format!("<Self as ::orm::Model>::put(row, {:?}, &self.{})?;", field.column, field.name);
        put.extend(spanned(&text, field.span));
    }
    let read: String = model.fields.iter().map(read).collect();
    let mut body = TokenStream::new();
    let span = model.span;
    body.extend(spanned("const SCHEMA: ::orm::Schema = ::orm::Schema::new", span));
    let mut arguments = spanned(&format!("{:?}, &", model.table), span);
    arguments.extend([group('[', schema)]);
    body.extend([group('(', arguments)]);
    if !model.constraints.is_empty() {
        let list = model.constraints.join(", ");
        body.extend(spanned(&format!(".constraints(&[{list}])"), span));
    }
    body.extend(spanned(";", span));
    body.extend(spanned(&format!("const HOOKED: bool = {};", model.hooks), span));
    let head = "fn to_row(&self, row: &mut ::std::vec::Vec<::orm::Value>) -> ::orm::Result<()>";
    body.extend(spanned(head, span));
    put.extend(spanned("::core::result::Result::Ok(())", span));
    body.extend([group('{', put)]);
    let from = "fn from_row(row: &mut ::orm::Row<'_>) -> ::orm::Result<Self>";
    body.extend(spanned(
        &format!("{from} {{ ::core::result::Result::Ok(Self {{ {read} }}) }}"),
        span,
    ));
    body.extend(set_id(fields()));

    let mut code = TokenStream::new();
    if !model.hooks {
        code.extend(spanned(&format!("impl ::orm::Hooks for {} {{}}", model.name), span));
    }
    code.extend(spanned(&format!("impl ::orm::Model for {}", model.name), span));
    code.extend([group('{', body)]);
    Ok(code)
}

fn read(field: &Field) -> String {
    if field.skip {
        format!("{}: ::core::default::Default::default(),", field.name)
    } else {
        format!("{}: row.read({:?})?,", field.name, field.column)
    }
}

/// The id goes into the primary key, if it is one field and can be read from an integer.
fn set_id<'f>(fields: impl Iterator<Item = &'f Field>) -> TokenStream {
    let key: Vec<_> = fields.filter(|field| field.primary_key).collect();
    let [key] = key[..] else { return TokenStream::new() };
    let text = format!(
        "fn set_id(&mut self, id: i64) -> ::orm::Result<()> {{ \
            self.{} = ::orm::FromValue::from_value(&::orm::Value::Integer(id))?; \
            ::core::result::Result::Ok(()) }}",
        key.name
    );
    spanned(&text, key.span)
}

fn group(open: char, inside: TokenStream) -> TokenTree {
    let delimiter = match open {
        '(' => proc_macro::Delimiter::Parenthesis,
        '[' => proc_macro::Delimiter::Bracket,
        _ => proc_macro::Delimiter::Brace,
    };
    Group::new(delimiter, inside).into()
}

/// The tokens of a text, all of them placed at `span`.
pub(crate) fn spanned(text: &str, span: Span) -> TokenStream {
    let tokens: TokenStream = text.parse().expect("invariant: we write Rust");
    place(tokens, span)
}

fn place(tokens: TokenStream, span: Span) -> TokenStream {
    let placed = tokens.into_iter().map(|mut token| {
        if let TokenTree::Group(inner) = &token {
            token = Group::new(inner.delimiter(), place(inner.stream(), span)).into();
        }
        token.set_span(span);
        token
    });
    placed.collect()
}
