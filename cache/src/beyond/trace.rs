//! Names for the bytes of a message: which are a tag, which a length, which a value.
//!
//! ```
//! use cache::beyond::trace::{What, parts};
//!
//! let parts = parts(b"\x0a\x03630");
//! let what: Vec<_> = parts.iter().map(|part| (part.range.clone(), &part.what)).collect();
//! let tag = What::Tag { kind: 2, name: "bytes" };
//! assert_eq!(what, [(0..1, &tag), (1..2, &What::Length(3)), (2..5, &What::Bytes)]);
//! ```
//! The places are not worked out a second time: the [`Reader`] that decodes messages goes through
//! this one, and says after each field where it stands. Between two such places there is one field,
//! and of a field only the tag's varint has to be taken again to see where it ends. What the reader
//! refuses is one last part, with its reason.

use std::ops::Range;

use crate::Error;
use crate::proto::{Field, GROUP_DEPTH_MAX, Reader, take_varint};

/// Some bytes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where they stand.
    pub range: Range<usize>,
    /// The number of their field; 0 for what is no field.
    pub number: u32,
    /// What they are.
    pub what: What,
}

/// What some bytes of a message are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The field's number and its wire type, which has a name.
    Tag {
        /// 0 to 5.
        kind: u8,
        /// What the specification calls it.
        name: &'static str,
    },
    /// How many bytes follow.
    Length(u64),
    /// As many bytes as the length said: text, bytes, a message within.
    Bytes,
    /// A number in base 128.
    Varint(u64),
    /// Four or eight bytes, the low one first.
    Fixed(u64),
    /// The end of a group.
    GroupEnd,
    /// From here on it is no message: why.
    Malformed(String),
}

/// The parts of a message, without a gap.
#[must_use]
pub fn parts(message: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    fields(message, 0, 0, &mut parts);
    parts
}

/// Those of `message`, which begins at `base` and lies within `depth` groups.
fn fields(message: &[u8], base: usize, depth: usize, parts: &mut Vec<Part>) {
    let mut reader = Reader::new(message);
    loop {
        let start = reader.offset();
        let mut push = |range: Range<usize>, number, what| {
            parts.push(Part { range: base + range.start..base + range.end, number, what });
        };
        let (number, field) = match reader.field() {
            Ok(Some(field)) => field,
            Ok(None) => return,
            Err(error) => {
                let why = if let Error::Proto { cause, .. } = error {
                    cause.to_string()
                } else {
                    error.to_string()
                };
                return push(start..message.len(), 0, What::Malformed(why));
            }
        };
        let (end, after_tag) = (reader.offset(), after_varint(message, start));
        let (kind, name) = match field {
            Field::Varint(_) => (0, "varint"),
            Field::Fixed64(_) => (1, "fixed64"),
            Field::Bytes(_) => (2, "bytes"),
            Field::Group(_) => (3, "group"),
            Field::Fixed32(_) => (5, "fixed32"),
        };
        push(start..after_tag, number, What::Tag { kind, name });
        match field {
            Field::Varint(value) => push(after_tag..end, number, What::Varint(value)),
            Field::Fixed64(value) => push(after_tag..end, number, What::Fixed(value)),
            Field::Fixed32(value) => push(after_tag..end, number, What::Fixed(value.into())),
            Field::Bytes(bytes) => {
                let value = end - bytes.len();
                push(after_tag..value, number, What::Length(bytes.len() as u64));
                push(value..end, number, What::Bytes);
            }
            Field::Group(inside) => {
                let inner_end = after_tag + inside.len();
                // The reader has checked the depth already.
                if depth < GROUP_DEPTH_MAX {
                    fields(inside, base + after_tag, depth + 1, parts);
                }
                let range = base + inner_end..base + end;
                parts.push(Part { range, number, what: What::GroupEnd });
            }
        }
    }
}

/// Where the varint that begins at `start` ends.
fn after_varint(message: &[u8], start: usize) -> usize {
    let mut rest = &message[start..];
    // The reader has taken it already, so this cannot fail.
    let _ = take_varint(&mut rest);
    message.len() - rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::put_bytes;

    /// `offset-offset number what`, the bytes of the whole covered.
    fn told(message: &[u8]) -> Vec<String> {
        let parts = parts(message);
        let mut at = 0;
        for part in parts.iter().filter(|part| !part.range.is_empty()) {
            assert_eq!(part.range.start, at, "{parts:?}");
            at = part.range.end;
        }
        assert_eq!(at, message.len(), "bytes without a name: {parts:?}");
        let told =
            |p: &Part| format!("{}-{} {} {:?}", p.range.start, p.range.end, p.number, p.what);
        parts.iter().map(told).collect()
    }

    #[test]
    fn each_wire_type_has_its_parts() {
        // An int, a double, text, a group with a flag in it, a float.
        let message =
            b"\x08\x96\x01\x11\0\0\0\0\0\0\xf8\x3f\x1a\x02hi\x3b\x10\x01\x3c\x35\0\0\x80\x3f";
        assert_eq!(
            told(message),
            [
                r#"0-1 1 Tag { kind: 0, name: "varint" }"#,
                "1-3 1 Varint(150)",
                r#"3-4 2 Tag { kind: 1, name: "fixed64" }"#,
                "4-12 2 Fixed(4609434218613702656)",
                r#"12-13 3 Tag { kind: 2, name: "bytes" }"#,
                "13-14 3 Length(2)",
                "14-16 3 Bytes",
                r#"16-17 7 Tag { kind: 3, name: "group" }"#,
                r#"17-18 2 Tag { kind: 0, name: "varint" }"#,
                "18-19 2 Varint(1)",
                "19-20 7 GroupEnd",
                r#"20-21 6 Tag { kind: 5, name: "fixed32" }"#,
                "21-25 6 Fixed(1065353216)",
            ]
        );
    }

    #[test]
    fn long_tags_and_lengths_and_empty_values_are_whole() {
        let mut message = Vec::new();
        put_bytes(1000, &[7; 300], &mut message);
        put_bytes(2, b"", &mut message);
        assert_eq!(
            told(&message),
            [
                r#"0-2 1000 Tag { kind: 2, name: "bytes" }"#,
                "2-4 1000 Length(300)",
                "4-304 1000 Bytes",
                r#"304-305 2 Tag { kind: 2, name: "bytes" }"#,
                "305-306 2 Length(0)",
                "306-306 2 Bytes",
            ]
        );
    }

    #[test]
    fn what_the_reader_refuses_is_the_last_part_with_its_reason() {
        assert_eq!(told(b""), [""; 0]);
        let want = ["0-1 1 Tag { kind: 0, name: \"varint\" }", "1-2 1 Varint(1)"];
        assert_eq!(told(b"\x08\x01")[..], want);
        assert_eq!(told(b"\x08\x01\x0a\x09hi")[2], "2-6 0 Malformed(\"the message is cut off\")");
        assert_eq!(told(b"\x00"), ["0-1 0 Malformed(\"field number 0\")"]);
        // Every message with a byte cut off or changed has names for all its bytes.
        let whole = b"\x0a\x06scores\x12\x03Tom\x3b\x10\x01\x3c";
        for cut in 0..whole.len() {
            told(&whole[..cut]);
            for byte in 0..=255 {
                let mut changed = *whole;
                changed[cut] = byte;
                told(&changed);
            }
        }
    }
}
