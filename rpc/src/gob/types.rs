//! Day 1: types on the wire - ids, definitions, and the table of a stream.
//!
//! Every gob value is preceded by the id of its type. Eight ids are built in; every other type is
//! **defined on the stream**, once, before the first value that needs it, in a message of its own
//! that begins with the *negative* id. So a reader that has never heard of `Args` can still print
//! it, or step over it:
//!
//! ```text
//! 24               36 bytes follow
//! ff 83            id -66: here comes the definition of type 66
//! 03               wireType field 2, StructT (fields count from -1, so +3 is field 2)
//! 01                 field 0, CommonType
//! 01 04 41 72 67 73    field 0, Name: "Args"
//! 01 ff 84             field 1, Id: 66
//! 00                   end of CommonType
//! 01 02              field 1, Field: a slice of 2
//! 01 04 4e 75 6d 31    field 0, Name: "Num1"
//! 01 04                field 1, Id: 2, an int
//! 00
//! 01 04 4e 75 6d 32    "Num2"
//! 01 04
//! 00
//! 00                 end of StructT
//! 00               end of wireType
//! ```
//!
//! The type that describes types (`wireType`) is itself known to both sides beforehand.
//! In a [`Types`] table the ids are those of one stream and one direction; nothing is global.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::varint::{put_int, put_uint};
use crate::{Error, Result};

/// The number of a type on one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub i64);

impl Id {
    /// `bool`.
    pub const BOOL: Id = Id(1);
    /// Signed integers of every size.
    pub const INT: Id = Id(2);
    /// Unsigned integers of every size.
    pub const UINT: Id = Id(3);
    /// Both sizes of float.
    pub const FLOAT: Id = Id(4);
    /// `[]byte`.
    pub const BYTES: Id = Id(5);
    /// `string`.
    pub const STRING: Id = Id(6);
    /// Both sizes of complex.
    pub const COMPLEX: Id = Id(7);
    /// `interface{}`: a type name, an id and a value.
    pub const INTERFACE: Id = Id(8);
    /// The first id that a definition may have.
    pub const FIRST_USER: Id = Id(64);

    /// The Go name of a built-in type.
    #[must_use]
    pub fn builtin_name(self) -> Option<&'static str> {
        const NAMES: [&str; 8] =
            ["bool", "int", "uint", "float", "bytes", "string", "complex", "interface"];
        usize::try_from(self.0).ok()?.checked_sub(1).and_then(|index| NAMES.get(index)).copied()
    }
}

/// One field of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Go's exported name: `Num1`.
    pub name: String,
    /// The type of its values.
    pub id: Id,
}

/// A type that is defined on the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    /// Its Go name without the package; empty for an unnamed type.
    pub name: String,
    /// What it is made of.
    pub kind: Kind,
}

/// What a type is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `[len]elem`.
    Array {
        /// The type of the elements.
        elem: Id,
        /// How many there are.
        len: u64,
    },
    /// `[]elem`.
    Slice {
        /// The type of the elements.
        elem: Id,
    },
    /// A struct with these fields, in this order.
    Struct(Vec<Field>),
    /// `map[key]elem`.
    Map {
        /// The type of the keys.
        key: Id,
        /// The type of the values.
        elem: Id,
    },
    /// A type that encodes itself (`time.Time`); to us a run of bytes. The number is that of its
    /// `wireType` field: 4 `GobEncoder`, 5 `BinaryMarshaler`, 6 `TextMarshaler`.
    Opaque(u8),
}

/// Hashes a number that counts up - an id, the number of a call - by one multiplication. Whoever can
/// choose the numbers could choose bad ones; but of ids there are few, and calls we number ourselves.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        // The odd number nearest to 2^64 divided by the golden ratio: neighbours come to lie apart.
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_i64(&mut self, number: i64) {
        self.write_u64(number.cast_unsigned());
    }
}

/// How many types one stream may define.
const TYPES_MAX: usize = 4096;

/// The types that one stream has defined.
#[derive(Default, Clone)]
pub struct Types {
    /// Shared, so that a walk can hold a type while an interface value inside defines more.
    table: HashMap<Id, Arc<Type>, BuildHasherDefault<NumberHasher>>,
}

impl Types {
    /// The definition of `id`, if it is not built in and has been seen.
    #[must_use]
    pub fn get(&self, id: Id) -> Option<&Arc<Type>> {
        self.table.get(&id)
    }

    /// Enters a definition that the other side has sent.
    pub(crate) fn insert(&mut self, id: Id, definition: Type) -> Result<()> {
        if id < Id::FIRST_USER || self.table.contains_key(&id) {
            return Err(Error::Corrupt("gob: duplicate type received"));
        }
        if self.table.len() >= TYPES_MAX {
            return Err(Error::Corrupt("gob: more than 4096 types on one stream"));
        }
        self.table.insert(id, Arc::new(definition));
        Ok(())
    }

    /// Enters a definition of our own, under an id that is new.
    pub(super) fn define(&mut self, id: Id, definition: Type) {
        self.table.insert(id, Arc::new(definition));
    }

    /// Whether a value of this type starts without the 0 that stands before every other value.
    #[must_use]
    pub fn is_struct(&self, id: Id) -> bool {
        self.get(id).is_some_and(|found| matches!(found.kind, Kind::Struct(_)))
    }

    /// The name for an error text.
    #[must_use]
    pub fn name(&self, id: Id) -> String {
        let named = self.get(id).map(|found| found.name.clone());
        id.builtin_name().map(str::to_owned).or(named).unwrap_or_default()
    }

    /// That `id` and everything it is made of has been defined, so that it can be stepped over.
    /// What has been found so is entered in `whole`, and not walked again: a struct may have
    /// thousands of fields of one type, which has thousands of fields.
    pub(super) fn check_defined(&self, id: Id, whole: &mut HashSet<Id>) -> Result<()> {
        let (mut todo, mut seen) = (vec![id], HashSet::new());
        while let Some(id) = todo.pop() {
            if id.builtin_name().is_some() || whole.contains(&id) || !seen.insert(id) {
                continue;
            }
            match &self.get(id).ok_or(Error::Corrupt("gob: bad data: undefined type"))?.kind {
                Kind::Array { elem, .. } | Kind::Slice { elem } => todo.push(*elem),
                Kind::Map { key, elem } => todo.extend([*key, *elem]),
                Kind::Struct(fields) => todo.extend(fields.iter().map(|field| field.id)),
                Kind::Opaque(_) => {}
            }
        }
        whole.extend(seen);
        Ok(())
    }
}

impl fmt::Debug for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.table.keys()).finish()
    }
}

impl Type {
    /// Appends the body of the message that defines this type as `id`: the `wireType` value.
    pub(super) fn put_definition(&self, id: Id, out: &mut Vec<u8>) {
        put_int(out, -id.0);
        let variant = match &self.kind {
            Kind::Array { .. } => 1,
            Kind::Slice { .. } => 2,
            Kind::Struct(_) => 3,
            Kind::Map { .. } => 4,
            Kind::Opaque(field) => u64::from(*field) + 1,
        };
        put_uint(out, variant);
        // CommonType: Name, left out when empty, and Id.
        out.push(1);
        if !self.name.is_empty() {
            put_named(out, &self.name);
        }
        out.push(if self.name.is_empty() { 2 } else { 1 });
        put_int(out, id.0);
        out.push(0);
        match &self.kind {
            Kind::Array { elem, len } => {
                put_field(out, *elem);
                if *len > 0 {
                    out.push(1);
                    put_int(out, i64::try_from(*len).unwrap_or(i64::MAX));
                }
            }
            Kind::Slice { elem } => put_field(out, *elem),
            Kind::Map { key, elem } => {
                put_field(out, *key);
                put_field(out, *elem);
            }
            Kind::Struct(fields) if !fields.is_empty() => {
                out.push(1);
                put_uint(out, fields.len() as u64);
                for field in fields {
                    put_named(out, &field.name);
                    put_field(out, field.id);
                    out.push(0);
                }
            }
            Kind::Struct(_) | Kind::Opaque(_) => {}
        }
        // The end of the variant's struct, and of wireType.
        out.extend([0, 0]);
    }
}

/// The next field, a string.
fn put_named(out: &mut Vec<u8>, name: &str) {
    out.push(1);
    put_uint(out, name.len() as u64);
    out.extend_from_slice(name.as_bytes());
}

/// The next field, a type id.
fn put_field(out: &mut Vec<u8>, id: Id) {
    out.push(1);
    put_int(out, id.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_above_byte_for_byte() {
        let int = |name: &str| Field { name: name.to_owned(), id: Id::INT };
        let kind = Kind::Struct(vec![int("Num1"), int("Num2")]);
        let mut out = Vec::new();
        Type { name: "Args".to_owned(), kind }.put_definition(Id(66), &mut out);
        assert_eq!(out.len(), 0x24);
        assert_eq!(
            out,
            *b"\xff\x83\x03\x01\x01\x04Args\x01\xff\x84\x00\x01\x02\x01\x04Num1\x01\x04\x00\
               \x01\x04Num2\x01\x04\x00\x00\x00"
        );
    }

    #[test]
    fn a_type_is_defined_once_and_above_the_built_in_ones() {
        let mut types = Types::default();
        let empty = || Type { name: String::new(), kind: Kind::Struct(Vec::new()) };
        types.insert(Id(64), empty()).unwrap();
        for id in [64, 40, 2, -1] {
            let refused = types.insert(Id(id), empty()).unwrap_err();
            assert_eq!(refused.to_string(), "gob: duplicate type received");
        }
        assert_eq!(Id::FLOAT.builtin_name(), Some("float"));
        assert_eq!((Id(0).builtin_name(), Id(9).builtin_name()), (None, None));
    }
}
