//! Day 1: any value at all - what `call` prints, and what a reader without the type can see.
//!
//! A [`Value`] is a gob value without its Rust type: what the definitions on the stream say, and
//! no more. [`Wire::value`] reads one. Fields that the sender left out, because they are zero,
//! come back as the zero of their type; a pointer, a slice or a map left out comes back as
//! [`Value::Nil`], since gob does not tell an empty one from none.

use super::Wire;
use super::types::{Id, Kind};
use super::varint::{put_float, put_int, put_uint};
use crate::{Error, Result};

/// A gob value of any type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A pointer, slice, map or interface without anything in it.
    Nil,
    /// A bool.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A float.
    Float(f64),
    /// A complex number: its real and imaginary part.
    Complex(f64, f64),
    /// A `[]byte`.
    Bytes(Vec<u8>),
    /// A string.
    String(String),
    /// A struct: every field of its definition, by name and in that order.
    Struct(Vec<(String, Value)>),
    /// A slice or an array.
    List(Vec<Value>),
    /// A map, in the order of the wire.
    Map(Vec<(Value, Value)>),
    /// An interface value: the name that the sender registered, its type there, the value.
    Interface(String, Id, Box<Value>),
    /// The bytes of a type that encodes itself.
    Opaque(Vec<u8>),
}

impl Value {
    /// Whether a struct field with this value is left out.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match self {
            Value::Nil => true,
            Value::Bool(value) => !value,
            Value::Int(value) => *value == 0,
            Value::Uint(value) => *value == 0,
            Value::Float(value) => *value == 0.0,
            Value::Complex(re, im) => *re == 0.0 && *im == 0.0,
            Value::Bytes(value) => value.is_empty(),
            Value::String(value) => value.is_empty(),
            _ => false,
        }
    }

    /// Appends a value that has no parts; false if it has.
    pub(super) fn put_plain(&self, out: &mut Vec<u8>) -> bool {
        match self {
            Value::Bool(value) => put_uint(out, u64::from(*value)),
            Value::Int(value) => put_int(out, *value),
            Value::Uint(value) => put_uint(out, *value),
            Value::Float(value) => put_float(out, *value),
            Value::Complex(re, im) => {
                put_float(out, *re);
                put_float(out, *im);
            }
            Value::Bytes(value) | Value::Opaque(value) => put_bytes(out, value),
            Value::String(value) => put_bytes(out, value.as_bytes()),
            // The nil of an interface is an empty name, of a slice or map a count of 0.
            Value::Nil => out.push(0),
            _ => return false,
        }
        true
    }
}

/// Appends a length and the bytes.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

impl Wire {
    /// Reads a value of type `id`, whatever it is.
    ///
    /// # Errors
    /// Those of walking it, as in [`Wire::skip`], and [`Error::TooLarge`].
    pub fn value(&mut self, id: Id) -> Result<Value> {
        self.charge(size_of::<Value>())?;
        Ok(match id {
            Id::BOOL => Value::Bool(self.uint()? != 0),
            Id::INT => Value::Int(self.int()?),
            Id::UINT => Value::Uint(self.uint()?),
            Id::FLOAT => Value::Float(self.float()?),
            Id::COMPLEX => Value::Complex(self.float()?, self.float()?),
            Id::BYTES => Value::Bytes(self.bytes(<[u8]>::to_vec)?),
            Id::STRING => {
                Value::String(self.bytes(|bytes| String::from_utf8_lossy(bytes).into_owned())?)
            }
            Id::INTERFACE => match self.concrete()? {
                Some((name, id)) => {
                    let inside = self.deeper(|wire| wire.value(id))?;
                    Value::Interface(name, id, Box::new(inside))
                }
                None => Value::Nil,
            },
            _ => self.composite(id)?,
        })
    }

    /// A value of a type that the stream defined.
    fn composite(&mut self, id: Id) -> Result<Value> {
        let definition = self.definition(id)?;
        match &definition.kind {
            Kind::Struct(members) => {
                // The names as well: two bytes on the wire would repeat a name of a megabyte.
                for member in members {
                    self.charge(size_of::<(String, Value)>() + member.name.len())?;
                }
                let mut fields: Vec<_> = members
                    .iter()
                    .map(|member| (member.name.clone(), Self::zero(member.id)))
                    .collect();
                self.fields(members.len(), |wire, index| {
                    fields[index].1 = wire.value(members[index].id)?;
                    Ok(())
                })?;
                Ok(Value::Struct(fields))
            }
            Kind::Slice { elem } => Ok(Value::List(self.list(*elem, None)?)),
            Kind::Array { elem, len } => Ok(Value::List(self.list(*elem, Some(*len))?)),
            Kind::Map { key, elem } => self.deeper(|wire| {
                let mut entries = Vec::new();
                for _ in 0..wire.uint()? {
                    entries.push((wire.value(*key)?, wire.value(*elem)?));
                }
                Ok(Value::Map(entries))
            }),
            Kind::Opaque(_) => Ok(Value::Opaque(self.bytes(<[u8]>::to_vec)?)),
        }
    }

    /// The elements of a slice, or of an array of `len`.
    fn list(&mut self, elem: Id, len: Option<u64>) -> Result<Vec<Value>> {
        self.deeper(|wire| {
            let count = wire.uint()?;
            if len.is_some_and(|len| len != count) {
                return Err(Error::Corrupt("gob: length mismatch in array"));
            }
            (0..count).map(|_| wire.value(elem)).collect()
        })
    }

    /// What a field of type `id` holds when it was left out.
    fn zero(id: Id) -> Value {
        match id {
            Id::BOOL => Value::Bool(false),
            Id::INT => Value::Int(0),
            Id::UINT => Value::Uint(0),
            Id::FLOAT => Value::Float(0.0),
            Id::STRING => Value::String(String::new()),
            Id::COMPLEX => Value::Complex(0.0, 0.0),
            _ => Value::Nil,
        }
    }
}
