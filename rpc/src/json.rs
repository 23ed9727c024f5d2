//! Day 1: the same structs as JSON, the way Go's `encoding/json` writes them.
//!
//! `web` has the JSON values, the parser and the writer. What is added here is how Go maps *types*:
//! bytes are base64, the keys of a map are strings whatever their type, a pointer is its value or
//! `null`, fields that are missing or `null` keep their zero, unknown ones are ignored. The trait
//! is a second one beside [`Gob`], written by the same [`message!`](crate::message).
//!
//! A stream of JSON has no lengths. `Scanner` finds where a value ends by counting brackets
//! outside of strings, and remembers where it stopped looking, so that a large value that comes
//! in a thousand pieces is still looked at once.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

pub use web::json::Json;
use web::json::ToJson;

use crate::gob::Gob;
use crate::{Error, Result};

mod text;

pub(crate) use text::Scanner;
pub use text::{base64, unbase64};

/// A type with a form in JSON that Go agrees with.
pub trait JsonForm: Gob {
    /// Appends the value.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for what JSON cannot say: NaN, infinities, keys that are no text.
    fn write_json(&self, out: &mut String) -> Result<()>;

    /// Takes the value out of `json`; `null` changes nothing.
    ///
    /// # Errors
    /// [`Error::Mismatch`], with Go's text.
    fn read_json(&mut self, json: Json) -> Result<()>;

    /// The value as the key of an object, without the quotes.
    fn key(&self) -> Option<String> {
        None
    }

    /// The value of an object's key.
    #[must_use]
    fn from_key(_key: &str) -> Option<Self> {
        None
    }

    /// [`JsonForm::write_json`] for a slice of it.
    ///
    /// # Errors
    /// Those of the elements.
    fn write_slice(items: &[Self], out: &mut String) -> Result<()> {
        out.push('[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            item.write_json(out)?;
        }
        out.push(']');
        Ok(())
    }

    /// [`JsonForm::read_json`] for a slice of it.
    ///
    /// # Errors
    /// Those of the elements, or that it is no list.
    fn read_slice(json: Json) -> Result<Vec<Self>> {
        let Json::Array(items) = json else { return Err(mismatch::<Vec<Self>>(&json)) };
        items.into_iter().map(read_new).collect()
    }
}

/// A fresh value out of `json`.
fn read_new<T: JsonForm>(json: Json) -> Result<T> {
    let mut value = T::zero();
    value.read_json(json)?;
    Ok(value)
}

/// Go's words for a value that does not fit.
pub(crate) fn mismatch<T: Gob>(json: &Json) -> Error {
    let what = match json {
        Json::Null => "null".to_owned(),
        Json::Bool(_) => "bool".to_owned(),
        Json::Int(_) | Json::Uint(_) | Json::Float(_) => format!("number {json}"),
        Json::String(_) => "string".to_owned(),
        Json::Array(_) => "array".to_owned(),
        Json::Object(_) => "object".to_owned(),
    };
    Error::Mismatch(format!("json: cannot unmarshal {what} into Go value of type {}", T::go_type()))
}

/// Appends what `web` can write by itself.
pub(crate) fn plain(value: &(impl ToJson + ?Sized), out: &mut String) -> Result<()> {
    value.write_json(out).map_err(|error| Error::Mismatch(format!("json: {error}")))
}

/// Writes an object field by field; what [`message!`](crate::message) calls. It is
/// [`web::json::FieldWriter`] over again, for values that are a [`JsonForm`].
#[derive(Debug)]
pub struct FieldWriter<'a> {
    out: &'a mut String,
    open: char,
}

impl<'a> FieldWriter<'a> {
    /// Begins an object at the end of `out`.
    pub fn new(out: &'a mut String) -> FieldWriter<'a> {
        FieldWriter { out, open: '{' }
    }

    /// Adds a field.
    ///
    /// # Errors
    /// Those of the value.
    pub fn write(&mut self, name: &str, value: &impl JsonForm) -> Result<()> {
        self.out.push(self.open);
        self.open = ',';
        plain(name, self.out)?;
        self.out.push(':');
        value.write_json(self.out)
    }

    /// Closes the object.
    pub fn end(self) {
        if self.open == '{' {
            self.out.push('{');
        }
        self.out.push('}');
    }
}

/// Reads a struct: hands `field` every entry whose name, upper or lower case, is one of `names`.
///
/// # Errors
/// [`Error::Mismatch`] when `json` is no object, and those of `field`.
pub fn read_object<T: Gob>(
    json: Json,
    names: &[std::borrow::Cow<'static, str>],
    mut field: impl FnMut(usize, Json) -> Result<()>,
) -> Result<()> {
    let entries = match json {
        Json::Null => return Ok(()),
        Json::Object(entries) => entries,
        other => return Err(mismatch::<T>(&other)),
    };
    for (name, value) in entries {
        let exact = names.iter().position(|own| *own == name);
        let found = exact.or_else(|| names.iter().position(|own| own.eq_ignore_ascii_case(&name)));
        if let Some(number) = found {
            field(number, value)?;
        }
    }
    Ok(())
}

macro_rules! whole_numbers {
    ($($number:ident)*) => {$(
        impl JsonForm for $number {
            fn write_json(&self, out: &mut String) -> Result<()> {
                plain(self, out)
            }
            fn read_json(&mut self, json: Json) -> Result<()> {
                let fits = match &json {
                    Json::Null => return Ok(()),
                    Json::Int(value) => Self::try_from(*value).ok(),
                    Json::Uint(value) => Self::try_from(*value).ok(),
                    _ => None,
                };
                *self = fits.ok_or_else(|| mismatch::<Self>(&json))?;
                Ok(())
            }
            fn key(&self) -> Option<String> {
                Some(self.to_string())
            }
            fn from_key(key: &str) -> Option<Self> {
                key.parse().ok()
            }
            whole_numbers! { @slice $number }
        }
    )*};
    (@slice u8) => {
        fn write_slice(items: &[Self], out: &mut String) -> Result<()> {
            out.push('"');
            base64(items, out);
            out.push('"');
            Ok(())
        }
        fn read_slice(json: Json) -> Result<Vec<Self>> {
            let Json::String(text) = &json else { return Err(mismatch::<Vec<u8>>(&json)) };
            unbase64(text).ok_or_else(|| Error::Mismatch("illegal base64 data".to_owned()))
        }
    };
    (@slice $other:ident) => {};
}

whole_numbers! { i8 i16 i32 i64 isize u8 u16 u32 u64 usize }

impl JsonForm for bool {
    fn write_json(&self, out: &mut String) -> Result<()> {
        plain(self, out)
    }
    fn read_json(&mut self, json: Json) -> Result<()> {
        match json {
            Json::Null => {}
            Json::Bool(value) => *self = value,
            other => return Err(mismatch::<Self>(&other)),
        }
        Ok(())
    }
}

impl JsonForm for f64 {
    fn write_json(&self, out: &mut String) -> Result<()> {
        plain(self, out)
    }
    fn read_json(&mut self, json: Json) -> Result<()> {
        if !json.is_null() {
            *self = json.as_f64().ok_or_else(|| mismatch::<Self>(&json))?;
        }
        Ok(())
    }
}

impl JsonForm for f32 {
    fn write_json(&self, out: &mut String) -> Result<()> {
        plain(self, out)
    }
    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is asked for")]
    fn read_json(&mut self, json: Json) -> Result<()> {
        if !json.is_null() {
            *self = json.as_f64().ok_or_else(|| mismatch::<Self>(&json))? as f32;
        }
        Ok(())
    }
}

impl JsonForm for String {
    fn write_json(&self, out: &mut String) -> Result<()> {
        plain(self.as_str(), out)
    }
    fn read_json(&mut self, json: Json) -> Result<()> {
        match json {
            Json::Null => {}
            Json::String(text) => *self = text,
            other => return Err(mismatch::<Self>(&other)),
        }
        Ok(())
    }
    fn key(&self) -> Option<String> {
        Some(self.clone())
    }
    fn from_key(key: &str) -> Option<Self> {
        Some(key.to_owned())
    }
}

impl JsonForm for () {
    fn write_json(&self, out: &mut String) -> Result<()> {
        out.push_str("{}");
        Ok(())
    }
    fn read_json(&mut self, json: Json) -> Result<()> {
        read_object::<()>(json, &[], |_, _| Ok(()))
    }
}

impl<T: JsonForm> JsonForm for Vec<T> {
    fn write_json(&self, out: &mut String) -> Result<()> {
        T::write_slice(self, out)
    }
    fn read_json(&mut self, json: Json) -> Result<()> {
        *self = if json.is_null() { Vec::new() } else { T::read_slice(json)? };
        Ok(())
    }
}

impl<T: JsonForm, const N: usize> JsonForm for [T; N] {
    fn write_json(&self, out: &mut String) -> Result<()> {
        // An array of bytes is a list of numbers, also in Go.
        for (index, item) in self.iter().enumerate() {
            out.push(if index == 0 { '[' } else { ',' });
            item.write_json(out)?;
        }
        out.push_str(if N == 0 { "[]" } else { "]" });
        Ok(())
    }
    /// As in Go, elements too many are dropped and elements too few become zero.
    fn read_json(&mut self, json: Json) -> Result<()> {
        let items = match json {
            Json::Null => return Ok(()),
            Json::Array(items) => items,
            other => return Err(mismatch::<Self>(&other)),
        };
        let mut items = items.into_iter();
        for place in self {
            *place = items.next().map_or_else(|| Ok(T::zero()), read_new)?;
        }
        Ok(())
    }
}

impl<T: JsonForm> JsonForm for Option<T> {
    fn write_json(&self, out: &mut String) -> Result<()> {
        match self {
            Some(value) => value.write_json(out),
            None => plain(&Json::Null, out),
        }
    }
    fn read_json(&mut self, json: Json) -> Result<()> {
        *self = if json.is_null() { None } else { Some(read_new(json)?) };
        Ok(())
    }
}

impl<T: JsonForm> JsonForm for Box<T> {
    fn write_json(&self, out: &mut String) -> Result<()> {
        T::write_json(self, out)
    }
    fn read_json(&mut self, json: Json) -> Result<()> {
        T::read_json(self, json)
    }
}

/// A map as an object, its keys sorted as text.
fn write_map<'a, K: JsonForm + 'a, V: JsonForm + 'a>(
    entries: impl Iterator<Item = (&'a K, &'a V)>,
    out: &mut String,
) -> Result<()> {
    let no_text = || Error::Mismatch("json: unsupported type of key".to_owned());
    let named = entries.map(|(key, value)| Ok((key.key().ok_or_else(no_text)?, value)));
    let mut named: Vec<(String, &V)> = named.collect::<Result<_>>()?;
    named.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let mut fields = FieldWriter::new(out);
    for (key, value) in named {
        fields.write(&key, value)?;
    }
    fields.end();
    Ok(())
}

/// The entries of an object.
fn read_map<M: Gob, K: JsonForm, V: JsonForm>(json: Json) -> Result<Vec<(K, V)>> {
    let entries = match json {
        Json::Null => return Ok(Vec::new()),
        Json::Object(entries) => entries,
        other => return Err(mismatch::<M>(&other)),
    };
    let read = |(name, value): (String, Json)| {
        let key = K::from_key(&name).ok_or_else(|| mismatch::<K>(&Json::String(name)))?;
        Ok((key, read_new(value)?))
    };
    entries.into_iter().map(read).collect()
}

impl<K: JsonForm + Eq + Hash, V: JsonForm, S: BuildHasher + Default + 'static> JsonForm
    for HashMap<K, V, S>
{
    fn write_json(&self, out: &mut String) -> Result<()> {
        write_map(self.iter(), out)
    }
    fn read_json(&mut self, json: Json) -> Result<()> {
        self.extend(read_map::<Self, K, V>(json)?);
        Ok(())
    }
}

impl<K: JsonForm + Ord, V: JsonForm> JsonForm for BTreeMap<K, V> {
    fn write_json(&self, out: &mut String) -> Result<()> {
        write_map(self.iter(), out)
    }
    fn read_json(&mut self, json: Json) -> Result<()> {
        self.extend(read_map::<Self, K, V>(json)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::message! {
        #[derive(Debug, PartialEq)]
        struct All {
            n: i8,
            data: Vec<u8>,
            grid: [u8; 3],
            codes: BTreeMap<i64, String>,
            maybe: Option<f64>,
            nothing: (),
        }
    }

    #[test]
    fn structs_look_as_in_go() {
        let all = All {
            n: -3,
            data: vec![1, 2],
            grid: [7, 0, 9],
            codes: BTreeMap::from([(10, "x".to_owned()), (9, "<".to_owned())]),
            maybe: None,
            nothing: (),
        };
        let mut text = String::new();
        all.write_json(&mut text).unwrap();
        assert_eq!(
            text,
            r#"{"N":-3,"Data":"AQI=","Grid":[7,0,9],"Codes":{"10":"x","9":"\u003c"},"Maybe":null,"Nothing":{}}"#
        );
        let mut again = All::zero();
        again.read_json(web::json::parse(&text).unwrap()).unwrap();
        assert_eq!(again, all);
        let mut some = All::zero();
        some.read_json(web::json::parse(r#"{"n":5,"Maybe":1.5,"Grid":[1],"X":0}"#).unwrap())
            .unwrap();
        assert_eq!((some.n, some.maybe, some.grid), (5, Some(1.5), [1, 0, 0]));
    }

    #[test]
    fn what_does_not_fit_is_told_in_go_s_words() {
        let error = All::zero().read_json(Json::String("x".to_owned())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "json: cannot unmarshal string into Go value of type main.All"
        );
        let error = 0i8.read_json(Json::Int(300)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "json: cannot unmarshal number 300 into Go value of type int8"
        );
        assert!(JsonForm::write_json(&f64::NAN, &mut String::new()).is_err());
    }
}
