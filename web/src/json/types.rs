//! [`ToJson`] for the std types that hold others (day 2, second reading).
//!
//! Keys of maps are written sorted as text, as Go does, so that the output is repeatable; for that
//! a map needs a list of its entries. A [`Json`] object is sorted already and needs none.

use super::write::{list, object};
use super::{Json, JsonError, ToJson};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

macro_rules! forward {
    ($([$($generics:tt)*] $type:ty, $value:ident => $inner:expr;)*) => {$(
        impl<$($generics)*> ToJson for $type {
            fn write_json(&self, out: &mut String) -> Result<(), JsonError> {
                let $value = self;
                $inner.write_json(out)
            }
        }
    )*};
}
forward! {
    [] String, text => text.as_str();
    [T: ToJson + ?Sized] &T, value => (**value);
    [T: ToJson + ?Sized] Box<T>, value => (**value);
    [T: ToJson] Vec<T>, items => items.as_slice();
    [T: ToJson, const N: usize] [T; N], items => items.as_slice();
}

impl<T: ToJson> ToJson for [T] {
    fn write_json(&self, out: &mut String) -> Result<(), JsonError> {
        list(self, out, ToJson::write_json)
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn write_json(&self, out: &mut String) -> Result<(), JsonError> {
        match self {
            Some(value) => value.write_json(out),
            None => Json::Null.write_json(out),
        }
    }
}

impl<A: ToJson, B: ToJson> ToJson for (A, B) {
    fn write_json(&self, out: &mut String) -> Result<(), JsonError> {
        let pair: [&dyn ToJson; 2] = [&self.0, &self.1];
        list(pair, out, ToJson::write_json)
    }
}

/// A map's key: texts, and whole numbers as their digits.
pub trait Key {
    /// The key as text.
    fn key(&self) -> Cow<'_, str>;
}

impl Key for String {
    fn key(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

impl Key for &str {
    fn key(&self) -> Cow<'_, str> {
        (*self).into()
    }
}

macro_rules! whole_keys {
    ($($int:ty)*) => {$(
        impl Key for $int {
            fn key(&self) -> Cow<'_, str> {
                self.to_string().into()
            }
        }
    )*};
}
whole_keys! { i8 i16 i32 i64 isize u8 u16 u32 u64 usize }

/// Sorted as text: the keys 9 and 10 come out as `"10"`, `"9"`.
fn sorted<'a, K: Key + 'a, V: ToJson + 'a>(
    entries: impl Iterator<Item = (&'a K, &'a V)>,
    out: &mut String,
) -> Result<(), JsonError> {
    let mut fields: Vec<_> = entries.map(|(key, value)| (key.key(), value)).collect();
    fields.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    object(fields, out, ToJson::write_json)
}

impl<K: Key, V: ToJson> ToJson for BTreeMap<K, V> {
    fn write_json(&self, out: &mut String) -> Result<(), JsonError> {
        sorted(self.iter(), out)
    }
}

impl<K: Key, V: ToJson, S> ToJson for HashMap<K, V, S> {
    fn write_json(&self, out: &mut String) -> Result<(), JsonError> {
        sorted(self.iter(), out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::to_string;

    #[test]
    fn std_types_write_themselves() {
        let map: HashMap<_, _> = ["b", "c", "a"].map(|key| (key.to_owned(), Box::new(1))).into();
        let cases: [(&dyn ToJson, &str); 4] = [
            (&(None::<bool>, Some(vec!["a"])), r#"[null,["a"]]"#),
            (&BTreeMap::from([(9, "x"), (10, "y")]), r#"{"10":"y","9":"x"}"#),
            (&map, r#"{"a":1,"b":1,"c":1}"#),
            (&[&String::new()], r#"[""]"#),
        ];
        for (value, want) in cases {
            assert_eq!(to_string(value).unwrap(), want);
        }
    }
}
