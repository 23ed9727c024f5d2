//! Calls without types: arguments written as JSON, replies of any type shown as JSON.
//!
//! A gob stream describes its own types, so a reply can be printed by a program that has never
//! heard of them. The other way round a type is made up for what was typed: a whole number is an
//! int, one with a fraction or an exponent a float, an object a struct with those fields, an array
//! a slice; `null` and an empty array are left out. That is all a gob reader matches by. (The structs
//! among the fields of one struct get one type if they can: the other side may have one for them.)

use web::json::{Json, ToJson};

use crate::codec::Body;
use crate::gob::{Decoder, Encoder, Value};
use crate::json::base64;
use crate::{Error, Result};

/// Arguments typed by a user, or a reply to be shown to one: the text of a JSON value.
///
/// ```
/// use rpc::beyond::dynamic::Dynamic;
///
/// let args: Dynamic = r#"{"Num1": 3, "Num2": 4}"#.parse()?;
/// assert_eq!(args.text(), r#"{"Num1":3,"Num2":4}"#);
/// # Ok::<(), rpc::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Dynamic {
    text: String,
    json: Json,
}

impl Dynamic {
    /// The value as one line of JSON.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl std::str::FromStr for Dynamic {
    type Err = Error;

    fn from_str(text: &str) -> Result<Dynamic> {
        let json = web::json::parse(text).map_err(|error| Error::Invalid(error.to_string()))?;
        Ok(Dynamic { text: json.to_string(), json })
    }
}

impl Body for Dynamic {
    fn empty() -> Dynamic {
        Dynamic { text: "null".to_owned(), json: Json::Null }
    }

    fn put_gob(&self, encoder: &mut Encoder, out: &mut Vec<u8>) -> Result<()> {
        match to_value(&self.json) {
            // Nothing at all is best said by a struct without fields.
            Value::Nil => encoder.encode_value(&Value::Struct(Vec::new()), out),
            value => encoder.encode_value(&value, out),
        }
    }

    fn take_gob(&mut self, decoder: &mut Decoder) -> Result<Result<()>> {
        Ok(decoder.decode_value()?.map(|(_, value)| {
            self.text.clear();
            show(&value, &mut self.text);
        }))
    }

    fn put_json(&self, out: &mut String) -> Result<()> {
        out.push_str(&self.text);
        Ok(())
    }

    fn take_json(&mut self, json: Json) -> Result<()> {
        self.text = json.to_string();
        Ok(())
    }
}

/// The gob value that JSON stands for.
fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Bool(*value),
        Json::Int(value) => Value::Int(*value),
        Json::Uint(value) => Value::Uint(*value),
        Json::Float(value) => Value::Float(*value),
        Json::String(value) => Value::String(value.clone()),
        Json::Array(items) => Value::List(items.iter().map(to_value).collect()),
        Json::Object(fields) => Value::Struct(
            fields.iter().map(|(name, value)| (name.clone(), to_value(value))).collect(),
        ),
    }
}

/// Appends a gob value as JSON: map keys as strings, bytes as base64, fields in their order.
fn show(value: &Value, out: &mut String) {
    match value {
        Value::Nil => out.push_str("null"),
        Value::Bool(value) => plain(value, out),
        Value::Int(value) => plain(value, out),
        Value::Uint(value) => plain(value, out),
        Value::Float(value) => float(*value, out),
        Value::Complex(re, im) => {
            out.push('[');
            float(*re, out);
            out.push(',');
            float(*im, out);
            out.push(']');
        }
        Value::Bytes(bytes) | Value::Opaque(bytes) => {
            out.push('"');
            base64(bytes, out);
            out.push('"');
        }
        Value::String(text) => plain(text.as_str(), out),
        Value::Interface(_, _, inside) => show(inside, out),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                show(item, out);
            }
            out.push(']');
        }
        Value::Struct(fields) => {
            entries(fields.iter().map(|(name, value)| (name.clone(), value)), out);
        }
        Value::Map(pairs) => {
            let mut named: Vec<_> =
                pairs.iter().map(|(key, value)| (name_of(key), value)).collect();
            named.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries(named.into_iter(), out);
        }
    }
}

/// An object.
fn entries<'a>(fields: impl Iterator<Item = (String, &'a Value)>, out: &mut String) {
    out.push('{');
    for (index, (name, value)) in fields.enumerate() {
        if index > 0 {
            out.push(',');
        }
        plain(name.as_str(), out);
        out.push(':');
        show(value, out);
    }
    out.push('}');
}

/// A key as the name in an object.
fn name_of(key: &Value) -> String {
    if let Value::String(name) = key {
        return name.clone();
    }
    let mut name = String::new();
    show(key, &mut name);
    name
}

/// A number; what JSON has no form for becomes its name.
fn float(value: f64, out: &mut String) {
    if value.is_finite() { plain(&value, out) } else { plain(value.to_string().as_str(), out) }
}

/// What `web` writes. It fails for numbers that are not finite, and there are none here.
fn plain(value: &(impl ToJson + ?Sized), out: &mut String) {
    let _ = value.write_json(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gob::Gob;
    use std::collections::BTreeMap;
    use std::io::Cursor;

    crate::message! {
        #[derive(Debug, PartialEq)]
        struct Inner { x: f64, tags: Vec<String>, n: i64 }

        #[derive(Debug, PartialEq)]
        struct Outer { list: Vec<Inner>, flags: Vec<bool>, floats: Vec<f64>, codes: BTreeMap<i64, String>, data: Vec<u8>, maybe: Option<Inner> }
    }

    #[test]
    fn typed_json_reaches_a_struct() {
        let json = r#"{"List":[{"X":1.5},{"N":7,"Tags":["a","b"]}],"Flags":[true],"Floats":[1,2.5],"Maybe":null,"Codes":[]}"#;
        let args: Dynamic = json.parse().unwrap();
        let mut stream = Vec::new();
        args.put_gob(&mut Encoder::new(), &mut stream).unwrap();
        let mut outer = Outer::zero();
        Decoder::new(Cursor::new(stream)).decode(&mut outer).unwrap().unwrap();
        let (a, b) = (Inner { x: 1.5, tags: vec![], n: 0 }, vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(outer.list, [a, Inner { x: 0.0, tags: b, n: 7 }]);
        assert_eq!((outer.flags, outer.floats), (vec![true], vec![1.0, 2.5]));
    }

    #[test]
    fn any_reply_is_shown() {
        let outer = Outer {
            list: vec![Inner { x: 2.0, tags: vec!["<".to_owned()], n: 0 }],
            flags: vec![],
            floats: vec![f64::INFINITY],
            codes: BTreeMap::from([(10, "x".to_owned()), (9, "y".to_owned())]),
            data: vec![1, 2],
            maybe: None,
        };
        let mut stream = Vec::new();
        Encoder::new().encode(&outer, &mut stream);
        let mut shown = Dynamic::empty();
        shown.take_gob(&mut Decoder::new(Cursor::new(stream))).unwrap().unwrap();
        assert_eq!(
            shown.text(),
            r#"{"List":[{"X":2,"Tags":["\u003c"],"N":0}],"Flags":null,"Floats":["inf"],"Codes":{"10":"x","9":"y"},"Data":"AQI=","Maybe":null}"#
        );
    }
}
