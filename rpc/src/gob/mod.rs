//! Day 1: gob, the format of Go's `encoding/gob`, byte for byte.
//!
//! **At the end** you can read a gob stream by eye, and `call` can print a value of any type. Forty
//! minutes, with the modules in this order: numbers ([`varint`]), `types`, `value`, `encode` with
//! `infer`, `wire`, `decode`, and `kinds`, which says what Rust's own types become.
//!
//! # Why gob
//! JSON says the name of every field of every value. Protobuf says numbers, and both sides must have
//! the same `.proto` file. Gob describes each type **once per stream**, then sends values without
//! names: as short as protobuf, and as self-explaining as JSON. It is what Go's `net/rpc` speaks, and
//! here is the only description you need to write it again. (Real systems today would rather take
//! protobuf and gRPC: gob's price is that a stream has a memory, so that no message can be
//! understood alone.)
//!
//! # The bytes
//! A stream is a row of messages: a length, then so many bytes. A message defines a type (its id
//! negative) or carries a value (its id positive).
//!
//! ```text
//! stream     := message*
//! message    := uint(length) ( definition | value )
//! definition := int(-id) wireType
//! value      := int(id) ( struct | 00 anything-else )
//! struct     := ( uint(field delta) field value )* 00
//! ```
//!
//! Fields are numbered from 0 and counted from -1, so that the first delta is 1. A field that is zero
//! is left out; what is left of `Args{0, 0}` is the closing `00`. Here is the first request of a GeeRPC
//! client, `Foo.Sum(Args{3, 4})`, as a Go program sent it:
//!
//! ```
//! use rpc::gob::Encoder;
//!
//! rpc::message! {
//!     struct Header { service_method: String, seq: u64, error: String }
//!     struct Args { num1: i64, num2: i64 }
//! }
//!
//! let bytes = [
//!     &[0x38][..],                                   // 56 bytes follow
//!     &[0xff, 0x81],                                 // id -65: this defines type 65
//!     &[0x03],                                       //   +3, field 2 of wireType: StructT
//!     &[0x01],                                       //     +1, field 0: CommonType
//!     &[0x01, 0x06], b"Header",                      //       +1, field 0: Name, 6 bytes
//!     &[0x01, 0xff, 0x82],                           //       +1, field 1: Id, 65
//!     &[0x00],                                       //     end of CommonType
//!     &[0x01, 0x03],                                 //     +1, field 1: Field, a slice of 3
//!     &[0x01, 0x0d], b"ServiceMethod", &[0x01, 0x0c, 0x00], // a name, id 6 (string), end
//!     &[0x01, 0x03], b"Seq", &[0x01, 0x06, 0x00],    //     id 3 (uint)
//!     &[0x01, 0x05], b"Error", &[0x01, 0x0c, 0x00],  //     id 6 (string)
//!     &[0x00, 0x00],                                 //   end of StructT, end of wireType
//!
//!     &[0x0e],                                       // 14 bytes follow
//!     &[0xff, 0x82],                                 // id 65: a Header
//!     &[0x01, 0x07], b"Foo.Sum",                     //   +1, field 0: a string of 7 bytes
//!     &[0x01, 0x01],                                 //   +1, field 1: 1
//!     &[0x00],                                       //   end; Error is empty and left out
//!
//!     &[0x24],                                       // 36 bytes follow
//!     &[0xff, 0x83],                                 // id -66: this defines type 66
//!     &[0x03, 0x01, 0x01, 0x04], b"Args",            //   StructT, CommonType, Name
//!     &[0x01, 0xff, 0x84, 0x00],                     //   Id 66, end of CommonType
//!     &[0x01, 0x02],                                 //   Field, a slice of 2
//!     &[0x01, 0x04], b"Num1", &[0x01, 0x04, 0x00],   //     id 2 (int)
//!     &[0x01, 0x04], b"Num2", &[0x01, 0x04, 0x00],
//!     &[0x00, 0x00],
//!
//!     &[0x07],                                       // 7 bytes follow
//!     &[0xff, 0x84],                                 // id 66: an Args
//!     &[0x01, 0x06],                                 //   +1, field 0: 3 (6 = 3 shifted by one)
//!     &[0x01, 0x08],                                 //   +1, field 1: 4
//!     &[0x00],                                       //   end
//! ]
//! .concat();
//!
//! let (mut encoder, mut sent) = (Encoder::new(), Vec::new());
//! encoder.encode(&Header { service_method: "Foo.Sum".into(), seq: 1, error: String::new() }, &mut sent);
//! encoder.encode(&Args { num1: 3, num2: 4 }, &mut sent);
//! assert_eq!(sent, bytes);
//! ```
//!
//! # The idea alone
//! An encoder for structs of integers. It remembers which types it has defined; that is all.
//!
//! ```
//! #[derive(Default)]
//! struct Encoder { defined: Vec<&'static str> }
//!
//! fn uint(n: u64, out: &mut Vec<u8>) {
//!     assert!(n < 128, "longer numbers: see varint");
//!     out.push(n as u8);
//! }
//!
//! fn message(body: &[u8], out: &mut Vec<u8>) {
//!     uint(body.len() as u64, out);
//!     out.extend_from_slice(body);
//! }
//!
//! impl Encoder {
//!     fn encode(&mut self, name: &'static str, fields: &[(&str, u64)], out: &mut Vec<u8>) {
//!         let known = self.defined.iter().position(|other| *other == name);
//!         let id = 65 + known.unwrap_or(self.defined.len()) as u8;
//!         if known.is_none() {
//!             self.defined.push(name);
//!             let mut body = vec![0xff, 2 * id - 1, 3, 1, 1];    // -id, StructT, CommonType, Name
//!             message(name.as_bytes(), &mut body);
//!             body.extend([1, 0xff, 2 * id, 0, 1]);              // Id, end, Field
//!             uint(fields.len() as u64, &mut body);
//!             for (name, _) in fields {
//!                 body.push(1);
//!                 message(name.as_bytes(), &mut body);
//!                 body.extend([1, 4, 0]);                        // id 2, an int
//!             }
//!             body.extend([0, 0]);
//!             message(&body, out);
//!         }
//!         let (mut body, mut last) = (vec![0xff, 2 * id], 0);
//!         for ((_, value), number) in fields.iter().zip(1..) {
//!             if *value != 0 {
//!                 uint(number - last, &mut body);
//!                 uint(2 * value, &mut body);
//!                 last = number;
//!             }
//!         }
//!         body.push(0);
//!         message(&body, out);
//!     }
//! }
//!
//! let (mut encoder, mut out) = (Encoder::default(), Vec::new());
//! encoder.encode("Args", &[("Num1", 3), ("Num2", 4)], &mut out);
//! let first = out.len();
//! encoder.encode("Args", &[("Num1", 0), ("Num2", 5)], &mut out);
//! assert_eq!(first, 37 + 8);
//! assert_eq!(out[first..], [5, 0xff, 130, 2, 10, 0]); // no definition, and no Num1
//! ```
//!
//! # The walk
//! [`Encoder::encode`] asks [`Gob::define`] for the id, sends the [definitions](Type) that are new,
//! and has [`Gob::encode`] append the value. [`Decoder::decode`] waits for a whole message in
//! [`Wire`], makes a plan for the pair of types ([`Gob::compile`]) and follows it ([`Gob::decode`]).
//! A [`Value`] needs no plan: it takes the type as it comes.
//!
//! # What the borrow checker says
//! - Go's decoder looks up `reflect.Type`, compiles an "engine" of closures per type, and lets
//!   engines of recursive types point at each other. A `Plan` that owned its parts could not own
//!   itself: `recursive type has infinite size`. So plans lie in one vector and name each other by
//!   [`PlanId`].
//! - [`Wire::fields`] hands the wire on to its closure, `|wire, index| ...`. A closure that captured it
//!   would be a second `&mut`: `cannot borrow *wire as mutable more than once`.
//! - `Vec<u8>` is `[]byte`, any other `Vec<T>` a slice. Two overlapping `impl`s are an error, and
//!   specialisation is not stable. The way out, known from `Debug for [T]`: ask the *element*
//!   ([`Gob::encode_slice`]).
//!
//! # Where this differs from Go
//! - Messages are at most 4 MiB unless you say otherwise (Go: 1 GiB); values nest at most 100 deep.
//! - Errors call a struct `main.Args`, as if it were declared in a Go program's own package.
//! - `Some(0)` is left out of a struct, as a Go pointer to zero is; in a list, `None` is sent as zero
//!   where Go refuses.
//! - We never send interface values but read and skip them. `GobEncoder` types are bytes to us.
//!
//! # Try it
//! `cargo run -p rpc --example serve` in one terminal; in another
//! `cargo run -p rpc --example call -- tcp@127.0.0.1:9999 Echo.Record '{"Tags":["a"]}'` prints
//! `{"Name":"","Score":0,...,"Tags":["a"],"Points":null,"Grid":[0,0,0],...}`.
//!
//! Exercise, at the end of `gob/tests.rs`: a field that is `Some(0)` comes back as `None`. Go's decoder
//! accepts a zero that is sent (see `tests/vectors/rpc/gob-accept.txt`), so an encoder may send it; make
//! `exercise_some_zero_survives` pass without changing what Go sees of plain numbers.
//!
//! Source: the documentation of Go's `encoding/gob`; 94 streams captured from Go 1.19.

pub mod varint;

mod types;
mod value;

mod encode;
mod infer;

mod wire;

mod decode;
mod kinds;

pub use decode::{Compiler, Decoder, MESSAGE_BYTES_MAX, PlanId, Plans};
pub use encode::{Definitions, Encoder, Named};
pub(crate) use types::NumberHasher;
pub use types::{Field, Id, Kind, Type, Types};
pub use value::Value;
pub use wire::Wire;

use crate::Result;

/// A Rust type that gob can carry.
///
/// [`message!`](crate::message) implements it for a struct, `kinds` for std's types.
///
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
