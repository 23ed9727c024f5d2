//! The [`json!`](crate::json!) literal (day 2): JSON as it looks, with Rust expressions inside.
//!
//! A macro sees tokens. `{"a": [1, x + 1]}` is no Rust expression, so the macro takes fields and
//! items off one at a time: `null`, `[..]` and `{..}` are JSON, and everything else up to the next
//! comma is an expression. Rules are tried in order and a rule that does not fit is skipped, which
//! is why `[1, 2].len()` still is an expression: after its `]` comes no comma. What an expression
//! becomes is decided by the `From` impls at the end of this file.

use super::Json;
use std::collections::BTreeMap;

/// Builds a [`Json`] from what looks like JSON.
///
/// Keys are literals or parenthesised expressions; values are `null`, lists, maps, or expressions
/// with a `From` impl. A level may hold about 100 entries (the compiler's recursion limit).
///
/// ```
/// use web::json;
///
/// let (key, n) = ("k", 20);
/// let value = json!({"a": [null, true, n + 1, [], {}], (key): {"b": -2.5}, "c": [1, 2].len(),});
/// assert_eq!(value.to_string(), r#"{"a":[null,true,21,[],{}],"c":2,"k":{"b":-2.5}}"#);
/// assert_eq!(json!("text").to_string(), r#""text""#);
/// ```
#[macro_export]
macro_rules! json {
    (null) => { $crate::json::Json::Null };
    ([]) => { $crate::json::Json::Array(::std::vec::Vec::new()) };
    ([$($items:tt)+]) => { $crate::json::Json::Array($crate::json!(@items [] $($items)+)) };
    ({}) => { $crate::json::Json::Object(::std::collections::BTreeMap::new()) };
    ({$($fields:tt)+}) => {{
        let mut fields = ::std::collections::BTreeMap::new();
        $crate::json!(@fields fields $($fields)+);
        $crate::json::Json::Object(fields)
    }};

    (@items [$($done:expr),*]) => { ::std::vec![$($done),*] };
    (@items [$($done:expr),*] null $(, $($rest:tt)*)?) => {
        $crate::json!(@items [$($done,)* $crate::json::Json::Null] $($($rest)*)?)
    };
    (@items [$($done:expr),*] [$($inner:tt)*] $(, $($rest:tt)*)?) => {
        $crate::json!(@items [$($done,)* $crate::json!([$($inner)*])] $($($rest)*)?)
    };
    (@items [$($done:expr),*] {$($inner:tt)*} $(, $($rest:tt)*)?) => {
        $crate::json!(@items [$($done,)* $crate::json!({$($inner)*})] $($($rest)*)?)
    };
    (@items [$($done:expr),*] $value:expr $(, $($rest:tt)*)?) => {
        $crate::json!(@items [$($done,)* $crate::json::Json::from($value)] $($($rest)*)?)
    };

    (@fields $map:ident) => {};
    (@fields $map:ident $key:tt : null $(, $($rest:tt)*)?) => {
        $map.insert(::std::string::String::from($key), $crate::json::Json::Null);
        $crate::json!(@fields $map $($($rest)*)?);
    };
    (@fields $map:ident $key:tt : [$($inner:tt)*] $(, $($rest:tt)*)?) => {
        $map.insert(::std::string::String::from($key), $crate::json!([$($inner)*]));
        $crate::json!(@fields $map $($($rest)*)?);
    };
    (@fields $map:ident $key:tt : {$($inner:tt)*} $(, $($rest:tt)*)?) => {
        $map.insert(::std::string::String::from($key), $crate::json!({$($inner)*}));
        $crate::json!(@fields $map $($($rest)*)?);
    };
    (@fields $map:ident $key:tt : $value:expr $(, $($rest:tt)*)?) => {
        $map.insert(::std::string::String::from($key), $crate::json::Json::from($value));
        $crate::json!(@fields $map $($($rest)*)?);
    };

    ($value:expr) => { $crate::json::Json::from($value) };
}

macro_rules! from {
    ($($from:ty, $value:ident => $json:expr;)*) => {$(
        impl From<$from> for Json {
            fn from($value: $from) -> Self {
                $json
            }
        }
    )*};
}

from! {
    bool, b => Self::Bool(b);
    i8, n => Self::Int(n.into());
    i16, n => Self::Int(n.into());
    i32, n => Self::Int(n.into());
    i64, n => Self::Int(n);
    isize, n => Self::Int(n as i64);
    u8, n => Self::Int(n.into());
    u16, n => Self::Int(n.into());
    u32, n => Self::Int(n.into());
    u64, n => i64::try_from(n).map_or(Self::Uint(n), Self::Int);
    usize, n => Self::from(n as u64);
    f32, n => Self::Float(n.into());
    f64, n => Self::Float(n);
    &str, s => Self::String(s.to_owned());
    String, s => Self::String(s);
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Json::Null, Into::into)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(items: Vec<T>) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Json>> From<BTreeMap<String, T>> for Json {
    fn from(fields: BTreeMap<String, T>) -> Self {
        Self::Object(fields.into_iter().map(|(key, value)| (key, value.into())).collect())
    }
}

impl<T: Clone + Into<Json>> From<&T> for Json {
    fn from(value: &T) -> Self {
        value.clone().into()
    }
}
