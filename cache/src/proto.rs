//! Day 7: protobuf by hand - what nodes really say to each other. *You will have* the wire format of
//! groupcache, byte for byte, and no generated code. About 20 minutes.
//!
//! # Why
//! Until yesterday a node answered with the bare value. That works while a value is all there is to say.
//! A *message* of numbered fields can grow: a reader skips numbers it does not know, so old and new nodes
//! talk during an upgrade. What it buys here is modest (the request still travels in the URL, the error
//! as plain text, and the bytes are two more than before); what it buys on the whole is that a node in Go
//! understands us.
//!
//! # The bytes
//! A message is a sequence of fields. A field is a *tag* and a value; the tag is `number * 8 + type`.
//!
//! ```text
//!   type 0  varint   7 bits per byte, low group first, top bit set on all but the last
//!   type 1  fixed64  8 bytes, little endian          type 3, 4  start and end of a group (old)
//!   type 2  bytes    a varint length, then as many   type 5     fixed32, 4 bytes
//!
//!   Response { value: "630" }                Request { group: "scores", key: "Tom" }
//!   0a        field 1, type 2                0a                  field 1, type 2
//!   03        3 bytes follow                 06                  6 bytes follow
//!   36 33 30  "630"                          73 63 6f 72 65 73   "scores"
//!                                            12                  field 2, type 2
//!                                            03                  3 bytes follow
//!                                            54 6f 6d            "Tom"
//! ```
//! In proto3 a field that has its default value is not written: the `Response` of an empty value is no
//! bytes at all. groupcache is proto2 and writes the empty value, `0a 00` ([`Dialect`](crate::Dialect)).
//!
//! # The idea alone
//! ```
//! fn put_varint(mut value: u64, out: &mut Vec<u8>) {
//!     while value > 127 {
//!         out.push(value as u8 | 128);              // the low 7 bits, and "more follows"
//!         value >>= 7;
//!     }
//!     out.push(value as u8);
//! }
//!
//! fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
//!     let mut value = 0;
//!     for shift in (0..64).step_by(7) {
//!         let (&byte, rest) = bytes.split_first()?;
//!         *bytes = rest;
//!         value |= u64::from(byte & 127) << shift;
//!         if byte < 128 {
//!             return Some(value);
//!         }
//!     }
//!     None                                          // longer than ten bytes
//! }
//!
//! let mut out = vec![];
//! put_varint(300, &mut out);
//! assert_eq!(out, [0xac, 0x02]);
//! assert_eq!(take_varint(&mut &out[..]), Some(300));
//! ```
//!
//! # The walk
//! [`Message`] has two halves: `encode` appends fields with [`put_varint`], [`put_bytes`] and the like;
//! `merge` is handed each field that [`Reader`] finds and keeps those it knows. [`Request`] and
//! [`Response`] are the two messages. A known number with another type falls through to "unknown", as
//! in Go. Of a scalar that comes twice the last counts, as the specification says.
//!
//! What is refused, always with the offset ([`Malformed`]): truncation anywhere; a varint over ten bytes
//! or with bits past the 64th (as Go does; C++ drops them); tags over 32 bits, field number 0, types 6
//! and 7; groups that are not closed, or deeper than [`GROUP_DEPTH_MAX`]; text that is not UTF-8. A length
//! is checked against what is there *before* anything is allocated. Padding (`80 00` for 0) is allowed.
//!
//! # What the borrow checker says
//! A [`Field`] borrows from the bytes that are read, so walking a message copies nothing, and the lifetime
//! in `Field<'a>` says until when it may be held. The one copy is made where a message keeps a value.
//!
//! # Differences from the Go tutorial
//! - No `.proto` file and no generator: two structs and forty lines of codec.
//! - Unknown fields are skipped and not kept, so a message that is read and written again loses them.
//!
//! # Try it
//! `cargo run -p cache --example day7_protobuf`, then
//! `curl -s localhost:8001/_geecache/scores/Tom | od -An -tx1`: ` 0a 03 36 33 30`.
//! Reference: <https://protobuf.dev/programming-guides/encoding/>.
//!
//! The program (those of days 3 to 7 share `examples/demo/mod.rs`):
//! ~~~~text
#![doc = include_str!("../examples/day7_protobuf.rs")]
//! ~~~~
//! Exercises (in `cache/tests/exercises.rs`): `cargo test -p cache exercise_proto -- --ignored`.

use std::fmt;

use crate::{ByteView, Error, Result};

/// Groups nested deeper than this are refused, as in protobuf's own readers.
pub const GROUP_DEPTH_MAX: usize = 100;

/// Something that is sent as a protobuf message.
pub trait Message: Default {
    /// Appends the message's fields to `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// Takes in one field; a number or type that the message does not know is ignored.
    ///
    /// # Errors
    /// [`Malformed`] when the field's own bytes are wrong.
    fn merge(&mut self, number: u32, field: Field<'_>) -> Result<(), Malformed>;

    /// Reads a message.
    ///
    /// # Errors
    /// [`Error::Proto`] with the offset of what is wrong.
    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut message = Self::default();
        let mut reader = Reader::new(bytes);
        while let Some((number, field)) = reader.field()? {
            message.merge(number, field).map_err(|cause| reader.error(cause))?;
        }
        Ok(message)
    }
}

/// What a node asks an owner: field 1 the group, field 2 the key. (HTTP carries it in the URL instead.)
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The group's name.
    pub group: String,
    /// The key. The schema says string, groupcache sends any bytes.
    pub key: Vec<u8>,
}

impl Message for Request {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes_unless_empty(1, self.group.as_bytes(), out);
        put_bytes_unless_empty(2, &self.key, out);
    }

    fn merge(&mut self, number: u32, field: Field<'_>) -> Result<(), Malformed> {
        match (number, field) {
            (1, Field::Bytes(bytes)) => self.group = utf8(bytes)?.to_owned(),
            (2, Field::Bytes(bytes)) => self.key = bytes.to_vec(),
            _ => {}
        }
        Ok(())
    }
}

/// What the owner answers: field 1 the value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// The value; empty when the field is not there.
    pub value: ByteView,
}

impl Message for Response {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes_unless_empty(1, &self.value, out);
    }

    fn merge(&mut self, number: u32, field: Field<'_>) -> Result<(), Malformed> {
        if let (1, Field::Bytes(bytes)) = (number, field) {
            self.value = bytes.into();
        }
        Ok(())
    }
}

/// The value of one field, borrowed from the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'a> {
    /// Type 0: int32, int64, uint32, uint64, sint32, sint64, bool, enum.
    Varint(u64),
    /// Type 1: fixed64, sfixed64, double.
    Fixed64(u64),
    /// Type 2: string, bytes, a message within, or packed numbers.
    Bytes(&'a [u8]),
    /// Types 3 and 4: the fields between start and end.
    Group(&'a [u8]),
    /// Type 5: fixed32, sfixed32, float.
    Fixed32(u32),
}

/// What is wrong with bytes that should be a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// The bytes end within a field.
    Truncated,
    /// A varint of more than 64 bits.
    VarintTooLong,
    /// A tag of more than 32 bits.
    TagTooLong,
    /// Field number 0.
    FieldZero,
    /// Wire type 6 or 7.
    WireType(u8),
    /// An end of a group that was not started, or of another one.
    GroupEnd,
    /// More than [`GROUP_DEPTH_MAX`] groups in each other.
    GroupDepth,
    /// A string that is not UTF-8.
    NotUtf8,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::Truncated => "the message is cut off",
            Malformed::VarintTooLong => "a varint has more than 64 bits",
            Malformed::TagTooLong => "a tag has more than 32 bits",
            Malformed::FieldZero => "field number 0",
            Malformed::WireType(kind) => return write!(f, "wire type {kind} does not exist"),
            Malformed::GroupEnd => "a group ends that was not started",
            Malformed::GroupDepth => "more than 100 groups in each other",
            Malformed::NotUtf8 => "a string is not UTF-8",
        })
    }
}

impl std::error::Error for Malformed {}

/// Goes through a message field by field.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    len: usize,
    /// How much was left where the current field begins: the place that an error points at.
    from_end: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the beginning of `message`.
    #[must_use]
    pub fn new(message: &'a [u8]) -> Reader<'a> {
        Reader { rest: message, len: message.len(), from_end: message.len() }
    }

    /// The next field, or `None` at the end of the message.
    ///
    /// # Errors
    /// [`Error::Proto`] with the offset of what is wrong.
    #[inline]
    pub fn field(&mut self) -> Result<Option<(u32, Field<'a>)>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.from_end = self.rest.len();
        let field = self.tag().and_then(|tag| self.value(tag, 0));
        match field {
            Ok(Some(field)) => Ok(Some(field)),
            Ok(None) => Err(self.error(Malformed::GroupEnd)),
            Err(cause) => Err(self.error(cause)),
        }
    }

    /// Where the next field begins, counted from the message's first byte.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.len - self.rest.len()
    }

    fn error(&self, cause: Malformed) -> Error {
        Error::Proto { at: self.len - self.from_end, cause }
    }

    /// A tag: the field number, not 0, and the wire type.
    fn tag(&mut self) -> Result<(u32, u8), Malformed> {
        let tag = u32::try_from(take_varint(&mut self.rest)?).map_err(|_| Malformed::TagTooLong)?;
        match tag >> 3 {
            0 => Err(Malformed::FieldZero),
            number => Ok((number, (tag & 7) as u8)),
        }
    }

    /// The value that follows a tag; `None` for the end of a group, which has none.
    fn value(
        &mut self,
        (number, kind): (u32, u8),
        depth: usize,
    ) -> Result<Option<(u32, Field<'a>)>, Malformed> {
        let field = match kind {
            0 => Field::Varint(take_varint(&mut self.rest)?),
            1 => Field::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let len = take_varint(&mut self.rest)?;
                let len = usize::try_from(len).map_err(|_| Malformed::Truncated)?;
                let (bytes, rest) = self.rest.split_at_checked(len).ok_or(Malformed::Truncated)?;
                self.rest = rest;
                Field::Bytes(bytes)
            }
            3 => Field::Group(self.group(number, depth + 1)?),
            4 => return Ok(None),
            5 => Field::Fixed32(u32::from_le_bytes(self.array()?)),
            other => return Err(Malformed::WireType(other)),
        };
        Ok(Some((number, field)))
    }

    /// The fields up to the end of group `number`.
    fn group(&mut self, number: u32, depth: usize) -> Result<&'a [u8], Malformed> {
        if depth > GROUP_DEPTH_MAX {
            return Err(Malformed::GroupDepth);
        }
        let start = self.rest;
        loop {
            let before_tag = self.rest.len();
            let tag = self.tag()?;
            if self.value(tag, depth)?.is_none() {
                let inside = &start[..start.len() - before_tag];
                return if tag.0 == number { Ok(inside) } else { Err(Malformed::GroupEnd) };
            }
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*array)
    }
}

/// A string from its bytes.
///
/// # Errors
/// [`Malformed::NotUtf8`].
pub fn utf8(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed::NotUtf8)
}

/// Appends a varint field.
pub fn put_varint(number: u32, value: u64, out: &mut Vec<u8>) {
    put_raw_varint(u64::from(number) << 3, out);
    put_raw_varint(value, out);
}

/// Appends a field of bytes, text, or a message that is encoded already.
pub fn put_bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() + 15);
    put_raw_varint(u64::from(number) << 3 | 2, out);
    put_raw_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// [`put_bytes`] as proto3 does it: the default value is not written.
pub fn put_bytes_unless_empty(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    if !bytes.is_empty() {
        put_bytes(number, bytes, out);
    }
}

#[inline]
pub(crate) fn put_raw_varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

#[inline]
pub(crate) fn take_varint(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(Malformed::Truncated)?;
        *bytes = rest;
        // The tenth byte carries the 64th bit and nothing else.
        if shift == 63 && byte > 1 {
            return Err(Malformed::VarintTooLong);
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    Ok(value)
}
