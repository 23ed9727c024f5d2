//! The five kinds of value, and how they are ordered (day 0).
//!
//! A SQLite column does not force a type on its values: each value carries its own, one of five.
//! Across the kinds there is one order, the same in `ORDER BY`, in indexes and in comparisons:
//!
//! ```text
//!   NULL  <  INTEGER and REAL, by number  <  TEXT, by collation  <  BLOB, by bytes
//! ```
//!
//! [`Value`] owns its bytes; [`ValueRef`] borrows them from a page, so that a filter can look at a
//! row which nobody copied. Text from a file is kept as the bytes that are there: most comparisons
//! need nothing else, and checking UTF-8 for rows that a filter drops would be wasted.
//! [`Value::Text`] is a `String`: bytes that are not UTF-8 become U+FFFD in it.
//!
//! ```
//! use orm::sql::{Collation, ValueRef};
//! use std::cmp::Ordering;
//!
//! let (tom, sam) = (ValueRef::Text(b"tom"), ValueRef::Text(b"SAM"));
//! assert_eq!(tom.compare(sam, Collation::NoCase), Ordering::Greater);
//! assert_eq!(ValueRef::Integer(2).compare(ValueRef::Real(2.5), Collation::Binary), Ordering::Less);
//! assert_eq!(ValueRef::Null.compare(tom, Collation::Binary), Ordering::Less);
//! ```
//!
//! Reference: <https://sqlite.org/datatype3.html>, sections 2 and 4.

use std::cmp::Ordering;

/// A value that owns its bytes.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    /// No value.
    #[default]
    Null,
    /// A signed integer of 64 bits.
    Integer(i64),
    /// A double; never NaN, which SQL stores as NULL.
    Real(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// A value whose bytes are someone else's, usually a page's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// No value.
    Null,
    /// A signed integer of 64 bits.
    Integer(i64),
    /// A double.
    Real(f64),
    /// Text, as the bytes that are stored: nobody has checked that they are UTF-8.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}

/// How two texts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Collation {
    /// Byte by byte.
    #[default]
    Binary,
    /// Byte by byte, with `A` to `Z` taken for `a` to `z`.
    NoCase,
    /// Byte by byte, spaces at the end ignored.
    Rtrim,
}

impl Value {
    /// The same value, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Value::Null => ValueRef::Null,
            Value::Integer(n) => ValueRef::Integer(*n),
            Value::Real(r) => ValueRef::Real(*r),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }
    }
}

impl ValueRef<'_> {
    /// A copy that owns its bytes; text that is not UTF-8 is repaired with U+FFFD.
    #[inline]
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(n) => Value::Integer(n),
            ValueRef::Real(r) => Value::Real(r),
            ValueRef::Text(bytes) => Value::Text(to_text(bytes)),
            ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        }
    }

    /// Whether this is NULL.
    #[must_use]
    pub fn is_null(self) -> bool {
        matches!(self, ValueRef::Null)
    }

    /// The order of `ORDER BY` and of indexes; NULL equals NULL here, unlike in `=`.
    #[inline]
    #[must_use]
    pub fn compare(self, other: ValueRef<'_>, collation: Collation) -> Ordering {
        match (self, other) {
            (ValueRef::Integer(a), ValueRef::Integer(b)) => a.cmp(&b),
            (ValueRef::Text(a), ValueRef::Text(b)) => collation.compare(a, b),
            _ => self.compare_others(other),
        }
    }

    fn compare_others(self, other: ValueRef<'_>) -> Ordering {
        match (self, other) {
            (ValueRef::Real(a), ValueRef::Real(b)) => {
                // NaN is never stored; should a file hold one, it sorts as SQLite's NULL would.
                a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
            }
            (ValueRef::Integer(a), ValueRef::Real(b)) => compare_int_real(a, b),
            (ValueRef::Real(a), ValueRef::Integer(b)) => compare_int_real(b, a).reverse(),
            (ValueRef::Blob(a), ValueRef::Blob(b)) => a.cmp(b),
            _ => self.class().cmp(&other.class()),
        }
    }

    fn class(self) -> u8 {
        match self {
            ValueRef::Null => 0,
            ValueRef::Integer(_) | ValueRef::Real(_) => 1,
            ValueRef::Text(_) => 2,
            ValueRef::Blob(_) => 3,
        }
    }
}

impl Collation {
    /// Compares two texts.
    #[inline]
    #[must_use]
    pub fn compare(self, a: &[u8], b: &[u8]) -> Ordering {
        match self {
            // Most texts differ in their first eight bytes: then no call is needed to see it.
            Collation::Binary => match (a.first_chunk(), b.first_chunk()) {
                (Some(left), Some(right)) if left != right => {
                    u64::from_be_bytes(*left).cmp(&u64::from_be_bytes(*right))
                }
                _ => a.cmp(b),
            },
            Collation::NoCase => {
                a.iter().map(u8::to_ascii_lowercase).cmp(b.iter().map(u8::to_ascii_lowercase))
            }
            Collation::Rtrim => trim_end(a).cmp(trim_end(b)),
        }
    }

    /// The collation of this name in any case, or `None`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Collation> {
        [(Collation::Binary, "BINARY"), (Collation::NoCase, "NOCASE"), (Collation::Rtrim, "RTRIM")]
            .into_iter()
            .find(|(_, known)| name.eq_ignore_ascii_case(known))
            .map(|(collation, _)| collation)
    }
}

fn to_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// A text without the spaces at its end.
pub(crate) fn trim_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|&b| b != b' ').map_or(0, |at| at + 1);
    &text[..end]
}

/// Exact, where converting the integer to a double would round: 2^53 + 1 is more than 2^53.
fn compare_int_real(int: i64, real: f64) -> Ordering {
    const TWO_63: f64 = 9_223_372_036_854_775_808.0;
    if real.is_nan() || real < -TWO_63 {
        return Ordering::Greater;
    }
    if real >= TWO_63 {
        return Ordering::Less;
    }
    // In range, so the cast only drops the fraction.
    #[allow(clippy::cast_possible_truncation, reason = "the range was checked above")]
    let whole = real as i64;
    int.cmp(&whole).then_with(|| 0.0_f64.partial_cmp(&real.fract()).unwrap_or(Ordering::Equal))
}

impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Value::Integer(n)
    }
}

impl From<f64> for Value {
    /// NaN becomes NULL, as SQLite has it.
    fn from(r: f64) -> Value {
        if r.is_nan() { Value::Null } else { Value::Real(r) }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Value {
        Value::Blob(bytes)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(option: Option<T>) -> Value {
        option.map_or(Value::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_values_are_in_one_order() {
        let rising = [
            ValueRef::Null,
            ValueRef::Real(f64::NEG_INFINITY),
            ValueRef::Integer(i64::MIN),
            ValueRef::Real(-1.5),
            ValueRef::Integer(-1),
            ValueRef::Integer(0),
            ValueRef::Real(0.5),
            ValueRef::Real(9_007_199_254_740_992.0),
            ValueRef::Integer(9_007_199_254_740_993),
            ValueRef::Integer(i64::MAX),
            ValueRef::Real(9_223_372_036_854_775_808.0),
            ValueRef::Text(b""),
            ValueRef::Text(b"A"),
            ValueRef::Text(b"a"),
            ValueRef::Text(b"a "),
            ValueRef::Blob(b""),
            ValueRef::Blob(b"\xff"),
        ];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(a.compare(*b, Collation::Binary), i.cmp(&j), "{a:?} {b:?}");
            }
        }
        assert_eq!(
            ValueRef::Integer(1).compare(ValueRef::Real(1.0), Collation::Binary),
            Ordering::Equal
        );
    }

    #[test]
    fn collations() {
        assert_eq!(Collation::NoCase.compare(b"ABC", b"abc"), Ordering::Equal);
        assert_eq!(Collation::NoCase.compare(b"ab", b"ABC"), Ordering::Less);
        // Only ASCII letters fold; `[` is between `Z` and `a`, and folding is to lower case.
        assert_eq!(Collation::NoCase.compare(b"Z", b"["), Ordering::Greater);
        assert_eq!(Collation::Rtrim.compare(b"a  ", b"a"), Ordering::Equal);
        assert_eq!(Collation::Rtrim.compare(b" a", b"a"), Ordering::Less);
        assert_eq!(Collation::from_name("nocase"), Some(Collation::NoCase));
        assert_eq!(Collation::from_name("french"), None);
    }

    #[test]
    fn text_that_is_not_utf8_is_repaired_when_owned() {
        assert_eq!(ValueRef::Text(b"a\xffb").to_value(), Value::Text("a\u{fffd}b".into()));
        assert_eq!(Value::from(f64::NAN), Value::Null);
    }
}
