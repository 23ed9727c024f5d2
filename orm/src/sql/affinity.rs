//! Affinity: how a column's declared type leans on values, and how numbers and text turn into each
//! other (day 0, query it).
//!
//! SQLite stores what it is given: `CREATE TABLE t(a INTEGER)` takes `'tom'`. But the declared type
//! has an *affinity*, and a value that can change into it without loss does:
//!
//! | declared type contains | affinity | what it changes when a row is stored |
//! |---|---|---|
//! | `INT` | [`Integer`](Affinity::Integer) | `'12'` to 12, `1.0` to 1; `'tom'` stays |
//! | `CHAR`, `CLOB`, `TEXT` | [`Text`](Affinity::Text) | `12` to `'12'` |
//! | `BLOB`, or no type at all | [`Blob`](Affinity::Blob) | nothing |
//! | `REAL`, `FLOA`, `DOUB` | [`Real`](Affinity::Real) | `1` to 1.0, `'1.5'` to 1.5 |
//! | anything else | [`Numeric`](Affinity::Numeric) | as INTEGER |
//!
//! Comparisons use it too: `WHERE a = '12'` finds 12, because a column with a numeric affinity makes
//! a number of the other side ([`for_comparison`]).
//!
//! Text as a number is its longest prefix that is one: `'12abc' + 1` is 13, `'abc' + 1` is 1.
//! A real as text has 15 significant digits and always a point: `0.1`, `1.0`, `1.0e+20`.
//!
//! Reference: <https://sqlite.org/datatype3.html>, sections 3 and 4.

use std::fmt;

use super::expr::Val;
use super::{Value, ValueRef};

/// What a declared type prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Affinity {
    Blob,
    Text,
    Numeric,
    Integer,
    Real,
}

/// A number that a text holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    Real(f64),
}

impl Affinity {
    /// The affinity of a declared type: the first row of the table above that fits.
    pub(crate) fn of_type(declared: &str) -> Affinity {
        let upper = declared.to_ascii_uppercase();
        let has = |part: &str| upper.contains(part);
        if has("INT") {
            Affinity::Integer
        } else if has("CHAR") || has("CLOB") || has("TEXT") {
            Affinity::Text
        } else if has("BLOB") || upper.is_empty() {
            Affinity::Blob
        } else if has("REAL") || has("FLOA") || has("DOUB") {
            Affinity::Real
        } else {
            Affinity::Numeric
        }
    }

    pub(crate) fn is_numeric(self) -> bool {
        matches!(self, Affinity::Numeric | Affinity::Integer | Affinity::Real)
    }

    /// The value as a column of this affinity stores it.
    pub(crate) fn apply(self, value: Val<'_>) -> Val<'_> {
        match (self, value.get()) {
            (Affinity::Text, ValueRef::Integer(_) | ValueRef::Real(_)) => {
                Val::Own(Value::Text(to_text(value.get())))
            }
            (Affinity::Numeric | Affinity::Integer, ValueRef::Text(text)) => {
                exact_number(text).map_or(value, Val::from)
            }
            (Affinity::Numeric | Affinity::Integer, ValueRef::Real(real)) => {
                exact_integer(real).map_or(value, |n| Val::Ref(ValueRef::Integer(n)))
            }
            (Affinity::Real, ValueRef::Text(text)) => match exact_number(text) {
                Some(number) => Val::Ref(ValueRef::Real(number.to_real())),
                None => value,
            },
            #[allow(clippy::cast_precision_loss, reason = "REAL columns round, as SQLite's do")]
            (Affinity::Real, ValueRef::Integer(n)) => Val::Ref(ValueRef::Real(n as f64)),
            _ => value,
        }
    }

    /// `CAST(value AS type)`: unlike [`Affinity::apply`] it always changes the type.
    pub(crate) fn cast(self, value: Val<'_>) -> Val<'_> {
        let number = || match value.get() {
            ValueRef::Text(text) | ValueRef::Blob(text) => prefix_number(text).0,
            other => other.into(),
        };
        if value.is_null() {
            return value;
        }
        match self {
            Affinity::Text => match value.get() {
                ValueRef::Text(_) => value,
                other => Val::Own(Value::Text(to_text(other))),
            },
            Affinity::Blob => match value.get() {
                ValueRef::Blob(_) => value,
                ValueRef::Text(bytes) => Val::Own(Value::Blob(bytes.to_vec())),
                other => Val::Own(Value::Blob(to_text(other).into_bytes())),
            },
            Affinity::Real => Val::Ref(ValueRef::Real(number().to_real())),
            Affinity::Integer => Val::Ref(ValueRef::Integer(to_integer(value.get()))),
            Affinity::Numeric => match (value.get(), number()) {
                (ValueRef::Text(_) | ValueRef::Blob(_), Number::Real(real)) => {
                    Val::from(exact_integer(real).map_or(Number::Real(real), Number::Integer))
                }
                (_, number) => Val::from(number),
            },
        }
    }
}

/// The affinity that a comparison applies to both its operands, from theirs; `None`: no column.
pub(crate) fn for_comparison(left: Option<Affinity>, right: Option<Affinity>) -> Option<Affinity> {
    match (left, right) {
        (Some(a), Some(b)) if a.is_numeric() || b.is_numeric() => Some(Affinity::Numeric),
        (Some(_), Some(_)) => None,
        (one, other) => match one.or(other) {
            Some(affinity) if affinity.is_numeric() => Some(Affinity::Numeric),
            Some(Affinity::Text) => Some(Affinity::Text),
            _ => None,
        },
    }
}

impl Number {
    #[allow(clippy::cast_precision_loss, reason = "the caller wants the nearest double")]
    pub(crate) fn to_real(self) -> f64 {
        match self {
            Number::Integer(n) => n as f64,
            Number::Real(r) => r,
        }
    }
}

impl From<ValueRef<'_>> for Number {
    /// The number that arithmetic sees: text by its prefix, NULL as 0.
    fn from(value: ValueRef<'_>) -> Number {
        match value {
            ValueRef::Null => Number::Integer(0),
            ValueRef::Integer(n) => Number::Integer(n),
            ValueRef::Real(r) => Number::Real(r),
            ValueRef::Text(text) | ValueRef::Blob(text) => prefix_number(text).0,
        }
    }
}

impl From<Number> for Val<'_> {
    fn from(number: Number) -> Self {
        match number {
            Number::Integer(n) => Val::Ref(ValueRef::Integer(n)),
            Number::Real(r) if r.is_nan() => Val::Ref(ValueRef::Null),
            Number::Real(r) => Val::Ref(ValueRef::Real(r)),
        }
    }
}

/// The integer that a real is, if it is one that 64 bits hold with room to spare.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "compared after")]
pub(crate) fn exact_integer(real: f64) -> Option<i64> {
    let integer = real as i64;
    (integer as f64 == real && integer > i64::MIN && integer < i64::MAX).then_some(integer)
}

/// The number that the whole text is, spaces around it aside; integers where nothing is lost.
fn exact_number(text: &[u8]) -> Option<Number> {
    match prefix_number(text) {
        (Number::Real(real), true) => {
            Some(exact_integer(real).map_or(Number::Real(real), Number::Integer))
        }
        (number, true) => Some(number),
        (_, false) => None,
    }
}

/// The number that a text starts with (0 without one), and whether it is nothing but that.
pub(crate) fn prefix_number(text: &[u8]) -> (Number, bool) {
    let digits = |from: usize| text[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let start = text.iter().take_while(|&&b| is_space(b)).count();
    let mut at = start + usize::from(matches!(text.get(start), Some(b'-' | b'+')));
    let whole = digits(at);
    at += whole;
    let mut fraction = 0;
    let mut real = false;
    if text.get(at) == Some(&b'.') {
        fraction = digits(at + 1);
        if whole + fraction > 0 {
            at += 1 + fraction;
            real = true;
        }
    }
    if whole + fraction == 0 {
        return (Number::Integer(0), false);
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'-' | b'+')));
        let exponent = digits((at + 1 + sign).min(text.len()));
        if exponent > 0 {
            at += 1 + sign + exponent;
            real = true;
        }
    }
    let rest = text[at..].iter().all(|&b| is_space(b));
    let number = std::str::from_utf8(&text[start..at]).unwrap_or_default();
    match number.parse() {
        Ok(integer) if !real => (Number::Integer(integer), rest),
        _ => (Number::Real(number.parse().unwrap_or(0.0)), rest),
    }
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// `CAST(value AS INTEGER)`: towards zero, and to the nearest integer that 64 bits hold.
#[allow(clippy::cast_possible_truncation, reason = "`as` saturates, which is what CAST does")]
pub(crate) fn to_integer(value: ValueRef<'_>) -> i64 {
    let text = match value {
        ValueRef::Null => return 0,
        ValueRef::Integer(n) => return n,
        ValueRef::Real(r) => return r as i64,
        ValueRef::Text(text) | ValueRef::Blob(text) => text,
    };
    let text = &text[text.iter().take_while(|&&b| is_space(b)).count()..];
    let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let digits = text[sign..].iter().take_while(|b| b.is_ascii_digit()).count();
    let number = std::str::from_utf8(&text[..sign + digits]).unwrap_or_default();
    let limit = if number.starts_with('-') { i64::MIN } else { i64::MAX };
    number.parse().unwrap_or(if digits == 0 { 0 } else { limit })
}

/// The value as text; a blob's bytes are taken for text.
pub(crate) fn to_text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Real(r) => real_to_text(r),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}

/// Calls `f` with the bytes of [`to_text`], without a copy where the value has them.
pub(crate) fn with_bytes<T>(value: ValueRef<'_>, f: impl FnOnce(&[u8]) -> T) -> T {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => f(bytes),
        number => f(to_text(number).as_bytes()),
    }
}

impl fmt::Display for Value {
    /// As the `sqlite3` program shows it: NULL is empty, a blob's bytes are taken for text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_text(self.as_ref()))
    }
}

/// C's `%.15g` with a point in any case: 15 significant digits, zeros at the end left out.
pub(crate) fn real_to_text(real: f64) -> String {
    if real.is_infinite() {
        return if real > 0.0 { "Inf".into() } else { "-Inf".into() };
    }
    // d.dddddddddddddde±x: the digits and the exponent are all that is wanted of it.
    let scientific = format!("{:.14e}", real.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(|&c| c != '.').collect();
    let digits = match digits.trim_end_matches('0') {
        "" => "0",
        kept => kept,
    };
    let sign = if real < 0.0 { "-" } else { "" };
    let or_zero = |part: &str| if part.is_empty() { "0".to_owned() } else { part.to_owned() };
    match usize::try_from(exponent) {
        Ok(whole @ 0..=14) => {
            let padded = format!("{digits:0<width$}", width = whole + 1);
            let (before, after) = padded.split_at(whole + 1);
            format!("{sign}{before}.{}", or_zero(after))
        }
        Err(_) if exponent >= -4 => {
            let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
            format!("{sign}0.{zeros}{digits}")
        }
        _ => {
            let (before, after) = digits.split_at(1);
            let sign_of = if exponent < 0 { '-' } else { '+' };
            format!("{sign}{before}.{}e{sign_of}{:02}", or_zero(after), exponent.abs())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_have_affinities() {
        for (declared, want) in [
            ("VARCHAR(40)", Affinity::Text),
            ("charint", Affinity::Integer),
            ("", Affinity::Blob),
            ("double precision", Affinity::Real),
            ("DECIMAL(10,5)", Affinity::Numeric),
            ("FLOATING POINT", Affinity::Integer),
        ] {
            assert_eq!(Affinity::of_type(declared), want, "{declared}");
        }
    }

    #[test]
    fn text_starts_with_a_number() {
        for (text, number, whole) in [
            ("12", Number::Integer(12), true),
            (" -12 ", Number::Integer(-12), true),
            ("12abc", Number::Integer(12), false),
            ("1.5e2x", Number::Real(150.0), false),
            ("1e", Number::Integer(1), false),
            (".5", Number::Real(0.5), true),
            ("5.", Number::Real(5.0), true),
            (".", Number::Integer(0), false),
            ("9223372036854775808", Number::Real(9_223_372_036_854_775_808.0), true),
            ("0x10", Number::Integer(0), false),
            ("", Number::Integer(0), false),
        ] {
            assert_eq!(prefix_number(text.as_bytes()), (number, whole), "{text}");
        }
    }

    #[test]
    fn values_change_into_the_affinity_where_nothing_is_lost() {
        let stored = |affinity: Affinity, value: Value| {
            affinity.apply(Val::Ref(value.as_ref())).into_value()
        };
        assert_eq!(stored(Affinity::Integer, "1e3".into()), Value::Integer(1000));
        assert_eq!(stored(Affinity::Integer, Value::Real(1.5)), Value::Real(1.5));
        assert_eq!(stored(Affinity::Integer, "tom".into()), "tom".into());
        assert_eq!(stored(Affinity::Text, Value::Real(1.0)), "1.0".into());
        assert_eq!(stored(Affinity::Real, Value::Integer(2)), Value::Real(2.0));
        let cast =
            |affinity: Affinity, value: Value| affinity.cast(Val::Ref(value.as_ref())).into_value();
        assert_eq!(cast(Affinity::Integer, "-9e99".into()), Value::Integer(-9));
        assert_eq!(cast(Affinity::Integer, Value::Real(-1e30)), Value::Integer(i64::MIN));
        assert_eq!(cast(Affinity::Numeric, "1.0".into()), Value::Integer(1));
        assert_eq!(cast(Affinity::Blob, Value::Integer(12)), Value::Blob(b"12".to_vec()));
    }

    #[test]
    fn reals_print_as_sqlite_prints_them() {
        for (real, want) in [
            (0.0, "0.0"),
            (-0.0, "0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (100.0, "100.0"),
            (1e14, "100000000000000.0"),
            (1e15, "1.0e+15"),
            (1.0 / 3.0, "0.333333333333333"),
            (0.0001, "0.0001"),
            (0.000_012_5, "1.25e-05"),
            (1e100, "1.0e+100"),
            (123_456_789_012_345.6, "123456789012346.0"),
            (f64::INFINITY, "Inf"),
        ] {
            assert_eq!(real_to_text(real), want);
        }
    }
}
