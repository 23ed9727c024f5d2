//! Names for the bytes of a gob stream: lengths, type ids, field deltas, values.
//!
//! ```
//! use rpc::beyond::trace::{What, parts};
//!
//! let parts = parts(&[3, 0x04, 0x00, 0x0e]);
//! let what: Vec<_> = parts.iter().map(|part| part.what.clone()).collect();
//! let int = || What::Value("7".to_owned());
//! assert_eq!(what, [What::Message(3), What::Type("int".to_owned()), What::Singleton, int()]);
//! ```
//! Every number is taken by the [`Wire`] of the real decoder, and after each the wire says where it
//! stands; the types of values are those that it has read. The definition of a type is gone through
//! twice: here part by part, by the fixed types that describe types, and by the decoder. That both
//! end at the same byte is checked each time, and a difference is told as [`What::Malformed`].
//!
//! The list is longer than the stream (a part for each number), so that it is for messages that
//! somebody wants to look at.

use std::io;
use std::ops::Range;

use crate::gob::{Id, Kind, Wire};
use crate::{Error, Input, Result};

/// Some bytes of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where they stand.
    pub range: Range<usize>,
    /// In how many structs, lists and maps they are.
    pub depth: usize,
    /// What they are.
    pub what: What,
}

/// What some bytes of a stream are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A message begins: so many bytes follow.
    Message(u64),
    /// The negative id: this message defines that type.
    Defines(i64),
    /// The id and the name of the type of the value that follows.
    Type(String),
    /// The 0 before a value that is no struct.
    Singleton,
    /// A field: how much its number is above that of the last one, and its name.
    Field(u64, String),
    /// So many bytes of text follow.
    Length(u64),
    /// So many elements, or pairs, follow.
    Count(u64),
    /// A value, as text.
    Value(String),
    /// The type inside an interface value: its name, its definitions, its id.
    Inside(String),
    /// The end of a struct.
    End,
    /// From here on it is no gob: why.
    Malformed(String),
}

/// The types that describe types; every gob reader knows them.
enum Shape {
    Text,
    Id,
    Number,
    List(&'static Shape),
    Struct(&'static [(&'static str, Shape)]),
}

const COMMON: Shape = Shape::Struct(&[("Name", Shape::Text), ("Id", Shape::Id)]);
const OPAQUE: Shape = Shape::Struct(&[("CommonType", COMMON)]);
const WIRE_TYPE: Shape = Shape::Struct(&[
    (
        "ArrayT",
        Shape::Struct(&[("CommonType", COMMON), ("Elem", Shape::Id), ("Len", Shape::Number)]),
    ),
    ("SliceT", Shape::Struct(&[("CommonType", COMMON), ("Elem", Shape::Id)])),
    ("StructT", Shape::Struct(&[("CommonType", COMMON), ("Field", Shape::List(&COMMON))])),
    ("MapT", Shape::Struct(&[("CommonType", COMMON), ("Key", Shape::Id), ("Elem", Shape::Id)])),
    ("GobEncoderT", OPAQUE),
    ("BinaryMarshalerT", OPAQUE),
    ("TextMarshalerT", OPAQUE),
]);

/// The parts of a stream from its first byte on, without a gap.
#[must_use]
pub fn parts(stream: &[u8]) -> Vec<Part> {
    let input = Input::new(io::empty(), stream.to_vec());
    // No message can be longer than all there is.
    let mut wire = Wire::new(input, stream.len());
    let mut notes = Notes { total: stream.len(), at: 0, depth: 0, parts: Vec::new() };
    loop {
        let why = match message(&mut wire, &mut notes) {
            Ok(true) => continue,
            Ok(false) if notes.at == stream.len() => break,
            Ok(false) => "the stream ends in the middle of a message".to_owned(),
            Err(error) => error.to_string(),
        };
        let range = notes.at..stream.len();
        notes.parts.push(Part { range, depth: 0, what: What::Malformed(why) });
        break;
    }
    notes.parts
}

/// What has been named so far.
struct Notes {
    total: usize,
    /// Where the last part ended.
    at: usize,
    depth: usize,
    parts: Vec<Part>,
}

impl Notes {
    /// Names what lies between the last part and where the wire stands.
    fn add(&mut self, wire: &Wire, what: What) {
        self.add_to(self.total - wire.unread(), what);
    }

    fn add_to(&mut self, end: usize, what: What) {
        self.parts.push(Part { range: self.at..end, depth: self.depth, what });
        self.at = end;
    }
}

/// Names one message; false at the end of the stream.
fn message(wire: &mut Wire, notes: &mut Notes) -> Result<bool> {
    if !wire.next_message()? {
        return Ok(false);
    }
    notes.depth = 0;
    notes.add(wire, What::Message(wire.left() as u64));
    let id = wire.int()?;
    wire.begin();
    if id < 0 {
        notes.add(wire, What::Defines(id.saturating_neg()));
        let (mark, start) = (wire.mark(), wire.unread());
        described(wire, notes, &WIRE_TYPE)?;
        let walked = start - wire.unread();
        wire.rewind(mark);
        wire.define(Id(id.saturating_neg()))?;
        if start - wire.unread() != walked {
            return Err(Error::Corrupt("the decoder ends this definition elsewhere"));
        }
    } else {
        notes.add(wire, What::Type(type_name(wire, Id(id))));
        if !wire.types.is_struct(Id(id)) {
            wire.singleton(Id(id))?;
            notes.add(wire, What::Singleton);
        }
        value(wire, notes, Id(id))?;
    }
    if wire.left() > 0 {
        return Err(Error::Corrupt("extra data in the message"));
    }
    Ok(true)
}

/// Names a part of a definition.
fn described(wire: &mut Wire, notes: &mut Notes, shape: &Shape) -> Result<()> {
    match shape {
        Shape::Text => text(wire, notes),
        Shape::Number => {
            let number = wire.int()?;
            notes.add(wire, What::Value(number.to_string()));
            Ok(())
        }
        Shape::Id => {
            let id = Id(wire.int()?);
            notes.add(wire, What::Value(id_name(id)));
            Ok(())
        }
        Shape::List(elem) => {
            let count = wire.uint()?;
            notes.add(wire, What::Count(count));
            (0..count).try_for_each(|_| described(wire, notes, elem))
        }
        Shape::Struct(members) => {
            let name = |index: usize| members[index].0.to_owned();
            fields(wire, notes, members.len(), name, |wire, notes, index| {
                described(wire, notes, &members[index].1)
            })
        }
    }
}

/// Names the fields of a struct, and its end.
fn fields(
    wire: &mut Wire,
    notes: &mut Notes,
    count: usize,
    name: impl Fn(usize) -> String,
    mut member: impl FnMut(&mut Wire, &mut Notes, usize) -> Result<()>,
) -> Result<()> {
    notes.depth += 1;
    let mut next = 0;
    wire.fields(count, |wire, index| {
        notes.add(wire, What::Field((index + 1 - next) as u64, name(index)));
        next = index + 1;
        member(wire, notes, index)
    })?;
    notes.depth -= 1;
    // The outermost struct may end with its message.
    if notes.at < notes.total - wire.unread() {
        notes.add(wire, What::End);
    }
    Ok(())
}

/// Names a value.
fn value(wire: &mut Wire, notes: &mut Notes, id: Id) -> Result<()> {
    let plain = match id {
        Id::BOOL => (wire.uint()? != 0).to_string(),
        Id::INT => wire.int()?.to_string(),
        Id::UINT => wire.uint()?.to_string(),
        Id::FLOAT => wire.float()?.to_string(),
        Id::COMPLEX => format!("{} + {}i", wire.float()?, wire.float()?),
        Id::STRING | Id::BYTES => return text(wire, notes),
        Id::INTERFACE => return inside(wire, notes),
        _ => return composite(wire, notes, id),
    };
    notes.add(wire, What::Value(plain));
    Ok(())
}

/// Names a value of a type that the stream has defined.
fn composite(wire: &mut Wire, notes: &mut Notes, id: Id) -> Result<()> {
    let definition = wire.definition(id)?;
    let ids = match &definition.kind {
        Kind::Struct(members) => {
            let name = |index: usize| members[index].name.clone();
            return fields(wire, notes, members.len(), name, |wire, notes, index| {
                value(wire, notes, members[index].id)
            });
        }
        Kind::Opaque(_) => return text(wire, notes),
        Kind::Array { elem, .. } | Kind::Slice { elem } => vec![*elem],
        Kind::Map { key, elem } => vec![*key, *elem],
    };
    wire.deeper(|wire| {
        let count = wire.uint()?;
        notes.add(wire, What::Count(count));
        notes.depth += 1;
        (0..count).try_for_each(|_| ids.iter().try_for_each(|id| value(wire, notes, *id)))?;
        notes.depth -= 1;
        Ok(())
    })
}

/// Names an interface value: its head as one part, for it may lie in two messages.
fn inside(wire: &mut Wire, notes: &mut Notes) -> Result<()> {
    match wire.concrete()? {
        None => notes.add(wire, What::Value("nil".to_owned())),
        Some((name, id)) => {
            notes.add(wire, What::Inside(name));
            wire.deeper(|wire| value(wire, notes, id))?;
        }
    }
    Ok(())
}

/// Names a length and as many bytes.
fn text(wire: &mut Wire, notes: &mut Notes) -> Result<()> {
    let (text, length) =
        wire.bytes(|bytes| (String::from_utf8_lossy(bytes).into_owned(), bytes.len()))?;
    let end = notes.total - wire.unread();
    notes.add_to(end - length, What::Length(length as u64));
    notes.add_to(end, What::Value(text));
    Ok(())
}

fn type_name(wire: &Wire, id: Id) -> String {
    let name = wire.types.name(id);
    if name.is_empty() || id.builtin_name().is_some() { id_name(id) } else { name }
}

/// `int`, or the number of a type that the stream defines.
fn id_name(id: Id) -> String {
    id.builtin_name().map_or_else(|| format!("type {}", id.0), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message;

    message! {
        struct Args { num1: i64, num2: i64 }
    }

    /// The parts, once it is clear that they cover every byte.
    fn whole(stream: &[u8]) -> Vec<Part> {
        let parts = parts(stream);
        let mut at = 0;
        for part in &parts {
            assert_eq!(part.range.start, at, "a gap or an overlap: {parts:?}");
            at = part.range.end;
        }
        assert_eq!(at, stream.len(), "bytes without a name: {parts:?}");
        parts
    }

    #[test]
    fn every_byte_of_a_definition_and_its_value_has_its_name() {
        let (mut encoder, mut stream) = (crate::gob::Encoder::new(), Vec::new());
        encoder.encode(&Args { num1: 3, num2: 4 }, &mut stream);
        let told: Vec<String> =
            whole(&stream).iter().map(|p| format!("{} {:?}", p.range.len(), p.what)).collect();
        const WANT: &[&str] = &[
            "1 Message(36)",
            "2 Defines(65)",
            r#"1 Field(3, "StructT")"#,
            r#"1 Field(1, "CommonType")"#,
            r#"1 Field(1, "Name")"#,
            "1 Length(4)",
            r#"4 Value("Args")"#,
            r#"1 Field(1, "Id")"#,
            r#"2 Value("type 65")"#,
            "1 End",
            r#"1 Field(1, "Field")"#,
            "1 Count(2)",
            r#"1 Field(1, "Name")"#,
            "1 Length(4)",
            r#"4 Value("Num1")"#,
            r#"1 Field(1, "Id")"#,
            r#"1 Value("int")"#,
            "1 End",
            r#"1 Field(1, "Name")"#,
            "1 Length(4)",
            r#"4 Value("Num2")"#,
            r#"1 Field(1, "Id")"#,
            r#"1 Value("int")"#,
            "1 End",
            "1 End",
            "1 End",
            "1 Message(7)",
            r#"2 Type("Args")"#,
            r#"1 Field(1, "Num1")"#,
            r#"1 Value("3")"#,
            r#"1 Field(1, "Num2")"#,
            r#"1 Value("4")"#,
            "1 End",
        ];
        assert_eq!(told, WANT);
    }

    /// Captured from Go; see tests/vectors/rpc/SOURCE.md.
    const VECTORS: &str = include_str!("../../../tests/vectors/rpc/gob-vectors.jsonl");

    #[test]
    fn every_byte_that_go_writes_has_a_name() {
        let mut count = 0;
        for line in VECTORS.lines() {
            let (_, rest) = line.split_once("\"hex\":\"").unwrap();
            let hex = rest.split('"').next().unwrap();
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            let stream: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
            let parts = whole(&stream);
            let last = parts.last().map(|part| &part.what);
            assert!(!matches!(last, Some(What::Malformed(_))), "{line}: {last:?}");
            count += 1;
        }
        assert_eq!(count, 94);
    }

    #[test]
    fn what_the_decoder_refuses_is_the_last_part_with_its_reason() {
        let (mut encoder, mut stream) = (crate::gob::Encoder::new(), Vec::new());
        encoder.encode(&Args { num1: 3, num2: 4 }, &mut stream);
        assert!(whole(b"").is_empty());
        for at in 0..stream.len() {
            let cut = whole(&stream[..at]);
            let message_end = at == 0 || at == 37;
            assert_eq!(
                matches!(cut.last(), Some(Part { what: What::Malformed(_), .. })),
                !message_end
            );
            for byte in 0..=255 {
                let mut changed = stream.clone();
                changed[at] = byte;
                whole(&changed);
            }
        }
        // The definition again: the walk is content, the decoder is not.
        let twice = [&stream[..37], &stream[..37]].concat();
        let why = What::Malformed("gob: duplicate type received".to_owned());
        assert_eq!(whole(&twice).last().unwrap().what, why);
    }
}
