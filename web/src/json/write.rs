//! Writing JSON (day 2): [`ToJson`] prints a value straight into a `String`, tree or no tree.
//!
//! Nothing is allocated per value but for floats from 1e21 on; the text grows in place. The std
//! types that hold others are in `types.rs`, for a second reading. Recursion goes as deep as the
//! value that the program built; the parser bounds what comes from outside. The rules are those of
//! Go's `encoding/json` (`encode.go`).

use super::{Json, JsonError};
use std::fmt::Write;

/// A value that can write itself as JSON.
///
/// ```
/// use web::json::{self, JsonError, ToJson};
///
/// struct Celsius(f64);
///
/// impl ToJson for Celsius {
///     fn write_json(&self, out: &mut String) -> Result<(), JsonError> {
///         self.0.write_json(out)
///     }
/// }
/// assert_eq!(json::to_string(&[Some(Celsius(36.6)), None])?, "[36.6,null]");
/// # Ok::<(), JsonError>(())
/// ```
pub trait ToJson {
    /// Appends this value's JSON text to `out`.
    ///
    /// # Errors
    /// [`JsonError::NotFinite`] for NaN and infinities; `out` then ends in the middle.
    fn write_json(&self, out: &mut String) -> Result<(), JsonError>;
}

/// The JSON text of a value: compact, no newline at the end. A tree's or map's keys are sorted; a
/// struct's stand as declared.
///
/// # Errors
/// [`JsonError::NotFinite`] if a number is NaN or infinite.
pub fn to_string<T: ToJson + ?Sized>(value: &T) -> Result<String, JsonError> {
    let mut out = String::with_capacity(128);
    value.write_json(&mut out)?;
    Ok(out)
}

impl ToJson for Json {
    fn write_json(&self, out: &mut String) -> Result<(), JsonError> {
        tree(self, out, |number, _| Err(JsonError::NotFinite(number)))
    }
}

/// Writes a tree; `not_finite` is asked about NaN and the infinities.
pub(super) fn tree(
    value: &Json,
    out: &mut String,
    not_finite: fn(f64, &mut String) -> Result<(), JsonError>,
) -> Result<(), JsonError> {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Json::Int(n) => n.write_json(out)?,
        Json::Uint(n) => n.write_json(out)?,
        Json::Float(n) if n.is_finite() => n.write_json(out)?,
        Json::Float(n) => not_finite(*n, out)?,
        Json::String(s) => string(s, out),
        Json::Array(items) => list(items, out, |item, out| tree(item, out, not_finite))?,
        Json::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.as_str(), value));
            object(fields, out, |value, out| tree(value, out, not_finite))?;
        }
    }
    Ok(())
}

pub(super) fn list<T>(
    items: impl IntoIterator<Item = T>,
    out: &mut String,
    mut write: impl FnMut(T, &mut String) -> Result<(), JsonError>,
) -> Result<(), JsonError> {
    out.push('[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write(item, out)?;
    }
    out.push(']');
    Ok(())
}

pub(super) fn object<K: AsRef<str>, T>(
    fields: impl IntoIterator<Item = (K, T)>,
    out: &mut String,
    mut write: impl FnMut(T, &mut String) -> Result<(), JsonError>,
) -> Result<(), JsonError> {
    out.push('{');
    for (i, (key, value)) in fields.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        string(key.as_ref(), out);
        out.push(':');
        write(value, out)?;
    }
    out.push('}');
    Ok(())
}

/// The bytes at which copying stops. 0xE2 opens U+2028 and U+2029, among many that stay.
const STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let mut i = 0;
    while i < 0x20 {
        stops[i] = true;
        i += 1;
    }
    let others = b"\"\\<>&\xE2";
    i = 0;
    while i < others.len() {
        stops[others[i] as usize] = true;
        i += 1;
    }
    stops
};

/// A text in quotes: runs of plain bytes are copied whole.
fn string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = first_stop(rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = escape(&rest[at..], out);
    }
    out.push_str(rest);
    out.push('"');
}

/// Eight bytes are asked at once, without a branch for each.
fn first_stop(bytes: &[u8]) -> Option<usize> {
    let stops = |byte: &u8| STOPS[usize::from(*byte)];
    let (eights, _) = bytes.as_chunks::<8>();
    let clean =
        eights.iter().take_while(|eight| !eight.iter().fold(false, |any, b| any | stops(b)));
    let skip = clean.count() * 8;
    bytes[skip..].iter().position(stops).map(|at| skip + at)
}

/// Writes the first character of `text` escaped, and gives what follows it.
fn escape<'a>(text: &'a str, out: &mut String) -> &'a str {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut rest = text.chars();
    match rest.next().unwrap_or_default() {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{2028}' => out.push_str("\\u2028"),
        '\u{2029}' => out.push_str("\\u2029"),
        c if c.is_ascii() => {
            out.push_str("\\u00");
            out.push(HEX[c as usize >> 4]);
            out.push(HEX[c as usize & 15]);
        }
        c => out.push(c),
    }
    rest.as_str()
}

impl ToJson for str {
    fn write_json(&self, out: &mut String) -> Result<(), JsonError> {
        string(self, out);
        Ok(())
    }
}

impl ToJson for bool {
    fn write_json(&self, out: &mut String) -> Result<(), JsonError> {
        out.push_str(if *self { "true" } else { "false" });
        Ok(())
    }
}

macro_rules! whole {
    ($($int:ty)*) => {$(
        impl ToJson for $int {
            fn write_json(&self, out: &mut String) -> Result<(), JsonError> {
                // Writing to a String cannot fail.
                let _ = write!(out, "{self}");
                Ok(())
            }
        }
    )*};
}
whole! { i8 i16 i32 i64 isize u8 u16 u32 u64 usize }

macro_rules! float {
    ($($float:ty)*) => {$(
        impl ToJson for $float {
            /// Rust's `{}` and `{:e}` print the shortest digits, as Go does; only the choice
            /// between the two and the plus sign of an exponent are Go's.
            fn write_json(&self, out: &mut String) -> Result<(), JsonError> {
                let size = self.abs();
                if !self.is_finite() {
                    return Err(JsonError::NotFinite(f64::from(*self)));
                }
                let _ = if size == 0.0 || (1e-6..1e21).contains(&size) {
                    write!(out, "{self}")
                } else if size < 1.0 {
                    write!(out, "{self:e}")
                } else {
                    write!(out, "{}", format!("{self:e}").replace('e', "e+"))
                };
                Ok(())
            }
        }
    )*};
}
float! { f32 f64 }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn text<T: ToJson>(value: T) -> String {
        to_string(&value).unwrap()
    }

    /// Made with `json.Marshal` of Go 1.19.
    #[test]
    fn texts_come_out_as_go_writes_them() {
        const CASES: &[(&str, &str)] = &[
            ("", r#""""#),
            ("<b>&'x'", r#""\u003cb\u003e\u0026'x'""#),
            ("a\"b\\c/d", r#""a\"b\\c/d""#),
            (
                "\0\u{8}\t\n\u{b}\u{c}\r\u{1f} \u{7f}",
                "\"\\u0000\\u0008\\t\\n\\u000b\\u000c\\r\\u001f \u{7f}\"",
            ),
            ("你\u{2028}\u{2029}\u{2027}é😀", "\"你\\u2028\\u2029\u{2027}é😀\""),
        ];
        for &(input, want) in CASES {
            assert_eq!(text(input), want);
        }
    }

    /// Made with `json.Marshal` of Go 1.19.
    #[test]
    fn numbers_come_out_as_go_writes_them() {
        const CASES: &[(f64, &str)] = &[
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.1, "0.1"),
            (-2.5e-6, "-0.0000025"),
            (1e-6, "0.000001"),
            (9.9e-7, "9.9e-7"),
            (1e-10, "1e-10"),
            (5e-324, "5e-324"),
            (123_456_789.0, "123456789"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (-1.5e300, "-1.5e+300"),
            (f64::MAX, "1.7976931348623157e+308"),
        ];
        for &(input, want) in CASES {
            assert_eq!(text(input), want);
        }
        assert_eq!(text([0.1_f32, 1e21, 1e-7]), "[0.1,1e+21,1e-7]");
        assert_eq!(text((i64::MIN, u64::MAX)), "[-9223372036854775808,18446744073709551615]");
    }

    #[test]
    fn nan_is_refused() {
        let error = to_string(&json!({"a": [f64::NAN]})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "NaN is not a JSON number; write null or a string in its place"
        );
        assert!(to_string(&f32::NEG_INFINITY).is_err());
    }
}
