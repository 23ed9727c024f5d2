//! Day 1: a type made up for a value, when a user typed it and no declaration says what it is.
//!
//! JSON `{"X": 1}` and `{"X": 1.5, "Y": 2}` in one list must be of one type for gob: what fits all of
//! them is a struct of both fields, with a float. So values are merged first, and the type is that
//! of the outcome. The `call` tool needs this ([`dynamic`](crate::beyond::dynamic)); nothing else
//! does, and a first reading may pass it over.

use super::Definitions;
use super::types::{Field, Id, Kind, Type};
use super::value::Value;

impl Definitions {
    /// The id of a type that fits `value`: a struct for every set of fields, a slice of what fits
    /// all its elements. What has no type of its own (nil, an empty list) must not come here.
    pub(super) fn infer(&mut self, value: &Value) -> Id {
        let kind = match value {
            Value::Bool(_) => return Id::BOOL,
            Value::Int(_) => return Id::INT,
            Value::Uint(_) => return Id::UINT,
            Value::Float(_) => return Id::FLOAT,
            Value::Complex(..) => return Id::COMPLEX,
            Value::Bytes(_) | Value::Opaque(_) => return Id::BYTES,
            Value::String(_) => return Id::STRING,
            Value::Nil | Value::Interface(..) => return Id::INTERFACE,
            Value::Struct(fields) => {
                let fields = fields.iter().filter(|(_, value)| !has_no_type(value));
                let fields = alike(fields.cloned().collect()).into_iter();
                let fields = fields.map(|(name, value)| Field { name, id: self.infer(&value) });
                Kind::Struct(fields.collect())
            }
            Value::List(items) => {
                let elem = items.iter().cloned().reduce(|all, item| merged(&all, &item));
                Kind::Slice { elem: elem.map_or(Id::INTERFACE, |all| self.infer(&all)) }
            }
            Value::Map(entries) => match entries.first() {
                Some((key, elem)) => Kind::Map { key: self.infer(key), elem: self.infer(elem) },
                None => Kind::Map { key: Id::STRING, elem: Id::INTERFACE },
            },
        };
        let fresh = Type { name: String::new(), kind };
        if let Some((_, id)) = self.inferred.iter().find(|(known, _)| *known == fresh) {
            return *id;
        }
        let id = self.next_id();
        self.types.define(id, fresh.clone());
        self.inferred.push((fresh, id));
        id
    }
}

/// Gives the structs among the fields of one struct, those in lists included, each other's fields,
/// unless they contradict one another. Two of them may be of one type on the other side; and for
/// each of its types there, Go follows the first definition it meets, without a look at the second.
fn alike(mut fields: Vec<(String, Value)>) -> Vec<(String, Value)> {
    let mut all = Value::Nil;
    for leaf in fields.iter_mut().filter_map(|(_, value)| leaf(value)) {
        if agree(&all, leaf) {
            all = merged(&all, leaf);
        }
    }
    for leaf in fields.iter_mut().filter_map(|(_, value)| leaf(value)) {
        if agree(&all, leaf) {
            leaf.clone_from(&all);
        }
    }
    fields
}

/// The struct that a value is, or that stands for all elements of a list.
fn leaf(value: &mut Value) -> Option<&mut Value> {
    match value {
        Value::List(items) => {
            let all = items.drain(..).reduce(|all, item| merged(&all, &item));
            items.extend(all);
            items.first_mut().and_then(leaf)
        }
        Value::Struct(_) => Some(value),
        _ => None,
    }
}

/// Whether two values can have one type.
fn agree(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Nil, _) | (_, Value::Nil) => true,
        (Value::Struct(a), Value::Struct(b)) => b.iter().all(|(name, value)| {
            a.iter().find(|(known, _)| known == name).is_none_or(|(_, known)| agree(known, value))
        }),
        (Value::List(a), Value::List(b)) => a.iter().all(|a| b.iter().all(|b| agree(a, b))),
        _ => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

/// A value whose inferred type fits both: the fields of either struct, a float if one is.
fn merged(a: &Value, b: &Value) -> Value {
    match (a, b) {
        (Value::Nil, other) | (other, Value::Nil) => other.clone(),
        (Value::Int(_), Value::Float(_)) => b.clone(),
        (Value::List(a), Value::List(b)) => {
            let all = a.iter().chain(b).cloned().reduce(|all, item| merged(&all, &item));
            Value::List(all.into_iter().collect())
        }
        (Value::Struct(a), Value::Struct(b)) => {
            let mut fields = a.clone();
            for (name, value) in b {
                match fields.iter_mut().find(|(known, _)| known == name) {
                    Some((_, known)) => *known = merged(known, value),
                    None => fields.push((name.clone(), value.clone())),
                }
            }
            Value::Struct(fields)
        }
        _ => a.clone(),
    }
}

/// Whether a field of an inferred struct is left out, definition and all.
fn has_no_type(value: &Value) -> bool {
    matches!(value, Value::Nil) || matches!(value, Value::List(items) if items.is_empty())
}
