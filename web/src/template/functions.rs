//! The functions that every template has (day 6): comparison, `not`, `len`, `index`.
//!
//! Numbers compare by value, whatever their variant. Two different kinds do not compare: that
//! `eq .age "20"` is false would hide a mistake, so it is an error, as in Go; only null may be
//! compared with anything.

use crate::json::Json;
use std::cmp::Ordering;
use std::sync::Arc;

/// What a template calls. Those of the engine look at their arguments; yours own theirs.
#[derive(Clone)]
pub(super) enum Function {
    Builtin(Builtin),
    Custom(Arc<Custom>),
}

type Answer = Result<Json, String>;
type Builtin = fn(&[&Json]) -> Answer;
type Custom = dyn Fn(&[Json]) -> Answer + Send + Sync;

pub(super) const BUILTINS: [(&str, Builtin); 9] = [
    ("eq", |args| match args {
        [first, others @ ..] if !others.is_empty() => any_equal(first, others),
        _ => Err("needs two arguments or more".to_owned()),
    }),
    ("ne", |args| {
        let [a, b] = two(args)?;
        any_equal(a, &[b]).map(|equal| Json::Bool(equal == Json::Bool(false)))
    }),
    ("lt", |args| ordered(args, Ordering::is_lt)),
    ("le", |args| ordered(args, Ordering::is_le)),
    ("gt", |args| ordered(args, Ordering::is_gt)),
    ("ge", |args| ordered(args, Ordering::is_ge)),
    ("not", |args| match args {
        [value] => Ok(Json::Bool(!truth(value))),
        _ => Err("needs one argument".to_owned()),
    }),
    ("len", |args| match args {
        [Json::String(s)] => Ok(s.len().into()),
        [Json::Array(items)] => Ok(items.len().into()),
        [Json::Object(fields)] => Ok(fields.len().into()),
        [other] => Err(format!("{other} has no length")),
        _ => Err("needs one argument".to_owned()),
    }),
    ("index", |args| {
        let (first, keys) = args.split_first().ok_or("needs a value and keys")?;
        keys.iter().try_fold(*first, |value, key| index(value, key)).cloned()
    }),
];

/// Whether `if` takes the first branch: not false, 0, null, nor empty.
pub(super) fn truth(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(b) => *b,
        Json::Int(n) => *n != 0,
        Json::Uint(n) => *n != 0,
        Json::Float(n) => *n != 0.0,
        Json::String(s) => !s.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(fields) => !fields.is_empty(),
    }
}

fn two<'a>(args: &[&'a Json]) -> Result<[&'a Json; 2], String> {
    <[&Json; 2]>::try_from(args).map_err(|_| "needs two arguments".to_owned())
}

fn any_equal(first: &Json, others: &[&Json]) -> Answer {
    for other in others {
        let equal = match (first, *other) {
            (Json::Null, other) => other.is_null(),
            (first, Json::Null) => first.is_null(),
            (Json::Bool(a), Json::Bool(b)) => a == b,
            (a, b) => compare(a, b)? == Some(Ordering::Equal),
        };
        if equal {
            return Ok(Json::Bool(true));
        }
    }
    Ok(Json::Bool(false))
}

fn ordered(args: &[&Json], holds: fn(Ordering) -> bool) -> Answer {
    let [a, b] = two(args)?;
    Ok(Json::Bool(compare(a, b)?.is_some_and(holds)))
}

/// `Ok(None)`: one of them is NaN.
fn compare(a: &Json, b: &Json) -> Result<Option<Ordering>, String> {
    match (a, b) {
        (Json::Int(a), Json::Int(b)) => Ok(Some(a.cmp(b))),
        (Json::Uint(a), Json::Uint(b)) => Ok(Some(a.cmp(b))),
        (Json::String(a), Json::String(b)) => Ok(Some(a.cmp(b))),
        _ => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => Ok(a.partial_cmp(&b)),
            _ => Err(format!("cannot compare {a} with {b}")),
        },
    }
}

fn index<'a>(value: &'a Json, key: &Json) -> Result<&'a Json, String> {
    match (value, key) {
        (Json::Array(items), Json::Int(n)) => usize::try_from(*n)
            .ok()
            .and_then(|n| items.get(n))
            .ok_or_else(|| format!("index {n} is out of range, the list has {}", items.len())),
        (Json::Object(_), Json::String(key)) => Ok(&value[key.as_str()]),
        _ => Err(format!("cannot take {key} out of {value}")),
    }
}
