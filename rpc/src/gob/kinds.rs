//! Day 1: how Rust's own types look in gob.
//!
//! | Rust | Go | on the wire |
//! |---|---|---|
//! | `i8`..`i64`, `isize` | `int8`..`int64`, `int` | int: the size does not travel, the reader checks it |
//! | `u8`..`u64`, `usize` | `uint8`..`uint64`, `uint` | uint |
//! | `f32`, `f64` | `float32`, `float64` | float, as 64 bits |
//! | `String` | `string` | length, bytes |
//! | `Vec<u8>` | `[]byte` | length, bytes |
//! | `Vec<T>` | `[]T` | count, elements; an empty one is left out of a struct |
//! | `[T; N]` | `[N]T` | count, elements; always sent |
//! | `HashMap`, `BTreeMap` | `map[K]V` | count, keys and values; an empty one is sent |
//! | `Option<T>` | `*T` | the value itself, or left out |
//! | `Box<T>` | `T` | the value itself: for types that contain themselves |
//! | `()` | `struct{}` | a struct without fields |
//!
//! `Option` flattens: Go leaves a pointer *to zero* out of a struct too, and so do we, so that
//! `Some(0)` comes back as `None`; a `Some` struct is always sent. `Option<HashMap>` is a map that
//! may be nil, and keeps nil and empty apart. In a list there is no place for a `None`: its zero
//! is sent there (Go refuses a nil in a slice).

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use super::types::{Id, Kind};
use super::value::put_bytes;
use super::varint::{put_float, put_int, put_uint};
use super::{Compiler, Definitions, Gob, Named, PlanId, Plans, Wire};
use crate::{Error, Result};

macro_rules! numbers {
    ($($number:ident, $go:literal, $id:expr, $put:ident, $take:ident, $wide:ty;)*) => {$(
        impl Gob for $number {
            fn zero() -> Self {
                <$number>::default()
            }
            fn go_type() -> String {
                $go.to_owned()
            }
            fn define(_: &mut Definitions, _: Named) -> Id {
                $id
            }
            fn is_zero(&self) -> bool {
                *self == <$number>::default()
            }
            #[inline]
            fn encode(&self, out: &mut Vec<u8>) {
                $put(out, <$wide>::try_from(*self).unwrap_or(<$wide>::MAX));
            }
            fn compile(compiler: &mut Compiler<'_>, id: Id) -> Result<PlanId> {
                compiler.plain::<Self>($id, id)
            }
            #[inline]
            fn decode(&mut self, _: &Plans, _: PlanId, wire: &mut Wire) -> Result<()> {
                let wide = wire.$take()?;
                *self = Self::try_from(wide).map_err(|_| Error::OutOfRange(String::new()))?;
                Ok(())
            }
            numbers! { @slice $number }
        }
    )*};
    // `Vec<u8>` is no slice of numbers but `[]byte`, a type of its own. Rust has no
    // specialisation, so the *element* says how a slice of it looks; only `u8` says otherwise.
    (@slice u8) => {
        fn slice_go_type() -> String {
            "[]uint8".to_owned()
        }
        fn define_slice(_: &mut Definitions, _: Named) -> Id {
            Id::BYTES
        }
        fn encode_slice(items: &[Self], out: &mut Vec<u8>) {
            put_bytes(out, items);
        }
        fn compile_slice(compiler: &mut Compiler<'_>, id: Id) -> Result<PlanId> {
            compiler.plain::<Vec<u8>>(Id::BYTES, id)
        }
        fn decode_slice(
            into: &mut Vec<Self>,
            _: &Plans,
            _: PlanId,
            wire: &mut Wire,
        ) -> Result<()> {
            wire.bytes(|bytes| {
                into.clear();
                into.extend_from_slice(bytes);
            })
        }
    };
    (@slice $other:ident) => {};
}

numbers! {
    i8, "int8", Id::INT, put_int, int, i64;
    i16, "int16", Id::INT, put_int, int, i64;
    i32, "int32", Id::INT, put_int, int, i64;
    i64, "int", Id::INT, put_int, int, i64;
    isize, "int", Id::INT, put_int, int, i64;
    u8, "uint8", Id::UINT, put_uint, uint, u64;
    u16, "uint16", Id::UINT, put_uint, uint, u64;
    u32, "uint32", Id::UINT, put_uint, uint, u64;
    u64, "uint", Id::UINT, put_uint, uint, u64;
    usize, "uint", Id::UINT, put_uint, uint, u64;
}

impl Gob for bool {
    fn zero() -> Self {
        false
    }
    fn go_type() -> String {
        "bool".to_owned()
    }
    fn define(_: &mut Definitions, _: Named) -> Id {
        Id::BOOL
    }
    fn is_zero(&self) -> bool {
        !self
    }
    fn encode(&self, out: &mut Vec<u8>) {
        put_uint(out, u64::from(*self));
    }
    fn compile(compiler: &mut Compiler<'_>, id: Id) -> Result<PlanId> {
        compiler.plain::<Self>(Id::BOOL, id)
    }
    fn decode(&mut self, _: &Plans, _: PlanId, wire: &mut Wire) -> Result<()> {
        *self = wire.uint()? != 0;
        Ok(())
    }
}

impl Gob for f64 {
    fn zero() -> Self {
        0.0
    }
    fn go_type() -> String {
        "float64".to_owned()
    }
    fn define(_: &mut Definitions, _: Named) -> Id {
        Id::FLOAT
    }
    /// Minus zero is left out as well, as in Go.
    fn is_zero(&self) -> bool {
        *self == 0.0
    }
    fn encode(&self, out: &mut Vec<u8>) {
        put_float(out, *self);
    }
    fn compile(compiler: &mut Compiler<'_>, id: Id) -> Result<PlanId> {
        compiler.plain::<Self>(Id::FLOAT, id)
    }
    fn decode(&mut self, _: &Plans, _: PlanId, wire: &mut Wire) -> Result<()> {
        *self = wire.float()?;
        Ok(())
    }
}

impl Gob for f32 {
    fn zero() -> Self {
        0.0
    }
    fn go_type() -> String {
        "float32".to_owned()
    }
    fn define(_: &mut Definitions, _: Named) -> Id {
        Id::FLOAT
    }
    fn is_zero(&self) -> bool {
        *self == 0.0
    }
    fn encode(&self, out: &mut Vec<u8>) {
        put_float(out, f64::from(*self));
    }
    fn compile(compiler: &mut Compiler<'_>, id: Id) -> Result<PlanId> {
        compiler.plain::<Self>(Id::FLOAT, id)
    }
    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is asked for")]
    fn decode(&mut self, _: &Plans, _: PlanId, wire: &mut Wire) -> Result<()> {
        let wide = wire.float()?;
        *self = wide as f32;
        if self.is_infinite() && wide.is_finite() {
            return Err(Error::OutOfRange(String::new()));
        }
        Ok(())
    }
}

impl Gob for String {
    fn zero() -> Self {
        String::new()
    }
    fn go_type() -> String {
        "string".to_owned()
    }
    fn define(_: &mut Definitions, _: Named) -> Id {
        Id::STRING
    }
    fn is_zero(&self) -> bool {
        self.is_empty()
    }
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.as_bytes());
    }
    fn compile(compiler: &mut Compiler<'_>, id: Id) -> Result<PlanId> {
        compiler.plain::<Self>(Id::STRING, id)
    }
    /// Bytes that are no UTF-8 become the replacement character.
    fn decode(&mut self, _: &Plans, _: PlanId, wire: &mut Wire) -> Result<()> {
        wire.bytes(|bytes| {
            self.clear();
            match std::str::from_utf8(bytes) {
                Ok(text) => self.push_str(text),
                Err(_) => self.push_str(&String::from_utf8_lossy(bytes)),
            }
        })
    }
}

impl Gob for () {
    fn zero() -> Self {}
    fn go_type() -> String {
        "struct {}".to_owned()
    }
    fn define(definitions: &mut Definitions, named: Named) -> Id {
        definitions.structure::<()>("", named, |_| Vec::new())
    }
    fn is_zero(&self) -> bool {
        false
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(0);
    }
    fn compile(compiler: &mut Compiler<'_>, id: Id) -> Result<PlanId> {
        compiler.structure::<()>(id, &[], |compiler, _, id| compiler.plain::<()>(id, id))
    }
    fn decode(&mut self, plans: &Plans, plan: PlanId, wire: &mut Wire) -> Result<()> {
        plans.fields(plan, wire, |_, _, _| Ok(()))
    }
}

impl<T: Gob> Gob for Vec<T> {
    fn zero() -> Self {
        Vec::new()
    }
    fn go_type() -> String {
        T::slice_go_type()
    }
    fn define(definitions: &mut Definitions, named: Named) -> Id {
        T::define_slice(definitions, named)
    }
    fn is_zero(&self) -> bool {
        self.is_empty()
    }
    fn encode(&self, out: &mut Vec<u8>) {
        T::encode_slice(self, out);
    }
    fn compile(compiler: &mut Compiler<'_>, id: Id) -> Result<PlanId> {
        T::compile_slice(compiler, id)
    }
    fn decode(&mut self, plans: &Plans, plan: PlanId, wire: &mut Wire) -> Result<()> {
        T::decode_slice(self, plans, plan, wire)
    }
}

impl<T: Gob, const N: usize> Gob for [T; N] {
    fn zero() -> Self {
        std::array::from_fn(|_| T::zero())
    }
    fn go_type() -> String {
        format!("[{N}]{}", T::go_type())
    }
    fn define(definitions: &mut Definitions, named: Named) -> Id {
        definitions.composed::<Self>(named, |definitions| Kind::Array {
            elem: T::define(definitions, Named::Not),
            len: N as u64,
        })
    }
    fn is_zero(&self) -> bool {
        false
    }
    fn encode(&self, out: &mut Vec<u8>) {
        put_uint(out, N as u64);
        self.iter().for_each(|item| item.encode(out));
    }
    fn compile(compiler: &mut Compiler<'_>, id: Id) -> Result<PlanId> {
        compiler.array::<Self, T>(id, N)
    }
    fn decode(&mut self, plans: &Plans, plan: PlanId, wire: &mut Wire) -> Result<()> {
        let elem = plans.elements(plan);
        wire.deeper(|wire| {
            if wire.uint()? != N as u64 {
                return Err(Error::Corrupt("gob: length mismatch in array"));
            }
            self.iter_mut().try_for_each(|item| item.decode(plans, elem, wire))
        })
    }
}

/// What the two maps have in common, but for the bounds on their keys.
macro_rules! map_methods {
    () => {
        fn zero() -> Self {
            Self::default()
        }
        fn go_type() -> String {
            format!("map[{}]{}", K::go_type(), V::go_type())
        }
        fn define(definitions: &mut Definitions, named: Named) -> Id {
            definitions.composed::<Self>(named, |definitions| Kind::Map {
                key: K::define(definitions, Named::Not),
                elem: V::define(definitions, Named::Not),
            })
        }
        fn is_zero(&self) -> bool {
            false
        }
        fn encode(&self, out: &mut Vec<u8>) {
            put_uint(out, self.len() as u64);
            for (key, value) in self {
                key.encode(out);
                value.encode(out);
            }
        }
        fn compile(compiler: &mut Compiler<'_>, id: Id) -> Result<PlanId> {
            compiler.map::<Self, K, V>(id)
        }
        fn decode(&mut self, plans: &Plans, plan: PlanId, wire: &mut Wire) -> Result<()> {
            let (key_plan, value_plan) = plans.entries(plan);
            self.clear();
            wire.deeper(|wire| {
                for _ in 0..wire.uint()? {
                    // Twice the entry: tables keep room.
                    wire.charge(2 * size_of::<(K, V)>())?;
                    let (mut key, mut value) = (K::zero(), V::zero());
                    key.decode(plans, key_plan, wire)?;
                    value.decode(plans, value_plan, wire)?;
                    self.insert(key, value);
                }
                Ok(())
            })
        }
    };
}

impl<K: Gob + Eq + Hash, V: Gob, S: BuildHasher + Default + 'static> Gob for HashMap<K, V, S> {
    map_methods!();
}

impl<K: Gob + Ord, V: Gob> Gob for BTreeMap<K, V> {
    map_methods!();
}

impl<T: Gob> Gob for Option<T> {
    fn zero() -> Self {
        None
    }
    fn go_type() -> String {
        format!("*{}", T::go_type())
    }
    fn define(definitions: &mut Definitions, named: Named) -> Id {
        T::define(definitions, named.through_pointer())
    }
    fn is_zero(&self) -> bool {
        self.as_ref().is_none_or(T::is_zero)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.encode(out),
            None => T::zero().encode(out),
        }
    }
    fn compile(compiler: &mut Compiler<'_>, id: Id) -> Result<PlanId> {
        T::compile(compiler, id)
    }
    fn decode(&mut self, plans: &Plans, plan: PlanId, wire: &mut Wire) -> Result<()> {
        self.get_or_insert_with(T::zero).decode(plans, plan, wire)
    }
}

impl<T: Gob> Gob for Box<T> {
    fn zero() -> Self {
        Box::new(T::zero())
    }
    fn go_type() -> String {
        T::go_type()
    }
    fn define(definitions: &mut Definitions, named: Named) -> Id {
        T::define(definitions, named)
    }
    fn is_zero(&self) -> bool {
        T::is_zero(self)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        T::encode(self, out);
    }
    fn compile(compiler: &mut Compiler<'_>, id: Id) -> Result<PlanId> {
        T::compile(compiler, id)
    }
    fn decode(&mut self, plans: &Plans, plan: PlanId, wire: &mut Wire) -> Result<()> {
        T::decode(self, plans, plan, wire)
    }
}
