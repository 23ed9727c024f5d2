//! Day 1: the encoder of one stream - definitions first, once, then values.
//!
//! ```text
//! encode(&value)
//!   1. Which id has the type here?       Definitions: Rust type -> id, given on first use
//!   2. Is it new to the other side?      one message per definition, outer types before inner
//!   3. The value                         length | id | (0 unless a struct) | the value's bytes
//! ```
//!
//! Ids are given as Go gives them - a struct before its fields, a slice, array or map after its
//! parts - so that the same values make the same bytes. There is no "compiled plan" to be looked
//! up as in Go: `T::encode` is compiled for each type by the Rust compiler.
//!
//! A [`Value`] has no Rust type. Its definition comes with it from the stream where it was read
//! ([`Encoder::encode_as`]), or is made up from what it holds ([`Encoder::encode_value`], `infer`).

use std::any::TypeId;
use std::collections::{HashMap, HashSet};

use super::types::{Field, Id, Kind, Type, Types};
use super::value::{Value, put_bytes};
use super::varint::{put_float, put_int, put_uint};
use super::wire::DEPTH_MAX;
use super::{Gob, go_name};
use crate::{Error, Result};

/// Where a type was met first: Go's definitions carry a name, or none, depending on it. Readers do
/// not look at the name; with it, our bytes are Go's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// At the top, or as the element of a slice: structs by their name, all else without.
    Own,
    /// As a field: a slice, an array and a map too are named, `[]int`.
    Field,
    /// In a map, in an array or behind a pointer: without a name.
    Not,
}

impl Named {
    /// Where the type is that a pointer points to.
    pub(super) fn through_pointer(self) -> Named {
        if self == Named::Field { Named::Field } else { Named::Not }
    }
}

/// The types of one sending stream, and the ids they have there.
#[derive(Debug, Default)]
pub struct Definitions {
    pub(super) types: Types,
    by_type: HashMap<TypeId, Id>,
    /// The ids of types that came from another stream's table.
    foreign: HashMap<Id, Id>,
    /// The ids of types that were made up from a [`Value`].
    pub(super) inferred: Vec<(Type, Id)>,
    defined: usize,
}

/// The first id we give: that of Go 1.19. Newer ones begin at 64; every reader takes any.
const FIRST_ID: i64 = 65;

impl Definitions {
    pub(super) fn next_id(&mut self) -> Id {
        self.defined += 1;
        Id(FIRST_ID - 1 + i64::try_from(self.defined).unwrap_or(i64::MAX - FIRST_ID))
    }

    /// The id of the struct `T`; on first use it takes its number *before* `fields` is asked, so
    /// that a struct that contains itself finds it.
    pub fn structure<T: 'static>(
        &mut self,
        name: &str,
        named: Named,
        fields: impl FnOnce(&mut Definitions) -> Vec<Field>,
    ) -> Id {
        if let Some(&id) = self.by_type.get(&TypeId::of::<T>()) {
            return id;
        }
        let id = self.next_id();
        self.by_type.insert(TypeId::of::<T>(), id);
        let kind = Kind::Struct(fields(self));
        let name = if named == Named::Not { String::new() } else { name.to_owned() };
        self.types.define(id, Type { name, kind });
        id
    }

    /// The id of the unnamed type `T`, made of parts that get their numbers first.
    pub fn composed<T: Gob>(
        &mut self,
        named: Named,
        parts: impl FnOnce(&mut Definitions) -> Kind,
    ) -> Id {
        if let Some(&id) = self.by_type.get(&TypeId::of::<T>()) {
            return id;
        }
        let kind = parts(self);
        let id = self.next_id();
        self.by_type.insert(TypeId::of::<T>(), id);
        let name = if named == Named::Field { go_name::<T>() } else { String::new() };
        self.types.define(id, Type { name, kind });
        id
    }

    /// The id here of the type that is `id` in `table`, another stream's.
    fn import(&mut self, table: &Types, id: Id) -> Result<Id> {
        let last = FIRST_ID - 1 + i64::try_from(self.defined).unwrap_or(i64::MAX - FIRST_ID);
        let imported = self.import_in(table, id, &mut Vec::new());
        if imported.is_err() {
            // Half a type must not be found again.
            self.foreign.retain(|_, here| here.0 <= last);
        }
        imported
    }

    /// [`Definitions::import`], on the way through the parts of the types in `around`.
    fn import_in(&mut self, table: &Types, id: Id, around: &mut Vec<Id>) -> Result<Id> {
        if id.builtin_name().is_some() {
            return Ok(id);
        }
        if let Some(&known) = self.foreign.get(&id) {
            return Ok(known);
        }
        let unknown = || Error::Corrupt("gob: unknown type id or corrupted data");
        let Type { name, mut kind } = table.get(id).ok_or_else(unknown)?.as_ref().clone();
        // A struct has its number before its fields; so has, of all others, what contains itself.
        if matches!(kind, Kind::Struct(_)) || around.contains(&id) {
            let early = self.next_id();
            self.foreign.insert(id, early);
        }
        if around.contains(&id) {
            return Ok(self.foreign[&id]);
        }
        if around.len() >= DEPTH_MAX as usize {
            return Err(Error::TooDeep);
        }
        around.push(id);
        match &mut kind {
            Kind::Array { elem, .. } | Kind::Slice { elem } => {
                *elem = self.import_in(table, *elem, around)?;
            }
            Kind::Map { key, elem } => {
                *key = self.import_in(table, *key, around)?;
                *elem = self.import_in(table, *elem, around)?;
            }
            Kind::Struct(fields) => {
                for field in fields {
                    field.id = self.import_in(table, field.id, around)?;
                }
            }
            Kind::Opaque(_) => {}
        }
        around.pop();
        let early = self.foreign.get(&id).copied();
        let here = early.unwrap_or_else(|| self.next_id());
        self.foreign.insert(id, here);
        self.types.define(here, Type { name, kind });
        Ok(here)
    }
}

/// The writing end of one gob stream.
///
/// ```
/// use rpc::gob::Encoder;
///
/// let mut stream = Vec::new();
/// Encoder::new().encode(&7i64, &mut stream);
/// assert_eq!(stream, [3, 0x04, 0x00, 0x0e]); // 3 bytes: an int, no struct, 7
/// ```
#[derive(Debug, Default)]
pub struct Encoder {
    definitions: Definitions,
    /// The types whose definitions have gone out.
    sent: HashSet<Id>,
    /// Types of values seen before: their id, and whether a 0 stands before the value.
    ready: Vec<(TypeId, Id, bool)>,
}

impl Encoder {
    /// An encoder whose other side knows nothing yet.
    #[must_use]
    pub fn new() -> Encoder {
        Encoder::default()
    }

    /// Appends `value` to `out`, after the definitions that the other side still needs.
    pub fn encode<T: Gob>(&mut self, value: &T, out: &mut Vec<u8>) {
        let (id, singleton) = self.prepare::<T>(out);
        message(out, |out| {
            put_int(out, id.0);
            if singleton {
                out.push(0);
            }
            value.encode(out);
        });
    }

    /// Appends the definitions that a `T` needs, unless they have gone out.
    pub fn define<T: Gob>(&mut self, out: &mut Vec<u8>) {
        self.prepare::<T>(out);
    }

    /// The id of `T`, defined on the stream from here on.
    fn prepare<T: Gob>(&mut self, out: &mut Vec<u8>) -> (Id, bool) {
        let key = TypeId::of::<T>();
        if let Some(&(_, id, singleton)) = self.ready.iter().find(|(ready, ..)| *ready == key) {
            return (id, singleton);
        }
        let id = T::define(&mut self.definitions, Named::Own);
        self.send_definitions(id, &mut |definition| {
            message(out, |out| out.extend_from_slice(definition));
        });
        let singleton = !self.definitions.types.is_struct(id);
        self.ready.push((key, id, singleton));
        (id, singleton)
    }

    /// Appends `value`, whose type is `id` in `table`: what a decoder read, sent on.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the table does not define what the value needs,
    /// [`Error::Mismatch`] when the value is not of that type, [`Error::TooDeep`].
    pub fn encode_as(
        &mut self,
        table: &Types,
        id: Id,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let here = self.definitions.import(table, id)?;
        self.top(here, Some(table), value, out)
    }

    /// Appends `value` under a type made up for it: what a user typed, sent as gob.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when the elements of a list differ in type.
    pub fn encode_value(&mut self, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        let id = self.definitions.infer(value);
        self.top(id, None, value, out)
    }

    fn top(
        &mut self,
        id: Id,
        table: Option<&Types>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        self.send_definitions(id, &mut |definition| {
            message(out, |out| out.extend_from_slice(definition));
        });
        let mut state = Vec::new();
        put_int(&mut state, id.0);
        if !self.definitions.types.is_struct(id) {
            state.push(0);
        }
        self.put(id, table, value, &mut state, out)?;
        message(out, |out| out.extend_from_slice(&state));
        Ok(())
    }

    /// Appends a value of type `id` to `state`; what must be a message before it goes to `out`.
    fn put(
        &mut self,
        id: Id,
        table: Option<&Types>,
        value: &Value,
        state: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        if let Value::Interface(name, concrete, inside) = value {
            return self.put_interface(name, *concrete, table, inside, state, out);
        }
        let kind = self.definitions.types.get(id).map(|found| found.kind.clone());
        match (value, kind) {
            (Value::Struct(values), Some(Kind::Struct(fields))) => {
                let mut last = 0;
                for (field, number) in fields.iter().zip(1u64..) {
                    let found = values.iter().find(|(name, _)| *name == field.name);
                    let Some((_, value)) = found.filter(|(_, value)| !value.is_zero()) else {
                        continue;
                    };
                    put_uint(state, number - last);
                    last = number;
                    self.put(field.id, table, value, state, out)?;
                }
                state.push(0);
            }
            (Value::List(items), Some(Kind::Slice { elem } | Kind::Array { elem, .. })) => {
                put_uint(state, items.len() as u64);
                for item in items {
                    self.put(elem, table, item, state, out)?;
                }
            }
            (Value::Map(entries), Some(Kind::Map { key, elem })) => {
                put_uint(state, entries.len() as u64);
                for (name, value) in entries {
                    self.put(key, table, name, state, out)?;
                    self.put(elem, table, value, state, out)?;
                }
            }
            // A whole number among floats; beyond 2^53 it is rounded, as everywhere in JSON.
            #[expect(clippy::cast_precision_loss, reason = "see above")]
            (Value::Int(number), _) if id == Id::FLOAT => put_float(state, *number as f64),
            (plain, _) if fits(plain, id) && plain.put_plain(state) => {}
            _ => return Err(Error::Mismatch("gob: a value that is not of its type".to_owned())),
        }
        Ok(())
    }

    /// An interface value. If its type is new, what `state` holds goes out at once, with the
    /// definition behind it, and the value goes on in the next message.
    fn put_interface(
        &mut self,
        name: &str,
        concrete: Id,
        table: Option<&Types>,
        inside: &Value,
        state: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        put_bytes(state, name.as_bytes());
        let id = match table {
            Some(table) => self.definitions.import(table, concrete)?,
            None => self.definitions.infer(inside),
        };
        self.send_definitions(id, &mut |definition| {
            state.extend_from_slice(definition);
            message(out, |out| out.append(state));
        });
        put_int(state, id.0);
        let mut data = Vec::new();
        if !self.definitions.types.is_struct(id) {
            data.push(0);
        }
        self.put(id, table, inside, &mut data, state)?;
        put_bytes(state, &data);
        Ok(())
    }

    /// Hands `send` the definitions of `id` and of all it is made of, outer before inner, that
    /// have not been sent.
    fn send_definitions(&mut self, id: Id, send: &mut dyn FnMut(&[u8])) {
        if id.builtin_name().is_some() || !self.sent.insert(id) {
            return;
        }
        let Some(definition) = self.definitions.types.get(id).cloned() else { return };
        let mut bytes = Vec::new();
        definition.put_definition(id, &mut bytes);
        send(&bytes);
        match &definition.kind {
            Kind::Array { elem, .. } | Kind::Slice { elem } => self.send_definitions(*elem, send),
            Kind::Map { key, elem } => {
                self.send_definitions(*key, send);
                self.send_definitions(*elem, send);
            }
            Kind::Struct(fields) => {
                fields.iter().for_each(|field| self.send_definitions(field.id, send));
            }
            Kind::Opaque(_) => {}
        }
    }
}

/// Whether a value without parts may stand where `id` is asked for.
fn fits(value: &Value, id: Id) -> bool {
    match value {
        Value::Bool(_) => id == Id::BOOL,
        Value::Int(_) => id == Id::INT,
        Value::Uint(_) => id == Id::UINT,
        Value::Float(_) => id == Id::FLOAT,
        Value::Complex(..) => id == Id::COMPLEX,
        Value::Bytes(_) => id == Id::BYTES,
        Value::String(_) => id == Id::STRING,
        Value::Opaque(_) => id >= Id::FIRST_USER,
        Value::Nil => id == Id::INTERFACE || id == Id::BYTES || id >= Id::FIRST_USER,
        _ => false,
    }
}

/// Appends what `body` writes as a message: its length, then itself.
fn message(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    // Most messages are short, and their length is one byte. Otherwise the body moves up.
    out.push(0);
    body(out);
    let len = out.len() - start - 1;
    match u8::try_from(len) {
        Ok(short @ ..128) => out[start] = short,
        _ => {
            let mut prefix = Vec::with_capacity(9);
            put_uint(&mut prefix, len as u64);
            out.splice(start..=start, prefix);
        }
    }
}
