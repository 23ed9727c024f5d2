//! From JSON into Rust types (day 2, second reading): [`FromJson`], and errors that know the way.
//!
//! A handler that takes a struct must answer for what the client sent instead. So an error says
//! where: each level that hands one out puts its own step before the path, and what started as
//! "expected an integer" arrives as `.students[3].age: expected an integer, got "x"`.
//!
//! Values are taken apart, not copied: a `String` moves from the tree into the struct. Where a
//! number or a text does not fit, nothing is bent to fit: `"1"` is no number, 1.5 no integer
//! (1.0 is one: JSON knows no difference), 300 no `u8`, and `null` only an `Option`.

use super::{Json, JsonError, parse};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

/// A type that can be made of a JSON value. [`json_struct!`](crate::json_struct) writes it for
/// structs.
pub trait FromJson: Sized {
    /// Makes the value, or says what stood in the way.
    ///
    /// # Errors
    /// [`JsonError::Shape`].
    fn from_json(json: Json) -> Result<Self, JsonError>;

    /// What a field has that is not there; an error unless the type says otherwise, as `Option`.
    #[must_use]
    fn missing() -> Option<Self> {
        None
    }
}

/// Parses a text right into a type.
///
/// ```
/// use web::json;
///
/// let scores: Vec<(String, u8)> = json::from_text(r#"[["Tom", 63], ["Sam", 56]]"#)?;
/// assert_eq!(scores[1], ("Sam".to_owned(), 56));
///
/// let error = json::from_text::<Vec<(String, u8)>>(r#"[["Tom", 630]]"#).unwrap_err();
/// assert_eq!(error.to_string(), "[0][1]: expected an integer that fits u8, got 630");
/// # Ok::<(), json::JsonError>(())
/// ```
///
/// # Errors
/// Those of [`parse`], and [`JsonError::Shape`].
pub fn from_text<T: FromJson>(text: impl AsRef<[u8]>) -> Result<T, JsonError> {
    T::from_json(parse(text)?)
}

impl FromJson for Json {
    fn from_json(json: Json) -> Result<Self, JsonError> {
        Ok(json)
    }
}

impl FromJson for bool {
    fn from_json(json: Json) -> Result<Self, JsonError> {
        json.as_bool().ok_or_else(|| JsonError::shape("true or false", &json))
    }
}

impl FromJson for String {
    fn from_json(json: Json) -> Result<Self, JsonError> {
        match json {
            Json::String(s) => Ok(s),
            other => Err(JsonError::shape("a string", &other)),
        }
    }
}

impl FromJson for f64 {
    fn from_json(json: Json) -> Result<Self, JsonError> {
        json.as_f64().ok_or_else(|| JsonError::shape("a number", &json))
    }
}

impl FromJson for f32 {
    fn from_json(json: Json) -> Result<Self, JsonError> {
        #[expect(clippy::cast_possible_truncation, reason = "the nearest f32 is what is asked for")]
        let number = f64::from_json(json)? as Self;
        Ok(number)
    }
}

/// The number as an exact integer, wide enough for both 64-bit types.
fn integer(json: &Json) -> Option<i128> {
    match json {
        Json::Int(n) => Some((*n).into()),
        Json::Uint(n) => Some((*n).into()),
        #[expect(clippy::cast_possible_truncation, reason = "whole and far inside i128")]
        Json::Float(n) if n.fract() == 0.0 && n.abs() < 1e20 => Some(*n as i128),
        _ => None,
    }
}

macro_rules! integers {
    ($($int:ident)*) => {$(
        impl FromJson for $int {
            fn from_json(json: Json) -> Result<Self, JsonError> {
                let Some(n) = integer(&json) else {
                    return Err(JsonError::shape("an integer", &json));
                };
                let expected = concat!("an integer that fits ", stringify!($int));
                Self::try_from(n).map_err(|_| JsonError::shape(expected, &json))
            }
        }
    )*};
}
integers! { i8 i16 i32 i64 isize u8 u16 u32 u64 usize }

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(json: Json) -> Result<Self, JsonError> {
        if json.is_null() { Ok(None) } else { T::from_json(json).map(Some) }
    }

    fn missing() -> Option<Self> {
        Some(None)
    }
}

impl<T: FromJson> FromJson for Box<T> {
    fn from_json(json: Json) -> Result<Self, JsonError> {
        T::from_json(json).map(Self::new)
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(json: Json) -> Result<Self, JsonError> {
        let Json::Array(items) = json else {
            return Err(JsonError::shape("a list", &json));
        };
        let read = |(i, item)| T::from_json(item).map_err(|error| error.within(&format!("[{i}]")));
        items.into_iter().enumerate().map(read).collect()
    }
}

impl<T: FromJson, const N: usize> FromJson for [T; N] {
    fn from_json(json: Json) -> Result<Self, JsonError> {
        let error = JsonError::shape(format!("a list of {N}"), &json);
        Self::try_from(Vec::from_json(json)?).map_err(|_| error)
    }
}

impl<A: FromJson, B: FromJson> FromJson for (A, B) {
    fn from_json(json: Json) -> Result<Self, JsonError> {
        let [a, b] = FromJson::from_json(json)?;
        let a = A::from_json(a).map_err(|error| error.within("[0]"))?;
        let b = B::from_json(b).map_err(|error| error.within("[1]"))?;
        Ok((a, b))
    }
}

impl<K: std::str::FromStr + Ord, V: FromJson> FromJson for BTreeMap<K, V> {
    fn from_json(json: Json) -> Result<Self, JsonError> {
        entries(json)
    }
}

impl<K: std::str::FromStr + Hash + Eq, V: FromJson, S: BuildHasher + Default> FromJson
    for HashMap<K, V, S>
{
    fn from_json(json: Json) -> Result<Self, JsonError> {
        entries(json)
    }
}

fn entries<K: std::str::FromStr, V: FromJson, M: FromIterator<(K, V)>>(
    json: Json,
) -> Result<M, JsonError> {
    let Json::Object(fields) = json else {
        return Err(JsonError::shape("an object", &json));
    };
    let read = |(name, value): (String, Json)| {
        let step = format!(".{name}");
        let expected = || format!("a key that reads as {}", std::any::type_name::<K>());
        let bad_key = |_| JsonError::shape(expected(), &Json::from(name.as_str())).within(&step);
        let key = name.parse().map_err(bad_key)?;
        Ok((key, V::from_json(value).map_err(|error| error.within(&step))?))
    };
    fields.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn message<T: FromJson + std::fmt::Debug>(json: Json) -> String {
        T::from_json(json).unwrap_err().to_string()
    }

    #[test]
    fn std_types_come_back_as_they_went() {
        let map = BTreeMap::from([(10_u16, vec![Some(1.5), None]), (9, vec![])]);
        let text = json::to_string(&map).unwrap();
        assert_eq!(from_text::<BTreeMap<u16, Vec<Option<f64>>>>(&text).unwrap(), map);
        let map: HashMap<String, ([bool; 2], Box<f32>)> =
            from_text(r#"{"a": [[true, false], 0.5]}"#).unwrap();
        assert_eq!(map["a"], ([true, false], Box::new(0.5)));
        assert_eq!(u64::from_json(json!(u64::MAX)), Ok(u64::MAX));
        assert_eq!(i64::from_json(json!(-2.0)), Ok(-2));
    }

    #[test]
    fn nothing_is_bent_to_fit() {
        assert_eq!(message::<bool>(json!(1)), "the value: expected true or false, got 1");
        assert_eq!(message::<String>(json!(null)), "the value: expected a string, got null");
        assert_eq!(message::<f64>(json!([1])), "the value: expected a number, got a list");
        assert_eq!(message::<i32>(json!(1.5)), "the value: expected an integer, got 1.5");
        assert_eq!(
            message::<u64>(json!(-1)),
            "the value: expected an integer that fits u64, got -1"
        );
        assert_eq!(message::<i64>(json!(9.3e18)).matches("fits i64").count(), 1);
        assert_eq!(message::<i64>(json!(1e300)), "the value: expected an integer, got 1e+300");
        assert_eq!(message::<[u8; 2]>(json!([1])), "the value: expected a list of 2, got a list");
        let (long, shown) = ("x".repeat(1000), "x".repeat(40));
        assert_eq!(
            message::<u8>(json!(long)),
            format!("the value: expected an integer, got \"{shown}\"...")
        );
    }

    #[test]
    fn errors_know_the_way() {
        type Students = BTreeMap<String, Vec<BTreeMap<String, u8>>>;
        let json = json!({"students": [{"age": 20}, {"age": "x"}]});
        assert_eq!(message::<Students>(json), ".students[1].age: expected an integer, got \"x\"");
        assert_eq!(message::<Vec<bool>>(json!({})), "the value: expected a list, got an object");
        let key = message::<HashMap<u8, u8>>(json!({"a": {"x": 1}}));
        assert_eq!(key, ".a: expected a key that reads as u8, got \"a\"");
    }
}
