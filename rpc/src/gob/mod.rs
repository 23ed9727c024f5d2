//! Day 1: gob, the format of Go's `encoding/gob`, byte for byte.
//!
//! (chapter)

mod decode;
mod encode;
mod kinds;
mod types;
mod value;
pub mod varint;
mod wire;

pub use decode::{Compiler, Decoder, MESSAGE_BYTES_MAX, PlanId, Plans};
pub use encode::{Definitions, Encoder, Named};
pub use types::{Field, Id, Kind, Type, Types};
pub use value::Value;
pub use wire::Wire;

use crate::Result;

/// A Rust type that gob can carry.
///
/// [`message!`](crate::message) implements it for a struct; the module's table has what std's
/// types become.
/// The methods are what a plan needs to know, and come in the order in which they are used: what
/// the type is called, how it is defined on the wire, how it is written, how it is read.
pub trait Gob: Sized + 'static {
    /// What a field of this type holds when nothing was sent for it.
    fn zero() -> Self;

    /// Its name as Go prints it: `int`, `[]string`, `main.Args`.
    fn go_type() -> String;

    /// Its id on a sending stream, defining it and its parts there first; `named` says where it
    /// was met, on which its name in the definition depends.
    fn define(definitions: &mut Definitions, named: Named) -> Id;

    /// Whether a struct leaves out a field with this value.
    fn is_zero(&self) -> bool;

    /// Appends the value, without id, length or field number.
    fn encode(&self, out: &mut Vec<u8>);

    /// Makes the plan for reading it out of the wire's type `id`.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) when that type does not fit.
    fn compile(compiler: &mut Compiler<'_>, id: Id) -> Result<PlanId>;

    /// Reads a value by `plan`, over what is here.
    ///
    /// # Errors
    /// Those of the wire; [`Error::OutOfRange`](crate::Error::OutOfRange).
    fn decode(&mut self, plans: &Plans, plan: PlanId, wire: &mut Wire) -> Result<()>;

    /// The Go name of a slice of it.
    #[must_use]
    fn slice_go_type() -> String {
        format!("[]{}", Self::go_type())
    }

    /// [`Gob::define`] for a slice of it.
    fn define_slice(definitions: &mut Definitions, named: Named) -> Id {
        definitions.composed::<Vec<Self>>(named, |definitions| Kind::Slice {
            elem: Self::define(definitions, Named::Own),
        })
    }

    /// [`Gob::encode`] for a slice of it.
    fn encode_slice(items: &[Self], out: &mut Vec<u8>) {
        varint::put_uint(out, items.len() as u64);
        items.iter().for_each(|item| item.encode(out));
    }

    /// [`Gob::compile`] for a slice of it.
    ///
    /// # Errors
    /// Those of [`Gob::compile`].
    fn compile_slice(compiler: &mut Compiler<'_>, id: Id) -> Result<PlanId> {
        compiler.slice::<Vec<Self>, Self>(id)
    }

    /// [`Gob::decode`] for a slice of it.
    ///
    /// # Errors
    /// Those of [`Gob::decode`].
    fn decode_slice(
        into: &mut Vec<Self>,
        plans: &Plans,
        plan: PlanId,
        wire: &mut Wire,
    ) -> Result<()> {
        let elem = plans.elements(plan);
        wire.deeper(|wire| {
            let count = wire.uint()?;
            into.clear();
            // An element takes a byte at least, so this is bounded by what has arrived.
            let here = usize::try_from(count).unwrap_or(usize::MAX).min(wire.left());
            into.reserve(here.min(4096));
            for _ in 0..count {
                wire.charge(size_of::<Self>())?;
                let mut item = Self::zero();
                item.decode(plans, elem, wire)?;
                into.push(item);
            }
            Ok(())
        })
    }
}

/// The Go name of `T` with the pointer taken off: what a pointer points to is what travels.
#[must_use]
pub fn go_name<T: Gob>() -> String {
    T::go_type().trim_start_matches('*').to_owned()
}

#[cfg(test)]
mod tests;
