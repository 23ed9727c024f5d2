//! Day 1: the decoder of one stream - plans, made once per pair of types.
//!
//! The sender's struct and ours need not be the same: fields are matched **by name**, ours that
//! are missing keep their zero, theirs that we lack are stepped over. To compare names for every
//! value would be slow, so the first value of a type makes a plan, and every further one follows
//! it:
//!
//! ```text
//! on the wire: Args{Num1 int, Note string, Num2 int}     here: Args{num1: i64, num2: i64}
//! plan:        field 0 -> slot 0 as int
//!              field 1 -> step over a string
//!              field 2 -> slot 1 as int
//! ```
//!
//! A plan may lead back to itself (a list node holds a list node), so plans live in one vector,
//! [`Plans`], and name each other by index: the shape that the borrow checker asks for wherever Go
//! has pointers in a circle.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::types::{Id, Kind, Types};
use super::wire::DEPTH_MAX;
use super::{Gob, Value, Wire, go_name};
use crate::{Error, Input, Result};

/// The place of a plan among its stream's [`Plans`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanId(usize);

/// How to decode one wire type into one Rust type.
#[derive(Debug)]
enum Plan {
    /// A value without parts.
    Plain,
    /// Elements, all by this plan.
    Elements(PlanId),
    /// Keys and values.
    Entries(PlanId, PlanId),
    /// What to do with each field of the wire's struct.
    Fields(Vec<FieldPlan>),
}

/// What to do with a field of the wire's struct.
#[derive(Debug, Clone, Copy)]
enum FieldPlan {
    /// Step over a value of this type.
    Skip(Id),
    /// Decode it into our field of this number.
    Into(usize, PlanId),
}

/// The plans of one stream.
#[derive(Debug, Default)]
pub struct Plans {
    plans: Vec<Plan>,
    known: HashMap<(TypeId, Id), PlanId>,
    /// The top-level types met so far: few, so that looking is cheaper than hashing.
    ready: Vec<(TypeId, Id, PlanId)>,
    /// Types of the wire that are defined with all their parts.
    whole: HashSet<Id>,
}

impl Plans {
    /// The plan for the elements of a slice or array, or the value itself.
    #[inline]
    #[must_use]
    pub fn elements(&self, plan: PlanId) -> PlanId {
        match self.plans[plan.0] {
            Plan::Elements(elem) => elem,
            _ => plan,
        }
    }

    /// The plans for the keys and values of a map.
    #[must_use]
    pub fn entries(&self, plan: PlanId) -> (PlanId, PlanId) {
        match self.plans[plan.0] {
            Plan::Entries(key, elem) => (key, elem),
            _ => (plan, plan),
        }
    }

    /// Decodes a struct: `slot` is called with the number of our field, and the plan for it.
    ///
    /// # Errors
    /// Those of the wire and of `slot`.
    #[inline]
    pub fn fields(
        &self,
        plan: PlanId,
        wire: &mut Wire,
        mut slot: impl FnMut(&mut Wire, usize, PlanId) -> Result<()>,
    ) -> Result<()> {
        let Plan::Fields(fields) = &self.plans[plan.0] else { return Ok(()) };
        wire.fields(fields.len(), |wire, index| match fields[index] {
            FieldPlan::Skip(id) => wire.skip(id),
            FieldPlan::Into(number, plan) => slot(wire, number, plan),
        })
    }

    /// The plan for a top-level `T` out of the wire's type `id`.
    fn top<T: Gob>(&mut self, types: &Types, id: Id) -> Result<PlanId> {
        let key = TypeId::of::<T>();
        if let Some(found) = self.ready.iter().find(|ready| ready.0 == key && ready.1 == id) {
            return Ok(found.2);
        }
        let before = self.plans.len();
        match T::compile(&mut Compiler { plans: self, types, depth: 0 }, id) {
            Ok(plan) => {
                self.ready.push((key, id, plan));
                Ok(plan)
            }
            Err(error) => {
                // Half a plan must not be found again, nor may failures pile up.
                self.plans.truncate(before);
                self.known.retain(|_, plan| plan.0 < before);
                Err(error)
            }
        }
    }
}

/// Makes plans: what [`Gob::compile`] works with.
#[derive(Debug)]
pub struct Compiler<'a> {
    plans: &'a mut Plans,
    types: &'a Types,
    /// In how many structs we are. The other side may send a chain of thousands of types, each of
    /// which fits the one list node that we have.
    depth: u32,
}

impl Compiler<'_> {
    fn add(&mut self, plan: Plan) -> PlanId {
        self.plans.plans.push(plan);
        PlanId(self.plans.plans.len() - 1)
    }

    /// The plan for a value without parts, if the wire's type is `want`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] otherwise.
    pub fn plain<T: Gob>(&mut self, want: Id, id: Id) -> Result<PlanId> {
        if id == want { Ok(self.add(Plan::Plain)) } else { Err(self.mismatch::<T>(id)) }
    }

    /// The plan for a `Vec<E>`, if the wire's type is a slice.
    ///
    /// # Errors
    /// [`Error::Mismatch`] otherwise, or when the elements do not match.
    pub fn slice<T: Gob, E: Gob>(&mut self, id: Id) -> Result<PlanId> {
        match self.kind(id) {
            Some(Kind::Slice { elem }) => self.elements::<T, E>(id, elem),
            _ => Err(self.mismatch::<T>(id)),
        }
    }

    /// The plan for a `[E; N]`, if the wire's type is an array of `len`.
    ///
    /// # Errors
    /// As for [`Compiler::slice`].
    pub fn array<T: Gob, E: Gob>(&mut self, id: Id, len: usize) -> Result<PlanId> {
        match self.kind(id) {
            Some(Kind::Array { elem, len: theirs }) if theirs == len as u64 => {
                self.elements::<T, E>(id, elem)
            }
            _ => Err(self.mismatch::<T>(id)),
        }
    }

    fn elements<T: Gob, E: Gob>(&mut self, id: Id, elem: Id) -> Result<PlanId> {
        let elem = E::compile(self, elem).map_err(|_| self.mismatch::<T>(id))?;
        Ok(self.add(Plan::Elements(elem)))
    }

    /// The plan for a map from `K` to `V`, if the wire's type is a map.
    ///
    /// # Errors
    /// As for [`Compiler::slice`].
    pub fn map<T: Gob, K: Gob, V: Gob>(&mut self, id: Id) -> Result<PlanId> {
        let Some(Kind::Map { key, elem }) = self.kind(id) else {
            return Err(self.mismatch::<T>(id));
        };
        let key = K::compile(self, key).map_err(|_| self.mismatch::<T>(id))?;
        let elem = V::compile(self, elem).map_err(|_| self.mismatch::<T>(id))?;
        Ok(self.add(Plan::Entries(key, elem)))
    }

    /// The plan for the struct `T` with these field `names`; `member` makes the plan for the field
    /// of a number.
    ///
    /// # Errors
    /// [`Error::Mismatch`] when the wire's type is no struct, a field has another type, or there
    /// are fields on both sides and none in common; [`Error::Corrupt`] when a field to be stepped
    /// over has an undefined type; [`Error::TooDeep`].
    pub fn structure<T: Gob>(
        &mut self,
        id: Id,
        names: &[Cow<'static, str>],
        member: impl Fn(&mut Self, usize, Id) -> Result<PlanId>,
    ) -> Result<PlanId> {
        let key = (TypeId::of::<T>(), id);
        if let Some(&known) = self.plans.known.get(&key) {
            return Ok(known);
        }
        let Some(Kind::Struct(theirs)) = self.kind(id) else { return Err(self.no_struct::<T>(id)) };
        if self.depth == DEPTH_MAX {
            return Err(Error::TooDeep);
        }
        self.depth += 1;
        let plan = self.add(Plan::Fields(Vec::new()));
        // Known before its fields are looked at: a field may be of this very type.
        self.plans.known.insert(key, plan);
        let (mut fields, mut matched) = (Vec::with_capacity(theirs.len()), false);
        for their in &theirs {
            let found = names.iter().position(|name| *name == their.name);
            fields.push(if let Some(number) = found {
                matched = true;
                let wrong = |error| in_field::<T>(error, &their.name);
                FieldPlan::Into(number, member(self, number, their.id).map_err(wrong)?)
            } else {
                self.types.check_defined(their.id, &mut self.plans.whole)?;
                FieldPlan::Skip(their.id)
            });
        }
        if !matched && !names.is_empty() && !theirs.is_empty() {
            let name = go_name::<T>();
            let name = name.rsplit('.').next().unwrap_or_default();
            return Err(Error::Mismatch(format!(
                "gob: type mismatch: no fields matched compiling decoder for {name}"
            )));
        }
        self.depth -= 1;
        self.plans.plans[plan.0] = Plan::Fields(fields);
        Ok(plan)
    }

    fn kind(&self, id: Id) -> Option<Kind> {
        self.types.get(id).map(|found| found.kind.clone())
    }

    fn mismatch<T: Gob>(&self, id: Id) -> Error {
        Error::Mismatch(format!(
            "gob: decoding into local type *{}, received remote type {}",
            go_name::<T>(),
            self.types.name(id)
        ))
    }

    fn no_struct<T: Gob>(&self, id: Id) -> Error {
        if id.builtin_name().is_none() && self.types.get(id).is_none() {
            return Error::Corrupt("gob: unknown type id or corrupted data");
        }
        Error::Mismatch(format!(
            "gob: type mismatch in decoder: want struct type {}; got non-struct",
            go_name::<T>()
        ))
    }
}

/// A mismatch inside a struct is told as Go tells it: which type of ours, for which field.
fn in_field<T: Gob>(error: Error, field: &str) -> Error {
    let Error::Mismatch(text) = &error else { return error };
    let ours = text.strip_prefix("gob: decoding into local type *");
    let ours = ours.and_then(|rest| rest.split(", received").next());
    let ours = ours.or_else(|| {
        text.strip_prefix("gob: type mismatch in decoder: want struct type ")
            .and_then(|rest| rest.strip_suffix("; got non-struct"))
    });
    let Some(ours) = ours else { return error };
    let owner = go_name::<T>();
    let owner = owner.rsplit('.').next().unwrap_or_default();
    Error::Mismatch(format!("gob: wrong type ({ours}) for received field {owner}.{field}"))
}

/// The reading end of one gob stream.
///
/// ```
/// use rpc::gob::Decoder;
///
/// let stream: &[u8] = &[3, 0x04, 0x00, 0x0e];
/// let mut number = 0i64;
/// Decoder::new(stream).decode(&mut number).unwrap().unwrap();
/// assert_eq!(number, 7);
/// ```
#[derive(Debug)]
pub struct Decoder {
    wire: Wire,
    plans: Plans,
    /// The type of the value that the message at hand holds, unread.
    current: Option<Id>,
    /// Whether definitions have come whose value has not.
    defining: bool,
}

/// The size of a message, unless a caller says otherwise: 4 MiB.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;

impl Decoder {
    /// A decoder of `source` from its first byte.
    pub fn new(source: impl crate::Source + 'static) -> Decoder {
        Decoder::with_input(Input::new(source, Vec::new()), MESSAGE_BYTES_MAX)
    }

    /// A decoder of what is left of `input`, with messages of `message_bytes_max` at most.
    #[must_use]
    pub fn with_input(input: Input, message_bytes_max: usize) -> Decoder {
        let wire = Wire::new(input, message_bytes_max);
        Decoder { wire, plans: Plans::default(), current: None, defining: false }
    }

    /// Waits until the next value is here and gives its type; `None` at the end of the stream.
    ///
    /// After an error that is a timeout it can be called again; after any other the stream is at
    /// an end, since nobody knows where the next message begins.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::UnexpectedEof`], [`Error::TooLarge`], [`Error::Corrupt`].
    pub fn next_id(&mut self) -> Result<Option<Id>> {
        while self.current.is_none() {
            if !self.wire.next_message()? {
                return if self.defining { Err(Error::UnexpectedEof) } else { Ok(None) };
            }
            let id = self.wire.int()?;
            if id >= 0 {
                self.current = Some(Id(id));
                self.defining = false;
                break;
            }
            self.wire.begin();
            self.wire.define(Id(id.saturating_neg()))?;
            if self.wire.left() > 0 {
                return Err(Error::Corrupt("extra data in buffer"));
            }
            self.defining = true;
        }
        Ok(self.current)
    }

    /// Decodes the next value into `into`, over what it holds.
    ///
    /// The outer error is the stream's: nothing can be read after it (unless it was a timeout).
    /// The inner one is the value's: it was dropped, and the next one can be read.
    ///
    /// # Errors
    /// See [`Decoder::next_id`]; at the end of the stream [`Error::UnexpectedEof`].
    pub fn decode<T: Gob>(&mut self, into: &mut T) -> Result<Result<()>> {
        self.value_with(|plans, wire, id| {
            let plan = plans.top::<T>(&wire.types, id)?;
            wire.singleton(id)?;
            into.decode(plans, plan, wire)
        })
    }

    /// Decodes the next value, whatever it is.
    ///
    /// # Errors
    /// Those of [`Decoder::decode`].
    pub fn decode_value(&mut self) -> Result<Result<(Id, Value)>> {
        self.value_with(|_, wire, id| {
            wire.singleton(id)?;
            Ok((id, wire.value(id)?))
        })
    }

    /// Steps over the next value.
    ///
    /// # Errors
    /// Those of [`Decoder::decode`].
    pub fn discard(&mut self) -> Result<Result<()>> {
        self.value_with(|_, wire, id| {
            wire.singleton(id)?;
            wire.skip(id)
        })
    }

    /// The types that the other side has defined.
    #[must_use]
    pub fn types(&self) -> &Types {
        &self.wire.types
    }

    /// Whether the next `count` values are here as a whole, so that reading them will not wait.
    #[must_use]
    pub fn values_here(&self, count: usize) -> bool {
        self.wire.values_here(count - usize::from(self.current.is_some()))
    }

    fn value_with<T>(
        &mut self,
        read: impl FnOnce(&mut Plans, &mut Wire, Id) -> Result<T>,
    ) -> Result<Result<T>> {
        let id = self.next_id()?.ok_or(Error::UnexpectedEof)?;
        self.wire.begin();
        let mark = self.wire.mark();
        let result = read(&mut self.plans, &mut self.wire, id);
        self.current = None;
        if let Err(error) = &result {
            // Read on or walk over: either may run into a second message of the same value, and
            // only a walk from the start finds out.
            if self.wire.split {
                return Err(error.clone());
            }
            self.wire.rewind(mark);
            let walked = self.wire.singleton(id).and_then(|()| self.wire.skip(id));
            if walked.is_err() && self.wire.split {
                return Err(error.clone());
            }
        }
        Ok(result)
    }
}
