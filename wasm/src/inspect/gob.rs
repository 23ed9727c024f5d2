//! A gob stream's bytes, named by the decoder that reads it: [`rpc::beyond::trace`].
//!
//! ```text
//! 07        7 bytes follow                   a line for each message, definition and field,
//! ff 84     type Args                        indented as deep as it lies
//! 01 06     Num1 = 3
//! 01 08     Num2 = 4
//! 00        end
//! ```

use rpc::beyond::trace::{What, parts};

use super::{Class, Piece, visible};

/// The pieces of a stream from its first byte on.
#[must_use]
pub fn pieces(stream: &[u8]) -> Vec<Piece> {
    let parts = parts(stream);
    let mut starts_line = true;
    let mut pieces = Vec::with_capacity(parts.len());
    for (at, part) in parts.iter().enumerate() {
        let (class, name, about, text) = describe(&part.what);
        let indent = if starts_line { "  ".repeat(part.depth) } else { String::new() };
        let next = parts.get(at + 1).map(|next| &next.what);
        let ends_line = matches!(part.what, What::Value(_) | What::End | What::Malformed(_))
            || matches!(next, None | Some(What::Field(..) | What::End));
        let (range, text) = (part.range.clone(), format!("{indent}{text}"));
        pieces.push(Piece {
            range,
            class,
            name: name.into(),
            about: about.into(),
            text,
            ends_line,
        });
        starts_line = ends_line;
    }
    pieces
}

/// A colour, a name, what a reader may want to know, and what it says.
#[allow(clippy::too_many_lines, reason = "one flat match")]
fn describe(what: &What) -> (Class, &'static str, String, String) {
    match what {
        What::Message(length) => (
            Class::Length,
            "message length",
            format!("A message of {length} bytes; this number is not one of them."),
            format!("{length} bytes: "),
        ),
        What::Defines(id) => (
            Class::Kind,
            "a definition",
            format!(
                "The id, negative: -{id}. What follows describes type {id}, once per connection."
            ),
            format!("type {id} is "),
        ),
        What::Type(name) => (
            Class::Kind,
            "type id",
            "The type of the value that follows, built in or defined before.".to_owned(),
            format!("{name} "),
        ),
        What::Singleton => (
            Class::Gap,
            "no struct",
            "A 0 stands before every value that is no struct.".to_owned(),
            "= ".to_owned(),
        ),
        What::Field(delta, name) => (
            Class::Name,
            "field delta",
            format!("{name} is {delta} after the field before. Fields that are zero are left out."),
            format!("+{delta} {name} "),
        ),
        What::Length(length) => (
            Class::Length,
            "length",
            "So many bytes follow.".to_owned(),
            format!("{length} bytes "),
        ),
        What::Count(count) => (
            Class::Length,
            "count",
            "So many elements follow.".to_owned(),
            format!("{count} of them "),
        ),
        What::Value(value) => (
            Class::Value,
            "value",
            "Signed numbers are shifted left by one, the sign in the lowest bit: 3 is 06."
                .to_owned(),
            visible(value.as_bytes()),
        ),
        What::Inside(name) => (
            Class::Kind,
            "interface",
            "The name of the concrete type, its definition, its id and its length.".to_owned(),
            format!("{name} "),
        ),
        What::End => (
            Class::End,
            "end of the struct",
            "A delta of 0: no more fields.".to_owned(),
            "end".to_owned(),
        ),
        What::Malformed(why) => (Class::Gap, "not gob", why.clone(), why.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc_page::fleet::Args;

    #[test]
    fn a_value_is_told_field_by_field() {
        let (mut encoder, mut stream) = (rpc::gob::Encoder::new(), Vec::new());
        encoder.encode(&Args { num1: 3, num2: 0 }, &mut stream);
        let mut lines = vec![String::new()];
        for piece in pieces(&stream) {
            lines.last_mut().unwrap().push_str(&piece.text);
            if piece.ends_line {
                lines.push(String::new());
            }
        }
        const WANT: &[&str] = &[
            "36 bytes: type 65 is ",
            "  +3 StructT ",
            "    +1 CommonType ",
            "      +1 Name 4 bytes Args",
            "      +1 Id type 65",
            "    end",
            "    +1 Field 2 of them ",
            "      +1 Name 4 bytes Num1",
            "      +1 Id int",
            "    end",
        ];
        assert_eq!(lines[..10], *WANT);
        assert_eq!(lines[lines.len() - 4..], ["5 bytes: Args ", "  +1 Num1 3", "end", ""]);
    }
}
