//! A protobuf message's bytes, named by the decoder that reads it: [`cache::beyond::trace`].
//!
//! ```text
//! 0a         field 1 of type 2: value
//! 03         3 bytes follow
//! 36 33 30   "630"
//! ```
//! What a field is called is in no message, only in the schema that both sides have. It is handed
//! in: the names by number.

use cache::beyond::trace::{Part, What, parts};

use super::{Class, Piece, visible};

/// The pieces of a message whose fields have these names.
#[must_use]
pub fn pieces(message: &[u8], names: &[(u32, &str)]) -> Vec<Piece> {
    let name = |number: u32| {
        let known = names.iter().find(|(known, _)| *known == number);
        known.map_or_else(|| "unknown".to_owned(), |(_, name)| (*name).to_owned())
    };
    let piece = |part: Part| {
        let Part { range, number, what } = part;
        let field = name(number);
        let (class, title, about, text) = match &what {
            What::Tag { kind, name } => (
                Class::Name,
                format!("tag: field {number}, {field}"),
                format!("{number} times 8 plus {kind}: field {number}, and its type, {name}."),
                format!("{field}: "),
            ),
            What::Length(length) => (
                Class::Length,
                "length".to_owned(),
                "A varint: seven bits per byte, the low ones first.".to_owned(),
                format!("{length} bytes "),
            ),
            What::Bytes => (
                Class::Value,
                field,
                "As they are: nothing is escaped, nothing ends them but the length.".to_owned(),
                visible(&message[range.clone()]),
            ),
            What::Varint(value) => (Class::Value, field, "A varint.".to_owned(), value.to_string()),
            What::Fixed(value) => {
                (Class::Value, field, "The low byte first.".to_owned(), value.to_string())
            }
            What::GroupEnd => {
                (Class::End, format!("end of group {number}"), String::new(), "end".to_owned())
            }
            What::Malformed(why) => {
                (Class::Gap, "not a message".to_owned(), why.clone(), why.clone())
            }
        };
        let ends_line = !matches!(what, What::Tag { .. } | What::Length(_));
        Piece { range, class, name: title.into(), about: about.into(), text, ends_line }
    };
    parts(message).into_iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_has_a_tag_a_length_and_a_value() {
        let got = pieces(b"\x0a\x03630\x10\x07", &[(1, "value")]);
        let told: Vec<_> = got.iter().map(|p| (p.range.clone(), &*p.name, &*p.text)).collect();
        assert_eq!(
            told,
            [
                (0..1, "tag: field 1, value", "value: "),
                (1..2, "length", "3 bytes "),
                (2..5, "value", "630"),
                (5..6, "tag: field 2, unknown", "unknown: "),
                (6..7, "unknown", "7"),
            ]
        );
        assert_eq!(pieces(b"\x0a\x09", &[])[0].text, "the message is cut off");
    }
}
