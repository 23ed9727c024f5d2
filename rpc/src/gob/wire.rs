//! Day 1: the reading side below types - messages, numbers, fields, and how to step over a value.
//!
//! A gob stream is a row of messages, each a length and so many bytes. [`Wire`] holds the message
//! at hand and the stream's [`Types`]; it knows what a *field list* and an *interface value* are,
//! but not what the receiver wants. Two things here are less simple than they look:
//!
//! - **Stepping over.** There is no length before a value inside a message. Who does not want a
//!   field must walk it, type by type: [`Wire::skip`].
//! - **A value in two messages.** When an interface holds a type for the first time, Go's encoder
//!   sends what it has of the message, definitions and all, and goes on in a new one. So a walk may
//!   have to fetch the next message in mid-value ([`Wire::concrete`]).
//!
//! Limits: a message is at most `message_bytes_max` long, values nest at most 100 deep, and what
//! a message becomes in memory is at most 16 times its limit.

use std::sync::Arc;

use super::types::{Field, Id, Kind, Type, Types};
use super::varint::{float, signed, take_uint};
use crate::{Error, Input, Result};

/// How deep values, and the types that are made into plans, may nest.
pub(super) const DEPTH_MAX: u32 = 100;

/// The bytes that all definitions of a stream may take together.
const DEFINITION_BYTES_MAX: usize = 1 << 20;

/// The input of a gob stream, the message at hand, and the types defined so far.
#[derive(Debug)]
pub struct Wire {
    input: Input,
    pub(crate) types: Types,
    message_bytes_max: usize,
    /// How many bytes of the message at hand are still unread.
    left: usize,
    /// Bytes of the input that belong to the message at hand and have been read.
    used: usize,
    depth: u32,
    /// Bytes that the value at hand may still take in memory.
    budget: usize,
    definition_bytes: usize,
    /// Whether the value at hand went on into another message.
    pub(super) split: bool,
}

impl Wire {
    pub(crate) fn new(input: Input, message_bytes_max: usize) -> Wire {
        Wire {
            input,
            types: Types::default(),
            message_bytes_max,
            left: 0,
            used: 0,
            depth: 0,
            budget: 0,
            definition_bytes: 0,
            split: false,
        }
    }

    /// Makes the next message the one at hand, dropping what is left of the last; false at the
    /// clean end of the stream. After a timeout it can be called again.
    pub(crate) fn next_message(&mut self) -> Result<bool> {
        self.input.skip(self.used + self.left);
        (self.used, self.left) = (0, 0);
        self.input.shrink();
        loop {
            match take_uint(self.input.here()) {
                Ok((len, prefix)) => return self.fetch(len, prefix),
                Err(Error::UnexpectedEof) => {}
                Err(error) => return Err(error),
            }
            let here = self.input.here().len();
            if !self.input.want(here + 1)? {
                return if here == 0 { Ok(false) } else { Err(Error::UnexpectedEof) };
            }
        }
    }

    /// Waits for all `len` bytes of a message whose length took `prefix` bytes.
    fn fetch(&mut self, len: u64, prefix: usize) -> Result<bool> {
        let limit = self.message_bytes_max;
        let Some(len) = usize::try_from(len).ok().filter(|&len| len <= limit) else {
            // Go's words, and then ours.
            let what = "gob: invalid message length: it";
            let setting = Some("message_bytes_max");
            return Err(Error::TooLarge { what, size: len, limit: limit as u64, setting });
        };
        if !self.input.want(prefix + len)? {
            return Err(Error::UnexpectedEof);
        }
        (self.used, self.left) = (prefix, len);
        Ok(true)
    }

    /// Whether `count` whole values stand behind the message at hand.
    pub(super) fn values_here(&self, mut count: usize) -> bool {
        let mut here = &self.input.here()[self.used + self.left..];
        while count > 0 {
            let Ok((len, prefix)) = take_uint(here) else { return false };
            let message = usize::try_from(len).ok().and_then(|len| here[prefix..].get(..len));
            let Some(message) = message else { return false };
            // A negative id, the lowest bit set, begins a definition.
            count -= usize::from(take_uint(message).is_ok_and(|(id, _)| id & 1 == 0));
            here = &here[prefix + message.len()..];
        }
        true
    }

    /// Begins a value: full budget, no depth.
    pub(crate) fn begin(&mut self) {
        self.depth = 0;
        self.split = false;
        self.budget = self.message_bytes_max.saturating_mul(16);
    }

    /// Where the reading stands in the message at hand; for [`Wire::rewind`].
    pub(crate) fn mark(&self) -> usize {
        self.left
    }

    /// Goes back to a mark in the same message.
    pub(crate) fn rewind(&mut self, mark: usize) {
        self.used -= mark - self.left;
        self.left = mark;
        self.depth = 0;
    }

    /// How many bytes of the message are unread.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// How many bytes have come in that are unread, those behind the message at hand included.
    pub(crate) fn unread(&self) -> usize {
        self.input.here().len() - self.used
    }

    /// The unread bytes of the message at hand.
    #[inline]
    fn rest(&self) -> &[u8] {
        &self.input.here()[self.used..self.used + self.left]
    }

    #[inline]
    fn advance(&mut self, count: usize) {
        self.used += count;
        self.left -= count;
    }

    /// An unsigned number.
    ///
    /// # Errors
    /// [`Error::UnexpectedEof`], [`Error::Corrupt`].
    #[inline]
    pub fn uint(&mut self) -> Result<u64> {
        let (value, count) = take_uint(self.rest())?;
        self.advance(count);
        Ok(value)
    }

    /// A signed number.
    ///
    /// # Errors
    /// Those of [`Wire::uint`].
    #[inline]
    pub fn int(&mut self) -> Result<i64> {
        self.uint().map(signed)
    }

    /// A floating-point number.
    ///
    /// # Errors
    /// Those of [`Wire::uint`].
    pub fn float(&mut self) -> Result<f64> {
        self.uint().map(float)
    }

    /// A run of bytes: a length, then so many; `use_them` sees them where they lie.
    ///
    /// # Errors
    /// Those of [`Wire::uint`]; [`Error::Corrupt`] when fewer bytes are left in the message.
    pub fn bytes<T>(&mut self, use_them: impl FnOnce(&[u8]) -> T) -> Result<T> {
        let count = self.uint()?;
        let count = usize::try_from(count).ok().filter(|&count| count <= self.left);
        let count = count.ok_or(Error::Corrupt("gob: bad string or slice length"))?;
        let result = use_them(&self.rest()[..count]);
        self.advance(count);
        Ok(result)
    }

    /// A string; what is not UTF-8 is replaced, as when Go prints it.
    fn string(&mut self) -> Result<String> {
        self.bytes(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Takes `bytes` of the memory that the value at hand may fill.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when there is no more.
    #[inline]
    pub fn charge(&mut self, bytes: usize) -> Result<()> {
        let Some(left) = self.budget.checked_sub(bytes) else {
            let limit = self.message_bytes_max.saturating_mul(16) as u64;
            let (what, setting) = ("gob: a value in memory", Some("message_bytes_max"));
            let size = limit.saturating_add(bytes as u64);
            return Err(Error::TooLarge { what, size, limit, setting });
        };
        self.budget = left;
        Ok(())
    }

    /// Runs `inside` one level deeper.
    ///
    /// # Errors
    /// [`Error::TooDeep`], and those of `inside`.
    #[inline]
    pub fn deeper<T>(&mut self, inside: impl FnOnce(&mut Wire) -> Result<T>) -> Result<T> {
        if self.depth == DEPTH_MAX {
            return Err(Error::TooDeep);
        }
        self.depth += 1;
        let result = inside(self)?;
        self.depth -= 1;
        Ok(result)
    }

    /// Calls `field` with the number of each field that is present, below `count`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for field numbers that no struct has, and those of `field`.
    #[inline]
    pub fn fields(
        &mut self,
        count: usize,
        mut field: impl FnMut(&mut Wire, usize) -> Result<()>,
    ) -> Result<()> {
        self.deeper(|wire| {
            let mut next = 0usize;
            // Go lets the outermost struct end with its message, the closing 0 missing.
            while wire.depth > 1 || wire.left > 0 {
                let delta = wire.uint()?;
                let Some(ahead) = delta.checked_sub(1) else { break };
                let index = usize::try_from(ahead).ok().and_then(|ahead| next.checked_add(ahead));
                let index = index.filter(|&index| index < count);
                let index =
                    index.ok_or(Error::Corrupt("gob: bad data: field numbers out of bounds"))?;
                field(wire, index)?;
                next = index + 1;
            }
            Ok(())
        })
    }

    /// Reads the definition of type `id`, the rest of whose message is the `wireType` value.
    pub(crate) fn define(&mut self, id: Id) -> Result<()> {
        let before = self.left;
        let mut found = Type { name: String::new(), kind: Kind::Opaque(0) };
        self.fields(7, |wire, variant| {
            found.kind = wire.kind(variant, &mut found.name)?;
            Ok(())
        })?;
        self.definition_bytes += before - self.left;
        if self.definition_bytes > DEFINITION_BYTES_MAX {
            return Err(Error::Corrupt("gob: more than 1 MiB of type definitions on one stream"));
        }
        self.types.insert(id, found)
    }

    /// One of the seven variants of `wireType`; each begins with `CommonType{Name, Id}`.
    fn kind(&mut self, variant: usize, name: &mut String) -> Result<Kind> {
        let (mut ids, mut members) = ([Id(0), Id(0)], Vec::new());
        self.fields(3, |wire, field| {
            match (field, variant) {
                (0, _) => wire.fields(2, |wire, field| {
                    if field == 0 {
                        *name = wire.string()?;
                    } else {
                        wire.int()?;
                    }
                    Ok(())
                })?,
                (1, 2) => members = wire.members()?,
                (1 | 2, _) => ids[field - 1] = Id(wire.int()?),
                _ => return Err(Error::Corrupt("gob: bad type definition")),
            }
            Ok(())
        })?;
        let [elem, second] = ids;
        Ok(match variant {
            0 => Kind::Array { elem, len: second.0.cast_unsigned() },
            1 => Kind::Slice { elem },
            2 => Kind::Struct(members),
            3 => Kind::Map { key: elem, elem: second },
            _ => Kind::Opaque(u8::try_from(variant).unwrap_or(4)),
        })
    }

    /// The slice of fields in the definition of a struct.
    fn members(&mut self) -> Result<Vec<Field>> {
        let count = self.uint()?;
        let mut members = Vec::new();
        for _ in 0..count {
            let mut member = Field { name: String::new(), id: Id(0) };
            self.fields(2, |wire, field| {
                if field == 0 {
                    member.name = wire.string()?;
                } else {
                    member.id = Id(wire.int()?);
                }
                Ok(())
            })?;
            // On the wire it may be one byte.
            self.charge(size_of::<Field>())?;
            members.push(member);
        }
        Ok(members)
    }

    /// The head of an interface value: the name and id of the concrete type, `None` for nil.
    /// Definitions may stand before the id, and the value may go on in the next message.
    pub(crate) fn concrete(&mut self) -> Result<Option<(String, Id)>> {
        let name = self.string()?;
        if name.is_empty() {
            return Ok(None);
        }
        let id = loop {
            if self.left == 0 {
                self.split = true;
                if !self.next_message()? {
                    return Err(Error::UnexpectedEof);
                }
            }
            let id = self.int()?;
            if id >= 0 {
                break Id(id);
            }
            self.define(Id(id.saturating_neg()))?;
            if self.left > 0 {
                // Inside an interface inside an interface, a byte count takes the place of the
                // length of a new message.
                self.uint()?;
            }
        };
        // The byte count of the value; we walk it anyway.
        self.uint()?;
        self.singleton(id)?;
        Ok(Some((name, id)))
    }

    /// The 0 that stands before a value that is no struct, at the top and in an interface.
    pub(crate) fn singleton(&mut self, id: Id) -> Result<()> {
        if self.types.is_struct(id) || self.uint()? == 0 {
            return Ok(());
        }
        Err(Error::Corrupt("gob: decode: corrupted data: non-zero delta for singleton"))
    }

    /// The definition of `id`.
    pub(crate) fn definition(&self, id: Id) -> Result<Arc<Type>> {
        let found = self.types.get(id).cloned();
        found.ok_or(Error::Corrupt("gob: unknown type id or corrupted data"))
    }

    /// Steps over a value of type `id`.
    ///
    /// # Errors
    /// Those of walking it: [`Error::UnexpectedEof`], [`Error::Corrupt`], [`Error::TooDeep`].
    pub fn skip(&mut self, id: Id) -> Result<()> {
        match id {
            Id::BOOL | Id::INT | Id::UINT | Id::FLOAT => self.uint().map(drop),
            Id::BYTES | Id::STRING => self.bytes(|_| ()),
            Id::COMPLEX => self.uint().and_then(|_| self.uint()).map(drop),
            Id::INTERFACE => match self.concrete()? {
                Some((_, id)) => self.deeper(|wire| wire.skip(id)),
                None => Ok(()),
            },
            _ => match &self.definition(id)?.kind {
                Kind::Struct(fields) => {
                    self.fields(fields.len(), |wire, index| wire.skip(fields[index].id))
                }
                Kind::Array { elem, .. } | Kind::Slice { elem } => self.deeper(|wire| {
                    let count = wire.uint()?;
                    (0..count).try_for_each(|_| wire.skip(*elem))
                }),
                Kind::Map { key, elem } => self.deeper(|wire| {
                    let count = wire.uint()?;
                    (0..count).try_for_each(|_| wire.skip(*key).and_then(|()| wire.skip(*elem)))
                }),
                Kind::Opaque(_) => self.bytes(|_| ()),
            },
        }
    }
}
